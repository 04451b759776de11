/** Our own matrix products: the choice of the loops for this processor, and of the way through C.
 *
 * Small products go by columns (product_columns.c), others by blocks (product_blocks.c), whose packed factors the threads
 * share.  If B is transposed, or its last columns fill little of a vector, C is turned (product_turned.c, product_tail.c). */
#include "linalg/product_impl.h"

#include "base/vector_unit.h"

int tutti_linalg_product_n_kinds(void) {
#ifdef TUTTI_X86_LOOPS
  return tutti_cpu_has_avx512() ? 3 : tutti_cpu_has_avx2_fma() ? 2 : 1;
#else
  return 1;
#endif
}

const tutti_product_kind *tutti_linalg_product_kind_at(int i) {
  static const tutti_product_kind *const kinds[] = {
      &tutti_linalg_product_generic,
#ifdef TUTTI_X86_LOOPS
      &tutti_linalg_product_avx2,
      &tutti_linalg_product_avx512,
#endif
  };
  return kinds[i];
}

void tutti_linalg_product_run(const tutti_product_kind *kind, const tutti_product *p, int n_threads) {
  const int n_all = n_threads; // of which the tail pays for fewer
  n_threads = tutti_linalg_product_threads(p->m, p->n, p->k, n_all);
  if (tutti_linalg_product_turned(kind, p, n_threads)) return;
  tutti_product rest = *p;
  rest.n -= tutti_linalg_product_tail(kind, p, n_all);
  if (rest.n == 0) return;
  if (tutti_linalg_product_wants_columns(kind, &rest) ||
      !tutti_linalg_product_by_blocks(kind, &rest, n_threads))
    tutti_linalg_product_by_columns(kind, &rest, n_threads);
}
