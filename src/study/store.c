/** The folder of a running study: its files, their names, and the claims to the trials.
 *
 * Names and claims come from the hash of a trial, so that they stay the same if the study grows. */
#include "study/store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "fit/trial_set.h"

static const char claims_name[] = "claims", config_name[] = "config.yaml";

// --- the folder

tutti_status tutti_study_store_path(const tutti_store *store, const char *name, char **path) {
  const size_t bytes = strlen(store->folder) + strlen(name) + 2;
  TUTTI_TRY(TUTTI_NEW(*path, (int64_t)bytes));
  snprintf(*path, bytes, "%s/%s", store->folder, name);
  return TUTTI_OK;
}

tutti_status tutti_study_store_open(const char *output, bool create, tutti_store *store) {
  tutti_status status = TUTTI_OK;
  const size_t bytes = strlen(output) + sizeof ".d";
  char *path = NULL;
  *store = (tutti_store){0};
  TUTTI_TRY_GOTO(done, TUTTI_NEW(store->folder, (int64_t)bytes));
  snprintf(store->folder, bytes, "%s.d", output);
  if (create) TUTTI_TRY_GOTO(done, tutti_io_make_folder(store->folder));
  TUTTI_TRY_GOTO(done, tutti_study_store_path(store, claims_name, &path));
  TUTTI_TRY_GOTO(done, tutti_io_claims_open(path, create, &store->claims));
  tutti_io_sweep(store->folder);
done:
  tutti_free(path);
  if (status != TUTTI_OK) tutti_study_store_close(store);
  return status;
}

void tutti_study_store_close(tutti_store *store) {
  tutti_io_claims_close(&store->claims);
  tutti_free(store->folder);
  *store = (tutti_store){0};
}

bool tutti_study_store_current(const tutti_store *store) {
  return tutti_io_claims_current(store->claims);
}

/** A warning names another process that holds the claim for longer than this. */
static const double WAIT_SILENT_S = 5;

tutti_status tutti_study_store_wait(const tutti_store *store, int64_t claim, bool *taken) {
  const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
  const double start = tutti_clock_s();
  bool warned = false;
  for (;;) {
    TUTTI_TRY(tutti_io_claims_take(store->claims, claim, taken));
    if (*taken || !tutti_study_store_current(store)) return TUTTI_OK;
    if (!warned && tutti_clock_s() - start > WAIT_SILENT_S) {
      tutti_log(TUTTI_LOG_WARNING,
                "%s: another job brings trials in or begins, for more than %.0f s; waiting for it: if it "
                "hangs, end it",
                store->folder, WAIT_SILENT_S);
      warned = true;
    }
    nanosleep(&pause, NULL);
  }
}

int64_t tutti_study_store_claim(uint64_t hash) {
  return TUTTI_CLAIM_TRIALS + (int64_t)(hash >> 2); // a place in a file, which has 63 bits
}

// --- names

enum { NAME_BYTES = 32 };
static const char extension[] = ".h5";

/** The digits of a name without its extension. */
static const struct {
  size_t n_digits;
  int base;
  const char *digits, *format;
} namings[] = {[TUTTI_STORE_BY_HASH] = {16, 16, "0123456789abcdef", "%016llx"},
               [TUTTI_STORE_BY_NUMBER] = {6, 10, "0123456789", "%06llu"}};

/** Return what follows the name of a trial in the name of a file; NULL if it is not that of a trial. */
static const char *end_of_trial(const char *name, tutti_store_naming naming) {
  const char *end = name + namings[naming].n_digits;
  const bool is_trial = strspn(name, namings[naming].digits) == namings[naming].n_digits;
  return is_trial && strncmp(end, extension, strlen(extension)) == 0 ? end + strlen(extension) : NULL;
}

/** Return whether the name is that of a trial's file, or of what a killed process has left of it,
 * "NAME.tmp-HOST-PID". */
static bool is_trial(const char *name) {
  const char *end = end_of_trial(name, TUTTI_STORE_BY_HASH);
  if (!end) end = end_of_trial(name, TUTTI_STORE_BY_NUMBER);
  return end && (*end == '\0' || strncmp(end, ".tmp-", 5) == 0);
}

void tutti_study_store_remove(const tutti_store *store) {
  DIR *folder = opendir(store->folder);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));)
    if (is_trial(entry->d_name) || strncmp(entry->d_name, config_name, strlen(config_name)) == 0)
      (void)unlinkat(dirfd(folder), entry->d_name, 0);
  tutti_study_trial_folder_remove_all(folder);
  // Last, while the right to write is still ours: until then nobody can take the folder for a new one.
  (void)unlinkat(dirfd(folder), claims_name, 0);
  closedir(folder);
  (void)rmdir(store->folder); // it stays if others have put something into it
}

void tutti_study_store_leave(const tutti_store *store) {
  DIR *folder = opendir(store->folder);
  bool empty = folder != NULL;
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));)
    empty = empty && (entry->d_name[0] == '.' || strcmp(entry->d_name, claims_name) == 0);
  if (empty) (void)unlinkat(dirfd(folder), claims_name, 0);
  closedir(folder);
  if (empty) (void)rmdir(store->folder);
}

// --- which trials there are

/** Make room for one more.  Capacities are powers of two. */
static tutti_status reserve(uint64_t **list, int64_t n) {
  uint64_t *more = NULL;
  if (n > 0 && (n & (n - 1)) != 0) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(more, n > 0 ? 2 * n : 1));
  if (n > 0) memcpy(more, *list, (size_t)n * sizeof *more);
  tutti_free(*list);
  *list = more;
  return TUTTI_OK;
}

static int compare(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

tutti_status tutti_study_store_list(const tutti_store *store, tutti_store_naming naming, uint64_t **names,
                                    int64_t *n) {
  tutti_status status = TUTTI_OK;
  DIR *folder = opendir(store->folder);
  *names = NULL;
  *n = 0;
  if (!folder) return TUTTI_OK;
  for (struct dirent *entry; (entry = readdir(folder));) {
    const char *end = end_of_trial(entry->d_name, naming);
    if (!end || *end) continue; // a whole file only
    TUTTI_TRY_GOTO(done, reserve(names, *n));
    (*names)[(*n)++] = strtoull(entry->d_name, NULL, namings[naming].base);
  }
  if (*n > 0) qsort(*names, (size_t)*n, sizeof **names, compare);
done:
  closedir(folder);
  if (status != TUTTI_OK) {
    tutti_free(*names);
    *names = NULL;
  }
  return status;
}

bool tutti_study_store_lists(const uint64_t *names, int64_t n, uint64_t name) {
  return n > 0 && bsearch(&name, names, (size_t)n, sizeof name, compare) != NULL;
}

// --- one trial

static void print_name(tutti_store_naming naming, uint64_t name, char text[NAME_BYTES]) {
  snprintf(text, NAME_BYTES, namings[naming].format, (unsigned long long)name);
}

static tutti_status trial_path(const tutti_store *store, tutti_store_naming naming, uint64_t name,
                               char **path) {
  char text[NAME_BYTES];
  print_name(naming, name, text);
  strcat(text, extension);
  return tutti_study_store_path(store, text, path);
}

bool tutti_study_store_has(const tutti_store *store, uint64_t hash) {
  char *path = NULL;
  if (trial_path(store, TUTTI_STORE_BY_HASH, hash, &path) != TUTTI_OK) return false;
  const bool there = access(path, F_OK) == 0;
  tutti_free(path);
  return there;
}

tutti_status tutti_study_store_rename(const tutti_store *store, uint64_t number, uint64_t hash) {
  char *from = NULL, *to = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, trial_path(store, TUTTI_STORE_BY_NUMBER, number, &from));
  TUTTI_TRY_GOTO(done, trial_path(store, TUTTI_STORE_BY_HASH, hash, &to));
  // Without locks, another job may have renamed it meanwhile.
  TUTTI_CHECK_GOTO(done, rename(from, to) == 0 || (errno == ENOENT && access(to, F_OK) == 0),
                   TUTTI_ERR_CREATE, "%s: cannot rename this file to %s: %s", from, to, strerror(errno));
done:
  tutti_free(from);
  tutti_free(to);
  return status;
}

// The contents of a file are on disk before it has its name.
tutti_status tutti_study_store_flush(tutti_store *store) {
  if (!store->has_new) return TUTTI_OK;
  store->flushed_at = tutti_clock_s();
  const tutti_status status = tutti_io_flush_folder(store->folder);
  // If the folder has been removed, the study's file has all trials.
  if (status != TUTTI_OK && tutti_study_store_current(store)) return status;
  store->has_new = false;
  return TUTTI_OK;
}

tutti_status tutti_study_store_flush_if_due(tutti_store *store) {
  static const double every_s = 0.1;
  if (!store->has_new || tutti_clock_s() - store->flushed_at < every_s) return TUTTI_OK;
  return tutti_study_store_flush(store);
}

tutti_status tutti_study_store_put(tutti_store *store, uint64_t hash, const tutti_study_head *head,
                                   const tutti_trial_set *set, const tutti_trial_record *record) {
  tutti_status status = TUTTI_OK;
  tutti_file *file = NULL;
  char *path = NULL, name[NAME_BYTES];
  tutti_trial_set one = *set;
  tutti_trial_result result = record->result;
  tutti_study_head own = *head;
  own.metric = record->metric;
  one.n_trials = 1;
  one.results = &result;
  one.varied = set->varied + result.trial * set->n_varied;
  print_name(TUTTI_STORE_BY_HASH, hash, name);
  TUTTI_TRY_GOTO(done, trial_path(store, TUTTI_STORE_BY_HASH, hash, &path));
  TUTTI_TRY_GOTO(done, tutti_file_create_among_many(path, &file));
  TUTTI_TRY_GOTO(done, tutti_study_head_write(file, &own));
  TUTTI_TRY_GOTO(done, tutti_file_set_text(file, "/", "trial", name));
  TUTTI_TRY_GOTO(done, tutti_fit_trial_set_write(file, &one));
  TUTTI_TRY_GOTO(done, tutti_study_curve_write(file, record));
  TUTTI_TRY_GOTO(done, tutti_fault("study.trial"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
  store->has_new = true;
  TUTTI_TRY_GOTO(done, tutti_study_store_flush_if_due(store));
done:
  tutti_file_close(&file);
  tutti_free(path);
  return status;
}

tutti_status tutti_study_store_open_trial(const tutti_store *store, tutti_store_naming naming, uint64_t name,
                                          tutti_file **file) {
  char *path = NULL;
  *file = NULL;
  TUTTI_TRY(trial_path(store, naming, name, &path));
  const tutti_status status = tutti_file_open(path, file);
  tutti_free(path);
  return status;
}

/** Read the trial of a file, with the number and the setting that it has there. */
static tutti_status read_trial(const tutti_file *file, bool with_curve, tutti_trial_record *record) {
  char *metric = NULL;
  tutti_status status = TUTTI_OK;
  *record = (tutti_trial_record){0};
  TUTTI_TRY_GOTO(done, tutti_fit_trial_read(file, &record->result));
  TUTTI_TRY_GOTO(done, tutti_file_get_text(file, "/", "metric", &metric));
  snprintf(record->metric, sizeof record->metric, "%s", metric);
  if (with_curve) TUTTI_TRY_GOTO(done, tutti_study_curve_read(file, record));
done:
  tutti_free(metric);
  if (status != TUTTI_OK) tutti_trial_record_clear(record);
  return status;
}

tutti_status tutti_study_store_read_hash(const tutti_store *store, uint64_t hash,
                                         tutti_trial_record *record) {
  tutti_file *file = NULL;
  *record = (tutti_trial_record){0};
  TUTTI_TRY(tutti_study_store_open_trial(store, TUTTI_STORE_BY_HASH, hash, &file));
  const tutti_status status = read_trial(file, false, record);
  tutti_file_close(&file);
  return status;
}

/** Return whether the file says of itself that it has this name.  Those that an earlier version left do not say it. */
static bool has_name(const tutti_file *file, tutti_store_naming naming, uint64_t name) {
  char text[NAME_BYTES], *own = NULL;
  print_name(naming, name, text);
  if (!tutti_file_has_attribute(file, "/", "trial")) return true;
  const bool same = tutti_file_get_text(file, "/", "trial", &own) == TUTTI_OK && strcmp(own, text) == 0;
  tutti_free(own);
  return same;
}

/** Add to the text of a failure what the user can do about the file of the trial. */
static tutti_status advise(tutti_status status) {
  char text[2048];
  if (status == TUTTI_OK || status == TUTTI_ERR_MEMORY) return status;
  snprintf(text, sizeof text, "%s; move this file away, and the trial is computed again", tutti_fail_text());
  tutti_fail_set_text(text);
  return status;
}

tutti_status tutti_study_store_get(const tutti_store *store, tutti_store_naming naming, uint64_t name,
                                   const tutti_trial_set *set, int64_t i, bool with_curve,
                                   tutti_trial_record *record) {
  const tutti_trial_result *wanted = &set->results[i];
  const bool is_hash = naming == TUTTI_STORE_BY_HASH; // which tells settings apart, whatever their numbers
  tutti_status status = TUTTI_OK;
  tutti_file *file = NULL;
  *record = (tutti_trial_record){0};
  TUTTI_TRY_GOTO(done, tutti_study_store_open_trial(store, naming, name, &file));
  TUTTI_TRY_GOTO(done, read_trial(file, with_curve, record));
  TUTTI_CHECK_GOTO(done,
                   has_name(file, naming, name) && record->result.batch_size == wanted->batch_size &&
                       record->result.seed == wanted->seed &&
                       (is_hash || record->result.setting == wanted->setting),
                   TUTTI_ERR_DATA, "%s: holds another trial than its name says", tutti_file_path(file));
  record->result.trial = wanted->trial;
  record->result.setting = wanted->setting;
done:
  if (file) status = advise(status);
  tutti_file_close(&file);
  if (status != TUTTI_OK) tutti_trial_record_clear(record);
  return status;
}
