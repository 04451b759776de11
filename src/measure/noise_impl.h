#pragma once
/** How noisy a gradient is, computed from the sizes of its parts.  Local, pure.
 *
 * The batch of a step has B examples, drawn from N.  It is divided into groups r with b_r examples and the mean
 * gradients g_r, and its own gradient is g = sum b_r g_r / B.  A group is a single example; or a ghost group of
 * batch_norm, if the gradient of one example depends on others.
 * Source: McCandlish et al., "An empirical model of large-batch training" (arXiv 1812.06162), appendix A.1. */
#include "tutti/checkpoint.h"

/** The sums of one step. */
typedef struct {
  double groups;     // number of groups with examples
  double squares;    // sum of b_r |g_r|^2
  double batch;      // B
  double square;     // |g|^2
  double population; // N; INFINITY if examples are drawn with replacement
  double mixed;      // B^2 - sum of c_e^2, if the batch has c_e examples of epoch e; 0: it lies in one epoch
} tutti_measure_noise_sums;

/** Unbiased estimates from one step.  A single grad_squared can be negative.  It must enter averages as it is, else
 * they would be biased. */
typedef struct {
  double trace; // of the covariance of one example's gradient; times N/(N - 1) if no example is drawn twice
  double grad_squared; // |G|^2 of the population's mean gradient G
} tutti_measure_noise;

/** trace = (squares - B |g|^2) / (groups - 1) and grad_squared = |g|^2 - trace (1/B - 1/N).
 *
 * For groups of one size and infinite N this is equation A.2 of the paper, with its batch sizes b_r and B.  Here groups
 * may have any sizes, and drawing without replacement leaves no bias (the footnote to equation 2.2 has that variance).
 * A batch of several epochs draws the examples of each epoch by themselves, so its mean varies by
 * trace (1/B - 1/N + mixed / (B^2 N)), and the divisor of the trace is groups - 1 - mixed / (B N).
 * @return NaN for both with less than two groups */
tutti_measure_noise tutti_measure_noise_estimate(const tutti_measure_noise_sums *sums);

/** Steps from one measured step to the next, unless the user sets run.measure_every: one step per 4096 samples, which
 * costs little for any smaller batch.  A larger batch is measured in every second step, because each of its samples or
 * parts costs time. */
int64_t tutti_measure_noise_every(int64_t batch);

/** The factor by which averages forget from one measured step to the next.  The paper leaves it to the user; here an
 * average is over about the last 40,960 samples, and at least over ten measured steps.  An average over whole epochs
 * would show the large gradients of the beginning for too long.
 * @param[in] samples  between the two steps */
double tutti_measure_noise_decay(double samples);

/** The gradient diversity sum |g_i|^2 / |sum g_i|^2, with examples as groups.  Source: Yin et al. (arXiv 1706.05699).
 *
 * Their sum is over all N examples.  N times it is 1 + s with the noise scale s, and bounds the batch size that loses
 * nothing.  Over one batch the noise is in the denominator, too: B times it is about (1 + s) / (1 + s / B), never much
 * above B. */
double tutti_measure_noise_diversity(const tutti_measure_noise_sums *sums);

/** Variance and square of a step's gradient for AdaScale (Johnson et al., arXiv 2007.05105, appendix B.3).  The batch
 * consists of K = B / base reference batches of `base` samples.  The floors 1e-6 and 0 are those of its published
 * implementations.  The variance is computed from the groups that there are and does not depend on their sizes. */
typedef struct {
  double variance; // of the gradient of a reference batch
  double square;   // of the mean gradient
} tutti_measure_adascale;

/** @return NaN for both with less than two groups */
tutti_measure_adascale tutti_measure_adascale_estimate(const tutti_measure_noise_sums *sums, double base);

/** The gain of K reference batches over one: (variance + square) / (variance / K + square), the gain ratio r_t of the
 * paper.  It lies between 1 and K. */
double tutti_measure_adascale_gain(tutti_measure_adascale smoothed, double k);

/** The factor by which AdaScale's averages forget in `steps` steps: max(1 - K / 1000, 0) for each.  The averages of the
 * paper begin as plain means; these have no bias at their beginning. */
double tutti_measure_adascale_decay(double k, double steps);

/** Add a value to the average.  Values that are not finite are left out.  @return the average */
double tutti_measure_smoothed_add(tutti_checkpoint_smoothed *average, double value, double decay);
double tutti_measure_smoothed_value(const tutti_checkpoint_smoothed *average); // NaN before the first value
