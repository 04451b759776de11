/** Clocks: one for durations, one for points in time that several hosts agree on, and the date for files and names. */
#include "base/clock.h"

#include <time.h>

/** The monotonic clock does not jump if somebody sets the time during a training. */
double tutti_clock_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double tutti_clock_cpu_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double tutti_clock_unix_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void tutti_clock_date(char text[21]) {
  const time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
