#define _DEFAULT_SOURCE // usleep
/** Signals are noted, and a second request ends the process.  Each case is a child process, because handlers stay. */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"
#include "support/check.h"

/** Run `body` in a child.  @return its wait status */
static int in_child(void (*body)(void)) {
  int status = 0;
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    body();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

static void expect(bool holds) {
  if (!holds) _exit(1);
}

static void note_each(void) {
  tutti_signals_catch();
  expect(tutti_signals_caught() == -1);
  raise(SIGXCPU);
  expect(tutti_signals_caught() == 5);
  raise(SIGTERM); // within a second: the same request, and the first signal is the one that is named
  expect(tutti_signals_caught() == 5);
}

static void stop_and_continue(void) {
  tutti_signals_catch();
  expect(!tutti_signals_continued());
  raise(SIGCONT);
  tutti_signals_wait(); // returns at once
  expect(tutti_signals_continued() && !tutti_signals_continued());
  expect(tutti_signals_caught() == -1);
}

static void ask_twice(void) {
  tutti_signals_catch();
  raise(SIGUSR1);
  usleep(1100000);
  raise(SIGINT);
}

static void add_one(void) {
  tutti_signals_catch();
  tutti_signals_add(7);
  raise(SIGURG);
  expect(tutti_signals_caught() == 7);
}

static void close_log(void) {
  int ends[2];
  tutti_signals_catch();
  expect(pipe(ends) == 0);
  close(ends[0]);
  expect(write(ends[1], "x", 1) == -1);
  expect(tutti_signals_caught() == -1);
}

static void be_ignored(void) {
  signal(SIGHUP, SIG_IGN);
  tutti_signals_catch();
  raise(SIGHUP);
  expect(tutti_signals_caught() == -1);
}

static void the_first_signal_is_noted(void **state) {
  (void)state;
  assert_int_equal(in_child(note_each), 0);
}

static void a_second_request_ends_the_process(void **state) {
  (void)state;
  const int status = in_child(ask_twice);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGINT);
}

static void a_signal_can_be_added(void **state) {
  (void)state;
  assert_int_equal(in_child(add_one), 0);
}

static void a_closed_pipe_is_no_request(void **state) {
  (void)state;
  assert_int_equal(in_child(close_log), 0);
}

static void an_ignored_signal_stays_ignored(void **state) {
  (void)state;
  assert_int_equal(in_child(be_ignored), 0);
}

static void continuing_is_noted_and_no_request(void **state) {
  (void)state;
  assert_int_equal(in_child(stop_and_continue), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_signal_is_noted),       cmocka_unit_test(a_second_request_ends_the_process),
      cmocka_unit_test(a_signal_can_be_added),           cmocka_unit_test(a_closed_pipe_is_no_request),
      cmocka_unit_test(an_ignored_signal_stays_ignored), cmocka_unit_test(continuing_is_noted_and_no_request),
  };
  return cmocka_run_group_tests_name("base.signals", tests, NULL, check_no_leak);
}
