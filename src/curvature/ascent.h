#pragma once
/** How far a loss rises in a small box around given weights (Keskar et al., arXiv 1609.04836, metric 2.1).  Private to
 * this room. */
#include "curvature/objective.h"
#include "curvature/subspace.h"

typedef struct {
  tutti_objective *objective;
  const double *center;           // [n] weights
  double loss;                    // there
  const tutti_subspace *subspace; // NULL: the box is over all weights
} tutti_ascent;

/** Collective, arguments equal on all ranks: 100 (max f(x + A y) - f(x)) / (1 + f(x)) over
 * |y_i| <= epsilon (|(A+ x)_i| + 1).  Rank 0 searches, with all of the memory that takes; the others evaluate with it.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_ascent_sharpness(const tutti_ascent *ascent, double epsilon, double *sharpness);
