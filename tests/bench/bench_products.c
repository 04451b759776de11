/** The three products of a dense layer, by every implementation there is, over the sizes that shards and layers
 * have: which product goes to whom rests on this table. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "linalg/matmul.h"
#include "linalg/peak.h"
#include "support/bench.h"
#include "support/linalg_twin.h"
#include "support/numbers.h"
#ifdef BENCH_XSMM
#include "bench/xsmm.h"
#endif

typedef enum { FORWARD, WEIGHT_GRADIENT, INPUT_GRADIENT, N_PRODUCTS } product;
static const char *const product_names[N_PRODUCTS] = {"forward", "weight_gradient", "input_gradient"};

typedef enum { BLAS, LOOPS, CHOSEN, XSMM, N_LIBRARIES } library;
static const char *const library_names[N_LIBRARIES] = {"blas", "loops", "chosen", "libxsmm"};

enum { MAX_PICKED = 8192 };

typedef struct {
  int rows, n_in, n_out;
  char shape[64];
  float *x, *w, *bias, *dz;
  float *out;                                // of the run
  float *first;                              // of the baseline
  double *wide_left, *wide_right, *expected; // of the sampled part
  int64_t picked[MAX_PICKED];
} layer;

/** A library at work on a layer. */
typedef struct {
  layer *layer;
  library library;
  product product;
} job;

static bool has(library l, product p, const layer *a) {
#ifdef BENCH_XSMM
  if (l == XSMM) return p != INPUT_GRADIENT && xsmm_takes(a->rows, a->n_in, a->n_out);
#endif
  (void)p, (void)a;
  return l != XSMM;
}

static void run_matmul(tutti_matmul_by by, product p, const layer *a) {
  if (p == FORWARD)
    tutti_matmul_forward(by, a->x, a->w, a->bias, a->rows, a->n_in, a->n_out, a->out);
  else if (p == WEIGHT_GRADIENT)
    tutti_matmul_weight_gradient(by, a->x, a->dz, a->rows, a->n_in, a->n_out, false, a->out);
  else
    tutti_matmul_input_gradient(by, a->dz, a->w, a->rows, a->n_in, a->n_out, a->out);
}

#ifdef BENCH_XSMM
static void run_xsmm(product p, const layer *a) {
  if (p == FORWARD)
    xsmm_forward(a->x, a->w, a->bias, a->rows, a->n_in, a->n_out, a->out);
  else
    xsmm_weight_gradient(a->x, a->dz, a->rows, a->n_in, a->n_out, false, a->out);
}
#endif

static tutti_status run(void *context) {
  const job *j = context;
  const tutti_matmul_by by = {.order = j->library == BLAS    ? TUTTI_SUM_BY_BLAS
                                       : j->library == LOOPS ? TUTTI_SUM_IN_ORDER
                                                             : TUTTI_SUM_ANY};
#ifdef BENCH_XSMM
  if (j->library == XSMM) {
    run_xsmm(j->product, j->layer);
    return TUTTI_OK;
  }
#endif
  run_matmul(by, j->product, j->layer);
  return TUTTI_OK;
}

// --- verify

/** Rows of the result that the reference computes: all of small ones. */
static int picked_rows(layer *a, int64_t n_rows, int64_t products_of_row) {
  const int64_t affordable = ((int64_t)1 << 26) / products_of_row, most = MAX_PICKED;
  return bench_pick(n_rows, (int)(affordable < 4 ? 4 : affordable > most ? most : affordable), a->picked);
}

/** Rows `picked` of values[., n] to the front. */
static void pick_rows(const float *values, int64_t n, const int64_t *picked, int count, double *rows) {
  for (int i = 0; i < count; i++) numbers_widen(values + picked[i] * n, n, rows + i * n);
}

/** Columns `picked` of values[rows, n], as values[rows, count]. */
static void pick_columns(const float *values, int64_t rows, int64_t n, const int64_t *picked, int count,
                         double *columns) {
  for (int64_t i = 0; i < rows; i++)
    for (int k = 0; k < count; k++) columns[i * count + k] = values[i * n + picked[k]];
}

static void expect(layer *a, product p, int count) {
  const int64_t rows = a->rows, n_in = a->n_in, n_out = a->n_out;
  if (p == FORWARD) {
    double *bias = a->expected + count * n_out; // behind the results
    pick_rows(a->x, n_in, a->picked, count, a->wide_left);
    numbers_widen(a->w, n_in * n_out, a->wide_right);
    numbers_widen(a->bias, n_out, bias);
    tutti_linalg_reference_forward(a->wide_left, a->wide_right, bias, count, n_in, n_out, a->expected);
  } else if (p == WEIGHT_GRADIENT) {
    pick_columns(a->x, rows, n_in, a->picked, count, a->wide_left);
    numbers_widen(a->dz, rows * n_out, a->wide_right);
    memset(a->expected, 0, (size_t)(count * n_out) * sizeof *a->expected);
    tutti_linalg_reference_weight_gradient(a->wide_left, a->wide_right, rows, count, n_out, a->expected);
  } else {
    pick_rows(a->dz, n_out, a->picked, count, a->wide_left);
    numbers_widen(a->w, n_in * n_out, a->wide_right);
    tutti_linalg_reference_input_gradient(a->wide_left, a->wide_right, count, n_in, n_out, a->expected);
  }
}

/** A sum of `terms` products of numbers below 1 is off by at most terms (terms + 1) eps / 2 in any order, and
 * far less in practice. */
static double bound_of(const layer *a, product p) {
  const int terms[N_PRODUCTS] = {a->n_in + 1, a->rows, a->n_out};
  return (double)(terms[p] + 1) * FLT_EPSILON;
}

/** Some rows against the reference, and all against the baseline. */
static tutti_status check(void *context, double *checksum) {
  job *j = context;
  layer *a = j->layer;
  const int64_t n_rows[N_PRODUCTS] = {a->rows, a->n_in, a->rows},
                n_columns[N_PRODUCTS] = {a->n_out, a->n_out, a->n_in};
  const int64_t terms[N_PRODUCTS] = {a->n_in, a->rows, a->n_out};
  const product p = j->product;
  const int64_t columns = n_columns[p], n = n_rows[p] * columns;
  const double bound = bound_of(a, p);
  for (int64_t i = 0; i < n; i++) a->out[i] = NAN; // what is written does not depend on what was there
  TUTTI_TRY(run(j));
  const int count = picked_rows(a, n_rows[p], columns * terms[p]);
  expect(a, p, count);
  for (int i = 0; i < count; i++)
    TUTTI_TRY(bench_near(library_names[j->library], a->out + a->picked[i] * columns,
                         a->expected + i * columns, columns, bound));
  if (j->library == BLAS) memcpy(a->first, a->out, (size_t)n * sizeof *a->out);
  for (int64_t i = 0; i < n; i++)
    TUTTI_CHECK(fabsf(a->out[i] - a->first[i]) <= 2 * bound, TUTTI_ERR_INTERNAL,
                "%s: element %lld of %s is %.9g, %s has %.9g", library_names[j->library], (long long)i,
                product_names[p], (double)a->out[i], library_names[BLAS], (double)a->first[i]);
  *checksum = bench_checksum(a->out, n);
  return TUTTI_OK;
}

// --- the cases

static tutti_status run_product(const bench *b, layer *a, product p) {
  job jobs[N_LIBRARIES];
  bench_variant variants[N_LIBRARIES];
  int n = 0;
  for (library l = BLAS; l < N_LIBRARIES; l++) {
    if (!has(l, p, a)) continue;
    jobs[n] = (job){a, l, p};
    variants[n] = (bench_variant){.name = library_names[l], .check = check, .run = run, .context = &jobs[n]};
    n++;
  }
  return bench_run(b, &(bench_case){.what = product_names[p],
                                    .shape = a->shape,
                                    .items = a->rows,
                                    .work = 2.0 * a->rows * a->n_in * a->n_out,
                                    .unit = "GFLOP/s",
                                    .variants = variants,
                                    .n_variants = n});
}

static int64_t largest(int64_t a, int64_t b, int64_t c) {
  const int64_t ab = a > b ? a : b;
  return ab > c ? ab : c;
}

static tutti_status allocate(layer *a) {
  const int64_t rows = a->rows, n_in = a->n_in, n_out = a->n_out;
  const int64_t n_result = largest(rows * n_in, rows * n_out, n_in * n_out);
  TUTTI_TRY(TUTTI_NEW(a->x, rows * n_in));
  TUTTI_TRY(TUTTI_NEW(a->w, n_in * n_out));
  TUTTI_TRY(TUTTI_NEW(a->bias, n_out));
  TUTTI_TRY(TUTTI_NEW(a->dz, rows * n_out));
  TUTTI_TRY(TUTTI_NEW(a->out, n_result));
  TUTTI_TRY(TUTTI_NEW(a->first, n_result));
  TUTTI_TRY(TUTTI_NEW(a->wide_left, rows * (n_in > n_out ? n_in : n_out)));
  TUTTI_TRY(TUTTI_NEW(a->wide_right, largest(n_in * n_out, rows * n_out, 0)));
  TUTTI_TRY(TUTTI_NEW(a->expected, n_result + n_out));
  numbers_fill(1, -1, 1, rows * n_in, a->x);
  numbers_fill(2, -1, 1, n_in * n_out, a->w);
  numbers_fill(3, -1, 1, n_out, a->bias);
  numbers_fill(4, -1, 1, rows * n_out, a->dz);
  return TUTTI_OK;
}

static void release(layer *a) {
  float *const floats[] = {a->x, a->w, a->bias, a->dz, a->out, a->first};
  double *const doubles[] = {a->wide_left, a->wide_right, a->expected};
  for (int i = 0; i < 6; i++) tutti_free(floats[i]);
  for (int i = 0; i < 3; i++) tutti_free(doubles[i]);
}

static tutti_status run_layer(const bench *b, int rows, int n_in, int n_out) {
  layer a = {.rows = rows, .n_in = n_in, .n_out = n_out};
  snprintf(a.shape, sizeof a.shape, "%dx%dx%d", rows, n_in, n_out);
  bool is_wanted = false;
  for (product p = 0; p < N_PRODUCTS; p++) is_wanted = is_wanted || bench_wants(b, product_names[p], a.shape);
  if (!is_wanted) return TUTTI_OK;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(b->comm, allocate(&a)));
  for (product p = 0; p < N_PRODUCTS; p++) TUTTI_TRY_GOTO(done, run_product(b, &a, p));
done:
  release(&a);
  return status;
}

/** The ceiling of the rates, for the head of the table. */
static void print_peak(const bench *b) {
  const double flops = tutti_linalg_peak_flops(tutti_linalg_threads(), b->is_short ? 1e-3 : 0.1);
  if (tutti_comm_rank(b->comm) == 0)
    printf("# peak of the arithmetic units, %d threads: %.0f GFLOP/s\n", tutti_linalg_threads(),
           flops * 1e-9);
}

static tutti_status run_all(const bench *b) {
  print_peak(b);
  static const int layers[][2] = {{784, 512},   {512, 10},  {784, 50},    {50, 50},   {50, 10},  {784, 2048},
                                  {2048, 2048}, {2048, 10}, {4096, 4096}, {684, 684}, {784, 684}};
  static const int rows[] = {1, 2, 4, 8, 16, 32, 64, 100, 128, 256, 1024, 8192};
  static const int short_layers[][2] = {{784, 16}, {17, 33}, {50, 10}}, short_rows[] = {1, 7, 32};
  const int n_layers = b->is_short ? 3 : 11, n_rows = b->is_short ? 3 : 12;
  for (int l = 0; l < n_layers; l++)
    for (int r = 0; r < n_rows; r++) {
      const int *sizes = b->is_short ? short_layers[l] : layers[l];
      TUTTI_TRY(run_layer(b, b->is_short ? short_rows[r] : rows[r], sizes[0], sizes[1]));
    }
  return TUTTI_OK;
}

int main(int argc, char **argv) {
  return bench_main(
      argc, argv,
      &(bench_program){
          .name = "bench_products",
          .question =
              "What do the three products of a dense layer cost, and whose kernels are fastest?  `loops` "
              "are\n"
              "ours, `chosen` are those of the rule for what nobody has measured, which knows the shape "
              "alone.\n"
              "Shapes are samples x inputs x outputs."},
      run_all);
}
