#pragma once
/** The processors that this process may use.  Local. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  char model[64];   // name, as the system reports it; see tutti_machine_model
  int n_cpus;       // logical processors online: with simultaneous multithreading a core has several
  int n_allowed;    // how many of them this process may run on (binding by a launcher, cgroup)
  char allowed[64]; // their numbers, such as "0-3,8"
  bool avx2_fma, avx512;
} tutti_machine_cpu;

void tutti_machine_cpu_get(tutti_machine_cpu *cpu);

/** Only processors with numbers below this one are counted. */
enum { TUTTI_MACHINE_MAX_CPUS = 1024 };

/** The name of the processor as the system reports it; of a processor without one, as on ARM, the numbers of its maker and
 * its part; else "unknown".
 * @param[in] root  "" for the /proc of the system; else the folder that contains proc/, for tests */
void tutti_machine_model(const char *root, char *model, size_t bytes);

/** The core of a logical processor: the smallest number among the processors that share its arithmetic units.
 * @param[in] root  "" for the /sys of the system; else the folder that contains sys/, for tests */
int tutti_machine_core_of(const char *root, int cpu);

/** The last-level cache of a logical processor: the smallest number among the processors that share it.
 * @param[in] root  as above
 * @return -1 if the system does not say */
int tutti_machine_cache_of(const char *root, int cpu);

/** The bytes of that cache.
 * @return 0 if the system does not say */
int64_t tutti_machine_cache_bytes(const char *root, int cpu);

/** List the cores that this process may run on, each once, ascending.
 * @return their number, at least 1 */
int tutti_machine_cores(int cores[TUTTI_MACHINE_MAX_CPUS]);

/** Whether OpenMP binds its threads to places.  All its places together count as allowed, even if this thread is bound
 * to one of them. */
bool tutti_machine_openmp_binds(void);

/** Let this thread, and programs that it starts, run on all processors that the process was given. */
void tutti_machine_unbind(void);

/** Write ascending numbers[n] as "0-3,8", cut off if they do not fit.
 * @return text */
char *tutti_machine_ranges(const int *numbers, int n, char *text, size_t bytes);
