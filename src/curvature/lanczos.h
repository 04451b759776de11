#pragma once
/** The ends of the spectrum of a symmetric matrix that is known by its products (Lanczos 1950).  Private to this
 * room. */
#include <stdint.h>

#include "tutti/base.h"

typedef struct {
  int64_t n;
  uint64_t seed;    // of the direction to start with
  double tolerance; // of both residuals, relative to the eigenvalue of largest magnitude
  int64_t max_products;
  /** out[n] = A v[n], |v| = 1. */
  tutti_status (*product)(void *context, const double *v, double *out);
  void *context;
} tutti_lanczos_problem;

/** An approximate eigenvalue, no farther from one of the matrix than the residual |A u - value u| of its vector u. */
typedef struct {
  double value, residual;
} tutti_ritz;

typedef struct {
  tutti_ritz largest, smallest; // algebraically
  int64_t n_products;
} tutti_spectrum;

/** Local arithmetic; as collective as `product` is, whose results have the same bits on all ranks.  Ends at the
 * tolerance, or after max_products with the residuals as they are; at numbers that are not finite with NaN.
 * @return ERR_MEMORY; what `product` returns */
TUTTI_NODISCARD
tutti_status tutti_lanczos_ends(const tutti_lanczos_problem *problem, tutti_spectrum *spectrum);
