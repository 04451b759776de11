#include <math.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"
#include "support/trials.h"

static const char *const rate_key[] = {"optimizer.learning_rate"};
enum { N_SIZES = 5, N_SETTINGS = 20, N_FRESH = 5 };

/** Some deviation without a trend. */
static double jitter(int64_t i) {
  return 0.05 * (sin(12.9898 * (double)i) + sin(78.233 * (double)i));
}

/** Bowls in log rate, a hundred steps at the least; fresh seeds of the best settings, of which those of batch size 64
 * take `factor` times as many steps as the bowl says. */
static tutti_trial_set make_trials(double factor, tutti_best_table *best) {
  tutti_trial_set set = trials_begin(N_SIZES * N_SETTINGS, 1, rate_key);
  for (int64_t size = 0; size < N_SIZES; size++)
    for (int i = 0; i < N_SETTINGS; i++) {
      const double rate = 0.01 * pow(100, (i + 0.5) / N_SETTINGS);
      trials_add(&set, 16 << size, i, TUTTI_TRIAL_REACHED,
                 100 * exp(0.5 * pow(log(rate / 0.1), 2) + jitter(set.n_trials)), &rate);
    }
  CHECK_OK(tutti_fit_best_table_create(&set, best));
  CHECK_OK(TUTTI_NEW(set.confirm, N_SIZES * N_FRESH));
  for (int64_t i = 0; i < N_SIZES * N_FRESH; i++) {
    const int size = (int)(i % N_SIZES);
    const double rate = best->varied[size], bowl = 100 * exp(0.5 * pow(log(rate / 0.1), 2));
    set.confirm[i] = set.results[0];
    set.confirm[i].trial = set.n_trials + i;
    set.confirm[i].seed = 10000 + i / N_SIZES;
    set.confirm[i].setting = best->rows[size].setting;
    set.confirm[i].batch_size = 16 << size;
    set.confirm[i].goal_step = bowl * exp(jitter(1000 + i)) * (size == 2 ? factor : 1);
  }
  set.n_confirm = N_SIZES * N_FRESH;
  tutti_fit_best_table_clear(best);
  CHECK_OK(tutti_fit_best_table_create(&set, best));
  return set;
}

static void fresh_seeds_agree_with_the_model(void **state) {
  (void)state;
  tutti_best_table best;
  tutti_trial_set set = make_trials(1, &best);
  char text[TUTTI_DISAGREEMENT_BYTES];
  for (int i = 0; i < N_SIZES; i++) {
    const tutti_best *row = &best.rows[i];
    assert_true(row->confirm_trials == N_FRESH && row->confirm_reached == N_FRESH);
    assert_true(row->confirm_steps_low < row->confirm_steps && row->confirm_steps < row->confirm_steps_high);
    CHECK_CLOSE(row->confirm_steps, row->setting_steps, 0.1, 0);
    assert_true(row->setting_steps >= row->model_steps * 0.99);
    assert_true(fabs(row->confirm_off) < 3);
    tutti_fit_best_disagreement(row, text);
    assert_string_equal(text, "");
  }
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

static void a_disagreement_is_told(void **state) {
  (void)state;
  tutti_best_table best;
  tutti_trial_set set = make_trials(1.4, &best);
  char text[TUTTI_DISAGREEMENT_BYTES];
  for (int i = 0; i < N_SIZES; i++) assert_int_equal(best.rows[i].confirm_disagrees, i == 2);
  tutti_fit_best_disagreement(&best.rows[2], text);
  assert_non_null(strstr(text, "batch_size 64: 5 fresh seeds of the best setting take "));
  assert_non_null(strstr(text, "and the local model says "));
  tutti_fit_best_table_clear(&best);
  // Most of them did not come to the goal.
  for (int64_t i = 0; i < N_SIZES * 3; i++) set.confirm[i].status = TUTTI_TRIAL_NOT_REACHED;
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  tutti_fit_best_disagreement(&best.rows[0], text);
  assert_non_null(strstr(text, "batch_size 16: only 2 of 5 fresh seeds"));
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

/** Those of another setting, and those that wait, count nowhere; what is written is read. */
static void they_are_written_and_read(void **state) {
  static const char *const varied[] = {"train.batch_size", "optimizer.learning_rate"};
  const char *path = folder_path(state, "study.h5");
  tutti_best_table best;
  tutti_trial_set set = make_trials(1, &best), back;
  tutti_file *file = NULL;
  set.confirm[0].status = TUTTI_TRIAL_WAITING;
  set.confirm[N_SIZES].setting = 0;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(tutti_file_set_text(
      file, "/", "config",
      "data: {file: digits.h5}\nmodel: {layers: [dense 10 softmax]}\noptimizer: {name: sgd}\n"));
  CHECK_OK(tutti_file_set_texts(file, "/", "varied", varied, 2));
  CHECK_OK(tutti_fit_trial_set_write(file, &set));
  for (int i = 0; i < 2; i++) CHECK_OK(tutti_fit_trial_set_write_confirm(file, &set));
  CHECK_OK(tutti_file_commit(&file));
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_fit_trial_set_read(file, &back));
  tutti_file_close(&file);
  assert_int_equal(back.n_confirm, N_SIZES * N_FRESH - 1);
  assert_memory_equal(back.confirm, set.confirm + 1, (size_t)back.n_confirm * sizeof *back.confirm);
  tutti_fit_best_table_clear(&best);
  CHECK_OK(tutti_fit_best_table_create(&back, &best));
  assert_int_equal(best.rows[0].confirm_trials, N_FRESH - 2);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&back);
  tutti_fit_trial_set_clear(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fresh_seeds_agree_with_the_model), cmocka_unit_test(a_disagreement_is_told),
      cmocka_unit_test_setup_teardown(they_are_written_and_read, folder_make, folder_remove)};
  return cmocka_run_group_tests_name("fit.fresh_seeds", tests, NULL, check_no_leak);
}
