#pragma once
/** Our own matrix products: register-blocked loops, compiled once for each kind of vector unit.  Private to this
 * room.
 *
 * Each element of C is one chain, c = init; c = c + a[i, k] b[k, j] for k = 0, 1, ...: with one rounding a term
 * where the processor has fused multiply-add, whatever the compiler makes of it.  So an element's bits depend neither
 * on the other rows and columns of the product, nor on tiles, blocks or threads, nor on the width of the vectors; and
 * a product that begins with the result of another goes on as if the two were one. */
#include <stdbool.h>

#include "tutti/base.h"

/** C[m, n] = init + A[m, k] B[k, n], C and B with rows of `ldc` and `ldb` elements. */
typedef struct {
  int m, n, k;
  const float *a;
  int64_t a_row, a_col; // element (i, k) of A lies at a[i * a_row + k * a_col]
  const float *b;
  int64_t ldb;
  bool b_transposed; // b holds B^T[n, k]
  bool accumulate;   // init is C, else the bias, else 0
  const float *bias; // [n], or NULL
  float *c;
  int64_t ldc;
  int panel; // vectors of a panel of B at most: few where C is much larger than B
} tutti_product;

/** Rows [m0, m1) and columns [n0, n1) of C; nothing where there are none. */
typedef void (*tutti_product_part)(const tutti_product *p, int m0, int m1, int n0, int n1);

void tutti_linalg_product_avx512(const tutti_product *p, int m0, int m1, int n0, int n1);
void tutti_linalg_product_avx2(const tutti_product *p, int m0, int m1, int n0, int n1);
void tutti_linalg_product_generic(const tutti_product *p, int m0, int m1, int n0, int n1);

typedef struct {
  const char *name;
  tutti_product_part part;
  int width; // floats of a vector
} tutti_product_kind;

/** The kinds that this processor runs, the fastest last. */
int tutti_linalg_product_n_kinds(void);
tutti_product_kind tutti_linalg_product_kind_at(int i);

/** All of C, by as many of n_threads threads as are worth it. */
void tutti_linalg_product_run(tutti_product_kind kind, const tutti_product *p, int n_threads);

/** All of C by the BLAS (product_blas.c); m, n and k are at least 1, and a_row or a_col is 1. */
void tutti_linalg_product_by_blas(const tutti_product *p);
