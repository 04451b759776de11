#include <math.h>
#include <string.h>

#include "support/check.h"
#include "support/trials.h"

#define REACHED TUTTI_TRIAL_REACHED
static const char *const rate_key[] = {"optimizer.learning_rate"};
enum { N_SIZES = 6 };

/** Three rates at each batch size 16 ... 512, of which the middle one takes steps[i] (not above 0: its goal is out of
 * reach, as that of the others), the others twice as many. */
static tutti_trial_set make_trials(const double *steps, tutti_trial_state missed) {
  tutti_trial_set set = trials_begin(3 * N_SIZES, 1, rate_key);
  for (int64_t i = 0; i < N_SIZES; i++)
    for (int k = 0; k < 3; k++) {
      const double rate = 0.1 * (k + 1);
      trials_add(&set, 16 << i, k, steps[i] > 0 ? REACHED : missed, k == 1 ? steps[i] : 2 * steps[i], &rate);
    }
  return set;
}

static void expect_refused(tutti_trial_set *set, const char *first, const char *second) {
  tutti_best_table best;
  tutti_fit fit;
  CHECK_OK(tutti_fit_best_table_create(set, &best));
  CHECK_OK(tutti_fit_study(set, &best, 0, 0, 0, NULL, &fit));
  if (!strstr(fit.refused, first) || !strstr(fit.refused, second))
    fail_msg("refused with '%s', expected '%s' and '%s'", fit.refused, first, second);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(set);
}

static void few_sizes(void **state) {
  (void)state;
  const double three[] = {100, 60, 40, 0, 0, 0};
  const char *const fact = "3 batch sizes have steps to the goal, a fit needs 4";
  tutti_trial_set set = make_trials(three, TUTTI_TRIAL_DIVERGED);
  expect_refused(&set, fact, "at the others most trials diverged: try smaller learning rates");
  set = make_trials(three, TUTTI_TRIAL_NOT_REACHED);
  expect_refused(&set, fact, "at the others the goal was out of reach: a larger study.budget");
  set = make_trials(three, TUTTI_TRIAL_WAITING);
  expect_refused(&set, fact, "first run the study to its end, 9 trials wait");
  set = make_trials(three, TUTTI_TRIAL_WAITING);
  set.n_trials = 9;
  expect_refused(&set, fact, "the study has 3, vary train.batch_size further");
}

/** A false point among the sizes, as of a short last batch: smaller ones would not help. */
static void steps_that_do_not_fall(void **state) {
  (void)state;
  const char *const fact = "steps do not fall with the batch size";
  tutti_trial_set set = make_trials((const double[]){70, 54, 68, 226, 56, 622}, REACHED);
  expect_refused(&set, fact, "56 at 256, but 622 at 512, which lacks its best settings");
  set = make_trials((const double[]){20, 20, 20, 20, 20, 20}, REACHED);
  expect_refused(&set, fact, "all take 20, as where the first evaluation meets the goal");
  set = make_trials((const double[]){70, 71, 70, 72, 70, 71}, REACHED);
  expect_refused(&set, fact, "add smaller batch sizes");
}

static void perfect_scaling(void **state) {
  (void)state;
  tutti_trial_set set = make_trials((const double[]){6400, 3200, 1600, 800, 400, 200}, REACHED);
  expect_refused(&set, "all batch sizes are in perfect scaling, so", "add larger batch sizes");
  set = make_trials((const double[]){64000, 16000, 4000, 1000, 250, 63}, REACHED);
  expect_refused(&set, "all batch sizes are in perfect scaling or fall faster",
                 "the smallest lack their best");
}

static void the_edge_comes_first(void **state) {
  (void)state;
  tutti_trial_set set = make_trials((const double[]){6400, 3200, 1600, 800, 400, 200}, REACHED);
  set.results[3].goal_step = 3200; // the smallest rate at 32
  set.results[4].goal_step = 6400;
  expect_refused(&set, "add larger batch sizes; first widen the range of optimizer.learning_rate: at",
                 "batch_size 32 the best is at its end");
  // After the longest of the others, too.
  set = make_trials((const double[]){20, 20, 20, 20, 20, 20}, REACHED);
  for (int64_t i = 0; i < N_SIZES; i++) set.results[3 * i + 1].goal_step = 21;
  for (int64_t i = 0; i < N_SIZES; i++) set.results[3 * i].goal_step = 20;
  expect_refused(&set, "or a harder goal; first widen the range of optimizer.learning_rate: at",
                 "batch_size 16 the best is at its end");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(few_sizes), cmocka_unit_test(steps_that_do_not_fall),
                                     cmocka_unit_test(perfect_scaling),
                                     cmocka_unit_test(the_edge_comes_first)};
  return cmocka_run_group_tests_name("fit.advice", tests, NULL, check_no_leak);
}
