/** Decides whether the best setting lies at the end of the values that were tried, so that a better one may lie beyond.
 *
 * It does if no value was tried beyond it, or only one that reached the goal as well while several lie on the other
 * side. best.c fills the column at_edge with this. */
#include <math.h>

#include "fit/fit_impl.h"

/** The trials [n] of a batch size. */
typedef struct {
  const tutti_trial_set *set;
  const int64_t *trials;
  int64_t n;
} trials_of;

static double value_of(const trials_of *of, int64_t i, int k) {
  return of->set->varied[of->trials[i] * of->set->n_varied + k];
}

static int64_t status_of(const trials_of *of, int64_t i) {
  return of->set->results[of->trials[i]].status;
}

/** Return the nearest value of key k that was tried beyond `value` in the direction of `sign`; INFINITY if there is
 * none. */
static double nearest_beyond(const trials_of *of, int k, double value, int sign) {
  double nearest = INFINITY;
  for (int64_t i = 0; i < of->n; i++) {
    const double other = value_of(of, i, k);
    if (status_of(of, i) == TUTTI_TRIAL_WAITING || !(sign * other > sign * value)) continue;
    if (isinf(nearest) || sign * other < sign * nearest) nearest = other;
  }
  return nearest;
}

/** Count the values that were tried there, up to `most`. */
static int count_beyond(const trials_of *of, int k, double value, int sign, int most) {
  int n = 0;
  while (n < most && isfinite(value = nearest_beyond(of, k, value, sign))) n++;
  return n;
}

/** Return whether a trial beyond the value reached the goal. */
static bool reached_beyond(const trials_of *of, int k, double value, int sign) {
  bool reached = false;
  for (int64_t i = 0; i < of->n; i++)
    reached =
        reached || (status_of(of, i) == TUTTI_TRIAL_REACHED && sign * value_of(of, i, k) > sign * value);
  return reached;
}

/** Return whether the values end at this one in a direction.  A single neighbour that reached the goal does not bound
 * the best, because luck may have put the best before it; one that failed does. */
static bool ends_at(const trials_of *of, int k, double value, int sign) {
  enum { MANY = 3 };
  const int beyond = count_beyond(of, k, value, sign, MANY), before = count_beyond(of, k, value, -sign, MANY);
  if (beyond == 0) return before > 0;
  return beyond == 1 && before == MANY && reached_beyond(of, k, value, sign);
}

int64_t tutti_fit_best_edge(const tutti_trial_set *set, const int64_t *trials, int64_t n, int64_t best) {
  const trials_of of = {set, trials, n};
  for (int k = 0; k < set->n_varied; k++) {
    const double value = set->varied[best * set->n_varied + k];
    if (!tutti_fit_trial_set_has_scale(set, k)) continue;
    if (ends_at(&of, k, value, 1) || ends_at(&of, k, value, -1)) return k + 1;
  }
  return 0;
}
