#include <stdio.h>
#include <stdlib.h>

#include "support/space.h"

/** Make the space with the nth allocation failing; nothing may be left behind. */
static tutti_status try_space(const tutti_config *config, int nth) {
  char fault[32];
  tutti_space *space;
  snprintf(fault, sizeof fault, "memory:0:%d", nth);
  setenv("TUTTI_FAULT", fault, 1);
  const tutti_status status = tutti_space_create(config, &space);
  unsetenv("TUTTI_FAULT");
  tutti_space_destroy(&space);
  return status;
}

static void any_allocation_may_fail(void **state) {
  (void)state;
  static const char *const searches[] = {
      "  vary: {train.batch_size: [1, 2], optimizer.clipnorm: [1, 2], optimizer.name: [sgd, adam]}\n",
      "  search: sobol\n  trials: 2\n  vary: {optimizer.clipnorm: [1, 2], optimizer.name: [sgd, adam]}\n",
      ("  search: random\n  trials: 3\n  vary: {optimizer.clipnorm: {from: 1, to: 2}, optimizer.name: [sgd, "
       "adam]}\n"),
      "  vary: {optimizer.name: {sgd: {optimizer.nesterov: [no]}, adam: {model.initializer: [he_normal]}}}\n",
  };
  for (int s = 0; s < 4; s++) {
    char text[1024];
    tutti_config config;
    snprintf(text, sizeof text, STUDY "%s", searches[s]);
    CHECK_OK(tutti_config_parse(text, "study.yaml", NULL, 0, &config));
    const int64_t before = tutti_alloc_live();
    int nth = 1;
    tutti_status status;
    while ((status = try_space(&config, nth)) != TUTTI_OK && nth < 1000) {
      assert_int_equal(status, TUTTI_ERR_MEMORY);
      assert_int_equal(tutti_alloc_live(), before);
      nth++;
    }
    if (nth < 10 || nth == 1000) fail_msg("%d allocations failed", nth - 1);
    tutti_config_clear(&config);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(any_allocation_may_fail)};
  return cmocka_run_group_tests_name("space.memory", tests, NULL, check_no_leak);
}
