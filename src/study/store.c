#include "study/store_impl.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "tutti/study.h"

static const char claims_name[] = "claims", config_name[] = "config.yaml";
enum { NAME_BYTES = 32 };

// --- the folder

tutti_status tutti_store_path(const tutti_store *store, const char *name, char **path) {
  const size_t bytes = strlen(store->folder) + strlen(name) + 2;
  TUTTI_TRY(TUTTI_NEW(*path, (int64_t)bytes));
  snprintf(*path, bytes, "%s/%s", store->folder, name);
  return TUTTI_OK;
}

static tutti_status open_claims(tutti_store *store, bool create) {
  char *path = NULL;
  TUTTI_TRY(tutti_store_path(store, claims_name, &path));
  const tutti_status status = tutti_claims_open(path, create, &store->claims);
  tutti_free(path);
  return status;
}

tutti_status tutti_store_open(const char *output, bool create, tutti_store *store) {
  tutti_status status = TUTTI_OK;
  const size_t bytes = strlen(output) + sizeof ".d";
  *store = (tutti_store){0};
  TUTTI_TRY_GOTO(done, TUTTI_NEW(store->folder, (int64_t)bytes));
  snprintf(store->folder, bytes, "%s.d", output);
  if (create) TUTTI_TRY_GOTO(done, tutti_make_folder(store->folder));
  TUTTI_TRY_GOTO(done, open_claims(store, create));
done:
  if (status != TUTTI_OK) tutti_store_close(store);
  return status;
}

void tutti_store_close(tutti_store *store) {
  tutti_claims_close(&store->claims);
  tutti_free(store->folder);
  *store = (tutti_store){0};
}

bool tutti_store_current(const tutti_store *store) {
  return tutti_claims_current(store->claims);
}

/** Another process at its claim for longer is told of. */
static const double WAIT_SILENT_S = 5;

tutti_status tutti_store_wait(const tutti_store *store, int64_t claim, bool *taken) {
  const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
  const double start = tutti_clock_s();
  bool told = false;
  for (;;) {
    TUTTI_TRY(tutti_claims_take(store->claims, claim, taken));
    if (*taken || !tutti_store_current(store)) return TUTTI_OK;
    if (!told && tutti_clock_s() - start > WAIT_SILENT_S) {
      tutti_log(TUTTI_LOG_WARNING,
                "%s: another job brings trials in or begins, for more than %.0f s; waiting for it: if it "
                "hangs, end it",
                store->folder, WAIT_SILENT_S);
      told = true;
    }
    nanosleep(&pause, NULL);
  }
}

/** "000017.h5", also what a killed process has left of it: "000017.h5.tmp-HOST-PID". */
static bool is_trial(const char *name) {
  const size_t digits = strspn(name, "0123456789");
  return digits == 6 && strncmp(name + digits, ".h5", 3) == 0 &&
         (name[digits + 3] == '\0' || strncmp(name + digits + 3, ".tmp-", 5) == 0);
}

void tutti_store_empty(const tutti_store *store) {
  DIR *folder = opendir(store->folder);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));)
    if (is_trial(entry->d_name)) (void)unlinkat(dirfd(folder), entry->d_name, 0);
  closedir(folder);
}

void tutti_store_remove(const tutti_store *store) {
  tutti_store_empty(store);
  DIR *folder = opendir(store->folder);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));)
    if (strncmp(entry->d_name, config_name, strlen(config_name)) == 0)
      (void)unlinkat(dirfd(folder), entry->d_name, 0);
  // Last, while the right to write is still ours: until then nobody can take the folder for a new one.
  (void)unlinkat(dirfd(folder), claims_name, 0);
  closedir(folder);
  (void)rmdir(store->folder); // where something of others is in it, it stays
}

void tutti_store_leave(const tutti_store *store) {
  DIR *folder = opendir(store->folder);
  bool empty = folder != NULL;
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));)
    empty = empty && (entry->d_name[0] == '.' || strcmp(entry->d_name, claims_name) == 0);
  if (empty) (void)unlinkat(dirfd(folder), claims_name, 0);
  closedir(folder);
  if (empty) (void)rmdir(store->folder);
}

// --- one trial

static tutti_status trial_path(const tutti_store *store, int64_t trial, char **path) {
  char name[NAME_BYTES];
  snprintf(name, sizeof name, "%06lld.h5", (long long)trial);
  return tutti_store_path(store, name, path);
}

bool tutti_store_has(const tutti_store *store, int64_t trial) {
  char *path = NULL;
  if (trial_path(store, trial, &path) != TUTTI_OK) return false;
  const bool there = access(path, F_OK) == 0;
  tutti_free(path);
  return there;
}

/** The number of a finished trial's file, -1: it is none. */
static int64_t trial_of(const char *name) {
  return is_trial(name) && strlen(name) == strlen("000000.h5") ? strtol(name, NULL, 10) : -1;
}

/** Room for one more; capacities are powers of two. */
static tutti_status reserve(int64_t **trials, int64_t n) {
  int64_t *more = NULL;
  if (n > 0 && (n & (n - 1)) != 0) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(more, n > 0 ? 2 * n : 1));
  if (n > 0) memcpy(more, *trials, (size_t)n * sizeof *more);
  tutti_free(*trials);
  *trials = more;
  return TUTTI_OK;
}

tutti_status tutti_store_list(const tutti_store *store, int64_t **trials, int64_t *n) {
  tutti_status status = TUTTI_OK;
  DIR *folder = opendir(store->folder);
  *trials = NULL;
  *n = 0;
  if (!folder) return TUTTI_OK;
  for (struct dirent *entry; (entry = readdir(folder));) {
    const int64_t trial = trial_of(entry->d_name);
    if (trial < 0) continue;
    TUTTI_TRY_GOTO(done, reserve(trials, *n));
    (*trials)[(*n)++] = trial;
  }
done:
  closedir(folder);
  if (status != TUTTI_OK) {
    tutti_free(*trials);
    *trials = NULL;
  }
  return status;
}

tutti_status tutti_store_put(const tutti_store *store, const tutti_study_head *head,
                             const tutti_trial_set *set, const tutti_trial_record *record) {
  tutti_status status = TUTTI_OK;
  tutti_file *file = NULL;
  char *path = NULL;
  tutti_trial_set one = *set;
  tutti_trial_result result = record->result;
  tutti_study_head own = *head;
  own.metric = record->metric;
  one.n_trials = 1;
  one.results = &result;
  one.varied = set->varied + result.trial * set->n_varied;
  TUTTI_TRY_GOTO(done, trial_path(store, result.trial, &path));
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, tutti_study_head_write(file, &own));
  TUTTI_TRY_GOTO(done, tutti_trial_set_write(file, &one));
  TUTTI_TRY_GOTO(done, tutti_curve_write(file, record));
  TUTTI_TRY_GOTO(done, tutti_fault("study.trial"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  tutti_free(path);
  return status;
}

tutti_status tutti_store_open_trial(const tutti_store *store, int64_t trial, tutti_file **file) {
  char *path = NULL;
  *file = NULL;
  TUTTI_TRY(trial_path(store, trial, &path));
  const tutti_status status = tutti_file_open(path, file);
  tutti_free(path);
  return status;
}

tutti_status tutti_store_read_trial(const tutti_file *file, int64_t trial, bool with_curve,
                                    tutti_trial_set *one, tutti_trial_record *record) {
  char *metric = NULL;
  tutti_status status = TUTTI_OK;
  *record = (tutti_trial_record){0};
  *one = (tutti_trial_set){0};
  TUTTI_TRY_GOTO(done, tutti_trial_set_read(file, one));
  TUTTI_CHECK_GOTO(done, one->n_trials == 1 && one->results[0].trial == trial, TUTTI_ERR_DATA,
                   "%s: does not hold trial %lld alone: damaged; remove it, and the trial is computed again",
                   tutti_file_path(file), (long long)trial);
  record->result = one->results[0];
  TUTTI_TRY_GOTO(done, tutti_file_get_text(file, "/", "metric", &metric));
  snprintf(record->metric, sizeof record->metric, "%s", metric);
  if (with_curve) TUTTI_TRY_GOTO(done, tutti_curve_read(file, record));
done:
  tutti_free(metric);
  if (status != TUTTI_OK) {
    tutti_trial_set_clear(one);
    tutti_trial_record_clear(record);
  }
  return status;
}

bool tutti_trial_is_same(const tutti_trial_set *a, int64_t i, const tutti_trial_set *b, int64_t k) {
  const tutti_trial_result *x = &a->results[i], *y = &b->results[k];
  bool same = a->n_varied == b->n_varied && x->trial == y->trial && x->batch_size == y->batch_size &&
              x->seed == y->seed && x->setting == y->setting;
  for (int v = 0; v < a->n_varied && same; v++) {
    const double value = a->varied[i * a->n_varied + v], other = b->varied[k * b->n_varied + v];
    same = value == other || (isnan(value) && isnan(other));
  }
  return same;
}

tutti_status tutti_store_get(const tutti_store *store, const tutti_trial_set *set, int64_t trial,
                             bool with_curve, tutti_trial_record *record) {
  tutti_status status = TUTTI_OK;
  tutti_file *file = NULL;
  tutti_trial_set one = {0};
  *record = (tutti_trial_record){0};
  TUTTI_TRY_GOTO(done, tutti_store_open_trial(store, trial, &file));
  TUTTI_TRY_GOTO(done, tutti_store_read_trial(file, trial, with_curve, &one, record));
  TUTTI_CHECK_GOTO(done, tutti_trial_is_same(&one, 0, set, trial), TUTTI_ERR_DATA,
                   "%s: holds another trial than the study has under that number; move it away, and the "
                   "trial is computed again",
                   tutti_file_path(file));
done:
  tutti_trial_set_clear(&one);
  tutti_file_close(&file);
  if (status != TUTTI_OK) tutti_trial_record_clear(record);
  return status;
}

/** One that cannot be read, or is of a study that is just growing, is left for tutti study to tell of. */
static void take_result(const tutti_store *store, tutti_trial_set *set, int64_t trial) {
  tutti_trial_record record;
  if (tutti_store_get(store, set, trial, false, &record) != TUTTI_OK) return;
  set->results[trial] = record.result;
  tutti_trial_record_clear(&record);
}

tutti_status tutti_study_unmerged(const char *output, bool take, tutti_trial_set *set, int64_t *n) {
  int64_t *trials = NULL, n_trials = 0;
  const size_t bytes = strlen(output) + sizeof ".d";
  tutti_store store = {0};
  *n = 0;
  TUTTI_TRY(TUTTI_NEW(store.folder, (int64_t)bytes));
  snprintf(store.folder, bytes, "%s.d", output);
  const tutti_status status = tutti_store_list(&store, &trials, &n_trials);
  for (int64_t k = 0; k < n_trials; k++) {
    const bool waits = trials[k] < set->n_trials && set->results[trials[k]].status == TUTTI_TRIAL_WAITING;
    *n += waits;
    if (waits && take) take_result(&store, set, trials[k]);
  }
  tutti_free(trials);
  tutti_free(store.folder);
  return status;
}

// --- what a study's file says of itself

enum { FORMAT = 1 };

tutti_status tutti_study_head_write(tutti_file *file, const tutti_study_head *head) {
  const struct {
    const char *name, *text;
  } texts[] = {{"kind", "study"},    {"version", TUTTI_VERSION}, {"config", head->config},
               {"goal", head->goal}, {"budget", head->budget},   {"metric", head->metric}};
  const struct {
    const char *name;
    int64_t value;
  } counts[] = {{"format", FORMAT},       {"ranks", head->ranks}, {"ranks_per_trial", head->ranks_per_trial},
                {"groups", head->groups}, {"data", head->data},   {"data_hash", TUTTI_HASH_XXH64}};
  const struct {
    const char *name;
    double value;
  } reals[] = {{"began", head->began}, {"seconds", head->seconds}, {"idle", head->idle}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    TUTTI_TRY(tutti_file_set_text(file, "/", texts[i].name, texts[i].text));
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    TUTTI_TRY(tutti_file_set_integer(file, "/", counts[i].name, counts[i].value));
  for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
    if (!isnan(reals[i].value)) TUTTI_TRY(tutti_file_set_real(file, "/", reals[i].name, reals[i].value));
  if (head->branches) TUTTI_TRY(tutti_file_set_text(file, "/", "branches", head->branches));
  TUTTI_TRY(tutti_file_set_texts(file, "/", "varied", head->varied, head->n_varied));
  return TUTTI_OK;
}
