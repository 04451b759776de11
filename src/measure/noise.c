#include "measure/noise.h"

#include <math.h>

tutti_noise tutti_noise_estimate(const tutti_noise_sums *sums) {
  if (!(sums->groups > 1)) return (tutti_noise){NAN, NAN};
  const double mixed = sums->mixed / (sums->batch * sums->population);
  const double trace = (sums->squares - sums->batch * sums->square) / (sums->groups - 1 - mixed);
  const double spread =
      (1 + mixed) / sums->batch - 1 / sums->population; // of the batch's mean, over the trace
  return (tutti_noise){.trace = trace, .grad_squared = sums->square - trace * spread};
}

int64_t tutti_noise_every(int64_t batch) {
  enum { SAMPLES = 4096, LEAST = 2 };
  return batch < SAMPLES / LEAST ? SAMPLES / batch : LEAST;
}

double tutti_noise_decay(double samples) {
  return 1 - fmin(samples / 40960, 0.1);
}

double tutti_noise_diversity(const tutti_noise_sums *sums) {
  return sums->squares / (sums->batch * sums->batch * sums->square);
}

tutti_adascale tutti_adascale_estimate(const tutti_noise_sums *sums, double base) {
  if (!(sums->groups > 1)) return (tutti_adascale){NAN, NAN};
  // Of groups of one size, which are the reference batches, it is sum |g_r|^2 / (K - 1) - K / (K - 1) |g|^2.
  const double trace = (sums->squares - sums->batch * sums->square) / (sums->groups - 1);
  const double variance = fmax(trace / base, 1e-6);
  return (tutti_adascale){.variance = variance,
                          .square = fmax(sums->square - variance * base / sums->batch, 0)};
}

double tutti_adascale_gain(tutti_adascale smoothed, double k) {
  return (smoothed.variance + smoothed.square) / (smoothed.variance / k + smoothed.square);
}

double tutti_adascale_decay(double k, double steps) {
  return pow(fmax(1 - k / 1000, 0), steps);
}

void tutti_smoothed_add(tutti_smoothed *average, double value, double decay) {
  if (!isfinite(value)) return;
  average->sum = decay * average->sum + (1 - decay) * value;
  average->weight = decay * average->weight + (1 - decay);
}

double tutti_smoothed_value(const tutti_smoothed *average) {
  return average->weight > 0 ? average->sum / average->weight : NAN;
}
