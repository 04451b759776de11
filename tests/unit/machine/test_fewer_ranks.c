#include "machine/fewer_ranks.h"

#include <string.h>

#include "support/check.h"

static void a_tenth_is_clear(void **state) {
  (void)state;
  const tutti_machine_step step = {.ranks = 2, .batch_size = 1, .step_s = 1e-5};
  assert_true(tutti_machine_is_slower(&step, 0.5e-5));
  assert_true(tutti_machine_is_slower(&step, 0.89e-5));
  assert_false(tutti_machine_is_slower(&step, 0.91e-5));
  assert_false(tutti_machine_is_slower(&step, 2e-5));
}

static void the_hint_has_the_command(void **state) {
  (void)state;
  char text[400];
  const tutti_machine_step one = {.ranks = 8, .batch_size = 1, .step_s = 4.7e-5},
                           several = {.ranks = 8, .batch_size = 16, .step_s = 4.7e-5};
  tutti_machine_fewer_ranks_text(&one, 1, 2.6e-5, text, sizeof text);
  assert_non_null(strstr(text, "a step of 1 sample takes 4.7e-05 s on 8 ranks, and about 2.6e-05 s on 1: "));
  assert_non_null(strstr(text, "'mpirun -np 1'"));
  tutti_machine_fewer_ranks_text(&several, 2, 2.6e-5, text, sizeof text);
  assert_non_null(strstr(text, "a step of 16 samples takes "));
  assert_non_null(strstr(text, "'mpirun -np 2'"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_tenth_is_clear),
      cmocka_unit_test(the_hint_has_the_command),
  };
  return cmocka_run_group_tests_name("machine.fewer_ranks", tests, NULL, check_no_leak);
}
