/** Clipping of the gradient as Keras and PyTorch do it: each element to [-c, c], each array to a norm of c, or the
 * whole gradient to a norm of c, g min(1, c / |g|).  Norms come from pieces (norm_pieces.c).  The optimizer and the
 * rules of two passes call it block by block. */
#include <math.h>

#include "optim/optim_impl.h"

/** PyTorch's clip_grad_norm_ adds it to the norm. */
static const double torch_epsilon = 1e-6;

bool tutti_optim_has_norms(const tutti_optim_options *options) {
  return options->clipnorm > 0 || options->global_clipnorm > 0;
}

int64_t tutti_optim_n_pieces(const tutti_optim *optim) {
  return tutti_optim_has_norms(&optim->options) ? tutti_optim_all_pieces(optim) : 0;
}

double tutti_optim_square(const tutti_optim *optim, const double *pieces) {
  double square = 0;
  for (int a = 0; a < optim->n_arrays; a++) square += tutti_optim_piece_sum(optim, a, &pieces);
  return square;
}

void tutti_optim_squares(const tutti_optim *optim, int64_t begin, int64_t count, const float *grads,
                         double *pieces) {
  if (tutti_optim_has_norms(&optim->options)) tutti_optim_all_squares(optim, begin, count, grads, pieces);
}

/** The factor that makes a norm at most `most`.  A norm of NaN changes nothing: the gradient is then NaN as well, and
 * the training stops for that reason. */
static float factor_of(const tutti_optim *optim, double square, double most) {
  const double norm = sqrt(square) + (optim->options.dialect == TUTTI_DIALECT_TORCH ? torch_epsilon : 0);
  return norm > most ? (float)(most / norm) : 1;
}

/** One factor per array: of its own norm, or the same for all. */
void tutti_optim_set_factors(tutti_optim *optim, const double *pieces) {
  const double each = optim->options.clipnorm, all = optim->options.global_clipnorm;
  double total = 0;
  optim->clips = false;
  if (!tutti_optim_has_norms(&optim->options)) return;
  for (int a = 0; a < optim->n_arrays; a++) {
    const double square = tutti_optim_piece_sum(optim, a, &pieces);
    total += square;
    if (each > 0) optim->factors[a] = factor_of(optim, square, each);
  }
  for (int a = 0; a < optim->n_arrays; a++) {
    if (each == 0) optim->factors[a] = factor_of(optim, total, all);
    optim->clips = optim->clips || optim->factors[a] < 1;
  }
}

/** product[n] = factor g. */
TUTTI_CLONES static void multiply(float factor, int64_t n, const float *restrict g, float *restrict product) {
  for (int64_t i = 0; i < n; i++) product[i] = factor * g[i];
}

/** limited[n] = g, cut at +-bound. */
TUTTI_CLONES static void limit(float bound, int64_t n, const float *restrict g, float *restrict limited) {
  for (int64_t i = 0; i < n; i++) {
    // A NaN compares as false both times and stays NaN.
    const float above = g[i] > bound ? bound : g[i];
    limited[i] = above < -bound ? -bound : above;
  }
}

const float *tutti_optim_clip(const tutti_optim *optim, int64_t begin, int64_t count, const float *grads,
                              float *clipped) {
  if (optim->options.clipvalue > 0) {
    limit((float)optim->options.clipvalue, count, grads, clipped);
    return clipped;
  }
  if (!optim->clips) return grads;
  for (tutti_optim_piece p = tutti_optim_piece_before(optim, begin, count);
       tutti_optim_piece_next(optim, &p);)
    multiply(optim->factors[p.array], p.n, grads + p.at, clipped + p.at);
  return clipped;
}
