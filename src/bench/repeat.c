#include "bench/repeat.h"

#include <math.h>

#include "base/clock.h"

/** `n` times of a round, with the part `share` of it.  Adds their seconds on this rank. */
static tutti_status run_once(const tutti_comm *comm, const tutti_repeat *work, int64_t n, int round,
                             double share, double *seconds) {
  TUTTI_TRY(tutti_barrier(comm));
  const double start = tutti_clock_s();
  const tutti_status local = work->run(work->context, n);
  *seconds += tutti_clock_s() - start;
  TUTTI_TRY(tutti_agree(comm, local));
  if (work->note) TUTTI_TRY(tutti_agree(comm, work->note(work->context, n, round, share)));
  return TUTTI_OK;
}

/** One round: the seconds of all n on this rank. */
static tutti_status run_round(const tutti_comm *comm, const tutti_repeat *work, int64_t n, int round,
                              double *seconds) {
  *seconds = 0;
  for (int64_t done = 0; done < n; done += work->at_once) {
    const int64_t part = n - done < work->at_once ? n - done : work->at_once;
    TUTTI_TRY(run_once(comm, work, part, round, (double)part / (double)n, seconds));
  }
  return TUTTI_OK;
}

/** How many times fill a round on the slowest rank.  The first tries warm up. */
static tutti_status calibrate(const tutti_comm *comm, double round_s, const tutti_repeat *work, int64_t *n) {
  double seconds = 0;
  for (*n = 1;; *n *= 4) {
    TUTTI_TRY(run_round(comm, work, *n, -1, &seconds));
    TUTTI_TRY(tutti_max(comm, &seconds, 1));
    if (seconds >= round_s / 8) break;
  }
  *n = (int64_t)ceil((double)*n * round_s / seconds);
  return TUTTI_OK;
}

tutti_status tutti_repeat_run(const tutti_comm *comm, double round_s, int rounds, tutti_repeat *works,
                              int n_works) {
  int64_t *n = NULL;
  tutti_status status = tutti_agree(comm, TUTTI_NEW(n, n_works));
  if (status != TUTTI_OK) goto done;
  for (int i = 0; i < n_works; i++) TUTTI_TRY_GOTO(done, calibrate(comm, round_s, &works[i], &n[i]));
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < n_works; i++) {
      double seconds = 0;
      TUTTI_TRY_GOTO(done, run_round(comm, &works[i], n[i], round, &seconds));
      works[i].seconds[round] = seconds / (double)n[i];
    }
done:
  tutti_free(n);
  return status;
}

int tutti_repeat_median(const double *values, int n) {
  for (int i = 0; i < n; i++) {
    int before = 0;
    for (int k = 0; k < n; k++) before += values[k] < values[i] || (values[k] == values[i] && k < i);
    if (before == (n - 1) / 2) return i;
  }
  return 0;
}

int tutti_repeat_least(const double *values, int n) {
  int least = 0;
  for (int i = 1; i < n; i++)
    if (values[i] < values[least]) least = i;
  return least;
}
