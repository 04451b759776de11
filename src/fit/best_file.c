/** /best of a study's file: the rows of the table, the best value of each varied key, and the place of the local
 * model's minimum for keys of numbers.  Files of earlier versions lack columns, which get values that say so. */
#include <math.h>

#include "fit/records_impl.h"

#define COLUMN(member) TUTTI_RECORD_COLUMN(tutti_best, member)
static const tutti_column columns[] = {COLUMN(batch_size),
                                       COLUMN(setting),
                                       COLUMN(trial),
                                       COLUMN(steps),
                                       COLUMN(samples),
                                       COLUMN(epochs),
                                       COLUMN(seconds),
                                       COLUMN(steps_low),
                                       COLUMN(steps_high),
                                       COLUMN(effective_lr),
                                       COLUMN(trials),
                                       COLUMN(reached),
                                       COLUMN(not_reached),
                                       COLUMN(diverged),
                                       COLUMN(at_edge),
                                       COLUMN(model),
                                       COLUMN(model_settings),
                                       COLUMN(model_steps),
                                       COLUMN(model_steps_low),
                                       COLUMN(model_steps_high),
                                       COLUMN(setting_steps),
                                       COLUMN(confirm_trials),
                                       COLUMN(confirm_reached),
                                       COLUMN(confirm_steps),
                                       COLUMN(confirm_steps_low),
                                       COLUMN(confirm_steps_high),
                                       COLUMN(confirm_off),
                                       COLUMN(confirm_disagrees),
                                       {NULL}};

/** Columns that files of earlier versions lack. */
static const tutti_best missing = {.model = -1,
                                   .model_steps = NAN,
                                   .model_steps_low = NAN,
                                   .model_steps_high = NAN,
                                   .setting_steps = NAN,
                                   .confirm_steps = NAN,
                                   .confirm_steps_low = NAN,
                                   .confirm_steps_high = NAN,
                                   .confirm_off = NAN};
static const tutti_record_table table = {"/best", columns, false, &missing};

tutti_status tutti_fit_best_table_write(tutti_file *file, const tutti_trial_set *set,
                                        tutti_best_table *best) {
  const tutti_records rows = {best->n_rows, best->rows, best->varied, best->model};
  TUTTI_TRY(tutti_fit_records_write(file, &table, set, &rows));
  return tutti_file_set_texts(file, table.name, "models", tutti_fit_local_state_names, TUTTI_N_LOCAL_STATES);
}

// --- reading

/** Find where the rows of each branch begin.  They come branch by branch. */
static tutti_status find_branches(const tutti_file *file, const tutti_trial_set *set,
                                  tutti_best_table *best) {
  TUTTI_TRY(TUTTI_NEW(best->first, best->n_branches + 1));
  const int column = set->branches - 1;
  int b = 0;
  for (int i = 0; i < best->n_rows; i++) {
    const double branch = column < 0 ? 0 : best->varied[(int64_t)i * best->n_varied + column];
    TUTTI_CHECK(branch >= b && branch < best->n_branches, TUTTI_ERR_DATA,
                "%s: /best row %d: branch %g, expected %d to %d", tutti_file_path(file), i, branch, b,
                best->n_branches - 1);
    while (b < branch) best->first[++b] = i;
  }
  while (b < best->n_branches) best->first[++b] = best->n_rows;
  return TUTTI_OK;
}

tutti_status tutti_fit_best_table_read(const tutti_file *file, const tutti_trial_set *set,
                                       tutti_best_table *best) {
  tutti_status status = TUTTI_OK;
  tutti_records rows;
  *best = (tutti_best_table){.n_varied = set->n_varied, .n_branches = tutti_fit_trial_set_n_branches(set)};
  TUTTI_TRY(tutti_fit_records_read(file, &table, set, true, &rows));
  best->rows = rows.heads;
  best->varied = rows.varied;
  best->model = rows.estimates;
  TUTTI_TRY_GOTO(done, tutti_to_int(rows.n, "the number of batch sizes", &best->n_rows));
  TUTTI_TRY_GOTO(done, find_branches(file, set, best));
done:
  if (status != TUTTI_OK) tutti_fit_best_table_clear(best);
  return status;
}
