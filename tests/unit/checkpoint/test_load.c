#include <math.h>
#include <string.h>

#include "fixture.h"
#include "support/check.h"
#include "support/folder.h"

static void what_was_saved_is_loaded(void **state) {
  const char *path = folder_path(state, "run/checkpoint.h5");
  CHECK_OK(fixture_save(path, 3, 2));
  assert_int_equal(fixture_load(path), 3);

  tutti_checkpoint_info info;
  CHECK_OK(tutti_checkpoint_read_info(path, &info));
  assert_string_equal(info.config, "train: {batch_size: 32}\n");
  assert_string_equal(info.version, TUTTI_VERSION);
  assert_int_equal(strlen(info.time), 20);
  assert_int_equal(info.classes.n, 2);
  assert_string_equal(info.classes.list[1], "dog");
  assert_true(isnan(info.state.best));
  tutti_checkpoint_info_clear(&info);
  assert_null(info.config);
}

static void an_array_says_its_unit(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  tutti_file *file = NULL;
  char *unit = NULL;
  CHECK_OK(fixture_save(path, 1, 1));
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_get_text(file, "/optimizer/velocity/dense/kernel", "unit", &unit));
  assert_string_equal(unit, "mean of squares");
  assert_false(tutti_file_has_attribute(file, "/model/weights/dense/kernel", "unit"));
  tutti_free(unit);
  tutti_file_close(&file);
}

/** Of a table's records those are read that are asked for and there. */
static void a_table_is_read_by_the_names_of_its_records(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  const char *const names[] = {"trace", "distance", "gain"}, *const wanted[] = {"gain", "norm", "trace"};
  fixture_row saved[] = {{1, 0.5}, {2, -3}, {3, NAN}}, read[] = {{7, 7}, {8, 8}, {9, 9}};
  const tutti_checkpoint checkpoint = {
      .path = path, .config = "", .table = {"/measured", names, fixture_layout, saved, 3}};
  const tutti_checkpoint_table table = {"/measured", wanted, fixture_layout, read, 3};
  const tutti_checkpoint_table elsewhere = {"/other", wanted, fixture_layout, read, 3};
  CHECK_FAILS(tutti_checkpoint_read_table(path, &table), TUTTI_ERR_MISSING, path);
  CHECK_OK(tutti_checkpoint_save(&checkpoint, 1));
  CHECK_OK(tutti_checkpoint_read_table(path, &elsewhere));
  assert_true(read[0].step == 7 && read[2].loss == 9);
  CHECK_OK(tutti_checkpoint_read_table(path, &table));
  assert_true(read[0].step == 3 && isnan(read[0].loss));
  assert_true(read[1].step == 8 && read[1].loss == 8); // not in the file
  assert_true(read[2].step == 1 && read[2].loss == 0.5);
}

static tutti_checkpoint_state save_state(const char *path, tutti_checkpoint_state saved) {
  const tutti_checkpoint checkpoint = {.path = path, .config = "", .state = saved};
  tutti_checkpoint_info info;
  CHECK_OK(tutti_checkpoint_save(&checkpoint, 1));
  CHECK_OK(tutti_checkpoint_read_info(path, &info));
  assert_int_equal(info.n_history, 0);
  assert_int_equal(info.classes.n, 0);
  const tutti_checkpoint_state read = info.state;
  tutti_checkpoint_info_clear(&info);
  return read;
}

static void each_member_of_the_state_returns(void **state) {
  const tutti_checkpoint_state saved = {.step = 21,
                                        .epoch = 2,
                                        .step_in_epoch = 3,
                                        .samples = INT64_MAX,
                                        .seed = 5,
                                        .split_seed = 6,
                                        .learning_rate = 0.3,
                                        .warmup_from = -2.5,
                                        .from_step = 8,
                                        .from_place = 9,
                                        .from_samples = 10,
                                        .seconds = 1.0 / 3,
                                        .in_epoch = {7, 0.1, 9, 10},
                                        .in_row = {11, 0.7, 13, 14},
                                        .best = 0.97,
                                        .evaluations_since_best = 16,
                                        .returned_to = 17,
                                        .plateau_best = 17,
                                        .plateau_waited = 18,
                                        .plateau_cooling = 19,
                                        .plateau_drops = 20,
                                        .rollbacks = 2,
                                        .rate_factor = 0.25,
                                        .weights_hash = -21};
  const tutti_checkpoint_state read = save_state(folder_path(state, "checkpoint.h5"), saved);
  assert_memory_equal(&read, &saved, sizeof saved);
}

static void seeds_keep_all_their_bits(void **state) {
  const uint64_t seeds[] = {0, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
  for (int i = 0; i < 4; i++) {
    const tutti_checkpoint_state read =
        save_state(folder_path(state, "checkpoint.h5"),
                   (tutti_checkpoint_state){.seed = seeds[i], .split_seed = seeds[3 - i]});
    assert_true(read.seed == seeds[i] && read.split_seed == seeds[3 - i]);
  }
}

static void a_part_of_the_arrays_may_be_loaded(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  fixture f;
  CHECK_OK(fixture_save(path, 2, 1));
  fixture_fill(&f, 0);
  CHECK_OK(tutti_checkpoint_load(path, f.views, FIXTURE_WEIGHTS, NULL, NULL)); // an evaluation: no slots
  assert_true(f.numbers[0][59] == 2 && f.numbers[1][4] == 2 && f.numbers[2][0] == 0);
}

static void another_model_is_told_from_this_one(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  fixture f;
  CHECK_OK(fixture_save(path, 2, 1));

  fixture_fill(&f, 0);
  f.views[0].dims[1] = 4;
  CHECK_FAILS(tutti_checkpoint_load(path, f.views, FIXTURE_VIEWS, NULL, NULL), TUTTI_ERR_DATA,
              "checkpoint.h5: /model/weights/dense/kernel is 12 x 5, this model has 12 x 4");
  assert_true(f.numbers[1][0] == 0); // refused before anything is read

  fixture_fill(&f, 0);
  f.views[1].n_dims = 2;
  CHECK_FAILS(tutti_checkpoint_load(path, f.views, FIXTURE_VIEWS, NULL, NULL), TUTTI_ERR_DATA,
              "/model/weights/dense/bias is 5, this model has 5 x 0");

  fixture_fill(&f, 0);
  strcpy(f.views[1].name, "/model/weights/dense_1/bias");
  CHECK_FAILS(tutti_checkpoint_load(path, f.views, FIXTURE_VIEWS, NULL, NULL), TUTTI_ERR_DATA,
              "has no /model/weights/dense_1/bias, which this model has");

  fixture_fill(&f, 0);
  CHECK_FAILS(tutti_checkpoint_load(path, f.views, 1, NULL, NULL), TUTTI_ERR_DATA,
              "has /model/weights/dense/bias, which this model does not have");
}

static void another_optimizer_is_told_from_this_one(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  fixture f;
  CHECK_OK(fixture_save(path, 2, 1));

  fixture_fill(&f, 0);
  strcpy(f.views[2].name, "/optimizer/momentum/dense/kernel");
  CHECK_FAILS(tutti_checkpoint_load(path, f.views, FIXTURE_VIEWS, NULL, NULL), TUTTI_ERR_DATA,
              "has no optimizer slot 'momentum'");
  CHECK_FAILS(tutti_checkpoint_load(path, f.views, FIXTURE_VIEWS, NULL, NULL), TUTTI_ERR_DATA,
              "made with another optimizer");

  fixture_fill(&f, 0);
  CHECK_FAILS(tutti_checkpoint_load(path, f.views, FIXTURE_WEIGHTS + 1, NULL, NULL), TUTTI_ERR_DATA,
              "has the optimizer slot 'velocity' (/optimizer/velocity/dense/bias)");
}

static void a_layer_that_was_frozen_is_no_other_optimizer(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  fixture f;
  CHECK_OK(fixture_save(path, 2, 1));
  fixture_fill(&f, 0);
  strcpy(f.views[2].name, "/optimizer/velocity/dense_1/kernel");
  CHECK_FAILS(tutti_checkpoint_read_arrays(path, f.views, FIXTURE_VIEWS), TUTTI_ERR_DATA,
              "'velocity' has no /optimizer/velocity/dense_1/kernel: that layer had trainable=no there");
}

static void vectors_of_any_length_are_read(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  double *values = NULL;
  int64_t n = 0;
  CHECK_OK(fixture_save(path, 2, 1));
  CHECK_OK(tutti_checkpoint_read_vector(path, "/input/shift", &values, &n));
  assert_int_equal(n, 7);
  assert_true(values[6] == 2);
  tutti_free(values);
  CHECK_FAILS(tutti_checkpoint_read_vector(path, "/input/factor", &values, &n), TUTTI_ERR_DATA,
              "/input/factor");
  CHECK_FAILS(tutti_checkpoint_read_vector(path, "/model/weights/dense/kernel", &values, &n), TUTTI_ERR_DATA,
              "is not a one-dimensional array");
  assert_null(values);
}

static void change(const char *path, const char *attribute, int64_t value) {
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_update(path, &file));
  CHECK_OK(tutti_file_set_integer(file, "/", attribute, value));
  CHECK_OK(tutti_file_commit(&file));
}

static void what_is_no_checkpoint_is_refused(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  tutti_checkpoint_info info;
  CHECK_FAILS(tutti_checkpoint_read_info(path, &info), TUTTI_ERR_MISSING, "checkpoint.h5");
  change(path, "answer", 42);
  CHECK_FAILS(tutti_checkpoint_read_info(path, &info), TUTTI_ERR_DATA, "is not a checkpoint of tutti");
  CHECK_OK(fixture_save(path, 2, 1));
  change(path, "format", 2);
  CHECK_FAILS(tutti_checkpoint_read_info(path, &info), TUTTI_ERR_NEWER, "format 2");
}

static void impossible_counts_are_damage(void **state) {
  const char *const counts[] = {"step", "epoch", "step_in_epoch", "samples", "evaluations_since_best"};
  const char *path = folder_path(state, "checkpoint.h5");
  tutti_checkpoint_info info;
  for (int i = 0; i < 5; i++) {
    CHECK_OK(fixture_save(path, 2, 1));
    change(path, counts[i], -5);
    CHECK_FAILS(tutti_checkpoint_read_info(path, &info), TUTTI_ERR_DATA, counts[i]);
    CHECK_FAILS(tutti_checkpoint_read_info(path, &info), TUTTI_ERR_DATA, "is -5, expected a count from 0");
  }
  CHECK_OK(fixture_save(path, 2, 1));
  change(path, "step", INT64_C(1) << 62);
  CHECK_FAILS(tutti_checkpoint_read_info(path, &info), TUTTI_ERR_DATA, "'step' is 4611686018427387904");
}

static void counts_that_contradict_each_other_are_damage(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  const tutti_checkpoint_state good = {
      .step = 10, .epoch = 2, .step_in_epoch = 2, .samples = 100, .in_epoch = {20, 0, 0, 0}};
  const struct {
    const char *attribute;
    int64_t value;
    const char *text;
  } bad[] = {{"step", 1, "'step_in_epoch' is 2 and 'step' 1"},
             {"step", 101, "'step' is 101 and 'samples' 100"},
             {"epoch", 1000, "'epoch' is 1000 and 'samples' 100"},
             {"samples", 19, "'in_epoch_samples' is 20 and 'samples' 19"}};
  for (int i = 0; i < 4; i++) {
    const tutti_checkpoint checkpoint = {.path = path, .config = "", .state = good};
    tutti_checkpoint_info info;
    CHECK_OK(tutti_checkpoint_save(&checkpoint, 1));
    change(path, bad[i].attribute, bad[i].value);
    CHECK_FAILS(tutti_checkpoint_read_info(path, &info), TUTTI_ERR_DATA, bad[i].text);
  }
}

static void impossible_sums_are_damage(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  const double values[] = {-1, INFINITY, NAN};
  for (int i = 0; i < 3; i++) {
    const tutti_checkpoint checkpoint = {
        .path = path, .config = "", .state = {.in_epoch = {.samples = values[i]}}};
    tutti_checkpoint_info info;
    CHECK_OK(tutti_checkpoint_save(&checkpoint, 1));
    CHECK_FAILS(tutti_checkpoint_read_info(path, &info), TUTTI_ERR_DATA, "'in_epoch_samples'");
  }
}

static void the_checkpoint_before_impossible_counts_is_found(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  CHECK_OK(fixture_save(path, 1, 2));
  CHECK_OK(fixture_save(path, 2, 2));
  change(path, "step", -5);
  assert_int_equal(fixture_find(*state), 1);
}

/** A file of another program's, whose writer died: the kernel's second piece is missing. */
static void leave_unwritten(const char *path, const fixture *f) {
  enum { ROWS = 100000 };
  const int64_t dims[] = {ROWS, 5};
  tutti_view views[FIXTURE_VIEWS];
  tutti_file *file = NULL;
  for (int i = 0; i < FIXTURE_VIEWS; i++) views[i] = f->views[i];
  const tutti_checkpoint checkpoint = {
      .path = path, .config = "train: {}\n", .views = views + 1, .n_views = FIXTURE_VIEWS - 1};
  CHECK_OK(tutti_checkpoint_save(&checkpoint, 2));
  CHECK_OK(tutti_file_update(path, &file));
  CHECK_OK(tutti_file_create_array(file, views[0].name, TUTTI_F32, 2, dims, 0));
  CHECK_OK(tutti_file_write_rows(file, views[0].name, TUTTI_F32, 0, 12, f->numbers[0]));
  CHECK_OK(tutti_file_commit(&file));
}

static void numbers_that_nobody_wrote_are_damage(void **state) {
  const char *path = folder_path(state, "checkpoint.h5");
  static float kernel[500000];
  fixture f;
  fixture_fill(&f, 1);
  CHECK_OK(fixture_save(path, 1, 2));
  leave_unwritten(path, &f);
  const tutti_view view = {"/model/weights/dense/kernel", 2, {100000, 5}, kernel, false, ""};
  CHECK_FAILS(tutti_checkpoint_read_arrays(path, &view, 1), TUTTI_ERR_DATA,
              "'model/weights/dense/kernel' was never written to its end");
  assert_int_equal(fixture_find(*state), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_was_saved_is_loaded),
      TEST(an_array_says_its_unit),
      TEST(a_table_is_read_by_the_names_of_its_records),
      TEST(each_member_of_the_state_returns),
      TEST(seeds_keep_all_their_bits),
      TEST(a_part_of_the_arrays_may_be_loaded),
      TEST(another_model_is_told_from_this_one),
      TEST(another_optimizer_is_told_from_this_one),
      TEST(a_layer_that_was_frozen_is_no_other_optimizer),
      TEST(vectors_of_any_length_are_read),
      TEST(what_is_no_checkpoint_is_refused),
      TEST(impossible_counts_are_damage),
      TEST(counts_that_contradict_each_other_are_damage),
      TEST(impossible_sums_are_damage),
      TEST(the_checkpoint_before_impossible_counts_is_found),
      TEST(numbers_that_nobody_wrote_are_damage),
  };
  return cmocka_run_group_tests_name("checkpoint.load", tests, NULL, check_no_leak);
}
