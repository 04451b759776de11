/** A training that begins with the weights of a checkpoint, and with nothing else of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/training.h"
#include "tutti/checkpoint.h"

// Without state of the optimizer, and with the same order in each epoch: then the second half of a training is one that
// begins with the weights of the first.
static const char yaml[] = "model: {layers: [dense 16 relu, batch_norm ghost=10, dense 3 softmax]}\n"
                           "optimizer: {name: sgd, learning_rate: 0.05}\n"
                           "train: {batch_size: 40, epochs: 2, shuffle: no}\n"
                           "parallel: {reduce: tree, leaves: 8}\n";
static const char scaled[] = "data.scale=standardize_features";

/** "model.weights=FOLDER/first/checkpoint.h5" */
static const char *weights_of(const training_folder *folder, const char *name, char text[400]) {
  snprintf(text, 400, "model.weights=%s/%s/checkpoint.h5", folder->path, name);
  return text;
}

static void expect_same(const tutti_comm *comm, const training_folder *folder, const char *a, const char *b) {
  if (training_is_root(comm))
    EXPECT(training_difference(folder, a, b) == 0, "%s and %s differ by %g", a, b,
           training_difference(folder, a, b));
}

/** Kernels, batch_norm's moving statistics and the scaling of the rows come along. */
static void the_second_half_of_a_training_begins_with_the_weights(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result, straight;
  char weights[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml, (training_overrides){scaled, "train.epochs=4"},
                         &straight));
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  weights_of(&folder, "first", weights);
  EXPECT_OK(training_run(comm, &folder, "second", yaml, (training_overrides){weights}, &result));
  EXPECT(result.row.epoch == 2 && result.row.step == straight.row.step / 2, "epoch %lld, step %lld",
         (long long)result.row.epoch, (long long)result.row.step);
  EXPECT(result.test.loss == straight.test.loss, "test loss %.9g and %.9g", result.test.loss,
         straight.test.loss);
  expect_same(comm, &folder, "straight", "second");
  if (training_is_root(comm)) {
    tutti_evaluation evaluation;
    char path[400], metric[32];
    snprintf(path, sizeof path, "%s/second/checkpoint.h5", folder.path);
    EXPECT_OK(tutti_train_evaluate_checkpoint(folder.self, path, NULL, false, TUTTI_SPLIT_TEST,
                                              TUTTI_WEIGHTS_OF_FILE, metric, &evaluation));
    EXPECT(evaluation.loss == straight.test.loss, "eval has %.9g", evaluation.loss);
    EXPECT_OK(training_run(folder.self, &folder, "alone", yaml, (training_overrides){weights}, &result));
  }
  EXPECT_OK(tutti_barrier(comm));
  expect_same(comm, &folder, "second", "alone");
  training_folder_remove(comm, &folder);
}

/** train.steps: 0 leaves the weights before step 1, which a training of any seed may begin with. */
static void no_step_leaves_the_initial_weights(const tutti_comm *comm) {
  static const char ema[] = "optimizer.ema_momentum=0.9", warmup[] = "schedule.warmup=2 steps";
  training_folder folder;
  tutti_train_result result, first;
  char weights[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "straight", yaml, (training_overrides){scaled, ema, warmup}, &result));
  EXPECT_OK(training_run(comm, &folder, "none", yaml,
                         (training_overrides){scaled, ema, warmup, "train.steps=0"}, &first));
  EXPECT(first.row.step == 0 && first.test.loss > result.test.loss &&
             first.test.loss == first.average_test.loss,
         "step %lld, loss %g, of the average %g, later %g", (long long)first.row.step, first.test.loss,
         first.average_test.loss, result.test.loss);
  weights_of(&folder, "none", weights);
  EXPECT_OK(training_run(comm, &folder, "second", yaml,
                         (training_overrides){weights, ema, warmup, "train.seed=3"}, &result));
  expect_same(comm, &folder, "straight", "second");
  EXPECT_OK(training_run(comm, &folder, "none", yaml, (training_overrides){scaled, ema, warmup}, &result));
  expect_same(comm, &folder, "straight", "none");
  training_folder_remove(comm, &folder);
}

/** All else begins anew: another rule, an average of the weights, warmup. */
static void the_optimizer_and_the_schedule_begin_anew(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  tutti_metrics_row row;
  char weights[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){"optimizer.name=adam"}, &result));
  weights_of(&folder, "first", weights);
  EXPECT_OK(training_run(comm, &folder, "second", yaml,
                         (training_overrides){weights, "optimizer.momentum=0.9", "optimizer.ema_momentum=0.9",
                                              "schedule.warmup=1 epoch", "train.seed=7",
                                              "run.metrics_every=1 steps"},
                         &result));
  EXPECT(result.row.epoch == 2, "epoch %lld", (long long)result.row.epoch);
  if (training_is_root(comm) && training_rows(&folder, "second", "steps", &row, 1) == 1)
    EXPECT(row.step == 1 && row.learning_rate < 0.02, "step %lld has rate %g", (long long)row.step,
           row.learning_rate);
  training_folder_remove(comm, &folder);
}

static void a_run_goes_on_without_the_file(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  char weights[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  weights_of(&folder, "first", weights);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml, (training_overrides){weights}, &result));
  EXPECT_OK(
      training_run(comm, &folder, "second", yaml, (training_overrides){weights, "train.epochs=1"}, &result));
  if (training_is_root(comm)) EXPECT(unlink(strchr(weights, '=') + 1) == 0, "%s stays", weights);
  EXPECT_OK(tutti_barrier(comm));
  EXPECT_OK(training_run(comm, &folder, "second", yaml, (training_overrides){weights}, &result));
  expect_same(comm, &folder, "straight", "second");
  EXPECT_FAILS(training_run(comm, &folder, "second", yaml, NULL, &result), TUTTI_ERR_CONFIG,
               "model.weights was /");
  EXPECT_FAILS(training_run(comm, &folder, "third", yaml, (training_overrides){weights}, &result),
               TUTTI_ERR_MISSING, "model.weights: /");
  training_folder_remove(comm, &folder);
}

/** Of the last step of run "second". */
static double last_distance(const training_folder *folder) {
  double *values = NULL;
  const int64_t n = training_column(folder, "second", "steps", "distance", &values);
  const double last = n > 0 ? values[n - 1] : 0;
  free(values);
  return last;
}

/** The run that they are of has gone on meanwhile. */
static void no_distance_is_from_other_weights(const tutti_comm *comm) {
  static const char norms[] = "run.measure=norms", every[] = "run.measure_every=1 steps",
                    rows[] = "run.metrics_every=1 steps";
  training_folder folder;
  tutti_train_result result;
  char weights[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, NULL, &result));
  weights_of(&folder, "first", weights);
  for (int epochs = 1; epochs <= 3; epochs++) {
    char budget[32];
    snprintf(budget, sizeof budget, "train.epochs=%d", epochs);
    if (epochs == 3)
      EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){budget}, &result));
    EXPECT_OK(training_run(comm, &folder, "second", yaml,
                           (training_overrides){weights, norms, every, rows, budget}, &result));
    if (training_is_root(comm))
      EXPECT(epochs < 3 ? last_distance(&folder) > 0 : isnan(last_distance(&folder)), "epoch %d: %g", epochs,
             last_distance(&folder));
  }
  training_folder_remove(comm, &folder);
}

static void what_does_not_fit_is_named(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  char weights[400], resume[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  weights_of(&folder, "first", weights);
  snprintf(resume, sizeof resume, "run.resume=%s/first/checkpoint.h5", folder.path);
  const char *const head[] = {"model.layers=dense 16 relu, batch_norm, dense 2 softmax",
                              "data.y_train=bit_train", "data.y_test=bit_test"};
  EXPECT_FAILS(training_run(comm, &folder, "head", yaml,
                            (training_overrides){weights, head[0], head[1], head[2]}, &result),
               TUTTI_ERR_CONFIG,
               "dense_1/kernel is 16 x 3 there and 16 x 2 here, dense_1/bias is 3 there and 2 here; give "
               "model.weights_skip=dense_1 ");
  EXPECT_OK(training_run(
      comm, &folder, "head", yaml,
      (training_overrides){weights, head[0], head[1], head[2], "model.weights_skip=[dense_1]"}, &result));
  EXPECT_FAILS(
      training_run(comm, &folder, "deep", yaml,
                   (training_overrides){weights, "model.layers=dense 16 relu, dense 3, dense 3 softmax"},
                   &result),
      TUTTI_ERR_CONFIG, "batch_normalization/beta is not in this network");
  EXPECT_FAILS(training_run(comm, &folder, "deep", yaml,
                            (training_overrides){weights, "model.weights_skip=dense_1/bias, dense_2"},
                            &result),
               TUTTI_ERR_CONFIG, "model.weights_skip: 'dense_2' is not a layer or array");
  EXPECT_FAILS(
      training_run(comm, &folder, "scale", yaml, (training_overrides){weights, "data.scale=unit"}, &result),
      TUTTI_ERR_CONFIG, "trained on rows scaled by standardize_features");
  EXPECT_OK(training_run(comm, &folder, "scale", yaml,
                         (training_overrides){weights, "data.scale=unit", "model.weights_skip=dense"},
                         &result));
  EXPECT_FAILS(training_run(comm, &folder, "both", yaml, (training_overrides){weights, resume}, &result),
               TUTTI_ERR_CONFIG, "would not be used, because run.resume continues");
  training_folder_remove(comm, &folder);
}

/** Where a run goes on with another optimizer, that one begins as it would with the weights alone, its count of updates
 * and the average too; it goes on as it began. */
static void another_optimizer_begins_anew_in_a_run_that_goes_on(const tutti_comm *comm) {
  static const char adam[] = "optimizer.name=adam", ema[] = "optimizer.ema_momentum=0.9";
  training_folder folder;
  tutti_train_result result;
  char weights[400], resume[400], mixed[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "first", yaml, (training_overrides){"optimizer.momentum=0.5"}, &result));
  weights_of(&folder, "first", weights);
  snprintf(resume, sizeof resume, "run.resume=%s", strchr(weights, '=') + 1);
  EXPECT_OK(training_run(comm, &folder, "anew", yaml, (training_overrides){weights, adam, ema}, &result));
  EXPECT_OK(training_run(comm, &folder, "goes-on", yaml,
                         (training_overrides){resume, adam, ema, "train.epochs=3"}, &result));
  EXPECT_OK(training_run(comm, &folder, "goes-on", yaml,
                         (training_overrides){resume, adam, ema, "train.epochs=4"}, &result));
  expect_same(comm, &folder, "anew", "goes-on");
  // what means the same goes on, with its count
  snprintf(mixed, sizeof mixed, "run.resume=%s/anew/checkpoint.h5", folder.path);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml,
                         (training_overrides){weights, adam, "train.epochs=4"}, &result));
  EXPECT_OK(training_run(comm, &folder, "mixed", yaml, (training_overrides){mixed, adam, "train.epochs=4"},
                         &result));
  expect_same(comm, &folder, "straight", "mixed");
  EXPECT_OK(training_run(comm, &folder, "amsgrad", yaml,
                         (training_overrides){mixed, adam, "optimizer.amsgrad=yes", "train.epochs=4"},
                         &result));
  EXPECT_OK(training_run(comm, &folder, "sgd", yaml,
                         (training_overrides){mixed, "optimizer.momentum=0.9", ema, "train.epochs=4"},
                         &result));
  training_folder_remove(comm, &folder);
}

/** The array of a run has the same bits as that of the first one. */
static bool is_as_in_first(const training_folder *folder, const char *run, const char *array, int64_t rows,
                           int64_t cols) {
  const char *const runs[] = {"first", run};
  float values[2][256];
  for (int i = 0; i < 2; i++) {
    tutti_view view = {.n_dims = cols ? 2 : 1, .dims = {rows, cols}, .data = values[i]};
    char path[400];
    snprintf(path, sizeof path, "%s/%s/checkpoint.h5", folder->path, runs[i]);
    snprintf(view.name, sizeof view.name, "/model/weights/%s", array);
    if (!EXPECT_OK(tutti_checkpoint_read_arrays(path, &view, 1))) return false;
  }
  return memcmp(values[0], values[1], (size_t)(rows * (cols ? cols : 1)) * sizeof(float)) == 0;
}

/** Whatever the rule, its decay, its norms and what is measured: what is frozen keeps its bits, and has no state. */
static void what_is_frozen_stays(const tutti_comm *comm) {
  static const char layers[] =
      "model.layers=dense 16 relu trainable=no l2=0.1, batch_norm ghost=10 trainable=no, dense 3 softmax";
  const training_overrides rules[] = {
      {"optimizer.momentum=0.9", "optimizer.weight_decay=0.1", "optimizer.global_clipnorm=0.5",
       "run.measure=all"},
      {"optimizer.name=lars", "optimizer.momentum=0.9", "optimizer.weight_decay=0.1"},
      {"optimizer.name=lamb", "optimizer.weight_decay=0.1", "parallel.reduce=auto", "run.measure=norms"},
      {"optimizer.name=adamw", "optimizer.ema_momentum=0.9", "optimizer.clipnorm=0.1",
       "parallel.reduce=flat"}};
  training_folder folder;
  tutti_train_result result;
  char weights[400];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  weights_of(&folder, "first", weights);
  for (int i = 0; i < 4; i++) {
    const char *const *rule = rules[i];
    char name[16], alone[16];
    snprintf(name, sizeof name, "rule-%d", i);
    snprintf(alone, sizeof alone, "alone-%d", i);
    const training_overrides all = {weights, layers, rule[0], rule[1], rule[2], rule[2] ? rule[3] : NULL};
    EXPECT_OK(training_run(comm, &folder, name, yaml, all, &result));
    training_run_in_two(comm, &folder, alone, yaml, all, 5, true);
    if (!training_is_root(comm)) continue;
    EXPECT(is_as_in_first(&folder, name, "dense/kernel", 12, 16), "%s has moved the kernel", name);
    EXPECT(is_as_in_first(&folder, name, "batch_normalization/gamma", 16, 0), "%s has moved gamma", name);
    EXPECT(is_as_in_first(&folder, name, "batch_normalization/moving_mean", 16, 0), "%s has moved the mean",
           name);
    EXPECT(!is_as_in_first(&folder, name, "dense_1/kernel", 16, 3), "%s has not moved the head", name);
    const double difference = training_difference(&folder, name, alone);
    EXPECT(difference <= (i < 2 ? 0 : 1e-4), "%s in two parts differs by %g", name, difference);
  }
  training_folder_remove(comm, &folder);
}

/** A trial is the training of that config, and what it would refuse is told before. */
static void a_trial_begins_with_the_weights(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result, trial;
  tutti_training_set *set = NULL;
  tutti_config config = {0};
  char weights[400], file[300];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  EXPECT_OK(training_run(comm, &folder, "second", yaml,
                         (training_overrides){weights_of(&folder, "first", weights)}, &result));
  snprintf(file, sizeof file, "%s/data.h5", folder.path);
  const tutti_override overrides[] = {{"data.file", file},
                                      {"model.weights", strchr(weights, '=') + 1},
                                      {"parallel.threads", "1"},
                                      {"model.layers", "dense 8 relu, batch_norm, dense 3 softmax"}};
  if (EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", overrides, 3, &config)) &&
      EXPECT_OK(tutti_training_set_open(comm, &config, &set)) &&
      EXPECT_OK(tutti_train_on(set, comm, &config, NULL, NULL, &trial)))
    EXPECT(trial.test.loss == result.test.loss && trial.row.loss == result.row.loss, "%.9g and %.9g",
           trial.test.loss, result.test.loss);
  tutti_config_clear(&config);
  if (set && EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", overrides, 4, &config)))
    EXPECT_FAILS(tutti_training_set_check(set, &config, tutti_comm_size(comm), true), TUTTI_ERR_CONFIG,
                 "dense/kernel is 12 x 16 there and 12 x 8 here");
  tutti_config_clear(&config);
  tutti_training_set_close(&set);
  training_folder_remove(comm, &folder);
}

/** With a rate of almost 0 the validation loss tells which rows it is of: in a run, where that goes on, and in a trial. */
static void validation_rows_stay_those_of_the_weights(const tutti_comm *comm) {
  static const char held_out[] = "data: {validation_split: 0.25}\n"
                                 "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
                                 "optimizer: {name: sgd, learning_rate: 0.05}\n"
                                 "train: {batch_size: 40, epochs: 2}\n";
  static const char still[] = "optimizer.learning_rate=1e-9", seed[] = "train.seed=9";
  training_folder folder;
  tutti_train_result first, result;
  tutti_config config = {0};
  tutti_training_set *set = NULL;
  char weights[400], file[300];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", held_out, (training_overrides){scaled}, &first));
  weights_of(&folder, "first", weights);
  for (int epochs = 1; epochs <= 2; epochs++) { // the second one goes on from its own checkpoint
    const char *budget = epochs > 1 ? "train.epochs=2" : "train.epochs=1";
    EXPECT_OK(training_run(comm, &folder, "second", held_out,
                           (training_overrides){weights, still, seed, budget, "run.measure=norms"}, &result));
    EXPECT(result.row.epoch == epochs && fabs(first.validation.loss - result.validation.loss) <= 1e-5,
           "epoch %lld: %.9g and %.9g", (long long)result.row.epoch, first.validation.loss,
           result.validation.loss);
  }
  snprintf(file, sizeof file, "%s/data.h5", folder.path);
  const tutti_override overrides[] = {{"data.file", file},
                                      {"model.weights", strchr(weights, '=') + 1},
                                      {"parallel.threads", "1"},
                                      {"optimizer.learning_rate", "1e-9"},
                                      {"train.seed", "9"}};
  if (EXPECT_OK(tutti_config_parse(held_out, "trial.yaml", overrides, 5, &config)) &&
      EXPECT_OK(tutti_training_set_open(comm, &config, &set)) &&
      EXPECT_OK(tutti_train_on(set, comm, &config, NULL, NULL, &result)))
    EXPECT(fabs(first.validation.loss - result.validation.loss) <= 1e-5, "trial: %.9g and %.9g",
           first.validation.loss, result.validation.loss);
  tutti_config_clear(&config);
  tutti_training_set_close(&set);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(the_second_half_of_a_training_begins_with_the_weights),
      MPI_TEST(no_step_leaves_the_initial_weights),
      MPI_TEST(the_optimizer_and_the_schedule_begin_anew),
      MPI_TEST(a_run_goes_on_without_the_file),
      MPI_TEST(no_distance_is_from_other_weights),
      MPI_TEST(what_does_not_fit_is_named),
      MPI_TEST(another_optimizer_begins_anew_in_a_run_that_goes_on),
      MPI_TEST(what_is_frozen_stays),
      MPI_TEST(validation_rows_stay_those_of_the_weights),
      MPI_TEST(a_trial_begins_with_the_weights),
  };
  return mpi_main("start", tests, sizeof tests / sizeof tests[0]);
}
