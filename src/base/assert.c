/** The end of a program with a bug of ours: TUTTI_ASSERT in debug builds prints the place and aborts. */
#include "tutti/base.h"

#ifndef NDEBUG
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

/** abort leaves a core file of the place, and mpiexec ends the other ranks. */
void tutti_assert_failed(const char *condition, const char *file, int line) {
  fprintf(stderr, "tutti: bug: rank %d: %s:%d: %s does not hold\n", tutti_log_rank(), file, line, condition);
  abort();
}
#else
typedef int tutti_assert_is_for_debug_builds;
#endif
