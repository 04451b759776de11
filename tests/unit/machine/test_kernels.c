#include <stdlib.h>
#include <string.h>

#include "machine/kernels.h"
#include "support/check.h"
#include "tutti/linalg.h"

static const tutti_machine_cpu plain = {.n_cpus = 1}, avx2 = {.avx2_fma = true},
                               avx512 = {.avx2_fma = true, .avx512 = true};

static void check(const tutti_machine_cpu *cpu, const char *kernels, const char *better) {
  const char *given = tutti_machine_better_kernels(cpu, kernels);
  if (better) {
    assert_non_null(given);
    assert_string_equal(given, better);
  } else
    assert_null(given);
}

static void kernels_of_an_older_processor_are_replaced(void **state) {
  (void)state;
  const char *const old[] = {"Prescott",    "Core2",    "Nehalem", "Barcelona",
                             "Sandybridge", "PRESCOTT", "generic"};
  for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
    check(&avx512, old[i], "SkylakeX");
    check(&avx2, old[i], "Haswell");
    check(&plain, old[i], NULL);
  }
  check(&avx512, "Haswell", "SkylakeX");
}

static void kernels_that_suit_the_processor_stay(void **state) {
  (void)state;
  const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids", "Zen", "skx"};
  for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) check(&avx512, wide[i], NULL);
  const char *const half[] = {"Haswell", "Zen", "Excavator", "zen2"};
  for (size_t i = 0; i < sizeof half / sizeof half[0]; i++) check(&avx2, half[i], NULL);
}

static void kernels_that_are_not_known_stay(void **state) {
  (void)state;
  const char *const unknown[] = {"", "NextLake", "NEOVERSEN1"};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) check(&avx512, unknown[i], NULL);
}

/** The environment and the library of this process decide, with a processor that the library does not know. */
static void the_user_and_one_start_are_enough(void **state) {
  (void)state;
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  char taken[TUTTI_MACHINE_KERNELS_NAME] = "";
  unsetenv("OPENBLAS_CORETYPE");
  unsetenv(TUTTI_KERNELS_BEFORE);
  setenv("TUTTI_FAULT", "linalg.kernels:0:1", 1);
  const char *wanted = tutti_machine_wanted_kernels(taken);
  const bool openblas = strncmp(tutti_blas_description(), "OpenBLAS", 8) == 0;
  if (openblas && cpu.avx2_fma) {
    assert_non_null(wanted);
    assert_string_equal(wanted, cpu.avx512 ? "SkylakeX" : "Haswell");
    assert_string_equal(taken, "Prescott");
  } else
    assert_null(wanted);

  const char *const names[] = {"OPENBLAS_CORETYPE", TUTTI_KERNELS_BEFORE};
  for (int i = 0; i < 2; i++) {
    unsetenv("TUTTI_FAULT"); // the count starts again
    tutti_machine_wanted_kernels(taken);
    setenv("TUTTI_FAULT", "linalg.kernels:0:1", 1);
    setenv(names[i], "Prescott", 1);
    assert_null(tutti_machine_wanted_kernels(taken));
    unsetenv(names[i]);
  }
  unsetenv("TUTTI_FAULT");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kernels_of_an_older_processor_are_replaced),
      cmocka_unit_test(kernels_that_suit_the_processor_stay),
      cmocka_unit_test(kernels_that_are_not_known_stay),
      cmocka_unit_test(the_user_and_one_start_are_enough),
  };
  return cmocka_run_group_tests_name("linalg.kernels", tests, NULL, check_no_leak);
}
