/** Pauses between looks for messages: some looks without one, because a message may be about to come; then pauses, which
 * leave the core to the threads that compute.  The pipeline calls it. */
#define _GNU_SOURCE // sched_yield, nanosleep
#include "par/rest_impl.h"

#include <sched.h>
#include <time.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { N_YIELDS = 20, SHORTEST_NS = 5000, LONGEST_NS = 100000 };

void tutti_par_rest_prepare(void) {
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1000UL); // ns; 50,000 are usual
#endif
}

void tutti_par_rest(tutti_rest *rest) {
  if (rest->n++ < N_YIELDS) {
    sched_yield();
    return;
  }
  const long ns = (long)SHORTEST_NS * (rest->n - N_YIELDS);
  const struct timespec pause = {.tv_nsec = ns < LONGEST_NS ? ns : LONGEST_NS};
  nanosleep(&pause, NULL);
}
