/** Trainings that begin with the weights of a checkpoint, and take nothing else from it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/training.h"
#include "tutti/checkpoint.h"

// The optimizer has no state, and each epoch has the same order: so the second half of a training equals a training that
// begins with the weights of the first half.
static const char yaml[] = "model: {layers: [dense 16 relu, batch_norm ghost=10, dense 3 softmax]}\n"
                           "optimizer: {name: sgd, learning_rate: 0.05}\n"
                           "train: {batch_size: 40, epochs: 2, shuffle: no}\n"
                           "parallel: {reduce: tree, leaves: 8}\n";
static const char scaled[] = "data.scale=standardize_features";

/** The run takes kernels, moving statistics of batch_norm and the scaling of the rows. */
static void the_second_half_of_a_training_begins_with_the_weights(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result, straight;
  char weights[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml, (training_overrides){scaled, "train.epochs=4"},
                         &straight));
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  training_path(&folder, "model.weights=", "first/checkpoint.h5", weights);
  EXPECT_OK(training_run(comm, &folder, "second", yaml, (training_overrides){weights}, &result));
  EXPECT(result.row.epoch == 2 && result.row.step == straight.row.step / 2, "epoch %lld, step %lld",
         (long long)result.row.epoch, (long long)result.row.step);
  EXPECT(result.test.loss == straight.test.loss, "test loss %.9g and %.9g", result.test.loss,
         straight.test.loss);
  training_expect_same(comm, &folder, "straight", "second", 0);
  if (training_is_root(comm)) {
    tutti_evaluation evaluation;
    char path[TRAINING_TEXT], metric[32];
    training_path(&folder, "", "second/checkpoint.h5", path);
    EXPECT_OK(tutti_train_evaluate_checkpoint(folder.self, path, NULL, false, TUTTI_SPLIT_TEST,
                                              TUTTI_WEIGHTS_OF_FILE, metric, &evaluation));
    EXPECT(evaluation.loss == straight.test.loss, "eval has %.9g", evaluation.loss);
    EXPECT_OK(training_run(folder.self, &folder, "alone", yaml, (training_overrides){weights}, &result));
  }
  EXPECT_OK(tutti_comm_barrier(comm));
  training_expect_same(comm, &folder, "second", "alone", 0);
  training_folder_remove(comm, &folder);
}

/** train.steps: 0 saves the weights before step 1, and a training with another seed can begin with them. */
static void no_step_leaves_the_initial_weights(const tutti_comm *comm) {
  static const char ema[] = "optimizer.ema_momentum=0.9", warmup[] = "schedule.warmup=2 steps";
  training_folder folder;
  tutti_train_result result, first;
  char weights[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "straight", yaml, (training_overrides){scaled, ema, warmup}, &result));
  EXPECT_OK(training_run(comm, &folder, "none", yaml,
                         (training_overrides){scaled, ema, warmup, "train.steps=0"}, &first));
  EXPECT(first.row.step == 0 && first.test.loss > result.test.loss &&
             first.test.loss == first.average_test.loss,
         "step %lld, loss %g, of the average %g, later %g", (long long)first.row.step, first.test.loss,
         first.average_test.loss, result.test.loss);
  training_path(&folder, "model.weights=", "none/checkpoint.h5", weights);
  EXPECT_OK(training_run(comm, &folder, "second", yaml,
                         (training_overrides){weights, ema, warmup, "train.seed=3"}, &result));
  training_expect_same(comm, &folder, "straight", "second", 0);
  EXPECT_OK(training_run(comm, &folder, "none", yaml, (training_overrides){scaled, ema, warmup}, &result));
  training_expect_same(comm, &folder, "straight", "none", 0);
  training_folder_remove(comm, &folder);
}

/** Everything else starts from scratch: another rule, an average of the weights, warmup. */
static void the_optimizer_and_the_schedule_start_from_scratch(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  tutti_metrics_row row;
  char weights[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){"optimizer.name=adam"}, &result));
  training_path(&folder, "model.weights=", "first/checkpoint.h5", weights);
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

static void a_run_continues_without_the_file(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  char weights[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  training_path(&folder, "model.weights=", "first/checkpoint.h5", weights);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml, (training_overrides){weights}, &result));
  EXPECT_OK(
      training_run(comm, &folder, "second", yaml, (training_overrides){weights, "train.epochs=1"}, &result));
  if (training_is_root(comm)) EXPECT(unlink(strchr(weights, '=') + 1) == 0, "%s stays", weights);
  EXPECT_OK(tutti_comm_barrier(comm));
  EXPECT_OK(training_run(comm, &folder, "second", yaml, (training_overrides){weights}, &result));
  training_expect_same(comm, &folder, "straight", "second", 0);
  EXPECT_FAILS(training_run(comm, &folder, "second", yaml, NULL, &result), TUTTI_ERR_CONFIG,
               "model.weights was /");
  EXPECT_FAILS(training_run(comm, &folder, "third", yaml, (training_overrides){weights}, &result),
               TUTTI_ERR_MISSING, "model.weights: /");
  training_folder_remove(comm, &folder);
}

/** The distance in the last step of run "second". */
static double last_distance(const training_folder *folder) {
  double *values = NULL;
  const int64_t n = training_column(folder, "second", "steps", "distance", &values);
  const double last = n > 0 ? values[n - 1] : 0;
  free(values);
  return last;
}

/** The run that the weights belong to has continued meanwhile. */
static void no_distance_is_from_other_weights(const tutti_comm *comm) {
  static const char norms[] = "run.measure=norms", every[] = "run.measure_every=1 steps",
                    rows[] = "run.metrics_every=1 steps";
  training_folder folder;
  tutti_train_result result;
  char weights[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, NULL, &result));
  training_path(&folder, "model.weights=", "first/checkpoint.h5", weights);
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
  char weights[TRAINING_TEXT], resume[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  training_path(&folder, "model.weights=", "first/checkpoint.h5", weights);
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
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

/** If a run continues with another optimizer, this optimizer starts as it would with the weights alone, including its count
 * of updates and the average. */
static void another_optimizer_starts_from_scratch_in_a_run_that_continues(const tutti_comm *comm) {
  static const char adam[] = "optimizer.name=adam", ema[] = "optimizer.ema_momentum=0.9";
  training_folder folder;
  tutti_train_result result;
  char weights[TRAINING_TEXT], resume[TRAINING_TEXT], mixed[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "first", yaml, (training_overrides){"optimizer.momentum=0.5"}, &result));
  training_path(&folder, "model.weights=", "first/checkpoint.h5", weights);
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  EXPECT_OK(training_run(comm, &folder, "anew", yaml, (training_overrides){weights, adam, ema}, &result));
  EXPECT_OK(training_run(comm, &folder, "goes-on", yaml,
                         (training_overrides){resume, adam, ema, "train.epochs=3"}, &result));
  EXPECT_OK(training_run(comm, &folder, "goes-on", yaml,
                         (training_overrides){resume, adam, ema, "train.epochs=4"}, &result));
  training_expect_same(comm, &folder, "anew", "goes-on", 0);
  // a slot with the same meaning is kept, with its count
  training_path(&folder, "run.resume=", "anew/checkpoint.h5", mixed);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml,
                         (training_overrides){weights, adam, "train.epochs=4"}, &result));
  EXPECT_OK(training_run(comm, &folder, "mixed", yaml, (training_overrides){mixed, adam, "train.epochs=4"},
                         &result));
  training_expect_same(comm, &folder, "straight", "mixed", 0);
  EXPECT_OK(training_run(comm, &folder, "amsgrad", yaml,
                         (training_overrides){mixed, adam, "optimizer.amsgrad=yes", "train.epochs=4"},
                         &result));
  EXPECT_OK(training_run(comm, &folder, "sgd", yaml,
                         (training_overrides){mixed, "optimizer.momentum=0.9", ema, "train.epochs=4"},
                         &result));
  training_folder_remove(comm, &folder);
}

/** Whether the array of a run has the same bits as in run "first". */
static bool is_as_in_first(const training_folder *folder, const char *run, const char *array, int64_t rows,
                           int64_t cols) {
  const char *const runs[] = {"first", run};
  float values[2][256];
  for (int i = 0; i < 2; i++) {
    tutti_view view = {.n_dims = cols ? 2 : 1, .dims = {rows, cols}, .data = values[i]};
    char path[TRAINING_TEXT];
    snprintf(path, sizeof path, "%s/%s/checkpoint.h5", folder->path, runs[i]);
    snprintf(view.name, sizeof view.name, "/model/weights/%s", array);
    if (!EXPECT_OK(tutti_checkpoint_read_arrays(path, &view, 1))) return false;
  }
  return memcmp(values[0], values[1], (size_t)(rows * (cols ? cols : 1)) * sizeof(float)) == 0;
}

/** A frozen layer keeps its bits and has no state, with each rule, decay, norm and measurement. */
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
  char weights[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  training_path(&folder, "model.weights=", "first/checkpoint.h5", weights);
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

/** A trial equals the training of its config, and the check in advance refuses what the training would refuse. */
static void a_trial_begins_with_the_weights(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result, trial;
  tutti_training_set *set = NULL;
  tutti_config config = {0};
  char weights[TRAINING_TEXT], file[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){scaled}, &result));
  EXPECT_OK(training_run(
      comm, &folder, "second", yaml,
      (training_overrides){training_path(&folder, "model.weights=", "first/checkpoint.h5", weights)},
      &result));
  training_path(&folder, "", "data.h5", file);
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

/** With a rate of almost 0 the validation loss shows which rows it is computed on: in a run, when it continues, and in a
 * trial. */
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
  char weights[TRAINING_TEXT], file[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", held_out, (training_overrides){scaled}, &first));
  training_path(&folder, "model.weights=", "first/checkpoint.h5", weights);
  for (int epochs = 1; epochs <= 2; epochs++) { // the second one continues from its own checkpoint
    const char *budget = epochs > 1 ? "train.epochs=2" : "train.epochs=1";
    EXPECT_OK(training_run(comm, &folder, "second", held_out,
                           (training_overrides){weights, still, seed, budget, "run.measure=norms"}, &result));
    EXPECT(result.row.epoch == epochs && fabs(first.validation.loss - result.validation.loss) <= 1e-5,
           "epoch %lld: %.9g and %.9g", (long long)result.row.epoch, first.validation.loss,
           result.validation.loss);
  }
  training_path(&folder, "", "data.h5", file);
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
      MPI_TEST(the_optimizer_and_the_schedule_start_from_scratch),
      MPI_TEST(a_run_continues_without_the_file),
      MPI_TEST(no_distance_is_from_other_weights),
      MPI_TEST(what_does_not_fit_is_named),
      MPI_TEST(another_optimizer_starts_from_scratch_in_a_run_that_continues),
      MPI_TEST(what_is_frozen_stays),
      MPI_TEST(validation_rows_stay_those_of_the_weights),
      MPI_TEST(a_trial_begins_with_the_weights),
  };
  return mpi_main("start", tests, sizeof tests / sizeof tests[0]);
}
