/** The fit of S = S_min + E_min / B to steps and batch sizes, and two cuts of the curve that need no fit.
 *
 * For a given B_crit = E_min / S_min the best log S_min is the weighted mean of log S - log(1 + B_crit / B), so the
 * search has one dimension: a grid over log B_crit, then golden sections around its best point. */
#include "tutti/fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit/fit_impl.h"

const char *const tutti_fit_names[TUTTI_N_FIT_NUMBERS] = {"S_min", "E_min", "B_crit"};

// --- cuts of the curve

/** Return whether steps take part in a fit, which takes their logarithm. */
static bool is_measured(double steps) {
  return isfinite(steps) && steps > 0; // a goal that is met before the first step has no logarithm
}

double tutti_fit_perfect_scaling_end(const double *batch, const double *steps, int n) {
  int smallest = -1, last = -1;
  for (int i = 0; i < n; i++)
    if (is_measured(steps[i]) && (smallest < 0 || batch[i] < batch[smallest])) smallest = i;
  for (int i = 0; i < n; i++)
    if (is_measured(steps[i]) && batch[i] * steps[i] <= 1.2 * batch[smallest] * steps[smallest] &&
        (last < 0 || batch[i] > batch[last]))
      last = i;
  return last < 0 ? NAN : batch[last];
}

double tutti_fit_largest_useful_batch(const double *batch, const double *steps, int n) {
  double fewest = INFINITY, first = NAN;
  for (int i = 0; i < n; i++)
    if (is_measured(steps[i]) && steps[i] < fewest) fewest = steps[i];
  for (int i = 0; i < n; i++)
    if (is_measured(steps[i]) && steps[i] <= 1.05 * fewest && !(batch[i] >= first)) first = batch[i];
  return first;
}

// --- least squares over log B_crit

typedef struct {
  const double *batch, *steps;
  const double *weights; // NULL: all alike
  int n;
} points;

/** Return the weighted mean square of the log residuals at the best S_min for this B_crit.
 * @param[out] log_s_min  logarithm of that S_min */
static double residual_at(const points *p, double log_b_crit, double *log_s_min) {
  const double b_crit = exp(log_b_crit);
  double mean = 0, square = 0, sum = 0;
  // Mean and squares about it in one pass (Welford, 1962): for exact data no rounding of a difference remains.
  for (int i = 0; i < p->n; i++) {
    if (!is_measured(p->steps[i])) continue;
    const double y = log(p->steps[i]) - log1p(b_crit / p->batch[i]), step = y - mean;
    const double weight = p->weights ? p->weights[i] : 1;
    sum += weight;
    mean += step * weight / sum;
    square += weight * step * (y - mean);
  }
  *log_s_min = mean;
  return square / sum;
}

/** Return the grid point with the smallest sum of squares. */
static double search_grid(const points *p, double low, double high, int n_grid) {
  double best = INFINITY, best_at = low, log_s_min;
  for (int i = 0; i <= n_grid; i++) {
    const double at = low + (high - low) * i / n_grid, square = residual_at(p, at, &log_s_min);
    if (square < best) {
      best = square;
      best_at = at;
    }
  }
  return best_at;
}

/** Find the minimum between two points by golden sections: each step keeps one of the two inner points. */
static double search_golden(const points *p, double low, double high) {
  const double golden = 0.61803398874989485;
  double log_s_min, a = high - golden * (high - low), b = low + golden * (high - low);
  double at_a = residual_at(p, a, &log_s_min), at_b = residual_at(p, b, &log_s_min);
  while (high - low > 1e-10) {
    if (at_a <= at_b) {
      high = b;
      b = a;
      at_b = at_a;
      a = high - golden * (high - low);
      at_a = residual_at(p, a, &log_s_min);
    } else {
      low = a;
      a = b;
      at_a = at_b;
      b = low + golden * (high - low);
      at_b = residual_at(p, b, &log_s_min);
    }
  }
  return (low + high) / 2;
}

typedef struct {
  double log_low, log_high; // the range of the search for B_crit
} range;

/** Return the range of log B_crit: from a 16th of the smallest batch size to 16 times the largest. */
static range search_range(const points *p) {
  double low = INFINITY, high = 0;
  for (int i = 0; i < p->n; i++) {
    if (!is_measured(p->steps[i])) continue;
    low = fmin(low, p->batch[i]);
    high = fmax(high, p->batch[i]);
  }
  return (range){log(low / 16), log(high * 16)};
}

tutti_fit_end tutti_fit_solve(const double *batch, const double *steps, const double *weights, int n,
                              double value[TUTTI_N_FIT_NUMBERS], double *residual) {
  const points p = {batch, steps, weights, n};
  const range r = search_range(&p);
  enum { PER_OCTAVE = 4 };
  const int n_grid = (int)ceil((r.log_high - r.log_low) / log(2) * PER_OCTAVE);
  const double width = (r.log_high - r.log_low) / n_grid;
  const double near = search_grid(&p, r.log_low, r.log_high, n_grid);
  const double at = search_golden(&p, fmax(near - width, r.log_low), fmin(near + width, r.log_high));
  double log_s_min;
  *residual = sqrt(residual_at(&p, at, &log_s_min));
  value[TUTTI_FIT_S_MIN] = exp(log_s_min);
  value[TUTTI_FIT_B_CRIT] = exp(at);
  value[TUTTI_FIT_E_MIN] = exp(log_s_min + at);
  const double margin = width / 100;
  return at < r.log_low + margin    ? TUTTI_FIT_AT_LOW
         : at > r.log_high - margin ? TUTTI_FIT_AT_HIGH
                                    : TUTTI_FIT_INSIDE;
}

int tutti_fit_count(const double *steps, int n) {
  int n_measured = 0;
  for (int i = 0; i < n; i++) n_measured += is_measured(steps[i]);
  return n_measured;
}

static void clear_numbers(tutti_fit *fit) {
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) fit->value[k] = fit->low[k] = fit->high[k] = NAN;
  fit->residual = NAN;
}

void tutti_fit_make(const double *batch, const double *steps, int n, tutti_fit *fit) {
  tutti_fit_make_weighted(batch, steps, NULL, n, fit);
}

void tutti_fit_make_weighted(const double *batch, const double *steps, const double *weights, int n,
                             tutti_fit *fit) {
  *fit = (tutti_fit){.n_sizes = tutti_fit_count(steps, n),
                     .perfect_scaling_end = tutti_fit_perfect_scaling_end(batch, steps, n),
                     .largest_useful_batch = tutti_fit_largest_useful_batch(batch, steps, n)};
  clear_numbers(fit);
  if (fit->n_sizes < TUTTI_FIT_LEAST_SIZES) {
    snprintf(fit->refused, sizeof fit->refused, "%d batch size%s steps to the goal, a fit needs %d",
             fit->n_sizes, fit->n_sizes == 1 ? " has" : "s have", TUTTI_FIT_LEAST_SIZES);
    return;
  }
  fit->end = tutti_fit_solve(batch, steps, weights, n, fit->value, &fit->residual);
  if (fit->end == TUTTI_FIT_INSIDE) return;
  clear_numbers(fit);
  snprintf(fit->refused, sizeof fit->refused,
           fit->end == TUTTI_FIT_AT_HIGH
               ? TUTTI_FIT_ALL_PERFECT
               : "steps do not fall with the batch size%s, so that the fewest samples are not determined",
           "");
}

// --- intervals

/** Return a percentile of sorted values, interpolated between two of them. */
static double percentile(const double *sorted, int64_t n, double share) {
  const double at = share * (double)(n - 1);
  const int64_t i = (int64_t)at;
  return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

void tutti_fit_intervals(double *numbers, int64_t n, int64_t n_draws, tutti_fit *fit) {
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
    tutti_fit_sort_reals(numbers + k * n_draws, n);
    fit->low[k] = percentile(numbers + k * n_draws, n, 0.025);
    fit->high[k] = percentile(numbers + k * n_draws, n, 0.975);
  }
}
