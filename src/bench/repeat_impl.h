#pragma once
/** Works that are timed in turn, round by round, so that a disturbance of the machine meets all of them. */
#include "tutti/par.h"

typedef struct {
  /** Do the work n times; this is what the clock measures. */
  tutti_status (*run)(void *context, int64_t n);

  /** Called before each run, outside of the clock; NULL: nothing. */
  void (*before)(void *context);

  /** Called after each run, outside of the clock; NULL: nothing.
   * @param[in] n      times of the run
   * @param[in] round  number of the round, from 0; -1 if it does not count
   * @param[in] share  of the round that this run is; the shares of a round add up to 1 */
  tutti_status (*note)(void *context, int64_t n, int round, double share);

  void *context;
  const double *aside; // seconds that `run` has spent on what does not count, since the start; NULL: none
  int64_t at_once;     // largest n of a run; a round has as many runs as it needs
  int64_t n;           // times in a round; set by tutti_bench_repeat_calibrate
  double *seconds;     // [rounds] set to the seconds of one time on this rank
} tutti_bench_repeat;

/** Find how many times fill a round of about round_s seconds on the slowest rank, at least one.  Collective; run and
 * note may be collective over a part of the ranks.  The tries warm up the caches.
 * @param[in,out] works    [n_works] works[i].n is set, equal on all ranks
 * @param[out]    total_s  seconds of a round of all works
 * @return (agreed) what the works return */
TUTTI_NODISCARD
tutti_status tutti_bench_repeat_calibrate(const tutti_comm *comm, double round_s, tutti_bench_repeat *works,
                                          int n_works, double *total_s);

/** Time `rounds` rounds of each work, after tutti_bench_repeat_calibrate.  Collective.  All ranks begin each run
 * together.  The order of the works changes from round to round.
 * @return (agreed) what the works return */
TUTTI_NODISCARD
tutti_status tutti_bench_repeat_rounds(const tutti_comm *comm, int rounds, tutti_bench_repeat *works,
                                       int n_works);

/** Calibrate, and time.  Collective. */
TUTTI_NODISCARD
tutti_status tutti_bench_repeat_run(const tutti_comm *comm, double round_s, int rounds,
                                    tutti_bench_repeat *works, int n_works);

/** The index of the median of values[n], the lower one of two; of the smallest and of the largest value.  Local. */
int tutti_bench_repeat_median(const double *values, int n);
int tutti_bench_repeat_least(const double *values, int n);
int tutti_bench_repeat_most(const double *values, int n);
