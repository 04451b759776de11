#pragma once
/** What the files of this room share, in one section per file.  The search in a box has its own header,
 * lbfgsb_impl.h. */
#include "run/network.h"
#include "tutti/par.h"

// --- objective.c -------------------------------------------------------------------------------------------------

/** The loss of a trained network over a set of samples, as a function of its weights. */
typedef struct {
  const tutti_network *network;     // borrowed
  const tutti_samples *set;         // borrowed
  tutti_model_curvature *curvature; // owned
  int64_t n;                        // weights
  float *params, *direction;        // [n] each; params owns the memory of both
  double *sums;                     // [n + 1] owned
} tutti_curvature_objective;

/** Collective.  @return (agreed) ERR_MEMORY; ERR_CONFIG a layer has no second derivatives */
TUTTI_NODISCARD
tutti_status tutti_curvature_objective_create(const tutti_network *network, const tutti_samples *set,
                                              tutti_curvature_objective *objective);
void tutti_curvature_objective_destroy(tutti_curvature_objective *objective); // Local.

/** Collective, params equal on all ranks.  Mean loss with the penalty, and its gradient.  All ranks get the same
 * bits.  Samples are summed in blocks whose size does not depend on the number of ranks, and the blocks are summed in
 * double, so that results for different numbers of ranks differ by rounding of double.
 * @param[in]  params    [n] rounded to float
 * @param[out] gradient  [n] */
TUTTI_NODISCARD
tutti_status tutti_curvature_objective_gradient(tutti_curvature_objective *objective, const double *params,
                                                double *value, double *gradient);

/** Collective, as tutti_curvature_objective_gradient.  product = H v with H the Hessian of that loss.
 * @param[in]  params   [n] rounded to float
 * @param[in]  v        [n] rounded to float
 * @param[out] product  [n] */
TUTTI_NODISCARD
tutti_status tutti_curvature_objective_product(tutti_curvature_objective *objective, const double *params,
                                               const double *v, double *product);

// --- subspace.c --------------------------------------------------------------------------------------------------

/** A random subspace of the weights: the columns of a matrix A[n, p] of independent standard normal numbers.  Memory
 * does not hold the matrix: each rank draws its part of the rows again for each product. */
typedef struct {
  const tutti_comm *comm; // borrowed
  uint64_t seed;
  int64_t n;          // rows: weights
  int64_t begin, end; // rows of this rank
  int p;              // columns: dimensions
  float *rows;        // [rows of a block, p rounded up to even] owned
  double *factor;     // [p, p] owned; lower triangle: Cholesky factor of A'A
} tutti_curvature_subspace;

/** Collective, arguments equal on all ranks.  p <= n.
 * @return (agreed) ERR_MEMORY; ERR_INTERNAL the columns are dependent */
TUTTI_NODISCARD
tutti_status tutti_curvature_subspace_create(const tutti_comm *comm, int64_t n, int p, uint64_t seed,
                                             tutti_curvature_subspace *subspace);
void tutti_curvature_subspace_destroy(tutti_curvature_subspace *subspace); // Local.

/** Collective, y equal on all ranks.  x = A y, with the same bits on all ranks.
 * @param[in]  y  [p]
 * @param[out] x  [n] */
TUTTI_NODISCARD
tutti_status tutti_curvature_subspace_apply(const tutti_curvature_subspace *subspace, const double *y,
                                            double *x);

/** Collective, x equal on all ranks.  y = A'x, with the same bits on all ranks.
 * @param[in]  x  [n]
 * @param[out] y  [p] */
TUTTI_NODISCARD
tutti_status tutti_curvature_subspace_apply_transposed(const tutti_curvature_subspace *subspace,
                                                       const double *x, double *y);

/** Collective, as tutti_curvature_subspace_apply_transposed.  y = A+ x, the least-squares solution of A y = x. */
TUTTI_NODISCARD
tutti_status tutti_curvature_subspace_solve(const tutti_curvature_subspace *subspace, const double *x,
                                            double *y);

// --- sharpness_max.c ---------------------------------------------------------------------------------------------

typedef struct {
  tutti_curvature_objective *objective;
  const double *center;                     // [n] weights
  double loss;                              // at the center
  const tutti_curvature_subspace *subspace; // NULL: the box is over all weights
} tutti_curvature_sharpness_problem;

/** Collective, arguments equal on all ranks.  How far the loss rises in a small box around given weights (Keskar et
 * al., arXiv 1609.04836, metric 2.1): 100 (max f(x + A y) - f(x)) / (1 + f(x)) over |y_i| <= epsilon (|(A+ x)_i| +
 * 1).  Rank 0 searches and needs more memory than the others, which evaluate with it.
 * @param[out] sharpness  in percent
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_curvature_sharpness_max(const tutti_curvature_sharpness_problem *problem, double epsilon,
                                           double *sharpness);

// --- lanczos.c ---------------------------------------------------------------------------------------------------

/** A symmetric matrix A[n, n] that is known by its products with vectors. */
typedef struct {
  int64_t n;
  uint64_t seed;        // of the random first direction
  double tolerance;     // of both residuals, relative to the eigenvalue of largest magnitude
  int64_t max_products; // at least 1
  /** out[n] = A v[n], |v| = 1. */
  tutti_status (*product)(void *context, const double *v, double *out);
  void *context; // borrowed
} tutti_curvature_lanczos_problem;

/** An approximate eigenvalue.  The residual |A u - value u| of its unit vector u bounds its distance from the nearest
 * eigenvalue. */
typedef struct {
  double value, residual;
} tutti_curvature_ritz;

typedef struct {
  tutti_curvature_ritz largest, smallest; // algebraically
  int64_t n_products;
} tutti_curvature_spectrum;

/** Find the ends of the spectrum of a symmetric matrix (Lanczos 1950).  As collective as `product`, whose results
 * have the same bits on all ranks.  It stops at the tolerance, or after max_products with the residuals as they are.
 * If a product is not finite, all results are NaN.
 * @return ERR_MEMORY; what `product` returns */
TUTTI_NODISCARD
tutti_status tutti_curvature_find_spectrum(const tutti_curvature_lanczos_problem *problem,
                                           tutti_curvature_spectrum *spectrum);

// --- all of them -------------------------------------------------------------------------------------------------

/** Local.  a'b of a[n] and b[n], summed in order. */
static inline double tutti_curvature_dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}
