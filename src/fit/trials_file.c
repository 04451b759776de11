/** /trials and /confirm of a study's file: a row per trial, with the varied keys as columns. */
#include <stdio.h>
#include <string.h>

#include "fit/fit_impl.h"
#include "fit/records_impl.h"
#include "tutti/config.h"

#define COLUMN(member) TUTTI_RECORD_COLUMN(tutti_trial_result, member)
static const tutti_column columns[] = {
    COLUMN(trial),      COLUMN(setting),      COLUMN(seed),       COLUMN(batch_size),   COLUMN(status),
    COLUMN(goal_step),  COLUMN(goal_samples), COLUMN(goal_epoch), COLUMN(goal_seconds), COLUMN(steps),
    COLUMN(samples),    COLUMN(epochs),       COLUMN(seconds),    COLUMN(best_value),   COLUMN(best_step),
    COLUMN(last_value), COLUMN(val_loss),     COLUMN(val_metric), COLUMN(test_loss),    COLUMN(test_metric),
    COLUMN(group),      COLUMN(ranks),        COLUMN(started),    COLUMN(ended),        {NULL}};
static const tutti_record_table table = {"/trials", columns, true, NULL};
static const tutti_record_table confirm_table = {"/confirm", columns, false, NULL};

/** Write one of the tables with the names of the states. */
static tutti_status write_rows(tutti_file *file, const tutti_record_table *to, const tutti_trial_set *set,
                               const tutti_records *rows) {
  TUTTI_TRY(tutti_fit_records_write(file, to, set, rows));
  return tutti_file_set_texts(file, to->name, "states", tutti_fit_trial_state_names, TUTTI_N_TRIAL_STATES);
}

tutti_status tutti_fit_trial_set_write(tutti_file *file, const tutti_trial_set *set) {
  const tutti_records rows = {set->n_trials, set->results, set->varied, NULL};
  return write_rows(file, &table, set, &rows);
}

/** Return the values of the varied keys of a setting; NULL if there is none. */
static const double *find_setting(const tutti_trial_set *set, const tutti_trial_result *of) {
  for (int64_t i = 0; i < set->n_trials; i++)
    if (set->results[i].batch_size == of->batch_size && set->results[i].setting == of->setting)
      return set->varied + i * set->n_varied;
  return NULL;
}

/** Copy the fresh seeds that are done, with the varied values of their settings. */
static void take_done(const tutti_trial_set *set, tutti_trial_result *done, double *varied, int64_t *n) {
  for (int64_t i = 0; i < set->n_confirm; i++) {
    const double *values = find_setting(set, &set->confirm[i]);
    if (set->confirm[i].status == TUTTI_TRIAL_WAITING || !values) continue;
    memcpy(varied + *n * set->n_varied, values, (size_t)set->n_varied * sizeof *varied);
    done[(*n)++] = set->confirm[i];
  }
}

tutti_status tutti_fit_trial_set_write_confirm(tutti_file *file, const tutti_trial_set *set) {
  tutti_status status = TUTTI_OK;
  tutti_trial_result *results = NULL;
  tutti_records rows = {0};
  TUTTI_TRY_GOTO(done, TUTTI_NEW(results, set->n_confirm));
  rows.heads = results;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(rows.varied, set->n_confirm * set->n_varied));
  take_done(set, results, rows.varied, &rows.n);
  if (rows.n > 0 || tutti_file_has(file, confirm_table.name))
    TUTTI_TRY_GOTO(done, write_rows(file, &confirm_table, set, &rows));
done:
  tutti_fit_records_clear(&rows);
  return status;
}

// --- reading

/** Read the names of the varied keys that are columns, and the texts of those that choose from texts. */
static tutti_status read_names(const tutti_file *file, tutti_trial_set *set) {
  tutti_texts keys;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_get_texts(file, "/", "varied", &keys));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(set->names, keys.n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(set->texts, keys.n));
  for (int i = 0; i < keys.n; i++) {
    if (strcmp(keys.list[i], "train.batch_size") == 0) continue; // a column of its own
    const int k = set->n_varied++;
    set->names[k] = keys.list[i];
    keys.list[i] = NULL;
    if (tutti_file_has_attribute(file, table.name, set->names[k]))
      TUTTI_TRY_GOTO(done, tutti_file_get_texts(file, table.name, set->names[k], &set->texts[k]));
  }
done:
  tutti_texts_clear(&keys);
  return status;
}

/** Find the column of the branches, if the study has branches. */
static tutti_status read_branches(const tutti_file *file, tutti_trial_set *set) {
  char *key = NULL;
  if (!tutti_file_has_attribute(file, "/", "branches")) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_text(file, "/", "branches", &key));
  const int k = tutti_fit_trial_set_find(set, key);
  tutti_free(key);
  TUTTI_CHECK(k >= 0 && set->texts[k].n > 0, TUTTI_ERR_DATA,
              "%s: the attribute 'branches' names no varied key with texts: damaged", tutti_file_path(file));
  set->branches = k + 1;
  return TUTTI_OK;
}

/** Check what later code relies on: known states, positive batch sizes, and branches of the study. */
static tutti_status check_rows(const tutti_file *file, const char *name, const tutti_trial_set *set,
                               const tutti_records *rows) {
  const int n_branches = tutti_fit_trial_set_n_branches(set), column = set->branches - 1;
  for (int64_t i = 0; i < rows->n; i++) {
    const tutti_trial_result *result = (const tutti_trial_result *)rows->heads + i;
    TUTTI_CHECK(result->status >= 0 && result->status < TUTTI_N_TRIAL_STATES && result->batch_size > 0,
                TUTTI_ERR_DATA, "%s: %s row %lld: status %lld, batch size %lld, expected 0 to %d, and from 1",
                tutti_file_path(file), name, (long long)i, (long long)result->status,
                (long long)result->batch_size, TUTTI_N_TRIAL_STATES - 1);
    const double branch = column < 0 ? 0 : rows->varied[i * set->n_varied + column];
    TUTTI_CHECK(branch >= 0 && branch < n_branches, TUTTI_ERR_DATA,
                "%s: %s row %lld: %s is %g, expected 0 to %d", tutti_file_path(file), name, (long long)i,
                set->names[column], branch, n_branches - 1);
  }
  return TUTTI_OK;
}

static tutti_status read_rows(const tutti_file *file, const tutti_record_table *from,
                              const tutti_trial_set *set, tutti_records *rows) {
  TUTTI_TRY(tutti_fit_records_read(file, from, set, false, rows));
  const tutti_status status = check_rows(file, from->name, set, rows);
  if (status != TUTTI_OK) tutti_fit_records_clear(rows);
  return status;
}

/** Read the rows of both tables.  A fresh seed has the varied values of its setting, which are in /trials. */
static tutti_status read_tables(const tutti_file *file, tutti_trial_set *set) {
  tutti_records rows;
  TUTTI_TRY(read_rows(file, &table, set, &rows));
  set->n_trials = rows.n;
  set->results = rows.heads;
  set->varied = rows.varied;
  TUTTI_TRY(read_rows(file, &confirm_table, set, &rows));
  set->n_confirm = rows.n;
  set->confirm = rows.heads;
  tutti_free(rows.varied);
  return TUTTI_OK;
}

/** Take from the study's config what the set keeps of it. */
static tutti_status read_config(const tutti_file *file, tutti_trial_set *set) {
  tutti_config config;
  TUTTI_TRY(tutti_fit_config_read(file, &config));
  const tutti_status status = tutti_fit_trial_set_take_config(set, &config);
  tutti_config_clear(&config);
  return status;
}

tutti_status tutti_fit_trial_read(const tutti_file *file, tutti_trial_result *result) {
  const tutti_trial_set unvaried = {0}; // its columns are not read
  tutti_records rows;
  TUTTI_TRY(read_rows(file, &table, &unvaried, &rows));
  const bool is_one = rows.n == 1;
  if (is_one) *result = *(const tutti_trial_result *)rows.heads;
  tutti_fit_records_clear(&rows);
  TUTTI_CHECK(is_one, TUTTI_ERR_DATA,
              "%s: does not hold one trial: damaged; remove it, and the trial is computed again",
              tutti_file_path(file));
  return TUTTI_OK;
}

tutti_status tutti_fit_trial_set_read(const tutti_file *file, tutti_trial_set *set) {
  tutti_status status = TUTTI_OK;
  *set = (tutti_trial_set){0};
  TUTTI_TRY_GOTO(done, read_names(file, set));
  TUTTI_TRY_GOTO(done, read_branches(file, set));
  TUTTI_TRY_GOTO(done, read_tables(file, set));
  TUTTI_TRY_GOTO(done, read_config(file, set));
done:
  if (status != TUTTI_OK) tutti_fit_trial_set_clear(set);
  return status;
}
