/** Whether ranks and their threads have enough cores.  The ranks that compete for the cores of a rank are those of its
 * node that may run on these cores and on no others: a rank with more choice can move away.  The preflight gathers the
 * placements on rank 0 and reports the faults, and round_trip.c measures nothing if there are any. */
#include "machine/placement_impl.h"

#include <string.h>

#include "machine/quota.h"

enum { N_WORDS = TUTTI_MACHINE_MAX_CPUS / 64 };

tutti_machine_placement tutti_machine_place(const tutti_comm *comm, int threads) {
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  tutti_machine_placement own = {.node = tutti_comm_node(comm),
                                 .threads = threads,
                                 .n_barred = cpu.n_cpus - cpu.n_allowed,
                                 .quota = tutti_machine_quota("")};
  int cores[TUTTI_MACHINE_MAX_CPUS];
  const int n = tutti_machine_cores(cores);
  for (int i = 0; i < n; i++) own.cores[cores[i] / 64] |= (uint64_t)1 << (cores[i] % 64);
  return own;
}

static bool is_within(const uint64_t *inner, const uint64_t *outer) {
  for (int i = 0; i < N_WORDS; i++)
    if (inner[i] & ~outer[i]) return false;
  return true;
}

static int list_cores(const uint64_t *words, int cores[TUTTI_MACHINE_MAX_CPUS]) {
  int n = 0;
  for (int i = 0; i < TUTTI_MACHINE_MAX_CPUS; i++)
    if (words[i / 64] >> (i % 64) & 1) cores[n++] = i;
  return n;
}

/** Count ranks of the node and their threads: those that can run only on cores of `rank`, or all of them. */
static void count(const tutti_machine_placement *ranks, int n, int rank, bool all,
                  tutti_machine_fault *fault) {
  const tutti_machine_placement *own = &ranks[rank];
  fault->n_ranks = fault->n_threads = 0;
  for (int i = 0; i < n; i++) {
    if (ranks[i].node != own->node || !(all || is_within(ranks[i].cores, own->cores))) continue;
    fault->n_ranks++;
    fault->n_threads += ranks[i].threads;
  }
}

/** The first fault of one rank.  A quota is looked at last, because wrong binding explains too many threads better. */
static tutti_machine_fault check_rank(const tutti_machine_placement *ranks, int n, int rank) {
  tutti_machine_fault fault = {.kind = TUTTI_MACHINE_WELL, .rank = rank};
  fault.n_cores = list_cores(ranks[rank].cores, fault.cores);
  count(ranks, n, rank, false, &fault);
  if (fault.n_ranks > fault.n_cores)
    fault.kind = TUTTI_MACHINE_SHARING;
  else if (ranks[rank].threads > fault.n_cores)
    fault.kind = TUTTI_MACHINE_NARROW;
  else if (fault.n_threads > fault.n_cores)
    fault.kind = TUTTI_MACHINE_CROWDED;
  if (fault.kind != TUTTI_MACHINE_WELL || ranks[rank].quota == 0) return fault;
  count(ranks, n, rank, true, &fault); // all ranks of the node share its quota
  if (fault.n_threads > ranks[rank].quota) fault.kind = TUTTI_MACHINE_THROTTLED;
  return fault;
}

int tutti_machine_check_placement(const tutti_machine_placement *ranks, int n,
                                  tutti_machine_fault faults[4]) {
  bool seen[TUTTI_MACHINE_THROTTLED + 1] = {[TUTTI_MACHINE_WELL] = true};
  int n_faults = 0;
  for (int rank = 0; rank < n; rank++) {
    // Ranks with the same placement have the same fault or none.
    if (rank > 0 && memcmp(&ranks[rank], &ranks[rank - 1], sizeof *ranks) == 0) continue;
    const tutti_machine_fault fault = check_rank(ranks, n, rank);
    if (seen[fault.kind]) continue;
    seen[fault.kind] = true;
    faults[n_faults++] = fault;
  }
  return n_faults;
}
