#include <math.h>

#include "support/check.h"
#include "tutti/schedule.h"

enum { N = 50000 };

static tutti_growth make(tutti_schedule_options options, int64_t batch) {
  tutti_growth growth;
  CHECK_OK(tutti_optim_growth_make(&options, batch, N, N, &growth));
  return growth;
}

/** Smith et al. 2017, section 5.1: batches of 128, 640, 3200, then a rate that falls by what is left of the factor. */
static const tutti_schedule_options published = {.batch_growth = TUTTI_GROWTH_STEP,
                                                 .batch_factor = 5,
                                                 .batch_milestones = {3, TUTTI_UNIT_EPOCHS, {60, 120, 160}},
                                                 .batch_max = 5120};

static void the_published_schedule(void **state) {
  (void)state;
  const tutti_growth growth = make(published, 128);
  const int64_t batches[] = {128, 640, 3200, 5120};
  const double rates[] = {1, 1, 1, 5120.0 / 16000};
  const int64_t places[] = {60 * N, 120 * N, 160 * N};
  for (int k = 0; k < 4; k++) {
    assert_int_equal(tutti_optim_growth_batch(&growth, k), batches[k]);
    CHECK_NEAR(tutti_optim_growth_rate(&growth, k), rates[k], 1e-15);
    // The noise scale falls as with the decay.
    CHECK_CLOSE(tutti_optim_growth_rate(&growth, k) / (double)batches[k], pow(5, -k) / 128, 1e-14, 0);
    if (k == 3) break;
    assert_int_equal(tutti_optim_growth_at(&growth, k + 1), places[k]);
    assert_int_equal(tutti_optim_growth_count(&growth, places[k] - 1), k);
    assert_int_equal(tutti_optim_growth_count(&growth, places[k]), k + 1);
  }
  assert_true(tutti_optim_growth_at(&growth, 4) == INT64_MAX && growth.unit == TUTTI_UNIT_EPOCHS);
  assert_int_equal(tutti_optim_growth_count(&growth, INT64_C(1) << 50), 3);
}

static void geometric_growth_goes_on_in_the_rate(void **state) {
  (void)state;
  const tutti_growth growth = make((tutti_schedule_options){.batch_growth = TUTTI_GROWTH_GEOMETRIC,
                                                            .batch_factor = 1.5,
                                                            .batch_every = {7, TUTTI_UNIT_STEPS}},
                                   1000);
  assert_true(growth.unit == TUTTI_UNIT_STEPS && growth.most == N);
  for (int64_t k = 0; k < 60; k++) {
    const double size = 1000 * pow(1.5, (double)k);
    assert_int_equal(tutti_optim_growth_batch(&growth, k), size < N ? llround(size) : N);
    CHECK_CLOSE(tutti_optim_growth_rate(&growth, k), fmin(1, N / size), 1e-13, 0);
    assert_int_equal(tutti_optim_growth_at(&growth, k + 1), 7 * (k + 1));
    assert_int_equal(tutti_optim_growth_count(&growth, 7 * k + 6), k);
    assert_int_equal(tutti_optim_growth_count(&growth, 7 * k), k);
  }
}

/** 0.1 epochs are no binary fraction. */
static void parts_of_an_epoch_are_whole_samples(void **state) {
  (void)state;
  const tutti_growth growth = make((tutti_schedule_options){.batch_growth = TUTTI_GROWTH_GEOMETRIC,
                                                            .batch_factor = 2,
                                                            .batch_every = {0.1, TUTTI_UNIT_EPOCHS}},
                                   1);
  for (int64_t k = 1; k < 1000; k++) {
    assert_int_equal(tutti_optim_growth_at(&growth, k), 5000 * k);
    assert_int_equal(tutti_optim_growth_count(&growth, 5000 * k - 1), k - 1);
    assert_int_equal(tutti_optim_growth_count(&growth, 5000 * k), k);
  }
  // 0.07 * 100 is rounded up, beyond 7.
  const tutti_schedule_options parts = {.batch_growth = TUTTI_GROWTH_STEP,
                                        .batch_factor = 2,
                                        .batch_milestones = {1, TUTTI_UNIT_EPOCHS, {0.07}}};
  tutti_growth early;
  CHECK_OK(tutti_optim_growth_make(&parts, 1, 100, 100, &early));
  assert_int_equal(tutti_optim_growth_at(&early, 1), 7);
}

static void without_growth_nothing_changes(void **state) {
  (void)state;
  const tutti_growth growth = make((tutti_schedule_options){0}, 3 * N); // more than there are
  assert_int_equal(tutti_optim_growth_batch(&growth, 0), N);
  assert_true(tutti_optim_growth_rate(&growth, 0) == 1 && tutti_optim_growth_at(&growth, 1) == INT64_MAX);
  assert_int_equal(tutti_optim_growth_count(&growth, INT64_C(1) << 60), 0);
}

static void the_samples_of_an_epoch_are_the_largest_batch(void **state) {
  (void)state;
  tutti_schedule_options options = published;
  options.batch_max = 10 * N;
  const tutti_growth growth = make(options, 2 * N);
  assert_true(growth.first == N && growth.most == N);
  CHECK_NEAR(tutti_optim_growth_rate(&growth, 1), 0.2, 1e-15);
}

static void check_refused(tutti_schedule_options options, const char *text) {
  tutti_growth growth;
  CHECK_FAILS(tutti_optim_growth_make(&options, 128, N, N, &growth), TUTTI_ERR_CONFIG, text);
}

static void what_is_incomplete_is_refused(void **state) {
  (void)state;
  tutti_schedule_options options = published;
  options.batch_factor = 1;
  check_refused(options, "schedule.batch_factor is 1, expected a number above 1");
  options = published;
  options.batch_max = 127;
  check_refused(options, "schedule.batch_max is 127, expected at least train.batch_size, 128");
  options = published;
  options.batch_milestones.unit = TUTTI_UNIT_SECONDS;
  check_refused(options, "schedule.batch_milestones is a time");
  options.batch_milestones.n = 0;
  check_refused(options, "schedule.batch_milestones is not set");
  options.batch_growth = TUTTI_GROWTH_GEOMETRIC;
  check_refused(options, "schedule.batch_every is not set");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_published_schedule),
      cmocka_unit_test(geometric_growth_goes_on_in_the_rate),
      cmocka_unit_test(parts_of_an_epoch_are_whole_samples),
      cmocka_unit_test(without_growth_nothing_changes),
      cmocka_unit_test(the_samples_of_an_epoch_are_the_largest_batch),
      cmocka_unit_test(what_is_incomplete_is_refused),
  };
  return cmocka_run_group_tests_name("optim.growth", tests, NULL, check_no_leak);
}
