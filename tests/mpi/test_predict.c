/** Promise 4: predictions are what the accuracy counts; and labels that a loss has no meaning for are
 * refused. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/training.h"
#include "tutti/io.h"

enum { N_TEST = 57, MAX_DECISIONS = 2 };

#define COMMON                                                                                               \
  "optimizer: {name: adam, learning_rate: 0.01}\n"                                                           \
  "train: {batch_size: 50, steps: 12}\n"

typedef struct {
  const char *labels, *model;
  int64_t n_decisions; // 0: a regression
  int32_t other;       // what labels have for the decision 0
} prediction_case;

static const prediction_case cases[] = {
    {"y", "layers: [dense 8 relu, dense 3 softmax]", 1, 0},
    {"one_hot", "layers: [dense 8 relu, batch_norm, dense 3 softmax]", 1, 0},
    {"bit", "layers: [dense 8 relu, dense 1 sigmoid]", 1, 0},
    {"bits", "layers: [dense 8 relu, dense 2 sigmoid]", 2, 0},
    {"side", "layers: [dense 8 relu, dense 1], loss: hinge", 1, -1},
    {"bit", "layers: [dense 8 relu, dense 1 tanh], loss: hinge", 1, 0},
    {"sides", "layers: [dense 8 relu, dense 2], loss: hinge", 2, -1},
    {"real", "layers: [dense 8 relu, dense 1]", 0, 0},
};

static void make_yaml(const char *labels, const char *model, char *yaml, size_t bytes) {
  snprintf(yaml, bytes, "data: {y_train: %s_train, y_test: %s_test}\nmodel: {%s}\n" COMMON, labels, labels,
           model);
}

static tutti_status read_ints(const char *path, const char *name, int64_t n, int64_t width, int32_t *values) {
  tutti_file *file = NULL;
  tutti_array_shape shape;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(path, &file));
  TUTTI_TRY_GOTO(done, tutti_file_shape(file, name, &shape));
  EXPECT(shape.dims[0] == n && shape.n_dims == (width > 1 ? 2 : 1) && (width == 1 || shape.dims[1] == width),
         "%s has %d dimensions, %lld rows", name, shape.n_dims, (long long)shape.dims[0]);
  TUTTI_TRY_GOTO(done, tutti_file_read_rows(file, name, TUTTI_I32, 0, n, values));
done:
  tutti_file_close(&file);
  return status;
}

/** The part of the decisions that are as the labels have them; the class ids of "one_hot" are in "y". */
static double right_part(const training_folder *folder, const char *output, const prediction_case *c) {
  int32_t classes[N_TEST * MAX_DECISIONS] = {0}, labels[N_TEST * MAX_DECISIONS] = {0};
  char data[TRAINING_TEXT], name[32];
  training_path(folder, "", "data.h5", data);
  snprintf(name, sizeof name, "%s_test", strcmp(c->labels, "one_hot") == 0 ? "y" : c->labels);
  EXPECT_OK(read_ints(output, "classes", N_TEST, c->n_decisions, classes));
  EXPECT_OK(read_ints(data, name, N_TEST, c->n_decisions, labels));
  int64_t n_right = 0;
  for (int64_t i = 0; i < N_TEST * c->n_decisions; i++)
    n_right += labels[i] == (classes[i] == 0 ? c->other : classes[i]);
  return (double)n_right / (double)(N_TEST * c->n_decisions);
}

static void check_case(const tutti_comm *comm, const training_folder *folder, const prediction_case *c,
                       int number) {
  char yaml[600], run[32], data[TRAINING_TEXT], checkpoint[TRAINING_TEXT], output[300], metric[32];
  tutti_train_result trained;
  tutti_evaluation measured = {0};
  int64_t n = 0;
  make_yaml(c->labels, c->model, yaml, sizeof yaml);
  snprintf(run, sizeof run, "run-%d", number);
  training_path(folder, "", "data.h5", data);
  snprintf(checkpoint, sizeof checkpoint, "%.250s/%s/checkpoint.h5", folder->path, run);
  snprintf(output, sizeof output, "%.250s/%s/out.h5", folder->path, run);
  EXPECT_OK(training_run(comm, folder, run, yaml, NULL, &trained));
  EXPECT_OK(tutti_train_evaluate_checkpoint(comm, checkpoint, NULL, false, TUTTI_SPLIT_TEST,
                                            TUTTI_WEIGHTS_OF_FILE, metric, &measured));
  EXPECT_OK(tutti_train_predict_checkpoint(comm, checkpoint, data, "x_test", false, output,
                                           TUTTI_WEIGHTS_OF_FILE, &n));
  EXPECT(n == N_TEST && measured.samples == N_TEST, "%lld rows, %lld samples", (long long)n,
         (long long)measured.samples);
  if (tutti_comm_rank(comm) > 0) return;
  if (c->n_decisions == 0) {
    tutti_file *file = NULL;
    EXPECT_OK(tutti_file_open(output, &file));
    EXPECT(file && !tutti_file_has(file, "/classes"), "classes of a regression");
    tutti_file_close(&file);
    return;
  }
  const double right = right_part(folder, output, c);
  EXPECT(fabs(right - measured.metric) < 1e-12, "%s, %s: %g of the classes are right, the %s is %g",
         c->labels, c->model, right, metric, measured.metric);
  EXPECT(right > 0.5, "%s, %s: only %g are right", c->labels, c->model, right);
}

static void classes_are_what_the_accuracy_counts(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) check_case(comm, &folder, &cases[i], i);
  training_folder_remove(comm, &folder);
}

static void labels_that_the_loss_does_not_know_are_refused(const tutti_comm *comm) {
  static const struct {
    const char *labels, *model, *part;
  } refused[] = {
      {"sides", "layers: [dense 2 softmax]", "(both from 0) is -1, expected 0 or 1"},
      {"bits", "layers: [dense 2 softmax]", "ones, expected one-hot rows"},
      {"side", "layers: [dense 3 softmax]", "is -1, expected a class from 0 to 2"},
      {"sides", "layers: [dense 2 sigmoid]", "is -1, expected 0, 1 or a probability"},
      {"y", "layers: [dense 1 sigmoid]", "is 2, expected 0, 1 or a probability"},
      {"y", "layers: [dense 1], loss: hinge", "is 2, expected -1 or 1"},
      {"real", "layers: [dense 1], loss: hinge", "expected -1 or 1"},
      {"bits", "layers: [dense 3], loss: hinge", "a label has 2 numbers"},
  };
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    char yaml[600];
    make_yaml(refused[i].labels, refused[i].model, yaml, sizeof yaml);
    EXPECT_FAILS(training_run(comm, &folder, "refused", yaml, NULL, &result), TUTTI_ERR_DATA,
                 refused[i].part);
  }
  training_folder_remove(comm, &folder);
}

static void the_output_is_another_file(const tutti_comm *comm) {
  char yaml[600], data[TRAINING_TEXT], checkpoint[TRAINING_TEXT];
  training_folder folder;
  tutti_train_result result;
  int64_t n = 0;
  training_folder_make(comm, &folder);
  make_yaml(cases[0].labels, cases[0].model, yaml, sizeof yaml);
  training_path(&folder, "", "data.h5", data);
  training_path(&folder, "", "run/checkpoint.h5", checkpoint);
  EXPECT_OK(training_run(comm, &folder, "run", yaml, NULL, &result));
  EXPECT_FAILS(tutti_train_predict_checkpoint(comm, checkpoint, data, "x_test", false, data,
                                              TUTTI_WEIGHTS_OF_FILE, &n),
               TUTTI_ERR_USAGE, "is both input and output");
  EXPECT_FAILS(tutti_train_predict_checkpoint(comm, checkpoint, data, "x_test", false, checkpoint,
                                              TUTTI_WEIGHTS_OF_FILE, &n),
               TUTTI_ERR_USAGE, "is both checkpoint and output");
  training_folder_remove(comm, &folder);
}

static tutti_status read_predictions(const char *path, float *values) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(path, &file));
  TUTTI_TRY_GOTO(done, tutti_file_read_rows(file, "predictions", TUTTI_F32, 0, N_TEST, values));
done:
  tutti_file_close(&file);
  return status;
}

/** A network of bytes, and the same rows as floats; and the other way round. */
static void rows_of_another_type_mean_the_same(const tutti_comm *comm) {
  static const char *const names[][2] = {{"bytes", "parts"}, {"parts", "bytes"}};
  training_folder folder;
  training_folder_make(comm, &folder);
  for (int i = 0; i < 2; i++) {
    char yaml[600], data[TRAINING_TEXT], checkpoint[TRAINING_TEXT], output[2][300], test[32];
    float values[2][N_TEST * 3] = {{0}};
    tutti_train_result same, other;
    int64_t n = 0;
    snprintf(yaml, sizeof yaml,
             "data: {x_train: %s_train, x_test: %s_test}\nmodel: {layers: [dense 8 relu, dense 3 "
             "softmax]}\n" COMMON,
             names[i][0], names[i][0]);
    snprintf(test, sizeof test, "data.x_test=%s_test", names[i][1]);
    EXPECT_OK(training_run(comm, &folder, names[i][0], yaml, NULL, &same));
    EXPECT_OK(
        training_run(comm, &folder, "other", yaml, (training_overrides){test, "run.resume=no"}, &other));
    EXPECT(fabs(same.test.loss - other.test.loss) < 1e-5 * same.test.loss, "test losses %g and %g",
           same.test.loss, other.test.loss);
    training_path(&folder, "", "data.h5", data);
    snprintf(checkpoint, sizeof checkpoint, "%.250s/%s/checkpoint.h5", folder.path, names[i][0]);
    for (int k = 0; k < 2; k++) {
      snprintf(test, sizeof test, "%s_test", names[i][k]);
      snprintf(output[k], sizeof output[k], "%.250s/out-%d.h5", folder.path, k);
      EXPECT_OK(tutti_train_predict_checkpoint(comm, checkpoint, data, test, false, output[k],
                                               TUTTI_WEIGHTS_OF_FILE, &n));
      if (training_is_root(comm)) EXPECT_OK(read_predictions(output[k], values[k]));
    }
    for (int j = 0; j < N_TEST * 3; j++)
      EXPECT(fabsf(values[0][j] - values[1][j]) < 1e-5F, "output %d: %g and %g", j, (double)values[0][j],
             (double)values[1][j]);
    if (i == 0)
      EXPECT_FAILS(tutti_train_predict_checkpoint(comm, checkpoint, data, "x_test", false, output[0],
                                                  TUTTI_WEIGHTS_OF_FILE, &n),
                   TUTTI_ERR_DATA,
                   "array 'x_test' contains numbers, but the network is trained on rows of bytes");
  }
  training_folder_remove(comm, &folder);
}

/** Training to give back the bytes is training to give these / 255, which are there as floats. */
static void features_as_targets_are_scaled(const tutti_comm *comm) {
  static const char *const losses[] = {"binary_crossentropy", "mean_squared_error", "huber"};
  training_folder folder;
  training_folder_make(comm, &folder);
  for (int i = 0; i < 3; i++) {
    char yaml[600], checkpoint[TRAINING_TEXT], metric[32];
    tutti_train_result own, other;
    tutti_evaluation measured = {0};
    snprintf(yaml, sizeof yaml,
             "data: {x_train: bytes_train, x_test: bytes_test, y_train: bytes_train, y_test: bytes_test}\n"
             "model: {layers: [dense 8 relu, dense 12 sigmoid], loss: %s}\n" COMMON "run: {resume: no}\n",
             losses[i]);
    EXPECT_OK(training_run(comm, &folder, "own", yaml, NULL, &own));
    EXPECT_OK(training_run(comm, &folder, "other", yaml,
                           (training_overrides){"data.y_train=parts_train", "data.y_test=parts_test"},
                           &other));
    EXPECT(fabs(own.test.loss - other.test.loss) < 1e-6 * other.test.loss, "%s: %g and %g", losses[i],
           own.test.loss, other.test.loss);
    training_path(&folder, "", "own/checkpoint.h5", checkpoint);
    EXPECT_OK(tutti_train_evaluate_checkpoint(comm, checkpoint, NULL, false, TUTTI_SPLIT_TEST,
                                              TUTTI_WEIGHTS_OF_FILE, metric, &measured));
    EXPECT(fabs(own.test.loss - measured.loss) < 1e-6 * own.test.loss, "evaluated: %g and %g", own.test.loss,
           measured.loss);
    EXPECT_FAILS(
        training_run(comm, &folder, "own", yaml,
                     (training_overrides){"data.scale=standardize", "model.loss=binary_crossentropy"}, &own),
        TUTTI_ERR_DATA, "as it is scaled, expected 0, 1 or a probability in between");
  }
  training_folder_remove(comm, &folder);
}

/** Labels smoothed by 0.3 are 0.8 and 0.1. */
static void soft_labels_are_trained_as_smoothed_ones(const tutti_comm *comm) {
  char yaml[600];
  training_folder folder;
  tutti_train_result soft, smoothed;
  training_folder_make(comm, &folder);
  make_yaml("soft", "layers: [dense 8 relu, dense 3 softmax]", yaml, sizeof yaml);
  EXPECT_OK(training_run(comm, &folder, "soft", yaml, NULL, &soft));
  make_yaml("one_hot", "layers: [dense 8 relu, dense 3 softmax], label_smoothing: 0.3", yaml, sizeof yaml);
  EXPECT_OK(training_run(comm, &folder, "smoothed", yaml, NULL, &smoothed));
  EXPECT(soft.test.metric == smoothed.test.metric && fabs(soft.test.loss - smoothed.test.loss) < 1e-6,
         "test loss %g and %g, accuracy %g and %g", soft.test.loss, smoothed.test.loss, soft.test.metric,
         smoothed.test.metric);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(classes_are_what_the_accuracy_counts),
      MPI_TEST(labels_that_the_loss_does_not_know_are_refused),
      MPI_TEST(the_output_is_another_file),
      MPI_TEST(rows_of_another_type_mean_the_same),
      MPI_TEST(features_as_targets_are_scaled),
      MPI_TEST(soft_labels_are_trained_as_smoothed_ones),
  };
  return mpi_main("predict", tests, sizeof tests / sizeof tests[0]);
}
