/** The number of threads of this rank, for our loops and for the BLAS.  The room machine sets it. */
#include "linalg/blas.h"
#include "linalg/parallel.h"
#include "tutti/linalg.h"

// The one number of all loops and products of this room.  It is set between calls, by the thread that makes them,
// never during one.
static int n_threads = 1;

void tutti_linalg_set_threads(int n) {
  const int before = n_threads;
  n_threads = n > 1 ? n : 1;
#ifdef _OPENMP
  tutti_blas_set_threads(1); // our threads call it
#else
  tutti_blas_set_threads(n_threads);
#endif
  if (n_threads != before) tutti_linalg_parallel_measure();
}

int tutti_linalg_threads(void) {
  return n_threads;
}
