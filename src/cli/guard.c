/** What guards a job of several ranks: the watchdog, which main starts, and signals.  The environment switches the
 * watchdog off, because a debugger is started before a config is read.
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

static void note_launcher(void) {
  tutti_process process;
  launcher = tutti_process_launcher();
  if (launcher > 0 && tutti_process_read(launcher, &process))
    snprintf(launcher_name, sizeof launcher_name, "%s", process.name);
}

/** In a child of a process with threads, so only calls that are allowed in handlers. */
static bool launcher_is_there(void) {
  char path[64], found[64] = "";
  snprintf(path, sizeof path, "/proc/%ld/comm", launcher);
  const int fd = open(path, O_RDONLY);
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
  if (launcher == 0 || fork() != 0) return;
  setsid();
  for (int fd = 0; fd < MAX_FILES; fd++) close(fd);
  nanosleep(&rest, NULL);
  if (launcher_is_there()) kill((pid_t)launcher, SIGKILL);
  _exit(0);
}

/** MPI_Abort is not called, because another thread is inside MPI. */
static void end_job(const char *what, bool first, double limit) {
  if (first)
    tutti_log(
        TUTTI_LOG_ERROR,
        "%s; the job ends, and the last checkpoint remains.  TUTTI_WATCHDOG=no switches this check off, for "
        "example for a debugger",
        what);
  end_launcher_later(LAUNCHER_PART * limit);
  _exit(tutti_status_exit(TUTTI_ERR_MPI));
}

/** The name of a variable that switches the watchdog off (no), or says its limit in seconds. */
#define WATCHDOG "TUTTI_WATCHDOG"

/** A job without a watchdog trains as well, so a failure is a warning. */
tutti_status tutti_cli_watch(tutti_comm *comm) {
  static const double default_limit_s = 10;
  const char *wanted = getenv(WATCHDOG);
  double limit = default_limit_s;
  if (tutti_comm_size(comm) == 1 || (wanted && strcmp(wanted, "no") == 0)) return TUTTI_OK;
  TUTTI_CHECK(!wanted || (tutti_text_real(wanted, &limit) && limit >= 0), TUTTI_ERR_USAGE,
              WATCHDOG "=%s: expected 'no' or a number of seconds from 0", wanted);
  note_launcher();
  const tutti_status status = tutti_comm_watch(comm, limit, end_job);
  if (status != TUTTI_OK && status != TUTTI_ERR_MPI)
    tutti_log(TUTTI_LOG_WARNING, "no watchdog: %s; a rank that hangs will not be noticed", tutti_fail_text());
  return status == TUTTI_ERR_MPI ? status : TUTTI_OK;
}

void tutti_cli_guard(const tutti_comm *comm, const tutti_config *config) {
  tutti_signals_add(config->run.signal);
  if (!getenv(WATCHDOG)) tutti_comm_set_watch_limit(comm, config->parallel.watchdog.value);
}
