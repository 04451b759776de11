/** The reason of a refused fit, with what to change in the study.
 *
 * Either too few batch sizes have steps to the goal, or B_crit ran to an end of its range: at the low end steps do not
 * fall with the batch size, at the high end all sizes are in perfect scaling.  branch_fit.c calls this. */
#include <stdio.h>

#include "base/text.h"
#include "fit/fit_impl.h"

/** What the rows of a branch have in common.  A row without steps to the goal has none that a fit can use. */
typedef struct {
  int n;                          // rows
  int64_t waiting;                // trials that are neither done nor failed
  int64_t diverged, not_reached;  // trials of the rows without steps
  const tutti_best *first, *last; // rows with steps; NULL: there are none
  const tutti_best *from,
      *to;                   // neighbours between which steps rise most; NULL: nowhere by more than a quarter
  bool all_equal;            // all rows with steps take the same
  const tutti_best *at_edge; // the first one whose best setting is at the end of a range; NULL
} facts;

/** Add a row with steps. */
static void add_steps(const tutti_best *row, facts *f) {
  const double most = f->to ? f->to->steps / f->from->steps : 1.25;
  if (f->last && row->steps > most * f->last->steps) {
    f->from = f->last;
    f->to = row;
  }
  if (!f->first) f->first = row;
  f->all_equal = f->all_equal && row->steps == f->first->steps;
  f->last = row;
}

static facts facts_of(const tutti_best *rows, int n) {
  facts f = {.n = n, .all_equal = true};
  for (int i = 0; i < n; i++) {
    const tutti_best *row = &rows[i];
    f.waiting += row->trials - row->reached - row->not_reached - row->diverged;
    if (!f.at_edge && row->at_edge > 0) f.at_edge = row;
    if (tutti_fit_count(&row->steps, 1) > 0) {
      add_steps(row, &f);
    } else {
      f.diverged += row->diverged;
      f.not_reached += row->not_reached;
    }
  }
  return f;
}

/** Append what to do first: run the trials that wait, or widen a range that ends at the best value. */
static void append_first(const tutti_trial_set *set, const facts *f, char *text, size_t bytes) {
  if (f->waiting > 0)
    tutti_text_append(text, bytes, "; first run the study to its end, %lld trials wait",
                      (long long)f->waiting);
  else if (f->at_edge)
    tutti_text_append(text, bytes, "; first widen the range of %s: at batch_size %lld the best is at its end",
                      set->names[f->at_edge->at_edge - 1], (long long)f->at_edge->batch_size);
}

/** Fewer batch sizes have steps than a fit needs: say what the others ran into. */
static void advise_few(const facts *f, char *text, size_t bytes) {
  if (f->n < TUTTI_FIT_LEAST_SIZES)
    tutti_text_append(text, bytes, ": the study has %d, vary train.batch_size further", f->n);
  else if (f->diverged > f->not_reached)
    tutti_text_append(text, bytes, ": at the others most trials diverged: try smaller learning rates there");
  else
    tutti_text_append(text, bytes,
                      ": at the others the goal was out of reach: a larger study.budget, an easier "
                      "goal, or other settings");
}

/** B_crit is at the low end: say where steps rise with the batch size.  If all are equal, the first evaluation of each
 * may have met the goal. */
static void advise_flat(const facts *f, char *text, size_t bytes) {
  if (f->all_equal)
    tutti_text_append(text, bytes,
                      ": all take %g, as where the first evaluation meets the goal: a shorter "
                      "study.evaluate_every, or a harder goal",
                      f->first->steps);
  else if (f->to)
    tutti_text_append(text, bytes, ": %g at %lld, but %g at %lld, which lacks its best settings",
                      f->from->steps, (long long)f->from->batch_size, f->to->steps,
                      (long long)f->to->batch_size);
  else
    tutti_text_append(text, bytes, ": add smaller batch sizes");
}

/** B_crit is at the high end: larger batch sizes would still take fewer steps. */
static void advise_steep(const facts *f, char *text, size_t bytes) {
  const bool falls_too_fast = f->last->samples < 0.9 * f->first->samples;
  snprintf(text, bytes, TUTTI_FIT_ALL_PERFECT ": %s", falls_too_fast ? " or fall faster" : "",
           falls_too_fast ? "the smallest lack their best settings, or larger ones are needed"
                          : "add larger batch sizes");
}

void tutti_fit_advise(const tutti_trial_set *set, const tutti_best_table *best, int branch, tutti_fit *fit) {
  const facts f = facts_of(best->rows + best->first[branch], best->first[branch + 1] - best->first[branch]);
  char *text = fit->refused;
  const size_t bytes = sizeof fit->refused;
  if (!text[0]) return;
  if (fit->end == TUTTI_FIT_INSIDE)
    advise_few(&f, text, bytes);
  else if (fit->end == TUTTI_FIT_AT_LOW)
    advise_flat(&f, text, bytes);
  else
    advise_steep(&f, text, bytes);
  append_first(set, &f, text, bytes);
}
