#pragma once
/** The curvature of the training loss at the weights of a checkpoint. */
#include <stdbool.h>

#include "tutti/par.h"

enum { TUTTI_CURVATURE_MAX_EPSILONS = 8 };

/** What to measure.  All pointers are borrowed. */
typedef struct {
  const char *file;       // data set, with all of its rows; NULL: that of the training, with its limits
  bool external, plugins; // what the data set may do: see tutti_file_trust
  int64_t limit_train;    // use only this number of training samples; 0: all
  const double *epsilons; // [n_epsilons] relative sizes of the boxes, > 0
  int n_epsilons;         // at most TUTTI_CURVATURE_MAX_EPSILONS
  int subspace;           // number of dimensions of a random subspace; 0: no subspace
  uint64_t seed;          // for the subspace, and for the first direction of the search for eigenvalues
  double tolerance;       // of the eigenvalues, relative to the eigenvalue of largest magnitude
  int64_t max_products;   // largest number of products of the Hessian with a vector, at least 1
} tutti_curvature_options;

typedef struct {
  int64_t samples;               // number of samples in the mean loss
  double train_loss;             // mean loss without noise, with the penalty
  double learning_rate;          // of the last update of the training
  double lambda_max, lambda_min; // largest and smallest eigenvalue of the Hessian (algebraically)
  double lambda_residual, lambda_min_residual; // |H v - lambda v| for their unit eigenvectors v
  int64_t n_products;                          // number of products that the eigenvalues took
  double full[TUTTI_CURVATURE_MAX_EPSILONS];   // [n_epsilons] sharpness in percent; boxes over all weights
  double inside[TUTTI_CURVATURE_MAX_EPSILONS]; // [n_epsilons] sharpness in percent; boxes over the subspace
} tutti_curvature_result;

/** Collective, arguments equal on all ranks.  Measure the curvature of the training loss f at the weights x of a
 * checkpoint.  The network is evaluated as in a validation: layers of noise are off, and batch_norm uses its moving
 * statistics.
 *
 * The eigenvalues belong to the exact Hessian.  They are found by the method of Lanczos (1950) with the products of
 * Pearlmutter (1994).  The sharpness is metric 2.1 of Keskar et al. (arXiv 1609.04836): the largest value of 100
 * (f(x + A y) - f(x)) / (1 + f(x)) over all y with |y_i| <= epsilon (|(A+ x)_i| + 1).  A is the identity, or a
 * matrix of standard normal numbers whose columns span the subspace.  The largest value is the one that ten
 * iterations of L-BFGS-B reach from y = 0.
 * @param[in]  checkpoint  path of the checkpoint
 * @param[out] result      set if the function returns OK
 * @return (agreed) ERR_USAGE: the subspace has more dimensions than the network has weights; ERR_CONFIG: there are
 * no training samples, or a layer has no second derivatives; ERR_MEMORY; or a failure to read the checkpoint or the
 * data */
TUTTI_NODISCARD
tutti_status tutti_curvature_of_checkpoint(const tutti_comm *comm, const char *checkpoint,
                                           const tutti_curvature_options *options,
                                           tutti_curvature_result *result);
