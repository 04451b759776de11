#define _GNU_SOURCE // setenv
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "linalg/product_impl.h"
#include "support/check.h"
#include "support/numbers.h"

// More than a tile, a panel and the buffer of packed rows in each direction, and no multiple of any.
enum { M = 41, N = 203, K = 1037 };

static struct {
  float a[M * K], b[K * N], b_transposed[N * K], bias[N], old[M * N], expected[M * N], c[M * N];
} t;

static void fill(void) {
  numbers_fill(1, -1, 1, M * K, t.a);
  numbers_fill(2, -1, 1, K * N, t.b);
  numbers_fill(3, -1, 1, N, t.bias);
  numbers_fill(4, -1, 1, M * N, t.old);
  for (int k = 0; k < K; k++)
    for (int j = 0; j < N; j++) t.b_transposed[j * K + k] = t.b[k * N + j];
}

/** The chain that the header promises, with one rounding a term or with two. */
static float chain(const tutti_product *p, int i, int j, bool fused) {
  float c = p->accumulate ? t.old[i * N + j] : p->bias ? p->bias[j] : 0;
  for (int k = 0; k < p->k; k++) {
    const float a = p->a[i * p->a_row + k * p->a_col], b = t.b[k * N + j];
    c = fused ? fmaf(a, b, c) : c + a * b;
  }
  return c;
}

static tutti_product product(int m, int n, int k) {
  return (tutti_product){.m = m,
                         .n = n,
                         .k = k,
                         .a = t.a,
                         .a_row = K,
                         .a_col = 1,
                         .b = t.b,
                         .ldb = N,
                         .c = t.c,
                         .ldc = N,
                         .panel = 4};
}

/** Elements of C that are not bit for bit the chain. */
static int n_wrong(const tutti_product *p, bool fused) {
  int n = 0;
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->n; j++) n += t.c[i * N + j] != chain(p, i, j, fused);
  return n;
}

/** The processor has fused multiply-add and the loops use it. */
static bool fuses(int kind) {
  const tutti_product p = {.m = 1,
                           .n = 1,
                           .k = 1,
                           .a = (const float[]){1 + 0x1p-12f},
                           .a_row = 1,
                           .a_col = 1,
                           .b = (const float[]){1 + 0x1p-12f},
                           .ldb = 1,
                           .bias = (const float[]){-1},
                           .c = t.c,
                           .ldc = 1,
                           .panel = 4};
  tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &p, 1);
  return t.c[0] == 0x1p-11f + 0x1p-24f;
}

// Also what takes panels of each width, tiles of each height, B where it lies, and last columns that are turned.
static const int sizes[][3] = {{1, 1, 1},   {1, N, K},     {M, 1, 40}, {12, 64, 5}, {13, 65, 33},
                               {M, N, 100}, {7, 48, K},    {M, 31, K}, {4, N, 0},   {M, 128, 512},
                               {M, 50, 64}, {40, 10, 100}, {33, 66, K}};
enum { N_SIZES = sizeof sizes / sizeof *sizes, N_FORMS = 16 };

/** A product of this size, from what C holds at first to its result. */
static tutti_product run(int kind, size_t size, int form) {
  tutti_product p = product(sizes[size][0], sizes[size][1], sizes[size][2]);
  if (form & 1) p.bias = t.bias;
  if (form & 2) p.accumulate = true;
  if (form & 4) {
    p.b = t.b_transposed;
    p.ldb = K;
    p.b_transposed = true;
  }
  if (form & 8) {
    p.a_row = 1;
    p.a_col = M;
    p.panel = 2;
  }
  for (int i = 0; i < M * N; i++) t.c[i] = p.accumulate ? t.old[i] : NAN;
  tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &p, 1);
  return p;
}

static void elements_are_chains_in_order(void **state) {
  (void)state;
  fill();
  for (int kind = 0; kind < tutti_linalg_product_n_kinds(); kind++) {
    const bool fused = fuses(kind);
    for (size_t size = 0; size < N_SIZES; size++) {
      for (int form = 0; form < N_FORMS; form++) {
        const tutti_product p = run(kind, size, form);
        const int wrong = n_wrong(&p, fused);
        if (wrong)
          fail_msg("%s, form %d, %d x %d x %d: %d elements differ from the chain",
                   tutti_linalg_product_kind_at(kind)->name, form, p.m, p.n, p.k, wrong);
      }
    }
  }
}

static void wide_kinds_fuse(void **state) {
  (void)state;
  for (int kind = 1; kind < tutti_linalg_product_n_kinds(); kind++) assert_true(fuses(kind));
}

/** AVX2 and AVX-512, and the generic loops where they are compiled for such a processor. */
static void kinds_that_fuse_agree_on_all_bits(void **state) {
  (void)state;
  fill();
  for (size_t size = 0; size < N_SIZES; size++) {
    for (int form = 0; form < N_FORMS; form++) {
      bool any = false;
      for (int kind = 0; kind < tutti_linalg_product_n_kinds(); kind++) {
        if (!fuses(kind)) continue;
        run(kind, size, form);
        if (any) assert_memory_equal(t.c, t.expected, sizeof t.c);
        memcpy(t.expected, t.c, sizeof t.c);
        any = true;
      }
    }
  }
}

static void goes_on_where_another_product_ended(void **state) {
  (void)state;
  fill();
  for (int kind = 0; kind < tutti_linalg_product_n_kinds(); kind++) {
    tutti_product p = product(M, N, K);
    tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &p, 1);
    memcpy(t.expected, t.c, sizeof t.c);
    p.k = 300;
    tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &p, 1);
    p.a += 300;
    p.b += 300 * N;
    p.k = K - 300;
    p.accumulate = true;
    tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &p, 1);
    assert_memory_equal(t.c, t.expected, sizeof t.c);
  }
}

static void threads_do_not_change_a_bit(void **state) {
  (void)state;
  fill();
  for (int kind = 0; kind < tutti_linalg_product_n_kinds(); kind++) {
    const tutti_product p = product(M, N, K);
    tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &p, 1);
    memcpy(t.expected, t.c, sizeof t.c);
    for (int n_threads = 2; n_threads <= 7; n_threads++) {
      for (int i = 0; i < M * N; i++) t.c[i] = NAN;
      tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &p, n_threads);
      assert_memory_equal(t.c, t.expected, sizeof t.c);
    }
  }
}

// --- products that do not fit the test's arrays above -----------------------------------------------------------------

/** A product with arrays of its own. */
typedef struct {
  tutti_product p;
  float *a, *b, *c;
} large;

/** @param[in] a_by_columns  A holds its transpose; b_transposed: B does */
static large large_create(int m, int n, int k, bool a_by_columns, bool b_transposed) {
  large l = {.p = {.m = m,
                   .n = n,
                   .k = k,
                   .a_row = a_by_columns ? 1 : k,
                   .a_col = a_by_columns ? m : 1,
                   .ldb = b_transposed ? k : n,
                   .b_transposed = b_transposed,
                   .ldc = n + 3,
                   .panel = 4}};
  assert_int_equal(TUTTI_NEW(l.a, (int64_t)m * k), TUTTI_OK);
  assert_int_equal(TUTTI_NEW(l.b, (int64_t)n * k), TUTTI_OK);
  assert_int_equal(TUTTI_NEW(l.c, m * l.p.ldc), TUTTI_OK);
  numbers_fill(1, -1, 1, (int64_t)m * k, l.a);
  numbers_fill(2, -1, 1, (int64_t)n * k, l.b);
  l.p.a = l.a;
  l.p.b = l.b;
  l.p.c = l.c;
  return l;
}

static void large_destroy(large *l) {
  tutti_free(l->a);
  tutti_free(l->b);
  tutti_free(l->c);
}

static float large_chain(const tutti_product *p, int i, int j, bool fused) {
  float c = 0;
  for (int k = 0; k < p->k; k++) {
    const float a = p->a[i * p->a_row + k * p->a_col],
                b = p->b_transposed ? p->b[j * p->ldb + k] : p->b[k * p->ldb + j];
    c = fused ? fmaf(a, b, c) : c + a * b;
  }
  return c;
}

/** Every kind at some numbers of threads: some elements are their chains, and nothing is written between the rows. */
static void check_large(int m, int n, int k, bool a_by_columns, bool b_transposed) {
  enum { EVERY = 97 }; // elements
  large l = large_create(m, n, k, a_by_columns, b_transposed);
  const int64_t size = m * l.p.ldc;
  for (int kind = 0; kind < tutti_linalg_product_n_kinds(); kind++) {
    const bool fused = fuses(kind);
    for (int n_threads = 1; n_threads <= 5; n_threads += 2) {
      for (int64_t i = 0; i < size; i++) l.c[i] = NAN;
      tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &l.p, n_threads);
      for (int64_t i = 0; i < size; i++) {
        const int row = (int)(i / l.p.ldc), column = (int)(i % l.p.ldc);
        if (column >= n
                ? !isnan(l.c[i])
                : isnan(l.c[i]) || (i % EVERY == 0 && l.c[i] != large_chain(&l.p, row, column, fused)))
          fail_msg("%s, %d threads, %d x %d x %d: element (%d, %d) is %a",
                   tutti_linalg_product_kind_at(kind)->name, n_threads, m, n, k, row, column, (double)l.c[i]);
      }
    }
  }
  large_destroy(&l);
}

/** More rows, columns and terms than a stage of packed factors has. */
static void large_products_are_the_same_chains(void **state) {
  (void)state;
  check_large(2100, 70, 700, true, false);
  check_large(90, 2200, 700, true, false);
  check_large(2100, 40, 1100, false, false);
  check_large(300, 2100, 600, false, true);
  check_large(50, 130, 1024, false, false); // rows of A at the same places of the cache
}

static void *run_in_thread(void *context) {
  const large *l = context;
  const int fastest = tutti_linalg_product_n_kinds() - 1;
  tutti_linalg_product_run(tutti_linalg_product_kind_at(fastest), &l->p, 1);
  return NULL;
}

/** In a thread of its own, which has no memory for packed factors yet. */
static void run_anew(large *l) {
  pthread_t thread;
  for (int64_t i = 0; i < l->p.m * l->p.ldc; i++) l->c[i] = 0;
  assert_int_equal(pthread_create(&thread, NULL, run_in_thread, l), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

/** Products by blocks and turned ones then go another way. */
static void without_memory_the_bits_stay_the_same(void **state) {
  (void)state;
  for (int transposed = 0; transposed < 2; transposed++) {
    large l = large_create(300, 210, 600, !transposed, transposed);
    const int64_t size = l.p.m * l.p.ldc;
    float *expected = NULL;
    assert_int_equal(TUTTI_NEW(expected, size), TUTTI_OK);
    run_anew(&l);
    memcpy(expected, l.c, (size_t)size * sizeof *expected);
    setenv("TUTTI_FAULT", "linalg.workspace:0:1", 1);
    run_anew(&l);
    unsetenv("TUTTI_FAULT");
    if (!tutti_fault_has_come()) fail_msg("transposed %d: no memory was asked for", transposed);
    assert_memory_equal(l.c, expected, (size_t)size * sizeof *expected);
    tutti_free(expected);
    large_destroy(&l);
    assert_int_equal(tutti_fault("none"), TUTTI_OK); // forgets the fault
  }
}

/** Few rows with a B whose rows are far apart, which is read where it lies. */
static void rows_far_apart_are_the_same_chains(void **state) {
  (void)state;
  check_large(1, 1100, 200, false, false);
  check_large(20, 1100, 63, false, false);
  check_large(33, 1090, 1024, false, false);
  check_large(128, 1027, 130, true, false);
  check_large(129, 1100, 70, false, false);
}

/** A transposed B: whole vectors of rows and others, whole tiles of columns and others, several blocks of rows and terms. */
static void turned_products_are_the_same_chains(void **state) {
  static const int rows[] = {1, 2, 7, 8, 15, 16, 17, 31, 33, 48, 63, 64, 65, 127, 128, 129, 300};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    check_large(rows[i], 96, 70, false, true);
    check_large(rows[i], 101, 33, false, true);
  }
  check_large(40, 50, 1100, false, true);
  check_large(200, 50, 1030, false, true);
  // The last columns are turned, with more rows than at once.
  check_large(300, 50, 700, false, false);
  check_large(300, 50, 200, false, true);
}

/** Nothing outside of the product's rows and columns is touched. */
static void writes_only_its_part(void **state) {
  (void)state;
  fill();
  for (int kind = 0; kind < tutti_linalg_product_n_kinds(); kind++) {
    for (int n = 1; n < 130; n += 7) {
      for (int i = 0; i < M * N; i++) t.c[i] = 7;
      const tutti_product p = product(M - 1, n, 3);
      tutti_linalg_product_run(tutti_linalg_product_kind_at(kind), &p, 1);
      for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
          if (i == M - 1 || j >= n) assert_true(t.c[i * N + j] == 7);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(elements_are_chains_in_order),
      cmocka_unit_test(wide_kinds_fuse),
      cmocka_unit_test(kinds_that_fuse_agree_on_all_bits),
      cmocka_unit_test(goes_on_where_another_product_ended),
      cmocka_unit_test(threads_do_not_change_a_bit),
      cmocka_unit_test(large_products_are_the_same_chains),
      cmocka_unit_test(without_memory_the_bits_stay_the_same),
      cmocka_unit_test(rows_far_apart_are_the_same_chains),
      cmocka_unit_test(turned_products_are_the_same_chains),
      cmocka_unit_test(writes_only_its_part),
  };
  return cmocka_run_group_tests_name("linalg.product", tests, NULL, check_no_leak);
}
