/** Weights of samples and of classes change the loss, and nothing else. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/training.h"
#include "tutti/io.h"

enum { N_TRAIN = 333, N_FIRST = 111, N_CLASSES = 3 };

#define NET   "model: {layers: [dense 8 tanh, dense 3 softmax]}\n"
#define STEPS "train: {batch_size: 50, steps: 12}\noptimizer: {name: adam, learning_rate: 0.01}\n"
#define SAME  1e-5

static void train(const tutti_comm *comm, const training_folder *folder, const char *name, const char *yaml,
                  const training_overrides overrides) {
  tutti_train_result result;
  EXPECT_OK(training_run(comm, folder, name, yaml, overrides, &result));
}

static void expect_same(const tutti_comm *comm, const training_folder *folder, const char *a, const char *b) {
  if (!training_is_root(comm)) return;
  const double difference = training_difference(folder, a, b);
  EXPECT(difference < SAME, "%s and %s differ by %g", a, b, difference);
}

/** Read rows of an array of the data set, or of another file of the folder. */
static void read_rows(const training_folder *folder, const char *file, const char *name, float *values) {
  char path[300];
  tutti_file *h5 = NULL;
  snprintf(path, sizeof path, "%s/%s", folder->path, file);
  EXPECT_OK(tutti_file_open(path, &h5));
  if (h5) EXPECT_OK(tutti_file_read_rows(h5, name, TUTTI_F32, 0, N_TRAIN, values));
  tutti_file_close(&h5);
}

/** The loss is the sum of w l / B, as in Keras; the accuracy counts each sample as one. */
static void the_loss_is_the_weighted_sum_over_the_batch(const tutti_comm *comm) {
  static const char still[] = "data: {weights: weight_train, class_weight: {0: 3, 2: 0.25}}\n" NET
                              "train: {batch_size: 333}\noptimizer: {name: sgd, learning_rate: 1e-30}\n";
  static const double of_class[N_CLASSES] = {3, 1, 0.25};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "still", still, NULL, &result));
  char checkpoint[TRAINING_TEXT], data[300], out[300], metric[32];
  tutti_evaluation measured = {0};
  int64_t n = 0;
  training_path(&folder, "", "still/checkpoint.h5", checkpoint);
  snprintf(data, sizeof data, "%s/data.h5", folder.path);
  snprintf(out, sizeof out, "%.250s/out.h5", folder.path);
  EXPECT_OK(tutti_train_predict_checkpoint(comm, checkpoint, data, "x_train", false, out,
                                           TUTTI_WEIGHTS_OF_FILE, &n));
  EXPECT_OK(tutti_train_evaluate_checkpoint(comm, checkpoint, NULL, false, TUTTI_SPLIT_TRAIN,
                                            TUTTI_WEIGHTS_OF_FILE, metric, &measured));
  if (training_is_root(comm)) {
    static float p[N_TRAIN * N_CLASSES], y[N_TRAIN], w[N_TRAIN];
    double trained = 0, evaluated = 0, right = 0;
    read_rows(&folder, "out.h5", "predictions", p);
    read_rows(&folder, "data.h5", "y_train", y);
    read_rows(&folder, "data.h5", "weight_train", w);
    for (int i = 0; i < N_TRAIN; i++) {
      const float *row = p + i * N_CLASSES;
      const int k = (int)y[i];
      const double loss = -log((double)row[k]) * (double)w[i] / N_TRAIN;
      trained += of_class[k] * loss;
      evaluated += loss;
      right += row[k] >= row[0] && row[k] >= row[1] && row[k] >= row[2];
    }
    EXPECT(fabs(result.row.loss - trained) < SAME, "the loss is %g, expected %g", result.row.loss, trained);
    EXPECT(fabs(measured.loss - evaluated) < SAME, "evaluated: %g, expected %g", measured.loss, evaluated);
    EXPECT(fabs(measured.metric - right / N_TRAIN) < 1e-9, "accuracy %g, expected %g", measured.metric,
           right / N_TRAIN);
  }
  training_folder_remove(comm, &folder);
}

/** In a batch of all samples, those with weight 0 add nothing to the gradient, but the batch size includes them. */
static void weight_0_takes_a_sample_out(const tutti_comm *comm) {
  static const char yaml[] =
      NET "train: {batch_size: 333, steps: 10}\noptimizer: {name: sgd, learning_rate: 0.3}\n";
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "weighted", yaml, (training_overrides){"data.weights=first_train"});
  train(comm, &folder, "fewer", yaml,
        (training_overrides){"data.limit_train=111", "train.batch_size=111", "optimizer.learning_rate=0.1"});
  expect_same(comm, &folder, "weighted", "fewer");
  training_folder_remove(comm, &folder);
}

static void weights_of_classes_are_those_of_their_samples(const tutti_comm *comm) {
  static const struct {
    const char *yaml, *weights;
  } cases[] = {
      {NET STEPS, "data.class_weight={0: 2, 2: 0.5}"},
      {"data: {y_train: one_hot_train, y_test: one_hot_test}\n" NET STEPS,
       "data.class_weight={0: 2, 2: 0.5}"},
      {"data: {y_train: one_hot_train, y_test: one_hot_test}\n"
       "model: {layers: [dense 8 tanh, dense 3 sigmoid]}\n" STEPS,
       "data.class_weight={0: 2, 2: 0.5}"},
      {"data: {y_train: soft_train, y_test: soft_test}\n" NET STEPS,
       "data.class_weight={2: 0.5, 0: 2, 1: 1}"},
  };
  training_folder folder;
  training_folder_make(comm, &folder);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    train(comm, &folder, "classes", cases[i].yaml, (training_overrides){cases[i].weights, "run.resume=no"});
    train(comm, &folder, "samples", cases[i].yaml,
          (training_overrides){"data.weights=class_weight_train", "run.resume=no"});
    expect_same(comm, &folder, "classes", "samples");
  }
  training_folder_remove(comm, &folder);
}

/** The weight of a class is n / (classes * n of the class), counted over the rows that are trained on. */
static void balanced_classes_have_the_same_weight_in_all(const tutti_comm *comm) {
  training_folder folder;
  char option[200];
  float y[N_TRAIN] = {0};
  double n[N_CLASSES] = {0};
  training_folder_make(comm, &folder);
  read_rows(&folder, "data.h5", "y_train", y);
  for (int i = 0; i < N_FIRST; i++) n[(int)y[i]]++;
  snprintf(option, sizeof option, "data.class_weight={0: %.9g, 1: %.9g, 2: %.9g}",
           N_FIRST / (N_CLASSES * n[0]), N_FIRST / (N_CLASSES * n[1]), N_FIRST / (N_CLASSES * n[2]));
  train(comm, &folder, "balanced", NET STEPS,
        (training_overrides){"data.class_weight=balanced", "data.limit_train=111"});
  train(comm, &folder, "given", NET STEPS, (training_overrides){option, "data.limit_train=111"});
  expect_same(comm, &folder, "balanced", "given");
  // The classes of binary labels are their two values.
  static const char binary[] = "data: {y_train: bit_train, y_test: bit_test}\n"
                               "model: {layers: [dense 8 tanh, dense 1 sigmoid]}\n" STEPS;
  double ones = 0;
  read_rows(&folder, "data.h5", "bit_train", y);
  for (int i = 0; i < N_TRAIN; i++) ones += (double)y[i];
  snprintf(option, sizeof option, "data.class_weight={0: %.9g, 1: %.9g}", N_TRAIN / (2 * (N_TRAIN - ones)),
           N_TRAIN / (2 * ones));
  train(comm, &folder, "binary", binary, (training_overrides){"data.class_weight=balanced"});
  train(comm, &folder, "binary-given", binary, (training_overrides){option});
  expect_same(comm, &folder, "binary", "binary-given");
  training_folder_remove(comm, &folder);
}

/** Twice the loss and twice the penalty at half the rate is the same training, with each kind of last batch. */
static void a_penalty_has_no_weight(const tutti_comm *comm) {
  static const char penalty[] = "model: {layers: [dense 8 tanh l2=0.01, dense 3 softmax]}\n"
                                "train: {batch_size: 50, epochs: 2}\n"
                                "optimizer: {name: sgd, learning_rate: 0.2}\n";
  static const char *const lasts[] = {"train.last_batch=short", "train.last_batch=drop",
                                      "train.last_batch=carry"};
  training_folder folder;
  training_folder_make(comm, &folder);
  for (int i = 0; i < 3; i++) {
    train(comm, &folder, "plain", penalty, (training_overrides){lasts[i], "run.resume=no"});
    train(comm, &folder, "twice", penalty,
          (training_overrides){lasts[i], "run.resume=no", "data.class_weight={0: 2, 1: 2, 2: 2}",
                               "model.layers=dense 8 tanh l2=0.02, dense 3 softmax",
                               "optimizer.learning_rate=0.1"});
    expect_same(comm, &folder, "plain", "twice");
  }
  training_folder_remove(comm, &folder);
}

static void weights_without_meaning_are_refused(const tutti_comm *comm) {
  static const struct {
    const char *option, *model;
    tutti_status status;
    const char *part;
  } refused[] = {
      {"data.weights=side_train", "layers: [dense 3 softmax]", TUTTI_ERR_DATA,
       "expected a weight that is at least 0"},
      {"data.weights=y_test", "layers: [dense 3 softmax]", TUTTI_ERR_DATA,
       "array 'y_test' has shape [57], expected [N], a weight for each of the training rows"},
      {"data.weights=x_train", "layers: [dense 3 softmax]", TUTTI_ERR_DATA,
       "expected [N], a weight for each"},
      {"data.weights=wieght_train", "layers: [dense 3 softmax]", TUTTI_ERR_DATA,
       "did you mean weight_train?"},
      {"data.class_weight={3: 1}", "layers: [dense 3 softmax]", TUTTI_ERR_CONFIG, "there is no class '3'"},
      {"data.class_weight={0: 1, 00: 1}", "layers: [dense 3 softmax]", TUTTI_ERR_CONFIG, "has two weights"},
      {"data.class_weight=balanced", "layers: [dense 1]", TUTTI_ERR_CONFIG, "a label is not a class"},
  };
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    char yaml[200];
    snprintf(yaml, sizeof yaml, "model: {%s}\n" STEPS, refused[i].model);
    EXPECT_FAILS(
        training_run(comm, &folder, "refused", yaml, (training_overrides){refused[i].option}, &result),
        refused[i].status, refused[i].part);
  }
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(the_loss_is_the_weighted_sum_over_the_batch),
      MPI_TEST(weight_0_takes_a_sample_out),
      MPI_TEST(weights_of_classes_are_those_of_their_samples),
      MPI_TEST(balanced_classes_have_the_same_weight_in_all),
      MPI_TEST(a_penalty_has_no_weight),
      MPI_TEST(weights_without_meaning_are_refused),
  };
  return mpi_main("weights", tests, sizeof tests / sizeof *tests);
}
