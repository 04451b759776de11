#include <math.h>

#include "optim/optim_impl.h"

/** Added to the norm by PyTorch's clip_grad_norm_. */
static const double torch_epsilon = 1e-6;

enum { LANES = 8 };

/** Squares of floats are exact in double; the lanes are added in one fixed order. */
TUTTI_CLONES static double sum_of_squares(int64_t n, const float *restrict g) {
  double sum[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) sum[j] += (double)g[i + j] * (double)g[i + j];
  for (int j = 0; i < n; i++, j++) sum[j] += (double)g[i] * (double)g[i];
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

TUTTI_CLONES static void multiply(float factor, int64_t n, float *restrict g) {
  for (int64_t i = 0; i < n; i++) g[i] *= factor;
}

TUTTI_CLONES static void limit(float bound, int64_t n, float *restrict g) {
  for (int64_t i = 0; i < n; i++) {
    // Written so that a NaN stays one.
    const float above = g[i] > bound ? bound : g[i];
    g[i] = above < -bound ? -bound : above;
  }
}

/** The part of array `a` that lies in the slice, as elements [*first, *last) of the slice. */
static void array_in_slice(const tutti_optim *optim, int a, int64_t *first, int64_t *last) {
  const int64_t from = optim->offsets[a] > optim->begin ? optim->offsets[a] : optim->begin;
  const int64_t to = optim->offsets[a + 1] < optim->end ? optim->offsets[a + 1] : optim->end;
  *first = from - optim->begin;
  *last = to > from ? to - optim->begin : *first;
}

int tutti_optim_n_norms(const tutti_optim *optim) {
  if (optim->options.clipnorm > 0) return optim->n_arrays;
  return optim->options.global_clipnorm > 0 ? 1 : 0;
}

void tutti_optim_squares(const tutti_optim *optim, const float *grads, double *squares) {
  if (optim->options.clipnorm > 0) {
    for (int a = 0; a < optim->n_arrays; a++) {
      int64_t first, last;
      array_in_slice(optim, a, &first, &last);
      squares[a] = last > first ? sum_of_squares(last - first, grads + first) : 0;
    }
  } else if (optim->options.global_clipnorm > 0) {
    squares[0] = sum_of_squares(optim->end - optim->begin, grads);
  }
}

/** Scale grads[n] so that the norm is at most `most`.  A norm that is no number changes nothing: the gradient
 * then is none either, and the training stops on that. */
static void clip_to_norm(const tutti_optim *optim, double square, double most, int64_t n, float *grads) {
  const double norm = sqrt(square) + (optim->options.dialect == TUTTI_DIALECT_TORCH ? torch_epsilon : 0);
  if (norm > most) multiply((float)(most / norm), n, grads);
}

void tutti_optim_clip(const tutti_optim *optim, const double *squares, float *grads) {
  const tutti_optim_options *options = &optim->options;
  if (options->clipnorm > 0) {
    for (int a = 0; a < optim->n_arrays; a++) {
      int64_t first, last;
      array_in_slice(optim, a, &first, &last);
      if (last > first) clip_to_norm(optim, squares[a], options->clipnorm, last - first, grads + first);
    }
  } else if (options->global_clipnorm > 0) {
    clip_to_norm(optim, squares[0], options->global_clipnorm, optim->end - optim->begin, grads);
  } else if (options->clipvalue > 0) {
    limit((float)options->clipvalue, optim->end - optim->begin, grads);
  }
}
