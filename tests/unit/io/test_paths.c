#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/folder.h"
#include "tutti/io.h"

static bool is_folder(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static void folders_are_made_with_their_parents(void **state) {
  const char *path = folder_path(state, "a/b//c/");
  CHECK_OK(tutti_io_make_folder(path));
  assert_true(is_folder(path));
  CHECK_OK(tutti_io_make_folder(path));
  CHECK_OK(tutti_io_make_folder("."));
  CHECK_OK(tutti_io_make_folder("/"));
}

static void folder_below_a_file_is_refused(void **state) {
  const char *file = folder_path(state, "file");
  folder_put(file, "x", 1);
  CHECK_FAILS(tutti_io_make_folder(file), TUTTI_ERR_CREATE, "/file: cannot make this folder: a file");
  CHECK_FAILS(tutti_io_make_folder(folder_path(state, "file/deep/er")), TUTTI_ERR_CREATE,
              "/file: cannot make this folder");
  CHECK_FAILS(tutti_io_make_folder("/proc/tutti/x"), TUTTI_ERR_CREATE,
              "/proc/tutti: cannot make this folder: ");
}

static void text_comes_back_as_written(void **state) {
  const char *path = folder_path(state, "new/config.yaml");
  enum { N = 10000 }; // more than one block of the reader
  char *long_text = tutti_calloc(N + 1, 1);
  assert_non_null(long_text);
  memset(long_text, 'x', N);
  const char *const texts[] = {"", "model:\n  layers: dense 10\n", long_text};
  for (int i = 0; i < 3; i++) {
    char *text = NULL;
    CHECK_OK(tutti_io_write_text(path, texts[i]));
    CHECK_OK(tutti_io_read_text(path, &text));
    assert_string_equal(text, texts[i]);
    tutti_free(text);
  }
  tutti_free(long_text);
  assert_int_equal(folder_count(state), 1);
}

static void unreadable_texts_are_told_apart(void **state) {
  char *text = NULL;
  CHECK_FAILS(tutti_io_read_text(folder_path(state, "none.yaml"), &text), TUTTI_ERR_MISSING,
              "none.yaml: cannot read: No such file");
  CHECK_FAILS(tutti_io_read_text(*state, &text), TUTTI_ERR_IO, "Is a directory");
  folder_put(folder_path(state, "zero"), "ab\0c", 4);
  CHECK_FAILS(tutti_io_read_text(folder_path(state, "zero"), &text), TUTTI_ERR_DATA, "byte 2 is zero");
  assert_null(text);
}

static void text_that_cannot_be_created_says_why(void **state) {
  folder_put(folder_path(state, "file"), "x", 1);
  CHECK_FAILS(tutti_io_write_text(folder_path(state, "file/x"), "t"), TUTTI_ERR_CREATE, "/file: ");
  CHECK_FAILS(tutti_io_write_text(*state, "t"), TUTTI_ERR_CREATE, "a folder of that name exists");
  CHECK_FAILS(tutti_io_write_text("/dev/null", "t"), TUTTI_ERR_CREATE,
              "/dev/null: cannot create: something other than a file");
  CHECK_FAILS(tutti_io_write_text("/proc/x", "t"), TUTTI_ERR_CREATE, "cannot create: ");
  assert_int_equal(folder_count(state), 1);
}

static void a_link_stays_a_link(void **state) {
  const char *target = folder_path(state, "target"), *link = folder_path(state, "link");
  folder_put(target, "old", 3);
  assert_int_equal(chmod(target, 0640), 0);
  assert_int_equal(symlink(target, link), 0);
  CHECK_OK(tutti_io_write_text(link, "new"));
  struct stat s;
  assert_int_equal(lstat(link, &s), 0);
  assert_true(S_ISLNK(s.st_mode));
  assert_int_equal(stat(target, &s), 0);
  assert_int_equal(s.st_mode & 0777, 0640);
  char *text = NULL;
  CHECK_OK(tutti_io_read_text(target, &text));
  assert_string_equal(text, "new");
  tutti_free(text);

  assert_int_equal(symlink("nowhere", folder_path(state, "dangling")), 0);
  CHECK_FAILS(tutti_io_write_text(folder_path(state, "dangling"), "t"), TUTTI_ERR_CREATE,
              "is a link that leads nowhere");
}

static void one_file_is_known_by_all_its_names(void **state) {
  const char *a = folder_path(state, "a"), *b = folder_path(state, "b"), *none = folder_path(state, "none");
  const char *soft = folder_path(state, "soft"), *hard = folder_path(state, "hard");
  folder_put(a, "x", 1);
  folder_put(b, "x", 1);
  assert_int_equal(symlink("a", soft), 0);
  assert_int_equal(link(a, hard), 0);
  assert_true(tutti_io_same_file(a, a));
  assert_true(tutti_io_same_file(a, soft));
  assert_true(tutti_io_same_file(hard, soft));
  assert_true(tutti_io_same_file(*state, folder_path(state, ".")));
  assert_false(tutti_io_same_file(a, b));
  assert_false(tutti_io_same_file(a, none));
  assert_false(tutti_io_same_file(none, a));
  assert_false(tutti_io_same_file(none, none));
}

static void a_file_is_in_the_folder_that_has_it(void **state) {
  const char *a = folder_path(state, "a"), *sub = folder_path(state, "sub"), *b = folder_path(state, "sub/b");
  const char *into = folder_path(state, "sub/into"), *out = folder_path(state, "out");
  CHECK_OK(tutti_io_make_folder(sub));
  folder_put(a, "x", 1);
  folder_put(b, "x", 1);
  assert_int_equal(symlink("../a", into), 0);
  assert_int_equal(symlink("sub/b", out), 0);
  assert_true(tutti_file_is_in(a, *state) && !tutti_file_is_in(a, sub));
  assert_true(tutti_file_is_in(b, sub) && !tutti_file_is_in(b, *state));
  // by its own name, and where it leads
  assert_true(tutti_file_is_in(into, sub) && tutti_file_is_in(into, *state));
  assert_true(tutti_file_is_in(out, sub) && tutti_file_is_in(out, *state));
  assert_false(tutti_file_is_in(folder_path(state, "none"), *state));
}

static void leftovers_of_killed_jobs_are_removed(void **state) {
  char host[64] = "", name[128];
  assert_int_equal(gethostname(host, sizeof host - 1), 0);
  const struct {
    const char *host;
    long process;
    bool kept;
  } leftovers[] = {
      {host, 0x3fffffff, false},      // more than the system gives out
      {host, (long)getppid(), true},  // alive
      {"elsewhere", 0x3fffffff, true} // nobody here can know
  };
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "x.tmp-%s-%ld", leftovers[i].host, leftovers[i].process);
    folder_put(folder_path(state, name), "x", 1);
  }
  snprintf(name, sizeof name, "x.tmp-%s-%ldbackup", host, 0x3fffffffL);
  folder_put(folder_path(state, name), "x", 1);
  snprintf(name, sizeof name, "x.tmp-%s-%ld", host, (long)getpid()); // of an earlier process of this number
  folder_put(folder_path(state, name), "mine", 4);

  CHECK_OK(tutti_io_write_text(folder_path(state, "x"), "t"));
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "x.tmp-%s-%ld", leftovers[i].host, leftovers[i].process);
    assert_int_equal(access(folder_path(state, name), F_OK) == 0, leftovers[i].kept);
  }
  assert_int_equal(folder_count(state), 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(folder_below_a_file_is_refused, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(text_comes_back_as_written, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(unreadable_texts_are_told_apart, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(text_that_cannot_be_created_says_why, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_link_stays_a_link, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(one_file_is_known_by_all_its_names, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_file_is_in_the_folder_that_has_it, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(leftovers_of_killed_jobs_are_removed, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("io.paths", tests, NULL, check_no_leak);
}
