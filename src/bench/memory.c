/** The rates of caches and of memory, with which the parts of a step are compared.
 *
 * All ranks with all their threads pass over arrays at once, since they share the last cache and the memory.  The arrays
 * grow from some that fit into the nearest cache to some that are four times as large as a rank's share of the last
 * one.  Called by bench.c. */
#include <math.h>

#include "bench/measure_impl.h"
#include "machine/cpu.h"
#include "machine/memory_rate.h"
#include "tutti/linalg.h"

enum {
  SMALLEST = 1 << 15, // bytes
  GROWTH = 4,
  BEYOND = 4,            // times the cache: what is read first is gone before it is read again
  SOME_CACHE = 32 << 20, // if the system does not say how large it is
  TRIES = 3,
  SHARES = 20 // a measurement takes this part of a round
};

/** The share of this rank in the last-level cache, equal on all ranks: the smallest. */
static tutti_status share_cache(const tutti_bench_setup *setup, double *bytes) {
  int cores[TUTTI_MACHINE_MAX_CPUS];
  double *ranks = NULL; // that use the cache of each processor
  tutti_status status = TUTTI_OK;
  tutti_machine_cores(cores);
  const int cache = tutti_machine_cache_of("", cores[0]);
  const int64_t size = tutti_machine_cache_bytes("", cores[0]);
  const bool known = cache >= 0 && cache < TUTTI_MACHINE_MAX_CPUS && size > 0;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, TUTTI_NEW(ranks, TUTTI_MACHINE_MAX_CPUS)));
  if (known) ranks[cache] = 1;
  TUTTI_TRY_GOTO(done, tutti_comm_sum(setup->node, ranks, TUTTI_MACHINE_MAX_CPUS));
  *bytes = known ? (double)size / ranks[cache] : (double)SOME_CACHE / tutti_comm_size(setup->node);
  TUTTI_TRY_GOTO(done, tutti_comm_min(setup->comm, bytes, 1));
done:
  tutti_free(ranks);
  return status;
}

/** List the sizes to measure. */
static int list_sizes(double cache, tutti_bench_memory *memories) {
  int n = 0;
  for (double size = SMALLEST; size < cache / 2 && n < TUTTI_BENCH_MAX_MEMORIES - 2; size *= GROWTH)
    memories[n++] = (tutti_bench_memory){.working_set = size, .in_cache = true};
  memories[n++] = (tutti_bench_memory){.working_set = cache / 2, .in_cache = true};
  memories[n++] = (tutti_bench_memory){.working_set = BEYOND * cache};
  return n;
}

static int64_t floats_of_array(const tutti_bench_memory *memory) {
  return (int64_t)(memory->working_set / (2 * sizeof(float)));
}

tutti_status tutti_bench_measure_memory(const tutti_bench_setup *setup, tutti_bench_memory *memories,
                                        int *n) {
  double cache = 0;
  float *arrays = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(share_cache(setup, &cache));
  *n = list_sizes(cache, memories);
  const int64_t most = 2 * floats_of_array(&memories[*n - 1]);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, TUTTI_NEW(arrays, most)));
  for (int64_t i = 0; i < most; i++) arrays[i] = 0.5F;
  // The best try counts, since other programs can only make memory slower.
  for (int i = 0; i < *n * TRIES; i++) {
    tutti_bench_memory *memory = &memories[i % *n];
    TUTTI_TRY_GOTO(done, tutti_comm_barrier(setup->comm));
    double rate = tutti_machine_memory_rate(arrays, floats_of_array(memory), tutti_linalg_threads(),
                                            setup->options->round_s / SHARES);
    TUTTI_TRY_GOTO(done, tutti_comm_sum(setup->comm, &rate, 1));
    memory->rate = fmax(memory->rate, rate);
  }
done:
  tutti_free(arrays);
  return status;
}
