/** Warnings before a training about everything that will make it slow: ranks that share cores, too many threads, a CPU
 * quota, BLAS kernels that do not suit the processor.  Rank 0 gathers the facts and logs one sentence for each kind of
 * fault, because a job of 1,000 ranks must not log 1,000 warnings.  `train`, `study`, `bench` and `doctor` call it. */
#include "machine/preflight.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "machine/kernels.h"
#include "machine/placement_impl.h"

/** "without OMP_PLACES, ": a condition for advice on cores, because such a variable makes OpenMP use only some of
 * them. */
static const char *condition(char *text, size_t bytes) {
  static const char *const names[] = {"OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"};
  text[0] = '\0';
  for (int i = 2; i >= 0; i--)
    if (getenv(names[i])) snprintf(text, bytes, "without %s, ", names[i]);
  return text;
}

/** One sentence: who shares what, and which option of the launcher or the config helps. */
static void warn_of_fault(const tutti_machine_fault *fault, const tutti_machine_placement *at,
                          const char *host) {
  const int n_cores = fault->n_cores, n_ranks = fault->n_ranks, threads = at->threads;
  char numbers[64], where[384], without[40], advice[160] = "";
  condition(without, sizeof without);
  tutti_machine_ranges(fault->cores, n_cores, numbers, sizeof numbers);
  snprintf(where, sizeof where, "%d core%s of %s (%s)", n_cores, n_cores > 1 ? "s" : "", host, numbers);
  switch (fault->kind) {
  case TUTTI_MACHINE_SHARING:
    // If the ranks are bound to a part of the node, other cores are idle, and the launcher can give them.
    if (at->n_barred > 0)
      snprintf(advice, sizeof advice,
               "; %smpirun --bind-to none, or srun --cpu-bind=none, lets them use the other cores", without);
    tutti_log(TUTTI_LOG_WARNING,
              "%d ranks share %s: this is fine for trying things, but slow for measuring%s", n_ranks, where,
              advice);
    break;
  case TUTTI_MACHINE_NARROW:
    tutti_log(TUTTI_LOG_WARNING,
              "rank %d has %d threads but %s: bind each rank to more cores (%smpirun --map-by slot:PE=%d, or "
              "--bind-to none; srun --cpus-per-task=%d), or give parallel.threads=%d",
              fault->rank, threads, where, without, threads, threads, n_cores);
    break;
  case TUTTI_MACHINE_CROWDED:
    tutti_log(TUTTI_LOG_WARNING,
              "%d ranks with %d threads in total share %s: give parallel.threads=%d, or start fewer ranks",
              n_ranks, fault->n_threads, where, n_cores / n_ranks);
    break;
  case TUTTI_MACHINE_THROTTLED:
    tutti_log(TUTTI_LOG_WARNING,
              "a CPU quota (cgroup) gives %s the time of %.3g cores, but its ranks have %d threads: the "
              "system will stop them again and again; raise the quota, or start fewer threads",
              host, at->quota, fault->n_threads);
    break;
  case TUTTI_MACHINE_WELL:
    break;
  }
}

/** One warning for all ranks: the first rank that has one stands for the others. */
static void warn_of_kernels(char *const *warnings, char *const *hosts, int size) {
  int n = 0, first = 0;
  // Backwards, so that `first` ends at the lowest rank.
  for (int i = size - 1; i >= 0; i--) {
    if (!warnings[i][0]) continue;
    first = i;
    n++;
  }
  if (n == 0) return;
  if (n == size)
    tutti_log(TUTTI_LOG_WARNING, "%s", warnings[first]);
  else
    tutti_log(TUTTI_LOG_WARNING, "%d of %d ranks, the first on %s: %s", n, size, hosts[first],
              warnings[first]);
}

tutti_status tutti_machine_preflight(const tutti_comm *comm, int64_t wanted, tutti_machine_threads *threads) {
  TUTTI_TRY(tutti_machine_set_threads(comm, wanted, threads));
  const int size = tutti_comm_size(comm);
  const bool is_root = tutti_comm_rank(comm) == 0;
  const tutti_machine_placement own = tutti_machine_place(comm, threads->n);
  const char *kernels = tutti_machine_kernels_warning();
  tutti_machine_placement *placements = NULL;
  tutti_texts hosts = {0}, warnings = {0};
  tutti_status status = is_root ? TUTTI_NEW(placements, size) : TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
  TUTTI_TRY_GOTO(done, tutti_comm_gather_bytes(comm, 0, &own, sizeof own, placements));
  TUTTI_TRY_GOTO(done, tutti_comm_gather_texts(comm, 0, tutti_comm_host(comm), &hosts));
  TUTTI_TRY_GOTO(done, tutti_comm_gather_texts(comm, 0, kernels ? kernels : "", &warnings));
  if (!is_root) goto done;
  tutti_machine_fault faults[4];
  const int n_faults = tutti_machine_check_placement(placements, size, faults);
  for (int i = 0; i < n_faults; i++)
    warn_of_fault(&faults[i], &placements[faults[i].rank], hosts.list[faults[i].rank]);
  warn_of_kernels(warnings.list, hosts.list, size);
done:
  tutti_texts_clear(&hosts);
  tutti_texts_clear(&warnings);
  tutti_free(placements);
  return status;
}
