/** Promise 3: kill a save at any instant and a complete checkpoint is found. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "fixture.h"
#include "support/check.h"
#include "support/folder.h"

enum { KILLS = 24, LONGEST_US = 16000 };

/** In the child: save step after step until the kill comes. */
static _Noreturn void save_for_ever(const char *path, int64_t step, const char *fault) {
  if (fault) setenv("TUTTI_FAULT", fault, 1);
  for (;; step++)
    if (fixture_save(path, step, 2) != TUTTI_OK) _exit(1);
}

static void run_and_kill(const char *path, int64_t step, long after_us, const char *fault) {
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) save_for_ever(path, step, fault);
  const struct timespec pause = {0, after_us * 1000};
  nanosleep(&pause, NULL);
  kill(child, SIGKILL);
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFSIGNALED(how)); // not by itself, with a failed save
}

/** @return the kills that came in mid-save, told by what they left */
static int survive(void **state, const char *fault) {
  const char *path = folder_path(state, "checkpoint.h5");
  const tutti_stream stream = {.seed = 1, .kind = TUTTI_STREAM_SHUFFLE};
  int64_t step = 1;
  int in_mid_save = 0;
  CHECK_OK(fixture_save(path, step, 2));
  for (int i = 0; i < KILLS; i++) {
    uint32_t words[4];
    tutti_random_words(stream, (uint64_t)i, words);
    run_and_kill(path, step + 1, (long)(words[0] % LONGEST_US), fault);
    const int64_t found = fixture_find(*state);
    if (found < step)
      fail_msg("kill %d: step %lld is found, there was %lld", i, (long long)found, (long long)step);
    step = found;
    in_mid_save += folder_count(state) > 2;
    assert_true(folder_count(state) <= 4); // two to keep, one held, one temporary
  }
  CHECK_OK(fixture_save(path, step + 1, 2));
  assert_int_equal(folder_count(state), 2); // whatever the killed ones left is gone
  assert_int_equal(fixture_find(*state), step + 1);
  return in_mid_save;
}

static void a_kill_leaves_a_complete_checkpoint(void **state) {
  assert_true(survive(state, NULL) > 0);
}

static void a_kill_without_hard_links_does_too(void **state) {
  assert_true(survive(state, "checkpoint.link:0:1") > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_kill_leaves_a_complete_checkpoint),
      TEST(a_kill_without_hard_links_does_too),
  };
  tutti_log_set_level(TUTTI_LOG_ERROR);
  return cmocka_run_group_tests_name("checkpoint.kill", tests, NULL, check_no_leak);
}
