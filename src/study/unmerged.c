/** The trials of a running study that are done but not in its file yet, for `tutti info`. */
#include <stdio.h>
#include <string.h>

#include "study/identity_impl.h"
#include "study/store_impl.h"
#include "tutti/study.h"

/** The folder, and the trials in it. */
typedef struct {
  tutti_store store; // without claims
  uint64_t *hashes, *numbers;
  int64_t n_hashes, n_numbers;
} content;

/** List what is in the folder. */
static tutti_status look(const char *output, content *c) {
  const size_t bytes = strlen(output) + sizeof ".d";
  TUTTI_TRY(TUTTI_NEW(c->store.folder, (int64_t)bytes));
  snprintf(c->store.folder, bytes, "%s.d", output);
  TUTTI_TRY(tutti_study_store_list(&c->store, &c->hashes, &c->n_hashes));
  return tutti_study_store_list_numbered(&c->store, &c->numbers, &c->n_numbers);
}

/** Read trial i, under its hash or, from an earlier version, its number.  One that cannot be read is left for `tutti study`
 * to report. */
static void take_result(const content *c, uint64_t hash, bool is_numbered, tutti_trial_set *set, int64_t i) {
  tutti_trial_record record = {0};
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  if (!is_numbered) {
    status = tutti_study_store_get(&c->store, hash, set, i, false, &record);
  } else {
    status = tutti_study_store_open_numbered(&c->store, (uint64_t)i, &file);
    if (status == TUTTI_OK) status = tutti_study_store_read_trial(file, false, &record);
    tutti_file_close(&file);
  }
  const tutti_trial_result *is = &record.result, *wanted = &set->results[i];
  const bool is_same =
      is->batch_size == wanted->batch_size && is->setting == wanted->setting && is->seed == wanted->seed;
  if (status == TUTTI_OK && is_same) set->results[i] = record.result;
  tutti_trial_record_clear(&record);
}

tutti_status tutti_study_unmerged(const tutti_file *file, bool take, tutti_trial_set *set, int64_t *n) {
  content c = {0};
  tutti_space *space = NULL;
  tutti_status status = TUTTI_OK;
  *n = 0;
  TUTTI_TRY_GOTO(done, look(tutti_file_path(file), &c));
  if (c.n_hashes == 0 && c.n_numbers == 0) goto done;
  TUTTI_TRY_GOTO(done, tutti_study_identity_space(file, &space));
  for (int64_t i = 0; i < set->n_trials; i++) {
    const tutti_trial_result *result = &set->results[i];
    if (result->status != TUTTI_TRIAL_WAITING) continue;
    const uint64_t hash = tutti_space_hash(space, result->batch_size, result->setting, result->seed);
    const bool is_hashed = tutti_study_store_lists(c.hashes, c.n_hashes, hash);
    if (!is_hashed && !tutti_study_store_lists(c.numbers, c.n_numbers, (uint64_t)i)) continue;
    ++*n;
    if (take) take_result(&c, hash, !is_hashed, set, i);
  }
done:
  tutti_space_destroy(&space);
  tutti_free(c.hashes);
  tutti_free(c.numbers);
  tutti_free(c.store.folder);
  return status;
}
