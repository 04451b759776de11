#pragma once
/** Works that are timed in turn, round by round: what else happens on the machine then meets all of them. */
#include "tutti/par.h"

typedef struct {
  /** The work, n times.  It is what the clock sees. */
  tutti_status (*run)(void *context, int64_t n);
  /** After the clock has stopped: keep what there is to keep of the last round, number `round` (-1: it does
   * not count).  NULL: nothing. */
  tutti_status (*note)(void *context, int64_t n, int round);
  void *context;
  int64_t max;     // times in a round at most
  double *seconds; // [rounds] receives the time of one, on this rank
} tutti_repeat;

/** Collective; run and note may be collective over a part of the ranks.  `rounds` rounds of each of
 * works[n_works], of at least round_s where `max` allows it, begun by all ranks together, after some that do
 * not count.
 * @return (agreed) what the works return */
TUTTI_NODISCARD
tutti_status tutti_repeat_run(const tutti_comm *comm, double round_s, int rounds, tutti_repeat *works,
                              int n_works);

/** Local.  Which of values[n] is the median, the lower one of two; and the smallest. */
int tutti_repeat_median(const double *values, int n);
int tutti_repeat_least(const double *values, int n);
