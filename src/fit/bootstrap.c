/** The fit through the best steps of the search, with percentiles of a bootstrap.
 *
 * Each draw takes, within each batch size, as many settings as there are, with replacement, and of each as many of its
 * seeds; then the best setting and the fit follow as in the study.  The luck of the search is in all draws, so these
 * are not 95 % intervals.  branch_fit.c calls this if too few batch sizes have a local model. */
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "fit/fit_impl.h"

enum { WORDS = 64 };

/** Numbers of one draw, one after the other. */
typedef struct {
  tutti_stream stream;
  uint64_t next;
  uint32_t words[WORDS]; // of the stream, from the multiple of WORDS at or below `next` on
} draws_from;

/** Draw uniformly from [0, n): the high half of a product (Lemire, 2019), whose bias of n / 2^32 is negligible here. */
static int64_t pick(draws_from *from, int64_t n) {
  const uint64_t at = from->next++ % WORDS;
  if (at == 0) tutti_random_fill(from->stream, from->next - 1, WORDS, from->words);
  return (int64_t)((uint64_t)from->words[at] * (uint64_t)n >> 32);
}

static double steps_of(const tutti_trial_set *set, int64_t trial) {
  const tutti_trial_result *result = &set->results[trial];
  return result->status == TUTTI_TRIAL_REACHED ? result->goal_step : INFINITY;
}

/** Return the steps of the best of a new draw of settings [first, end); INFINITY if none reached the goal. */
static double draw_best(const tutti_trial_set *set, const tutti_trial_order *order, int64_t first,
                        int64_t end, draws_from *from, double *scratch) {
  double fewest = INFINITY;
  for (int64_t i = first; i < end; i++) {
    const tutti_setting_trials *setting = &order->settings[first + pick(from, end - first)];
    for (int64_t k = 0; k < setting->n; k++)
      scratch[k] = steps_of(set, order->order[setting->first + pick(from, setting->n)]);
    fewest = fmin(fewest, tutti_fit_median_of_seeds(scratch, setting->n));
  }
  return fewest;
}

/** All that the draws share; owned. */
typedef struct {
  tutti_trial_order order;
  int first, n_sizes;    // the branch's batch sizes in the order, and in the rows of /best
  tutti_pool pool;       // owns the arrays
  double *batch, *steps; // [n_sizes]
  double *scratch;       // [n_trials]
  double *numbers;       // [TUTTI_N_FIT_NUMBERS, n_draws]
} work;

/** Draw each batch size anew and fit the result. */
static void draw_fit(const tutti_trial_set *set, work *w, draws_from *from,
                     double value[TUTTI_N_FIT_NUMBERS]) {
  const int n = w->n_sizes;
  const int64_t *sizes = w->order.sizes + w->first;
  double residual;
  for (int i = 0; i < n; i++)
    w->steps[i] = draw_best(set, &w->order, sizes[i], sizes[i + 1], from, w->scratch);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) value[k] = NAN;
  // A draw that runs to an end of the range counts, because the interval would be too narrow without it.
  if (tutti_fit_count(w->steps, n) >= TUTTI_FIT_LEAST_SIZES)
    (void)tutti_fit_solve(w->batch, w->steps, NULL, n, value, &residual);
}

/** Make intervals from the n draws that have a fit, the first of n_draws numbers of each kind. */
static void make_all_intervals(double *numbers, int64_t n, int64_t n_draws, tutti_fit *fit) {
  if ((double)n < 0.95 * (double)n_draws) {
    snprintf(
        fit->no_interval, sizeof fit->no_interval,
        "%lld of %lld draws of the bootstrap leave fewer than %d batch sizes with steps to the goal, 5 %% "
        "of them may: give the trials a larger budget, or add batch sizes",
        (long long)(n_draws - n), (long long)n_draws, TUTTI_FIT_LEAST_SIZES);
    return;
  }
  tutti_fit_intervals(numbers, n, n_draws, fit);
}

/** Make all draws and the intervals from them. */
static tutti_status make_intervals(const tutti_trial_set *set, work *w, uint64_t seed, int64_t n_draws,
                                   double *draws, tutti_fit *fit) {
  int64_t n = 0; // draws that have a fit
  TUTTI_TRY(tutti_fit_trial_order_make(set, &w->order));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->scratch, set->n_trials));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->numbers, TUTTI_N_FIT_NUMBERS * n_draws));
  for (int64_t d = 0; d < n_draws; d++) {
    double value[TUTTI_N_FIT_NUMBERS];
    draws_from from = {.stream = {seed, TUTTI_STREAM_BOOTSTRAP, 0, (uint32_t)d}};
    draw_fit(set, w, &from, value);
    for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
      w->numbers[k * n_draws + n] = value[k];
      if (draws) draws[d * TUTTI_N_FIT_NUMBERS + k] = value[k];
    }
    n += !isnan(value[0]);
  }
  make_all_intervals(w->numbers, n, n_draws, fit);
  return TUTTI_OK;
}

tutti_status tutti_fit_search(const tutti_trial_set *set, const tutti_best_table *best, int branch,
                              uint64_t seed, int64_t n_draws, double *draws, tutti_fit *fit) {
  work w = {.first = best->first[branch], .n_sizes = best->first[branch + 1] - best->first[branch]};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_POOL_NEW(&w.pool, w.batch, w.n_sizes));
  TUTTI_TRY_GOTO(done, TUTTI_POOL_NEW(&w.pool, w.steps, w.n_sizes));
  for (int i = 0; i < w.n_sizes; i++) {
    w.batch[i] = (double)best->rows[w.first + i].batch_size;
    w.steps[i] = best->rows[w.first + i].steps;
  }
  tutti_fit_make(w.batch, w.steps, w.n_sizes, fit);
  for (int64_t i = 0; draws && i < n_draws * TUTTI_N_FIT_NUMBERS; i++) draws[i] = NAN;
  if (!fit->refused[0] && n_draws > 0)
    TUTTI_TRY_GOTO(done, make_intervals(set, &w, seed, n_draws, draws, fit));
done:
  tutti_fit_trial_order_clear(&w.order);
  tutti_pool_clear(&w.pool);
  return status;
}
