/** Promise 3: a run that stops and continues is the run that never stopped, at another number of ranks too. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/training.h"

static void compare_tables(const training_folder *folder, const char *table, const char *a, const char *b) {
  enum { MAX = 64 };
  tutti_metrics_row x[MAX], y[MAX];
  const int64_t n = training_rows(folder, a, table, x, MAX), m = training_rows(folder, b, table, y, MAX);
  if (!EXPECT(n == m && n > 0, "%s: %lld rows in %s, %lld in %s", table, (long long)n, a, (long long)m, b))
    return;
  for (int64_t i = 0; i < n; i++) {
    EXPECT(x[i].step == y[i].step && x[i].epoch == y[i].epoch && x[i].samples == y[i].samples,
           "%s row %lld: step %lld epoch %lld, and step %lld epoch %lld", table, (long long)i,
           (long long)x[i].step, (long long)x[i].epoch, (long long)y[i].step, (long long)y[i].epoch);
    EXPECT(fabs(x[i].loss - y[i].loss) <= 1e-4 * x[i].loss, "%s row %lld: loss %g and %g", table,
           (long long)i, x[i].loss, y[i].loss);
    EXPECT(isnan(x[i].val_loss) == isnan(y[i].val_loss), "%s row %lld: evaluated in one alone", table,
           (long long)i);
  }
}

static void compare_runs(const tutti_comm *comm, const training_folder *folder, const char *a,
                         const char *b) {
  if (!training_is_root(comm)) return;
  training_expect_same(comm, folder, a, b, 1e-4);
  compare_tables(folder, "epochs", a, b);
  compare_tables(folder, "steps", a, b);
}

/** The run is stopped by a budget within an epoch, at the end of an epoch, and between two checkpoints.  Another number of
 * ranks continues it. */
static void resumed_run_is_the_straight_one(const tutti_comm *comm) {
  const int stops[] = {3, 8, 13, 24};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "straight", training_yaml, NULL, &result));
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "resumed-%d", stops[i]);
    training_run_in_two(comm, &folder, name, training_yaml, NULL, stops[i], i % 2);
    compare_runs(comm, &folder, "straight", name);
  }
  training_folder_remove(comm, &folder);
}

/** The loss never falls by a half in three steps, so the learning rate falls again and again. */
static void a_plateau_continues_where_it_stood(const tutti_comm *comm) {
  static const char plateau[] =
      "data: {validation_split: 0.1}\n"
      "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
      "optimizer: {name: sgd, dialect: torch, learning_rate: 0.01}\n"
      "schedule: {warmup: 4 steps, decay: plateau, decay_rate: 0.5, decay_patience: 2, decay_cooldown: 1,\n"
      "           decay_delta: 0.5}\n"
      "train: {batch_size: 40, epochs: 4, evaluate_every: 1 step}\n"
      "run: {metrics_every: 1 step}\n";
  enum { MAX = 64 };
  tutti_metrics_row rows[MAX], again[MAX];
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "straight", plateau, NULL, &result));
  for (int stop = 7; stop < 14; stop += 3) {
    char name[32];
    snprintf(name, sizeof name, "resumed-%d", stop);
    training_run_in_two(comm, &folder, name, plateau, NULL, stop, stop % 2);
    if (tutti_comm_rank(comm) > 0) continue;
    compare_runs(comm, &folder, "straight", name);
    const int64_t n = training_rows(&folder, "straight", "steps", rows, MAX),
                  m = training_rows(&folder, name, "steps", again, MAX);
    for (int64_t i = 0; i < n && i < m; i++)
      EXPECT(rows[i].learning_rate == again[i].learning_rate, "step %lld: rate %g and %g", (long long)i + 1,
             rows[i].learning_rate, again[i].learning_rate);
    // Evaluations from the last of warmup: the best, three that are not better, and the rate falls; then one that
    // does not count, and three.
    EXPECT(n > 12 && rows[3].learning_rate == 0.01 && rows[6].learning_rate == 0.01 &&
               rows[7].learning_rate == 0.005 && rows[10].learning_rate == 0.005 &&
               rows[11].learning_rate == 0.0025,
           "%lld rows, rates %g %g %g %g %g", (long long)n, rows[3].learning_rate, rows[6].learning_rate,
           rows[7].learning_rate, rows[10].learning_rate, rows[11].learning_rate);
  }
  training_folder_remove(comm, &folder);
}

static void finished_run_is_left_alone(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result first, second;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml, NULL, &first));
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml, NULL, &second));
  EXPECT(second.row.step == first.row.step, "%lld and %lld steps", (long long)first.row.step,
         (long long)second.row.step);
  EXPECT(fabs(second.test.loss - first.test.loss) <= 1e-6, "test loss %g and %g", first.test.loss,
         second.test.loss);
  training_folder_remove(comm, &folder);
}

static void another_training_is_refused_and_named(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "run", training_yaml, (training_overrides){"train.epochs=1"}, &result));
  EXPECT_FAILS(
      training_run(comm, &folder, "run", training_yaml, (training_overrides){"train.batch_size=44"}, &result),
      TUTTI_ERR_CONFIG, "train.batch_size was 40 there and is 44 now");
  EXPECT_FAILS(training_run(comm, &folder, "run", training_yaml,
                            (training_overrides){"train.batch_size=44", "train.seed=7"}, &result),
               TUTTI_ERR_CONFIG, "is 44 now, train.seed was 0 there and is 7 now");
  EXPECT_FAILS(training_run(comm, &folder, "run", training_yaml,
                            (training_overrides){"model.layers=dense 5, dense 3 softmax"}, &result),
               TUTTI_ERR_CONFIG, "model.layers");
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml,
                         (training_overrides){"train.batch_size=44", "run.resume=no"}, &result));
  training_folder_remove(comm, &folder);
}

static void goal_and_patience_stop_a_run_for_good(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  const training_overrides goal = {"train.stop_at=val_accuracy >= 0.2"};
  for (int i = 0; i < 2; i++) {
    EXPECT_OK(training_run(comm, &folder, "goal", training_yaml, goal, &result));
    EXPECT(result.stop == TUTTI_STOP_GOAL && result.row.step <= 6, "%s", result.reason);
  }
  const training_overrides patience = {"train.patience=2", "optimizer.learning_rate=1", "train.epochs=50"};
  int64_t step = 0;
  for (int i = 0; i < 2; i++) {
    EXPECT_OK(training_run(comm, &folder, "patience", training_yaml, patience, &result));
    EXPECT(result.stop == TUTTI_STOP_PATIENCE, "%s", result.reason);
    EXPECT(i == 0 || result.row.step == step, "stopped at %lld, then at %lld", (long long)step,
           (long long)result.row.step);
    step = result.row.step;
  }
  training_folder_remove(comm, &folder);
}

/** How often rows are written changes neither the best value of a training nor the step where it stops. */
static void rows_do_not_change_a_run(const tutti_comm *comm) {
  const training_overrides runs[] = {{"train.monitor=loss", "train.patience=2", "run.metrics_every=0",
                                      "optimizer.learning_rate=0.3", "train.epochs=20"},
                                     {"train.monitor=loss", "train.patience=2", "run.metrics_every=1 step",
                                      "optimizer.learning_rate=0.3", "train.epochs=20"}};
  training_folder folder;
  tutti_train_result results[2];
  training_folder_make(comm, &folder);
  for (int i = 0; i < 2; i++)
    EXPECT_OK(training_run(comm, &folder, i ? "each" : "none", training_yaml, runs[i], &results[i]));
  EXPECT(results[0].row.step == results[1].row.step, "%lld and %lld steps", (long long)results[0].row.step,
         (long long)results[1].row.step);
  EXPECT(results[0].stop == results[1].stop, "%s; %s", results[0].reason, results[1].reason);
  training_expect_same(comm, &folder, "none", "each", 0);
  training_folder_remove(comm, &folder);
}

/** A run that starts from scratch removes nothing of an earlier run before it has a checkpoint. */
static void starting_from_scratch_keeps_the_old_run_until_it_has_a_checkpoint(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml, NULL, &result));
  EXPECT_OK(training_run(comm, &folder, "twin", training_yaml, NULL, &result));
  const training_overrides diverges = {"run.resume=no", "optimizer.name=sgd", "optimizer.learning_rate=1e38"};
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml, diverges, &result));
  EXPECT(result.stop == TUTTI_STOP_DIVERGED, "%s", result.reason);
  training_expect_same(comm, &folder, "run", "twin", 0);
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml,
                         (training_overrides){"run.resume=no", "train.seed=9"}, &result));
  if (tutti_comm_rank(comm) == 0)
    EXPECT(training_difference(&folder, "run", "twin") > 0, "the checkpoint is the old one");
  training_folder_remove(comm, &folder);
}

/** It goes back only once: the steps after that are not lost when the job is started again. */
static void a_run_goes_back_to_its_best(const tutti_comm *comm) {
  const char *const monitor = "train.monitor=val_accuracy", *const rate = "optimizer.learning_rate=1e-12";
  training_folder folder;
  tutti_train_result result;
  tutti_metrics_row rows[64];
  training_folder_make(comm, &folder);
  char resume[TRAINING_TEXT];
  training_path(&folder, "run.resume=", "run/best.h5", resume);
  // nothing becomes better than the first evaluation
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml, (training_overrides){monitor, rate}, &result));
  const int64_t last = result.row.step;
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml,
                         (training_overrides){monitor, rate, resume, "train.steps=20"}, &result));
  EXPECT(result.row.step == 20 && last > 20, "step %lld, %lld before", (long long)result.row.step,
         (long long)last);
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml,
                         (training_overrides){monitor, rate, resume, "train.steps=20"}, &result));
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml, (training_overrides){monitor, rate, resume},
                         &result));
  EXPECT(result.row.step == last, "step %lld", (long long)result.row.step);
  EXPECT_OK(
      training_run(comm, &folder, "straight", training_yaml, (training_overrides){monitor, rate}, &result));
  if (training_is_root(comm)) {
    EXPECT(training_difference(&folder, "straight", "run") <= 1e-6, "the weights differ");
    EXPECT(training_rows(&folder, "run", "steps", rows, 64) ==
               training_rows(&folder, "straight", "steps", rows, 64),
           "rows are missing or twice there");
  }
  EXPECT_FAILS(
      training_run(comm, &folder, "run", training_yaml, (training_overrides){monitor, resume}, &result),
      TUTTI_ERR_CONFIG, "belongs to another training");
  training_folder_remove(comm, &folder);
}

static void other_data_is_refused(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "run", training_yaml, (training_overrides){"train.steps=3"}, &result));
  // the same file name with other rows
  EXPECT_OK(tutti_comm_barrier(comm));
  if (tutti_comm_rank(comm) == 0) training_data_write(&folder, 77);
  EXPECT_OK(tutti_comm_barrier(comm));
  EXPECT_FAILS(training_run(comm, &folder, "run", training_yaml, NULL, &result), TUTTI_ERR_CONFIG,
               "the contents of data.file");
  training_folder_remove(comm, &folder);
}

static void ruined_weights_are_no_checkpoint(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(
      comm, &folder, "run", training_yaml,
      (training_overrides){"optimizer.name=sgd", "optimizer.learning_rate=1e39", "train.steps=1"}, &result));
  EXPECT(result.stop == TUTTI_STOP_DIVERGED && strstr(result.reason, "step 1") &&
             strstr(result.reason, "in layer dense"),
         "%s", result.reason);
  if (tutti_comm_rank(comm) == 0)
    EXPECT(training_difference(&folder, "run", "run") > 0, "there is a checkpoint");
  training_folder_remove(comm, &folder);
}

static void another_monitor_begins_without_a_best_value(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "run", training_yaml, (training_overrides){"train.epochs=1"}, &result));
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml,
                         (training_overrides){"train.monitor=val_accuracy", "train.patience=9"}, &result));
  EXPECT(result.stop == TUTTI_STOP_BUDGET, "%s", result.reason);
  training_folder_remove(comm, &folder);
}

/** A mean over a part of an epoch decides nothing, neither in the run nor when it continues. */
static void part_of_an_epoch_does_not_reach_the_goal(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  const char *goal = "train.stop_at=loss <= 100"; // any whole epoch reaches it
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml, (training_overrides){goal, "train.steps=3"},
                         &result));
  EXPECT(result.stop == TUTTI_STOP_BUDGET, "%s", result.reason);
  EXPECT_OK(training_run(comm, &folder, "run", training_yaml, (training_overrides){goal, "train.steps=30"},
                         &result));
  EXPECT(result.stop == TUTTI_STOP_GOAL && result.row.step == 8, "%s", result.reason);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(resumed_run_is_the_straight_one),
      MPI_TEST(a_plateau_continues_where_it_stood),
      MPI_TEST(finished_run_is_left_alone),
      MPI_TEST(another_training_is_refused_and_named),
      MPI_TEST(goal_and_patience_stop_a_run_for_good),
      MPI_TEST(rows_do_not_change_a_run),
      MPI_TEST(starting_from_scratch_keeps_the_old_run_until_it_has_a_checkpoint),
      MPI_TEST(a_run_goes_back_to_its_best),
      MPI_TEST(other_data_is_refused),
      MPI_TEST(ruined_weights_are_no_checkpoint),
      MPI_TEST(another_monitor_begins_without_a_best_value),
      MPI_TEST(part_of_an_epoch_does_not_reach_the_goal),
  };
  return mpi_main("resume", tests, sizeof tests / sizeof tests[0]);
}
