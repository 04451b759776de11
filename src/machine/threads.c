/** How many threads a rank gets: its share of the cores, unless the config or the environment names a number.
 *
 * The cores are counted per node.  Each rank adds 1 to the claims of each core that it may run on, and gets the sum of
 * 1 / claims over its cores.  So it does not matter whether a launcher bound the ranks to separate cores, to sockets,
 * or not at all.  The preflight calls it before a training. */
#include "machine/threads.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/vector_unit.h"
#include "machine/buffers_impl.h"
#include "machine/cpu.h"
#include "machine/quota.h"
#include "tutti/linalg.h"

/** The number in an environment variable; 0: none.  OMP_NUM_THREADS may be a list: its first number is for the
 * outermost level. */
static int number_in(const char *name) {
  const char *text = getenv(name);
  const long n = text ? strtol(text, NULL, 10) : 0;
  return n > 0 && n <= TUTTI_MACHINE_MAX_CPUS ? (int)n : 0;
}

static void choose_by_environment(tutti_machine_threads *threads) {
  static const char *const names[] = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
                                      "OMP_NUM_THREADS"};
  for (int i = 0; i < 4; i++) {
    const int n = number_in(names[i]);
    if (n == 0) continue;
    threads->n = n;
    snprintf(threads->why, sizeof threads->why, "%s", names[i]);
    return;
  }
}

/** Set this rank's share of its cores[n].
 * @param[in] claims  [all cores of the node] how many ranks may run on each */
static void share_cores(const int *cores, int n, const double *claims, tutti_machine_threads *threads) {
  double share = 0, ranks = 1;
  for (int i = 0; i < n; i++) {
    share += 1 / claims[cores[i]];
    if (claims[cores[i]] > ranks) ranks = claims[cores[i]];
  }
  threads->n = share >= 1 ? (int)(share + 1e-9) : 1;
  snprintf(threads->why, sizeof threads->why, "%d core%s, %.0f rank%s", n, n == 1 ? "" : "s", ranks,
           ranks > 1 ? "s" : "");
}

/** Slurm's limits hold for a rank that may run on the whole node, because other jobs may be there too.  A rank that is
 * bound already has the cores that it was meant to have. */
static void limit_by_slurm(const tutti_comm *comm, tutti_machine_threads *threads) {
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  if (cpu.n_allowed < cpu.n_cpus) return;
  const char *name = "SLURM_CPUS_PER_TASK";
  int limit = number_in(name);
  if (limit == 0) {
    name = "SLURM_CPUS_ON_NODE";
    const int on_node = number_in(name);
    if (on_node == 0) return;
    limit = on_node > tutti_comm_node_size(comm) ? on_node / tutti_comm_node_size(comm) : 1;
  }
  if (limit >= threads->n) return;
  threads->n = limit;
  snprintf(threads->why, sizeof threads->why, "%s", name);
}

static void limit_by_quota(const tutti_comm *comm, tutti_machine_threads *threads) {
  const double quota = tutti_machine_quota(""), share = quota / tutti_comm_node_size(comm);
  if (quota == 0 || share >= threads->n) return;
  threads->n = share > 1 ? (int)share : 1;
  snprintf(threads->why, sizeof threads->why, "CPU quota of %.3g cores", quota);
}

static tutti_status decide(const tutti_comm *comm, tutti_machine_threads *threads) {
  int cores[TUTTI_MACHINE_MAX_CPUS];
  const int n = tutti_machine_cores(cores);
  double n_numbers = cores[n - 1] + 1, *claims = NULL;
  TUTTI_TRY(tutti_comm_max(comm, &n_numbers, 1));
  const int64_t stride = (int64_t)n_numbers;
  tutti_status status = TUTTI_NEW(claims, stride * tutti_comm_n_nodes(comm));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  double *own = claims + tutti_comm_node(comm) * stride;
  for (int i = 0; i < n; i++) own[cores[i]] = 1;
  TUTTI_TRY_GOTO(done, tutti_comm_sum(comm, claims, stride * tutti_comm_n_nodes(comm)));
  share_cores(cores, n, own, threads);
  limit_by_slurm(comm, threads);
  limit_by_quota(comm, threads);
done:
  tutti_free(claims);
  return status;
}

tutti_status tutti_machine_set_threads(const tutti_comm *comm, int64_t wanted,
                                       tutti_machine_threads *threads) {
  tutti_cpu_flush_subnormals(); // before the threads start, because they inherit it
  tutti_machine_threads decided = {.n = (int)wanted, .why = "parallel.threads"};
  if (wanted == 0) {
    // All ranks take part in the counting, even those whose environment decides: it may differ between ranks.
    TUTTI_TRY(decide(comm, &decided));
    choose_by_environment(&decided);
  }
  TUTTI_TRY(tutti_comm_agree(comm, tutti_machine_check_buffers(decided.n)));
  tutti_linalg_set_threads(decided.n);
  if (threads) *threads = decided;
  return TUTTI_OK;
}
