/** A hint for steps that are too small for their ranks: these spend more time on meeting each other than they save.  A
 * training gives it after its first steps, and so does `bench`. */
#include "machine/fewer_ranks.h"

#include <stdio.h>

bool tutti_machine_is_slower(const tutti_machine_step *step, double expected_s) {
  static const double gain = 0.9; // less may be noise
  return expected_s < gain * step->step_s;
}

const char *tutti_machine_fewer_ranks_text(const tutti_machine_step *step, int ranks, double expected_s,
                                           char *text, size_t bytes) {
  snprintf(text, bytes,
           "a step of %lld sample%s takes %.2g s on %d ranks, and about %.2g s on %d: start 'mpirun -np %d', "
           "or give a "
           "larger train.batch_size; 'tutti bench' compares other numbers of ranks",
           (long long)step->batch_size, step->batch_size == 1 ? "" : "s", step->step_s, step->ranks,
           expected_s, ranks, ranks);
  return text;
}
