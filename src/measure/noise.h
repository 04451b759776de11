#pragma once
/** How noisy a gradient is, from the sizes of its parts.  Local, pure.
 *
 * A step's batch of B examples, drawn from N, is divided into groups r of b_r examples with the mean gradients g_r; the
 * batch's is g = sum b_r g_r / B.  Groups are the examples themselves, or where the gradient of one depends on others the ghost
 * groups of batch_norm.
 * McCandlish et al., "An empirical model of large-batch training" (arXiv 1812.06162), appendix A.1. */
#include "tutti/base.h"

/** One step's sums. */
typedef struct {
  double groups;     // that have examples
  double squares;    // sum of b_r |g_r|^2
  double batch;      // B
  double square;     // |g|^2
  double population; // N; INFINITY where examples are drawn with replacement
  double mixed; // B^2 less the sum of squares of what each epoch gives to the batch; 0: it lies in one epoch
} tutti_noise_sums;

/** Unbiased estimates of one step; a single grad_squared may well be negative, and must stay so in any average. */
typedef struct {
  double trace; // of the covariance of one example's gradient, over N/(N - 1) where none is drawn twice
  double grad_squared; // of the population's mean gradient
} tutti_noise;

/** trace = (squares - B |g|^2) / (groups - 1); grad_squared = |g|^2 - trace (1/B - 1/N).  For groups of one size and N
 * infinite these are the paper's, equation A.2, for the batch sizes b_r and B; here groups may have any sizes, and the
 * bias is gone where a batch is drawn without replacement (the footnote to its equation 2.2 has that variance).  A batch
 * of several epochs draws each epoch's part by itself; its mean then varies by trace (1/B - 1/N + mixed / (B^2 N)), and
 * the divisor of the trace is groups - 1 - mixed / (B N).  With less than two groups both are NaN. */
tutti_noise tutti_noise_estimate(const tutti_noise_sums *sums);

/** Steps from one that is measured to the next, the first of all being one, unless the user says which: once for every
 * 4096 samples costs little at any smaller batch; a larger one, whose every sample and part would be measured, is in
 * every second step. */
int64_t tutti_noise_every(int64_t batch);

/** By which averages of both forget from one measured step to the next, so many samples later (the paper leaves it to the
 * user): they are over the last 40,960 samples, about, and no less than ten measured steps.  An average over epochs would
 * keep telling of the large gradients of the beginning. */
double tutti_noise_decay(double samples);

/** The gradient diversity sum |g_i|^2 / |sum g_i|^2 of examples as groups (Yin et al., arXiv 1706.05699).  Theirs is over
 * all N examples, and times N, which is 1 + the noise scale s, bounds the batch size that loses nothing.  Over a batch
 * the noise is in the denominator, too: times B it is about (1 + s) / (1 + s / B), never much above B. */
double tutti_noise_diversity(const tutti_noise_sums *sums);

/** Variance and square of a step's gradient as AdaScale has them (Johnson et al., arXiv 2007.05105, appendix B.3), where
 * the batch is K = B / base reference batches of `base` samples, with the floors of its published implementations: 1e-6
 * and 0.  The variance comes from the groups that there are, whatever their sizes, so it does not depend on them. */
typedef struct {
  double variance; // of a reference batch's gradient
  double square;
} tutti_adascale;

/** NaN with less than two groups. */
tutti_adascale tutti_adascale_estimate(const tutti_noise_sums *sums, double base);

/** The gain of K reference batches over one, between 1 and K: (variance + square) / (variance / K + square), the paper's
 * gain ratio r_t. */
double tutti_adascale_gain(tutti_adascale smoothed, double k);

/** max(1 - K / 1000, 0) for each of some steps, by which AdaScale's averages forget.  The paper's begin as plain means,
 * these without bias. */
double tutti_adascale_decay(double k, double steps);

/** An average that forgets, without bias from its beginning; all 0 at first. */
typedef struct {
  double sum, weight;
} tutti_smoothed;

/** The average goes on by a value; what is not finite is left out. */
void tutti_smoothed_add(tutti_smoothed *average, double value, double decay);
double tutti_smoothed_value(const tutti_smoothed *average); // NaN before the first value
