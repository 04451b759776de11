/** Norms that have the same bits however the flat buffer is cut into slices: sums of squares over pieces, which the ends of the
 * arrays and of the blocks of TUTTI_BLOCK elements cut, are added in the order of the buffer.  Clipping, weight decay and the
 * rules that scale arrays walk over pieces. */
#include "optim/optim_impl.h"

int tutti_optim_norm_pieces_array_at(const tutti_optim *optim, int64_t at) {
  // Binary search with ends[low - 1] <= at < ends[high].
  int low = 0, high = optim->n_arrays;
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

int64_t tutti_optim_norm_pieces_next(const tutti_optim *optim, int *array, int64_t at, int64_t to) {
  while (optim->offsets[*array + 1] <= at) ++*array;
  const int64_t block_end = (block_at(at) + 1) * TUTTI_BLOCK, array_end = optim->offsets[*array + 1];
  const int64_t end = block_end < array_end ? block_end : array_end;
  return end < to ? end : to;
}

static int64_t n_pieces_of(const tutti_optim *optim, int array) {
  const int64_t from = optim->offsets[array], to = optim->offsets[array + 1];
  return to > from ? block_at(to - 1) - block_at(from) + 1 : 0;
}

int64_t tutti_optim_norm_pieces_count(const tutti_optim *optim) {
  int64_t n = 0;
  for (int a = 0; a < optim->n_arrays; a++) n += n_pieces_of(optim, a);
  return n;
}

enum { LANES = 32 };

/** Sum of x^2 over x[n].  Squares of floats are exact in double.  The lanes are added in one fixed order, whatever the vectors
 * of the processor are. */
TUTTI_CLONES static double sum_of_squares(int64_t n, const float *restrict x) {
  double sum[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) sum[j] += (double)x[i + j] * (double)x[i + j];
  for (int j = 0; i < n; i++, j++) sum[j] += (double)x[i] * (double)x[i];
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) sum[j] += sum[j + half];
  return sum[0];
}

void tutti_optim_norm_pieces_squares(const tutti_optim *optim, int64_t first, int64_t count, const float *x,
                                     double *pieces) {
  if (count == 0) return;
  const int64_t from = optim->begin + first, to = from + count;
  TUTTI_ASSERT(from % TUTTI_BLOCK == 0 && (to % TUTTI_BLOCK == 0 || to == optim->offsets[optim->n_arrays]));
  int array = tutti_optim_norm_pieces_array_at(optim, from);
  // Number of the first piece: those of the arrays before, and the blocks of this array before `from`.
  int64_t piece = block_at(from) - block_at(optim->offsets[array]);
  for (int a = 0; a < array; a++) piece += n_pieces_of(optim, a);
  for (int64_t at = from, end; at < to; at = end, piece++) {
    end = tutti_optim_norm_pieces_next(optim, &array, at, to);
    pieces[piece] = sum_of_squares(end - at, x + (at - from));
  }
}

double tutti_optim_norm_pieces_sum(const tutti_optim *optim, int array, const double **pieces) {
  double sum = 0;
  for (int64_t n = n_pieces_of(optim, array); n > 0; n--) sum += *(*pieces)++;
  return sum;
}
