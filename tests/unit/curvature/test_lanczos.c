/** The ends of spectra that are known. */
#include <math.h>

#include "curvature/curvature_impl.h"
#include "support/check.h"

enum { MAX_N = 200 };

/** I - 2 u u', a mirror, turns a diagonal matrix into a full one with the same eigenvalues. */
typedef struct {
  int n, fails_at, products;
  double values[MAX_N], u[MAX_N];
  double noise; // of single precision
} matrix;

static void mirror(const matrix *m, double *v) {
  double along = 0;
  for (int i = 0; i < m->n; i++) along += m->u[i] * v[i];
  for (int i = 0; i < m->n; i++) v[i] -= 2 * along * m->u[i];
}

static tutti_status multiply(void *context, const double *v, double *out) {
  matrix *m = context;
  m->products++;
  if (m->products == m->fails_at) TUTTI_FAIL(TUTTI_ERR_DATA, "no product");
  double square = 0;
  for (int i = 0; i < m->n; i++) square += v[i] * v[i];
  CHECK_NEAR(square, 1, 1e-12);
  for (int i = 0; i < m->n; i++) out[i] = v[i];
  mirror(m, out);
  for (int i = 0; i < m->n; i++) out[i] *= m->values[i];
  mirror(m, out);
  for (int i = 0; i < m->n; i++) out[i] += m->noise * sin(1000.0 * i + out[i] * 1e7);
  return TUTTI_OK;
}

static matrix make(int n) {
  matrix m = {.n = n};
  double square = 0;
  for (int i = 0; i < n; i++) {
    m.u[i] = cos(i * 1.7);
    square += m.u[i] * m.u[i];
  }
  for (int i = 0; i < n; i++) m.u[i] /= sqrt(square);
  return m;
}

static tutti_curvature_spectrum ends_of(matrix *m, double tolerance, int64_t max_products) {
  const tutti_curvature_lanczos_problem problem = {.n = m->n,
                                                   .seed = 1,
                                                   .tolerance = tolerance,
                                                   .max_products = max_products,
                                                   .product = multiply,
                                                   .context = m};
  tutti_curvature_spectrum spectrum = {0};
  CHECK_OK(tutti_curvature_find_spectrum(&problem, &spectrum));
  assert_int_equal(spectrum.n_products, m->products);
  return spectrum;
}

/** Either end may have the largest magnitude; the residuals bound the errors and are within the tolerance. */
static void finds_both_ends(void **state) {
  (void)state;
  const double tolerances[] = {1e-2, 1e-4, 1e-8};
  for (int k = 0; k < 6; k++) {
    const double tolerance = tolerances[k / 2], highest = k % 2 ? 7 : 2.5, lowest = k % 2 ? -2.5 : -7;
    matrix m = make(MAX_N);
    for (int i = 0; i < m.n; i++) m.values[i] = sin(i * 1.0) * 0.5;
    m.values[17] = highest;
    m.values[90] = lowest;
    const tutti_curvature_spectrum found = ends_of(&m, tolerance, 60);
    assert_true(found.largest.residual <= 7 * tolerance && found.smallest.residual <= 7 * tolerance);
    CHECK_NEAR(found.largest.value, highest, fmax(found.largest.residual, 1e-12));
    CHECK_NEAR(found.smallest.value, lowest, fmax(found.smallest.residual, 1e-12));
    assert_true(found.n_products < 40);
  }
}

/** Products in single precision, a repeated eigenvalue, and more products than dimensions. */
static void rounding_moves_no_end(void **state) {
  (void)state;
  matrix m = make(12);
  for (int i = 0; i < m.n; i++) m.values[i] = i < 4 ? 3 : 0.01 * i;
  m.noise = 1e-7;
  const tutti_curvature_spectrum found = ends_of(&m, 1e-12, 80);
  assert_int_equal(found.n_products, 80);
  CHECK_NEAR(found.largest.value, 3, 1e-5);
  CHECK_NEAR(found.smallest.value, 0.04, 1e-5);
}

static void few_products_are_told_by_the_residual(void **state) {
  (void)state;
  matrix m = make(MAX_N);
  for (int i = 0; i < m.n; i++) m.values[i] = i;
  const tutti_curvature_spectrum found = ends_of(&m, 1e-3, 5);
  assert_int_equal(found.n_products, 5);
  assert_true(found.largest.residual > 1);
  assert_true(found.largest.value <= 199 && found.largest.value >= 199 - 4 * found.largest.residual);
}

static void one_dimension_and_nothing(void **state) {
  (void)state;
  matrix one = make(1);
  one.values[0] = -3;
  tutti_curvature_spectrum found = ends_of(&one, 1e-3, 10);
  CHECK_NEAR(found.largest.value, -3, 1e-12);
  CHECK_NEAR(found.smallest.value, -3, 1e-12);
  matrix zero = make(9);
  found = ends_of(&zero, 1e-3, 10);
  assert_true(found.largest.value == 0 && found.largest.residual == 0);
  assert_int_equal(found.n_products, 1);
}

static void what_is_not_finite_ends_it(void **state) {
  (void)state;
  matrix m = make(9);
  m.values[3] = NAN;
  const tutti_curvature_spectrum found = ends_of(&m, 1e-3, 10);
  assert_true(isnan(found.largest.value) && isnan(found.smallest.residual));
  assert_int_equal(found.n_products, 1);
}

static void failures_come_back(void **state) {
  (void)state;
  matrix m = make(9);
  for (int i = 0; i < m.n; i++) m.values[i] = i;
  m.fails_at = 3;
  const tutti_curvature_lanczos_problem problem = {
      .n = m.n, .tolerance = 1e-9, .max_products = 20, .product = multiply, .context = &m};
  tutti_curvature_spectrum spectrum;
  CHECK_FAILS(tutti_curvature_find_spectrum(&problem, &spectrum), TUTTI_ERR_DATA, "no product");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_both_ends),
      cmocka_unit_test(rounding_moves_no_end),
      cmocka_unit_test(few_products_are_told_by_the_residual),
      cmocka_unit_test(one_dimension_and_nothing),
      cmocka_unit_test(what_is_not_finite_ends_it),
      cmocka_unit_test(failures_come_back),
  };
  return cmocka_run_group_tests_name("train.lanczos", tests, NULL, check_no_leak);
}
