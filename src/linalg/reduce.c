/** Sums over the rows of a matrix, column by column, in double: gradients of biases and of prelu, and the statistics
 * of batch_norm.  Threads share the columns, so that their number changes no sum. */
#include "linalg/reduce.h"

#include "base/clones.h"
#include "linalg/parallel.h"

enum { TOGETHER = 8 }; // rows that are added before a sum goes back to memory

/** The sums of some columns.  The matrices have rows of n elements. */
typedef struct {
  const float *x, *dy;
  int64_t rows, n;
  double *sums, *squares;
} columns;

static void share_columns(tutti_loop_part part, columns c) {
  static const double ns = 0.1; // of an element
  tutti_linalg_parallel_columns(c.rows, c.n, ns, part, &c);
}

// --- sums

TUTTI_INLINE void add_rows(const float *restrict x, int rows, int64_t n, int64_t count,
                           double *restrict sums) {
  for (int64_t j = 0; j < count; j++) {
    double sum = sums[j];
    for (int i = 0; i < rows; i++) sum += (double)x[i * n + j];
    sums[j] = sum;
  }
}

TUTTI_CLONES static void add(const float *restrict x, int64_t rows, int64_t n, int64_t count,
                             double *restrict sums) {
  int64_t i = 0;
  for (; i + TOGETHER <= rows; i += TOGETHER) add_rows(x + i * n, TOGETHER, n, count, sums);
  for (; i < rows; i++) add_rows(x + i * n, 1, n, count, sums);
}

static void add_columns(void *context, int64_t begin, int64_t end) {
  const columns *c = context;
  add(c->x + begin, c->rows, c->n, end - begin, c->sums + begin);
}

void tutti_linalg_column_sums(const float *x, int64_t rows, int64_t n, double *sums) {
  share_columns(add_columns, (columns){.x = x, .rows = rows, .n = n, .sums = sums});
}

TUTTI_CLONES void tutti_linalg_round_sums(const double *restrict sums, const float *restrict x, int64_t n,
                                          float *restrict rounded) {
  for (int64_t j = 0; j < n; j++) rounded[j] = (float)(sums[j] + (double)x[j]);
}

// --- sums of products below 0

TUTTI_CLONES static void add_below(const float *restrict x, const float *restrict dy, int64_t rows, int64_t n,
                                   int64_t count, double *restrict sums) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < count; j++) {
      // The product is computed for all elements, because a branch would keep the loop from the vector units.
      const float product = dy[i * n + j] * x[i * n + j];
      sums[j] += (double)(x[i * n + j] > 0 ? 0 : product);
    }
}

static void add_columns_below(void *context, int64_t begin, int64_t end) {
  const columns *c = context;
  add_below(c->x + begin, c->dy + begin, c->rows, c->n, end - begin, c->sums + begin);
}

void tutti_linalg_column_sums_below(const float *x, const float *dy, int64_t rows, int64_t n, double *sums) {
  share_columns(add_columns_below, (columns){.x = x, .dy = dy, .rows = rows, .n = n, .sums = sums});
}

// --- moments

TUTTI_CLONES static void add_moments(const float *restrict x, int64_t rows, int64_t n, int64_t count,
                                     double *restrict sums, double *restrict squares) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < count; j++) {
      const double v = x[i * n + j];
      sums[j] += v;
      squares[j] += v * v;
    }
  }
}

static void add_moments_of_columns(void *context, int64_t begin, int64_t end) {
  const columns *c = context;
  add_moments(c->x + begin, c->rows, c->n, end - begin, c->sums + begin, c->squares + begin);
}

void tutti_linalg_column_moments(const float *x, int64_t rows, int64_t n, double *sums, double *squares) {
  share_columns(add_moments_of_columns,
                (columns){.x = x, .rows = rows, .n = n, .sums = sums, .squares = squares});
}
