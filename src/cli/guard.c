/** What guards a job of several ranks: the watchdog, which main starts, and signals.  The environment switches the watchdog off,
 * because a debugger is started before a config is read. */
#include "cli/guard_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"

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
  const tutti_status status = tutti_comm_watch(comm, limit);
  if (status != TUTTI_OK && status != TUTTI_ERR_MPI)
    tutti_log(TUTTI_LOG_WARNING, "no watchdog: %s; a rank that hangs will not be noticed", tutti_fail_text());
  return status == TUTTI_ERR_MPI ? status : TUTTI_OK;
}

void tutti_cli_guard(const tutti_comm *comm, const tutti_config *config) {
  tutti_signals_add(config->run.signal);
  if (!getenv(WATCHDOG)) tutti_comm_set_watch_limit(comm, config->parallel.watchdog.value);
}
