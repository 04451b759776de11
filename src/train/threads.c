#include "train/threads.h"

#include <stdlib.h>

#include "base/cpu.h"
#include "tutti/linalg.h"

enum { MAX_CORES = 1024 };

/** The user's choice in the environment; 0: none. */
static int chosen_by_environment(void) {
  static const char *const names[] = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
                                      "OMP_NUM_THREADS"};
  for (int i = 0; i < 4; i++) {
    const char *text = getenv(names[i]);
    const long n = text ? strtol(text, NULL, 10) : 0; // OpenMP's may be a list: the first is the outermost
    if (n > 0 && n <= MAX_CORES) return (int)n;
  }
  return 0;
}

/** Add up, over the ranks that may run on them, how often each core is claimed: claims[node * n_cores +
 * core]. */
static tutti_status count_claims(const tutti_comm *comm, const int *cores, int n, int64_t n_cores,
                                 double *claims) {
  double *own = claims + tutti_comm_node(comm) * n_cores;
  for (int i = 0; i < n; i++) own[cores[i]] = 1;
  return tutti_sum(comm, claims, n_cores * tutti_comm_n_nodes(comm));
}

static tutti_status share_cores(const tutti_comm *comm, int *threads) {
  int cores[MAX_CORES];
  int n = tutti_cpu_allowed(cores, MAX_CORES);
  if (n > MAX_CORES) n = MAX_CORES;
  double n_cores = n > 0 ? cores[n - 1] + 1 : 1, *claims = NULL;
  TUTTI_TRY(tutti_max(comm, &n_cores, 1));
  tutti_status status = TUTTI_NEW(claims, (int64_t)n_cores * tutti_comm_n_nodes(comm));
  TUTTI_TRY_GOTO(done, tutti_agree(comm, status));
  TUTTI_TRY_GOTO(done, count_claims(comm, cores, n, (int64_t)n_cores, claims));
  const double *own = claims + tutti_comm_node(comm) * (int64_t)n_cores;
  double share = 0;
  for (int i = 0; i < n; i++) share += 1 / own[cores[i]];
  *threads = share >= 1 ? (int)(share + 1e-9) : 1;
done:
  tutti_free(claims);
  return status;
}

tutti_status tutti_threads_set(const tutti_comm *comm, int64_t wanted) {
  // All ranks take part in the counting, or none: the environment may differ between them.
  int threads = (int)wanted;
  if (wanted == 0) TUTTI_TRY(share_cores(comm, &threads));
  const int chosen = wanted == 0 ? chosen_by_environment() : 0;
  tutti_linalg_set_threads(chosen > 0 ? chosen : threads);
  return TUTTI_OK;
}
