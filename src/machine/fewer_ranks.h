#pragma once
/** Whether fewer ranks would take less time for a step.  Local, pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A measured step. */
typedef struct {
  int ranks;
  int64_t batch_size;
  double step_s;
} tutti_machine_step;

/** Whether a step of expected_s would be clearly shorter: by a tenth at least. */
bool tutti_machine_is_slower(const tutti_machine_step *step, double expected_s);

/** Write the sentence for the user: how long the step takes, and how to start the faster one.
 * @param[in]  ranks       fewer than those of the step
 * @param[in]  expected_s  of a step with so many ranks
 * @param[out] text        [bytes]
 * @return text */
const char *tutti_machine_fewer_ranks_text(const tutti_machine_step *step, int ranks, double expected_s,
                                           char *text, size_t bytes);
