/** Curvature around a checkpoint: a quadratic bowl with known results, the same results at each number of ranks, and the
 * random subspace. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curvature/curvature_impl.h"
#include "support/training.h"
#include "tutti/curvature.h"
#include "tutti/io.h"

static const double epsilons[] = {1e-3, 5e-4};

static tutti_curvature_options usual(void) {
  return (tutti_curvature_options){
      .epsilons = epsilons, .n_epsilons = 2, .subspace = 20, .tolerance = 1e-3, .max_products = 200};
}

// --- a bowl --------------------------------------------------------------------------------------------------

enum { D = 5, N = 2 * D };

/** Samples +a_j and -a_j on each axis, with target 0: the loss is the mean of (x w)^2, sum of h_j w_j^2 / 2 with
 * h_j = 4 a_j^2 / N. */
static double axis_length(int j) {
  return 1 + 0.5 * j;
}

static double curvature(int j) {
  return 4 * axis_length(j) * axis_length(j) / N;
}

static tutti_status write_bowl(const char *path) {
  float x[N * D] = {0}, y[N] = {0};
  for (int i = 0; i < N; i++) x[i * D + i / 2] = (float)((i % 2 ? -1 : 1) * axis_length(i / 2));
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "x_train", TUTTI_F32, 2, (int64_t[]){N, D}, 0, x));
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "y_train", TUTTI_F32, 1, (int64_t[]){N}, 0, y));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

static tutti_status read_weights(const char *checkpoint, float *weights) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(checkpoint, &file));
  TUTTI_TRY_GOTO(done, tutti_file_read_rows(file, "/model/weights/dense/kernel", TUTTI_F32, 0, D, weights));
done:
  tutti_file_close(&file);
  return status;
}

/** The largest value in the box.  The function is a sum of convex functions of one weight each, so each weight is at its
 * farther end. */
static double highest(const float *w, double epsilon) {
  double sum = 0;
  for (int j = 0; j < D; j++) {
    const double far = fabs((double)w[j]) + epsilon * (fabs((double)w[j]) + 1);
    sum += curvature(j) / 2 * far * far;
  }
  return sum;
}

/** If the subspace is the whole space with a basis A, the box |y_i| <= epsilon (|(A+ w)_i| + 1) has its highest points at
 * corners, so the result must be the height of a corner. */
static void expect_a_corner(const tutti_comm *comm, const float *w, double epsilon, double found) {
  tutti_curvature_subspace basis = {0};
  double center[D], size[D], moved[D], loss = highest(w, 0), nearest = INFINITY;
  for (int j = 0; j < D; j++) center[j] = (double)w[j];
  EXPECT_OK(tutti_curvature_subspace_create(comm, D, D, 0, &basis));
  EXPECT_OK(tutti_curvature_subspace_solve(&basis, center, size));
  for (int corner = 0; corner < 1 << D; corner++) {
    double y[D], height = 0;
    for (int j = 0; j < D; j++) y[j] = (corner >> j & 1 ? 1 : -1) * epsilon * (fabs(size[j]) + 1);
    EXPECT_OK(tutti_curvature_subspace_apply(&basis, y, moved));
    for (int j = 0; j < D; j++) height += curvature(j) / 2 * pow(center[j] + moved[j], 2);
    const double expected = 100 * (height - loss) / (1 + loss);
    if (fabs(found - expected) < fabs(found - nearest)) nearest = expected;
  }
  EXPECT(fabs(found - nearest) < 1e-3 * nearest, "%g, expected that of a corner, as %g", found, nearest);
  tutti_curvature_subspace_destroy(&basis);
}

static void a_bowl_is_as_sharp_as_it_is(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found = {0};
  char bowl[TRAINING_TEXT], setting[TRAINING_TEXT], checkpoint[TRAINING_TEXT];
  float w[D] = {0};
  training_folder_make(comm, &folder);
  training_path(&folder, "", "bowl.h5", bowl);
  training_path(&folder, "data.file=", "bowl.h5", setting);
  EXPECT_OK(tutti_comm_agree_from(comm, 0, tutti_comm_rank(comm) == 0 ? write_bowl(bowl) : TUTTI_OK));
  EXPECT_OK(training_run(comm, &folder, "bowl",
                         "model: {layers: [dense 1 bias=no]}\n"
                         "optimizer: {name: sgd, learning_rate: 0.01}\n"
                         "schedule: {decay: step, decay_rate: 0.5, decay_every: 2 steps}\n"
                         "train: {batch_size: 10, steps: 3}\n",
                         (training_overrides){setting, NULL}, &trained));
  training_path(&folder, "", "bowl/checkpoint.h5", checkpoint);
  EXPECT_OK(read_weights(checkpoint, w));
  tutti_curvature_options options = usual();
  options.subspace = D;
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  const double loss = highest(w, 0);
  EXPECT(found.samples == N, "%lld", (long long)found.samples);
  EXPECT(fabs(found.train_loss - loss) < 1e-6 * loss, "%g, expected %g", found.train_loss, loss);
  EXPECT(fabs(found.learning_rate - 0.005) < 1e-12, "%g", found.learning_rate);
  EXPECT(fabs(found.lambda_max - curvature(D - 1)) < 1e-5, "%g, expected %g", found.lambda_max,
         curvature(D - 1));
  EXPECT(fabs(found.lambda_min - curvature(0)) < 1e-5, "%g, expected %g", found.lambda_min, curvature(0));
  for (int i = 0; i < 2; i++) {
    const double expected = 100 * (highest(w, epsilons[i]) - loss) / (1 + loss);
    EXPECT(fabs(found.full[i] - expected) < 1e-3 * expected, "%g, expected %g", found.full[i], expected);
    expect_a_corner(comm, w, epsilons[i], found.inside[i]);
  }
  training_folder_remove(comm, &folder);
}

// --- a network -----------------------------------------------------------------------------------------------

static void expect_near(double a, double b, const char *what) {
  EXPECT(fabs(a - b) <= 1e-6 * fabs(b), "%s is %.12g, on one rank %.12g", what, a, b);
}

/** The learning rate is that of the training, even if the file that is measured has more samples. */
static void a_file_of_other_size_has_the_same_rate(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found = {0};
  char checkpoint[TRAINING_TEXT], file[TRAINING_TEXT];
  tutti_curvature_options options = usual();
  options.n_epsilons = 0;
  options.file = file;
  training_folder_make(comm, &folder);
  training_path(&folder, "", "data.h5", file);
  EXPECT_OK(training_run(comm, &folder, "net",
                         "data: {limit_train: 90}\n"
                         "model: {layers: [dense 3 softmax]}\n"
                         "optimizer: {name: sgd, learning_rate: 0.01}\n"
                         "schedule: {decay: step, decay_rate: 0.5, decay_every: 2 steps, warmup: 1 step}\n"
                         "train: {batch_size: 30, steps: 7}\n",
                         NULL, &trained));
  training_path(&folder, "", "net/checkpoint.h5", checkpoint);
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  EXPECT(found.samples > 90, "%lld", (long long)found.samples);
  EXPECT(fabs(found.learning_rate - 0.0025) < 1e-12, "%g", found.learning_rate);
  training_folder_remove(comm, &folder);
}

/** The same holds if the run continued with other data: 2 epochs of 90 samples, then 3 of 60. */
static void so_has_one_after_other_data(const tutti_comm *comm) {
  static const char yaml[] = "model: {layers: [dense 3 softmax]}\n"
                             "optimizer: {name: sgd, learning_rate: 0.01}\n"
                             "train: {batch_size: 30}\n";
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found = {0};
  char checkpoint[TRAINING_TEXT], file[TRAINING_TEXT], resume[TRAINING_TEXT];
  tutti_curvature_options options = usual();
  options.n_epsilons = 0;
  options.file = file;
  training_folder_make(comm, &folder);
  training_path(&folder, "", "data.h5", file);
  EXPECT_OK(training_run(comm, &folder, "first", yaml,
                         (training_overrides){"data.limit_train=90", "train.epochs=2"}, &trained));
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  EXPECT_OK(training_run(
      comm, &folder, "second", yaml,
      (training_overrides){resume, "data.limit_train=60", "train.epochs=5", "schedule.decay=cosine"},
      &trained));
  EXPECT(trained.row.samples == 2 * 90 + 3 * 60, "%lld samples", (long long)trained.row.samples);
  training_path(&folder, "", "second/checkpoint.h5", checkpoint);
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  const double rate = 0.005 * (1 + cos(acos(-1.0) * 4.5 / 5));
  EXPECT(fabs(found.learning_rate - rate) < 1e-12, "%g, expected %g", found.learning_rate, rate);
  training_folder_remove(comm, &folder);
}

/** Growth beyond the largest batch divides the rate instead: 4 times 10 samples are more than 20. */
static void growth_is_in_the_rate(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found = {0};
  char checkpoint[TRAINING_TEXT];
  tutti_curvature_options options = usual();
  options.n_epsilons = 0;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(
      comm, &folder, "net",
      "model: {layers: [dense 3 softmax]}\n"
      "optimizer: {name: sgd, learning_rate: 0.01}\n"
      "schedule: {batch_growth: step, batch_milestones: 2 steps, batch_factor: 4, batch_max: 20}\n"
      "train: {batch_size: 10, steps: 3}\n",
      NULL, &trained));
  training_path(&folder, "", "net/checkpoint.h5", checkpoint);
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  EXPECT(fabs(found.learning_rate - 0.005) < 1e-12, "%g", found.learning_rate);
  training_folder_remove(comm, &folder);
}

/** A micro-batch size that is valid on the ranks of the training may be invalid on another number of ranks. */
static void micro_batches_of_the_training_do_not_matter(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found = {0}, alone = {0};
  char checkpoint[TRAINING_TEXT], setting[64];
  tutti_curvature_options options = usual();
  options.n_epsilons = 0;
  training_folder_make(comm, &folder);
  snprintf(setting, sizeof setting, "train.micro_batch_size=%d", (96 - 1) / tutti_comm_size(comm) + 1);
  EXPECT_OK(training_run(comm, &folder, "net",
                         "model: {layers: [dense 9 tanh, batch_norm, dense 3 softmax]}\n"
                         "train: {batch_size: 96, steps: 2}\n",
                         (training_overrides){setting, NULL}, &trained));
  training_path(&folder, "", "net/checkpoint.h5", checkpoint);
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  EXPECT_OK(tutti_curvature_of_checkpoint(folder.self, checkpoint, &options, &alone));
  expect_near(found.lambda_max, alone.lambda_max, "lambda_max");
  training_folder_remove(comm, &folder);
}

static void ranks_make_no_difference(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found = {0}, alone = {0};
  char checkpoint[TRAINING_TEXT], metric[32];
  tutti_evaluation evaluated;
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "net",
                   "data: {y_train: y_train, y_test: y_test, validation_split: 0.1}\n"
                   "model:\n  layers: [dense 9 tanh l2=0.01, dropout 0.2, batch_norm, dense 3 softmax]\n"
                   "  label_smoothing: 0.1\n"
                   "train: {batch_size: 50, epochs: 2}\n",
                   NULL, &trained));
  training_path(&folder, "", "net/checkpoint.h5", checkpoint);
  const tutti_curvature_options options = usual();
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  EXPECT_OK(tutti_curvature_of_checkpoint(folder.self, checkpoint, &options, &alone));
  EXPECT_OK(tutti_train_evaluate_checkpoint(comm, checkpoint, NULL, false, TUTTI_SPLIT_TRAIN,
                                            TUTTI_WEIGHTS_OF_FILE, metric, &evaluated));
  EXPECT(fabs(found.train_loss - evaluated.loss) < 1e-6, "%.9g, eval says %.9g", found.train_loss,
         evaluated.loss);
  expect_near(found.train_loss, alone.train_loss, "train_loss");
  expect_near(found.lambda_max, alone.lambda_max, "lambda_max");
  expect_near(found.lambda_min, alone.lambda_min, "lambda_min");
  EXPECT(found.n_products == alone.n_products, "%d and %d products", (int)found.n_products,
         (int)alone.n_products);
  EXPECT(found.lambda_residual < 1e-3 * found.lambda_max, "%g", found.lambda_residual);
  for (int i = 0; i < 2; i++) {
    expect_near(found.full[i], alone.full[i], "sharpness");
    expect_near(found.inside[i], alone.inside[i], "sharpness in the subspace");
    EXPECT(found.full[i] > 0 && found.inside[i] > 0, "%g, %g", found.full[i], found.inside[i]);
  }
  EXPECT(found.full[0] > found.full[1], "%g in the larger box, %g in the smaller", found.full[0],
         found.full[1]);
  training_folder_remove(comm, &folder);
}

static void wrong_options_are_refused(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found;
  char checkpoint[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "net",
                         "data: {y_train: real_train, y_test: real_test}\nmodel: {layers: [dense 1]}\n"
                         "train: {steps: 2}\n",
                         NULL, &trained));
  training_path(&folder, "", "net/checkpoint.h5", checkpoint);
  tutti_curvature_options options = usual();
  EXPECT_FAILS(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found), TUTTI_ERR_USAGE,
               "has 13 weights; give at most that many dimensions");
  options.subspace = 13;
  options.limit_train = 7; // fewer than some numbers of ranks
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  EXPECT(found.samples == 7, "%lld", (long long)found.samples);
  training_folder_remove(comm, &folder);
}

/** If a rank fails, in the first gradient, in a product or in the search, the measurement ends on all ranks. */
static void no_rank_is_left_alone(const tutti_comm *comm) {
  static const struct {
    const char *site;
    bool last; // the last rank fails, else rank 0
    int nth;
  } faults[] = {{"objective", true, 1},   {"objective", true, 3},      {"objective", true, 10},
                {"objective", false, 11}, {"sharpness_max", false, 1}, {"sharpness_max", false, 4}};
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found;
  char checkpoint[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "net",
                         "model: {layers: [dense 9 tanh, dense 3 softmax]}\ntrain: {steps: 5}\n", NULL,
                         &trained));
  training_path(&folder, "", "net/checkpoint.h5", checkpoint);
  tutti_curvature_options options = usual();
  options.max_products = 5;
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    char fault[64];
    snprintf(fault, sizeof fault, "%s:%d:%d", faults[i].site, faults[i].last ? tutti_comm_size(comm) - 1 : 0,
             faults[i].nth);
    setenv("TUTTI_FAULT", fault, 1);
    EXPECT_FAILS(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found), TUTTI_ERR_INTERNAL,
                 "fault injected at");
    unsetenv("TUTTI_FAULT");
  }
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  training_folder_remove(comm, &folder);
}

/** The box is so wide that the search does not end early: ten iterations take at least eleven evaluations, and at most a few
 * more. */
static void the_search_has_ten_iterations(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result trained;
  tutti_curvature_result found;
  char checkpoint[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "net",
                         "model: {layers: [dense 9 tanh, dense 3 softmax]}\ntrain: {steps: 5}\n", NULL,
                         &trained));
  training_path(&folder, "", "net/checkpoint.h5", checkpoint);
  tutti_curvature_options options = usual();
  options.max_products = 5;
  options.epsilons = (const double[]){1};
  options.n_epsilons = 1;
  options.subspace = 0;
  setenv("TUTTI_FAULT", "sharpness_max:0:11", 1);
  EXPECT_FAILS(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found), TUTTI_ERR_INTERNAL,
               "fault injected at");
  setenv("TUTTI_FAULT", "sharpness_max:0:26", 1);
  EXPECT_OK(tutti_curvature_of_checkpoint(comm, checkpoint, &options, &found));
  unsetenv("TUTTI_FAULT");
  training_folder_remove(comm, &folder);
}

// --- the subspace --------------------------------------------------------------------------------------------

enum { ROWS = 301, P = 7 };

static void a_subspace_is_the_same_everywhere(const tutti_comm *comm) {
  tutti_comm *self = NULL;
  tutti_curvature_subspace shared = {0}, alone = {0};
  double y[P], x[ROWS], x_alone[ROWS], back[P], rest[P];
  EXPECT_OK(tutti_comm_split(comm, tutti_comm_rank(comm), &self));
  EXPECT_OK(tutti_curvature_subspace_create(comm, ROWS, P, 5, &shared));
  EXPECT_OK(tutti_curvature_subspace_create(self, ROWS, P, 5, &alone));
  for (int k = 0; k < P; k++) y[k] = cos(k);
  EXPECT_OK(tutti_curvature_subspace_apply(&shared, y, x));
  EXPECT_OK(tutti_curvature_subspace_apply(&alone, y, x_alone));
  EXPECT(memcmp(x, x_alone, sizeof x) == 0, "A y is another with several ranks");
  // A point of the subspace has the coordinates that it was made with.  The rest of any other point is orthogonal to the
  // subspace.
  EXPECT_OK(tutti_curvature_subspace_solve(&shared, x, back));
  for (int k = 0; k < P; k++)
    EXPECT(fabs(back[k] - y[k]) < 1e-12, "%d: %.15g, expected %.15g", k, back[k], y[k]);
  for (int i = 0; i < ROWS; i++) x[i] = sin(i * 0.3) + 1;
  EXPECT_OK(tutti_curvature_subspace_solve(&shared, x, back));
  EXPECT_OK(tutti_curvature_subspace_apply(&shared, back, x_alone));
  for (int i = 0; i < ROWS; i++) x[i] -= x_alone[i];
  EXPECT_OK(tutti_curvature_subspace_apply_transposed(&shared, x, rest));
  for (int k = 0; k < P; k++) EXPECT(fabs(rest[k]) < 1e-11, "%d: %g is left", k, rest[k]);
  tutti_curvature_subspace_destroy(&alone);
  tutti_curvature_subspace_destroy(&shared);
  tutti_comm_destroy(&self);
}

/** The means of the numbers, of their squares and of products of neighbours are within five standard deviations. */
static void its_numbers_are_normal(const tutti_comm *comm) {
  enum { MANY = 4000 };
  static double columns[2][MANY];
  tutti_curvature_subspace subspace = {0};
  EXPECT_OK(tutti_curvature_subspace_create(comm, MANY, 2, 1, &subspace));
  EXPECT_OK(tutti_curvature_subspace_apply(&subspace, (double[]){1, 0}, columns[0]));
  EXPECT_OK(tutti_curvature_subspace_apply(&subspace, (double[]){0, 1}, columns[1]));
  double mean = 0, square = 0, product = 0;
  for (int i = 0; i < MANY; i++) {
    mean += (columns[0][i] + columns[1][i]) / (2 * MANY);
    square += (columns[0][i] * columns[0][i] + columns[1][i] * columns[1][i]) / (2 * MANY);
    product += columns[0][i] * columns[1][i] / MANY;
  }
  EXPECT(fabs(mean) < 0.056 && fabs(square - 1) < 0.08 && fabs(product) < 0.08, "%g, %g, %g", mean, square,
         product);
  tutti_curvature_subspace_destroy(&subspace);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(a_bowl_is_as_sharp_as_it_is),
      MPI_TEST(ranks_make_no_difference),
      MPI_TEST(micro_batches_of_the_training_do_not_matter),
      MPI_TEST(a_file_of_other_size_has_the_same_rate),
      MPI_TEST(so_has_one_after_other_data),
      MPI_TEST(growth_is_in_the_rate),
      MPI_TEST(wrong_options_are_refused),
      MPI_TEST(no_rank_is_left_alone),
      MPI_TEST(the_search_has_ten_iterations),
      MPI_TEST(a_subspace_is_the_same_everywhere),
      MPI_TEST(its_numbers_are_normal),
  };
  return mpi_main("curvature", tests, sizeof tests / sizeof tests[0]);
}
