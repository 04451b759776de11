#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"
#include "tutti/metrics.h"

static const char *const hosts[] = {"node1", "node2"};
static const char *const bindings[] = {"0-3", "4-7"};
static const tutti_metrics_text origin_texts[] = {
    {"config", "train: {}\n"}, {"version", TUTTI_VERSION}, {"mpi", "Open MPI"}, {"blas", "OpenBLAS"}};
static const tutti_metrics_origin origin = {
    .texts = origin_texts, .n_texts = 4, .ranks = 2, .threads = 1, .hosts = hosts, .bindings = bindings};

static const tutti_metrics_layout accuracy = {.metric = "accuracy"};
static const tutti_metrics_layout absolute_error = {.metric = "mean_absolute_error"};

static tutti_metrics_row make_row(int64_t epoch, int64_t step) {
  return (tutti_metrics_row){.epoch = epoch,
                             .step = step,
                             .samples = 32 * step,
                             .loss = 1.0 / (double)step,
                             .metric = 0.5,
                             .val_loss = NAN,
                             .val_metric = NAN,
                             .learning_rate = 0.001,
                             .batch_size = 32,
                             .seconds = (double)step,
                             .samples_per_second = 32};
}

static void make_timing(double seconds, tutti_timing_row rows[TUTTI_N_TIMINGS]) {
  double all[TUTTI_N_PHASES];
  for (int i = 0; i < TUTTI_N_PHASES; i++) all[i] = seconds;
  tutti_metrics_timing_make(all, 1, rows);
}

/** Flush epoch `epoch` of two steps. */
static tutti_status flush(const char *path, const tutti_metrics_layout *layout, int64_t epoch) {
  const tutti_metrics_row steps[] = {make_row(epoch, 2 * epoch - 1), make_row(epoch, 2 * epoch)};
  tutti_timing_row timing[TUTTI_N_TIMINGS];
  make_timing((double)epoch, timing);
  TUTTI_TRY(tutti_metrics_flush(path, false, layout, &origin, &steps[1], 1, steps, 2, timing));
  return TUTTI_OK;
}

/** The table holds rows of these steps, all columns right. */
static void check_table(const char *path, const char *table, const int64_t *steps, int64_t n) {
  tutti_file *file = NULL;
  tutti_column columns[TUTTI_METRICS_COLUMNS];
  tutti_metrics_row *rows = NULL;
  int64_t there = 0;
  tutti_metrics_columns("accuracy", columns);
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_table_rows(file, table, &there));
  assert_int_equal(there, n);
  CHECK_OK(TUTTI_NEW(rows, n));
  CHECK_OK(tutti_table_read(file, table, columns, TUTTI_METRICS_COLUMNS, sizeof *rows, 0, n, rows));
  for (int64_t i = 0; i < n; i++) {
    const tutti_metrics_row expected = make_row((steps[i] + 1) / 2, steps[i]);
    assert_int_equal(rows[i].epoch, expected.epoch);
    assert_int_equal(rows[i].step, expected.step);
    assert_int_equal(rows[i].samples, expected.samples);
    assert_true(rows[i].loss == expected.loss && rows[i].metric == expected.metric);
    assert_true(isnan(rows[i].val_loss) && isnan(rows[i].val_metric));
    assert_int_equal(rows[i].batch_size, 32);
  }
  tutti_free(rows);
  tutti_file_close(&file);
}

static void check_tables(const char *path, int64_t n_epochs, int64_t n_steps) {
  const int64_t epochs[] = {2, 4, 6, 8}, steps[] = {1, 2, 3, 4, 5, 6, 7, 8};
  check_table(path, "/epochs", epochs, n_epochs);
  check_table(path, "/steps", steps, n_steps);
}

static void each_flush_appends(void **state) {
  const char *path = folder_path(state, "run/metrics.h5");
  for (int64_t epoch = 1; epoch <= 3; epoch++) {
    CHECK_OK(flush(path, &accuracy, epoch));
    check_tables(path, epoch, 2 * epoch);
  }
  CHECK_OK(tutti_metrics_flush(path, false, &accuracy, &origin, NULL, 0, NULL, 0, NULL));
  check_tables(path, 3, 6);
}

static void a_file_grows_by_its_rows_alone(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  tutti_timing_row timing[TUTTI_N_TIMINGS];
  make_timing(1, timing);
  CHECK_OK(flush(path, &accuracy, 1));
  CHECK_OK(flush(path, &accuracy, 2));
  size_t before = 0, after = 0;
  tutti_free(folder_bytes(path, &before));
  for (int i = 0; i < 20; i++)
    CHECK_OK(tutti_metrics_flush(path, false, &accuracy, &origin, NULL, 0, NULL, 0, timing));
  tutti_free(folder_bytes(path, &after));
  if (after > before) fail_msg("%zu bytes have become %zu", before, after);
}

static void timing_is_that_of_the_last_flush(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  const tutti_column columns[] = {{"phase", TUTTI_I64, 0}, {"max", TUTTI_F64, 8}};
  struct {
    int64_t phase;
    double max;
  } rows[TUTTI_N_TIMINGS];
  tutti_file *file = NULL;
  tutti_texts phases;
  int64_t n = 0;
  CHECK_OK(flush(path, &accuracy, 1));
  CHECK_OK(flush(path, &accuracy, 2));
  CHECK_OK(tutti_metrics_flush(path, false, &accuracy, &origin, NULL, 0, NULL, 0, NULL)); // none given: stays

  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_table_rows(file, "/timing", &n));
  assert_int_equal(n, TUTTI_N_TIMINGS);
  CHECK_OK(tutti_table_read(file, "/timing", columns, 2, sizeof rows[0], 0, n, rows));
  for (int i = 0; i < TUTTI_N_TIMINGS; i++) {
    assert_int_equal(rows[i].phase, i);
    assert_true(rows[i].max == (i < TUTTI_N_PHASES ? 2 : 0));
  }
  CHECK_OK(tutti_file_get_texts(file, "/timing", "phases", &phases));
  assert_int_equal(phases.n, TUTTI_N_TIMINGS);
  assert_string_equal(phases.list[TUTTI_PHASE_REDUCE], "reduce");
  assert_string_equal(phases.list[TUTTI_N_PHASES], "wait");
  tutti_texts_clear(&phases);
  tutti_file_close(&file);
}

static void a_flush_may_begin_anew(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  const tutti_metrics_row step = make_row(1, 1);
  const int64_t first[] = {1};
  CHECK_OK(flush(path, &accuracy, 1));
  setenv("TUTTI_FAULT", "metrics.flush:0:1", 1);
  CHECK_FAILS(tutti_metrics_flush(path, true, &accuracy, &origin, NULL, 0, NULL, 0, NULL), TUTTI_ERR_INTERNAL,
              "metrics.flush");
  unsetenv("TUTTI_FAULT");
  check_tables(path, 1, 2); // the old one stays until the new one is whole
  CHECK_OK(tutti_metrics_flush(path, true, &accuracy, &origin, NULL, 0, &step, 1, NULL));
  check_table(path, "/epochs", first, 0);
  check_table(path, "/steps", first, 1);

  // and whatever the old one holds
  CHECK_OK(tutti_metrics_flush(path, true, &absolute_error, &origin, NULL, 0, NULL, 0, NULL));
  CHECK_OK(tutti_metrics_flush(path, false, &absolute_error, &origin, NULL, 0, NULL, 0, NULL));
  folder_put(path, "damaged", 7);
  CHECK_OK(tutti_metrics_flush(path, true, &accuracy, &origin, NULL, 0, NULL, 0, NULL));
  check_tables(path, 0, 0);
  assert_int_equal(folder_count(state), 1);
}

static void the_file_says_where_it_ran(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  tutti_metrics_origin before = origin;
  before.texts = &(tutti_metrics_text){"config", "other\n"};
  before.n_texts = 1;
  before.ranks = 1;
  CHECK_OK(tutti_metrics_flush(path, false, &accuracy, &before, NULL, 0, NULL, 0, NULL));
  CHECK_OK(flush(path, &accuracy, 1));

  tutti_file *file = NULL;
  char *config = NULL, *metric = NULL;
  tutti_texts texts;
  int64_t ranks = 0;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_get_text(file, "/", "config", &config));
  assert_string_equal(config, "train: {}\n");
  CHECK_OK(tutti_file_get_text(file, "/", "metric", &metric));
  assert_string_equal(metric, "accuracy");
  CHECK_OK(tutti_file_get_integer(file, "/", "ranks", &ranks));
  assert_int_equal(ranks, 2);
  CHECK_OK(tutti_file_get_texts(file, "/", "hosts", &texts));
  assert_int_equal(texts.n, 2);
  assert_string_equal(texts.list[1], "node2");
  tutti_texts_clear(&texts);
  assert_true(tutti_file_has_attribute(file, "/", "bindings"));
  assert_false(tutti_file_has_attribute(file, "/", "cpu")); // was NULL
  static const char *const tables[] = {"/epochs", "/steps"};
  for (int i = 0; i < 2; i++) {
    char *seconds = NULL;
    CHECK_OK(tutti_file_get_text(file, tables[i], "seconds", &seconds));
    assert_non_null(strstr(seconds, "since the run began"));
    tutti_free(seconds);
  }
  tutti_free(config);
  tutti_free(metric);
  tutti_file_close(&file);
}

static void a_resumed_run_takes_back_what_came_after(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  for (int64_t epoch = 1; epoch <= 4; epoch++) CHECK_OK(flush(path, &accuracy, epoch));
  CHECK_OK(tutti_metrics_rewind(path, &accuracy, 4, 8));
  check_tables(path, 4, 8);
  CHECK_OK(tutti_metrics_rewind(path, &accuracy, 2, 5));
  check_tables(path, 2, 5);
  CHECK_OK(tutti_metrics_rewind(path, &accuracy, 7, 9)); // fewer rows than that stay as they are
  check_tables(path, 2, 5);
  CHECK_OK(tutti_metrics_rewind(path, &accuracy, 0, 0));
  check_tables(path, 0, 0);
  CHECK_OK(flush(path, &accuracy, 1));
  check_tables(path, 1, 2);
}

static void nothing_to_take_back_is_no_failure(void **state) {
  CHECK_OK(tutti_metrics_rewind(folder_path(state, "metrics.h5"), &accuracy, 1, 1));
  assert_int_equal(folder_count(state), 0);
}

static void rows_of_another_metric_are_refused_before_the_first_step(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  CHECK_OK(flush(path, &accuracy, 1));
  CHECK_FAILS(tutti_metrics_rewind(path, &absolute_error, 1, 2), TUTTI_ERR_DATA, "Move that file away");
  CHECK_FAILS(flush(path, &absolute_error, 2), TUTTI_ERR_DATA, "mean_absolute_error");
  check_tables(path, 1, 2);
}

/** What a run measures beyond the columns of all runs. */
static void further_columns_follow_the_others(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  const char *const names[] = {"noise_scale", "weight_norm.dense_1"};
  const tutti_metrics_layout layout = {"accuracy", names, 2};
  struct {
    tutti_metrics_row row;
    double more[2];
  } records[] = {{make_row(1, 1), {0.5, NAN}}, {make_row(1, 2), {-0.25, 3}}};
  const tutti_column columns[] = {
      {"step", TUTTI_I64, 0}, {names[1], TUTTI_F64, 8}, {names[0], TUTTI_F64, 16}};
  struct {
    int64_t step;
    double norm, scale;
  } found[2];
  tutti_file *file = NULL;
  CHECK_OK(tutti_metrics_flush(path, false, &layout, &origin, &records[1], 1, records, 2, NULL));
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_table_read(file, "/steps", columns, 3, sizeof found[0], 0, 2, found));
  assert_true(found[0].step == 1 && found[0].scale == 0.5 && isnan(found[0].norm));
  assert_true(found[1].step == 2 && found[1].scale == -0.25 && found[1].norm == 3);
  CHECK_OK(tutti_table_read(file, "/epochs", columns, 3, sizeof found[0], 0, 1, found));
  assert_true(found[0].step == 2 && found[0].scale == -0.25 && found[0].norm == 3);
  tutti_file_close(&file);
  CHECK_FAILS(flush(path, &accuracy, 2), TUTTI_ERR_DATA, "noise_scale, weight_norm.dense_1");
}

static void a_damaged_file_is_refused_with_what_to_do(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  size_t n = 0;
  CHECK_OK(flush(path, &accuracy, 1));
  unsigned char *bytes = folder_bytes(path, &n);
  folder_put(path, bytes, n / 2);
  tutti_free(bytes);
  CHECK_FAILS(flush(path, &accuracy, 2), TUTTI_ERR_DATA, "Move that file away");
  CHECK_FAILS(flush(path, &accuracy, 2), TUTTI_ERR_DATA, path);
  CHECK_FAILS(tutti_metrics_rewind(path, &accuracy, 1, 2), TUTTI_ERR_DATA, "/history");
  assert_int_equal(folder_count(state), 1);
}

static void a_failed_flush_leaves_the_file_as_it_was(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  CHECK_OK(flush(path, &accuracy, 1));
  setenv("TUTTI_FAULT", "metrics.flush:0:1", 1);
  CHECK_FAILS(flush(path, &accuracy, 2), TUTTI_ERR_INTERNAL, "metrics.flush");
  unsetenv("TUTTI_FAULT");
  check_tables(path, 1, 2);
  assert_int_equal(folder_count(state), 1);
  CHECK_OK(flush(path, &accuracy, 2));
  check_tables(path, 2, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(each_flush_appends),
      TEST(a_file_grows_by_its_rows_alone),
      TEST(timing_is_that_of_the_last_flush),
      TEST(a_flush_may_begin_anew),
      TEST(the_file_says_where_it_ran),
      TEST(a_resumed_run_takes_back_what_came_after),
      TEST(nothing_to_take_back_is_no_failure),
      TEST(rows_of_another_metric_are_refused_before_the_first_step),
      TEST(further_columns_follow_the_others),
      TEST(a_damaged_file_is_refused_with_what_to_do),
      TEST(a_failed_flush_leaves_the_file_as_it_was),
  };
  return cmocka_run_group_tests_name("metrics.file", tests, NULL, check_no_leak);
}
