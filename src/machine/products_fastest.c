/** The fastest way to compute one product: who, and by how many threads. */
#include "machine/products_impl.h"

/** Half as many threads are taken if they need at most so many times as long as the fastest number. */
static const double WORTH_THREADS = 1.03;

double tutti_products_fastest(const tutti_products_question *q, tutti_matmul_choice *choice) {
  double least = 0, chosen = 0;
  for (int n = q->n_threads; n >= 1; n /= 2) {
    const tutti_product_time *time = q->time_of(q->context, n);
    if (!time) break;
    const double own = tutti_product_time_by(time, TUTTI_OWN_LOOPS),
                 blas = tutti_product_time_by(time, q->kernels);
    const bool by_blas = q->by == TUTTI_SUM_BY_BLAS || (q->by == TUTTI_SUM_ANY && blas < own);
    const double ns = by_blas ? blas : own;
    if (least > 0 && ns > WORTH_THREADS * least) break;
    if (least == 0 || ns < least) least = ns;
    chosen = ns;
    *choice = (tutti_matmul_choice){by_blas ? TUTTI_BY_BLAS : TUTTI_BY_OWN, n};
  }
  return chosen;
}
