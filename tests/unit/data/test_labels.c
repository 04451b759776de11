#include <stdio.h>
#include <string.h>

#include "data/import_impl.h"
#include "support/check.h"

static tutti_status make(const char *const *texts, int n, tutti_import_kind kind, tutti_labels *labels) {
  tutti_label_texts list;
  tutti_data_label_texts_init(&list);
  for (int i = 0; i < n; i++) CHECK_OK(tutti_data_label_texts_add(&list, texts[i], i + 2));
  const tutti_status status = tutti_data_labels_create(&list, kind, "f.csv, column 'y'", labels);
  tutti_data_label_texts_free(&list);
  return status;
}

/** Labels 0 or start, 2 * start, ... [n] as text "%g". */
static tutti_status make_many(int n, double step, tutti_import_kind kind, tutti_labels *labels) {
  static char text[200][16];
  const char *texts[200];
  for (int i = 0; i < n; i++) {
    snprintf(text[i], sizeof text[i], "%g", step * i);
    texts[i] = text[i];
  }
  return make(texts, n, kind, labels);
}

static void texts_are_classes_in_order_of_name(void **state) {
  (void)state;
  const char *const texts[] = {"virginica", "setosa", "versicolor", "setosa"};
  tutti_labels labels;
  CHECK_OK(make(texts, 4, TUTTI_IMPORT_AUTO, &labels));
  assert_int_equal(labels.names.n, 3);
  assert_string_equal(labels.names.list[0], "setosa");
  assert_string_equal(labels.names.list[1], "versicolor");
  assert_string_equal(labels.names.list[2], "virginica");
  const float expected[] = {2, 0, 1, 0};
  assert_memory_equal(labels.values, expected, sizeof expected);
  tutti_data_labels_free(&labels);
}

static void whole_numbers_are_classes_in_ascending_order(void **state) {
  (void)state;
  const char *const texts[] = {"10", "-1", "+2", "2.0", "10"};
  tutti_labels labels;
  CHECK_OK(make(texts, 5, TUTTI_IMPORT_AUTO, &labels));
  assert_int_equal(labels.names.n, 3);
  assert_string_equal(labels.names.list[0], "-1");
  assert_string_equal(labels.names.list[1], "2");
  assert_string_equal(labels.names.list[2], "10");
  const float expected[] = {2, 0, 1, 1, 2};
  assert_memory_equal(labels.values, expected, sizeof expected);
  tutti_data_labels_free(&labels);
}

static void integers_and_texts_together_are_names(void **state) {
  (void)state;
  const char *const texts[] = {"3", "3b", "10"};
  tutti_labels labels;
  CHECK_OK(make(texts, 3, TUTTI_IMPORT_AUTO, &labels));
  assert_string_equal(labels.names.list[0], "10");
  assert_string_equal(labels.names.list[2], "3b");
  tutti_data_labels_free(&labels);
}

static void up_to_100_whole_numbers_are_classes_more_are_a_regression(void **state) {
  (void)state;
  tutti_labels labels;
  CHECK_OK(make_many(100, 1, TUTTI_IMPORT_AUTO, &labels));
  assert_int_equal(labels.names.n, 100);
  tutti_data_labels_free(&labels);
  CHECK_OK(make_many(101, 1, TUTTI_IMPORT_AUTO, &labels));
  assert_int_equal(labels.names.n, 0);
  CHECK_NEAR(labels.values[100], 100, 0);
  tutti_data_labels_free(&labels);
  CHECK_OK(make_many(101, 1, TUTTI_IMPORT_CLASSES, &labels));
  assert_int_equal(labels.names.n, 101);
  tutti_data_labels_free(&labels);
}

static void reals_are_a_regression(void **state) {
  (void)state;
  tutti_labels labels;
  CHECK_OK(make_many(4, 0.5, TUTTI_IMPORT_AUTO, &labels));
  assert_int_equal(labels.names.n, 0);
  CHECK_NEAR(labels.values[3], 1.5, 0);
  tutti_data_labels_free(&labels);
  CHECK_OK(make_many(4, 1, TUTTI_IMPORT_REGRESSION, &labels));
  assert_int_equal(labels.names.n, 0);
  tutti_data_labels_free(&labels);
  CHECK_OK(make_many(4, 0.5, TUTTI_IMPORT_CLASSES, &labels));
  assert_string_equal(labels.names.list[1], "0.5");
  tutti_data_labels_free(&labels);
}

static void slips_are_errors(void **state) {
  (void)state;
  tutti_labels labels;
  const char *const mixed[] = {"1.5", "2.5", "3,5"}, *const same[] = {"a", "a"},
                    *const huge[] = {"1", "1e300", ".5"};
  CHECK_FAILS(make(mixed, 3, TUTTI_IMPORT_AUTO, &labels), TUTTI_ERR_DATA,
              "f.csv, column 'y', line 4: the label '3,5' is not a number");
  CHECK_FAILS(make(mixed, 3, TUTTI_IMPORT_REGRESSION, &labels), TUTTI_ERR_DATA, "'3,5' is not a number");
  CHECK_FAILS(make(same, 2, TUTTI_IMPORT_AUTO, &labels), TUTTI_ERR_DATA, "same label");
  CHECK_FAILS(make(huge, 3, TUTTI_IMPORT_AUTO, &labels), TUTTI_ERR_DATA, "float32");
}

static void many_different_texts_are_taken_only_when_asked_for(void **state) {
  (void)state;
  static char text[101][16];
  const char *texts[101];
  tutti_labels labels;
  for (int i = 0; i < 101; i++) {
    snprintf(text[i], sizeof text[i], "name%03d", i);
    texts[i] = text[i];
  }
  CHECK_FAILS(make(texts, 101, TUTTI_IMPORT_AUTO, &labels), TUTTI_ERR_DATA, "101 different texts");
  CHECK_OK(make(texts, 101, TUTTI_IMPORT_CLASSES, &labels));
  assert_string_equal(labels.names.list[100], "name100");
  tutti_data_labels_free(&labels);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_are_classes_in_order_of_name),
      cmocka_unit_test(whole_numbers_are_classes_in_ascending_order),
      cmocka_unit_test(integers_and_texts_together_are_names),
      cmocka_unit_test(up_to_100_whole_numbers_are_classes_more_are_a_regression),
      cmocka_unit_test(reals_are_a_regression),
      cmocka_unit_test(slips_are_errors),
      cmocka_unit_test(many_different_texts_are_taken_only_when_asked_for),
  };
  return cmocka_run_group_tests_name("data.labels", tests, NULL, check_no_leak);
}
