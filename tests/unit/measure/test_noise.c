/** Compares estimates of the noise of a gradient with populations whose mean and covariance are known. */
#include <math.h>
#include <stdbool.h>

#include "base/random.h"
#include "measure/noise_impl.h"
#include "support/check.h"

enum { N = 200, DIM = 6 };

/** Gradients of N examples, normally distributed around a mean that is not 0. */
typedef struct {
  double g[N][DIM];
  double square, trace; // |mean|^2, and the trace of the covariance over N
} population;

static double normal(uint32_t part, uint64_t index) {
  uint32_t words[4];
  double pair[2];
  tutti_random_words((tutti_stream){.seed = 3, .kind = 98, .part = part}, index, words);
  tutti_random_normal(words[0], words[1], pair);
  return pair[0];
}

static void make_population(population *p) {
  double mean[DIM] = {0};
  p->square = p->trace = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < DIM; j++) {
      p->g[i][j] = 0.35 + (j + 1) * 0.2 * normal(1, (uint64_t)(i * DIM + j));
      mean[j] += p->g[i][j] / N;
    }
  for (int j = 0; j < DIM; j++) p->square += mean[j] * mean[j];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < DIM; j++) p->trace += pow(p->g[i][j] - mean[j], 2) / N;
}

/** The sums of a batch with these ids, divided into groups of these sizes. */
static tutti_measure_noise_sums sums_of(const population *p, const int *ids, const int *sizes, int n_groups,
                                        double among) {
  tutti_measure_noise_sums sums = {.groups = n_groups, .population = among};
  double all[DIM] = {0};
  int at = 0;
  for (int r = 0; r < n_groups; r++) {
    double group[DIM] = {0}, square = 0;
    for (int i = 0; i < sizes[r]; i++, at++)
      for (int j = 0; j < DIM; j++) group[j] += p->g[ids[at]][j];
    for (int j = 0; j < DIM; j++) {
      all[j] += group[j];
      square += pow(group[j] / sizes[r], 2);
    }
    sums.squares += sizes[r] * square;
  }
  sums.batch = at;
  for (int j = 0; j < DIM; j++) sums.square += pow(all[j] / at, 2);
  return sums;
}

/** ids[n], different in each trial: the first n of a shuffle, or drawn with replacement. */
static void draw(uint64_t trial, bool again, int n, int *ids) {
  int all[N];
  for (int i = 0; i < N; i++) all[i] = i;
  for (int i = 0; i < n; i++) {
    uint32_t words[4];
    tutti_random_words((tutti_stream){.seed = 4, .kind = 97, .part = again}, trial * N + (uint64_t)i, words);
    const int k = (again ? 0 : i) + (int)(words[0] % (uint32_t)(again ? N : N - i));
    ids[i] = all[k];
    if (again) continue;
    all[k] = all[i];
    all[i] = ids[i];
  }
}

static const int equal[] = {20, 20, 20, 20}, uneven[] = {3, 50, 1, 26}, pair[] = {79, 1};

static void check_means(const int *sizes, int n_groups, bool again) {
  enum { TRIALS = 50000, BATCH = 80 };
  population p;
  double trace = 0, square = 0, uncorrected = 0;
  make_population(&p);
  for (int trial = 0; trial < TRIALS; trial++) {
    int ids[N];
    draw((uint64_t)trial, again, BATCH, ids);
    const tutti_measure_noise_sums sums = sums_of(&p, ids, sizes, n_groups, again ? INFINITY : N);
    const tutti_measure_noise found = tutti_measure_noise_estimate(&sums);
    trace += found.trace / TRIALS;
    square += found.grad_squared / TRIALS;
    uncorrected += (sums.square - found.trace / sums.batch) / TRIALS;
  }
  // Without replacement, the deviation of an example is that from a population without this example.
  const double expected = again ? p.trace : p.trace * N / (N - 1.0);
  CHECK_CLOSE(trace, expected, 0.01, 0);
  CHECK_CLOSE(square, p.square, 0.01, 0);
  if (!again) CHECK_CLOSE(uncorrected, p.square - expected / N, 0.01, 0);
}

static void estimates_are_unbiased_with_replacement(void **state) {
  (void)state;
  check_means(equal, 4, true);
  check_means(uneven, 4, true);
}

static void estimates_are_unbiased_without_replacement(void **state) {
  (void)state;
  check_means(equal, 4, false);
  check_means(uneven, 4, false);
  check_means(pair, 2, false);
}

static void a_batch_of_all_examples_gives_the_square_exactly(void **state) {
  (void)state;
  population p;
  int ids[N], sizes[3] = {17, 100, 83};
  make_population(&p);
  for (int i = 0; i < N; i++) ids[i] = (i * 7) % N;
  const tutti_measure_noise_sums sums = sums_of(&p, ids, sizes, 3, N);
  CHECK_CLOSE(tutti_measure_noise_estimate(&sums).grad_squared, p.square, 1e-13, 0);
}

/** Examples are groups of one. */
static tutti_measure_noise_sums all_examples(const population *p) {
  int ids[N], ones[N];
  for (int i = 0; i < N; i++) {
    ids[i] = i;
    ones[i] = 1;
  }
  return sums_of(p, ids, ones, N, N);
}

static void examples_as_groups_give_the_population_itself(void **state) {
  (void)state;
  population p;
  make_population(&p);
  const tutti_measure_noise_sums sums = all_examples(&p);
  const tutti_measure_noise found = tutti_measure_noise_estimate(&sums);
  CHECK_CLOSE(found.trace, p.trace * N / (N - 1.0), 1e-12, 0);
  CHECK_CLOSE(found.grad_squared, p.square, 1e-12, 0);
}

/** N times the diversity, minus 1, is the noise scale of the population. */
static void diversity_is_the_noise_scale_in_other_words(void **state) {
  (void)state;
  population p;
  make_population(&p);
  const tutti_measure_noise_sums sums = all_examples(&p);
  CHECK_CLOSE(N * tutti_measure_noise_diversity(&sums) - 1, p.trace / p.square, 1e-12, 0);
}

/** gain = K (B_simple + b) / (B_simple + B) for reference batches of b samples. */
static void gain_of_adascale_is_the_noise_scale_in_other_words(void **state) {
  (void)state;
  population p;
  make_population(&p);
  for (int trial = 0; trial < 20; trial++) {
    int ids[N];
    draw((uint64_t)trial, true, 80, ids);
    const tutti_measure_noise_sums sums = sums_of(&p, ids, equal, 4, INFINITY);
    const tutti_measure_noise noise = tutti_measure_noise_estimate(&sums);
    const double scale = noise.trace / noise.grad_squared;
    assert_true(noise.trace > 0 && noise.grad_squared > 0); // no floor is reached
    CHECK_CLOSE(tutti_measure_adascale_gain(tutti_measure_adascale_estimate(&sums, 20), 4),
                4 * (scale + 20) / (scale + 80), 1e-12, 0);
    // Any other reference batch, from the same groups.
    CHECK_CLOSE(tutti_measure_adascale_gain(tutti_measure_adascale_estimate(&sums, 5), 16),
                16 * (scale + 5) / (scale + 80), 1e-12, 0);
  }
}

static void gain_is_between_1_and_the_number_of_groups(void **state) {
  (void)state;
  const tutti_measure_noise_sums quiet = {
      .groups = 8, .squares = 64, .batch = 64, .square = 1, .population = INFINITY};
  const tutti_measure_noise_sums loud = {.groups = 8, .squares = 64, .batch = 64, .population = INFINITY};
  CHECK_CLOSE(tutti_measure_adascale_gain(tutti_measure_adascale_estimate(&quiet, 8), 8), 1, 1e-5,
              0); // except for the floor of 1e-6
  CHECK_CLOSE(tutti_measure_adascale_gain(tutti_measure_adascale_estimate(&loud, 8), 8), 8, 1e-12, 0);
  // Both values are below their floors.
  CHECK_NEAR(tutti_measure_adascale_estimate(&quiet, 8).variance, 1e-6, 0);
  CHECK_NEAR(tutti_measure_adascale_estimate(&loud, 8).square, 0, 0);
  CHECK_NEAR(tutti_measure_adascale_decay(8, 1), 0.992, 1e-15);
  CHECK_NEAR(tutti_measure_adascale_decay(8, 32), pow(0.992, 32), 1e-15);
  assert_true(tutti_measure_adascale_decay(2000, 1) == 0);
}

/** One group gives NaN, even if rounding leaves a remainder of terms that cancel. */
static void one_group_tells_nothing(void **state) {
  (void)state;
  const tutti_measure_noise_sums sums = {
      .groups = 1, .squares = 32 * (1 + 1e-15), .batch = 32, .square = 1, .population = 100};
  assert_true(isnan(tutti_measure_noise_estimate(&sums).trace) &&
              isnan(tutti_measure_noise_estimate(&sums).grad_squared));
  assert_true(isnan(tutti_measure_adascale_estimate(&sums, 32).variance));
  assert_true(isnan(tutti_measure_adascale_gain(tutti_measure_adascale_estimate(&sums, 32), 1)));
}

/** The gradient of a net falls tenfold within an epoch of 60,000: its noise scale has to show most of that by the
 * end of the next epoch, no matter how often it is measured. */
static void averages_follow_a_training(void **state) {
  (void)state;
  const double samples[] = {16, 128, 4096};
  for (int i = 0; i < 3; i++) {
    const int n = (int)(60000 / samples[i]);
    const double decay = tutti_measure_noise_decay(samples[i]);
    tutti_checkpoint_smoothed trace = {0}, squared = {0};
    for (int step = 0; step < 2 * n; step++) {
      tutti_measure_smoothed_add(&trace, 1, decay);
      tutti_measure_smoothed_add(&squared, step < n ? 1 : 0.1, decay);
      if (step + 1 == n) CHECK_NEAR(tutti_measure_smoothed_value(&squared), 1, 1e-12);
    }
    const double scale = tutti_measure_smoothed_value(&trace) / tutti_measure_smoothed_value(&squared);
    if (!(scale > 3.5 && scale < 10)) fail_msg("%g samples: %g, expected 3.5 to 10", samples[i], scale);
  }
  CHECK_NEAR(tutti_measure_noise_decay(60000), 0.9, 1e-15);
}

static void averages_have_no_bias_and_leave_out_what_is_unknown(void **state) {
  (void)state;
  tutti_checkpoint_smoothed average = {0};
  assert_true(isnan(tutti_measure_smoothed_value(&average)));
  tutti_measure_smoothed_add(&average, -3, 0.99); // single estimates may be negative
  CHECK_NEAR(tutti_measure_smoothed_value(&average), -3, 1e-14);
  tutti_measure_smoothed_add(&average, NAN, 0.99);
  tutti_measure_smoothed_add(&average, INFINITY, 0.99);
  CHECK_NEAR(tutti_measure_smoothed_value(&average), -3, 1e-14);
  tutti_measure_smoothed_add(&average, 5, 0.99);
  CHECK_NEAR(tutti_measure_smoothed_value(&average), (0.99 * -3 + 5) / 1.99, 1e-14);
  for (int i = 0; i < 3000; i++) tutti_measure_smoothed_add(&average, 5, 0.99);
  CHECK_NEAR(tutti_measure_smoothed_value(&average), 5, 1e-10);
}

/** About 4096 samples lie between two measured steps; a batch of more than half of them is not measured each time. */
static void a_step_is_measured_for_so_many_samples(void **state) {
  (void)state;
  static const struct {
    int64_t batch, every;
  } cases[] = {{1, 4096}, {16, 256}, {333, 12}, {2047, 2}, {2048, 2}, {4096, 2}, {60000, 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(tutti_measure_noise_every(cases[i].batch), cases[i].every);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(estimates_are_unbiased_with_replacement),
      cmocka_unit_test(estimates_are_unbiased_without_replacement),
      cmocka_unit_test(a_batch_of_all_examples_gives_the_square_exactly),
      cmocka_unit_test(examples_as_groups_give_the_population_itself),
      cmocka_unit_test(diversity_is_the_noise_scale_in_other_words),
      cmocka_unit_test(gain_of_adascale_is_the_noise_scale_in_other_words),
      cmocka_unit_test(gain_is_between_1_and_the_number_of_groups),
      cmocka_unit_test(one_group_tells_nothing),
      cmocka_unit_test(a_step_is_measured_for_so_many_samples),
      cmocka_unit_test(averages_follow_a_training),
      cmocka_unit_test(averages_have_no_bias_and_leave_out_what_is_unknown),
  };
  return cmocka_run_group_tests_name("train.noise", tests, NULL, check_no_leak);
}
