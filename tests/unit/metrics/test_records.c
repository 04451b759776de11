#include <math.h>

#include "support/check.h"
#include "support/folder.h"
#include "tutti/metrics.h"

static const char *const names[] = {"noise_scale", "grad_norm.dense", "ema_val_loss"};
static const tutti_metrics_layout with_more = {"accuracy", names, 3}, plain = {"accuracy", NULL, 0};

static tutti_metrics_row row_at(int64_t i) {
  return (tutti_metrics_row){.epoch = 1, .step = i, .loss = 0.5 * (double)i, .val_metric = NAN};
}

static double more_at(int64_t i, int k) {
  return 100.0 * (double)i + k;
}

static void append(tutti_metrics_records *records, const tutti_metrics_layout *layout, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const tutti_metrics_row row = row_at(i);
    const double more[] = {more_at(i, 0), more_at(i, 1), more_at(i, 2)};
    CHECK_OK(tutti_metrics_records_append(records, layout, &row, layout->n_more ? more : NULL));
  }
}

static void check(const tutti_metrics_records *records, int n_more, int64_t n) {
  assert_int_equal(records->n, n);
  assert_int_equal(records->more_columns.n, n_more);
  for (int k = 0; k < n_more; k++) assert_string_equal(records->more_columns.list[k], names[k]);
  for (int64_t i = 0; i < n; i++) {
    const tutti_metrics_row *row = tutti_metrics_record(records, i);
    assert_int_equal(row->step, i);
    CHECK_NEAR(row->loss, 0.5 * (double)i, 0);
    assert_true(isnan(row->val_metric));
    for (int k = 0; k < n_more; k++) CHECK_NEAR(tutti_metrics_more(records, i, k), more_at(i, k), 0);
  }
}

/** Through memory, a file and memory again; nothing says beforehand how many there are, or of what columns. */
static void records_come_back(void **state) {
  const tutti_metrics_layout *const layouts[] = {&plain, &with_more};
  for (int i = 0; i < 2; i++) {
    enum { N = 150 };
    tutti_metrics_records records = {0}, back;
    tutti_file *file = NULL;
    append(&records, layouts[i], N);
    check(&records, layouts[i]->n_more, N);
    const tutti_metrics_layout layout = tutti_metrics_layout_of(&records, "accuracy");
    CHECK_OK(tutti_file_create(folder_path(state, "x.h5"), &file));
    CHECK_OK(tutti_metrics_write(file, "/rows", &layout, records.records, records.n));
    CHECK_OK(tutti_metrics_read(file, "/rows", "accuracy", &back));
    check(&back, layouts[i]->n_more, N);
    tutti_metrics_records_clear(&back);
    tutti_metrics_records_clear(&records);
    tutti_file_close(&file);
  }
}

/** As a trial of another loss has it. */
static void columns_of_another_metric_have_no_value(void **state) {
  tutti_metrics_records records = {0}, back;
  tutti_file *file = NULL;
  append(&records, &plain, 2);
  CHECK_OK(tutti_file_create(folder_path(state, "x.h5"), &file));
  CHECK_OK(tutti_metrics_write(file, "/rows", &plain, records.records, records.n));
  CHECK_OK(tutti_metrics_read(file, "/rows", "mean_absolute_error", &back));
  assert_int_equal(back.more_columns.n, 2);
  assert_string_equal(back.more_columns.list[0], "accuracy");
  assert_true(isnan(tutti_metrics_record(&back, 1)->metric) &&
              isnan(tutti_metrics_record(&back, 1)->val_metric));
  CHECK_NEAR(tutti_metrics_record(&back, 1)->loss, 0.5, 0);
  tutti_metrics_records_clear(&back);
  tutti_metrics_records_clear(&records);
  tutti_file_close(&file);
}

static void tables_that_are_not_there_are_told(void **state) {
  tutti_metrics_records records;
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(folder_path(state, "x.h5"), &file));
  CHECK_FAILS(tutti_metrics_read(file, "/rows", "accuracy", &records), TUTTI_ERR_DATA, "no table '/rows'");
  CHECK_OK(tutti_metrics_write(file, "/rows", &with_more, NULL, 0));
  CHECK_OK(tutti_metrics_read(file, "/rows", "accuracy", &records));
  check(&records, 3, 0);
  tutti_metrics_records_clear(&records);
  CHECK_FAILS(tutti_metrics_write(file, "/rows", &plain, NULL, 0), TUTTI_ERR_DATA, "has 14 columns");
  tutti_file_close(&file);
}

static void columns_come_one_by_one_and_have_no_value_at_first(void **state) {
  (void)state;
  tutti_metrics_records records = {0};
  int column = -1;
  for (int k = 0; k < 3; k++) {
    CHECK_OK(tutti_metrics_records_add_column(&records, names[k], &column));
    assert_int_equal(column, k);
  }
  append(&records, &with_more, 2);
  CHECK_OK(tutti_metrics_records_reserve(&records, 100));
  records.n += 100;
  assert_string_equal(records.more_columns.list[2], names[2]);
  CHECK_NEAR(tutti_metrics_more(&records, 1, 2), more_at(1, 2), 0);
  for (int k = 0; k < 3; k++) assert_true(isnan(tutti_metrics_more(&records, 101, k)));
  assert_true(isnan(tutti_metrics_record(&records, 2)->loss));
  assert_int_equal(tutti_metrics_record(&records, 101)->step, 0);
  tutti_metrics_records_clear(&records);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_come_one_by_one_and_have_no_value_at_first),
      cmocka_unit_test_setup_teardown(records_come_back, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(columns_of_another_metric_have_no_value, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(tables_that_are_not_there_are_told, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("metrics.records", tests, NULL, check_no_leak);
}
