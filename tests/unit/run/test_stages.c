/** Compares the closed forms with a walk from step to step. */
#include "run/stages.h"
#include "support/check.h"

typedef struct {
  tutti_schedule_options options;
  int64_t batch, n;
} growth_case;

#define STEP(FACTOR, ...)                                                                                    \
  { .batch_growth = TUTTI_GROWTH_STEP, .batch_factor = FACTOR, .batch_milestones = __VA_ARGS__ }
#define EVERY(FACTOR, ...)                                                                                   \
  { .batch_growth = TUTTI_GROWTH_GEOMETRIC, .batch_factor = FACTOR, .batch_every = __VA_ARGS__ }

static const growth_case cases[] = {
    {{.batch_growth = TUTTI_GROWTH_NONE}, 7, 100},
    {{.batch_growth = TUTTI_GROWTH_NONE}, 100, 100},
    {STEP(5, {3, TUTTI_UNIT_EPOCHS, {2, 4, 5}}), 4, 333},
    {STEP(2, {3, TUTTI_UNIT_EPOCHS, {0.5, 1.25, 3}}), 10, 333},
    {STEP(3, {2, TUTTI_UNIT_STEPS, {5, 41}}), 10, 100},
    {STEP(1.7, {4, TUTTI_UNIT_SAMPLES, {3, 250, 251, 1000}}), 10, 101}, // two growths within a batch
    {STEP(1.7, {2, TUTTI_UNIT_SAMPLES, {1, 2}}), 50, 101},
    {EVERY(1.3, {3, TUTTI_UNIT_STEPS}), 1, 57},
    {EVERY(1.01, {1, TUTTI_UNIT_STEPS}), 3, 57}, // sizes that rounding leaves as they are
    {EVERY(2, {0.3, TUTTI_UNIT_EPOCHS}), 5, 1000},
    {EVERY(10, {1, TUTTI_UNIT_SAMPLES}), 1, 12}, // grows at once
    {EVERY(5, {70, TUTTI_UNIT_SAMPLES}), 9, 1},  // epochs of one sample
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

static tutti_stages make_from(const growth_case *c, tutti_last_batch last, const tutti_stage *from,
                              tutti_growth *growth) {
  tutti_stages stages;
  const tutti_epoch epoch = tutti_epoch_make(c->n, c->batch, last);
  CHECK_OK(tutti_optim_growth_make(&c->options, c->batch, c->n, last == TUTTI_LAST_CARRY ? INT64_MAX : c->n,
                                   growth));
  CHECK_OK(tutti_stages_make(growth, &epoch, from, &stages));
  return stages;
}

static tutti_stages make(const growth_case *c, tutti_last_batch last, tutti_growth *growth) {
  return make_from(c, last, &(tutti_stage){0}, growth);
}

/** The number that the growth counts, in its unit. */
static int64_t done(const tutti_growth *growth, int64_t at, int64_t place, int64_t samples) {
  if (growth->unit == TUTTI_UNIT_STEPS) return at;
  return growth->unit == TUTTI_UNIT_EPOCHS ? place : samples;
}

/** The rest of an epoch, if it is smaller than the next batch. */
static int64_t dropped(tutti_last_batch last, int64_t n, int64_t place, int64_t batch) {
  const int64_t left = n - place % n;
  return last == TUTTI_LAST_DROP && left < batch ? left : 0;
}

/** The rule: the batch of a step is that of all growths before its begin. */
static void check_walk(const growth_case *c, tutti_last_batch last, const tutti_stage *from) {
  tutti_growth growth;
  const tutti_stages stages = make_from(c, last, from, &growth);
  int64_t samples = from->samples, place = from->place;
  for (int64_t at = from->at; at < from->at + 2000; at++) {
    const int64_t batch = tutti_optim_growth_batch(
        &growth, tutti_optim_growth_count(&growth, done(&growth, at, place, samples)));
    const int64_t before = place;
    place += dropped(last, c->n, place, batch);
    const int64_t left = c->n - place % c->n;
    const int64_t count = last == TUTTI_LAST_SHORT && left < batch ? left : batch;
    const tutti_range range = tutti_epoch_batch(&stages.epoch, place, batch);
    assert_int_equal(tutti_stages_batch(&stages, at), batch);
    assert_int_equal(tutti_stages_samples(&stages, at), samples);
    assert_int_equal(tutti_stages_place(&stages, at), place);
    assert_true(range.begin == place % c->n && range.count == count);
    assert_int_equal(tutti_stages_steps(&stages, samples), at);
    assert_int_equal(tutti_stages_steps(&stages, samples + 1), at + 1);
    assert_int_equal(tutti_stages_steps(&stages, samples + count), at + 1);
    assert_int_equal(tutti_stages_reach(&stages, place), at);
    assert_int_equal(tutti_stages_reach(&stages, before + (place > before)), at);
    assert_int_equal(tutti_stages_reach(&stages, place + 1), at + 1);
    assert_int_equal(tutti_stages_reach(&stages, place + count), at + 1);
    samples += count;
    place += count;
    place += dropped(last, c->n, place, batch);
  }
}

static void steps_are_those_of_the_walk(void **state) {
  (void)state;
  for (int i = 0; i < N_CASES; i++)
    for (int last = 0; last < TUTTI_N_LASTS; last++)
      check_walk(&cases[i], (tutti_last_batch)last, &(tutti_stage){0});
}

/** Begin after four steps with 240 samples of other batches and data, in two epochs; if samples are carried, in the third. */
static void steps_go_on_from_those_of_another_training(void **state) {
  (void)state;
  for (int i = 0; i < N_CASES; i++)
    for (int last = 0; last < TUTTI_N_LASTS; last++) {
      const int64_t more = last == TUTTI_LAST_CARRY ? cases[i].n / 3 : 0;
      check_walk(&cases[i], (tutti_last_batch)last,
                 &(tutti_stage){.at = 4, .place = 2 * cases[i].n + more, .samples = 240});
    }
}

static void each_epoch_has_each_sample_once(void **state) {
  (void)state;
  for (int i = 0; i < N_CASES; i++) {
    tutti_growth growth;
    const tutti_stages stages = make(&cases[i], TUTTI_LAST_SHORT, &growth);
    for (int64_t epoch = 0; epoch < 10; epoch++) {
      const int64_t first = tutti_stages_reach(&stages, epoch * cases[i].n),
                    end = tutti_stages_reach(&stages, (epoch + 1) * cases[i].n);
      int64_t next = 0;
      for (int64_t at = first; at < end; at++) {
        const tutti_range range = tutti_epoch_batch(&stages.epoch, tutti_stages_place(&stages, at),
                                                    tutti_stages_batch(&stages, at));
        assert_true(range.begin == next && range.count > 0);
        next += range.count;
      }
      assert_int_equal(next, cases[i].n);
    }
  }
}

static void all_sizes_are_listed(void **state) {
  (void)state;
  for (int i = 0; i < N_CASES; i++) {
    tutti_growth growth;
    const tutti_stages stages = make(&cases[i], TUTTI_LAST_SHORT, &growth);
    int64_t batches[TUTTI_STAGES_MAX_BATCHES];
    bool listed[1001] = {false};
    const int n = tutti_stages_batches(&stages, batches);
    assert_in_range(n, 1, TUTTI_STAGES_MAX_BATCHES);
    for (int k = 0; k < n; k++) {
      assert_in_range(batches[k], 1, 1000);
      listed[batches[k]] = true;
    }
    for (int64_t at = 0; at < 3000; at++) {
      const int64_t place = tutti_stages_place(&stages, at), batch = tutti_stages_batch(&stages, at);
      assert_true(listed[tutti_epoch_batch(&stages.epoch, place, batch).count]);
    }
  }
}

static void more_sizes_than_there_is_room_for_are_refused(void **state) {
  (void)state;
  const tutti_schedule_options options = EVERY(1.01, {1, TUTTI_UNIT_STEPS});
  tutti_growth growth;
  tutti_stages stages;
  const tutti_epoch epoch = tutti_epoch_make(60000, 100, TUTTI_LAST_SHORT);
  CHECK_OK(tutti_optim_growth_make(&options, 100, 60000, 60000, &growth));
  CHECK_FAILS(tutti_stages_make(&growth, &epoch, &(tutti_stage){0}, &stages), TUTTI_ERR_CONFIG,
              "more than 128 sizes");
}

static void far_places_do_not_overflow(void **state) {
  (void)state;
  const growth_case c = {STEP(2, {2, TUTTI_UNIT_EPOCHS, {1e12, 1e15}}), 32, 60000};
  tutti_growth growth;
  const tutti_stages stages = make(&c, TUTTI_LAST_SHORT, &growth);
  assert_int_equal(stages.n_stages, 1); // nobody counts so far
  assert_int_equal(tutti_stages_steps(&stages, INT64_C(60000) << 40), INT64_C(1875) << 40);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_are_those_of_the_walk),
      cmocka_unit_test(steps_go_on_from_those_of_another_training),
      cmocka_unit_test(each_epoch_has_each_sample_once),
      cmocka_unit_test(all_sizes_are_listed),
      cmocka_unit_test(more_sizes_than_there_is_room_for_are_refused),
      cmocka_unit_test(far_places_do_not_overflow),
  };
  return cmocka_run_group_tests_name("train.stages", tests, NULL, check_no_leak);
}
