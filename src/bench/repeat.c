/** The timing of all measurements, of `tutti bench` and of the programs in tests/bench.
 *
 * A work is repeated until a round takes long enough for the clock, and the works take turns, round by round.  Ratios
 * of works then compare rounds that ran side by side, whatever else the machine did. */
#include "bench/repeat_impl.h"

#include <math.h>

#include "base/clock.h"

/** Run a work n times, which is the part `share` of a round.  Its seconds on this rank are added to *seconds. */
static tutti_status run_once(const tutti_comm *comm, const tutti_bench_repeat *work, int64_t n, int round,
                             double share, double *seconds) {
  if (work->before) work->before(work->context);
  TUTTI_TRY(tutti_comm_barrier(comm));
  const double aside = work->aside ? *work->aside : 0, start = tutti_clock_s();
  const tutti_status local = work->run(work->context, n);
  *seconds += tutti_clock_s() - start;
  if (work->aside) *seconds -= *work->aside - aside;
  TUTTI_TRY(tutti_comm_agree(comm, local));
  if (work->note) TUTTI_TRY(tutti_comm_agree(comm, work->note(work->context, n, round, share)));
  return TUTTI_OK;
}

/** Run one round of n times, in runs of at most work->at_once.
 * @param[out] seconds  of all n, on this rank */
static tutti_status run_round(const tutti_comm *comm, const tutti_bench_repeat *work, int64_t n, int round,
                              double *seconds) {
  *seconds = 0;
  for (int64_t done = 0; done < n; done += work->at_once) {
    const int64_t part = n - done < work->at_once ? n - done : work->at_once;
    TUTTI_TRY(run_once(comm, work, part, round, (double)part / (double)n, seconds));
  }
  return TUTTI_OK;
}

/** Calibrate one work: four times as many tries until an eighth of a round is filled.  What is aside counts here, since
 * a round should not last longer than it has to. */
static tutti_status calibrate(const tutti_comm *comm, double round_s, tutti_bench_repeat *work,
                              double *total_s) {
  double seconds = 0;
  for (work->n = 1;; work->n *= 4) {
    const double aside = work->aside ? *work->aside : 0;
    TUTTI_TRY(run_round(comm, work, work->n, -1, &seconds));
    if (work->aside) seconds += *work->aside - aside;
    TUTTI_TRY(tutti_comm_max(comm, &seconds, 1));
    if (seconds >= round_s / 8) break;
  }
  const double one_s = seconds / (double)work->n;
  work->n = (int64_t)ceil(round_s / one_s);
  *total_s += (double)work->n * one_s;
  return TUTTI_OK;
}

tutti_status tutti_bench_repeat_calibrate(const tutti_comm *comm, double round_s, tutti_bench_repeat *works,
                                          int n_works, double *total_s) {
  *total_s = 0;
  for (int i = 0; i < n_works; i++) TUTTI_TRY(calibrate(comm, round_s, &works[i], total_s));
  return TUTTI_OK;
}

tutti_status tutti_bench_repeat_rounds(const tutti_comm *comm, int rounds, tutti_bench_repeat *works,
                                       int n_works) {
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < n_works; i++) {
      tutti_bench_repeat *work =
          &works[(round + i) % n_works]; // each work follows each other one in some round
      TUTTI_TRY(run_round(comm, work, work->n, round, &work->seconds[round]));
      work->seconds[round] /= (double)work->n;
    }
  return TUTTI_OK;
}

tutti_status tutti_bench_repeat_run(const tutti_comm *comm, double round_s, int rounds,
                                    tutti_bench_repeat *works, int n_works) {
  double total_s = 0;
  TUTTI_TRY(tutti_bench_repeat_calibrate(comm, round_s, works, n_works, &total_s));
  return tutti_bench_repeat_rounds(comm, rounds, works, n_works);
}

/** The index of the value that `rank` values are before, in ascending order; equal values keep their order. */
static int index_of_rank(const double *values, int n, int rank) {
  for (int i = 0; i < n; i++) {
    int before = 0;
    for (int k = 0; k < n; k++) before += values[k] < values[i] || (values[k] == values[i] && k < i);
    if (before == rank) return i;
  }
  return 0;
}

int tutti_bench_repeat_median(const double *values, int n) {
  return index_of_rank(values, n, (n - 1) / 2);
}

int tutti_bench_repeat_least(const double *values, int n) {
  return index_of_rank(values, n, 0);
}

int tutti_bench_repeat_most(const double *values, int n) {
  return index_of_rank(values, n, n - 1);
}
