/** The run directories of trials in the folder of a study: whose they are, and what is removed with them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "study/store_impl.h"
#include "support/check.h"
#include "support/folder.h"

enum { HASH = 0xabc };

static void put(void **state, const char *name) {
  folder_put(folder_path(state, name), "x", 1);
}

static bool is_there(void **state, const char *name) {
  return access(folder_path(state, name), F_OK) == 0;
}

/** The directory of trial HASH with the files of a run. */
static void make_directory(void **state) {
  assert_int_equal(mkdir(folder_path(state, "study.h5.d/0000000000000abc.run"), 0777), 0);
  put(state, "study.h5.d/0000000000000abc.run/checkpoint.h5");
  put(state, "study.h5.d/0000000000000abc.run/checkpoint.h5.tmp-host-17");
  put(state, "study.h5.d/0000000000000abc.run/config.yaml");
  put(state, "study.h5.d/0000000000000abc.run/.lock");
}

static void a_directory_is_that_of_one_trial(void **state) {
  char output[512], *path = NULL;
  tutti_store store = {0};
  snprintf(output, sizeof output, "%s", folder_path(state, "study.h5"));
  CHECK_OK(tutti_study_store_open(output, true, &store));
  CHECK_OK(tutti_study_trial_folder(output, HASH, &path));
  assert_string_equal(path, folder_path(state, "study.h5.d/0000000000000abc.run"));
  tutti_free(path);
  assert_false(tutti_study_trial_folder_exists(output, HASH));
  make_directory(state);
  assert_true(tutti_study_trial_folder_exists(output, HASH));
  assert_false(tutti_study_trial_folder_exists(output, HASH + 1));
  // It is no trial that is done.
  uint64_t *names = NULL;
  int64_t n = 0;
  CHECK_OK(tutti_study_store_list(&store, TUTTI_STORE_BY_HASH, &names, &n));
  assert_int_equal(n, 0);
  tutti_free(names);
  tutti_study_trial_folder_remove(output, HASH);
  assert_false(tutti_study_trial_folder_exists(output, HASH));
  tutti_study_trial_folder_remove(output, HASH); // there is none
  tutti_study_store_close(&store);
}

static void it_goes_with_the_folder_of_the_study(void **state) {
  tutti_store store = {0};
  CHECK_OK(tutti_study_store_open(folder_path(state, "study.h5"), true, &store));
  make_directory(state);
  tutti_study_store_remove(&store);
  assert_false(is_there(state, "study.h5.d"));
  tutti_study_store_close(&store);
}

static void files_of_others_stay(void **state) {
  tutti_store store = {0};
  CHECK_OK(tutti_study_store_open(folder_path(state, "study.h5"), true, &store));
  make_directory(state);
  put(state, "study.h5.d/0000000000000abc.run/notes.txt");
  assert_int_equal(mkdir(folder_path(state, "study.h5.d/mine.run"), 0777), 0);
  put(state, "study.h5.d/mine.run/checkpoint.h5");
  assert_int_equal(mkdir(folder_path(state, "target"), 0777), 0);
  put(state, "target/checkpoint.h5");
  char target[512];
  snprintf(target, sizeof target, "%s", folder_path(state, "target"));
  assert_int_equal(symlink(target, folder_path(state, "study.h5.d/0000000000000abd.run")), 0);
  tutti_study_store_remove(&store);
  assert_true(is_there(state, "study.h5.d/0000000000000abc.run/notes.txt"));
  assert_false(is_there(state, "study.h5.d/0000000000000abc.run/checkpoint.h5"));
  assert_true(is_there(state, "study.h5.d/mine.run/checkpoint.h5"));
  assert_true(is_there(state, "target/checkpoint.h5"));
  tutti_study_store_close(&store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_directory_is_that_of_one_trial, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(it_goes_with_the_folder_of_the_study, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(files_of_others_stay, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.trial_folder", tests, NULL, check_no_leak);
}
