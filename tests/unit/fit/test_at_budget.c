#include <math.h>
#include <string.h>

#include "fit/records_impl.h"
#include "fit/trial_set.h"
#include "support/check.h"
#include "support/folder.h"
#include "support/trials.h"

static const char *const rate_key[] = {"optimizer.learning_rate"};
static const double rates[] = {0.1, 0.2, 0.4};

typedef struct {
  int64_t step, epoch, samples;
  double val_loss, val_accuracy;
} curve_row;

/** Evaluations after 10, 20, 40 and 80 steps, an epoch each ten of them. */
static void put_curve(tutti_file *file, const tutti_trial_set *set, const double losses[4], int n) {
  static const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(curve_row, step)},
                                         {"epoch", TUTTI_I64, offsetof(curve_row, epoch)},
                                         {"samples", TUTTI_I64, offsetof(curve_row, samples)},
                                         {"val_loss", TUTTI_F64, offsetof(curve_row, val_loss)},
                                         {"val_accuracy", TUTTI_F64, offsetof(curve_row, val_accuracy)}};
  const tutti_trial_result *last = &set->results[set->n_trials - 1];
  curve_row rows[4];
  char name[32];
  for (int i = 0; i < n; i++)
    rows[i] = (curve_row){10 << i, 1 << i, (10 << i) * last->batch_size, losses[i], 1 - losses[i]};
  snprintf(name, sizeof name, "/curves/%06lld", (long long)last->trial);
  CHECK_OK(tutti_table_append(file, name, columns, 5, sizeof *rows, rows, n));
}

static void add(tutti_file *file, tutti_trial_set *set, int setting, tutti_trial_state state, int n,
                const double losses[4]) {
  trials_add(set, 100, setting, state, 10 << (n - 1), &rates[setting]);
  put_curve(file, set, losses, n);
}

/** Three settings: one that is good early, one that is good late, and one that diverges after 20 steps. */
static tutti_trial_set make_study(tutti_file *file) {
  tutti_trial_set set = trials_begin(6, 1, rate_key);
  add(file, &set, 0, TUTTI_TRIAL_NOT_REACHED, 4, (double[]){0.5, 0.45, 0.5, 0.6});
  add(file, &set, 0, TUTTI_TRIAL_NOT_REACHED, 4, (double[]){0.52, 0.46, 0.5, 0.6});
  add(file, &set, 1, TUTTI_TRIAL_NOT_REACHED, 4, (double[]){0.8, 0.6, 0.4, 0.2});
  add(file, &set, 1, TUTTI_TRIAL_REACHED, 3, (double[]){0.8, 0.6, 0.3, 0});
  add(file, &set, 2, TUTTI_TRIAL_DIVERGED, 2, (double[]){0.1, 0.05, 0, 0});
  add(file, &set, 2, TUTTI_TRIAL_DIVERGED, 2, (double[]){0.1, 0.05, 0, 0});
  return set;
}

static void check_row(const tutti_budget_row *row, double budget, int setting, double value, double low,
                      double steps) {
  CHECK_NEAR(row->budget, budget, 0);
  assert_int_equal(row->setting, setting);
  CHECK_NEAR(row->value, value, 1e-12);
  CHECK_NEAR(row->value_low, low, 1e-12);
  CHECK_NEAR(row->steps, steps, 0);
  assert_int_equal(row->trials, 6);
}

static void the_best_until_each_part_is_told(void **state) {
  tutti_file *file = NULL;
  tutti_budget_table table;
  CHECK_OK(tutti_file_create(folder_path(state, "study.h5"), &file));
  tutti_trial_set set = make_study(file);
  const tutti_budget_question steps = {"val_loss", {80, TUTTI_UNIT_STEPS}};
  CHECK_OK(tutti_fit_budget_table_create(file, &set, &steps, &table));
  assert_int_equal(table.n_rows, 4);
  check_row(&table.rows[0], 10, 2, 0.1, 0.1, 10); // it has not diverged yet
  check_row(&table.rows[1], 20, 2, 0.05, 0.05, 20);
  check_row(&table.rows[2], 40, 1, 0.4, 0.3, 40); // of two seeds the worse
  check_row(&table.rows[3], 80, 1, 0.3, 0.2, 40);
  CHECK_NEAR(table.varied[3], 0.2, 0);
  assert_int_equal(table.rows[1].diverged, 0);
  assert_int_equal(table.rows[3].diverged, 2);
  assert_int_equal(table.rows[3].ended, 1);
  assert_int_equal(table.rows[2].ended, 0);
  tutti_fit_budget_table_clear(&table);
  // Accuracies are good when they are large; epochs and samples are the same places.
  const tutti_budget_question others[] = {{"val_accuracy", {8, TUTTI_UNIT_EPOCHS}},
                                          {"val_accuracy", {8000, TUTTI_UNIT_SAMPLES}}};
  for (int i = 0; i < 2; i++) {
    CHECK_OK(tutti_fit_budget_table_create(file, &set, &others[i], &table));
    assert_int_equal(table.n_rows, 4);
    check_row(&table.rows[3], others[i].budget.value, 1, 0.7, 0.7, 40);
    check_row(&table.rows[1], others[i].budget.value / 4, 2, 0.95, 0.95, 20);
    tutti_fit_budget_table_clear(&table);
  }
  const tutti_budget_question unknown = {"val_acuracy", {80, TUTTI_UNIT_STEPS}};
  CHECK_FAILS(tutti_fit_budget_table_create(file, &set, &unknown, &table), TUTTI_ERR_USAGE, "val_acuracy");
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
}

/** Where nothing was evaluated so early there is no row; seeds that wait leave a setting out. */
static void what_is_not_known_is_left_out(void **state) {
  tutti_file *file = NULL;
  tutti_budget_table table;
  CHECK_OK(tutti_file_create(folder_path(state, "study.h5"), &file));
  tutti_trial_set set = make_study(file);
  const tutti_budget_question steps = {"val_loss", {20, TUTTI_UNIT_STEPS}};
  set.results[4].status = TUTTI_TRIAL_WAITING;
  CHECK_OK(tutti_fit_budget_table_create(file, &set, &steps, &table));
  assert_int_equal(table.n_rows, 2); // after 10 and 20 steps
  assert_int_equal(table.rows[1].setting, 0);
  CHECK_NEAR(table.rows[1].value, 0.46, 1e-12);
  assert_int_equal(table.rows[1].trials, 5);
  tutti_fit_budget_table_clear(&table);
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
}

/** All trials are done, and safe: a metric that none has a value of costs the table its rows, and not the study. */
static void a_metric_without_values_leaves_the_table_empty(void **state) {
  tutti_file *file = NULL;
  tutti_budget_table table;
  CHECK_OK(tutti_file_create(folder_path(state, "study.h5"), &file));
  tutti_trial_set set = make_study(file);
  set.asks = (tutti_budget_question){"val_mean_absolute_error", {80, TUTTI_UNIT_STEPS}};
  CHECK_OK(tutti_fit_budget_table_write(file, &set));
  assert_true(tutti_file_has(file, TUTTI_AT_BUDGET));
  CHECK_OK(tutti_fit_budget_table_read(file, &set, &table));
  assert_int_equal(table.n_rows, 0);
  tutti_fit_budget_table_clear(&table);
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_best_until_each_part_is_told, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(what_is_not_known_is_left_out, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_metric_without_values_leaves_the_table_empty, folder_make,
                                      folder_remove)};
  return cmocka_run_group_tests_name("fit.at_budget", tests, NULL, check_no_leak);
}
