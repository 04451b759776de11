/** The tables of a study: best settings, fits, best values at a budget.
 *
 * Columns are separated by tabs.  In a study with branches, each table has the branch as its first column.  Called by
 * summary_study.c; cmd_study.c explains the columns. */
#include <math.h>
#include <stdio.h>

#include "cli/summary_impl.h"
#include "tutti/study.h"

// --- the best settings --------------------------------------------------------------------------

/** Whether key k is the key of the branches, whose values are the first column. */
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

/** Print a number, or "-" for NaN. */
static void print_cell(double value) {
  if (isnan(value))
    printf("\t-");
  else
    printf("\t%.6g", value);
}

/** Print the value of key k: a number, or the text that has this index. */
static void print_varied(const tutti_trial_set *set, int k, double value) {
  const bool is_index = value >= 0 && value < set->texts[k].n;
  if (is_index)
    printf("\t%s", set->texts[k].list[(int)value]);
  else
    printf("\t%.6g", value);
}

static void print_model(const tutti_best *row) {
  char claim[TUTTI_CLAIM_BYTES];
  tutti_fit_best_claim(row, claim);
  print_cell(row->effective_lr);
  print_cell(row->model_steps);
  print_cell(row->model_steps_low);
  print_cell(row->model_steps_high);
  printf("\t%s", claim);
}

/** Print the results of the new seeds; "4/5": 4 of 5 reached the goal. */
static void print_confirm(const tutti_best *row) {
  print_cell(row->confirm_steps);
  print_cell(row->confirm_steps_low);
  print_cell(row->confirm_steps_high);
  printf("\t%lld/%lld%s", (long long)row->confirm_reached, (long long)row->confirm_trials,
         row->confirm_disagrees ? ", disagrees" : "");
}

static void print_row(const tutti_trial_set *set, int branch, const tutti_best *row, const double *varied) {
  const bool at_edge = row->at_edge > 0 && row->at_edge <= set->n_varied;
  print_branch(set, tutti_fit_trial_set_branch_name(set, branch));
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

int tutti_cli_count_begun(const tutti_best_table *best) {
  int n = 0;
  for (int i = 0; i < best->n_rows; i++) n += has_begun(&best->rows[i]);
  return n;
}

void tutti_cli_print_best(const tutti_trial_set *set, const tutti_best_table *best) {
  const int n_begun = tutti_cli_count_begun(best);
  if (n_begun < best->n_rows)
    printf("not_begun %d of %d rows: no trial of them is done\n", best->n_rows - n_begun, best->n_rows);
  if (n_begun == 0) return;
  print_header(set);
  for (int b = 0; b < best->n_branches; b++)
    for (int i = best->first[b]; i < best->first[b + 1]; i++)
      if (has_begun(&best->rows[i]))
        print_row(set, b, &best->rows[i], best->varied + (int64_t)i * best->n_varied);
}

// --- the fit --------------------------------------------------------------------------------------

/** Print a line "NAME VALUE", unless the value is NaN. */
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

/** The same numbers as columns, since each branch has a row. */
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
  print_branch(set, tutti_fit_trial_set_branch_name(set, branch));
  printf("%d", fit->n_sizes);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) printf("\t%.6g", fit->value[k]);
  printf("\t%.6g", fit->residual);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) printf("\t%.6g\t%.6g", fit->low[k], fit->high[k]);
  printf("\t%.6g\t%.6g\t%s\t%s\t%s\n", fit->perfect_scaling_end, fit->largest_useful_batch,
         fit->refused[0] ? fit->refused : "-", fit->no_interval[0] ? fit->no_interval : "-",
         fit->no_claim[0] ? fit->no_claim : "-");
}

void tutti_cli_print_fits(const tutti_trial_set *set, const tutti_fit *fits) {
  if (set->branches == 0) {
    print_fit(fits);
    return;
  }
  print_fit_header(set);
  for (int b = 0; b < tutti_fit_trial_set_n_branches(set); b++) print_fit_row(set, b, &fits[b]);
}

// --- the best values at a budget ------------------------------------------------------------------

static void print_budget_row(const tutti_trial_set *set, const tutti_budget_row *row, const double *varied) {
  if (set->branches > 0) printf("%s\t", tutti_fit_trial_set_branch_name(set, (int)varied[set->branches - 1]));
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

void tutti_cli_print_budget(const tutti_trial_set *set, const tutti_budget_question *question,
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
