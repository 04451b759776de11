#define _XOPEN_SOURCE 700 // posix_openpt
#include "base/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

#ifdef __linux__
#include <sys/prctl.h>

/** A child whose stderr is `fd`; false in the child. */
static bool fork_with_stderr(int fd, pid_t *pid) {
  *pid = fork();
  assert_true(*pid >= 0);
  if (*pid != 0) return true;
  if (dup2(fd, STDERR_FILENO) < 0) _exit(90);
  return false;
}

static int exit_status(pid_t pid) {
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

/** Writes "seen" to the terminal and exits with 1; exits with 0 where there is none. */
static void report_terminal(void) {
  FILE *terminal = tutti_terminal_open();
  if (terminal == NULL) _exit(0);
  fprintf(terminal, "seen\n");
  _exit(fclose(terminal) == 0 ? 1 : 91);
}

/** A process named `name` whose stderr is `outer`, and below it, through a wrapper, one whose stderr is
 * `inner`. Gives the exit status of report_terminal in the innermost. */
static int run_under(const char *name, int outer, int inner) {
  pid_t launcher, wrapper, rank;
  if (fork_with_stderr(outer, &launcher)) return exit_status(launcher);
  prctl(PR_SET_NAME, name);
  if (fork_with_stderr(inner, &wrapper)) _exit(exit_status(wrapper));
  prctl(PR_SET_NAME, "wrapper) S 1 (");
  if (fork_with_stderr(inner, &rank)) _exit(exit_status(rank));
  report_terminal();
  return -1;
}

static bool holds_seen(int controller) {
  struct pollfd wait = {.fd = controller, .events = POLLIN};
  char text[64] = "";
  if (poll(&wait, 1, 1000) == 1 && read(controller, text, sizeof text - 1) < 0) return false;
  return strstr(text, "seen") != NULL;
}

static int open_terminal(int *controller) {
  *controller = posix_openpt(O_RDWR | O_NOCTTY);
  assert_true(*controller >= 0);
  assert_int_equal(grantpt(*controller), 0);
  assert_int_equal(unlockpt(*controller), 0);
  const int terminal = open(ptsname(*controller), O_RDWR | O_NOCTTY);
  assert_true(terminal >= 0);
  return terminal;
}

static void a_rank_finds_the_terminal_of_its_launcher(void **state) {
  (void)state;
  int pipe_ends[2], controller;
  assert_int_equal(pipe(pipe_ends), 0);
  const int terminal = open_terminal(&controller);
  const char *const names[] = {"mpirun", "mpiexec.hydra", "prterun"};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(run_under(names[i], terminal, pipe_ends[1]), 1);
    assert_true(holds_seen(controller));
  }
  assert_int_equal(run_under("ctest", terminal, pipe_ends[1]), 0);
  close(terminal), close(controller), close(pipe_ends[0]), close(pipe_ends[1]);
}

static void a_launcher_that_writes_elsewhere_has_none(void **state) {
  (void)state;
  int pipe_ends[2];
  assert_int_equal(pipe(pipe_ends), 0);
  const int null = open("/dev/null", O_WRONLY);
  assert_int_equal(run_under("mpirun", pipe_ends[1], pipe_ends[1]), 0);
  assert_int_equal(run_under("mpirun", null, pipe_ends[1]), 0);
  close(null), close(pipe_ends[0]), close(pipe_ends[1]);
}

static void stderr_itself_comes_first(void **state) {
  (void)state;
  int controller;
  const int terminal = open_terminal(&controller);
  assert_int_equal(run_under("sh", terminal, terminal), 1);
  assert_true(holds_seen(controller));
  close(terminal), close(controller);
}
#endif

int main(void) {
#ifdef __linux__
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rank_finds_the_terminal_of_its_launcher),
      cmocka_unit_test(a_launcher_that_writes_elsewhere_has_none),
      cmocka_unit_test(stderr_itself_comes_first),
  };
  return cmocka_run_group_tests_name("base.terminal", tests, NULL, check_no_leak);
#else
  return 0;
#endif
}
