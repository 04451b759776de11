#include <stdio.h>
#include <stdlib.h>

#include "parse.h"

static const char text[] = NEEDED "run: {directory: out}\ntrain: {monitor: loss}\n"
                                  "study: {vary: {train.seed: [1, 2], model.layers: [[dense 3, dense 2]], "
                                  "optimizer.rho: {from: 0.1, to: 0.2, points: 2}, "
                                  "optimizer.name: {sgd: {optimizer.momentum: [0.5]}, adam: {}}}}\n";

/** Parse and dump with the nth allocation failing; nothing may be left behind. */
static tutti_status try_all(int nth) {
  char fault[32], *dump = NULL;
  tutti_config config;
  snprintf(fault, sizeof fault, "memory:0:%d", nth);
  setenv("TUTTI_FAULT", fault, 1);
  tutti_status status =
      PARSE_WITH(text, &config, {"model.layers", "dense 3, dense 2"}, {"data.file", "other.h5"});
  if (status == TUTTI_OK) status = tutti_config_dump(&config, &dump);
  unsetenv("TUTTI_FAULT");
  tutti_free(dump);
  tutti_config_clear(&config);
  return status;
}

static void any_allocation_may_fail(void **state) {
  (void)state;
  int nth = 1;
  tutti_status status;
  while ((status = try_all(nth)) != TUTTI_OK && nth < 1000) {
    assert_int_equal(status, TUTTI_ERR_MEMORY);
    assert_int_equal(tutti_alloc_live(), 0);
    nth++;
  }
  if (nth < 10 || nth == 1000) fail_msg("%d allocations failed", nth - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(any_allocation_may_fail)};
  return cmocka_run_group_tests_name("config.memory", tests, NULL, check_no_leak);
}
