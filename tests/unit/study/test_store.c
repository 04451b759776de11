/** The folder of a study under way. */
#define _XOPEN_SOURCE 700 // gethostname
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "study/store_impl.h"
#include "support/folder.h"
#include "support/space.h"
#include "support/trials.h"

static const char *const keys[] = {"optimizer.learning_rate"};
static const char *const varied[] = {"train.batch_size", "optimizer.learning_rate"};
static const tutti_study_head head = {.config = STUDY "  vary: {optimizer.learning_rate: [0.1, 0.2, 0.3]}\n",
                                      .goal = "val_accuracy >= 0.9",
                                      .budget = "50 steps",
                                      .metric = "",
                                      .varied = varied,
                                      .n_varied = 2,
                                      .idle = NAN};

/** Trials of these rates, which wait. */
static tutti_trial_set make_set(void) {
  tutti_trial_set set = trials_begin(3, 1, keys);
  for (int i = 0; i < 3; i++) trials_add(&set, 32, i, TUTTI_TRIAL_WAITING, 0, &(double){0.1 * (i + 1)});
  return set;
}

static tutti_trial_record make_record(const tutti_trial_set *set, int64_t trial) {
  tutti_trial_record record = {.result = set->results[trial], .metric = "accuracy"};
  record.result.status = TUTTI_TRIAL_REACHED;
  record.result.steps = 7;
  return record;
}

static void a_trial_is_read_as_the_one_it_is(void **state) {
  enum { HASH = 0xabc };
  tutti_trial_set set = make_set();
  tutti_store store = {0};
  tutti_trial_record record = make_record(&set, 1);
  CHECK_OK(tutti_study_store_open(folder_path(state, "study.h5"), true, &store));
  assert_false(tutti_study_store_has(&store, HASH));
  CHECK_OK(tutti_study_store_put(&store, HASH, &head, &set, &record));
  assert_true(tutti_study_store_has(&store, HASH));
  // It has the numbers that the study gives it, which may be another than the one that wrote it.
  set.results[1].setting = set.results[1].trial = 2;
  CHECK_OK(tutti_study_store_get(&store, TUTTI_STORE_BY_HASH, HASH, &set, 1, true, &record));
  assert_int_equal(record.result.status, TUTTI_TRIAL_REACHED);
  assert_int_equal(record.result.trial, 2);
  assert_int_equal(record.result.setting, 2);
  CHECK_NEAR(record.result.steps, 7, 0);
  assert_string_equal(record.metric, "accuracy");
  tutti_trial_record_clear(&record);
  // The name of another trial.
  assert_int_equal(rename(folder_path(state, "study.h5.d/0000000000000abc.h5"),
                          folder_path(state, "study.h5.d/0000000000000abd.h5")),
                   0);
  CHECK_FAILS(tutti_study_store_get(&store, TUTTI_STORE_BY_HASH, HASH + 1, &set, 1, true, &record),
              TUTTI_ERR_DATA, "holds another trial");
  CHECK_OK(tutti_study_store_put(&store, HASH, &head, &set, &(tutti_trial_record){.result = set.results[1]}));
  set.results[1].seed++;
  CHECK_FAILS(tutti_study_store_get(&store, TUTTI_STORE_BY_HASH, HASH, &set, 1, true, &record),
              TUTTI_ERR_DATA, "0000000000000abc.h5");
  set.results[1].seed--;
  set.results[1].batch_size++;
  CHECK_FAILS(tutti_study_store_get(&store, TUTTI_STORE_BY_HASH, HASH, &set, 1, true, &record),
              TUTTI_ERR_DATA, "0000000000000abc.h5");
  // One that an earlier version left has no name of its own, but a number.
  assert_int_equal(rename(folder_path(state, "study.h5.d/0000000000000abc.h5"),
                          folder_path(state, "study.h5.d/000007.h5")),
                   0);
  CHECK_OK(tutti_study_store_rename(&store, 7, HASH));
  assert_true(tutti_study_store_has(&store, HASH));
  CHECK_OK(tutti_study_store_rename(&store, 7, HASH)); // another job was faster
  CHECK_FAILS(tutti_study_store_rename(&store, 8, HASH + 17), TUTTI_ERR_CREATE, "000008.h5");
  folder_put(folder_path(state, "study.h5.d/facade.h5"), "", 0); // the user's own
  tutti_study_store_remove(&store);
  assert_int_equal(remove(folder_path(state, "study.h5.d/facade.h5")), 0);
  assert_int_equal(remove(folder_path(state, "study.h5.d")), 0);
  assert_int_equal(folder_count(state), 0);
  tutti_study_store_close(&store);
  tutti_fit_trial_set_clear(&set);
}

/** It need not wait for the next one, which may take hours. */
static void the_name_of_the_last_trial_is_flushed(void **state) {
  tutti_trial_set set = make_set();
  tutti_store store = {0};
  const tutti_trial_record record = make_record(&set, 1);
  CHECK_OK(tutti_study_store_open(folder_path(state, "study.h5"), true, &store));
  CHECK_OK(tutti_study_store_put(&store, 1, &head, &set, &record));
  assert_false(store.has_new);
  store.flushed_at = INFINITY; // the next one follows within the tenth of a second
  CHECK_OK(tutti_study_store_put(&store, 2, &head, &set, &record));
  CHECK_OK(tutti_study_store_flush_if_due(&store));
  assert_true(store.has_new);
  store.flushed_at = 0;
  CHECK_OK(tutti_study_store_flush_if_due(&store));
  assert_false(store.has_new);
  store.flushed_at = INFINITY;
  CHECK_OK(tutti_study_store_put(&store, 3, &head, &set, &record));
  assert_true(store.has_new);
  tutti_study_store_remove(&store); // another job has brought all trials into the study's file
  CHECK_OK(tutti_study_store_flush(&store));
  assert_false(store.has_new);
  tutti_study_store_close(&store);
  tutti_fit_trial_set_clear(&set);
}

enum { N_FILES = 37 };

static void list(const tutti_store *store, int64_t n_expected) {
  uint64_t *list = NULL;
  int64_t n = 0;
  CHECK_OK(tutti_study_store_list(store, TUTTI_STORE_BY_HASH, &list, &n));
  assert_int_equal(n, n_expected);
  for (int64_t k = 0; k < n; k++) assert_int_equal(list[k], 1000 * k); // each once, ascending
  assert_false(tutti_study_store_lists(list, n, 17));
  for (int64_t k = 0; k < n; k++) assert_true(tutti_study_store_lists(list, n, (uint64_t)(1000 * k)));
  tutti_free(list);
  CHECK_OK(tutti_study_store_list(store, TUTTI_STORE_BY_NUMBER, &list, &n));
  assert_int_equal(n, n_expected > 0 ? 1 : 0);
  if (n > 0) assert_int_equal(list[0], 18); // read as a decimal number
  tutti_free(list);
}

static void trials_are_listed_without_what_is_none(void **state) {
  tutti_store store = {0};
  char name[64], fault[32];
  CHECK_OK(tutti_study_store_open(folder_path(state, "study.h5"), true, &store));
  list(&store, 0);
  for (int i = 0; i < N_FILES; i++) {
    snprintf(name, sizeof name, "study.h5.d/%016x.h5", 1000 * i);
    folder_put(folder_path(state, name), "", 0);
  }
  static const char *const others[] = {"0000000000000001.h5.tmp-host-1",
                                       "17.h5",
                                       "0000000000000002.txt",
                                       "0000003.h5",
                                       "notes",
                                       "000018.h5",
                                       "000000000000000A.h5"};
  for (int i = 0; i < 7; i++) {
    snprintf(name, sizeof name, "study.h5.d/%s", others[i]);
    folder_put(folder_path(state, name), "", 0);
  }
  list(&store, N_FILES);
  const int64_t before = tutti_alloc_live();
  for (int nth = 1; nth <= 7; nth++) { // rooms for 1, 2, 4, ... 64
    uint64_t *trials = NULL;
    int64_t n = 0;
    snprintf(fault, sizeof fault, "memory:0:%d", nth);
    setenv("TUTTI_FAULT", fault, 1);
    CHECK_FAILS(tutti_study_store_list(&store, TUTTI_STORE_BY_HASH, &trials, &n), TUTTI_ERR_MEMORY, NULL);
    unsetenv("TUTTI_FAULT");
    assert_null(trials);
    assert_int_equal(tutti_alloc_live(), before);
  }
  tutti_study_store_remove(&store);
  list(&store, 0);
  assert_int_equal(folder_count(state), 1); // a folder with the files of others
  tutti_study_store_close(&store);
}

static void what_a_killed_job_has_left_of_a_trial_goes_when_the_next_one_begins(void **state) {
  tutti_store store = {0};
  char host[64] = "", name[128];
  gethostname(host, sizeof host - 1);
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) _exit(0);
  assert_int_equal(waitpid(child, NULL, 0), child);
  snprintf(name, sizeof name, "study.h5.d/0000000000000abc.h5.tmp-%s-%ld", host, (long)child);
  CHECK_OK(tutti_study_store_open(folder_path(state, "study.h5"), true, &store));
  tutti_study_store_close(&store);
  folder_put(folder_path(state, name), "", 0);
  CHECK_OK(tutti_study_store_open(folder_path(state, "study.h5"), true, &store));
  assert_int_equal(access(folder_path(state, name), F_OK), -1);
  tutti_study_store_remove(&store);
  tutti_study_store_close(&store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_trial_is_read_as_the_one_it_is, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(the_name_of_the_last_trial_is_flushed, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(trials_are_listed_without_what_is_none, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(what_a_killed_job_has_left_of_a_trial_goes_when_the_next_one_begins,
                                      folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.store", tests, NULL, check_no_leak);
}
