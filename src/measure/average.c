/* The average of the weights: its columns, its first value, its evaluations.  The optimizer updates it slice by slice,
 * so it has to be gathered from the ranks before it is evaluated.  The room train and the saver of a run directory call
 * this. */
#include "measure/average.h"

#include <string.h>

#include "run/evaluated.h"

tutti_status tutti_measure_average_create(tutti_run *run) {
  if (!tutti_optim_average(run->optim)) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(run->averaged, tutti_model_n_params(run->network.model)));
  const int64_t n = run->samples.validation.n;
  return n > 0 ? tutti_run_evaluated_create(run, TUTTI_AVERAGE_PREFIX, n, &run->state.rows.average)
               : TUTTI_OK;
}

void tutti_measure_average_begin(tutti_run *run) {
  if (!run->averaged) return;
  // The average is the last slot of the optimizer.
  tutti_slice_copy_own(tutti_reducer_slice(run->reducer), tutti_reducer_params(run->reducer),
                       tutti_optim_slot(run->optim, tutti_optim_n_slots(run->optim) - 1));
}

tutti_status tutti_measure_average_evaluate(const tutti_run *run, const tutti_samples *set,
                                            tutti_evaluation *result) {
  *result = (tutti_evaluation){0};
  if (!run->averaged || set->n == 0) return TUTTI_OK;
  // Each rank has its slice of the average; the network needs all of it on every rank.
  TUTTI_TRY(tutti_reducer_gather(run->reducer, tutti_optim_average(run->optim), run->averaged));
  TUTTI_TRY(tutti_comm_bcast(run->comm, 0, run->averaged,
                             tutti_model_n_params(run->network.model) * (int64_t)sizeof *run->averaged));
  return tutti_network_evaluate(&run->network, run->averaged, set, result);
}
