/** The number of threads of this rank, for our loops and for the BLAS.  The room machine sets it. */
#include "linalg/blas.h"
#include "linalg/parallel.h"
#include "tutti/linalg.h"

void tutti_linalg_set_threads(int n) {
  const int n_threads = n > 1 ? n : 1;
#ifdef _OPENMP
  tutti_blas_set_threads(1); // our threads call it
#else
  tutti_blas_set_threads(n_threads);
#endif
  tutti_linalg_parallel_set_threads(n_threads);
}
