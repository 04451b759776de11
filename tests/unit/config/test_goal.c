#include <math.h>
#include <string.h>

#include "parse.h"

static void a_goal_is_metric_relation_number(void **state) {
  (void)state;
  tutti_goal goal;
  CHECK_OK(tutti_config_goal_parse("val_accuracy >= 0.97", &goal));
  assert_string_equal(goal.metric, "val_accuracy");
  assert_true(goal.relation == TUTTI_AT_LEAST && goal.value == 0.97);
  CHECK_OK(tutti_config_goal_parse("loss<1e-3", &goal));
  assert_true(strcmp(goal.metric, "loss") == 0 && goal.relation == TUTTI_BELOW && goal.value == 1e-3);
  CHECK_OK(tutti_config_goal_parse("mean_absolute_error  <=  -2", &goal));
  assert_true(goal.relation == TUTTI_AT_MOST && goal.value == -2);
  CHECK_OK(tutti_config_goal_parse("accuracy > .5", &goal));
  assert_true(goal.relation == TUTTI_ABOVE && goal.value == 0.5);
}

static void no_goal_is_none(void **state) {
  (void)state;
  tutti_goal goal = {.metric = "loss"};
  CHECK_OK(tutti_config_goal_parse("none", &goal));
  assert_string_equal(goal.metric, "");
  goal = (tutti_goal){.metric = "loss"};
  CHECK_OK(tutti_config_goal_parse("", &goal));
  assert_string_equal(goal.metric, "");
  assert_false(tutti_config_goal_reached(&goal, 1));
}

static void what_is_no_goal_is_refused(void **state) {
  (void)state;
  tutti_goal goal = {.metric = "loss"};
  CHECK_FAILS(tutti_config_goal_parse("accuracy", &goal), TUTTI_ERR_CONFIG,
              "'accuracy' is not a goal; write a metric");
  CHECK_FAILS(tutti_config_goal_parse("accuracy = 0.9", &goal), TUTTI_ERR_CONFIG, "is not a goal");
  CHECK_FAILS(tutti_config_goal_parse(">= 0.9", &goal), TUTTI_ERR_CONFIG, "is not a goal");
  CHECK_FAILS(tutti_config_goal_parse("accuracy >= ", &goal), TUTTI_ERR_CONFIG, "expected a number after >=");
  CHECK_FAILS(tutti_config_goal_parse("accuracy >= 0.9 0.8", &goal), TUTTI_ERR_CONFIG, "expected a number");
  CHECK_FAILS(tutti_config_goal_parse("accuracy >= nan", &goal), TUTTI_ERR_CONFIG, "expected a number");
  CHECK_FAILS(tutti_config_goal_parse("val_acuracy >= 0.9", &goal), TUTTI_ERR_CONFIG,
              "did you mean val_accuracy?");
  CHECK_FAILS(tutti_config_goal_parse("a_metric_with_a_name_that_is_far_too_long > 1", &goal),
              TUTTI_ERR_CONFIG, "is not a goal");
  assert_string_equal(goal.metric, "loss");
}

static void goals_that_no_value_reaches_are_known(void **state) {
  (void)state;
  static const char *const never[] = {
      "val_accuracy >= 97",         "accuracy > 1", "val_loss < 0", "ema_val_loss <= -1",
      "mean_absolute_error < -0.5", "accuracy < 0"};
  static const char *const maybe[] = {"val_accuracy >= 1",       "accuracy < 2", "loss <= 0", "val_loss > 5",
                                      "ema_val_accuracy > 0.97", "none"};
  tutti_goal goal;
  for (int i = 0; i < 6; i++) {
    CHECK_OK(tutti_config_goal_parse(never[i], &goal));
    if (!tutti_config_goal_out_of_reach(&goal))
      fail_msg("'%s' is taken for one that can be reached", never[i]);
  }
  for (int i = 0; i < 6; i++) {
    CHECK_OK(tutti_config_goal_parse(maybe[i], &goal));
    if (tutti_config_goal_out_of_reach(&goal)) fail_msg("'%s' is taken for one out of reach", maybe[i]);
  }
}

static void printed_goals_are_read_back(void **state) {
  (void)state;
  static const char *const texts[] = {"val_accuracy >= 0.97", "loss < 0.3333333333333333",
                                      "val_loss <= 1e-05", "mean_absolute_error > -4", "none"};
  for (int i = 0; i < 5; i++) {
    tutti_goal goal;
    char text[128];
    CHECK_OK(tutti_config_goal_parse(texts[i], &goal));
    tutti_config_goal_print(&goal, text, sizeof text);
    assert_string_equal(text, texts[i]);
  }
}

static void a_goal_is_reached_on_its_side_of_the_number(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool below, at, above;
  } cases[] = {{"loss >= 1", false, true, true},
               {"loss > 1", false, false, true},
               {"loss <= 1", true, true, false},
               {"loss < 1", true, false, false}};
  for (int i = 0; i < 4; i++) {
    tutti_goal goal;
    CHECK_OK(tutti_config_goal_parse(cases[i].text, &goal));
    assert_true(tutti_config_goal_reached(&goal, 0.5) == cases[i].below);
    assert_true(tutti_config_goal_reached(&goal, 1) == cases[i].at);
    assert_true(tutti_config_goal_reached(&goal, 1.5) == cases[i].above);
    assert_false(tutti_config_goal_reached(&goal, NAN));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_goal_is_metric_relation_number),
      cmocka_unit_test(no_goal_is_none),
      cmocka_unit_test(what_is_no_goal_is_refused),
      cmocka_unit_test(goals_that_no_value_reaches_are_known),
      cmocka_unit_test(printed_goals_are_read_back),
      cmocka_unit_test(a_goal_is_reached_on_its_side_of_the_number),
  };
  return cmocka_run_group_tests_name("config.goal", tests, NULL, check_no_leak);
}
