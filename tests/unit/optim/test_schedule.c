#include <math.h>

#include "support/check.h"
#include "tutti/schedule.h"

static const tutti_count never = {0, TUTTI_UNIT_STEPS};

static tutti_count steps(double n) {
  return (tutti_count){n, TUTTI_UNIT_STEPS};
}

static const tutti_course whole = {.total = {.steps = 1000, .epochs = 10, .samples = 64000}};

static tutti_extent after(int64_t step) {
  return (tutti_extent){.steps = (double)step, .epochs = (double)step / 100, .samples = 64 * (double)step};
}

/** Rate 0.1, batch 64, 100 steps an epoch, 1000 in all. */
static tutti_schedule make(tutti_schedule_options options) {
  tutti_schedule schedule;
  CHECK_OK(tutti_schedule_make(&options, 0.1, 64, &whole, TUTTI_UNIT_STEPS, &schedule));
  return schedule;
}

static double at(tutti_schedule schedule, int64_t step) {
  const tutti_extent done = after(step), next = after(step + 1);
  return tutti_schedule_at(&schedule, &done, &next);
}

#define CHECK_RATE(schedule, step, rate) CHECK_NEAR(at((schedule), (step)), (rate), 1e-15)

static void constant_is_constant(void **state) {
  (void)state;
  const tutti_schedule s = make((tutti_schedule_options){.warmup = never});
  CHECK_RATE(s, 0, 0.1);
  CHECK_RATE(s, 1000000, 0.1);
}

static void warmup_rises_to_the_peak_in_its_last_step(void **state) {
  (void)state;
  const tutti_schedule s = make((tutti_schedule_options){.warmup = steps(5)});
  CHECK_RATE(s, 0, 0.02);
  CHECK_RATE(s, 3, 0.08);
  CHECK_RATE(s, 4, 0.1);
  CHECK_RATE(s, 5, 0.1);
  const tutti_schedule half = make((tutti_schedule_options){.warmup = steps(2.5)});
  CHECK_RATE(half, 1, 0.08);
  CHECK_RATE(half, 2, 0.1); // never above the peak
}

static void scaling_starts_warmup_at_the_unscaled_rate(void **state) {
  (void)state;
  tutti_schedule_options options = {
      .warmup = steps(4), .scaling = TUTTI_SCALING_LINEAR, .base_batch_size = 16};
  const tutti_schedule linear = make(options);
  CHECK_RATE(linear, 0, 0.1 + 0.3 * 0.25);
  CHECK_RATE(linear, 3, 0.4);
  options.scaling = TUTTI_SCALING_SQRT;
  CHECK_RATE(make(options), 3, 0.2);
  options.base_batch_size = 256;
  CHECK_RATE(make(options), 99, 0.05);
}

/** Where a run goes on: from peak / warmup up to the rate that the schedule has there anyway. */
static void a_warmup_may_begin_later(void **state) {
  (void)state;
  tutti_schedule s = make((tutti_schedule_options){.warmup = steps(5)});
  s.warmup_from = 700;
  CHECK_RATE(s, 700, 0.02);
  CHECK_RATE(s, 703, 0.08);
  CHECK_RATE(s, 704, 0.1);
  CHECK_RATE(s, 705, 0.1);
  const tutti_extent before = after(704), done = after(705);
  assert_true(tutti_schedule_is_warming(&s, &before) && !tutti_schedule_is_warming(&s, &done));
  // Drops count from the training's begin, here step 100, where a warmup from there would end.
  tutti_schedule drops = make((tutti_schedule_options){.warmup = {1, TUTTI_UNIT_EPOCHS},
                                                       .decay = TUTTI_DECAY_STEP,
                                                       .decay_rate = 0.5,
                                                       .decay_every = {12800, TUTTI_UNIT_SAMPLES}});
  drops.warmup_from = 4;
  CHECK_RATE(drops, 400, 0.05 / 100);
  CHECK_RATE(drops, 449, 0.05 / 2);
  CHECK_RATE(drops, 499, 0.05);
  CHECK_RATE(drops, 500, 0.025);
  // Before the decay begins there is none.
  tutti_schedule early = make((tutti_schedule_options){
      .warmup = steps(20), .decay = TUTTI_DECAY_EXPONENTIAL, .decay_rate = 0.25, .decay_every = steps(10)});
  early.warmup_from = 10;
  CHECK_RATE(early, 19, 0.05);
  CHECK_RATE(early, 30, 0.025);
}

/** From the unscaled rate, which has fallen as the scaled one has. */
static void a_later_warmup_falls_as_the_rate_does(void **state) {
  (void)state;
  tutti_schedule s = make((tutti_schedule_options){.warmup = steps(4),
                                                   .scaling = TUTTI_SCALING_LINEAR,
                                                   .base_batch_size = 16,
                                                   .decay = TUTTI_DECAY_PLATEAU,
                                                   .decay_rate = 0.1});
  s.warmup_from = 64;
  s.drops = 2;
  CHECK_RATE(s, 64, 0.001 + 0.003 * 0.25);
  CHECK_RATE(s, 67, 0.004);
  CHECK_RATE(s, 68, 0.004);
}

static void counts_are_in_steps_epochs_or_samples(void **state) {
  (void)state;
  const tutti_schedule s = make((tutti_schedule_options){.warmup = {2, TUTTI_UNIT_EPOCHS},
                                                         .decay = TUTTI_DECAY_STEP,
                                                         .decay_rate = 0.5,
                                                         .decay_every = {6400, TUTTI_UNIT_SAMPLES}});
  CHECK_RATE(s, 99, 0.05);
  CHECK_RATE(s, 198, 0.0995);
  CHECK_RATE(s, 199, 0.1);
  CHECK_RATE(s, 299, 0.1);
  CHECK_RATE(s, 300, 0.05);
}

/** Epochs of 60 samples in batches of 50 and 10: samples are counted, not steps times the batch size. */
static void samples_are_those_that_steps_have(void **state) {
  (void)state;
  const tutti_course whole_run = {.total = {.steps = 80, .epochs = 40, .samples = 2400}};
  const tutti_schedule_options options = {
      .decay = TUTTI_DECAY_STEP, .decay_rate = 0.1, .decay_every = {600, TUTTI_UNIT_SAMPLES}};
  const tutti_schedule_options cosine = {
      .decay = TUTTI_DECAY_COSINE, .warmup = {2, TUTTI_UNIT_STEPS}, .decay_over = {600, TUTTI_UNIT_SAMPLES}};
  tutti_schedule drops, falls;
  CHECK_OK(tutti_schedule_make(&options, 1, 50, &whole_run, TUTTI_UNIT_EPOCHS, &drops));
  CHECK_OK(tutti_schedule_make(&cosine, 1, 50, &whole_run, TUTTI_UNIT_EPOCHS, &falls));
  for (int step = 0; step < 40; step++) {
    const double samples = step / 2 * 60 + step % 2 * 50;
    const tutti_extent before = {step, samples / 60, samples};
    const tutti_extent next = {step + 1, 0, 0}; // for the warmup alone, which counts steps
    CHECK_NEAR(tutti_schedule_at(&drops, &before, &next), step < 20 ? 1 : 0.1, 1e-15);
    const double part = fmin((samples - 60) / 600, 1);
    if (step >= 2)
      CHECK_NEAR(tutti_schedule_at(&falls, &before, &next), 0.5 * (1 + cos(acos(-1.0) * part)), 1e-15);
  }
}

/** 500 steps of 10 samples in 5 epochs, then 150 of 100 in 15: a warmup of 100 of the first is one epoch, one of 50 of
 * the others, where they begin, is five. */
static void a_warmup_is_as_long_as_its_own_steps(void **state) {
  (void)state;
  tutti_course course = {.total = {.steps = 650, .epochs = 20, .samples = 20000},
                         .earlier = {.steps = 500, .epochs = 5, .samples = 5000}};
  tutti_schedule_options options = {.decay = TUTTI_DECAY_COSINE, .warmup = steps(100)};
  tutti_schedule s;
  CHECK_OK(tutti_schedule_make(&options, 1, 100, &course, TUTTI_UNIT_EPOCHS, &s));
  CHECK_NEAR(s.warmup_over, 1, 1e-12);
  CHECK_NEAR(s.options.decay_over.value, 19, 1e-12);
  options.warmup = steps(510); // ends in the new ones
  CHECK_OK(tutti_schedule_make(&options, 1, 100, &course, TUTTI_UNIT_EPOCHS, &s));
  CHECK_NEAR(s.warmup_over, 6, 1e-12);
  options.warmup = steps(50);
  course.warmup_from = 500;
  CHECK_OK(tutti_schedule_make(&options, 1, 100, &course, TUTTI_UNIT_EPOCHS, &s));
  CHECK_NEAR(s.warmup_over, 5, 1e-12);
}

/** It began 96 steps before this training's count, so it ends at step 4 of it, and the decay lies over the rest. */
static void a_warmup_from_before_the_begin_is_finite(void **state) {
  (void)state;
  const tutti_course course = {.total = {.steps = 50, .epochs = 5, .samples = 500}, .warmup_from = -96};
  static const tutti_unit units[] = {TUTTI_UNIT_STEPS, TUTTI_UNIT_EPOCHS, TUTTI_UNIT_SAMPLES};
  const tutti_schedule_options cosine = {.decay = TUTTI_DECAY_COSINE, .warmup = steps(100)};
  const tutti_schedule_options over = {.decay = TUTTI_DECAY_COSINE, .warmup = steps(20)};
  const tutti_schedule_options falls = {.decay = TUTTI_DECAY_EXPONENTIAL,
                                        .decay_rate = 0.5,
                                        .decay_every = {1, TUTTI_UNIT_EPOCHS},
                                        .warmup = steps(100)};
  const tutti_extent before = {.steps = 27, .epochs = 2.7, .samples = 270},
                     next = {.steps = 28, .epochs = 2.8, .samples = 280};
  tutti_schedule s;
  for (int i = 0; i < 3; i++) {
    CHECK_OK(tutti_schedule_make(&cosine, 1, 10, &course, units[i], &s));
    CHECK_NEAR(tutti_schedule_at(&s, &before, &next), 0.5, 1e-12);
    CHECK_OK(tutti_schedule_make(&over, 1, 10, &course, units[i], &s)); // long since
    CHECK_NEAR(tutti_schedule_at(&s, &before, &next), 0.5 * (1 + cos(acos(-1.0) * 0.54)), 1e-12);
  }
  CHECK_OK(tutti_schedule_make(&falls, 1, 10, &course, TUTTI_UNIT_EPOCHS, &s));
  CHECK_NEAR(tutti_schedule_at(&s, &before, &next), pow(0.5, 2.3), 1e-12);
}

/** A run that goes on at the end of its budget has nothing behind the change. */
static void a_course_may_end_at_the_change(void **state) {
  (void)state;
  const tutti_extent all = {.steps = 50, .epochs = 5, .samples = 500};
  const tutti_course course = {.total = all, .earlier = all, .warmup_from = 50};
  const tutti_schedule_options options = {.decay = TUTTI_DECAY_COSINE, .warmup = steps(10)};
  tutti_schedule s;
  CHECK_OK(tutti_schedule_make(&options, 1, 10, &course, TUTTI_UNIT_EPOCHS, &s));
  CHECK_NEAR(s.warmup_over, 0, 1e-12);
}

static void step_drops_at_whole_intervals(void **state) {
  (void)state;
  tutti_schedule_options options = {.decay = TUTTI_DECAY_STEP, .decay_rate = 0.1, .decay_every = steps(30)};
  const tutti_schedule s = make(options);
  CHECK_RATE(s, 29, 0.1);
  CHECK_RATE(s, 30, 0.01);
  CHECK_RATE(s, 59, 0.01);
  CHECK_RATE(s, 60, 0.001);
  // n intervals of 60000/n steps are 60000 steps, whatever the division rounds to.
  options.decay_rate = 0.5;
  for (int n = 3; n < 50; n++) {
    options.decay_every = steps(60000.0 / n);
    CHECK_CLOSE(at(make(options), 59999), 0.1 * pow(0.5, n - 1), 1e-12, 0);
    CHECK_CLOSE(at(make(options), 60000), 0.1 * pow(0.5, n), 1e-12, 0);
  }
}

/** Hoffer, Hubara, Soudry 2017: the rate falls in the first epochs alone. */
static void step_drops_at_milestones(void **state) {
  (void)state;
  tutti_schedule_options options = {.warmup = steps(5),
                                    .decay = TUTTI_DECAY_STEP,
                                    .decay_rate = 0.1,
                                    .decay_milestones = {3, TUTTI_UNIT_EPOCHS, {0.1, 0.3, 3}}};
  const tutti_schedule s = make(options);
  CHECK_RATE(s, 9, 0.1);
  CHECK_RATE(s, 10, 0.01); // counted from the begin, not from the end of warmup
  CHECK_RATE(s, 29, 0.01);
  CHECK_RATE(s, 30, 0.001); // 0.3 * 100 is above 30 in doubles
  CHECK_RATE(s, 299, 0.001);
  CHECK_RATE(s, 300, 0.0001);
  CHECK_RATE(s, 1000000, 0.0001);
  options.decay_milestones = (tutti_milestones){1, TUTTI_UNIT_SAMPLES, {65}};
  options.warmup = never;
  CHECK_RATE(make(options), 1, 0.1); // begins before sample 65
  CHECK_RATE(make(options), 2, 0.01);
  options.decay_milestones.unit = TUTTI_UNIT_SECONDS;
  tutti_schedule unused;
  CHECK_FAILS(tutti_schedule_make(&options, 0.1, 64, &whole, TUTTI_UNIT_STEPS, &unused), TUTTI_ERR_CONFIG,
              "schedule.decay_milestones is a time");
}

static void exponential_is_smooth(void **state) {
  (void)state;
  const tutti_schedule s = make((tutti_schedule_options){
      .decay = TUTTI_DECAY_EXPONENTIAL, .decay_rate = 0.25, .decay_every = steps(10)});
  CHECK_RATE(s, 0, 0.1);
  CHECK_RATE(s, 5, 0.05);
  CHECK_RATE(s, 10, 0.025);
}

static void polynomial_ends_at_its_end(void **state) {
  (void)state;
  const tutti_schedule s = make((tutti_schedule_options){.warmup = steps(10),
                                                         .decay = TUTTI_DECAY_POLYNOMIAL,
                                                         .decay_over = steps(100),
                                                         .decay_power = 2,
                                                         .decay_end = 0.2});
  CHECK_RATE(s, 10, 0.1);
  CHECK_RATE(s, 60, 0.1 * (0.2 + 0.8 * 0.25));
  CHECK_RATE(s, 110, 0.02);
  CHECK_RATE(s, 999, 0.02);
}

static void cosine_runs_to_the_end_of_the_budget(void **state) {
  (void)state;
  const tutti_schedule s = make((tutti_schedule_options){.warmup = steps(200), .decay = TUTTI_DECAY_COSINE});
  CHECK_NEAR(s.options.decay_over.value, 800, 0);
  CHECK_RATE(s, 200, 0.1);
  CHECK_RATE(s, 600, 0.05);
  CHECK_RATE(s, 400, 0.1 * 0.5 * (1 + sqrt(0.5)));
  CHECK_RATE(s, 1000, 0);
  const tutti_schedule end = make((tutti_schedule_options){.decay = TUTTI_DECAY_COSINE, .decay_end = 0.5});
  CHECK_RATE(end, 500, 0.075);
  CHECK_RATE(end, 1000, 0.05);
}

static void check_refused(tutti_schedule_options options, const char *text) {
  tutti_schedule schedule;
  CHECK_FAILS(tutti_schedule_make(&options, 0.1, 64, &whole, TUTTI_UNIT_STEPS, &schedule), TUTTI_ERR_CONFIG,
              text);
}

static void what_is_incomplete_is_refused(void **state) {
  (void)state;
  check_refused((tutti_schedule_options){.scaling = TUTTI_SCALING_SQRT},
                "schedule.scaling is sqrt, but schedule.base_batch_size");
  check_refused((tutti_schedule_options){.warmup = {11, TUTTI_UNIT_EPOCHS}},
                "schedule.warmup is 11 epochs, longer than the training of 10 epochs");
  check_refused((tutti_schedule_options){.warmup = {60, TUTTI_UNIT_SECONDS}}, "schedule.warmup is a time");
  check_refused((tutti_schedule_options){.warmup = steps(-1)}, "schedule.warmup is -1");
  check_refused((tutti_schedule_options){.decay = TUTTI_DECAY_STEP, .decay_every = steps(1)},
                "schedule.decay_rate is 0");
  check_refused((tutti_schedule_options){.decay = TUTTI_DECAY_EXPONENTIAL, .decay_rate = 0.5},
                "schedule.decay_every is not set");
  check_refused((tutti_schedule_options){.decay = TUTTI_DECAY_POLYNOMIAL}, "schedule.decay_power is 0");
  check_refused((tutti_schedule_options){.decay = TUTTI_DECAY_COSINE, .decay_end = -1},
                "schedule.decay_end is -1");
}

static void a_warmup_as_long_as_the_budget_is_legal(void **state) {
  (void)state;
  const tutti_schedule s = make((tutti_schedule_options){.warmup = steps(1000), .decay = TUTTI_DECAY_COSINE});
  CHECK_RATE(s, 999, 0.1);
  CHECK_RATE(s, 1000, 0);
}

/** A training by another program; lr, best and counts change. */
typedef struct {
  bool large;
  double factor, min_lr, delta;
  int patience, cooldown;
  double lr, best;
  int waited, cooling;
} plateau_twin;

/** Keras' callback, line by line. */
static void keras_sees(plateau_twin *t, double value) {
  if (t->cooling > 0) {
    t->cooling--;
    t->waited = 0;
  }
  if (t->large ? value - t->delta > t->best : value + t->delta < t->best) {
    t->best = value;
    t->waited = 0;
  } else if (t->cooling <= 0) {
    t->waited++;
    if (t->waited >= t->patience && t->lr > t->min_lr) {
      t->lr = fmax(t->lr * t->factor, t->min_lr);
      t->cooling = t->cooldown;
      t->waited = 0;
    }
  }
}

/** PyTorch's scheduler. */
static void torch_sees(plateau_twin *t, double value) {
  if (t->large ? value > t->best * (1 + t->delta) : value < t->best * (1 - t->delta)) {
    t->best = value;
    t->waited = 0;
  } else {
    t->waited++;
  }
  if (t->cooling > 0) {
    t->cooling--;
    t->waited = 0;
  }
  if (t->waited > t->patience) {
    const double lower = fmax(t->lr * t->factor, t->min_lr);
    if (t->lr - lower > 1e-8) t->lr = lower;
    t->cooling = t->cooldown;
    t->waited = 0;
  }
}

static void plateau_follows(tutti_dialect dialect, plateau_twin t) {
  tutti_schedule s = make((tutti_schedule_options){.decay = TUTTI_DECAY_PLATEAU,
                                                   .decay_rate = t.factor,
                                                   .decay_patience = t.patience,
                                                   .decay_cooldown = t.cooldown,
                                                   .decay_min = t.min_lr,
                                                   .decay_delta = t.delta});
  s.dialect = dialect;
  tutti_plateau plateau = {.best = NAN};
  int falls = 0;
  for (int i = 0; i < 200; i++) {
    const double falling = 1 / (1 + 0.05 * i) + 0.02 * sin(7.0 * i),
                 value = t.large ? 1.1 - falling : falling, before = t.lr;
    (dialect == TUTTI_DIALECT_KERAS ? keras_sees : torch_sees)(&t, value);
    assert_true(tutti_optim_plateau_see(&s, t.large, value, &plateau) == (t.lr < before));
    falls += t.lr < before;
    s.drops = plateau.drops;
    CHECK_NEAR(at(s, i), t.lr, 1e-12 * t.lr);
  }
  assert_true(falls > 2);
}

static void plateau_falls_as_keras_and_pytorch_do(void **state) {
  (void)state;
  static const int patience[] = {0, 1, 5}, cooldown[] = {0, 1, 4};
  for (int i = 0; i < 2 * 2 * 3 * 3 * 2; i++) {
    const bool large = i / 2 % 2;
    plateau_follows((tutti_dialect)(i % 2), (plateau_twin){.large = large,
                                                           .factor = 0.3,
                                                           .min_lr = i / 36 ? 2e-3 : 0,
                                                           .delta = 0.01,
                                                           .patience = patience[i / 4 % 3],
                                                           .cooldown = cooldown[i / 12 % 3],
                                                           .lr = 0.1,
                                                           .best = large ? -INFINITY : INFINITY});
  }
}

static void a_plateau_counts_from_the_end_of_the_warmup(void **state) {
  (void)state;
  const tutti_schedule s = make((tutti_schedule_options){
      .warmup = steps(5), .decay = TUTTI_DECAY_PLATEAU, .decay_rate = 0.5, .decay_min = 0.2});
  const tutti_extent before = after(4), done = after(5);
  assert_true(tutti_schedule_is_warming(&s, &before) && !tutti_schedule_is_warming(&s, &done));
  CHECK_RATE(s, 2, 0.06);
  // A rate below decay_min stays.
  tutti_plateau plateau = {.best = 1};
  for (int i = 0; i < 10; i++) assert_false(tutti_optim_plateau_see(&s, false, 2, &plateau));
  CHECK_NEAR(tutti_optim_plateau_rate(&s, 3), 0.1, 1e-15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constant_is_constant),
      cmocka_unit_test(warmup_rises_to_the_peak_in_its_last_step),
      cmocka_unit_test(scaling_starts_warmup_at_the_unscaled_rate),
      cmocka_unit_test(a_warmup_may_begin_later),
      cmocka_unit_test(a_later_warmup_falls_as_the_rate_does),
      cmocka_unit_test(counts_are_in_steps_epochs_or_samples),
      cmocka_unit_test(samples_are_those_that_steps_have),
      cmocka_unit_test(a_warmup_is_as_long_as_its_own_steps),
      cmocka_unit_test(a_warmup_from_before_the_begin_is_finite),
      cmocka_unit_test(a_course_may_end_at_the_change),
      cmocka_unit_test(step_drops_at_whole_intervals),
      cmocka_unit_test(step_drops_at_milestones),
      cmocka_unit_test(exponential_is_smooth),
      cmocka_unit_test(polynomial_ends_at_its_end),
      cmocka_unit_test(cosine_runs_to_the_end_of_the_budget),
      cmocka_unit_test(plateau_falls_as_keras_and_pytorch_do),
      cmocka_unit_test(a_plateau_counts_from_the_end_of_the_warmup),
      cmocka_unit_test(what_is_incomplete_is_refused),
      cmocka_unit_test(a_warmup_as_long_as_the_budget_is_legal),
  };
  return cmocka_run_group_tests_name("optim.schedule", tests, NULL, check_no_leak);
}
