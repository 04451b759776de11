/** Faults on demand.  Fallible functions call tutti_fault with the name of their site, and the tests choose one site,
 * rank and pass by the environment. */
#include "base/fault.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/phase.h"

/** Split "site:rank:nth".  @return false if the text does not have this form */
static bool parse(const char *text, size_t *site_length, long *rank, long *nth) {
  const char *colon = strchr(text, ':');
  if (!colon) return false;
  char *end = NULL;
  *site_length = (size_t)(colon - text);
  *rank = strtol(colon + 1, &end, 10);
  if (end == colon + 1 || *end != ':') return false;
  *nth = strtol(end + 1, &end, 10);
  return *end == '\0' && *nth > 0;
}

static char counted[64]; // the text for which passes are counted
static atomic_bool counts_passes, has_come;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

/** Whether this pass of the site is the one that a text such as "file.create:0:3" asks for.  Passes are counted over all
 * threads, from the moment at which the variable has this text. */
static bool is_chosen(const char *wanted, const char *site) {
  static long passes;
  size_t length = 0;
  long rank = 0, nth = 0;
  if (strcmp(wanted, counted) != 0) {
    passes = 0;
    if (wanted[0]) atomic_store(&has_come, false);
  }
  snprintf(counted, sizeof counted, "%s", wanted);
  if (!parse(wanted, &length, &rank, &nth) || rank != tutti_log_rank()) return false;
  const bool chosen = strlen(site) == length && memcmp(site, wanted, length) == 0 && ++passes == nth;
  if (chosen) atomic_store(&has_come, true);
  return chosen;
}

tutti_status tutti_fault(const char *site) {
  const char *wanted = getenv("TUTTI_FAULT");
  if (!wanted && !atomic_load(&counts_passes)) return TUTTI_OK;
  pthread_mutex_lock(&counting);
  const bool chosen = is_chosen(wanted ? wanted : "", site);
  atomic_store(&counts_passes, wanted != NULL);
  pthread_mutex_unlock(&counting);
  if (chosen) TUTTI_FAIL(TUTTI_ERR_INTERNAL, "fault injected at %s", site);
  return TUTTI_OK;
}

bool tutti_fault_has_come(void) {
  return atomic_load(&has_come);
}

// --- each check --------------------------------------------------------------------------------------------------

bool tutti_fault_armed;

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

void tutti_fault_arm(void) {
  const char *wanted = getenv("TUTTI_FAULT");
  tutti_fault_armed = wanted && (begins(wanted, "check:") || begins(wanted, "kill:"));
}

bool tutti_fault_at_check(tutti_status status, const char *function, const char *file, int line) {
  const bool counts = status == TUTTI_ERR_DATA || status == TUTTI_ERR_MISSING || status == TUTTI_ERR_MEMORY ||
                      status == TUTTI_ERR_SYSTEM || status == TUTTI_ERR_CREATE || status == TUTTI_ERR_IO;
  bool unused;
  if (!counts) return false;
  if (tutti_fault("kill") != TUTTI_OK) {
    tutti_log(TUTTI_LOG_WARNING, "killed in %s (%s:%d), phase %s", function, file, line,
              tutti_phase_noted(&unused));
    raise(SIGKILL);
  }
  if (tutti_fault("check") == TUTTI_OK) return false;
  tutti_fail(status, function, file, line, "fault injected at check in %s (%s:%d)", function, file, line);
  return true;
}
