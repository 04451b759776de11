/** The reason of a refused fit, with what to change in the study.
 *
 * Either too few batch sizes have steps to the goal, or B_crit ran to an end of its range: at the low end steps do not fall
 * with the batch size, at the high end all sizes are in perfect scaling.  branch_fit.c calls this. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fit/fit_impl.h"

/** The batch sizes of a branch. */
typedef struct {
  const tutti_trial_set *set;
  const tutti_best *rows; // [n]
  int n;
} sizes;

/** Count the trials that are neither done nor failed. */
static int64_t count_waiting(const sizes *of) {
  int64_t n = 0;
  for (int i = 0; i < of->n; i++) {
    const tutti_best *row = &of->rows[i];
    n += row->trials - row->reached - row->not_reached - row->diverged;
  }
  return n;
}

static bool has_steps(const tutti_best *row) {
  return isfinite(row->steps) && row->steps > 0;
}

/** Find the neighbours between which steps rise most.  @return false: they rise nowhere by more than a quarter */
static bool find_rise(const sizes *of, const tutti_best **from, const tutti_best **to) {
  double most = 1.25;
  const tutti_best *before = NULL;
  *from = *to = NULL;
  for (int i = 0; i < of->n; i++) {
    const tutti_best *row = &of->rows[i];
    if (!has_steps(row)) continue;
    if (before && row->steps > most * before->steps) {
      most = row->steps / before->steps;
      *from = before;
      *to = row;
    }
    before = row;
  }
  return *to != NULL;
}

/** Return whether all batch sizes take the same steps.  Then the first evaluation of each may have met the goal. */
static bool all_take_the_same(const sizes *of, double *steps) {
  *steps = NAN;
  for (int i = 0; i < of->n; i++) {
    if (!has_steps(&of->rows[i])) continue;
    if (!isnan(*steps) && of->rows[i].steps != *steps) return false;
    *steps = of->rows[i].steps;
  }
  return !isnan(*steps);
}

/** Return whether B S falls by more than a tenth from the smallest to the largest size that has steps. */
static bool falls_too_fast(const sizes *of) {
  const tutti_best *first = NULL, *last = NULL;
  for (int i = 0; i < of->n; i++) {
    if (!has_steps(&of->rows[i])) continue;
    if (!first) first = &of->rows[i];
    last = &of->rows[i];
  }
  return first && last->samples < 0.9 * first->samples;
}

/** Append what to do first: run the trials that wait, or widen a range that ends at the best value. */
static void append_first(const sizes *of, char *text, size_t bytes) {
  const int64_t waiting = count_waiting(of);
  if (waiting > 0) {
    tutti_text_append(text, bytes, "; first run the study to its end, %lld trials wait", (long long)waiting);
    return;
  }
  for (int i = 0; i < of->n; i++) {
    const tutti_best *row = &of->rows[i];
    if (row->at_edge <= 0) continue;
    tutti_text_append(text, bytes, "; first widen the range of %s: at batch_size %lld the best is at its end",
                      of->set->names[row->at_edge - 1], (long long)row->batch_size);
    return;
  }
}

/** Fewer batch sizes have steps than a fit needs: say what the others ran into. */
static void advise_few(const sizes *of, int n_sizes, char *text, size_t bytes) {
  int64_t diverged = 0, not_reached = 0;
  for (int i = 0; i < of->n; i++) {
    if (has_steps(&of->rows[i])) continue;
    diverged += of->rows[i].diverged;
    not_reached += of->rows[i].not_reached;
  }
  snprintf(text, bytes, "%d batch size%s steps to the goal, a fit needs %d: ", n_sizes,
           n_sizes == 1 ? " has" : "s have", TUTTI_FIT_LEAST_SIZES);
  if (of->n < TUTTI_FIT_LEAST_SIZES)
    tutti_text_append(text, bytes, "the study has %d, vary train.batch_size further", of->n);
  else if (diverged > not_reached)
    tutti_text_append(text, bytes, "at the others most trials diverged: try smaller learning rates there");
  else
    tutti_text_append(text, bytes,
                      "at the others the goal was out of reach: a larger study.budget, an easier "
                      "goal, or other settings");
}

/** B_crit is at the low end: say where steps rise with the batch size, or that all are equal. */
static void advise_flat(const sizes *of, char *text, size_t bytes) {
  double steps;
  const tutti_best *from, *to;
  snprintf(text, bytes,
           "steps do not fall with the batch size, so that the fewest samples are not determined: ");
  if (all_take_the_same(of, &steps))
    tutti_text_append(text, bytes,
                      "all take %g, as where the first evaluation meets the goal: a shorter "
                      "study.evaluate_every, or a harder goal",
                      steps);
  else if (find_rise(of, &from, &to))
    tutti_text_append(text, bytes, "%g at %lld, but %g at %lld, which lacks its best settings", from->steps,
                      (long long)from->batch_size, to->steps, (long long)to->batch_size);
  else
    tutti_text_append(text, bytes, "add smaller batch sizes");
}

/** B_crit is at the high end: larger batch sizes would still take fewer steps. */
static void advise_steep(const sizes *of, char *text, size_t bytes) {
  const bool fast = falls_too_fast(of);
  snprintf(text, bytes,
           "all batch sizes are in perfect scaling%s, so that the fewest steps are not determined: %s",
           fast ? " or fall faster" : "",
           fast ? "the smallest lack their best settings, or larger ones are needed"
                : "add larger batch sizes");
}

void tutti_fit_advise(const tutti_trial_set *set, const tutti_best_table *best, int branch, tutti_fit *fit) {
  const sizes of = {set, best->rows + best->first[branch], best->first[branch + 1] - best->first[branch]};
  char *text = fit->refused;
  const size_t bytes = sizeof fit->refused;
  if (!text[0]) return;
  if (fit->end == TUTTI_FIT_INSIDE)
    advise_few(&of, fit->n_sizes, text, bytes);
  else if (fit->end == TUTTI_FIT_AT_LOW)
    advise_flat(&of, text, bytes);
  else
    advise_steep(&of, text, bytes);
  append_first(&of, text, bytes);
}
