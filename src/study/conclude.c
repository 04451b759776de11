#include <stdio.h>
#include <string.h>

#include "study/records.h"

/** Draws of the bootstrap: enough for the ends of a 95 % interval, and tenths of a second for a large study. */
enum { N_DRAWS = 1000 };

// --- /best

#define WHOLE(name)                                                                                          \
  { #name, TUTTI_I64, offsetof(tutti_best, name) }
#define REAL(name)                                                                                           \
  { #name, TUTTI_F64, offsetof(tutti_best, name) }
static const tutti_column columns[] = {WHOLE(batch_size),  WHOLE(setting),     WHOLE(trial),  REAL(steps),
                                       REAL(samples),      REAL(epochs),       REAL(seconds), REAL(steps_low),
                                       REAL(steps_high),   REAL(effective_lr), WHOLE(trials), WHOLE(reached),
                                       WHOLE(not_reached), WHOLE(diverged),    WHOLE(at_edge)};
static const tutti_record_table table = {"/best", columns, (int)(sizeof columns / sizeof *columns),
                                         sizeof(tutti_best)};

tutti_status tutti_best_table_read(const tutti_file *file, const tutti_trial_set *set,
                                   tutti_best_table *best) {
  tutti_status status = TUTTI_OK;
  int64_t n = 0;
  *best = (tutti_best_table){.n_varied = set->n_varied};
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, table.name, &n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(best->rows, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(best->varied, n * set->n_varied));
  TUTTI_TRY_GOTO(done, tutti_records_read(file, &table, set, n, best->rows, best->varied));
  TUTTI_TRY_GOTO(done, tutti_to_int(n, "the number of batch sizes", &best->n_sizes));
done:
  if (status != TUTTI_OK) tutti_best_table_clear(best);
  return status;
}

// --- /fit

static const char *const draws_name = "/fit/draws";

/** The real numbers of /fit: `name` of number i, and where it stands. */
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

static tutti_status write_fit(tutti_file *file, tutti_fit *fit, const double *draws) {
  static const tutti_column draw_columns[] = {
      {"S_min", TUTTI_F64, TUTTI_FIT_S_MIN * sizeof(double)},
      {"E_min", TUTTI_F64, TUTTI_FIT_E_MIN * sizeof(double)},
      {"B_crit", TUTTI_F64, TUTTI_FIT_B_CRIT * sizeof(double)},
  };
  char name[64];
  double *value;
  if (tutti_file_has(file, draws_name)) TUTTI_TRY(tutti_table_truncate(file, draws_name, 0));
  // The table makes the group that has the attributes, also where there is no draw.
  TUTTI_TRY(tutti_table_append(file, draws_name, draw_columns, TUTTI_N_FIT_NUMBERS,
                               TUTTI_N_FIT_NUMBERS * sizeof(double), draws, fit->refused[0] ? 0 : N_DRAWS));
  TUTTI_TRY(tutti_file_set_integer(file, "/fit", "n_sizes", fit->n_sizes));
  TUTTI_TRY(tutti_file_set_text(file, "/fit", "refused", fit->refused));
  TUTTI_TRY(tutti_file_set_text(file, "/fit", "no_interval", fit->no_interval));
  for (int i = 0; (value = fit_number(fit, i, name)); i++)
    TUTTI_TRY(tutti_file_set_real(file, "/fit", name, *value));
  return TUTTI_OK;
}

static tutti_status read_reason(const tutti_file *file, const char *name, char reason[256]) {
  char *text = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/fit", name, &text));
  snprintf(reason, 256, "%s", text);
  tutti_free(text);
  return TUTTI_OK;
}

tutti_status tutti_fit_read(const tutti_file *file, tutti_fit *fit) {
  char name[64];
  double *value;
  int64_t n = 0;
  *fit = (tutti_fit){0};
  TUTTI_TRY(tutti_file_get_integer(file, "/fit", "n_sizes", &n));
  TUTTI_TRY(tutti_to_int(n, "the number of batch sizes", &fit->n_sizes));
  TUTTI_TRY(read_reason(file, "refused", fit->refused));
  TUTTI_TRY(read_reason(file, "no_interval", fit->no_interval));
  for (int i = 0; (value = fit_number(fit, i, name)); i++)
    TUTTI_TRY(tutti_file_get_real(file, "/fit", name, value));
  return TUTTI_OK;
}

tutti_status tutti_study_conclude(tutti_file *file, const tutti_trial_set *set) {
  tutti_status status = TUTTI_OK;
  tutti_best_table best = {0};
  tutti_fit fit;
  double *draws = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(draws, (int64_t)N_DRAWS * TUTTI_N_FIT_NUMBERS));
  TUTTI_TRY_GOTO(done, tutti_study_best(set, &best));
  TUTTI_TRY_GOTO(done, tutti_fit_study(set, &best, 0, N_DRAWS, draws, &fit));
  TUTTI_TRY_GOTO(done, tutti_records_write(file, &table, set, best.rows, best.varied, best.n_sizes));
  TUTTI_TRY_GOTO(done, write_fit(file, &fit, draws));
done:
  tutti_best_table_clear(&best);
  tutti_free(draws);
  return status;
}
