#include <math.h>
#include <string.h>

#include "support/check.h"
#include "tutti/metrics.h"

static const tutti_metrics_row row = {1, 2, 3, 4.5, 5.5, 6.5, 7.5, 8.5, 9, 10.5, 11.5};

static void columns_are_those_of_the_file_format(void **state) {
  (void)state;
  const char *const names[TUTTI_METRICS_COLUMNS] = {
      "epoch",        "step",          "samples",    "loss",    "accuracy",          "val_loss",
      "val_accuracy", "learning_rate", "batch_size", "seconds", "samples_per_second"};
  tutti_column columns[TUTTI_METRICS_COLUMNS];
  tutti_metrics_columns("accuracy", columns);
  for (int i = 0; i < TUTTI_METRICS_COLUMNS; i++) assert_string_equal(columns[i].name, names[i]);
}

static void each_column_has_its_value(void **state) {
  (void)state;
  const double expected[TUTTI_METRICS_COLUMNS] = {1, 2, 3, 4.5, 5.5, 6.5, 7.5, 8.5, 9, 10.5, 11.5};
  tutti_column columns[TUTTI_METRICS_COLUMNS];
  tutti_metrics_columns("mean_absolute_error", columns);
  for (int i = 0; i < TUTTI_METRICS_COLUMNS; i++) {
    double value = 0;
    assert_true(tutti_metrics_value(&row, "mean_absolute_error", columns[i].name, &value));
    CHECK_NEAR(value, expected[i], 0);
  }
}

static void any_metric_goes_by_one_name(void **state) {
  (void)state;
  double value = 0;
  assert_true(tutti_metrics_value(&row, "accuracy", "metric", &value) && value == 5.5);
  assert_true(tutti_metrics_value(&row, "accuracy", "val_metric", &value) && value == 7.5);
  value = -1;
  assert_false(tutti_metrics_value(&row, "accuracy", "mean_absolute_error", &value));
  assert_false(tutti_metrics_value(&row, "accuracy", "", &value));
  assert_true(value == -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_are_those_of_the_file_format),
      cmocka_unit_test(each_column_has_its_value),
      cmocka_unit_test(any_metric_goes_by_one_name),
  };
  return cmocka_run_group_tests_name("metrics.row", tests, NULL, check_no_leak);
}
