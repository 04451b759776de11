#pragma once
/** The curvature of the training loss around the weights of a checkpoint. */
#include <stdbool.h>

#include "tutti/par.h"

/** What is measured of the curvature around a checkpoint's weights. */
typedef struct {
  const char *file;       // data set, all of its rows; NULL: the one it was trained with, and its limits
  bool external;          // it may lead to files outside of its folder
  int64_t limit_train;    // only so many of the training samples; 0: all
  const double *epsilons; // [n_epsilons] sizes of boxes, > 0
  int n_epsilons;
  int subspace;         // dimensions of a random one; 0: none
  uint64_t seed;        // of the subspace, and of the first direction for the eigenvalues
  double tolerance;     // of the eigenvalues, relative to that of largest magnitude
  int64_t max_products; // of the Hessian with a vector, for the eigenvalues; at least 1
} tutti_curvature_options;

enum { TUTTI_CURVATURE_MAX_EPSILONS = 8 };

typedef struct {
  int64_t samples;                             // over which the loss is a mean
  double train_loss;                           // of the network without noise, with the penalty
  double learning_rate;                        // of the training's last update
  double lambda_max, lambda_min;               // ends of the Hessian's spectrum (algebraically)
  double lambda_residual, lambda_min_residual; // |H v - lambda v| of their unit vectors
  int64_t n_products;
  double full[TUTTI_CURVATURE_MAX_EPSILONS];   // sharpness in the boxes over all weights
  double inside[TUTTI_CURVATURE_MAX_EPSILONS]; // in those over the subspace
} tutti_curvature_result;

/** Collective, arguments equal on all ranks.  Curvature of a checkpoint's training loss f, as the network is evaluated:
 * layers of noise are off and batch_norm takes its moving statistics.  The eigenvalues are those of the exact Hessian
 * (Lanczos 1950, with the products of Pearlmutter 1994); the sharpness is that of Keskar et al. (arXiv 1609.04836),
 * metric 2.1: 100 (max f(x + A y) - f(x)) / (1 + f(x)) over |y_i| <= epsilon (|(A+ x)_i| + 1), with A the identity or a
 * matrix of standard normal numbers, and the maximum as far as ten iterations of L-BFGS-B from y = 0 come.
 * @return ERR_USAGE a subspace of more dimensions than weights; ERR_CONFIG no training samples; what the rooms return */
TUTTI_NODISCARD
tutti_status tutti_curvature_of_checkpoint(const tutti_comm *comm, const char *checkpoint,
                                           const tutti_curvature_options *options,
                                           tutti_curvature_result *sharpness);
