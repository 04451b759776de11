/** `tutti info` of a study.
 *
 * The conclusion is read from the file if it is up to date.  Trials that lie beside the file, or another goal, make it
 * outdated; then it is computed here.  Called by cmd_info.c and cmd_study.c. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/summary_impl.h"
#include "tutti/study.h"

/** A study is recognised by an attribute, since its arrays may have the names of those of another file. */
bool tutti_cli_is_study(const tutti_file *file) {
  char *kind = NULL;
  // Another program may have an attribute of this name that is not a text.
  const bool is_text = tutti_file_has_attribute(file, "/", "kind") &&
                       tutti_file_get_text(file, "/", "kind", &kind) == TUTTI_OK;
  const bool is_study = is_text && strcmp(kind, "study") == 0;
  tutti_free(kind);
  return is_study;
}

/** How many trials are done.  The results of some may still lie beside the file. */
typedef struct {
  int64_t n_waiting;  // trials that wait, according to the file
  int64_t n_unmerged; // those of them that are done, but whose results lie beside the file
} progress;

static int64_t count_waiting(const tutti_trial_set *set) {
  int64_t n = 0;
  for (int64_t i = 0; i < set->n_trials; i++) n += set->results[i].status == TUTTI_TRIAL_WAITING;
  return n;
}

/** Count the results beside the file.
 * @param[in] take  also take them into the set.  Another goal is judged by the curves in the file, so it does not. */
static tutti_status take_unmerged(const tutti_file *file, bool take, tutti_trial_set *set, progress *now) {
  now->n_waiting = count_waiting(set);
  return tutti_study_unmerged(file, take, set, &now->n_unmerged);
}

/** Print how far the study is.  Results beside the file are done, too: a job that was stopped has not merged them. */
static void print_progress(const tutti_file *file, const tutti_trial_set *set, bool taken, progress now) {
  const int64_t n = set->n_trials, left = now.n_waiting - now.n_unmerged;
  printf("trials %lld\ndone %lld\nleft %lld\nwaiting %lld\n", (long long)n, (long long)(n - left),
         (long long)left, (long long)now.n_waiting);
  if (now.n_unmerged > 0)
    printf("unmerged %lld trials that are done, in %s.d: %s, and tutti study merges them\n",
           (long long)now.n_unmerged, tutti_file_path(file),
           taken ? "the table has them" : "the table does not have them");
}

/** Print the best values at a budget: of a question that the user asks, from the curves; else as they are in the
 * file. */
static tutti_status print_at_budget(const tutti_file *file, const tutti_budget_question *asked,
                                    const tutti_trial_set *set) {
  tutti_budget_table table;
  const tutti_budget_question *question = asked ? asked : &set->asks;
  if (asked)
    TUTTI_TRY(tutti_fit_budget_table_create(file, set, question, &table));
  else
    TUTTI_TRY(tutti_fit_budget_table_read(file, set, &table));
  tutti_cli_print_budget(set, question, &table);
  tutti_fit_budget_table_clear(&table);
  return TUTTI_OK;
}

/** Print the best values at a budget: those of the study, or those that the user asks for.
 * @param[in] goal  of the study: its metric, and the study's own budget, are those that a question lacks */
static tutti_status print_budgets(const tutti_file *file, const tutti_budget_question *asked,
                                  const char *goal, const tutti_trial_set *set) {
  if (!asked) return set->asks.metric[0] ? print_at_budget(file, NULL, set) : TUTTI_OK;
  tutti_budget_question question = *asked;
  if (question.budget.value == 0) question.budget = set->asks.budget;
  if (!question.metric[0]) memcpy(question.metric, set->asks.metric, sizeof question.metric);
  if (!question.metric[0])
    snprintf(question.metric, sizeof question.metric, "%.*s", (int)strcspn(goal, " "), goal);
  return print_at_budget(file, &question, set);
}

/** The table only says "disagrees"; the warning has both numbers. */
static void warn_of_disagreement(const tutti_best_table *best) {
  char text[TUTTI_DISAGREEMENT_BYTES];
  for (int i = 0; i < best->n_rows; i++) {
    tutti_fit_best_disagreement(&best->rows[i], text);
    if (text[0]) tutti_log(TUTTI_LOG_WARNING, "%s", text);
  }
}

// --- the conclusion: best settings and fits --------------------------------------------------------

/** @param[out] fits  [best->n_branches]; NULL: the file has no results yet */
static tutti_status read_conclusion(const tutti_file *file, const tutti_trial_set *set,
                                    tutti_best_table *best, tutti_fit **fits) {
  TUTTI_TRY(tutti_fit_best_table_read(file, set, best));
  if (!tutti_file_has(file, "/fit")) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*fits, best->n_branches));
  for (int b = 0; b < best->n_branches; b++) TUTTI_TRY(tutti_fit_read(file, set, b, &(*fits)[b]));
  return TUTTI_OK;
}

/** Compute it, for more trials than the file has, or for another goal. */
static tutti_status make_conclusion(const tutti_trial_set *set, tutti_best_table *best, tutti_fit **fits) {
  TUTTI_TRY(tutti_fit_best_table_create(set, best));
  TUTTI_TRY(TUTTI_NEW(*fits, best->n_branches));
  for (int b = 0; b < best->n_branches; b++)
    TUTTI_TRY(tutti_fit_study(set, best, b, 0, TUTTI_FIT_DRAWS, NULL, &(*fits)[b]));
  return TUTTI_OK;
}

/** Take the conclusion from the file, or make it if the file cannot have it. */
static tutti_status conclude(const tutti_file *file, const tutti_goal *goal, progress now,
                             tutti_trial_set *set, tutti_best_table *best, tutti_fit **fits) {
  if (goal) TUTTI_TRY(tutti_fit_trial_set_regoal(set, file, goal));
  return goal || now.n_unmerged > 0 ? make_conclusion(set, best, fits)
                                    : read_conclusion(file, set, best, fits);
}

/** @param[in] own_goal  of the study, which `goal` replaces */
static tutti_status print_head(const tutti_file *file, const tutti_goal *goal, const char *own_goal) {
  char text[64], *budget = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", "budget", &budget));
  if (goal) tutti_config_goal_print(goal, text, sizeof text);
  printf("kind study\ngoal %s\nbudget %s\n", goal ? text : own_goal, tutti_text_tame(budget));
  tutti_free(budget);
  return TUTTI_OK;
}

/** What a file says must not steer the terminal.  The names of columns are not needed any more. */
static void tame(tutti_trial_set *set, const tutti_best_table *best, tutti_fit *fits) {
  for (int k = 0; k < set->n_varied; k++) {
    tutti_text_tame(set->names[k]);
    for (int i = 0; i < set->texts[k].n; i++) tutti_text_tame(set->texts[k].list[i]);
  }
  for (int b = 0; fits && b < best->n_branches; b++) {
    tutti_text_tame(fits[b].refused);
    tutti_text_tame(fits[b].no_interval);
  }
}

tutti_status tutti_cli_print_study(const tutti_file *file, const tutti_goal *goal,
                                   const tutti_budget_question *asked) {
  tutti_status status = TUTTI_OK;
  tutti_trial_set set = {0};
  tutti_best_table best = {0};
  tutti_fit *fits = NULL;
  progress now = {0};
  char *own_goal = NULL;
  TUTTI_TRY_GOTO(done, tutti_fit_trial_set_read(file, &set));
  TUTTI_TRY_GOTO(done, tutti_file_get_text(file, "/", "goal", &own_goal));
  TUTTI_TRY_GOTO(done, take_unmerged(file, !goal && !asked, &set, &now));
  TUTTI_TRY_GOTO(done, conclude(file, goal, now, &set, &best, &fits));
  tame(&set, &best, fits);
  TUTTI_TRY_GOTO(done, print_head(file, goal, tutti_text_tame(own_goal)));
  print_progress(file, &set, !goal && !asked, now);
  const bool to_goal = !asked && (goal || strcmp(own_goal, "none") != 0);
  if (to_goal) tutti_cli_print_best(&set, &best);
  if (to_goal && fits && tutti_cli_count_begun(&best) > 0) tutti_cli_print_fits(&set, fits);
  TUTTI_TRY_GOTO(done, print_budgets(file, asked, own_goal, &set));
  warn_of_disagreement(&best);
done:
  tutti_free(own_goal);
  tutti_free(fits);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
  return status;
}
