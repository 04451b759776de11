/** A study's file and folder as a job finds them: missing, of this study, or of one that this study continues with more
 * trials.  prepare.c calls this on rank 0, with the right to write. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "study/study_impl.h"

/** Open the folder and take the right to write.  A job that ends may remove the folder in between, so this tries
 * again. */
static tutti_status enter(tutti_study *study) {
  enum { TRIES = 100 };
  for (int i = 0; i < TRIES; i++) {
    bool taken = false;
    TUTTI_TRY(tutti_study_store_open(study->config->study.output, true, &study->store));
    TUTTI_TRY(tutti_study_store_wait(&study->store, TUTTI_CLAIM_WRITING, &taken));
    if (taken && tutti_study_store_current(&study->store)) return TUTTI_OK;
    tutti_study_store_close(&study->store);
  }
  TUTTI_FAIL(TUTTI_ERR_CREATE,
             "%s.d: was removed %d times while being opened; is another job just finishing?",
             study->config->study.output, TRIES);
}

/** Refuse to grow while another job is at work, because it would write the file for the study as it was. */
static tutti_status check_alone(const tutti_study *study, const tutti_study_difference *found) {
  const char *folder = study->store.folder;
  const char *why = found->any ? found->text : "the trials there have no config.yaml beside them";
  TUTTI_CHECK(
      !tutti_io_claims_held(study->store.claims, TUTTI_CLAIM_PRESENCE), TUTTI_ERR_CONFIG,
      "%s: another job is at work on the study as it was: %s; wait until it ends, then start this one",
      folder, why);
  TUTTI_CHECK(tutti_io_claims_work(study->store.claims), TUTTI_ERR_CONFIG,
              "%s: %s, but the file system has no locks to tell whether another job is at work on the study "
              "as it was; let that come to its end, remove this folder, and change it then",
              folder, why);
  return TUTTI_OK;
}

/** Check the config and the data of a trial in the folder.
 * @param[out] began  when the first job began, by that file; NULL: not wanted */
static tutti_status check_trial(const tutti_study *study, uint64_t hash, double *began) {
  tutti_file *file = NULL;
  tutti_study_difference found = {0};
  TUTTI_TRY(tutti_study_store_open_trial(&study->store, TUTTI_STORE_BY_HASH, hash, &file));
  tutti_status status = tutti_study_check_file(study, file, &found);
  if (status == TUTTI_OK && began) status = tutti_file_get_real(file, "/", "began", began);
  tutti_file_close(&file);
  return status;
}

/** Make the study's file, without a trial that is done. */
static tutti_status begin_file(tutti_study *study) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, tutti_study_output_write(study, file));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

/** Look at the trials in the folder.  Without a config beside them, they may belong to any study.  If the study's file
 * is missing, one of them has the time from which its times count.
 * @param[out] n  how many there are */
static tutti_status look_into_folder(tutti_study *study, bool has_file, bool marked, int64_t *n) {
  uint64_t *hashes = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_study_take_numbered(study));
  TUTTI_TRY_GOTO(done, tutti_study_store_list(&study->store, TUTTI_STORE_BY_HASH, &hashes, n));
  for (int64_t k = 0; k < *n && !marked; k++) TUTTI_TRY_GOTO(done, check_trial(study, hashes[k], NULL));
  if (!has_file && *n > 0) TUTTI_TRY_GOTO(done, check_trial(study, hashes[0], &study->head.began));
done:
  tutti_free(hashes);
  return status;
}

/** Open everything while no other job opens or writes. */
static tutti_status open_alone(tutti_study *study) {
  tutti_study_difference of_file = {0}, of_folder = {0};
  bool marked = false;
  int64_t n = 0;
  const bool has_file = access(study->config->study.output, F_OK) == 0;
  study->head.began = tutti_clock_unix_s();
  if (has_file) TUTTI_TRY(tutti_study_output_read(study, &of_file));
  TUTTI_TRY(tutti_study_check_folder(study, &marked, &of_folder));
  TUTTI_TRY(look_into_folder(study, has_file, marked, &n));
  const bool grows = of_file.extent || of_folder.extent || (!marked && n > 0);
  const tutti_study_difference *found = of_file.extent ? &of_file : &of_folder;
  if (grows && (marked || n > 0)) TUTTI_TRY(check_alone(study, found));
  if (grows)
    TUTTI_TRY(tutti_study_grow(study, has_file, found));
  else if (!has_file)
    TUTTI_TRY(begin_file(study));
  if (!marked || of_folder.extent) TUTTI_TRY(tutti_study_mark_folder(study));
  return tutti_study_output_collect_trials(study);
}

tutti_status tutti_study_output_open(tutti_study *study) {
  bool present = false;
  TUTTI_TRY(enter(study));
  tutti_status status = open_alone(study);
  if (status == TUTTI_OK) status = tutti_io_claims_share(study->store.claims, TUTTI_CLAIM_PRESENCE, &present);
  if (status != TUTTI_OK) tutti_study_store_leave(&study->store);
  tutti_io_claims_give_back(study->store.claims, TUTTI_CLAIM_WRITING);
  return status;
}
