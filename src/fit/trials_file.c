/** /trials and /confirm of a study's file: a row per trial, with the varied keys as columns. */
#include <stdio.h>
#include <string.h>

#include "fit/fit_impl.h"
#include "fit/records_impl.h"
#include "tutti/config.h"

#define WHOLE(name)                                                                                          \
  { #name, TUTTI_I64, offsetof(tutti_trial_result, name) }
#define REAL(name)                                                                                           \
  { #name, TUTTI_F64, offsetof(tutti_trial_result, name) }
static const tutti_column columns[] = {
    WHOLE(trial),     WHOLE(setting),     WHOLE(seed),      WHOLE(batch_size),  WHOLE(status),
    REAL(goal_step),  REAL(goal_samples), REAL(goal_epoch), REAL(goal_seconds), REAL(steps),
    REAL(samples),    REAL(epochs),       REAL(seconds),    REAL(best_value),   REAL(best_step),
    REAL(last_value), REAL(val_loss),     REAL(val_metric), REAL(test_loss),    REAL(test_metric),
    WHOLE(group),     WHOLE(ranks),       REAL(started),    REAL(ended)};
static const tutti_record_table table = {"/trials", columns, (int)(sizeof columns / sizeof *columns),
                                         sizeof(tutti_trial_result)};

tutti_status tutti_fit_trial_set_write(tutti_file *file, const tutti_trial_set *set) {
  TUTTI_TRY(tutti_fit_records_write(file, &table, set, set->results, set->varied, set->n_trials));
  TUTTI_TRY(
      tutti_file_set_texts(file, table.name, "states", tutti_fit_trial_state_names, TUTTI_N_TRIAL_STATES));
  return TUTTI_OK;
}

static const tutti_record_table confirm_table = {"/confirm", columns, (int)(sizeof columns / sizeof *columns),
                                                 sizeof(tutti_trial_result)};

/** Return the values of the varied keys of a setting; NULL if there is none. */
static const double *find_setting(const tutti_trial_set *set, const tutti_trial_result *of) {
  for (int64_t i = 0; i < set->n_trials; i++)
    if (set->results[i].batch_size == of->batch_size && set->results[i].setting == of->setting)
      return set->varied + i * set->n_varied;
  return NULL;
}

/** Copy the fresh seeds that are done, with the varied values of their settings. */
static int64_t take_done(const tutti_trial_set *set, tutti_trial_result *done, double *varied) {
  int64_t n = 0;
  for (int64_t i = 0; i < set->n_confirm; i++) {
    const double *values = find_setting(set, &set->confirm[i]);
    if (set->confirm[i].status == TUTTI_TRIAL_WAITING || !values) continue;
    done[n] = set->confirm[i];
    for (int k = 0; k < set->n_varied; k++) varied[n * set->n_varied + k] = values[k];
    n++;
  }
  return n;
}

tutti_status tutti_fit_trial_set_write_confirm(tutti_file *file, const tutti_trial_set *set) {
  tutti_status status = TUTTI_OK;
  tutti_trial_result *rows = NULL;
  double *varied = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(rows, set->n_confirm));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(varied, set->n_confirm * set->n_varied));
  const int64_t n = take_done(set, rows, varied);
  if (n == 0 && !tutti_file_has(file, confirm_table.name)) goto done;
  TUTTI_TRY_GOTO(done, tutti_fit_records_write(file, &confirm_table, set, rows, varied, n));
  TUTTI_TRY_GOTO(done, tutti_file_set_texts(file, confirm_table.name, "states", tutti_fit_trial_state_names,
                                            TUTTI_N_TRIAL_STATES));
done:
  tutti_free(rows);
  tutti_free(varied);
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

/** Check that the branch of a row is one of the study. */
static tutti_status check_branch(const tutti_file *file, const tutti_trial_set *set, int64_t i) {
  if (set->branches == 0) return TUTTI_OK;
  const double branch = set->varied[i * set->n_varied + set->branches - 1];
  TUTTI_CHECK(branch >= 0 && branch < tutti_fit_trial_set_n_branches(set), TUTTI_ERR_DATA,
              "%s: /trials row %lld: %s is %g, expected 0 to %d", tutti_file_path(file), (long long)i,
              set->names[set->branches - 1], branch, tutti_fit_trial_set_n_branches(set) - 1);
  return TUTTI_OK;
}

/** Check what later code relies on: a known state and a positive batch size. */
static tutti_status check_result(const tutti_file *file, const char *name, int64_t i,
                                 const tutti_trial_result *result) {
  TUTTI_CHECK(result->status >= 0 && result->status < TUTTI_N_TRIAL_STATES && result->batch_size > 0,
              TUTTI_ERR_DATA, "%s: %s row %lld: status %lld, batch size %lld, expected 0 to %d, and from 1",
              tutti_file_path(file), name, (long long)i, (long long)result->status,
              (long long)result->batch_size, TUTTI_N_TRIAL_STATES - 1);
  return TUTTI_OK;
}

static tutti_status read_rows(const tutti_file *file, tutti_trial_set *set) {
  TUTTI_TRY(tutti_table_rows(file, table.name, &set->n_trials));
  TUTTI_TRY(TUTTI_NEW(set->results, set->n_trials));
  TUTTI_TRY(TUTTI_NEW(set->varied, set->n_trials * set->n_varied));
  TUTTI_TRY(tutti_fit_records_read(file, &table, set, set->n_trials, set->results, set->varied));
  for (int64_t i = 0; i < set->n_trials; i++) {
    TUTTI_TRY(check_result(file, table.name, i, &set->results[i]));
    TUTTI_TRY(check_branch(file, set, i));
  }
  return TUTTI_OK;
}

static tutti_status read_confirm(const tutti_file *file, tutti_trial_set *set) {
  double *varied = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, confirm_table.name, &set->n_confirm));
  if (set->n_confirm == 0) goto done;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(set->confirm, set->n_confirm));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(varied, set->n_confirm * set->n_varied));
  TUTTI_TRY_GOTO(done,
                 tutti_fit_records_read(file, &confirm_table, set, set->n_confirm, set->confirm, varied));
  for (int64_t i = 0; i < set->n_confirm; i++)
    TUTTI_TRY_GOTO(done, check_result(file, confirm_table.name, i, &set->confirm[i]));
done:
  tutti_free(varied);
  return status;
}

/** Take from the study's config what the set keeps of it. */
static tutti_status read_config(const tutti_file *file, tutti_trial_set *set) {
  tutti_config config = {0};
  char *text = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_get_text(file, "/", "config", &text));
  TUTTI_TRY_GOTO(done, tutti_config_parse(text, tutti_file_path(file), NULL, 0, &config));
  TUTTI_TRY_GOTO(done, tutti_fit_trial_set_take_config(set, &config));
done:
  tutti_config_clear(&config);
  tutti_free(text);
  return status;
}

tutti_status tutti_fit_trial_set_read(const tutti_file *file, tutti_trial_set *set) {
  tutti_status status = TUTTI_OK;
  *set = (tutti_trial_set){0};
  TUTTI_TRY_GOTO(done, read_names(file, set));
  TUTTI_TRY_GOTO(done, read_branches(file, set));
  TUTTI_TRY_GOTO(done, read_rows(file, set));
  TUTTI_TRY_GOTO(done, read_confirm(file, set));
  TUTTI_TRY_GOTO(done, read_config(file, set));
done:
  if (status != TUTTI_OK) tutti_fit_trial_set_clear(set);
  return status;
}
