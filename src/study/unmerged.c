/** The trials of a running study that are done but not in its file yet, for `tutti info`. */
#include <stdio.h>
#include <string.h>

#include "study/identity_impl.h"
#include "study/store_impl.h"
#include "tutti/study.h"

/** The folder, and the trials in it under names of both kinds. */
typedef struct {
  tutti_store store; // without claims
  uint64_t *names[2];
  int64_t n[2];
} content;

/** List what is in the folder. */
static tutti_status look(const char *output, content *c) {
  const size_t bytes = strlen(output) + sizeof ".d";
  TUTTI_TRY(TUTTI_NEW(c->store.folder, (int64_t)bytes));
  snprintf(c->store.folder, bytes, "%s.d", output);
  for (int naming = 0; naming < 2; naming++)
    TUTTI_TRY(
        tutti_study_store_list(&c->store, (tutti_store_naming)naming, &c->names[naming], &c->n[naming]));
  return TUTTI_OK;
}

/** Count trial i, which waits, if the folder has it.  One that cannot be read is left for `tutti study` to report. */
static void look_for(const content *c, const tutti_space *space, bool take, tutti_trial_set *set, int64_t i,
                     int64_t *n) {
  const tutti_trial_result *wanted = &set->results[i];
  const uint64_t hash = tutti_space_hash(space, wanted->batch_size, wanted->setting, wanted->seed);
  const bool is_hash =
      tutti_study_store_lists(c->names[TUTTI_STORE_BY_HASH], c->n[TUTTI_STORE_BY_HASH], hash);
  const tutti_store_naming naming = is_hash ? TUTTI_STORE_BY_HASH : TUTTI_STORE_BY_NUMBER;
  const uint64_t name = is_hash ? hash : (uint64_t)i;
  tutti_trial_record record;
  if (!is_hash && !tutti_study_store_lists(c->names[naming], c->n[naming], name)) return;
  ++*n;
  if (!take || tutti_study_store_get(&c->store, naming, name, set, i, false, &record) != TUTTI_OK) return;
  set->results[i] = record.result;
  tutti_trial_record_clear(&record);
}

tutti_status tutti_study_unmerged(const tutti_file *file, bool take, tutti_trial_set *set, int64_t *n) {
  content c = {0};
  tutti_space *space = NULL;
  tutti_status status = TUTTI_OK;
  *n = 0;
  TUTTI_TRY_GOTO(done, look(tutti_file_path(file), &c));
  if (c.n[0] == 0 && c.n[1] == 0) goto done;
  TUTTI_TRY_GOTO(done, tutti_study_identity_space(file, &space));
  for (int64_t i = 0; i < set->n_trials; i++)
    if (set->results[i].status == TUTTI_TRIAL_WAITING) look_for(&c, space, take, set, i, n);
done:
  tutti_space_destroy(&space);
  tutti_free(c.names[0]);
  tutti_free(c.names[1]);
  tutti_free(c.store.folder);
  return status;
}
