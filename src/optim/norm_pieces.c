/** Norms that have the same bits however the flat buffer is cut into slices: sums of squares over pieces, which the
 * ends of the arrays and of the blocks of TUTTI_BLOCK elements cut, are added in the order of the buffer.  Clipping,
 * weight decay and the rules that scale arrays walk over pieces. */
#include "optim/optim_impl.h"

static int64_t block_at(int64_t at) {
  return at / TUTTI_BLOCK;
}

/** The array that contains element `at` of the flat buffers: binary search with ends[low - 1] <= at < ends[high]. */
static int array_at(const tutti_optim *optim, int64_t at) {
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

static int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

tutti_optim_piece tutti_optim_piece_before(const tutti_optim *optim, int64_t begin, int64_t count) {
  return (tutti_optim_piece){.begin = begin, .count = count, .array = array_at(optim, begin)};
}

bool tutti_optim_piece_next(const tutti_optim *optim, tutti_optim_piece *p) {
  p->at += p->n;
  if (p->at == p->count) return false;
  const int64_t from = p->begin + p->at;
  while (optim->offsets[p->array + 1] <= from) p->array++;
  const int64_t end = smaller((block_at(from) + 1) * TUTTI_BLOCK, optim->offsets[p->array + 1]);
  p->n = smaller(end - from, p->count - p->at);
  return true;
}

static int64_t n_pieces_of(const tutti_optim *optim, int array) {
  const int64_t from = optim->offsets[array], to = optim->offsets[array + 1];
  return to > from ? block_at(to - 1) - block_at(from) + 1 : 0;
}

int64_t tutti_optim_all_pieces(const tutti_optim *optim) {
  int64_t n = 0;
  for (int a = 0; a < optim->n_arrays; a++) n += n_pieces_of(optim, a);
  return n;
}

enum { LANES = 32 };

/** Sum of x^2 over x[n].  Squares of floats are exact in double.  The lanes are added in one fixed order, whatever
 * the vectors of the processor are. */
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

void tutti_optim_all_squares(const tutti_optim *optim, int64_t begin, int64_t count, const float *x,
                             double *pieces) {
  TUTTI_ASSERT(count == 0 || begin % TUTTI_BLOCK == 0);
  TUTTI_ASSERT(count % TUTTI_BLOCK == 0 || begin + count == optim->offsets[optim->n_arrays]);
  tutti_optim_piece p = tutti_optim_piece_before(optim, begin, count);
  // Number of the first piece: those of the arrays before, and the blocks of this array before `begin`.
  int64_t piece = block_at(begin) - block_at(optim->offsets[p.array]);
  for (int a = 0; a < p.array; a++) piece += n_pieces_of(optim, a);
  for (; tutti_optim_piece_next(optim, &p); piece++) pieces[piece] = sum_of_squares(p.n, x + p.at);
}

double tutti_optim_piece_sum(const tutti_optim *optim, int array, const double **pieces) {
  double sum = 0;
  for (int64_t n = n_pieces_of(optim, array); n > 0; n--) sum += *(*pieces)++;
  return sum;
}
