#pragma once
/** How fast two cores hear of each other: the time in which a cache line goes to another core and back.  Every barrier and
 * every reduction within a node takes some of these round trips, so figures of several ranks or threads depend on them. */
#include "tutti/par.h"

/** X(code, name): what is known of the round trip. */
#define TUTTI_ROUND_TRIP_LIST(X)                                                                             \
  X(ALONE, "one_thread")                                                                                     \
  X(CROWDED, "more_threads_than_cores")                                                                      \
  X(LATE, "interrupted")                                                                                     \
  X(FAR, "cores_without_a_common_cache")                                                                     \
  X(NORMAL, "normal")                                                                                        \
  X(SLOW, "slow")                                                                                            \
  X(CHANGED, "changed")

typedef enum {
#define X(code, name) TUTTI_ROUND_TRIP_##code,
  TUTTI_ROUND_TRIP_LIST(X)
#undef X
      TUTTI_N_ROUND_TRIPS
} tutti_round_trip_word;

extern const char *const tutti_round_trip_names[TUTTI_N_ROUND_TRIPS];

/** A round trip in seconds, between the pair of cores for which it takes longest. */
typedef struct {
  double slowest_s; // of all pairs; 0: not measured
  double near_s;    // of those pairs whose cores share a cache; 0: there are none, or the system does not say
  bool crowded;     // not measured, since threads that share a core wait for the core, not for the line
  bool late;        // not measured, since a thread got no core for a while
} tutti_round_trip;

/** Collective over all ranks of the job.  Measure for some milliseconds between the ranks of each node, and between the
 * threads of each rank (tutti_linalg_threads).  Nothing is measured if the ranks of a node have more threads than
 * cores.
 * @param[out] trip  equal on all ranks
 * @return (agreed) ERR_MEMORY, ERR_SYSTEM */
TUTTI_NODISCARD
tutti_status tutti_round_trip_measure(const tutti_comm *comm, tutti_round_trip *trip);

/** Local.  What a measurement says of the cores; or two of them, before and after something else was measured.  Only
 * cores that share a cache have a limit, since others may be in different sockets.  A change is one by more than a
 * factor of two, between any cores.
 * @param[in] after  NULL: there is one measurement */
tutti_round_trip_word tutti_round_trip_judge(const tutti_round_trip *before, const tutti_round_trip *after);

/** Local.  The sentence for the user.
 * @param[out] text  [bytes]
 * @return text; NULL if nothing is wrong */
const char *tutti_round_trip_warning(const tutti_round_trip *before, const tutti_round_trip *after,
                                     char *text, size_t bytes);
