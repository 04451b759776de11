#pragma once
/** The curvature of the training loss around the weights of a checkpoint. */
#include <stdbool.h>

#include "tutti/par.h"

/** What to measure around the weights of a checkpoint. */
typedef struct {
  const char *file;       // data set, with all of its rows; NULL: that of the training, with its limits
  bool external;          // the data set may lead to files outside of its folder
  int64_t limit_train;    // use only this number of training samples; 0: all
  const double *epsilons; // [n_epsilons] relative sizes of the boxes, > 0
  int n_epsilons;         // at most TUTTI_CURVATURE_MAX_EPSILONS
  int subspace;           // dimensions of a random subspace; 0: none
  uint64_t seed;          // of the subspace, and of the first direction for the eigenvalues
  double tolerance;       // of the eigenvalues, relative to that of largest magnitude
  int64_t max_products;   // products of the Hessian with a vector for the eigenvalues, at least 1
} tutti_curvature_options;

enum { TUTTI_CURVATURE_MAX_EPSILONS = 8 };

typedef struct {
  int64_t samples;               // over which the loss is a mean
  double train_loss;             // of the network without noise, with the penalty
  double learning_rate;          // of the last update of the training
  double lambda_max, lambda_min; // largest and smallest eigenvalue of the Hessian (algebraically)
  double lambda_residual, lambda_min_residual; // |H v - lambda v| of their unit vectors
  int64_t n_products;                          // that the eigenvalues took
  double
      full[TUTTI_CURVATURE_MAX_EPSILONS]; // [n_epsilons] sharpness in the boxes over all weights, in percent
  double inside[TUTTI_CURVATURE_MAX_EPSILONS]; // [n_epsilons] in the boxes over the subspace
} tutti_curvature_result;

/** Collective, arguments equal on all ranks.  Measure the curvature of the training loss f around the weights x of a
 * checkpoint.  The network is evaluated as in a validation: layers of noise are off, and batch_norm uses its moving
 * statistics.
 *
 * The eigenvalues are those of the exact Hessian (Lanczos 1950, with the products of Pearlmutter 1994).  The sharpness is
 * metric 2.1 of Keskar et al. (arXiv 1609.04836): 100 (max f(x + A y) - f(x)) / (1 + f(x)) over |y_i| <= epsilon
 * (|(A+ x)_i| + 1), where A is the identity or a matrix of standard normal numbers.  The maximum is the value that ten
 * iterations of L-BFGS-B from y = 0 reach.
 * @param[in] checkpoint  path
 * @return (agreed) ERR_USAGE the subspace has more dimensions than the network has weights; ERR_CONFIG there are no
 * training samples, or a layer has no second derivatives; what reading the checkpoint and the data returns */
TUTTI_NODISCARD
tutti_status tutti_curvature_of_checkpoint(const tutti_comm *comm, const char *checkpoint,
                                           const tutti_curvature_options *options,
                                           tutti_curvature_result *sharpness);
