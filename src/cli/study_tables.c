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

/** Print the first column, which only a study with branches has. */
static void print_branch(const tutti_trial_set *set, const char *name) {
  if (set->branches > 0) printf("%s\t", name);
}

static const char *branches_key(const tutti_trial_set *set) {
  return set->branches > 0 ? set->names[set->branches - 1] : "";
}

/** Print the names of the varied keys, without the one of the branches. */
static void print_keys(const tutti_trial_set *set) {
  for (int k = 0; k < set->n_varied; k++)
    if (!is_branch(set, k)) printf("\t%s", set->names[k]);
}

/** Columns that only some studies have are left out of the others, so that the table stays narrow. */
static void print_header(const tutti_trial_set *set) {
  putchar('\n');
  print_branch(set, branches_key(set));
  printf("batch_size\tsteps\tsamples\tseconds");
  print_keys(set);
  printf("\ttrials\treached\tnot_reached\tdiverged\tedge\teffective_lr\tmodel_steps\tmodel_steps_low\tmodel_"
         "steps_high\tclaim");
  printf(set->n_confirm > 0 ? "\tconfirm_steps\tconfirm_steps_low\tconfirm_steps_high\tconfirmed\n" : "\n");
}

/** Print numbers, each NaN as "-". */
static void print_cells(const double *values, int n) {
  for (int i = 0; i < n; i++)
    if (isnan(values[i]))
      printf("\t-");
    else
      printf("\t%.6g", values[i]);
}

/** Print the values of the varied keys: numbers, or texts by their indices. */
static void print_setting(const tutti_trial_set *set, const double *varied) {
  for (int k = 0; k < set->n_varied; k++) {
    if (is_branch(set, k)) continue;
    if (varied[k] >= 0 && varied[k] < set->texts[k].n)
      printf("\t%s", set->texts[k].list[(int)varied[k]]);
    else
      printf("\t%.6g", varied[k]);
  }
}

/** The columns of the local model; without a model they have no numbers, and the claim says why. */
static void print_model(const tutti_best *row) {
  const double values[] = {row->effective_lr, row->model_steps, row->model_steps_low, row->model_steps_high};
  char claim[TUTTI_CLAIM_BYTES];
  tutti_fit_best_claim(row, claim);
  print_cells(values, 4);
  printf("\t%s", claim);
}

/** Print the results of the new seeds; "4/5": 4 of 5 reached the goal. */
static void print_confirm(const tutti_best *row) {
  const double values[] = {row->confirm_steps, row->confirm_steps_low, row->confirm_steps_high};
  print_cells(values, 3);
  printf("\t%lld/%lld%s", (long long)row->confirm_reached, (long long)row->confirm_trials,
         row->confirm_disagrees ? ", disagrees" : "");
}

/** Print one best setting.  `at_edge` counts keys from 1; 0 means that no range should be wider. */
static void print_row(const tutti_trial_set *set, int branch, const tutti_best *row, const double *varied) {
  const bool at_edge = row->at_edge > 0 && row->at_edge <= set->n_varied;
  print_branch(set, tutti_fit_trial_set_branch_name(set, branch));
  printf("%lld\t%.10g\t%.10g\t%.6g", (long long)row->batch_size, row->steps, row->samples, row->seconds);
  print_setting(set, varied);
  printf("\t%lld\t%lld\t%lld\t%lld\t%s", (long long)row->trials, (long long)row->reached,
         (long long)row->not_reached, (long long)row->diverged, at_edge ? set->names[row->at_edge - 1] : "-");
  print_model(row);
  if (set->n_confirm > 0) print_confirm(row);
  putchar('\n');
}

/** Whether any trial of the row is done, so that the row says something. */
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

enum { N_NUMBERS = 3 * TUTTI_N_FIT_NUMBERS + 3 };

/** A number of a fit. */
typedef struct {
  const char *name, *end; // the two parts of its name
  double value;
} fit_number;

/** List the numbers of a fit in the order in which they are printed. */
static void list_numbers(const tutti_fit *fit, fit_number numbers[N_NUMBERS]) {
  fit_number *next = numbers;
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) *next++ = (fit_number){tutti_fit_names[k], "", fit->value[k]};
  *next++ = (fit_number){"residual", "", fit->residual};
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
    *next++ = (fit_number){tutti_fit_names[k], "_low", fit->low[k]};
    *next++ = (fit_number){tutti_fit_names[k], "_high", fit->high[k]};
  }
  *next++ = (fit_number){"perfect_scaling_end", "", fit->perfect_scaling_end};
  *next = (fit_number){"largest_useful_batch", "", fit->largest_useful_batch};
}

/** Print lines "NAME VALUE", without those that have no value. */
static void print_fit(const tutti_fit *fit) {
  fit_number numbers[N_NUMBERS];
  list_numbers(fit, numbers);
  printf("\nn_sizes %d\n", fit->n_sizes);
  for (int i = 0; i < N_NUMBERS; i++)
    if (!isnan(numbers[i].value)) printf("%s%s %.6g\n", numbers[i].name, numbers[i].end, numbers[i].value);
  if (fit->refused[0]) printf("refused %s\n", fit->refused);
  if (fit->no_interval[0]) printf("no_interval %s\n", fit->no_interval);
  if (fit->no_claim[0]) printf("no_claim %s\n", fit->no_claim);
}

/** Print a fit as a row, since each branch has one; before the first row, the names of the columns. */
static void print_fit_row(const tutti_trial_set *set, int branch, const tutti_fit *fit) {
  fit_number numbers[N_NUMBERS];
  list_numbers(fit, numbers);
  if (branch == 0) {
    printf("\n%s\tn_sizes", branches_key(set));
    for (int i = 0; i < N_NUMBERS; i++) printf("\t%s%s", numbers[i].name, numbers[i].end);
    printf("\trefused\tno_interval\tno_claim\n");
  }
  printf("%s\t%d", tutti_fit_trial_set_branch_name(set, branch), fit->n_sizes);
  for (int i = 0; i < N_NUMBERS; i++) printf("\t%.6g", numbers[i].value);
  printf("\t%s\t%s\t%s\n", fit->refused[0] ? fit->refused : "-", fit->no_interval[0] ? fit->no_interval : "-",
         fit->no_claim[0] ? fit->no_claim : "-");
}

void tutti_cli_print_fits(const tutti_trial_set *set, const tutti_fit *fits) {
  if (set->branches == 0) print_fit(fits);
  for (int b = 0; set->branches > 0 && b < tutti_fit_trial_set_n_branches(set); b++)
    print_fit_row(set, b, &fits[b]);
}

// --- the best values at a budget ------------------------------------------------------------------

/** The branch of a row is the value of its varied key, since this table has all branches below each other. */
static void print_budget_row(const tutti_trial_set *set, const tutti_budget_row *row, const double *varied) {
  const double values[] = {row->value, row->value_low, row->value_high, row->steps, row->samples};
  if (set->branches > 0) printf("%s\t", tutti_fit_trial_set_branch_name(set, (int)varied[set->branches - 1]));
  printf("%lld\t%.10g", (long long)row->batch_size, row->budget);
  print_cells(values, 5);
  print_setting(set, varied);
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
  print_keys(set);
  printf("\ttrials\tdiverged\tended\n");
  for (int i = 0; i < table->n_rows; i++)
    print_budget_row(set, &table->rows[i], table->varied + (int64_t)i * table->n_varied);
}
