/* The gain of AdaScale (Johnson et al., arXiv 2007.05105): r = (variance + square) / (variance / K + square), for a
 * batch of K reference batches, from averages that the checkpoint keeps.  The update calls this before it changes the
 * first weight. */
#include "measure/gain.h"

#include <math.h>

#include "measure/meter_impl.h"

void tutti_measure_gain_add(tutti_run *run, int64_t begin, int64_t n, const float *grads) {
  if (run->step.gain_squares) tutti_optim_all_squares(run->optim, begin, n, grads, run->step.gain_squares);
}

tutti_status tutti_measure_gain_compute(tutti_run *run) {
  if (!run->step.gain_squares) return TUTTI_OK;
  tutti_checkpoint_state *state = &run->state.at;
  TUTTI_TRY(
      tutti_reducer_sum_slices(run->reducer, run->step.gain_squares, tutti_optim_all_pieces(run->optim)));
  const tutti_measure_noise_sums sums =
      tutti_meter_noise(run, run->step.tail[0], tutti_optim_square(run->optim, run->step.gain_squares));
  const double k = sums.batch / run->plan.base, decay = tutti_measure_adascale_decay(k, 1);
  const tutti_measure_adascale one = tutti_measure_adascale_estimate(&sums, run->plan.base);
  const tutti_measure_adascale smoothed = {
      .variance = tutti_measure_smoothed_add(&state->gain_variance, one.variance, decay),
      .square = tutti_measure_smoothed_add(&state->gain_square, one.square, decay)};
  // Before the first batch with two groups the gain is not a number, and a batch that is smaller than the base would
  // have a gain below 1.  Both count as one step.
  const double gain = tutti_measure_adascale_gain(smoothed, k);
  run->step.gain = gain > 1 ? gain : 1;
  return TUTTI_OK;
}
