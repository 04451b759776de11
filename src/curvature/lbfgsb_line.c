/** The line search of Moré and Thuente 1994, "Line search algorithms with guaranteed sufficient decrease".  It looks
 * for a step t with f(t) <= f(0) + DECREASE t f'(0) and |f'(t)| <= CURVATURE |f'(0)|.  An interval that contains
 * such a step is narrowed by cubic and quadratic interpolation.  The caller evaluates: it gives a trial and gets the
 * next step.  Called by lbfgsb.c. */
#include <math.h>

#include "curvature/lbfgsb_impl.h"

// The constants that L-BFGS-B gives this search: sufficient decrease, curvature, and relative width of the interval.
static const double DECREASE = 1e-3, CURVATURE = 0.9, NARROW = 0.1;
// An interval that two trials did not shrink to this part is halved.  Before there is one, a step grows by the others.
static const double SHRINK = 0.66, REACH_LEAST = 1.1, REACH_MOST = 4;

void tutti_curvature_line_search_init(tutti_curvature_line_search *line, tutti_curvature_line_point start,
                                      double step, double longest) {
  *line = (tutti_curvature_line_search){.start = start, .best = start, .other = start, .longest = longest};
  line->start.step = line->best.step = line->other.step = 0;
  line->most = step + REACH_MOST * step;
  line->width = longest;
  line->width_before = 2 * longest;
}

static double clamp(double value, double low, double high) {
  return fmax(low, fmin(value, high));
}

/** Coefficients of the cubic through the values and slopes of two points.  Its two extrema differ in the sign of gamma;
 * `backward` chooses. */
typedef struct {
  double theta, gamma;
} cubic;

/** The division by `scale` avoids overflow of the squares. */
static cubic cubic_of(tutti_curvature_line_point a, tutti_curvature_line_point b, bool backward) {
  const double theta = 3 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
  const double scale = fmax(fabs(theta), fmax(fabs(a.slope), fabs(b.slope)));
  if (scale == 0) return (cubic){0};
  const double inside = theta / scale * (theta / scale) - a.slope / scale * (b.slope / scale);
  const double gamma = scale * sqrt(fmax(0, inside));
  return (cubic){theta, backward ? -gamma : gamma};
}

/** The minimum of the cubic between two points whose slopes differ in sign, relative to `from`. */
static double cubic_step(tutti_curvature_line_point from, tutti_curvature_line_point to, bool backward) {
  const cubic c = cubic_of(to, from, backward);
  const double p = (c.gamma - from.slope) + c.theta, q = ((c.gamma - from.slope) + c.gamma) + to.slope;
  return from.step + p / q * (to.step - from.step);
}

/** The zero of the line through both slopes: the minimum of a parabola. */
static double secant_step(tutti_curvature_line_point a, tutti_curvature_line_point b) {
  return b.step + b.slope / (b.slope - a.slope) * (a.step - b.step);
}

/** The trial is higher, so that a minimum lies between.  The cubic step is taken if it is nearer to the best point
 * than the quadratic one, else the mean of both. */
static double step_when_higher(tutti_curvature_line_point best, tutti_curvature_line_point trial) {
  const double distance = trial.step - best.step;
  const double third = cubic_step(best, trial, trial.step < best.step);
  const double mean_slope = (best.value - trial.value) / distance + best.slope;
  const double second = best.step + best.slope / mean_slope / 2 * distance;
  if (fabs(third - best.step) < fabs(second - best.step)) return third;
  return third + (second - third) / 2;
}

/** The trial is lower, and its slope has the other sign, so that a minimum lies between.  The step farther from the
 * trial is taken. */
static double step_when_passed(tutti_curvature_line_point best, tutti_curvature_line_point trial) {
  const double third = cubic_step(trial, best, trial.step > best.step), second = secant_step(best, trial);
  return fabs(third - trial.step) > fabs(second - trial.step) ? third : second;
}

/** The trial is lower, and its slope is flatter with the same sign.  The cubic may have no minimum ahead; then it
 * counts as one at the limit. */
static double step_when_flatter(const tutti_curvature_line_search *line, tutti_curvature_line_point best,
                                tutti_curvature_line_point other, tutti_curvature_line_point trial) {
  const bool forward = trial.step > best.step;
  const cubic c = cubic_of(best, trial, forward);
  const double p = (c.gamma - trial.slope) + c.theta, q = (c.gamma + (best.slope - trial.slope)) + c.gamma,
               r = p / q;
  double third = forward ? line->most : line->least;
  if (r < 0 && c.gamma != 0) third = trial.step + r * (best.step - trial.step);
  const double second = secant_step(best, trial);
  const bool third_is_nearer = fabs(third - trial.step) < fabs(second - trial.step);
  if (!line->bracketed) {
    const double farther = fabs(third - trial.step) > fabs(second - trial.step) ? third : second;
    return clamp(farther, line->least, line->most);
  }
  const double nearer = third_is_nearer ? third : second,
               limit = trial.step + SHRINK * (other.step - trial.step);
  return forward ? fmin(limit, nearer) : fmax(limit, nearer);
}

/** The trial is lower, and its slope is not flatter: take a large step. */
static double step_when_steep(const tutti_curvature_line_search *line, tutti_curvature_line_point best,
                              tutti_curvature_line_point other, tutti_curvature_line_point trial) {
  if (line->bracketed) return cubic_step(trial, other, trial.step > other.step);
  return trial.step > best.step ? line->most : line->least;
}

/** Choose the next step, and update the interval: the trial becomes one of its ends. */
static double narrow(tutti_curvature_line_search *line, tutti_curvature_line_point *best,
                     tutti_curvature_line_point *other, tutti_curvature_line_point trial) {
  const bool passed = (trial.slope < 0) != (best->slope < 0) && trial.slope != 0;
  double next;
  if (trial.value > best->value) {
    next = step_when_higher(*best, trial);
    line->bracketed = true;
  } else if (passed) {
    next = step_when_passed(*best, trial);
    line->bracketed = true;
  } else if (fabs(trial.slope) < fabs(best->slope)) {
    next = step_when_flatter(line, *best, *other, trial);
  } else {
    next = step_when_steep(line, *best, *other, trial);
  }
  if (trial.value > best->value) {
    *other = trial;
    return next;
  }
  if (passed) *other = *best;
  *best = trial;
  return next;
}

/** A point of the function f(t) - t slope, or with sign -1 back to f. */
static tutti_curvature_line_point lifted(tutti_curvature_line_point point, double slope, double sign) {
  return (tutti_curvature_line_point){point.step, point.value - sign * point.step * slope,
                                      point.slope - sign * slope};
}

/** In the first stage, until a point below the line of sufficient decrease with a rising slope is found, a trial
 * that is lower than the best point but above that line does not count as progress.  For it, the interval is updated
 * with the distance from the line in place of the function. */
static double narrow_in_stage(tutti_curvature_line_search *line, tutti_curvature_line_point trial,
                              double wanted) {
  const double slope = DECREASE * line->start.slope;
  if (line->second_stage || trial.value > line->best.value || trial.value <= wanted)
    return narrow(line, &line->best, &line->other, trial);
  tutti_curvature_line_point best = lifted(line->best, slope, 1), other = lifted(line->other, slope, 1);
  const double next = narrow(line, &best, &other, lifted(trial, slope, 1));
  line->best = lifted(best, slope, -1);
  line->other = lifted(other, slope, -1);
  return next;
}

/** Whether the search ends with this trial: it fulfills both conditions, or no better step can be found.
 * @param[in] wanted  the value of sufficient decrease at this step */
static bool is_good(const tutti_curvature_line_search *line, tutti_curvature_line_point trial,
                    double wanted) {
  const double slope = DECREASE * line->start.slope;
  const bool low = trial.value <= wanted;
  if (line->bracketed && (trial.step <= line->least || trial.step >= line->most)) return true; // rounding
  if (line->bracketed && line->most - line->least <= NARROW * line->most) return true;
  if (trial.step >= line->longest && low && trial.slope <= slope) return true;
  return low && fabs(trial.slope) <= -CURVATURE * line->start.slope;
}

bool tutti_curvature_line_search_step(tutti_curvature_line_search *line, tutti_curvature_line_point trial,
                                      double *step) {
  const double wanted = line->start.value + trial.step * DECREASE * line->start.slope;
  if (trial.value <= wanted && trial.slope >= 0) line->second_stage = true;
  if (is_good(line, trial, wanted)) return false;
  double next = narrow_in_stage(line, trial, wanted);
  const double a = line->best.step, b = line->other.step;
  if (line->bracketed) {
    if (fabs(b - a) >= SHRINK * line->width_before) next = a + (b - a) / 2;
    line->width_before = line->width;
    line->width = fabs(b - a);
    line->least = fmin(a, b);
    line->most = fmax(a, b);
  } else {
    line->least = next + REACH_LEAST * (next - a);
    line->most = next + REACH_MOST * (next - a);
  }
  next = clamp(next, 0, line->longest);
  // No step in the interval is left to try: the best one so far ends the search.
  const bool exhausted = line->bracketed && (next <= line->least || next >= line->most ||
                                             line->most - line->least <= NARROW * line->most);
  *step = exhausted ? a : next;
  return true;
}
