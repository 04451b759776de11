#pragma once
/** What the processor and the system give this process.  Local. */
#include <stdbool.h>

typedef struct {
  char model[64];   // as the system names it, "unknown" where it does not
  int n_cores;      // logical processors on line
  int n_allowed;    // of these, the ones this process may run on (binding, cgroup)
  char allowed[64]; // their numbers, as "0-3,8"
  bool avx2_fma, avx512;
} tutti_cpu;

void tutti_cpu_get(tutti_cpu *cpu);

/** The numbers of the cores this process may run on, ascending, at most `max`; gives how many there are in
 * all. */
int tutti_cpu_allowed(int *cores, int max);
