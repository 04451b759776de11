/* The lock on a run's folder. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"
#include "support/check.h"
#include "support/folder.h"
#include "tutti/io.h"

/** For a process of its own. */
static bool take_for_good(const char *folder, int64_t unused) {
  (void)unused;
  tutti_lock *lock = NULL;
  return tutti_io_lock_take(folder, &lock) == TUTTI_OK;
}

/** Whether another process can have the lock. */
static bool others_can_take(const char *folder) {
  int state = 0;
  const pid_t process = fork();
  assert_true(process >= 0);
  if (process == 0) {
    tutti_lock *lock = NULL;
    _exit(tutti_io_lock_take(folder, &lock) == TUTTI_OK ? 0 : 1);
  }
  assert_int_equal(waitpid(process, &state, 0), process);
  assert_true(WIFEXITED(state));
  return WEXITSTATUS(state) == 0;
}

static void a_folder_is_locked_until_it_is_released(void **state) {
  const char *folder = folder_path(state, "runs/a");
  tutti_lock *lock = NULL;
  CHECK_OK(tutti_io_lock_take(folder, &lock)); // made where it is missing
  assert_non_null(lock);
  assert_false(others_can_take(folder));
  tutti_io_lock_release(&lock);
  assert_null(lock);
  assert_int_not_equal(access(folder_path(state, "runs/a/.lock"), F_OK), 0);
  assert_true(others_can_take(folder));
  tutti_io_lock_release(&lock); // NULL
}

static void the_file_names_host_and_process(void **state) {
  tutti_lock *lock = NULL;
  char host[64] = "", expected[128], *text = NULL;
  folder_put(folder_path(state, ".lock"),
             "the long line of an earlier process 123456789012345678901234567890\n", 67);
  CHECK_OK(tutti_io_lock_take(*state, &lock));

  assert_int_equal(gethostname(host, sizeof host - 1), 0);
  snprintf(expected, sizeof expected, "%s %ld\n", host, (long)getpid());
  CHECK_OK(tutti_io_read_text(folder_path(state, ".lock"), &text));
  assert_string_equal(text, expected);
  tutti_free(text);
  tutti_io_lock_release(&lock);
}

static void who_comes_second_is_told_who_has_it(void **state) {
  char host[64] = "", text[256];
  tutti_lock *lock = NULL;
  const pid_t holder = holder_start(take_for_good, *state, 0);
  assert_int_equal(gethostname(host, sizeof host - 1), 0);
  snprintf(text, sizeof text,
           "%s is in use by process %ld on %s: another training writes there; wait for it, ",
           (const char *)*state, (long)holder, host);
  CHECK_FAILS(tutti_io_lock_take(*state, &lock), TUTTI_ERR_CREATE, text);
  assert_null(lock);
  assert_int_equal(access(folder_path(state, ".lock"), F_OK), 0);
  CHECK_FAILS(tutti_io_lock_take(*state, &lock), TUTTI_ERR_CREATE, "choose another run.directory");

  // A holder whose line is not there (yet) is one, too.
  folder_put(folder_path(state, ".lock"), "", 0);
  CHECK_FAILS(tutti_io_lock_take(*state, &lock), TUTTI_ERR_CREATE, "is in use by another process: ");
  holder_kill(holder);
}

static void the_lock_of_a_killed_process_is_free(void **state) {
  tutti_lock *lock = NULL;
  holder_kill(holder_start(take_for_good, *state, 0));
  assert_int_equal(access(folder_path(state, ".lock"), F_OK), 0); // what it left
  CHECK_OK(tutti_io_lock_take(*state, &lock));
  assert_false(others_can_take(*state));
  tutti_io_lock_release(&lock);
  assert_int_equal(folder_count(state), 0);
}

/** Also those of files that the next training has no reason to write. */
static void what_a_killed_process_was_writing_is_removed(void **state) {
  const char *const bases[] = {"checkpoint.h5", "metrics.h5", "another"};
  char host[64] = "", name[128];
  tutti_lock *lock = NULL;
  assert_int_equal(gethostname(host, sizeof host - 1), 0);
  const pid_t holder = holder_start(take_for_good, *state, 0);
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "%s.tmp-%s-%ld", bases[i], host, (long)holder);
    folder_put(folder_path(state, name), "x", 1);
  }
  CHECK_FAILS(tutti_io_lock_take(*state, &lock), TUTTI_ERR_CREATE, "is in use");
  assert_int_equal(folder_count(state), 4);
  holder_kill(holder);
  CHECK_OK(tutti_io_lock_take(*state, &lock));
  tutti_io_lock_release(&lock);
  assert_int_equal(folder_count(state), 0);
}

static void a_file_system_without_locks_is_no_obstacle(void **state) {
  const int errors[] = {ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL};
  for (int i = 0; i < 4; i++) {
    tutti_lock *lock = NULL;
    holder_fcntl_error = errors[i];
    const tutti_status status = tutti_io_lock_take(*state, &lock);
    holder_fcntl_error = 0;
    CHECK_OK(status);
    tutti_io_lock_release(&lock);
    assert_null(lock);
    assert_int_equal(folder_count(state), 0);
  }
}

static void what_cannot_be_locked_says_why(void **state) {
  tutti_lock *lock = NULL;
  folder_put(folder_path(state, "file"), "x", 1);
  CHECK_FAILS(tutti_io_lock_take(folder_path(state, "file"), &lock), TUTTI_ERR_CREATE, "/file: ");
  CHECK_FAILS(tutti_io_lock_take("/proc/self", &lock), TUTTI_ERR_CREATE, "/proc/self/.lock: cannot create: ");
  holder_fcntl_error = EIO;
  const tutti_status status = tutti_io_lock_take(*state, &lock);
  holder_fcntl_error = 0;
  CHECK_FAILS(status, TUTTI_ERR_CREATE, "/.lock: cannot lock: ");
  assert_null(lock);
}

/** The file `victim` is as it was. */
static void expect_untouched(const char *victim) {
  char *text = NULL;
  CHECK_OK(tutti_io_read_text(victim, &text));
  assert_string_equal(text, "not ours\n");
  tutti_free(text);
}

/** Whoever may write to the folder may make such a link, and the holder of a lock empties its file. */
static void a_lock_does_not_follow_links(void **state) {
  const char *lock_path = folder_path(state, "run/.lock"), *victim = folder_path(state, "victim");
  tutti_lock *lock = NULL;
  folder_put(victim, "not ours\n", 9);
  CHECK_OK(tutti_io_make_folder(folder_path(state, "run")));

  assert_int_equal(symlink(victim, lock_path), 0);
  CHECK_FAILS(tutti_io_lock_take(folder_path(state, "run"), &lock), TUTTI_ERR_CREATE,
              "run/.lock: is a link: remove it, because it leads to another file");
  expect_untouched(victim);
  assert_int_equal(unlink(lock_path), 0);

  assert_int_equal(symlink(folder_path(state, "nothing"), lock_path), 0);
  CHECK_FAILS(tutti_io_lock_take(folder_path(state, "run"), &lock), TUTTI_ERR_CREATE, "is a link");
  assert_int_not_equal(access(folder_path(state, "nothing"), F_OK), 0); // nothing is made there
  assert_int_equal(unlink(lock_path), 0);

  assert_int_equal(link(victim, lock_path), 0);
  CHECK_FAILS(tutti_io_lock_take(folder_path(state, "run"), &lock), TUTTI_ERR_CREATE,
              "run/.lock: is a second name of a file: remove it");
  expect_untouched(victim);
  assert_int_equal(unlink(lock_path), 0);
  CHECK_OK(tutti_io_lock_take(folder_path(state, "run"), &lock));
  tutti_io_lock_release(&lock);
}

/** Opening a pipe would wait for its other end. */
static void a_lock_is_a_regular_file(void **state) {
  tutti_lock *lock = NULL;
  assert_int_equal(mkfifo(folder_path(state, ".lock"), 0600), 0);
  CHECK_FAILS(tutti_io_lock_take(*state, &lock), TUTTI_ERR_CREATE, ".lock: is not a regular file: remove it");
  assert_null(lock);
  assert_int_equal(access(folder_path(state, ".lock"), F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_folder_is_locked_until_it_is_released),
      TEST(the_file_names_host_and_process),
      TEST(who_comes_second_is_told_who_has_it),
      TEST(the_lock_of_a_killed_process_is_free),
      TEST(what_a_killed_process_was_writing_is_removed),
      TEST(a_file_system_without_locks_is_no_obstacle),
      TEST(what_cannot_be_locked_says_why),
      TEST(a_lock_does_not_follow_links),
      TEST(a_lock_is_a_regular_file),
  };
  return cmocka_run_group_tests_name("io.lock", tests, NULL, check_no_leak);
}
