#include "measure/gain.h"

#include <math.h>

#include "measure/meter.h"

void tutti_gain_see(tutti_run *run, int64_t first, int64_t n, const float *grads) {
  if (run->step.gain_squares)
    tutti_optim_all_squares(run->fixed.optim, first, n, grads, run->step.gain_squares);
}

static double smooth(double *sum, double *weight, double value, double decay) {
  tutti_smoothed average = {*sum, *weight};
  tutti_smoothed_add(&average, value, decay);
  *sum = average.sum;
  *weight = average.weight;
  return tutti_smoothed_value(&average);
}

tutti_status tutti_gain_find(tutti_run *run) {
  if (!run->step.gain_squares) return TUTTI_OK;
  tutti_checkpoint_state *state = &run->state.at;
  TUTTI_TRY(tutti_reducer_sum_slices(run->fixed.reducer, run->step.gain_squares,
                                     tutti_optim_all_pieces(run->fixed.optim)));
  const tutti_noise_sums sums =
      tutti_meter_noise(run, run->step.tail[0], tutti_optim_square(run->fixed.optim, run->step.gain_squares));
  const double k = sums.batch / run->fixed.plan.base, decay = tutti_adascale_decay(k, 1);
  const tutti_adascale one = tutti_adascale_estimate(&sums, run->fixed.plan.base);
  const tutti_adascale smoothed = {
      .variance = smooth(&state->gain_variance_sum, &state->gain_variance_weight, one.variance, decay),
      .square = smooth(&state->gain_square_sum, &state->gain_square_weight, one.square, decay)};
  // A first batch of one part tells nothing.  A short batch may be smaller than the base: it is a step all the same.
  const double gain = tutti_adascale_gain(smoothed, k);
  run->step.gain = gain > 1 ? gain : 1;
  return TUTTI_OK;
}
