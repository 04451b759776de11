/* Formulas for the noise of a gradient: the simple noise scale of McCandlish et al. (arXiv 1812.06162), the gradient
 * diversity of Yin et al. (arXiv 1706.05699) and the variance of AdaScale (arXiv 2007.05105).  noise_impl.h explains
 * them; the meter and the gain of AdaScale call them. */
#include "measure/noise_impl.h"

#include <math.h>

tutti_measure_noise tutti_measure_noise_estimate(const tutti_measure_noise_sums *sums) {
  if (!(sums->groups > 1)) return (tutti_measure_noise){NAN, NAN};
  const double mixed = sums->mixed / (sums->batch * sums->population);
  const double trace = (sums->squares - sums->batch * sums->square) / (sums->groups - 1 - mixed);
  // Variance of the mean gradient of the batch, divided by the trace: |g|^2 is larger than |G|^2 by this variance.
  const double spread = (1 + mixed) / sums->batch - 1 / sums->population;
  return (tutti_measure_noise){.trace = trace, .grad_squared = sums->square - trace * spread};
}

int64_t tutti_measure_noise_every(int64_t batch) {
  // See noise_impl.h about the cost of a measured step.
  enum { SAMPLES = 4096, LEAST = 2 };
  return batch < SAMPLES / LEAST ? SAMPLES / batch : LEAST;
}

double tutti_measure_noise_decay(double samples) {
  return 1 - fmin(samples / 40960, 0.1);
}

double tutti_measure_noise_diversity(const tutti_measure_noise_sums *sums) {
  return sums->squares / (sums->batch * sums->batch * sums->square);
}

tutti_measure_adascale tutti_measure_adascale_estimate(const tutti_measure_noise_sums *sums, double base) {
  if (!(sums->groups > 1)) return (tutti_measure_adascale){NAN, NAN};
  // If the groups are the reference batches, this is the paper's sum |g_r|^2 / (K - 1) - K / (K - 1) |g|^2.
  const double trace = (sums->squares - sums->batch * sums->square) / (sums->groups - 1);
  const double variance = fmax(trace / base, 1e-6);
  return (tutti_measure_adascale){.variance = variance,
                                  .square = fmax(sums->square - variance * base / sums->batch, 0)};
}

double tutti_measure_adascale_gain(tutti_measure_adascale smoothed, double k) {
  return (smoothed.variance + smoothed.square) / (smoothed.variance / k + smoothed.square);
}

double tutti_measure_adascale_decay(double k, double steps) {
  return pow(fmax(1 - k / 1000, 0), steps);
}

double tutti_measure_smoothed_add(tutti_checkpoint_smoothed *average, double value, double decay) {
  if (isfinite(value)) {
    average->sum = decay * average->sum + (1 - decay) * value;
    average->weight = decay * average->weight + (1 - decay);
  }
  return tutti_measure_smoothed_value(average);
}

double tutti_measure_smoothed_value(const tutti_checkpoint_smoothed *average) {
  return average->weight > 0 ? average->sum / average->weight : NAN;
}
