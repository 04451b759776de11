/** Promise 3: a run that stops and goes on is the run that never stopped, at another number of ranks too. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/training.h"

static const char yaml[] =
    "data: {validation_split: 0.1}\n"
    "model: {layers: [dense 24 relu, batch_norm ghost=10, dropout 0.3, dense 3 softmax]}\n"
    "optimizer: {name: nadam, ema_momentum: 0.9}\n"
    "schedule: {decay: exponential, decay_every: 10 steps, decay_rate: 0.9}\n"
    "train: {batch_size: 40, epochs: 4, evaluate_every: 3 steps, monitor: val_loss}\n"
    "run: {metrics_every: 2 steps, checkpoint_every: 5 steps}\n";

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

static void compare_runs(const training_folder *folder, const char *a, const char *b) {
  const double difference = training_difference(folder, a, b);
  EXPECT(difference <= 1e-4, "%s and %s: weights differ by %g", a, b, difference);
  compare_tables(folder, "epochs", a, b);
  compare_tables(folder, "steps", a, b);
}

/** Stopped by a budget in mid-epoch, at an epoch's end, and beside a checkpoint; gone on by other ranks. */
static void resumed_run_is_the_straight_one(const tutti_comm *comm) {
  const bool root = tutti_comm_rank(comm) == 0;
  const int stops[] = {3, 8, 13, 24};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml, NULL, &result));
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "resumed-%d", stops[i]);
    training_run_in_two(comm, &folder, name, yaml, NULL, stops[i], i % 2);
    if (root) compare_runs(&folder, "straight", name);
  }
  training_folder_remove(comm, &folder);
}

/** The loss falls by no half in three steps, so the rate does, again and again. */
static void a_plateau_goes_on_where_it_stood(const tutti_comm *comm) {
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
    compare_runs(&folder, "straight", name);
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
  EXPECT_OK(training_run(comm, &folder, "run", yaml, NULL, &first));
  EXPECT_OK(training_run(comm, &folder, "run", yaml, NULL, &second));
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
  EXPECT_OK(training_run(comm, &folder, "run", yaml, (training_overrides){"train.epochs=1"}, &result));
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml, (training_overrides){"train.batch_size=44"}, &result),
               TUTTI_ERR_CONFIG, "train.batch_size was 40 there and is 44 now");
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml,
                            (training_overrides){"train.batch_size=44", "train.seed=7"}, &result),
               TUTTI_ERR_CONFIG, "is 44 now, train.seed was 0 there and is 7 now");
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml,
                            (training_overrides){"model.layers=dense 5, dense 3 softmax"}, &result),
               TUTTI_ERR_CONFIG, "model.layers");
  EXPECT_OK(training_run(comm, &folder, "run", yaml,
                         (training_overrides){"train.batch_size=44", "run.resume=no"}, &result));
  training_folder_remove(comm, &folder);
}

static void a_named_checkpoint_goes_on_with_other_numbers(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "small", yaml, (training_overrides){"train.epochs=2"}, &result));
  char resume[400];
  snprintf(resume, sizeof resume, "run.resume=%s/small/checkpoint.h5", folder.path);
  EXPECT_OK(training_run(comm, &folder, "large", yaml, (training_overrides){resume, "train.batch_size=100"},
                         &result));
  EXPECT(result.row.epoch == 4, "epoch %lld", (long long)result.row.epoch);
  EXPECT_FAILS(training_run(comm, &folder, "spent", yaml,
                            (training_overrides){resume, "train.batch_size=100", "train.epochs=2"}, &result),
               TUTTI_ERR_CONFIG, "nothing would be trained");
  // another model's weights do not fit
  EXPECT_FAILS(training_run(comm, &folder, "other", yaml,
                            (training_overrides){resume, "model.layers=dense 5, dense 3 softmax"}, &result),
               TUTTI_ERR_DATA, "/model/weights/");
  training_folder_remove(comm, &folder);
}

/** The rate rises from step 16 on over an epoch, 7 batches of 40 and one of 20, to what the decay gives. */
static void check_warmed(const training_folder *folder, const char *name, int64_t latest) {
  enum { MAX = 64 };
  tutti_metrics_row rows[MAX];
  const int64_t n = training_rows(folder, name, "steps", rows, MAX);
  EXPECT(n > 0 && rows[0].step > 16 && rows[0].step <= latest && rows[n - 1].step == 32, "%s: %lld rows",
         name, (long long)n);
  for (int64_t i = 0; i < n; i++) {
    const double step = (double)rows[i].step, part = fmin((step - 16) * 40 / 300, 1);
    const double rate = 0.001 * part * pow(0.9, (step - 1 - 8) / 10);
    EXPECT(fabs(rows[i].learning_rate - rate) <= 1e-12, "%s: step %g: rate %g and %g", name, step,
           rows[i].learning_rate, rate);
  }
}

/** Another warmup than the checkpoint's begins where a run goes on, and only there, however often it is stopped. */
static void another_warmup_begins_where_a_run_goes_on(const tutti_comm *comm) {
  static const char *const warmup = "schedule.warmup=1 epoch", *const each = "run.metrics_every=1 step";
  training_folder folder;
  tutti_train_result result;
  char resume[400], again[400], end[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){"train.epochs=2"}, &result));
  snprintf(resume, sizeof resume, "run.resume=%s/first/checkpoint.h5", folder.path);
  snprintf(again, sizeof again, "run.resume=%s/part/checkpoint.prev.h5", folder.path);
  snprintf(end, sizeof end, "run.resume=%s/part/checkpoint.h5", folder.path);
  EXPECT_OK(
      training_run(comm, &folder, "straight", yaml, (training_overrides){resume, warmup, each}, &result));
  if (training_is_root(comm))
    EXPECT_OK(training_run(folder.self, &folder, "part", yaml,
                           (training_overrides){resume, warmup, each, "train.steps=24"}, &result));
  EXPECT_OK(tutti_barrier(comm));
  // from the midst of it, and from its end as another training with the same warmup
  EXPECT_OK(training_run(comm, &folder, "midst", yaml, (training_overrides){again, warmup, each}, &result));
  EXPECT_OK(training_run(comm, &folder, "end", yaml, (training_overrides){end, warmup, each, "train.seed=3"},
                         &result));
  if (training_is_root(comm)) {
    EXPECT(training_difference(&folder, "straight", "midst") <= 1e-4, "the weights differ");
    check_warmed(&folder, "straight", 17);
    check_warmed(&folder, "midst", 24);
    check_warmed(&folder, "end", 25);
  }
  EXPECT_FAILS(training_run(comm, &folder, "long", yaml,
                            (training_overrides){resume, "schedule.warmup=2.5 epochs"}, &result),
               TUTTI_ERR_CONFIG,
               "schedule.warmup is 2.5 epochs, longer than the 2 epochs that are left from step 16");
  training_folder_remove(comm, &folder);
}

/** A velocity with the rate inside, corrected, or outside: at a constant rate they are one training. */
static void a_velocity_is_converted_to_the_unit_of_the_options(const tutti_comm *comm) {
  static const char *const forms[][2] = {
      {"optimizer.dialect=keras", "optimizer.momentum_correction=no"},
      {"optimizer.dialect=keras", "optimizer.momentum_correction=yes"},
      {"optimizer.dialect=torch", "optimizer.momentum_correction=no"},
  };
  static const char sgd[] = "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
                            "optimizer: {name: sgd, learning_rate: 0.01, momentum: 0.9}\n"
                            "train: {batch_size: 40, epochs: 2}\n";
  training_folder folder;
  tutti_train_result result;
  char resume[400];
  training_folder_make(comm, &folder);
  for (int i = 0; i < 9; i++) {
    const char *const *from = forms[i / 3], *const *to = forms[i % 3];
    char first[16], second[16], straight[16];
    snprintf(first, sizeof first, "first-%d", i / 3);
    snprintf(second, sizeof second, "second-%d", i);
    snprintf(straight, sizeof straight, "straight-%d", i % 3);
    EXPECT_OK(training_run(comm, &folder, first, sgd,
                           (training_overrides){"train.epochs=1", from[0], from[1]}, &result));
    EXPECT_OK(training_run(comm, &folder, straight, sgd, (training_overrides){to[0], to[1]}, &result));
    snprintf(resume, sizeof resume, "run.resume=%s/%s/checkpoint.h5", folder.path, first);
    EXPECT_OK(training_run(comm, &folder, second, sgd, (training_overrides){resume, to[0], to[1]}, &result));
    if (tutti_comm_rank(comm) == 0) // the velocities are compared too
      EXPECT(training_difference(&folder, straight, second) <= 1e-5, "%d: they differ by %g", i,
             training_difference(&folder, straight, second));
  }
  // at another rate a velocity that gets it gets the new one, as if it had been outside all along
  for (int i = 0; i < 2; i++) {
    const char *const *to = forms[2 - 2 * i];
    snprintf(resume, sizeof resume, "run.resume=%s/first-2/checkpoint.h5", folder.path);
    EXPECT_OK(training_run(comm, &folder, i ? "inside" : "outside", sgd,
                           (training_overrides){resume, to[0], to[1], "optimizer.learning_rate=0.001"},
                           &result));
  }
  if (tutti_comm_rank(comm) == 0) {
    tutti_metrics_row a[4], b[4];
    const int64_t n = training_rows(&folder, "outside", "epochs", a, 4);
    EXPECT(training_rows(&folder, "inside", "epochs", b, 4) == n && n == 2, "%lld rows", (long long)n);
    EXPECT(fabs(a[1].loss - b[1].loss) <= 1e-4 * a[1].loss, "loss %g with the rate outside, %g inside",
           a[1].loss, b[1].loss);
  }
  EXPECT_FAILS(
      training_run(comm, &folder, "other", sgd, (training_overrides){resume, "optimizer.name=lars"}, &result),
      TUTTI_ERR_CONFIG,
      "slot 'momentum' is a sum of gradients there, these options keep a sum of gradients * trust ratio * "
      "learning_rate");
  training_folder_remove(comm, &folder);
}

/** Earlier versions did not note the rate of the last update. */
static void a_velocity_whose_rate_is_not_told_is_refused(const tutti_comm *comm) {
  static const char sgd[] = "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
                            "optimizer: {name: sgd, learning_rate: 0.01, momentum: 0.9}\n"
                            "train: {batch_size: 40, epochs: 2}\n";
  training_folder folder;
  tutti_train_result result;
  char resume[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", sgd, (training_overrides){"train.epochs=1"}, &result));
  snprintf(resume, sizeof resume, "run.resume=%s/first/checkpoint.h5", folder.path);
  if (training_is_root(comm)) {
    const hid_t file = H5Fopen(strchr(resume, '=') + 1, H5F_ACC_RDWR, H5P_DEFAULT);
    EXPECT(H5Adelete(file, "learning_rate") >= 0 && H5Fclose(file) >= 0, "the rate stays in %s", resume);
  }
  EXPECT_OK(tutti_barrier(comm));
  EXPECT_FAILS(training_run(comm, &folder, "second", sgd,
                            (training_overrides){resume, "optimizer.dialect=torch"}, &result),
               TUTTI_ERR_CONFIG,
               "the learning rate (0 or, in a file of an earlier version, unknown) does not convert");
  EXPECT_OK(training_run(comm, &folder, "second", sgd, (training_overrides){resume, "train.batch_size=50"},
                         &result));
  training_folder_remove(comm, &folder);
}

static const char held_out[] = "data: {validation_split: 0.25, scale: standardize}\n"
                               "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
                               "optimizer: {name: sgd, learning_rate: 0.05}\n"
                               "train: {batch_size: 40, epochs: 3}\n";

/** With a rate of almost 0 the validation loss tells which rows it is of. */
static void validation_rows_stay_those_of_a_named_checkpoint(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result first, second;
  tutti_evaluation again;
  char resume[400], path[400], metric[32];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", held_out, NULL, &first));
  snprintf(resume, sizeof resume, "run.resume=%s/first/checkpoint.h5", folder.path);
  snprintf(path, sizeof path, "%s/second/checkpoint.h5", folder.path);
  for (int epochs = 4; epochs <= 5; epochs++) { // the second one goes on from its own checkpoint
    char budget[32];
    snprintf(budget, sizeof budget, "train.epochs=%d", epochs);
    EXPECT_OK(training_run(
        comm, &folder, "second", held_out,
        (training_overrides){resume, budget, "train.seed=9", "optimizer.learning_rate=1e-9"}, &second));
    EXPECT(second.row.epoch == epochs, "epoch %lld", (long long)second.row.epoch);
    EXPECT(fabs(first.validation.loss - second.validation.loss) <= 1e-5, "%.9g and %.9g",
           first.validation.loss, second.validation.loss);
  }
  EXPECT_OK(tutti_train_evaluate_checkpoint(comm, path, NULL, false, TUTTI_SPLIT_VALIDATION,
                                            TUTTI_WEIGHTS_OF_FILE, metric, &again));
  EXPECT(fabs(first.validation.loss - again.loss) <= 1e-5, "%.9g and %.9g", first.validation.loss,
         again.loss);
  training_folder_remove(comm, &folder);
}

/** With a rate of almost 0 the loss of an epoch tells which rows the weights of the classes were counted on. */
static void balanced_classes_are_those_of_the_rows_that_are_kept(const tutti_comm *comm) {
  static const char balanced[] = "data.class_weight=balanced", still[] = "optimizer.learning_rate=1e-9";
  training_folder folder;
  tutti_train_result same, other;
  char resume[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", held_out, (training_overrides){balanced}, &same));
  snprintf(resume, sizeof resume, "run.resume=%s/first/checkpoint.h5", folder.path);
  const training_overrides all = {balanced, still, resume, "train.epochs=4", "train.seed=0"},
                           drawn = {balanced, still, resume, "train.epochs=4", "train.seed=9"};
  EXPECT_OK(training_run(comm, &folder, "same", held_out, all, &same));
  EXPECT_OK(training_run(comm, &folder, "other", held_out, drawn, &other));
  EXPECT(fabs(same.row.loss - other.row.loss) <= 1e-5, "%.9g and %.9g", same.row.loss, other.row.loss);
  training_folder_remove(comm, &folder);
}

static void rows_that_were_trained_on_are_not_validated_on(const tutti_comm *comm) {
  static const char *const refused[][2] = {
      {"data.validation_split=0.5", "data.validation_split was 0.25 there and is 0.5 now; leave"},
      {"data.validation_take=last", "data.validation_take was shuffled there and is last now"},
      {"data.limit_train=200", "data.limit_train was 0 there and is 200 now"},
  };
  static const char *const taken[] = {"data.validation_split=0.1", "data.validation_split=0",
                                      "data.limit_train=5000"};
  training_folder folder;
  tutti_train_result result;
  char resume[400], all[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", held_out, (training_overrides){"train.epochs=1"}, &result));
  snprintf(resume, sizeof resume, "run.resume=%s/first/checkpoint.h5", folder.path);
  for (int i = 0; i < 3; i++)
    EXPECT_FAILS(
        training_run(comm, &folder, "second", held_out, (training_overrides){resume, refused[i][0]}, &result),
        TUTTI_ERR_CONFIG, refused[i][1]);
  for (int i = 0; i < 3; i++)
    EXPECT_OK(training_run(comm, &folder, i ? i > 1 ? "c" : "b" : "a", held_out,
                           (training_overrides){resume, taken[i]}, &result));
  // b has trained on all rows
  snprintf(all, sizeof all, "run.resume=%s/b/checkpoint.h5", folder.path);
  EXPECT_FAILS(
      training_run(comm, &folder, "d", held_out, (training_overrides){all, "train.epochs=4"}, &result),
      TUTTI_ERR_CONFIG, "data.validation_split was 0 there");
  EXPECT_OK(training_run(comm, &folder, "none", held_out, (training_overrides){"train.steps=0"}, &result));
  snprintf(resume, sizeof resume, "run.resume=%s/none/checkpoint.h5", folder.path);
  EXPECT_OK(
      training_run(comm, &folder, "some", held_out, (training_overrides){resume, refused[0][0]}, &result));
  training_folder_remove(comm, &folder);
}

static void goal_and_patience_stop_a_run_for_good(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  const training_overrides goal = {"train.stop_at=val_accuracy >= 0.2"};
  for (int i = 0; i < 2; i++) {
    EXPECT_OK(training_run(comm, &folder, "goal", yaml, goal, &result));
    EXPECT(result.stop == TUTTI_STOP_GOAL && result.row.step <= 6, "%s", result.reason);
  }
  const training_overrides patience = {"train.patience=2", "optimizer.learning_rate=1", "train.epochs=50"};
  int64_t step = 0;
  for (int i = 0; i < 2; i++) {
    EXPECT_OK(training_run(comm, &folder, "patience", yaml, patience, &result));
    EXPECT(result.stop == TUTTI_STOP_PATIENCE, "%s", result.reason);
    EXPECT(i == 0 || result.row.step == step, "stopped at %lld, then at %lld", (long long)step,
           (long long)result.row.step);
    step = result.row.step;
  }
  training_folder_remove(comm, &folder);
}

/** How often rows are written is no part of a training: not of what is the best, nor of when it stops. */
static void rows_do_not_change_a_run(const tutti_comm *comm) {
  const training_overrides runs[] = {{"train.monitor=loss", "train.patience=2", "run.metrics_every=0",
                                      "optimizer.learning_rate=0.3", "train.epochs=20"},
                                     {"train.monitor=loss", "train.patience=2", "run.metrics_every=1 step",
                                      "optimizer.learning_rate=0.3", "train.epochs=20"}};
  training_folder folder;
  tutti_train_result results[2];
  training_folder_make(comm, &folder);
  for (int i = 0; i < 2; i++)
    EXPECT_OK(training_run(comm, &folder, i ? "each" : "none", yaml, runs[i], &results[i]));
  EXPECT(results[0].row.step == results[1].row.step, "%lld and %lld steps", (long long)results[0].row.step,
         (long long)results[1].row.step);
  EXPECT(results[0].stop == results[1].stop, "%s; %s", results[0].reason, results[1].reason);
  if (tutti_comm_rank(comm) == 0)
    EXPECT(training_difference(&folder, "none", "each") == 0, "the weights differ");
  training_folder_remove(comm, &folder);
}

/** A run that begins anew takes nothing away before it has something to put there. */
static void beginning_anew_keeps_the_old_run_until_it_has_a_checkpoint(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "run", yaml, NULL, &result));
  EXPECT_OK(training_run(comm, &folder, "twin", yaml, NULL, &result));
  const training_overrides diverges = {"run.resume=no", "optimizer.name=sgd", "optimizer.learning_rate=1e38"};
  EXPECT_OK(training_run(comm, &folder, "run", yaml, diverges, &result));
  EXPECT(result.stop == TUTTI_STOP_DIVERGED, "%s", result.reason);
  if (tutti_comm_rank(comm) == 0)
    EXPECT(training_difference(&folder, "run", "twin") == 0, "the checkpoint has changed");
  EXPECT_OK(training_run(comm, &folder, "run", yaml, (training_overrides){"run.resume=no", "train.seed=9"},
                         &result));
  if (tutti_comm_rank(comm) == 0)
    EXPECT(training_difference(&folder, "run", "twin") > 0, "the checkpoint is the old one");
  training_folder_remove(comm, &folder);
}

static void named_checkpoint_gives_way_to_the_directory_s_own(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  tutti_metrics_row rows[8];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){"train.epochs=1"}, &result));
  char resume[400];
  snprintf(resume, sizeof resume, "run.resume=%s/first/checkpoint.h5", folder.path);
  for (int epochs = 2; epochs <= 4; epochs++) {
    char budget[32];
    snprintf(budget, sizeof budget, "train.epochs=%d", epochs);
    EXPECT_OK(training_run(comm, &folder, "second", yaml, (training_overrides){resume, budget}, &result));
  }
  EXPECT_OK(training_run(comm, &folder, "straight", yaml, NULL, &result));
  if (tutti_comm_rank(comm) == 0) {
    EXPECT(training_difference(&folder, "straight", "second") <= 1e-6, "the weights differ");
    const int64_t n = training_rows(&folder, "second", "epochs", rows, 8);
    EXPECT(n == 4, "%lld rows", (long long)n);
    for (int64_t i = 0; i < n; i++)
      EXPECT(rows[i].epoch == i + 1, "row %lld: epoch %lld", (long long)i, (long long)rows[i].epoch);
  }
  training_folder_remove(comm, &folder);
}

/** Once: what is done from there on is not lost when the job is started again. */
static void a_run_goes_back_to_its_best(const tutti_comm *comm) {
  const char *const monitor = "train.monitor=val_accuracy", *const rate = "optimizer.learning_rate=1e-12";
  training_folder folder;
  tutti_train_result result;
  tutti_metrics_row rows[64];
  training_folder_make(comm, &folder);
  char resume[400];
  snprintf(resume, sizeof resume, "run.resume=%s/run/best.h5", folder.path);
  // nothing becomes better than the first evaluation
  EXPECT_OK(training_run(comm, &folder, "run", yaml, (training_overrides){monitor, rate}, &result));
  const int64_t last = result.row.step;
  EXPECT_OK(training_run(comm, &folder, "run", yaml,
                         (training_overrides){monitor, rate, resume, "train.steps=20"}, &result));
  EXPECT(result.row.step == 20 && last > 20, "step %lld, %lld before", (long long)result.row.step,
         (long long)last);
  EXPECT_OK(training_run(comm, &folder, "run", yaml,
                         (training_overrides){monitor, rate, resume, "train.steps=20"}, &result));
  EXPECT_OK(training_run(comm, &folder, "run", yaml, (training_overrides){monitor, rate, resume}, &result));
  EXPECT(result.row.step == last, "step %lld", (long long)result.row.step);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml, (training_overrides){monitor, rate}, &result));
  if (training_is_root(comm)) {
    EXPECT(training_difference(&folder, "straight", "run") <= 1e-6, "the weights differ");
    EXPECT(training_rows(&folder, "run", "steps", rows, 64) ==
               training_rows(&folder, "straight", "steps", rows, 64),
           "rows are missing or twice there");
  }
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml, (training_overrides){monitor, resume}, &result),
               TUTTI_ERR_CONFIG, "belongs to another training");
  training_folder_remove(comm, &folder);
}

static void other_data_is_refused(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "run", yaml, (training_overrides){"train.steps=3"}, &result));
  // the same file name with other rows
  EXPECT_OK(tutti_barrier(comm));
  if (tutti_comm_rank(comm) == 0) training_data_write(&folder, 77);
  EXPECT_OK(tutti_barrier(comm));
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml, NULL, &result), TUTTI_ERR_CONFIG,
               "the contents of data.file");
  training_folder_remove(comm, &folder);
}

static void ruined_weights_are_no_checkpoint(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(
      comm, &folder, "run", yaml,
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
  EXPECT_OK(training_run(comm, &folder, "run", yaml, (training_overrides){"train.epochs=1"}, &result));
  EXPECT_OK(training_run(comm, &folder, "run", yaml,
                         (training_overrides){"train.monitor=val_accuracy", "train.patience=9"}, &result));
  EXPECT(result.stop == TUTTI_STOP_BUDGET, "%s", result.reason);
  training_folder_remove(comm, &folder);
}

/** Weights that go on with other data: nothing of the old data's values decides. */
static void another_training_s_values_do_not_end_this_one(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  const training_overrides ends = {"train.patience=1", "optimizer.learning_rate=1", "train.epochs=50",
                                   "train.evaluate_every=1 epoch"};
  EXPECT_OK(training_run(comm, &folder, "old", yaml, ends, &result));
  EXPECT(result.stop == TUTTI_STOP_PATIENCE, "%s", result.reason);
  const int64_t step = result.row.step;
  EXPECT_OK(tutti_barrier(comm));
  if (tutti_comm_rank(comm) == 0) training_data_write(&folder, 77);
  EXPECT_OK(tutti_barrier(comm));
  char resume[400];
  snprintf(resume, sizeof resume, "run.resume=%s/old/best.h5", folder.path);
  EXPECT_OK(training_run(comm, &folder, "new", yaml,
                         (training_overrides){resume, "train.epochs=50", "train.stop_at=val_loss < 1e-9",
                                              "train.evaluate_every=1 epoch", "optimizer.learning_rate=0.01",
                                              "train.patience=40"},
                         &result));
  EXPECT(result.stop == TUTTI_STOP_BUDGET && result.row.epoch == 50, "%s at epoch %lld, step %lld, then %lld",
         result.reason, (long long)result.row.epoch, (long long)result.row.step, (long long)step);
  training_folder_remove(comm, &folder);
}

/** A mean over a part of an epoch decides nothing, neither in the run nor when it goes on. */
static void part_of_an_epoch_does_not_reach_the_goal(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  const char *goal = "train.stop_at=loss <= 100"; // any whole epoch reaches it
  EXPECT_OK(training_run(comm, &folder, "run", yaml, (training_overrides){goal, "train.steps=3"}, &result));
  EXPECT(result.stop == TUTTI_STOP_BUDGET, "%s", result.reason);
  EXPECT_OK(training_run(comm, &folder, "run", yaml, (training_overrides){goal, "train.steps=30"}, &result));
  EXPECT(result.stop == TUTTI_STOP_GOAL && result.row.step == 8, "%s", result.reason);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(resumed_run_is_the_straight_one),
      MPI_TEST(a_plateau_goes_on_where_it_stood),
      MPI_TEST(finished_run_is_left_alone),
      MPI_TEST(another_training_is_refused_and_named),
      MPI_TEST(a_named_checkpoint_goes_on_with_other_numbers),
      MPI_TEST(another_warmup_begins_where_a_run_goes_on),
      MPI_TEST(a_velocity_is_converted_to_the_unit_of_the_options),
      MPI_TEST(a_velocity_whose_rate_is_not_told_is_refused),
      MPI_TEST(validation_rows_stay_those_of_a_named_checkpoint),
      MPI_TEST(balanced_classes_are_those_of_the_rows_that_are_kept),
      MPI_TEST(rows_that_were_trained_on_are_not_validated_on),
      MPI_TEST(goal_and_patience_stop_a_run_for_good),
      MPI_TEST(rows_do_not_change_a_run),
      MPI_TEST(beginning_anew_keeps_the_old_run_until_it_has_a_checkpoint),
      MPI_TEST(named_checkpoint_gives_way_to_the_directory_s_own),
      MPI_TEST(a_run_goes_back_to_its_best),
      MPI_TEST(other_data_is_refused),
      MPI_TEST(ruined_weights_are_no_checkpoint),
      MPI_TEST(another_monitor_begins_without_a_best_value),
      MPI_TEST(another_training_s_values_do_not_end_this_one),
      MPI_TEST(part_of_an_epoch_does_not_reach_the_goal),
  };
  return mpi_main("resume", tests, sizeof tests / sizeof tests[0]);
}
