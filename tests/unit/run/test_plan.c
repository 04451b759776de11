#include <math.h>

#include "run/plan.h"
#include "support/check.h"

static const char layers_plain[] = "[dense 8 relu, dense 3 softmax]";
static const char layers_norm[] = "[dense 8, batch_norm, dense 3 softmax]";
static const char layers_ghost[] = "[dense 8, batch_norm ghost=32, dense 3 softmax]";

/** A config with these layers and keys of the section train; the caller clears it. */
static tutti_config make_config(const char *layers, const char *batch, const char *micro,
                                const char *budget_key, const char *budget) {
  char key[32] = "train.";
  for (int i = 0; budget_key[i]; i++) key[6 + i] = budget_key[i];
  const tutti_override overrides[] = {{"data.file", "x.h5"},
                                      {"model.layers", layers},
                                      {"train.batch_size", batch},
                                      {"train.micro_batch_size", micro},
                                      {key, budget}};
  tutti_config config = {0};
  CHECK_OK(tutti_config_parse(NULL, NULL, overrides, 5, &config));
  return config;
}

/** The position after steps with this and with other batch sizes. */
static tutti_position position(const tutti_plan *plan, int64_t step, int64_t epoch, int64_t step_in_epoch) {
  tutti_checkpoint_state state = {.step = step, .epoch = epoch, .step_in_epoch = step_in_epoch};
  state.place = tutti_plan_place(plan, &state);
  state.samples = tutti_stages_samples(&plan->stages, tutti_plan_position(plan, &state).at);
  return tutti_plan_position(plan, &state);
}

static int64_t steps_of(const char *budget_key, const char *budget) {
  tutti_config config = make_config(layers_plain, "128", "auto", budget_key, budget);
  tutti_plan plan;
  CHECK_OK(tutti_plan_make(&config, 60000, 1, &plan));
  tutti_config_clear(&config);
  return plan.total_steps;
}

static void budgets_become_steps(void **state) {
  (void)state;
  assert_int_equal(steps_of("epochs", "5"), 5 * 469);
  assert_int_equal(steps_of("steps", "1000"), 1000);
  assert_int_equal(steps_of("samples", "60000"), 469); // the last step of an epoch is short
  assert_int_equal(steps_of("samples", "60001"), 470);
  assert_int_equal(steps_of("samples", "129"), 2);
}

static void events_fall_where_they_are_due(void **state) {
  (void)state;
  tutti_config config = make_config(layers_plain, "40", "auto", "epochs", "3");
  tutti_plan plan;
  CHECK_OK(tutti_plan_make(&config, 100, 1, &plan)); // three steps per epoch: 40, 40, 20
  const struct {
    tutti_count every;
    const char *due; // of steps 1 to 9
  } cases[] = {
      {{1, TUTTI_UNIT_EPOCHS}, "..x..x..x"}, {{2, TUTTI_UNIT_EPOCHS}, ".....x..."},
      {{2, TUTTI_UNIT_STEPS}, ".x.x.x.x."},  {{50, TUTTI_UNIT_SAMPLES}, ".xx.xx.xx"},
      {{0, TUTTI_UNIT_STEPS}, "........."},  {{9, TUTTI_UNIT_SECONDS}, "........."},
  };
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    for (int64_t step = 1; step <= 9; step++) {
      const tutti_position now = position(&plan, step, (step - 1) / 3, (step - 1) % 3 + 1);
      assert_int_equal(tutti_plan_due(&plan, cases[c].every, now), cases[c].due[step - 1] == 'x');
    }
  }
  tutti_config_clear(&config);
}

/** A tenth of an epoch is not a binary fraction.  What falls on whole steps is due at these steps and at no others. */
static void parts_of_an_epoch_are_due_at_whole_steps(void **state) {
  (void)state;
  tutti_config config = make_config(layers_plain, "10", "auto", "epochs", "3");
  tutti_plan plan;
  CHECK_OK(tutti_plan_make(&config, 1000, 1, &plan)); // 100 steps per epoch
  int n_due = 0;
  for (int64_t step = 1; step <= 300; step++) {
    const tutti_position now = position(&plan, step, (step - 1) / 100, (step - 1) % 100 + 1);
    const bool due = tutti_plan_due(&plan, (tutti_count){0.1, TUTTI_UNIT_EPOCHS}, now);
    assert_int_equal(due, step % 10 == 0);
    n_due += due;
  }
  assert_int_equal(n_due, 30);
  tutti_config_clear(&config);
}

static void a_budget_beyond_counting_is_refused(void **state) {
  (void)state;
  tutti_plan plan;
  tutti_config config = make_config(layers_plain, "1", "auto", "epochs", "4000000000");
  CHECK_FAILS(tutti_plan_make(&config, 60000000, 1, &plan), TUTTI_ERR_CONFIG, "the budget is");
  tutti_config_clear(&config);
}

/** A run that resumes with another batch size keeps counting epochs, no matter how its earlier steps were made. */
static void epochs_count_on_after_another_batch_size(void **state) {
  (void)state;
  tutti_config config = make_config(layers_plain, "50", "auto", "epochs", "4");
  tutti_plan plan;
  CHECK_OK(tutti_plan_make(&config, 100, 1, &plan));
  assert_false(tutti_plan_done(&plan, config.train.budget, position(&plan, 1000, 3, 1)));
  assert_true(tutti_plan_done(&plan, config.train.budget, position(&plan, 1000, 3, 2)));
  assert_true(tutti_plan_due(&plan, (tutti_count){1, TUTTI_UNIT_EPOCHS}, position(&plan, 1000, 2, 2)));
  tutti_config_clear(&config);
}

static double rate_at(const tutti_plan *plan, const tutti_config *config, tutti_position now) {
  tutti_schedule schedule;
  CHECK_OK(tutti_plan_schedule(plan, config, 0, &schedule));
  return tutti_plan_learning_rate(plan, &schedule, now);
}

/** 20 steps with batch 256, then batches of 32: the rate falls over the rest of the budget, not to 0 at once. */
static void the_rate_goes_on_from_where_the_run_stands(void **state) {
  (void)state;
  tutti_config config = make_config(layers_plain, "32", "auto", "steps", "100");
  tutti_plan plan;
  config.schedule.decay = TUTTI_DECAY_COSINE;
  CHECK_OK(tutti_plan_make(&config, 1000, 1, &plan));
  const tutti_position now = position(&plan, 20, 5, 0);
  const double peak = config.optimizer.learning_rate;
  CHECK_NEAR(rate_at(&plan, &config, now), peak * 0.5 * (1 + cos(acos(-1.0) * 0.2)), 1e-12);
  assert_true(rate_at(&plan, &config, tutti_plan_move(&plan, now, 79)) > 0);
  // 80 steps in epochs of 31 batches of 32 and one of 8
  CHECK_NEAR(tutti_plan_last_epoch(&plan, config.train.budget, now), 5 + 2 + 16 * 32 / 1000., 1e-12);
  tutti_config_clear(&config);
}

/** Samples of the last step that lie beyond the end of the last epoch do not begin another one. */
static void the_last_epoch_is_the_last_that_has_a_row(void **state) {
  (void)state;
  tutti_config config = make_config(layers_plain, "4", "auto", "epochs", "3");
  tutti_plan plan;
  config.train.last_batch = TUTTI_LAST_CARRY;
  CHECK_OK(tutti_plan_make(&config, 6, 1, &plan));
  CHECK_NEAR(tutti_plan_last_epoch(&plan, config.train.budget, position(&plan, 0, 0, 0)), 3, 0);
  tutti_config_clear(&config);
}

/** Other data have other epochs; the samples are those that the run has used. */
static void a_budget_of_samples_counts_those_of_the_run(void **state) {
  (void)state;
  tutti_config config = make_config(layers_plain, "50", "auto", "samples", "1000");
  tutti_plan plan;
  config.schedule.decay = TUTTI_DECAY_COSINE;
  CHECK_OK(tutti_plan_make(&config, 100, 1, &plan));
  const tutti_checkpoint_state then = {.step = 16, .epoch = 2, .samples = 800, .place = 200};
  const tutti_position now = tutti_plan_position(&plan, &then);
  const double peak = config.optimizer.learning_rate;
  CHECK_NEAR(rate_at(&plan, &config, now), peak * 0.5 * (1 + cos(acos(-1.0) * 0.8)), 1e-12);
  assert_false(tutti_plan_done(&plan, config.train.budget, tutti_plan_move(&plan, now, 3)));
  assert_true(tutti_plan_done(&plan, config.train.budget, tutti_plan_move(&plan, now, 4)));
  CHECK_NEAR(tutti_plan_last_epoch(&plan, config.train.budget, now), 4, 1e-12);
  tutti_config_clear(&config);
}

/** The warmup of a run that continues has to fit into the rest of the budget, with one batch size. */
static void a_later_warmup_fits_in_what_is_left(void **state) {
  (void)state;
  tutti_config config = make_config(layers_plain, "50", "auto", "epochs", "4");
  tutti_plan plan;
  CHECK_OK(tutti_plan_make(&config, 100, 1, &plan));
  const tutti_position now = position(&plan, 1000, 3, 0);
  const tutti_count budget = config.train.budget;
  CHECK_OK(tutti_plan_check_warmup(&plan, (tutti_count){1, TUTTI_UNIT_EPOCHS}, budget, now));
  CHECK_OK(tutti_plan_check_warmup(&plan, (tutti_count){100, TUTTI_UNIT_SAMPLES}, budget, now));
  CHECK_FAILS(tutti_plan_check_warmup(&plan, (tutti_count){3, TUTTI_UNIT_STEPS}, budget, now),
              TUTTI_ERR_CONFIG,
              "schedule.warmup is 3 steps, longer than the 2 steps that are left from step 1000");
  config.schedule = (tutti_schedule_options){
      .batch_growth = TUTTI_GROWTH_GEOMETRIC, .batch_factor = 1.2, .batch_every = {2, TUTTI_UNIT_EPOCHS}};
  CHECK_OK(tutti_plan_make(&config, 100, 1, &plan));
  const tutti_position grown = position(&plan, 5, 2, 0), first = position(&plan, 2, 1, 0);
  const tutti_count whole = {2, TUTTI_UNIT_EPOCHS};
  CHECK_OK(tutti_plan_check_warmup(&plan, whole, budget, grown));
  CHECK_FAILS(tutti_plan_check_warmup(&plan, whole, budget, first), TUTTI_ERR_CONFIG,
              "schedule.warmup: 2 epochs, but the batch grows after 2 steps");
  tutti_config_clear(&config);
}

static int64_t micro_rows(const char *layers, const char *micro, int64_t n, int size) {
  tutti_config config = make_config(layers, "1000", micro, "epochs", "1");
  tutti_plan plan;
  CHECK_OK(tutti_plan_make(&config, n, size, &plan));
  tutti_config_clear(&config);
  return plan.micro_rows;
}

static void micro_batches_hold_whole_groups(void **state) {
  (void)state;
  assert_int_equal(micro_rows(layers_plain, "auto", 60000, 4), 250);
  assert_int_equal(micro_rows(layers_plain, "7", 60000, 4), 7);
  assert_int_equal(micro_rows(layers_ghost, "64", 60000, 4), 64);
  assert_int_equal(micro_rows(layers_ghost, "auto", 60000, 1), 1000);
  assert_int_equal(micro_rows(layers_norm, "auto", 60000, 4), 250); // the one group lies on all ranks
  assert_int_equal(micro_rows(layers_norm, "500", 60000, 4), 250);
}

static void a_micro_batch_that_splits_a_group_is_refused(void **state) {
  (void)state;
  tutti_plan plan;
  tutti_config ghost = make_config(layers_ghost, "1000", "48", "epochs", "1");
  CHECK_FAILS(tutti_plan_make(&ghost, 60000, 2, &plan), TUTTI_ERR_CONFIG, "a multiple of 32");
  tutti_config_clear(&ghost);
  tutti_config norm = make_config(layers_norm, "1000", "100", "epochs", "1");
  CHECK_FAILS(tutti_plan_make(&norm, 60000, 4, &plan), TUTTI_ERR_CONFIG, "at least 250");
  CHECK_OK(tutti_plan_make(&norm, 60000, 10, &plan)); // more ranks, smaller shards
  tutti_config_clear(&norm);
}

/** The last batch has fewer groups than leaves and needs its rows together; those of the others are whole groups. */
static void a_last_batch_does_not_split_the_groups_of_others(void **state) {
  (void)state;
  for (int size = 1; size <= 4; size++) {
    tutti_config config = make_config(layers_ghost, "320", "auto", "epochs", "1"); // groups of 32
    tutti_plan plan;
    config.parallel.reduce = TUTTI_REDUCE_TREE;
    config.parallel.leaves = 3;
    CHECK_OK(tutti_plan_make(&config, 320 * 5 + 50, size, &plan)); // two groups in the last batch
    assert_int_equal(plan.n_leaves, 3);
    assert_int_equal(plan.micro_rows % 32, 0);
    tutti_config_clear(&config);
  }
}

static void leaves_are_no_more_than_samples(void **state) {
  (void)state;
  tutti_config config = make_config(layers_plain, "10", "auto", "epochs", "1");
  tutti_plan plan;
  config.parallel.reduce = TUTTI_REDUCE_TREE;
  CHECK_OK(tutti_plan_make(&config, 100, 4, &plan));
  assert_int_equal(plan.n_leaves, 10);
  tutti_config_clear(&config);
}

static void a_batch_that_leaves_one_sample_alone_is_refused(void **state) {
  (void)state;
  tutti_plan plan;
  tutti_config config = make_config(layers_ghost, "97", "auto", "epochs", "1"); // groups of 32, 32, 32 and 1
  CHECK_FAILS(tutti_plan_make(&config, 60000, 2, &plan), TUTTI_ERR_CONFIG, "is 98");
  CHECK_OK(tutti_plan_make(&config, 96, 2, &plan)); // fewer samples than that: the batch is all of them
  tutti_config_clear(&config);
}

/** 100 samples; 10 in a batch, from the third epoch on 20, from the fourth on 40. */
static tutti_plan growing_plan(const char *layers, const char *batch, const char *micro,
                               const char *budget_key, const char *budget, tutti_status *status) {
  tutti_config config = make_config(layers, batch, micro, budget_key, budget);
  tutti_plan plan = {0};
  config.schedule.batch_growth = TUTTI_GROWTH_STEP;
  config.schedule.batch_factor = 2;
  config.schedule.batch_milestones = (tutti_milestones){2, TUTTI_UNIT_EPOCHS, {2, 3}};
  *status = tutti_plan_make(&config, 100, 2, &plan);
  tutti_config_clear(&config);
  return plan;
}

static void budgets_and_events_follow_a_batch_that_grows(void **state) {
  (void)state;
  const struct {
    const char *key, *value;
    int64_t steps;
    double epochs;
  } cases[] = {{"epochs", "3", 25, 3},   {"epochs", "5", 31, 5},      {"steps", "25", 25, 3},
               {"steps", "29", 29, 4.4}, {"samples", "230", 22, 2.4}, {"samples", "500", 31, 5}};
  tutti_status status;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const tutti_plan plan = growing_plan(layers_plain, "10", "auto", cases[i].key, cases[i].value, &status);
    CHECK_OK(status);
    assert_int_equal(plan.total_steps, cases[i].steps);
    CHECK_NEAR(tutti_plan_total(&plan).epochs, cases[i].epochs, 1e-12);
  }
  const tutti_plan plan = growing_plan(layers_plain, "10", "auto", "epochs", "9", &status);
  CHECK_OK(status);
  assert_int_equal(plan.largest_batch, 40);
  assert_int_equal(position(&plan, 7, 4, 2).at, 28 + 2);
  const tutti_count half = {0.5, TUTTI_UNIT_EPOCHS}, epoch = {1, TUTTI_UNIT_EPOCHS},
                    many = {60, TUTTI_UNIT_SAMPLES};
  const char ends[] = ".........x.........x....x..x", halves[] = "....x....x....x....x..x.x.xx",
             samples[] = ".....x.....x.....x...x..x.x.";
  const tutti_schedule constant = {.peak = 0.1};
  for (int64_t at = 1; at <= 28; at++) {
    const tutti_position now = {.step = at,
                                .at = at,
                                .place = tutti_stages_place(&plan.stages, at),
                                .samples = tutti_stages_samples(&plan.stages, at)};
    assert_int_equal(tutti_plan_ends_epoch(&plan, now), ends[at - 1] == 'x');
    assert_int_equal(tutti_plan_due(&plan, epoch, now), ends[at - 1] == 'x');
    assert_int_equal(tutti_plan_due(&plan, half, now), halves[at - 1] == 'x');
    assert_int_equal(tutti_plan_due(&plan, many, now), samples[at - 1] == 'x');
    assert_true(tutti_plan_learning_rate(&plan, &constant, now) == constant.peak);
  }
}

static void room_is_made_for_the_largest_batch(void **state) {
  (void)state;
  tutti_status status;
  assert_int_equal(growing_plan(layers_plain, "10", "auto", "epochs", "1", &status).micro_rows, 20);
  assert_int_equal(growing_plan(layers_plain, "10", "3", "epochs", "1", &status).micro_rows, 3);
  assert_int_equal(growing_plan(layers_norm, "10", "auto", "epochs", "1", &status).micro_rows, 20);
  assert_int_equal(growing_plan(layers_ghost, "20", "auto", "epochs", "1", &status).micro_rows,
                   64); // groups of 32
  CHECK_OK(status);
  growing_plan(layers_norm, "10", "10", "epochs", "1", &status);
  CHECK_FAILS(status, TUTTI_ERR_CONFIG, "would split a group of 40 samples");
  growing_plan(layers_ghost, "20", "20", "epochs", "1",
               &status); // fits the first batch, but not groups of 32
  CHECK_FAILS(status, TUTTI_ERR_CONFIG, "would split a group of 32 samples");
  growing_plan(layers_ghost, "15", "32", "epochs", "1", &status);
  CHECK_OK(status);
}

static void a_growth_that_leaves_one_sample_alone_is_refused(void **state) {
  (void)state;
  tutti_config config = make_config(layers_ghost, "43", "auto", "epochs", "1");
  tutti_plan plan;
  config.schedule = (tutti_schedule_options){
      .batch_growth = TUTTI_GROWTH_GEOMETRIC, .batch_factor = 1.5, .batch_every = {1, TUTTI_UNIT_EPOCHS}};
  const tutti_status status = tutti_plan_make(&config, 1000, 2, &plan); // 43, then 64.5
  tutti_config_clear(&config);
  CHECK_FAILS(status, TUTTI_ERR_CONFIG,
              "schedule.batch_growth, a batch that it makes: 65 leaves a group of one sample");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(budgets_become_steps),
      cmocka_unit_test(events_fall_where_they_are_due),
      cmocka_unit_test(parts_of_an_epoch_are_due_at_whole_steps),
      cmocka_unit_test(a_budget_beyond_counting_is_refused),
      cmocka_unit_test(epochs_count_on_after_another_batch_size),
      cmocka_unit_test(the_rate_goes_on_from_where_the_run_stands),
      cmocka_unit_test(the_last_epoch_is_the_last_that_has_a_row),
      cmocka_unit_test(a_budget_of_samples_counts_those_of_the_run),
      cmocka_unit_test(a_later_warmup_fits_in_what_is_left),
      cmocka_unit_test(micro_batches_hold_whole_groups),
      cmocka_unit_test(a_micro_batch_that_splits_a_group_is_refused),
      cmocka_unit_test(a_last_batch_does_not_split_the_groups_of_others),
      cmocka_unit_test(leaves_are_no_more_than_samples),
      cmocka_unit_test(budgets_and_events_follow_a_batch_that_grows),
      cmocka_unit_test(room_is_made_for_the_largest_batch),
      cmocka_unit_test(a_growth_that_leaves_one_sample_alone_is_refused),
      cmocka_unit_test(a_batch_that_leaves_one_sample_alone_is_refused),
  };
  return cmocka_run_group_tests_name("train.plan", tests, NULL, check_no_leak);
}
