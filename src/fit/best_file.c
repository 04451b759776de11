/** /best of a study's file: the rows of the table, the best value of each varied key, and the place of the local model's
 * minimum for keys of numbers.  Files of earlier versions lack columns, which get values that say so. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit/records_impl.h"

#define WHOLE(name)                                                                                          \
  { #name, TUTTI_I64, offsetof(tutti_best, name) }
#define REAL(name)                                                                                           \
  { #name, TUTTI_F64, offsetof(tutti_best, name) }
static const tutti_column columns[] = {WHOLE(batch_size),
                                       WHOLE(setting),
                                       WHOLE(trial),
                                       REAL(steps),
                                       REAL(samples),
                                       REAL(epochs),
                                       REAL(seconds),
                                       REAL(steps_low),
                                       REAL(steps_high),
                                       REAL(effective_lr),
                                       WHOLE(trials),
                                       WHOLE(reached),
                                       WHOLE(not_reached),
                                       WHOLE(diverged),
                                       WHOLE(at_edge),
                                       WHOLE(model),
                                       WHOLE(model_settings),
                                       REAL(model_steps),
                                       REAL(model_steps_low),
                                       REAL(model_steps_high),
                                       REAL(setting_steps),
                                       WHOLE(confirm_trials),
                                       WHOLE(confirm_reached),
                                       REAL(confirm_steps),
                                       REAL(confirm_steps_low),
                                       REAL(confirm_steps_high),
                                       REAL(confirm_off),
                                       WHOLE(confirm_disagrees)};
static const tutti_record_table table = {"/best", columns, (int)(sizeof columns / sizeof *columns),
                                         sizeof(tutti_best)};

// --- the columns of the varied keys: the value of each, and three of the model for each key of numbers

enum { PER_ESTIMATE = 3 };

/** The columns, in the form of a set of trials.  All is owned except `texts`. */
typedef struct {
  tutti_trial_set names;
  double *values; // [n_rows, names.n_varied]
} layout;

/** Return whether the local model has a place for the key: only numbers have one. */
static bool has_estimate(const tutti_trial_set *set, int k) {
  return !(set->texts && set->texts[k].n > 0);
}

/** Add the name of a column, put together from three parts. */
static tutti_status add_name(const char *begin, const char *key, const char *end, tutti_trial_set *names) {
  const size_t bytes = strlen(begin) + strlen(key) + strlen(end) + 1;
  TUTTI_TRY(TUTTI_NEW(names->names[names->n_varied], (int64_t)bytes));
  snprintf(names->names[names->n_varied++], bytes, "%s%s%s", begin, key, end);
  return TUTTI_OK;
}

static void layout_clear(layout *l) {
  for (int k = 0; k < l->names.n_varied; k++) tutti_free(l->names.names[k]);
  tutti_free(l->names.names);
  tutti_free(l->names.texts);
  tutti_free(l->values);
}

/** Lay out the columns: the best value of each key, then three estimates of each key of numbers. */
static tutti_status layout_create(const tutti_trial_set *set, int64_t n_rows, layout *l) {
  static const char *const ends[PER_ESTIMATE] = {"", "_low", "_high"};
  const int most = set->n_varied * (1 + PER_ESTIMATE);
  TUTTI_TRY(TUTTI_NEW(l->names.names, most));
  TUTTI_TRY(TUTTI_NEW(l->names.texts, most));
  for (int k = 0; k < set->n_varied; k++) {
    TUTTI_TRY(add_name("", set->names[k], "", &l->names));
    if (!has_estimate(set, k)) l->names.texts[k] = set->texts[k];
  }
  for (int k = 0; k < set->n_varied; k++)
    for (int e = 0; e < PER_ESTIMATE && has_estimate(set, k); e++)
      TUTTI_TRY(add_name("model_", set->names[k], ends[e], &l->names));
  TUTTI_TRY(TUTTI_NEW(l->values, n_rows * l->names.n_varied));
  return TUTTI_OK;
}

/** Move the values of a row between the table and the columns. */
static void move_row(const tutti_trial_set *set, tutti_best_table *best, int row, double *values,
                     bool to_columns) {
  double *varied = best->varied + (int64_t)row * set->n_varied;
  const tutti_estimate *estimates = best->model + (int64_t)row * set->n_varied;
  int at = set->n_varied;
  memcpy(to_columns ? values : varied, to_columns ? varied : values, (size_t)set->n_varied * sizeof *values);
  for (int k = 0; k < set->n_varied; k++) {
    if (!has_estimate(set, k)) continue;
    void *there = (void *)&estimates[k], *here = values + at;
    memcpy(to_columns ? here : there, to_columns ? there : here, sizeof *estimates);
    at += PER_ESTIMATE;
  }
}

tutti_status tutti_fit_best_table_write(tutti_file *file, const tutti_trial_set *set,
                                        tutti_best_table *best) {
  tutti_status status = TUTTI_OK;
  layout l = {0};
  TUTTI_TRY_GOTO(done, layout_create(set, best->n_rows, &l));
  for (int i = 0; i < best->n_rows; i++)
    move_row(set, best, i, l.values + (int64_t)i * l.names.n_varied, true);
  TUTTI_TRY_GOTO(done, tutti_fit_records_write(file, &table, &l.names, best->rows, l.values, best->n_rows));
  TUTTI_TRY_GOTO(done, tutti_file_set_texts(file, table.name, "models", tutti_fit_local_state_names,
                                            TUTTI_N_LOCAL_STATES));
done:
  layout_clear(&l);
  return status;
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

/** Set columns that files of earlier versions lack. */
static void fill_missing(tutti_best *row) {
  row->model = -1;
  row->model_steps = row->model_steps_low = row->model_steps_high = row->setting_steps = NAN;
  row->confirm_steps = row->confirm_steps_low = row->confirm_steps_high = row->confirm_off = NAN;
}

static tutti_status read_rows(const tutti_file *file, const tutti_trial_set *set, tutti_best_table *best) {
  tutti_status status = TUTTI_OK;
  layout l = {0};
  TUTTI_TRY_GOTO(done, layout_create(set, best->n_rows, &l));
  for (int64_t i = 0; i < (int64_t)best->n_rows * l.names.n_varied; i++) l.values[i] = NAN;
  for (int i = 0; i < best->n_rows; i++) fill_missing(&best->rows[i]);
  TUTTI_TRY_GOTO(done, tutti_fit_records_read(file, &table, &l.names, best->n_rows, best->rows, l.values));
  for (int i = 0; i < best->n_rows; i++)
    move_row(set, best, i, l.values + (int64_t)i * l.names.n_varied, false);
done:
  layout_clear(&l);
  return status;
}

tutti_status tutti_fit_best_table_read(const tutti_file *file, const tutti_trial_set *set,
                                       tutti_best_table *best) {
  tutti_status status = TUTTI_OK;
  int64_t n = 0;
  *best = (tutti_best_table){.n_varied = set->n_varied, .n_branches = tutti_fit_trial_set_n_branches(set)};
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, table.name, &n));
  TUTTI_TRY_GOTO(done, tutti_to_int(n, "the number of batch sizes", &best->n_rows));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(best->rows, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(best->varied, n * set->n_varied));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(best->model, n * set->n_varied));
  if (n > 0) TUTTI_TRY_GOTO(done, read_rows(file, set, best));
  TUTTI_TRY_GOTO(done, find_branches(file, set, best));
done:
  if (status != TUTTI_OK) tutti_fit_best_table_clear(best);
  return status;
}
