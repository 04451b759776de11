#include <math.h>

#include "optim/optim_impl.h"

/** Added to the norm by PyTorch's clip_grad_norm_. */
static const double torch_epsilon = 1e-6;

// --- pieces

/** The array in which element `at` of the flat buffers lies. */
static int array_at(const tutti_optim *optim, int64_t at) {
  int low = 0, high = optim->n_arrays; // ends[low - 1] <= at < ends[high]
  const int64_t *ends = optim->offsets + 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (ends[middle] <= at)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static int64_t block_at(int64_t at) {
  return at / TUTTI_BLOCK;
}

/** The part of [at, to) that lies in one piece ends here. */
static int64_t part_end(const tutti_optim *optim, int array, int64_t at, int64_t to) {
  const int64_t block_end = (block_at(at) + 1) * TUTTI_BLOCK, array_end = optim->offsets[array + 1];
  const int64_t end = block_end < array_end ? block_end : array_end;
  return end < to ? end : to;
}

static int64_t n_pieces_of(const tutti_optim *optim, int array) {
  const int64_t from = optim->offsets[array], to = optim->offsets[array + 1];
  return to > from ? block_at(to - 1) - block_at(from) + 1 : 0;
}

bool tutti_optim_has_norms(const tutti_optim_options *options) {
  return options->clipnorm > 0 || options->global_clipnorm > 0;
}

int64_t tutti_optim_n_pieces(const tutti_optim *optim) {
  int64_t n = 0;
  if (!tutti_optim_has_norms(&optim->options)) return 0;
  for (int a = 0; a < optim->n_arrays; a++) n += n_pieces_of(optim, a);
  return n;
}

// --- squares

enum { LANES = 32 };

/** Squares of floats are exact in double; the lanes are added in one fixed order. */
TUTTI_CLONES static double sum_of_squares(int64_t n, const float *restrict g) {
  double sum[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) sum[j] += (double)g[i + j] * (double)g[i + j];
  for (int j = 0; i < n; i++, j++) sum[j] += (double)g[i] * (double)g[i];
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) sum[j] += sum[j + half];
  return sum[0];
}

void tutti_optim_squares(const tutti_optim *optim, int64_t first, int64_t count, const float *grads,
                         double *pieces) {
  if (!tutti_optim_has_norms(&optim->options) || count == 0) return;
  const int64_t from = optim->begin + first, to = from + count;
  TUTTI_ASSERT(from % TUTTI_BLOCK == 0 && (to % TUTTI_BLOCK == 0 || to == optim->offsets[optim->n_arrays]));
  int array = array_at(optim, from);
  int64_t piece = block_at(from) - block_at(optim->offsets[array]);
  for (int a = 0; a < array; a++) piece += n_pieces_of(optim, a);
  for (int64_t at = from, end; at < to; at = end, piece++) {
    while (optim->offsets[array + 1] <= at) array++;
    end = part_end(optim, array, at, to);
    pieces[piece] = sum_of_squares(end - at, grads + (at - from));
  }
}

// --- clipping

/** What makes a norm at most `most`.  A norm that is no number changes nothing: the gradient then is none
 * either, and the training stops on that. */
static float factor_of(const tutti_optim *optim, double square, double most) {
  const double norm = sqrt(square) + (optim->options.dialect == TUTTI_DIALECT_TORCH ? torch_epsilon : 0);
  return norm > most ? (float)(most / norm) : 1;
}

void tutti_optim_set_factors(tutti_optim *optim, const double *pieces) {
  const double each = optim->options.clipnorm, all = optim->options.global_clipnorm;
  double total = 0;
  optim->clips = false;
  if (!tutti_optim_has_norms(&optim->options)) return;
  for (int a = 0; a < optim->n_arrays; a++) {
    double square = 0;
    for (int64_t n = n_pieces_of(optim, a); n > 0; n--) square += *pieces++;
    total += square;
    if (each > 0) optim->factors[a] = factor_of(optim, square, each);
  }
  for (int a = 0; a < optim->n_arrays; a++) {
    if (each == 0) optim->factors[a] = factor_of(optim, total, all);
    optim->clips = optim->clips || optim->factors[a] < 1;
  }
}

TUTTI_CLONES static void multiply(float factor, int64_t n, const float *restrict g, float *restrict product) {
  for (int64_t i = 0; i < n; i++) product[i] = factor * g[i];
}

TUTTI_CLONES static void limit(float bound, int64_t n, const float *restrict g, float *restrict limited) {
  for (int64_t i = 0; i < n; i++) {
    // Written so that a NaN stays one.
    const float above = g[i] > bound ? bound : g[i];
    limited[i] = above < -bound ? -bound : above;
  }
}

const float *tutti_optim_clip(const tutti_optim *optim, int64_t first, int64_t count, const float *grads,
                              float *clipped) {
  if (optim->options.clipvalue > 0) {
    limit((float)optim->options.clipvalue, count, grads, clipped);
    return clipped;
  }
  if (!optim->clips || count == 0) return grads;
  const int64_t from = optim->begin + first, to = from + count;
  int array = array_at(optim, from);
  for (int64_t at = from, end; at < to; at = end) {
    while (optim->offsets[array + 1] <= at) array++;
    end = part_end(optim, array, at, to);
    multiply(optim->factors[array], end - at, grads + (at - from), clipped + (at - from));
  }
  return clipped;
}
