#pragma once
/** What the processor and the system give this process.  Local. */
#include <stdbool.h>
#include <stddef.h>

typedef struct {
  char model[64];   // as the system names it, "unknown" where it does not
  int n_cpus;       // logical processors on line: with simultaneous multithreading a core is several
  int n_allowed;    // of these, the ones this process may run on (binding by a launcher, cgroup)
  char allowed[64]; // their numbers, as "0-3,8"
  bool avx2_fma, avx512;
} tutti_machine_cpu;

void tutti_machine_cpu_get(tutti_machine_cpu *cpu);

/** Processors that are numbered below this one can be counted. */
enum { TUTTI_MACHINE_MAX_CPUS = 1024 };

/** The core of a logical processor: the lowest number of those that share its arithmetic units.
 * @param[in] root  "" for the system's own /sys, else a folder that stands for its parent */
int tutti_machine_core_of(const char *root, int cpu);

/** The cores this process may run on, each once, ascending; gives their number, at least 1. */
int tutti_machine_cores(int cores[TUTTI_MACHINE_MAX_CPUS]);

/** Whether OpenMP binds its threads to places within what the process was given.  All its places together count as
 * allowed, though this thread has one of them. */
bool tutti_machine_openmp_binds(void);

/** This thread may run on all that the process was given, as programs that it starts then may. */
void tutti_machine_unbind(void);

/** "0-3,8" for the ascending numbers [n], cut where it does not fit; `text` is returned. */
char *tutti_machine_ranges(const int *numbers, int n, char *text, size_t bytes);
