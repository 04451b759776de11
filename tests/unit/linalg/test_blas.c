#include <stdio.h>
#include <string.h>

#include "base/vector_unit.h"
#include "linalg/blas.h"
#include "linalg/matmul.h"
#include "support/check.h"
#include "tutti/linalg.h"

static void the_library_says_what_it_is(void **state) {
  (void)state;
  const char *text = tutti_blas_description();
  assert_true(strlen(text) > 3);
  assert_string_equal(text, tutti_blas_description());
  if (strncmp(text, "OpenBLAS", 8) != 0) return;
  // "OpenBLAS 0.3.21 Zen": a version and the kernels
  char version[32] = "", kernels[32] = "";
  assert_int_equal(sscanf(text, "OpenBLAS %31s %31s", version, kernels), 2);
  assert_true(version[0] >= '0' && version[0] <= '9');
}

static void threads_are_what_was_set(void **state) {
  (void)state;
  tutti_linalg_set_threads(2);
  assert_int_equal(tutti_linalg_threads(), 2);
  assert_in_range(tutti_blas_threads(), 1, 2); // 1 where our threads call it
  tutti_linalg_set_threads(0);
  assert_int_equal(tutti_linalg_threads(), 1);
  assert_int_equal(tutti_blas_threads(), 1);
}

/** Other kernels compute the same, and the report says who chose them. */
static void kernels_are_taken_and_given_back(void **state) {
  (void)state;
  tutti_blas_facts facts;
  tutti_blas_get(&facts);
  if (!facts.dispatches || !tutti_cpu_has_avx2_fma() || strcmp(facts.kernels, "Haswell") == 0) skip();
  char first[32];
  snprintf(first, sizeof first, "%s", facts.kernels);
  if (!tutti_blas_take_kernels("Haswell")) skip(); // a library without the two functions
  tutti_blas_get(&facts);
  assert_string_equal(facts.kernels, "Haswell");
  assert_string_equal(facts.first, first);
  assert_non_null(strstr(tutti_blas_description(), "Haswell (chosen by tutti; the library had taken "));
  const float x[] = {1, 2, 3, 4}, w[] = {5, 6, 7, 8}, expected[] = {19, 22, 43, 50};
  float z[4];
  tutti_matmul_forward((tutti_matmul_by){.order = TUTTI_SUM_BY_BLAS}, x, w, NULL, 2, 2, 2, z);
  assert_memory_equal(z, expected, sizeof z);
  assert_true(tutti_blas_take_kernels(first));
  tutti_blas_get(&facts);
  assert_string_equal(facts.kernels, first);
  assert_null(strstr(tutti_blas_description(), "chosen by tutti"));
}

static void names_stand_in_the_order_of_the_enums(void **state) {
  (void)state;
  assert_string_equal(tutti_activation_names[TUTTI_LEAKY_RELU], "leaky_relu");
  assert_string_equal(tutti_activation_names[TUTTI_EXPONENTIAL], "exponential");
  assert_string_equal(tutti_loss_names[TUTTI_LOSS_AUTO], "auto");
  assert_string_equal(tutti_loss_names[TUTTI_HINGE], "hinge");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_library_says_what_it_is),
      cmocka_unit_test(threads_are_what_was_set),
      cmocka_unit_test(kernels_are_taken_and_given_back),
      cmocka_unit_test(names_stand_in_the_order_of_the_enums),
  };
  return cmocka_run_group_tests_name("linalg.blas", tests, NULL, check_no_leak);
}
