#pragma once
/** A random subspace of the weights: the columns of a matrix A[n, p] of independent standard normal numbers.  The matrix
 * is drawn anew where it is needed, each rank its part of the rows, so that memory does not hold it.  Private to this
 * room. */
#include "tutti/par.h"

typedef struct {
  const tutti_comm *comm; // borrowed
  uint64_t seed;
  int64_t n, begin, end; // rows, and those of this rank
  int p;
  float *rows;    // [rows of a block, p rounded up to even] owned, as the next
  double *factor; // [p, p] lower: Cholesky factor of A'A
} tutti_subspace;

/** Collective, arguments equal on all ranks.  p <= n.
 * @return (agreed) ERR_MEMORY; ERR_INTERNAL the columns are dependent */
TUTTI_NODISCARD
tutti_status tutti_subspace_create(const tutti_comm *comm, int64_t n, int p, uint64_t seed,
                                   tutti_subspace *subspace);
void tutti_subspace_destroy(tutti_subspace *subspace); // Local.

/** Collective, y[p] equal on all ranks: x[n] = A y, the same bits on all. */
TUTTI_NODISCARD
tutti_status tutti_subspace_apply(const tutti_subspace *subspace, const double *y, double *x);

/** Collective, x[n] equal on all ranks: y[p] = A'x; and A+ x, the least-squares solution of A y = x. */
TUTTI_NODISCARD
tutti_status tutti_subspace_transposed(const tutti_subspace *subspace, const double *x, double *y);
TUTTI_NODISCARD
tutti_status tutti_subspace_coordinates(const tutti_subspace *subspace, const double *x, double *y);
