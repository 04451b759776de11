/** The noisy quadratic model: steps of stochastic gradient descent to a target, without a random number.
 *
 * Each direction of curvature h has a second moment m = E w^2, which one step of plain SGD maps to (1 - lr h)^2 m +
 * lr^2 h / B; with momentum, three moments of w and its velocity follow a linear map.  Plain SGD has a closed form, so
 * the steps follow by bisection; the rest goes step by step.  trial_run.c calls this for studies with study.problem
 * noisy_quadratic. */
#include <math.h>

#include "tutti/study.h"

static double curvature(int64_t i) {
  return 1.0 / (double)(i + 1);
}

/** E w_i^2 after infinitely many steps of plain SGD, for noise of variance h_i / B. */
static double settled(const tutti_quadratic *q, double h) {
  return q->learning_rate / (q->batch * (2 - q->learning_rate * h));
}

/** Stable without momentum: each direction stays bounded, and none is noisier at the end than at the start. */
static bool falls_monotonically(const tutti_quadratic *q) {
  // The steepest direction settles highest, and is the first to be unstable.
  return q->momentum == 0 && q->learning_rate < 2 && settled(q, curvature(0)) <= 1;
}

/** Return whether the steepest direction stays bounded with momentum. */
static bool is_stable(const tutti_quadratic *q) {
  return q->learning_rate * curvature(0) < 2 * (1 + q->momentum);
}

// --- plain SGD: E w_i^2(t) = (1 - lr h_i)^2t (1 - s_i) + s_i

/** Return the expected loss after t steps of plain SGD. */
static double loss_at(const tutti_quadratic *q, double t) {
  double sum = 0;
  for (int64_t i = 0; i < q->dimensions; i++) {
    const double h = curvature(i), s = settled(q, h);
    const double left = t > 0 ? pow(fabs(1 - q->learning_rate * h), 2 * t) : 1;
    sum += h * (left * (1 - s) + s);
  }
  return sum / 2;
}

/** Find the first step below the target by bisection, because the loss falls monotonically. */
static void run_closed(const tutti_quadratic *q, tutti_quadratic_result *result) {
  int64_t low = -1, high = q->budget; // the loss is above the target at low, not above at high
  result->state = loss_at(q, (double)high) <= q->target ? TUTTI_TRIAL_REACHED : TUTTI_TRIAL_NOT_REACHED;
  while (result->state == TUTTI_TRIAL_REACHED && high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (loss_at(q, (double)middle) <= q->target)
      high = middle;
    else
      low = middle;
  }
  result->steps = high;
  result->loss = loss_at(q, (double)high);
}

// --- with momentum, or where directions grow noisier: step by step
//
// E w^2 is the square of the path without noise plus the variance that noise adds.  The variance only grows.
// As soon as it alone exceeds the target, the target is out of reach, and the steps end.

typedef struct {
  double *h;
  double *w, *v;        // without noise, from w = 1, v = 0
  double *ww, *wv, *vv; // covariance of the noise: E w w, E w v, E v v
} moments;

static tutti_status moments_create(int64_t n, double **block, moments *m) {
  TUTTI_TRY(TUTTI_NEW(*block, 6 * n));
  *m = (moments){*block, *block + n, *block + 2 * n, *block + 3 * n, *block + 4 * n, *block + 5 * n};
  for (int64_t i = 0; i < n; i++) {
    m->h[i] = curvature(i);
    m->w[i] = 1;
  }
  return TUTTI_OK;
}

/** v' = mu v - lr (h w + noise), w' = w + v'. */
static void moments_step(const tutti_quadratic *q, moments m) {
  const double mu = q->momentum, lr = q->learning_rate;
  for (int64_t i = 0; i < q->dimensions; i++) {
    const double a = lr * m.h[i], noise = lr * lr * m.h[i] / q->batch;
    m.v[i] = mu * m.v[i] - a * m.w[i];
    m.w[i] += m.v[i];
    const double vv = mu * mu * m.vv[i] - 2 * mu * a * m.wv[i] + a * a * m.ww[i] + noise;
    const double w_and_v = mu * m.wv[i] - a * m.ww[i];
    m.ww[i] += 2 * w_and_v + vv;
    m.wv[i] = w_and_v + vv;
    m.vv[i] = vv;
  }
}

/** @param[out] noise  what of the loss is the noise's */
static double loss_of(const tutti_quadratic *q, moments m, double *noise) {
  double path = 0, variance = 0;
  for (int64_t i = 0; i < q->dimensions; i++) {
    path += m.h[i] * m.w[i] * m.w[i];
    variance += m.h[i] * m.ww[i];
  }
  *noise = variance / 2;
  return (path + variance) / 2;
}

/** Step until the loss reaches the target, or can be seen never to reach it. */
static void run_stepwise(const tutti_quadratic *q, moments m, tutti_quadratic_result *result) {
  double noise = 0, loss = loss_of(q, m, &noise);
  int64_t t = 0;
  // The comparison is written so that a loss of NaN ends the loop.
  while (t < q->budget && loss > q->target && noise <= q->target) {
    moments_step(q, m);
    loss = loss_of(q, m, &noise);
    t++;
  }
  result->loss = loss;
  if (loss <= q->target) {
    result->state = TUTTI_TRIAL_REACHED;
    result->steps = t;
    return;
  }
  result->state = is_stable(q) ? TUTTI_TRIAL_NOT_REACHED : TUTTI_TRIAL_DIVERGED;
  result->steps = q->budget;
}

tutti_status tutti_study_quadratic_run(const tutti_quadratic *q, tutti_quadratic_result *result) {
  TUTTI_ASSERT(q->dimensions > 0 && q->batch > 0 && q->momentum >= 0 && q->momentum < 1 && q->budget >= 0);
  if (falls_monotonically(q)) {
    run_closed(q, result);
    return TUTTI_OK;
  }
  double *block = NULL;
  moments m;
  TUTTI_TRY(moments_create(q->dimensions, &block, &m));
  run_stepwise(q, m, result);
  tutti_free(block);
  return TUTTI_OK;
}
