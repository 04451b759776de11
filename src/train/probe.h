#pragma once
/** Steps of a training whose time is to be measured: the same data and the same code, but nothing is written. */
#include "run/run.h"

typedef struct tutti_probe tutti_probe;

/** Collective.  Open the data set that the config names and set the threads, as a training does.  `comm` and the texts
 * of the config are borrowed; the caller owns the probe. */
TUTTI_NODISCARD
tutti_status tutti_train_probe_create(const tutti_comm *comm, const tutti_config *config,
                                      tutti_probe **probe);

/** Collective.  Prepare to measure steps like those of a run, from the weights that it has now: they can have another
 * batch size and other ranks.  The data are not looked at again, and the run does not change.
 * @param[in]  comm   ranks of the run; borrowed
 * @param[in]  run    after tutti_train_begin; borrowed as long as the probe
 * @param[out] probe  the caller's
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_train_probe_create_like(const tutti_comm *comm, const tutti_run *run, tutti_probe **probe);
void tutti_train_probe_destroy(tutti_probe **probe); // Collective.  Accepts NULL inside; nulls the handle.

/** Local.  The run whose steps are measured; borrowed.  Network and reducer exist after prepare. */
const tutti_run *tutti_train_probe_run(const tutti_probe *probe);

/** Collective over all ranks of the probe, each of which passes its own group.  Prepare steps of this group with
 * `batch_size` samples, from the initial weights or those of the other run.
 * @param[in] comm        a part of the probe's ranks; borrowed until the next call
 * @param[in] batch_size  samples of the group's global batch
 * @return (agreed by all ranks of the probe) the errors of tutti_train; nothing is prepared then */
TUTTI_NODISCARD
tutti_status tutti_train_probe_prepare(tutti_probe *probe, const tutti_comm *comm, int64_t batch_size,
                                       tutti_reduce_kind reduce);

/** Collective over the group, after prepare.  Do steps until each rank knows whether several threads pay for the loops of a
 * step.
 * @return as tutti_train_probe_steps */
TUTTI_NODISCARD
tutti_status tutti_train_probe_settle(tutti_probe *probe);

/** Collective over the group, after prepare.  Do n steps with whole batches: a short last batch of an epoch is left
 * out.
 * @param[out] seconds  [n, TUTTI_N_PHASES] time that this rank spent in the phases of each step
 * @return ERR_CONFIG the loss was not finite, so the time of this step means nothing */
TUTTI_NODISCARD
tutti_status tutti_train_probe_steps(tutti_probe *probe, int64_t n, double (*seconds)[TUTTI_N_PHASES]);

/** A micro-batch of this rank's part of a step.  The gradient of a kernel is computed leaf by leaf. */
typedef struct {
  int rows, n_leaves;
  const int64_t *leaf_ends; // [n_leaves] the row behind the last one of each leaf; valid during the visit
  bool accumulate;          // the gradient is added to that of the micro-batch before
} tutti_probe_micro_batch;

/** Local, after prepare.  Call `visit` with each micro-batch of this rank's part of a step, in order. */
void tutti_train_probe_visit_micro_batches(const tutti_probe *probe,
                                           void (*visit)(void *context,
                                                         const tutti_probe_micro_batch *micro_batch),
                                           void *context);
