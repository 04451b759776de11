#pragma once
/** Works that are timed in turn, round by round: what else happens on the machine then meets all of them. */
#include "tutti/par.h"

typedef struct {
  /** The work, n times.  It is what the clock sees. */
  tutti_status (*run)(void *context, int64_t n);
  /** After the clock has stopped: add up what there is to keep of round number `round` (-1: it does not
   * count), of which the last n times are the part `share` of 1.  NULL: nothing. */
  tutti_status (*note)(void *context, int64_t n, int round, double share);
  void *context;
  int64_t at_once; // times in one run at most: a round is as many runs as it takes
  double *seconds; // [rounds] receives the time of one, on this rank
} tutti_repeat;

/** Collective; run and note may be collective over a part of the ranks.  `rounds` rounds of each of
 * works[n_works], of about round_s or of one time, each run begun by all ranks together, after some that do
 * not count.
 * @return (agreed) what the works return */
TUTTI_NODISCARD
tutti_status tutti_repeat_run(const tutti_comm *comm, double round_s, int rounds, tutti_repeat *works,
                              int n_works);

/** Local.  Which of values[n] is the median, the lower one of two; and the smallest. */
int tutti_repeat_median(const double *values, int n);
int tutti_repeat_least(const double *values, int n);
