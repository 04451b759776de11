/** The folder of a study under way. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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
  tutti_trial_set set = make_set();
  tutti_store store = {0};
  tutti_trial_record record = make_record(&set, 1);
  CHECK_OK(tutti_store_open(folder_path(state, "study.h5"), true, &store));
  assert_false(tutti_store_has(&store, 1));
  CHECK_OK(tutti_store_put(&store, &head, &set, &record));
  assert_true(tutti_store_has(&store, 1));
  CHECK_OK(tutti_store_get(&store, &set, 1, true, &record));
  assert_int_equal(record.result.status, TUTTI_TRIAL_REACHED);
  CHECK_NEAR(record.result.steps, 7, 0);
  assert_string_equal(record.metric, "accuracy");
  tutti_trial_record_clear(&record);
  // The same number in another study.
  set.varied[1] = 0.25;
  CHECK_FAILS(tutti_store_get(&store, &set, 1, true, &record), TUTTI_ERR_DATA, "holds another trial");
  set.varied[1] = 0.2;
  set.results[1].seed++;
  CHECK_FAILS(tutti_store_get(&store, &set, 1, true, &record), TUTTI_ERR_DATA, "000001.h5");
  tutti_store_remove(&store);
  assert_int_equal(folder_count(state), 0);
  tutti_store_close(&store);
  tutti_trial_set_clear(&set);
}

enum { N_FILES = 37 };

static void list(const tutti_store *store, int64_t n_expected) {
  int64_t *trials = NULL, n = 0, sum = 0;
  CHECK_OK(tutti_store_list(store, &trials, &n));
  assert_int_equal(n, n_expected);
  for (int64_t k = 0; k < n; k++) sum += trials[k];
  assert_int_equal(sum, n_expected * (n_expected - 1) / 2 * 1000); // each once
  tutti_free(trials);
}

static void trials_are_listed_without_what_is_none(void **state) {
  tutti_store store = {0};
  char name[64], fault[32];
  CHECK_OK(tutti_store_open(folder_path(state, "study.h5"), true, &store));
  list(&store, 0);
  for (int i = 0; i < N_FILES; i++) {
    snprintf(name, sizeof name, "study.h5.d/%06d.h5", 1000 * i);
    folder_put(folder_path(state, name), "", 0);
  }
  static const char *const others[] = {"000001.h5.tmp-host-1", "17.h5", "000002.txt", "0000003.h5", "notes"};
  for (int i = 0; i < 5; i++) {
    snprintf(name, sizeof name, "study.h5.d/%s", others[i]);
    folder_put(folder_path(state, name), "", 0);
  }
  list(&store, N_FILES);
  const int64_t before = tutti_alloc_live();
  for (int nth = 1; nth <= 7; nth++) { // rooms for 1, 2, 4, ... 64
    int64_t *trials = NULL, n = 0;
    snprintf(fault, sizeof fault, "memory:0:%d", nth);
    setenv("TUTTI_FAULT", fault, 1);
    CHECK_FAILS(tutti_store_list(&store, &trials, &n), TUTTI_ERR_MEMORY, NULL);
    unsetenv("TUTTI_FAULT");
    assert_null(trials);
    assert_int_equal(tutti_alloc_live(), before);
  }
  tutti_store_empty(&store);
  list(&store, 0);
  tutti_store_close(&store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_trial_is_read_as_the_one_it_is, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(trials_are_listed_without_what_is_none, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.store", tests, NULL, check_no_leak);
}
