/** Our own matrix products: the choice of the loops for this processor, and the cut of the result into parts for the
 * threads. */
#include "linalg/product_impl.h"

#include "base/vector_unit.h"
#include "linalg/parallel.h"

int tutti_linalg_product_n_kinds(void) {
#ifdef TUTTI_X86_LOOPS
  return tutti_cpu_has_avx512() ? 3 : tutti_cpu_has_avx2_fma() ? 2 : 1;
#else
  return 1;
#endif
}

tutti_product_kind tutti_linalg_product_kind_at(int i) {
  static const tutti_product_kind kinds[] = {
      {"generic", tutti_linalg_product_generic, 4},
#ifdef TUTTI_X86_LOOPS
      {"AVX2", tutti_linalg_product_avx2, 8},
      {"AVX-512", tutti_linalg_product_avx512, 16},
#endif
  };
  return kinds[i];
}

/** How C is cut for threads: into rows * columns parts. */
typedef struct {
  int rows, columns;
} grid;

static int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/** The end of part i of n, at a whole `unit` or at the end of all. */
static int cut(int size, int unit, int n, int i) {
  const int64_t end = ceil_div(size, unit) * i / n * unit;
  return end < size ? (int)end : size;
}

/** The smallest largest part; of equal ones the cut through columns, which leaves each panel of B to one
 * thread. */
static grid choose_grid(const tutti_product *p, int unit, int n_threads) {
  grid best = {1, 1};
  int64_t least = INT64_MAX;
  for (int columns = n_threads; columns >= 1; columns--) {
    const int rows = n_threads / columns;
    const int64_t part = ceil_div(ceil_div(p->n, unit), columns) * unit * ceil_div(p->m, rows);
    if (part >= least) continue;
    least = part;
    best = (grid){rows, columns};
  }
  return best;
}

void tutti_linalg_product_run(tutti_product_kind kind, const tutti_product *p, int n_threads) {
  // A thread is started only for as many terms as pay for it.
  const double n_worth = (double)p->m * p->n * p->k / TUTTI_TERMS_WORTH_A_THREAD;
  if (n_worth < n_threads) n_threads = (int)n_worth;
  if (n_threads <= 1) {
    kind.part(p, 0, p->m, 0, p->n);
    return;
  }
  const grid g = choose_grid(p, kind.width, n_threads);
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
  for (int i = 0; i < g.rows * g.columns; i++) {
    const int row = i / g.columns, column = i % g.columns;
    kind.part(p, cut(p->m, 1, g.rows, row), cut(p->m, 1, g.rows, row + 1),
              cut(p->n, kind.width, g.columns, column), cut(p->n, kind.width, g.columns, column + 1));
  }
}
