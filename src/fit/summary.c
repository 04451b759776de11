/** The results of a study in its file: /best, /best_at_budget, and /fit of each branch with the draws of its intervals.
 * The study calls this whenever it writes its file. */
#include <stdio.h>
#include <string.h>

#include "fit/records_impl.h"

// --- /fit

/** Make the path "/fit", or "/fit/sgd" of a branch; the caller frees it (tutti_free).
 * @param[in] end  appended */
static tutti_status fit_path(const tutti_trial_set *set, int branch, const char *end, char **path) {
  const char *name = tutti_fit_trial_set_branch_name(set, branch);
  const size_t bytes = sizeof "/fit/" + strlen(name) + strlen(end);
  TUTTI_TRY(TUTTI_NEW(*path, (int64_t)bytes));
  const int begin = snprintf(*path, bytes, "/fit%s", set->branches > 0 ? "/" : "");
  for (size_t i = 0; name[i]; i++) (*path)[begin + (int)i] = name[i] == '/' ? '_' : name[i];
  strcat(*path, end);
  return TUTTI_OK;
}

/** Get the name of real number i of /fit, and where the fit has it; NULL after the last one. */
static double *fit_number(tutti_fit *fit, int i, char name[64]) {
  static const char *const ends[] = {"", "_low", "_high"};
  double *const values[] = {fit->value, fit->low, fit->high};
  static const char *const others[] = {"residual", "perfect_scaling_end", "largest_useful_batch"};
  double *const other_values[] = {&fit->residual, &fit->perfect_scaling_end, &fit->largest_useful_batch};
  const int n = 3 * TUTTI_N_FIT_NUMBERS;
  if (i < n) {
    snprintf(name, 64, "%s%s", tutti_fit_names[i % TUTTI_N_FIT_NUMBERS], ends[i / TUTTI_N_FIT_NUMBERS]);
    return &values[i / TUTTI_N_FIT_NUMBERS][i % TUTTI_N_FIT_NUMBERS];
  }
  snprintf(name, 64, "%s", i < n + 3 ? others[i - n] : "");
  return i < n + 3 ? other_values[i - n] : NULL;
}

/** Replace the draws of the intervals. */
static tutti_status write_draws(tutti_file *file, const char *path, const double *draws, int64_t n) {
  static const tutti_column draw_columns[] = {
      {"S_min", TUTTI_F64, TUTTI_FIT_S_MIN * sizeof(double)},
      {"E_min", TUTTI_F64, TUTTI_FIT_E_MIN * sizeof(double)},
      {"B_crit", TUTTI_F64, TUTTI_FIT_B_CRIT * sizeof(double)},
  };
  return tutti_table_replace(file, path, draw_columns, TUTTI_N_FIT_NUMBERS,
                             TUTTI_N_FIT_NUMBERS * sizeof(double), draws, n);
}

static tutti_status write_numbers(tutti_file *file, const char *group, tutti_fit *fit) {
  char name[64];
  double *value;
  TUTTI_TRY(tutti_file_set_integer(file, group, "n_sizes", fit->n_sizes));
  TUTTI_TRY(tutti_file_set_text(file, group, "refused", fit->refused));
  TUTTI_TRY(tutti_file_set_text(file, group, "no_interval", fit->no_interval));
  TUTTI_TRY(tutti_file_set_text(file, group, "no_claim", fit->no_claim));
  for (int i = 0; (value = fit_number(fit, i, name)); i++)
    TUTTI_TRY(tutti_file_set_real(file, group, name, *value));
  return TUTTI_OK;
}

static tutti_status write_fit(tutti_file *file, const tutti_trial_set *set, int branch, tutti_fit *fit,
                              const double *draws) {
  tutti_status status = TUTTI_OK;
  char *group = NULL, *table_path = NULL;
  TUTTI_TRY_GOTO(done, fit_path(set, branch, "", &group));
  TUTTI_TRY_GOTO(done, fit_path(set, branch, "/draws", &table_path));
  // The table makes the group that has the attributes, even if there is no draw.
  TUTTI_TRY_GOTO(done, write_draws(file, table_path, draws, fit->refused[0] ? 0 : TUTTI_FIT_DRAWS));
  TUTTI_TRY_GOTO(done, write_numbers(file, group, fit));
done:
  tutti_free(group);
  tutti_free(table_path);
  return status;
}

static tutti_status read_reason(const tutti_file *file, const char *group, const char *name,
                                char reason[TUTTI_REASON_BYTES]) {
  char *text = NULL;
  TUTTI_TRY(tutti_file_get_text(file, group, name, &text));
  snprintf(reason, TUTTI_REASON_BYTES, "%s", text);
  tutti_free(text);
  return TUTTI_OK;
}

/** Read no_claim.  Files of earlier versions do not have it; their intervals are bootstraps of the best of each
 * search. */
static tutti_status read_claim(const tutti_file *file, const char *group, tutti_fit *fit) {
  if (tutti_file_has_attribute(file, group, "no_claim"))
    return read_reason(file, group, "no_claim", fit->no_claim);
  if (!fit->refused[0])
    snprintf(
        fit->no_claim, sizeof fit->no_claim,
        "these are not 95 %% intervals: an earlier version made them from the best of each search, luck and "
        "all; tutti study brings the file up to date");
  return TUTTI_OK;
}

static tutti_status read_numbers(const tutti_file *file, const char *group, tutti_fit *fit) {
  char name[64];
  double *value;
  int64_t n = 0;
  TUTTI_TRY(tutti_file_get_integer(file, group, "n_sizes", &n));
  TUTTI_TRY(tutti_to_int(n, "the number of batch sizes", &fit->n_sizes));
  TUTTI_TRY(read_reason(file, group, "refused", fit->refused));
  TUTTI_TRY(read_reason(file, group, "no_interval", fit->no_interval));
  TUTTI_TRY(read_claim(file, group, fit));
  for (int i = 0; (value = fit_number(fit, i, name)); i++)
    TUTTI_TRY(tutti_file_get_real(file, group, name, value));
  return TUTTI_OK;
}

tutti_status tutti_fit_read(const tutti_file *file, const tutti_trial_set *set, int branch, tutti_fit *fit) {
  char *group = NULL;
  *fit = (tutti_fit){0};
  TUTTI_TRY(fit_path(set, branch, "", &group));
  const tutti_status status = read_numbers(file, group, fit);
  tutti_free(group);
  return status;
}

tutti_status tutti_fit_summary_write(tutti_file *file, const tutti_trial_set *set) {
  tutti_status status = TUTTI_OK;
  tutti_best_table best = {0};
  tutti_fit fit;
  double *draws = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(draws, (int64_t)TUTTI_FIT_DRAWS * TUTTI_N_FIT_NUMBERS));
  TUTTI_TRY_GOTO(done, tutti_fit_best_table_create(set, &best));
  TUTTI_TRY_GOTO(done, tutti_fit_best_table_write(file, set, &best));
  TUTTI_TRY_GOTO(done, tutti_fit_budget_table_write(file, set));
  for (int b = 0; b < best.n_branches; b++) {
    TUTTI_TRY_GOTO(done, tutti_fit_study(set, &best, b, 0, TUTTI_FIT_DRAWS, draws, &fit));
    TUTTI_TRY_GOTO(done, write_fit(file, set, b, &fit, draws));
  }
done:
  tutti_fit_best_table_clear(&best);
  tutti_free(draws);
  return status;
}
