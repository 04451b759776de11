/** Trials that an earlier version has left in the folder, "000017.h5": they get their names by hash, once.
 *
 * The number depends on the config that the file has, and so does the number of the setting in its row; its space gives
 * the hash of both.  open.c calls this. */
#include <string.h>

#include "base/log.h"
#include "study/identity_impl.h"

/** The space of the last file, which is that of the next one if their configs are equal; owned. */
typedef struct {
  char *config;
  tutti_space *space;
} last_space;

/** Make the space of a file, unless it is that of the last one. */
static tutti_status find_space(const tutti_file *file, last_space *last) {
  char *config = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", "config", &config));
  const bool is_same = last->config && strcmp(last->config, config) == 0;
  tutti_free(is_same ? config : last->config);
  if (is_same) return TUTTI_OK;
  last->config = config;
  tutti_space_destroy(&last->space);
  return tutti_study_identity_space(file, &last->space);
}

/** Give one trial its name by hash, if it is a trial of its config. */
static tutti_status rename_trial(const tutti_study *study, uint64_t number, last_space *last) {
  tutti_file *file = NULL;
  tutti_trial_set one = {0};
  tutti_study_difference found = {0};
  uint64_t hash = 0;
  tutti_status status = TUTTI_OK;
  status = tutti_study_store_open_trial(&study->store, TUTTI_STORE_BY_NUMBER, number, &file);
  if (status == TUTTI_ERR_MISSING) return TUTTI_OK; // without locks, another job has renamed it meanwhile
  if (status != TUTTI_OK) goto done;
  TUTTI_TRY_GOTO(done, tutti_study_check_file(study, file, &found));
  TUTTI_TRY_GOTO(done, tutti_fit_trial_set_read(file, &one));
  TUTTI_TRY_GOTO(done, find_space(file, last));
  TUTTI_CHECK_GOTO(done,
                   one.n_trials == 1 && one.results[0].trial == (int64_t)number &&
                       tutti_study_identity_is_of(last->space, &one, 0),
                   TUTTI_ERR_DATA,
                   "%s: does not hold trial %lld of its config: damaged, or of a version that drew other "
                   "settings; move it away, and the trial is computed again",
                   tutti_file_path(file), (long long)number);
  hash =
      tutti_space_hash(last->space, one.results[0].batch_size, one.results[0].setting, one.results[0].seed);
done:
  tutti_fit_trial_set_clear(&one);
  tutti_file_close(&file);
  return status == TUTTI_OK ? tutti_study_store_rename(&study->store, number, hash) : status;
}

tutti_status tutti_study_take_numbered(const tutti_study *study) {
  uint64_t *numbers = NULL;
  int64_t n = 0;
  last_space last = {0};
  TUTTI_CHECK(!tutti_io_claims_held(study->store.claims, TUTTI_CLAIM_EARLIER_START), TUTTI_ERR_CONFIG,
              "%s: a job of an earlier version is at work here; let it end, and start this one then",
              study->store.folder);
  tutti_status status = tutti_study_store_list(&study->store, TUTTI_STORE_BY_NUMBER, &numbers, &n);
  for (int64_t k = 0; k < n && status == TUTTI_OK; k++) status = rename_trial(study, numbers[k], &last);
  if (n > 0 && status == TUTTI_OK)
    tutti_log(TUTTI_LOG_INFO,
              "%s: %lld trials of an earlier version are renamed; that version does not find them any more",
              study->store.folder, (long long)n);
  tutti_space_destroy(&last.space);
  tutti_free(last.config);
  tutti_free(numbers);
  return status;
}
