#include "cli/summary_study.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tutti/fit.h"
#include "tutti/study.h"

bool tutti_is_study(const tutti_file *file) {
  char *kind = NULL;
  // What is no text is another program's attribute.
  const bool is_text = tutti_file_has_attribute(file, "/", "kind") &&
                       tutti_file_get_text(file, "/", "kind", &kind) == TUTTI_OK;
  const bool is_study = is_text && strcmp(kind, "study") == 0;
  tutti_free(kind);
  return is_study;
}

static tutti_status print_attribute(const tutti_file *file, const char *name) {
  char *text = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", name, &text));
  printf("%s %s\n", name, tutti_text_tame(text));
  tutti_free(text);
  return TUTTI_OK;
}

/** How far the study is: what is done may lie beside the file. */
typedef struct {
  int64_t n_waiting, n_unmerged; // in the file; of these, those that are done
} progress;

static int64_t count_waiting(const tutti_trial_set *set) {
  int64_t n = 0;
  for (int64_t i = 0; i < set->n_trials; i++) n += set->results[i].status == TUTTI_TRIAL_WAITING;
  return n;
}

/** Another goal is judged by the curves in the file, so that only its own one counts what lies beside it. */
static tutti_status take_unmerged(const tutti_file *file, bool take, tutti_trial_set *set, progress *now) {
  now->n_waiting = count_waiting(set);
  return tutti_study_unmerged(tutti_file_path(file), take, set, &now->n_unmerged);
}

static void print_progress(const tutti_file *file, const tutti_trial_set *set, bool taken, progress now) {
  const int64_t n = set->n_trials, left = now.n_waiting - now.n_unmerged;
  printf("trials %lld\ndone %lld\nleft %lld\nwaiting %lld\n", (long long)n, (long long)(n - left),
         (long long)left, (long long)now.n_waiting);
  if (now.n_unmerged > 0)
    printf("unmerged %lld trials that are done, in %s.d: %s, and tutti study brings them in\n",
           (long long)now.n_unmerged, tutti_file_path(file),
           taken ? "the table has them" : "the table lacks them");
}

// --- the table

/** The branch stands before all else. */
static bool is_branch(const tutti_trial_set *set, int k) {
  return k == set->branches - 1;
}

static void print_branch(const tutti_trial_set *set, const char *name) {
  if (set->branches > 0) printf("%s\t", name);
}

static const char *branches_key(const tutti_trial_set *set) {
  return set->branches > 0 ? set->names[set->branches - 1] : "";
}

static void print_header(const tutti_trial_set *set) {
  putchar('\n');
  print_branch(set, branches_key(set));
  printf("batch_size\tsteps\tsamples\tseconds");
  for (int k = 0; k < set->n_varied; k++)
    if (!is_branch(set, k)) printf("\t%s", set->names[k]);
  printf("\ttrials\treached\tnot_reached\tdiverged\tedge\teffective_lr\tmodel_steps\tmodel_steps_low\tmodel_"
         "steps_high\t"
         "claim");
  printf(set->n_confirm > 0 ? "\tconfirm_steps\tconfirm_steps_low\tconfirm_steps_high\tconfirmed\n" : "\n");
}

/** "-" where there is no value. */
static void print_cell(double value) {
  if (isnan(value))
    printf("\t-");
  else
    printf("\t%.6g", value);
}

/** A number, or the text that an index stands for. */
static void print_varied(const tutti_trial_set *set, int k, double value) {
  const bool is_index = set->texts[k] && value >= 0 && value < set->n_texts[k];
  if (is_index)
    printf("\t%s", set->texts[k][(int)value]);
  else
    printf("\t%.6g", value);
}

static void print_model(const tutti_best *row) {
  char claim[TUTTI_CLAIM_BYTES];
  tutti_best_claim(row, claim);
  print_cell(row->effective_lr);
  print_cell(row->model_steps);
  print_cell(row->model_steps_low);
  print_cell(row->model_steps_high);
  printf("\t%s", claim);
}

/** "5/5": so many of the fresh seeds reached the goal. */
static void print_confirm(const tutti_best *row) {
  print_cell(row->confirm_steps);
  print_cell(row->confirm_steps_low);
  print_cell(row->confirm_steps_high);
  printf("\t%lld/%lld%s", (long long)row->confirm_reached, (long long)row->confirm_trials,
         row->confirm_disagrees ? ", disagrees" : "");
}

static void warn_of_disagreement(const tutti_best_table *best) {
  char text[TUTTI_DISAGREEMENT_BYTES];
  for (int i = 0; i < best->n_rows; i++) {
    tutti_best_disagreement(&best->rows[i], text);
    if (text[0]) tutti_log(TUTTI_LOG_WARNING, "%s", text);
  }
}

static void print_row(const tutti_trial_set *set, int branch, const tutti_best *row, const double *varied) {
  const bool at_edge = row->at_edge > 0 && row->at_edge <= set->n_varied;
  print_branch(set, tutti_trial_set_branch_name(set, branch));
  printf("%lld\t%.10g\t%.10g\t%.6g", (long long)row->batch_size, row->steps, row->samples, row->seconds);
  for (int k = 0; k < set->n_varied; k++)
    if (!is_branch(set, k)) print_varied(set, k, varied[k]);
  printf("\t%lld\t%lld\t%lld\t%lld\t%s", (long long)row->trials, (long long)row->reached,
         (long long)row->not_reached, (long long)row->diverged, at_edge ? set->names[row->at_edge - 1] : "-");
  print_model(row);
  if (set->n_confirm > 0) print_confirm(row);
  putchar('\n');
}

static bool has_begun(const tutti_best *row) {
  return row->reached + row->not_reached + row->diverged > 0;
}

/** Rows of which there is a trial. */
static int count_begun(const tutti_best_table *best) {
  int n = 0;
  for (int i = 0; i < best->n_rows; i++) n += has_begun(&best->rows[i]);
  return n;
}

static void print_table(const tutti_trial_set *set, const tutti_best_table *best) {
  const int n_begun = count_begun(best);
  if (n_begun < best->n_rows)
    printf("not_begun %d of %d rows: no trial of them is done\n", best->n_rows - n_begun, best->n_rows);
  if (n_begun == 0) return;
  print_header(set);
  for (int b = 0; b < best->n_branches; b++)
    for (int i = best->first[b]; i < best->first[b + 1]; i++)
      if (has_begun(&best->rows[i]))
        print_row(set, b, &best->rows[i], best->varied + (int64_t)i * best->n_varied);
}

// --- the fit

/** Nothing where there is no value. */
static void print_value(const char *name, const char *end, double value) {
  if (!isnan(value)) printf("%s%s %.6g\n", name, end, value);
}

static void print_fit(const tutti_fit *fit) {
  printf("\nn_sizes %d\n", fit->n_sizes);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) print_value(tutti_fit_names[k], "", fit->value[k]);
  print_value("residual", "", fit->residual);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
    print_value(tutti_fit_names[k], "_low", fit->low[k]);
    print_value(tutti_fit_names[k], "_high", fit->high[k]);
  }
  print_value("perfect_scaling_end", "", fit->perfect_scaling_end);
  print_value("largest_useful_batch", "", fit->largest_useful_batch);
  if (fit->refused[0]) printf("refused %s\n", fit->refused);
  if (fit->no_interval[0]) printf("no_interval %s\n", fit->no_interval);
  if (fit->no_claim[0]) printf("no_claim %s\n", fit->no_claim);
}

/** A row a branch, of the same numbers. */
static void print_fit_header(const tutti_trial_set *set) {
  putchar('\n');
  print_branch(set, branches_key(set));
  printf("n_sizes");
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) printf("\t%s", tutti_fit_names[k]);
  printf("\tresidual");
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++)
    printf("\t%s_low\t%s_high", tutti_fit_names[k], tutti_fit_names[k]);
  printf("\tperfect_scaling_end\tlargest_useful_batch\trefused\tno_interval\tno_claim\n");
}

static void print_fit_row(const tutti_trial_set *set, int branch, const tutti_fit *fit) {
  print_branch(set, tutti_trial_set_branch_name(set, branch));
  printf("%d", fit->n_sizes);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) printf("\t%.6g", fit->value[k]);
  printf("\t%.6g", fit->residual);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) printf("\t%.6g\t%.6g", fit->low[k], fit->high[k]);
  printf("\t%.6g\t%.6g\t%s\t%s\t%s\n", fit->perfect_scaling_end, fit->largest_useful_batch,
         fit->refused[0] ? fit->refused : "-", fit->no_interval[0] ? fit->no_interval : "-",
         fit->no_claim[0] ? fit->no_claim : "-");
}

static void print_fits(const tutti_trial_set *set, const tutti_fit *fits) {
  if (set->branches == 0) {
    print_fit(fits);
    return;
  }
  print_fit_header(set);
  for (int b = 0; b < tutti_trial_set_n_branches(set); b++) print_fit_row(set, b, &fits[b]);
}

// --- the best value at a budget

static void print_budget_row(const tutti_trial_set *set, const tutti_budget_row *row, const double *varied) {
  if (set->branches > 0) printf("%s\t", tutti_trial_set_branch_name(set, (int)varied[set->branches - 1]));
  printf("%lld\t%.10g", (long long)row->batch_size, row->budget);
  print_cell(row->value);
  print_cell(row->value_low);
  print_cell(row->value_high);
  print_cell(row->steps);
  print_cell(row->samples);
  for (int k = 0; k < set->n_varied; k++)
    if (!is_branch(set, k)) print_varied(set, k, varied[k]);
  printf("\t%lld\t%lld\t%lld\n", (long long)row->trials, (long long)row->diverged, (long long)row->ended);
}

static void print_budget_table(const tutti_trial_set *set, const tutti_budget_question *question,
                               const tutti_budget_table *table) {
  char budget[64];
  tutti_count_print(question->budget, budget, sizeof budget);
  printf("\nat_budget the best %s until %s, and until parts of it\n", question->metric, budget);
  if (table->n_rows == 0) return;
  print_branch(set, branches_key(set));
  printf("batch_size\tbudget\tvalue\tvalue_low\tvalue_high\tat_steps\tat_samples");
  for (int k = 0; k < set->n_varied; k++)
    if (!is_branch(set, k)) printf("\t%s", set->names[k]);
  printf("\ttrials\tdiverged\tended\n");
  for (int i = 0; i < table->n_rows; i++)
    print_budget_row(set, &table->rows[i], table->varied + (int64_t)i * table->n_varied);
}

/** On request from the curves; else as the study's file has it. */
static tutti_status print_at_budget(const tutti_file *file, const tutti_budget_question *asked,
                                    const tutti_trial_set *set) {
  tutti_budget_table table;
  const tutti_budget_question *question = asked ? asked : &set->asks;
  if (asked)
    TUTTI_TRY(tutti_budget_table_create(file, set, question, &table));
  else
    TUTTI_TRY(tutti_budget_table_read(file, set, &table));
  print_budget_table(set, question, &table);
  tutti_budget_table_clear(&table);
  return TUTTI_OK;
}

/** What is asked of this study: its own metric and budget where an option is left out. */
static tutti_status complete(const tutti_file *file, const tutti_budget_question *asked,
                             const tutti_trial_set *set, tutti_budget_question *question) {
  char *goal = NULL;
  *question = *asked;
  if (question->budget.value == 0) question->budget = set->asks.budget;
  if (!question->metric[0]) memcpy(question->metric, set->asks.metric, sizeof question->metric);
  if (question->metric[0]) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_text(file, "/", "goal", &goal));
  snprintf(question->metric, sizeof question->metric, "%.*s", (int)strcspn(goal, " "), goal);
  tutti_free(goal);
  return TUTTI_OK;
}

// --- what there is to print

/** @param[out] fits  [best->n_branches]; NULL: no trial has been brought in yet */
static tutti_status read_conclusion(const tutti_file *file, const tutti_trial_set *set,
                                    tutti_best_table *best, tutti_fit **fits) {
  TUTTI_TRY(tutti_best_table_read(file, set, best));
  if (!tutti_file_has(file, "/fit")) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*fits, best->n_branches));
  for (int b = 0; b < best->n_branches; b++) TUTTI_TRY(tutti_fit_read(file, set, b, &(*fits)[b]));
  return TUTTI_OK;
}

/** From other trials than those of the file, or another goal. */
static tutti_status make_conclusion(const tutti_trial_set *set, tutti_best_table *best, tutti_fit **fits) {
  TUTTI_TRY(tutti_best_table_create(set, best));
  TUTTI_TRY(TUTTI_NEW(*fits, best->n_branches));
  for (int b = 0; b < best->n_branches; b++)
    TUTTI_TRY(tutti_fit_study(set, best, b, 0, TUTTI_FIT_DRAWS, NULL, &(*fits)[b]));
  return TUTTI_OK;
}

static tutti_status conclude(const tutti_file *file, const tutti_goal *goal, progress now,
                             tutti_trial_set *set, tutti_best_table *best, tutti_fit **fits) {
  if (goal) TUTTI_TRY(tutti_trial_set_regoal(set, file, goal));
  return goal || now.n_unmerged > 0 ? make_conclusion(set, best, fits)
                                    : read_conclusion(file, set, best, fits);
}

static tutti_status print_head(const tutti_file *file, const tutti_goal *goal) {
  char text[64];
  printf("kind study\n");
  if (goal) tutti_goal_print(goal, text, sizeof text);
  if (goal)
    printf("goal %s\n", text);
  else
    TUTTI_TRY(print_attribute(file, "goal"));
  return print_attribute(file, "budget");
}

/** Of a study without a goal there is nothing else. */
static tutti_status print_budgets(const tutti_file *file, const tutti_budget_question *asked,
                                  const tutti_trial_set *set) {
  tutti_budget_question question;
  if (!asked) return set->asks.metric[0] ? print_at_budget(file, NULL, set) : TUTTI_OK;
  TUTTI_TRY(complete(file, asked, set, &question));
  return print_at_budget(file, &question, set);
}

static tutti_status has_goal(const tutti_file *file, bool *has) {
  char *goal = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", "goal", &goal));
  *has = strcmp(goal, "none") != 0;
  tutti_free(goal);
  return TUTTI_OK;
}

tutti_status tutti_summary_study(const tutti_file *file, const tutti_goal *goal,
                                 const tutti_budget_question *asked) {
  tutti_status status = TUTTI_OK;
  tutti_trial_set set = {0};
  tutti_best_table best = {0};
  tutti_fit *fits = NULL;
  progress now = {0};
  bool to_goal = false;
  TUTTI_TRY_GOTO(done, tutti_trial_set_read(file, &set));
  TUTTI_TRY_GOTO(done, has_goal(file, &to_goal));
  TUTTI_TRY_GOTO(done, take_unmerged(file, !goal && !asked, &set, &now));
  TUTTI_TRY_GOTO(done, conclude(file, goal, now, &set, &best, &fits));
  TUTTI_TRY_GOTO(done, print_head(file, goal));
  print_progress(file, &set, !goal && !asked, now);
  to_goal = (to_goal || goal) && !asked;
  if (to_goal) print_table(&set, &best);
  if (to_goal && fits && count_begun(&best) > 0) print_fits(&set, fits);
  TUTTI_TRY_GOTO(done, print_budgets(file, asked, &set));
  warn_of_disagreement(&best);
done:
  tutti_free(fits);
  tutti_best_table_clear(&best);
  tutti_trial_set_clear(&set);
  return status;
}
