/** Trials that an earlier version has left in the folder, "000017.h5": they get their names by hash, once.
 *
 * The number depends on the config that the file has, and so does the number of the setting in its row; its space gives the
 * hash of both.  open.c calls this. */
#include "study/identity_impl.h"

static tutti_status rename_trial(const tutti_study *study, uint64_t number) {
  tutti_file *file = NULL;
  tutti_space *space = NULL;
  tutti_trial_record record = {0};
  tutti_study_difference found = {0};
  uint64_t hash = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_store_open_numbered(&study->store, number, &file));
  TUTTI_TRY_GOTO(done, tutti_study_check_file(study, file, &found));
  TUTTI_TRY_GOTO(done, tutti_store_read_trial(file, false, &record));
  TUTTI_TRY_GOTO(done, tutti_identity_space(file, &space));
  hash = tutti_space_hash(space, record.result.batch_size, record.result.setting, record.result.seed);
  TUTTI_CHECK_GOTO(
      done, hash != 0 && record.result.trial == (int64_t)number, TUTTI_ERR_DATA,
      "%s: does not hold trial %lld of its config: damaged; remove it, and the trial is computed "
      "again",
      tutti_file_path(file), (long long)number);
done:
  tutti_trial_record_clear(&record);
  tutti_space_destroy(&space);
  tutti_file_close(&file);
  return status == TUTTI_OK ? tutti_store_rename(&study->store, number, hash) : status;
}

tutti_status tutti_study_take_numbered(const tutti_study *study) {
  uint64_t *numbers = NULL;
  int64_t n = 0;
  TUTTI_CHECK(!tutti_claims_held(study->store.claims, TUTTI_CLAIM_EARLIER_START), TUTTI_ERR_CONFIG,
              "%s: a job of an earlier version is at work here; let it end, and start this one then",
              study->store.folder);
  tutti_status status = tutti_store_list_numbered(&study->store, &numbers, &n);
  for (int64_t k = 0; k < n && status == TUTTI_OK; k++) status = rename_trial(study, numbers[k]);
  tutti_free(numbers);
  return status;
}
