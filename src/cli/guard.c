/** What guards a job of several ranks: the watchdog, which main starts, signals, and a limit on the time of its end.  The
 * environment switches the watchdog off, because a debugger is started before a config is read.
 *
 * When a rank is lost, this process ends, and the launcher ends the others.  A launcher that waits for a lost host is
 * killed. */
#define _XOPEN_SOURCE 700 // setsid
#include "cli/guard_impl.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/signals.h"
#include "base/text.h"

/** The part of the limit after which the launcher is killed, counted from the loss. */
static const double LAUNCHER_PART = 0.3;

static long launcher;          // process; 0: none
static char launcher_name[64]; // so that a later process of the same number is left alone
static char launcher_comm[64]; // the file that tells the name of a process with its number

static void note_launcher(void) {
  tutti_process process;
  launcher = tutti_process_launcher();
  if (launcher > 0 && tutti_process_read(launcher, &process))
    snprintf(launcher_name, sizeof launcher_name, "%s", process.name);
  snprintf(launcher_comm, sizeof launcher_comm, "/proc/%ld/comm", launcher);
}

/** fork() lets libraries prepare, and one may wait for its threads, of which one may hang. */
static pid_t plain_fork(void) {
#ifdef TUTTI_HAVE_PLAIN_FORK
  return _Fork();
#else
  return fork();
#endif
}

/** In a child of a process with threads, so only calls that are allowed in handlers. */
static bool launcher_is_there(void) {
  char found[64] = "";
  const int fd = open(launcher_comm, O_RDONLY);
  if (fd < 0) return false;
  const ssize_t n = read(fd, found, sizeof found - 1);
  close(fd);
  return n > 1 && strncmp(found, launcher_name, (size_t)n - 1) == 0;
}

/** A launcher that has lost a host may wait for it for ever.  A child outlives this process and kills the launcher if
 * it is still there after `wait` seconds.  It keeps no file open, because the launcher reads the output of its ranks
 * to the end. */
static void end_launcher_later(double wait) {
  enum { MAX_FILES = 1024 };
  const struct timespec rest = {(time_t)wait, (long)(1e9 * (wait - (double)(time_t)wait))};
  if (launcher == 0 || plain_fork() != 0) return;
  setsid();
  for (int fd = 0; fd < MAX_FILES; fd++) close(fd);
  nanosleep(&rest, NULL);
  if (launcher_is_there()) kill((pid_t)launcher, SIGKILL);
  _exit(0);
}

/** MPI_Abort is not called, because another thread is inside MPI. */
static void end_job(const char *what, bool first, double limit) {
  static const struct timespec grace = {0, 300000000}; // a launcher may end all when the first rank ends
  if (first)
    tutti_log(
        TUTTI_LOG_ERROR,
        "%s; the job ends, and the last checkpoint remains.  TUTTI_WATCHDOG=no switches this check off, for "
        "example for a debugger",
        what);
  else
    nanosleep(&grace, NULL); // so that the rank that speaks has spoken
  end_launcher_later(LAUNCHER_PART * limit);
  _exit(tutti_status_exit(TUTTI_ERR_MPI));
}

/** What the environment of rank 0 asks for. */
static struct {
  double limit;  // seconds; 0: no watchdog
  bool is_given; // so that of the config does not count
} wanted;

/** The name of a variable that switches the watchdog off (no), or says its limit in seconds. */
#define WATCHDOG "TUTTI_WATCHDOG"

static tutti_status read_wanted(void) {
  static const double default_limit_s = 10;
  const char *text = getenv(WATCHDOG);
  wanted.is_given = text != NULL;
  wanted.limit = default_limit_s;
  if (!text) return TUTTI_OK;
  if (strcmp(text, "no") == 0) wanted.limit = 0;
  const bool known =
      wanted.limit == 0 || (tutti_text_real(text, &wanted.limit) &&
                            (wanted.limit == 0 || wanted.limit >= TUTTI_CONFIG_LEAST_WATCHDOG_S));
  TUTTI_CHECK(known, TUTTI_ERR_USAGE, WATCHDOG "=%s: expected 'no' or a number of seconds: 0, or from %g",
              text, TUTTI_CONFIG_LEAST_WATCHDOG_S);
  return TUTTI_OK;
}

// A job without a watchdog trains as well, so a failure is a warning.  Launchers do not give the environment to all
// hosts, so that of rank 0 counts for all.
tutti_status tutti_cli_watch(tutti_comm *comm) {
  const tutti_status local = tutti_comm_rank(comm) == 0 ? read_wanted() : TUTTI_OK;
  TUTTI_TRY(tutti_comm_agree_from(comm, 0, local));
  TUTTI_TRY(tutti_comm_bcast(comm, 0, &wanted, sizeof wanted));
  if (tutti_comm_size(comm) == 1 || wanted.limit == 0) return TUTTI_OK;
  note_launcher();
  const tutti_status status = tutti_comm_watch(comm, wanted.limit, end_job);
  if (status != TUTTI_OK && status != TUTTI_ERR_MPI)
    tutti_log(TUTTI_LOG_WARNING, "no watchdog: %s; a rank that hangs will not be noticed", tutti_fail_text());
  return status == TUTTI_ERR_MPI ? status : TUTTI_OK;
}

void tutti_cli_guard(const tutti_comm *comm, const tutti_config *config) {
  tutti_signals_add(config->run.signal);
  if (!wanted.is_given) tutti_comm_set_watch_limit(comm, config->parallel.watchdog.value);
}

static volatile sig_atomic_t status_of_end;

static void end_now(int number) {
  (void)number;
  _exit(status_of_end);
}

// An alarm needs neither memory nor a thread.
void tutti_cli_end_soon(int exit_status) {
  enum { END_S = 5 };
  struct sigaction action = {.sa_handler = end_now};
  status_of_end = exit_status;
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  alarm(END_S);
}
