/** The local model of one branch of a study: its settings as points in the scales of the varied keys.
 *
 * The value of a key becomes a place from 0 to 1 on its scale, over all values that were tried.  The log steps of a
 * setting are the median over its seeds, for an even number the mean of the two in the middle.  best.c makes one model
 * per branch. */
#include "fit/local_branch_impl.h"

#include <math.h>

// --- keys

/** Return the place of a value on the scale of its key, before it is shifted and stretched to [0, 1]. */
static double to_scale(tutti_axis_scale scale, double value) {
  return scale == TUTTI_AXIS_LINEAR ? value : scale == TUTTI_AXIS_REVERSE_LOG ? log1p(-value) : log(value);
}

double tutti_fit_local_value(const tutti_local_key *key, double place) {
  const double at = key->low + place * key->width;
  return key->scale == TUTTI_AXIS_LINEAR ? at : key->scale == TUTTI_AXIS_REVERSE_LOG ? -expm1(at) : exp(at);
}

/** The trials of a branch: order[begin .. end). */
typedef struct {
  const tutti_trial_set *set;
  const tutti_trial_order *order;
  int branch;
  int64_t begin, end;
} trials_of;

static double value_of(const trials_of *of, int64_t i, int k) {
  return of->set->varied[of->order->order[i] * of->set->n_varied + k];
}

/** Find the trials of a branch, which follow each other in the order. */
static trials_of find_trials(const tutti_trial_set *set, const tutti_trial_order *order, int branch) {
  const int64_t first = order->sizes[order->branches[branch]],
                end = order->sizes[order->branches[branch + 1]];
  trials_of of = {.set = set, .order = order, .branch = branch};
  if (first == end) return of;
  of.begin = order->settings[first].first;
  of.end = order->settings[end - 1].first + order->settings[end - 1].n;
  return of;
}

/** Return the scale of a key.  A list has no scale of its own and counts as log, unless it has values that have no
 * logarithm. */
static tutti_axis_scale scale_of(const trials_of *of, int k, double least, double most) {
  const tutti_axis_scale *scales = of->set->scales,
                         scale = scales ? scales[of->branch * of->set->n_varied + k] : TUTTI_AXIS_LOG;
  const bool fits = scale == TUTTI_AXIS_LOG ? least > 0 : scale == TUTTI_AXIS_REVERSE_LOG ? most < 1 : true;
  return fits ? scale : TUTTI_AXIS_LINEAR;
}

/** @return whether settings differ in the key */
static bool find_key(const trials_of *of, int k, tutti_local_key *key) {
  double least = INFINITY, most = -INFINITY;
  for (int64_t i = of->begin; i < of->end; i++) {
    least = fmin(least, value_of(of, i, k));
    most = fmax(most, value_of(of, i, k));
  }
  if (!(least < most)) return false; // also if the branch does not vary it, and all values are NAN
  *key = (tutti_local_key){.varied = k, .scale = scale_of(of, k, least, most)};
  const double a = to_scale(key->scale, least), b = to_scale(key->scale, most);
  key->low = fmin(a, b);
  key->width = fabs(b - a);
  return true;
}

/** @return whether a key without a scale is varied */
static bool find_keys(const trials_of *of, tutti_local_key *keys, int *n_keys) {
  bool without = false;
  for (int k = 0; k < of->set->n_varied; k++) {
    if (k == of->set->branches - 1 || !find_key(of, k, &keys[*n_keys])) continue;
    without = without || !tutti_fit_trial_set_has_scale(of->set, k);
    ++*n_keys;
  }
  return without;
}

// --- points

/** The two values in the middle of the log steps of the seeds of a setting; equal for an odd number. */
typedef struct {
  double lower, upper; // infinite if at most half of them reached the goal, or at step 0
} middle;

/** Return the two middle log steps of the seeds of a setting. */
static middle middle_of(const trials_of *of, const tutti_setting_trials *setting, double *scratch) {
  const int64_t n = setting->n;
  for (int64_t i = 0; i < n; i++) {
    const tutti_trial_result *result = &of->set->results[of->order->order[setting->first + i]];
    scratch[i] = result->status == TUTTI_TRIAL_REACHED ? log(result->goal_step) : INFINITY;
  }
  tutti_fit_sort_reals(scratch, n);
  return (middle){scratch[(n - 1) / 2], scratch[n / 2]};
}

/** Add a setting.  For an even number of seeds it takes the mean of the two in the middle, because the upper one, by
 * which the search chooses, is too high on average and the lower one too low. */
static void add_point(const trials_of *of, const tutti_local_key *keys, const tutti_setting_trials *setting,
                      middle logs, tutti_local_points *points) {
  const int64_t at = points->first[points->n_sizes];
  if (!isfinite(logs.lower) || !isfinite(logs.upper)) return;
  for (int a = 0; a < points->n_keys; a++)
    points->places[at * points->n_keys + a] =
        (to_scale(keys[a].scale, value_of(of, setting->first, keys[a].varied)) - keys[a].low) / keys[a].width;
  points->logs[at] = (logs.lower + logs.upper) / 2;
  points->first[points->n_sizes]++;
}

/** Add the points of a batch size, settings [begin, end) of the order. */
static void add_size(const trials_of *of, const tutti_local_key *keys, int64_t begin, int64_t end,
                     double *scratch, tutti_local_points *points) {
  double fewest = INFINITY;
  const int i = points->n_sizes++;
  points->first[i + 1] = points->first[i];
  points->best[i] = -1;
  for (int64_t k = begin; k < end; k++) {
    const tutti_setting_trials *setting = &of->order->settings[k];
    const middle logs = middle_of(of, setting, scratch);
    const int64_t at = points->first[i + 1];
    add_point(of, keys, setting, logs, points);
    if (points->first[i + 1] == at || !(logs.upper < fewest)) continue;
    fewest = logs.upper;
    points->best[i] = at;
  }
}

/** Make the points of all batch sizes of the branch, in memory of the pool. */
static tutti_status make_points(const trials_of *of, const tutti_local_key *keys, double *scratch,
                                tutti_pool *pool, tutti_local_points *points) {
  const tutti_trial_order *order = of->order;
  const int first = order->branches[of->branch], n = order->branches[of->branch + 1] - first;
  TUTTI_TRY(TUTTI_POOL_NEW(pool, points->first, n + 1));
  TUTTI_TRY(TUTTI_POOL_NEW(pool, points->places, (of->end - of->begin) * points->n_keys));
  TUTTI_TRY(TUTTI_POOL_NEW(pool, points->logs, of->end - of->begin));
  TUTTI_TRY(TUTTI_POOL_NEW(pool, points->best, n));
  for (int i = first; i < first + n; i++)
    add_size(of, keys, order->sizes[i], order->sizes[i + 1], scratch, points);
  return TUTTI_OK;
}

tutti_status tutti_fit_local_study_make(const tutti_trial_set *set, const tutti_trial_order *order,
                                        int branch, tutti_local_study *local) {
  tutti_status status = TUTTI_OK;
  tutti_local_points points = {0};
  tutti_pool pool = {0}; // owns scratch and the points
  double *scratch;
  const trials_of of = find_trials(set, order, branch);
  *local = (tutti_local_study){0};
  TUTTI_TRY_GOTO(done, TUTTI_POOL_NEW(&pool, scratch, set->n_trials));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(local->keys, set->n_varied));
  const bool words = find_keys(&of, local->keys, &points.n_keys);
  if (words) points.n_keys = 0;
  TUTTI_TRY_GOTO(done, make_points(&of, local->keys, scratch, &pool, &points));
  TUTTI_TRY_GOTO(done, tutti_fit_local_make(&points, &local->model));
  for (int i = 0; i < local->model.n_sizes && words; i++) local->model.states[i] = TUTTI_LOCAL_WORDS;
done:
  tutti_pool_clear(&pool);
  if (status != TUTTI_OK) tutti_fit_local_study_clear(local);
  return status;
}

void tutti_fit_local_study_clear(tutti_local_study *local) {
  tutti_free(local->keys);
  tutti_fit_local_clear(&local->model);
  *local = (tutti_local_study){0};
}
