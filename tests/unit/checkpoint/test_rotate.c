#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fixture.h"
#include "support/check.h"
#include "support/folder.h"

#define NEWEST "checkpoint.h5"
#define HELD   "checkpoint.held.h5"
#define PREV   "checkpoint.prev.h5"
#define PREV_2 "checkpoint.prev2.h5"

static bool there(void **state, const char *name) {
  return access(folder_path(state, name), F_OK) == 0;
}

static int64_t step_of(void **state, const char *name) {
  return there(state, name) ? fixture_load(folder_path(state, name)) : -1;
}

static void save(void **state, int64_t step, int64_t keep) {
  CHECK_OK(fixture_save(folder_path(state, NEWEST), step, keep));
}

/** Put a checkpoint of `step` under `name`, as a kill may have left it: a save there would tidy up. */
static void put(void **state, const char *name, int64_t step) {
  const char *scratch = folder_path(state, "scratch.h5");
  CHECK_OK(fixture_save(scratch, step, 1));
  assert_int_equal(rename(scratch, folder_path(state, name)), 0);
}

/** Make the next pass of `site`, and only that, fail. */
static void inject(const char *site) {
  char fault[64];
  snprintf(fault, sizeof fault, "%s:0:1", site);
  setenv("TUTTI_FAULT", fault, 1);
}

/** The fault has struck. */
static void check_struck(const char *site) {
  unsetenv("TUTTI_FAULT");
  check_text_holds("fault injected", __FILE__, __LINE__);
  check_text_holds(site, __FILE__, __LINE__);
}

/** Steps of the files newest, prev, prev2, and nothing else in the folder; -1: no such file. */
static void check_files(void **state, int64_t newest, int64_t prev, int64_t prev_2) {
  assert_int_equal(step_of(state, NEWEST), newest);
  assert_int_equal(step_of(state, PREV), prev);
  assert_int_equal(step_of(state, PREV_2), prev_2);
  assert_int_equal(folder_count(state), (newest >= 0) + (prev >= 0) + (prev_2 >= 0));
}

/** Overwrite bytes in the middle of an array's content, which only its checksum can tell. */
static void damage_content(const char *path) {
  size_t n = 0;
  unsigned char *bytes = folder_bytes(path, &n);
  const float value = (float)fixture_load(path);
  size_t at = 0;
  for (size_t i = 0, run = 0; i + sizeof value <= n && at == 0; i += sizeof value) {
    run = memcmp(bytes + i, &value, sizeof value) == 0 ? run + 1 : 0;
    if (run == 20) at = i;
  }
  assert_true(at > 0);
  bytes[at] ^= 1;
  folder_put(path, bytes, n);
  tutti_free(bytes);
}

static void truncate_file(const char *path) {
  size_t n = 0;
  unsigned char *bytes = folder_bytes(path, &n);
  folder_put(path, bytes, n / 2);
  tutti_free(bytes);
}

static void the_newest_are_kept(void **state) {
  for (int64_t step = 1; step <= 5; step++) save(state, step, 3);
  check_files(state, 5, 4, 3);
  save(state, 6, 2);
  check_files(state, 6, 5, -1);
  save(state, 7, 1);
  check_files(state, 7, -1, -1);
  assert_int_equal(fixture_find(*state), 7);
}

static void nothing_to_find_is_no_failure(void **state) {
  assert_int_equal(fixture_find(*state), -1);
  assert_int_equal(fixture_find(folder_path(state, "no/such/folder")), -1);
}

static void a_failed_save_changes_nothing(void **state) {
  const char *const sites[] = {"file.create", "checkpoint.save", "file.commit"};
  save(state, 1, 2);
  save(state, 2, 2);
  for (int i = 0; i < 3; i++) {
    inject(sites[i]);
    CHECK_FAILS(fixture_save(folder_path(state, NEWEST), 3, 2), TUTTI_ERR_INTERNAL, sites[i]);
    check_struck(sites[i]);
    check_files(state, 2, 1, -1);
  }
}

static void a_save_after_a_kill_before_the_new_one(void **state) {
  save(state, 1, 2);
  put(state, PREV, 0);
  assert_int_equal(link(folder_path(state, NEWEST), folder_path(state, HELD)), 0);
  assert_int_equal(fixture_find(*state), 1);
  save(state, 2, 2);
  check_files(state, 2, 1, -1);
}

static void a_save_after_a_kill_behind_the_new_one(void **state) {
  put(state, NEWEST, 2);
  put(state, HELD, 1);
  put(state, PREV, 0);
  assert_int_equal(fixture_find(*state), 2);
  save(state, 3, 3);
  check_files(state, 3, 2, 1);
}

static void a_save_after_a_kill_in_mid_rotation(void **state) {
  put(state, NEWEST, 3);
  put(state, HELD, 2);
  put(state, PREV_2, 1); // prev has moved on, held not yet
  assert_int_equal(fixture_find(*state), 3);
  unlink(folder_path(state, NEWEST));
  assert_int_equal(fixture_find(*state), 2);
  put(state, NEWEST, 3);
  save(state, 4, 3);
  check_files(state, 4, 3, 2);
}

static void a_save_after_a_kill_without_hard_links(void **state) {
  put(state, HELD, 2); // moved away, the new one never came
  put(state, PREV, 1);
  assert_int_equal(fixture_find(*state), 2);
  save(state, 3, 2);
  check_files(state, 3, 2, -1);
}

static void file_systems_without_hard_links_will_do(void **state) {
  save(state, 1, 2);
  for (int64_t step = 2; step < 5; step++) {
    inject("checkpoint.link");
    save(state, step, 2);
    check_struck("checkpoint.link");
    check_files(state, step, step - 1, -1);
  }
}

static void a_damaged_one_gives_way_to_the_one_before(void **state) {
  for (int64_t step = 1; step <= 4; step++) save(state, step, 3);
  truncate_file(folder_path(state, NEWEST));
  assert_int_equal(fixture_find(*state), 3);
  damage_content(folder_path(state, PREV));
  assert_int_equal(fixture_find(*state), 2);
  folder_put(folder_path(state, PREV_2), "", 0);
  char *path = NULL;
  CHECK_FAILS(tutti_checkpoint_find(*state, &path), TUTTI_ERR_DATA, "none of the 3 checkpoints is complete");
  CHECK_FAILS(tutti_checkpoint_find(*state, &path), TUTTI_ERR_DATA, "truncated");
  assert_null(path);
}

static void an_older_one_is_not_taken_for_one_that_cannot_be_read(void **state) {
  char *path = NULL;
  save(state, 1, 2);
  save(state, 2, 2);
  const char *newest = folder_path(state, NEWEST), *aside = folder_path(state, "aside");
  assert_int_equal(rename(newest, aside), 0);
  assert_int_equal(symlink(newest, newest), 0); // a loop: the system refuses it even to root
  CHECK_FAILS(tutti_checkpoint_find(*state, &path), TUTTI_ERR_IO, "checkpoint.h5: cannot read: ");
  assert_null(path);
  assert_int_equal(rename(aside, newest), 0);
  assert_int_equal(fixture_find(*state), 2);
}

static void damage_of_a_table_is_found(void **state) {
  save(state, 2, 2);
  save(state, 60, 2);
  size_t n = 0;
  const char *path = folder_path(state, NEWEST);
  unsigned char *bytes = folder_bytes(path, &n);
  const fixture_row row = {30, 60};
  size_t at = 0;
  for (size_t i = 0; i + sizeof row <= n && at == 0; i++)
    if (memcmp(bytes + i, &row, sizeof row) == 0) at = i;
  assert_true(at > 0);
  bytes[at + offsetof(fixture_row, loss)] ^= 1; // not in the column that is looked at
  folder_put(path, bytes, n);
  tutti_free(bytes);
  assert_int_equal(fixture_find(*state), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_newest_are_kept),
      TEST(nothing_to_find_is_no_failure),
      TEST(a_failed_save_changes_nothing),
      TEST(a_save_after_a_kill_before_the_new_one),
      TEST(a_save_after_a_kill_behind_the_new_one),
      TEST(a_save_after_a_kill_in_mid_rotation),
      TEST(a_save_after_a_kill_without_hard_links),
      TEST(file_systems_without_hard_links_will_do),
      TEST(a_damaged_one_gives_way_to_the_one_before),
      TEST(an_older_one_is_not_taken_for_one_that_cannot_be_read),
      TEST(damage_of_a_table_is_found),
  };
  tutti_log_set_level(TUTTI_LOG_ERROR);
  return cmocka_run_group_tests_name("checkpoint.rotate", tests, NULL, check_no_leak);
}
