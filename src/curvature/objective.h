#pragma once
/** The loss of a trained network over a set of samples, as a function of its weights.  Private to this room. */
#include "run/network.h"

typedef struct {
  const tutti_network *network; // borrowed, as the next
  const tutti_samples *set;
  tutti_curvature *curvature; // owned, as all that follow
  int64_t n;                  // weights
  float *params, *direction;  // [n]
  double *sums;               // [n + 1]
} tutti_objective;

/** Collective.  @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_objective_create(const tutti_network *network, const tutti_samples *set,
                                    tutti_objective *objective);
void tutti_objective_destroy(tutti_objective *objective); // Local.

/** Collective, params[n] equal on all ranks, which take them rounded to float: mean loss with the penalty, and its
 * gradient[n].  All ranks get the same bits.  Samples are summed in blocks of a size that does not depend on the number
 * of ranks, and the blocks in double, so that numbers of ranks differ by rounding of double. */
TUTTI_NODISCARD
tutti_status tutti_objective_gradient(tutti_objective *objective, const double *params, double *value,
                                      double *gradient);

/** The same: product[n] = H v, with H the Hessian of that loss at params[n]. */
TUTTI_NODISCARD
tutti_status tutti_objective_product(tutti_objective *objective, const double *params, const double *v,
                                     double *product);
