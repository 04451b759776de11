/** The average of the weights: evaluated beside them, whoever keeps which part of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/training.h"

#define COMMON                                                                                               \
  "data: {validation_split: 0.2}\n"                                                                          \
  "model: {layers: [dense 200 relu, dense 40 tanh l2=1e-3, dense 3 softmax]}\n"                              \
  "train: {batch_size: 50, steps: 13, evaluate_every: 4 steps}\n"

static const char *const reducers[] = {"parallel.reduce=flat", "parallel.reduce=shared",
                                       "parallel.reduce=tree"};

static void check_same(const char *what, const tutti_evaluation *a, const tutti_evaluation *b,
                       double relative) {
  EXPECT(a->samples > 0 && a->samples == b->samples, "%s: %lld and %lld samples", what, (long long)a->samples,
         (long long)b->samples);
  EXPECT(fabs(a->loss - b->loss) <= relative * b->loss, "%s: loss %.17g and %.17g", what, a->loss, b->loss);
  EXPECT(fabs(a->metric - b->metric) <= relative * b->metric, "%s: metric %.17g and %.17g", what, a->metric,
         b->metric);
}

/** An average that forgets at once is the weights, one that keeps all is the weights after the first step. */
static void an_average_is_evaluated_as_weights_are(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result first, newest, oldest;
  training_folder_make(comm, &folder);
  for (int i = 0; i < 3; i++) {
    char name[32];
    snprintf(name, sizeof name, "first-%d", i);
    EXPECT_OK(training_run(comm, &folder, name, COMMON, (training_overrides){reducers[i], "train.steps=1"},
                           &first));
    EXPECT(first.average_test.samples == 0 && first.average_validation.samples == 0, "an average by default");
    snprintf(name, sizeof name, "newest-%d", i);
    EXPECT_OK(training_run(comm, &folder, name, COMMON,
                           (training_overrides){reducers[i], "optimizer.ema_momentum=1e-30"}, &newest));
    check_same("newest", &newest.average_validation, &newest.validation, 0);
    check_same("newest test", &newest.average_test, &newest.test, 0);
    snprintf(name, sizeof name, "oldest-%d", i);
    EXPECT_OK(training_run(comm, &folder, name, COMMON,
                           (training_overrides){reducers[i], "optimizer.ema_momentum=0.99999999999"},
                           &oldest));
    check_same("oldest", &oldest.average_validation, &first.validation, 1e-6);
    check_same("oldest test", &oldest.average_test, &first.test, 1e-6);
    EXPECT(fabs(oldest.validation.loss - first.validation.loss) > 1e-3 * first.validation.loss,
           "the weights did not move");
  }
  training_folder_remove(comm, &folder);
}

/** One column for each record; NaN where nothing was evaluated. */
static void averages_have_columns(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "run", COMMON,
                         (training_overrides){"optimizer.ema_momentum=1e-30", "run.metrics_every=1 step"},
                         &result));
  if (tutti_comm_rank(comm) == 0) {
    enum { STEPS = 13 };
    struct {
      double val_loss, val_metric, ema_loss, ema_metric;
    } rows[STEPS];
    const tutti_column columns[] = {{"val_loss", TUTTI_F64, 0},
                                    {"val_accuracy", TUTTI_F64, 8},
                                    {"ema_val_loss", TUTTI_F64, 16},
                                    {"ema_val_accuracy", TUTTI_F64, 24}};
    char path[400];
    tutti_file *file = NULL;
    snprintf(path, sizeof path, "%s/run/metrics.h5", folder.path);
    EXPECT_OK(tutti_file_open(path, &file));
    EXPECT_OK(tutti_table_read(file, "steps", columns, 4, sizeof rows[0], 0, STEPS, rows));
    tutti_file_close(&file);
    for (int i = 0; i < STEPS; i++) {
      const bool evaluated = (i + 1) % 4 == 0;
      EXPECT(isnan(rows[i].ema_loss) == !evaluated && isnan(rows[i].ema_metric) == !evaluated,
             "step %d: %g %g", i + 1, rows[i].ema_loss, rows[i].ema_metric);
      EXPECT(!evaluated || (rows[i].ema_loss == rows[i].val_loss && rows[i].ema_metric == rows[i].val_metric),
             "step %d: %g %g, %g %g", i + 1, rows[i].ema_loss, rows[i].val_loss, rows[i].ema_metric,
             rows[i].val_metric);
    }
  }
  training_folder_remove(comm, &folder);
}

/** What an observer saw. */
typedef struct {
  const tutti_train_result *result;
  int n_evaluated, n_wrong;
} seen_values;

static void see(void *context, const tutti_metrics_layout *layout, const tutti_metrics_row *row,
                const double *more) {
  seen_values *seen = context;
  double loss = -1, metric = -1, other = -1;
  const bool known = tutti_train_value(seen->result, row, "ema_val_loss", &loss) &&
                     tutti_train_value(seen->result, row, "ema_val_accuracy", &metric) &&
                     tutti_train_value(seen->result, row, "val_loss", &other) &&
                     (other == row->val_loss || isnan(row->val_loss)) &&
                     !tutti_train_value(seen->result, row, "ema_val_mean_absolute_error", &other);
  seen->n_wrong += layout->n_more != 2 || strcmp(layout->more_columns[0], "ema_val_loss") != 0 ||
                   (isnan(loss) ? !isnan(more[0]) : more[0] != loss || more[1] != metric);
  seen->n_wrong += !known || (isnan(row->val_loss) ? !isnan(loss) || !isnan(metric)
                                                   : loss != row->val_loss || metric != row->val_metric);
  seen->n_evaluated += !isnan(loss);
}

/** As a study does. */
static void an_observer_is_told_of_averages(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  seen_values seen = {.result = &result};
  char file[300];
  tutti_config config = {0};
  tutti_training_set *set = NULL;
  training_folder_make(comm, &folder);
  snprintf(file, sizeof file, "%s/data.h5", folder.path);
  const tutti_override overrides[] = {{"data.file", file}, {"optimizer.ema_momentum", "1e-30"}};
  if (EXPECT_OK(tutti_config_parse(COMMON, "trial.yaml", overrides, 2, &config)) &&
      EXPECT_OK(tutti_training_set_open(comm, &config, &set)))
    EXPECT_OK(tutti_train_on(set, comm, &config, see, &seen, &result));
  EXPECT(seen.n_evaluated == 3 && seen.n_wrong == 0, "%d evaluations, %d wrong", seen.n_evaluated,
         seen.n_wrong);
  tutti_training_set_close(&set);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

/** A goal of the average ends a run for good, and a run that goes on is the straight one. */
static void an_average_can_be_a_goal(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result straight, result;
  training_folder_make(comm, &folder);
  const training_overrides plain = {"optimizer.ema_momentum=0.5", "train.epochs=8",
                                    "train.evaluate_every=1 epoch", "train.monitor=ema_val_loss"};
  EXPECT_OK(training_run(comm, &folder, "straight", COMMON, plain, &straight));
  char goal[64];
  snprintf(goal, sizeof goal, "train.stop_at=ema_val_loss < %.17g",
           1.0001 * straight.average_validation.loss);
  const training_overrides with_goal = {plain[0], plain[1], plain[2], plain[3], goal};
  for (int i = 0; i < 2; i++) {
    EXPECT_OK(training_run(comm, &folder, "goal", COMMON, with_goal, &result));
    EXPECT(result.stop == TUTTI_STOP_GOAL, "%s", result.reason);
    EXPECT(result.average_validation.loss < 1.0001 * straight.average_validation.loss, "%g and %g",
           result.average_validation.loss, straight.average_validation.loss);
  }
  const training_overrides half = {plain[0], "train.epochs=3", plain[2], plain[3]};
  EXPECT_OK(training_run(comm, &folder, "resumed", COMMON, half, &result));
  EXPECT_OK(training_run(comm, &folder, "resumed", COMMON, plain, &result));
  check_same("resumed", &result.average_validation, &straight.average_validation, 1e-4);
  EXPECT(training_difference(&folder, "straight", "resumed") <= 1e-4, "weights or average differ");
  // without a slot for the weights, the average would go on in their place
  char best[400];
  snprintf(best, sizeof best, "run.resume=%s/straight/best.h5", folder.path);
  const training_overrides without = {best, "optimizer.ema_momentum=0", "optimizer.name=sgd",
                                      "train.epochs=9"};
  EXPECT_FAILS(training_run(comm, &folder, "without", COMMON, without, &result), TUTTI_ERR_CONFIG,
               "has the average of the weights in their place");
  training_folder_remove(comm, &folder);
}

/** The validation rows at the weights of a checkpoint. */
static tutti_evaluation evaluate(const tutti_comm *comm, const training_folder *folder, const char *file,
                                 tutti_weights weights) {
  tutti_evaluation result = {0};
  char path[400], metric[32];
  snprintf(path, sizeof path, "%s/%s", folder->path, file);
  EXPECT_OK(tutti_train_evaluate_checkpoint(comm, path, NULL, false, TUTTI_SPLIT_VALIDATION, weights, metric,
                                            &result));
  return result;
}

enum { N_TEST = 57, N_OUT = 3 };

/** Of the test rows, on rank 0. */
static void predict(const tutti_comm *comm, const training_folder *folder, const char *file,
                    tutti_weights weights, float values[N_TEST * N_OUT]) {
  char path[400], data[300], output[300];
  int64_t n = 0;
  tutti_file *predicted = NULL;
  snprintf(path, sizeof path, "%s/%s", folder->path, file);
  snprintf(data, sizeof data, "%s/data.h5", folder->path);
  snprintf(output, sizeof output, "%s/predicted.h5", folder->path);
  EXPECT_OK(tutti_train_predict_checkpoint(comm, path, data, "x_test", false, output, weights, &n));
  if (tutti_comm_rank(comm) > 0) return;
  EXPECT_OK(tutti_file_open(output, &predicted));
  EXPECT_OK(tutti_file_read_rows(predicted, "predictions", TUTTI_F32, 0, N_TEST, values));
  tutti_file_close(&predicted);
}

static void predictions_are_of_the_weights_asked_for(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  float best[N_TEST * N_OUT], average[N_TEST * N_OUT], last[N_TEST * N_OUT], other[N_TEST * N_OUT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(
      comm, &folder, "run", COMMON,
      (training_overrides){"optimizer.ema_momentum=0.9", "train.monitor=ema_val_loss", "train.steps=4"},
      &result));
  predict(comm, &folder, "run/best.h5", TUTTI_WEIGHTS_OF_FILE, best);
  predict(comm, &folder, "run/checkpoint.h5", TUTTI_WEIGHTS_AVERAGE, average);
  predict(comm, &folder, "run/checkpoint.h5", TUTTI_WEIGHTS_OF_FILE, last);
  predict(comm, &folder, "run/best.h5", TUTTI_WEIGHTS_LAST, other);
  if (training_is_root(comm)) {
    EXPECT(memcmp(best, average, sizeof best) == 0, "the average of the checkpoint is not the best");
    EXPECT(memcmp(last, other, sizeof last) == 0, "the last weights differ between the files");
    EXPECT(memcmp(last, best, sizeof last) != 0, "the last weights predict as the average");
  }
  training_folder_remove(comm, &folder);
}

/** best.h5 is the network that was monitored; and a run that goes on from it is the straight one, weights and all. */
static void the_best_average_is_the_network_of_best(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  char resume[400];
  training_folder_make(comm, &folder);
  snprintf(resume, sizeof resume, "run.resume=%s/run/best.h5", folder.path);
  for (int i = 0; i < 3; i++) {
    const training_overrides plain = {reducers[i], "optimizer.ema_momentum=0.9", "optimizer.name=adam",
                                      "train.monitor=ema_val_loss"};
    const training_overrides four = {plain[0], plain[1],        plain[2],
                                     plain[3], "train.steps=4", "run.resume=no"};
    const training_overrides anew = {plain[0], plain[1], plain[2], plain[3], "run.resume=no"};
    const training_overrides named = {plain[0], plain[1], plain[2], plain[3], resume};
    EXPECT_OK(training_run(comm, &folder, "straight", COMMON, anew, &result));
    EXPECT_OK(training_run(comm, &folder, "run", COMMON, four, &result));
    EXPECT(result.average_validation.loss > 1.01 * result.validation.loss, "average and weights are alike");
    tutti_evaluation found = evaluate(comm, &folder, "run/best.h5", TUTTI_WEIGHTS_OF_FILE);
    check_same("best", &found, &result.average_validation, 1e-6);
    found = evaluate(comm, &folder, "run/best.h5", TUTTI_WEIGHTS_AVERAGE);
    check_same("average of best", &found, &result.average_validation, 1e-6);
    found = evaluate(comm, &folder, "run/best.h5", TUTTI_WEIGHTS_LAST);
    check_same("weights of best", &found, &result.validation, 1e-6);
    found = evaluate(comm, &folder, "run/checkpoint.h5", TUTTI_WEIGHTS_OF_FILE);
    check_same("checkpoint", &found, &result.validation, 1e-6);
    found = evaluate(comm, &folder, "run/checkpoint.h5", TUTTI_WEIGHTS_AVERAGE);
    check_same("average of checkpoint", &found, &result.average_validation, 1e-6);
    char name[32];
    snprintf(name, sizeof name, "resumed-%d", i);
    EXPECT_OK(training_run(comm, &folder, name, COMMON, named, &result));
    EXPECT(result.row.step == 13, "step %lld", (long long)result.row.step);
    if (training_is_root(comm))
      EXPECT(training_difference(&folder, "straight", name) <= 1e-4, "weights or average differ");
  }
  training_folder_remove(comm, &folder);
}

static void only_an_average_that_is_kept_is_evaluated(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  tutti_evaluation unused;
  char path[400], metric[32];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "run", COMMON, NULL, &result));
  snprintf(path, sizeof path, "%s/run/checkpoint.h5", folder.path);
  EXPECT_FAILS(tutti_train_evaluate_checkpoint(comm, path, NULL, false, TUTTI_SPLIT_TEST,
                                               TUTTI_WEIGHTS_AVERAGE, metric, &unused),
               TUTTI_ERR_CONFIG, "has no average of the weights");
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(an_average_is_evaluated_as_weights_are),    MPI_TEST(averages_have_columns),
      MPI_TEST(an_observer_is_told_of_averages),           MPI_TEST(an_average_can_be_a_goal),
      MPI_TEST(the_best_average_is_the_network_of_best),   MPI_TEST(predictions_are_of_the_weights_asked_for),
      MPI_TEST(only_an_average_that_is_kept_is_evaluated),
  };
  return mpi_main("average", tests, sizeof tests / sizeof tests[0]);
}
