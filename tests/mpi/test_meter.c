/** What a training measures: against known answers, on any number of ranks, and through a resume. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/training.h"

/** 333 samples in batches of 50: seven steps an epoch, the last of 33. */
static const char yaml[] =
    "model: {layers: [dense 24 tanh, dropout 0.2, prelu, dense 40 relu bias=no l2=1e-3, dense 3 softmax]}\n"
    "optimizer: {name: sgd, learning_rate: 0.1}\n"
    "train: {batch_size: 50, steps: 20, seed: 5}\n"
    "run: {measure: all, measure_every: 1 step, metrics_every: 1 step}\n";

/** Whatever divides the batch. */
static const char *const all_columns[] = {"grad_norm",
                                          "trace",
                                          "grad_squared",
                                          "noise_scale",
                                          "adascale_gain",
                                          "adascale_steps",
                                          "example_trace",
                                          "example_grad_squared",
                                          "example_noise_scale",
                                          "diversity",
                                          "distance",
                                          "weight_norm",
                                          "update_norm",
                                          "grad_norm.dense",
                                          "weight_norm.dense_1",
                                          "update_norm.p_re_lu",
                                          "grad_norm.dense_2"};
enum { N_COLUMNS = sizeof all_columns / sizeof *all_columns };

/** A column of one run and a column of another agree in each row, NaN with NaN. */
static void compare(const training_folder *folder, const char *table, const char *a, const char *column_a,
                    const char *b, const char *column_b, double relative) {
  double *x = NULL, *y = NULL;
  const int64_t n = training_column(folder, a, table, column_a, &x);
  const int64_t m = training_column(folder, b, table, column_b, &y);
  EXPECT(n == m && n > 0, "%s of %s has %lld rows, %s of %s %lld", column_a, a, (long long)n, column_b, b,
         (long long)m);
  // A noise scale is a quotient, whose denominator may be near 0: in proportion to the largest.
  double largest = 0;
  for (int64_t i = 0; i < n && n == m; i++) largest = fmax(largest, isnan(x[i]) ? 0 : fabs(x[i]));
  for (int64_t i = 0; i < n && n == m; i++)
    EXPECT(isnan(x[i]) ? isnan(y[i]) : fabs(x[i] - y[i]) <= relative * largest,
           "%s: row %lld: %s of %s is %.9g, %s of %s %.9g", table, (long long)i, column_a, a, x[i], column_b,
           b, y[i]);
  EXPECT(n != m || largest > 0, "%s of %s has no value", column_a, a);
  free(x);
  free(y);
}

static void compare_all(const training_folder *folder, const char *table, const char *a, const char *b,
                        const char *const *columns, int n, double relative) {
  for (int i = 0; i < n; i++) compare(folder, table, a, columns[i], b, columns[i], relative);
}

static void train(const tutti_comm *comm, const training_folder *folder, const char *name,
                  const training_overrides overrides) {
  tutti_train_result result;
  EXPECT_OK(training_run(comm, folder, name, yaml, overrides, &result));
}

/** Rounding of the training itself: float. */
static const double rounding = 1e-3;

static void columns_do_not_depend_on_ranks(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  const training_overrides tree = {"parallel.reduce=tree", "parallel.leaves=12"};
  if (training_is_root(comm)) {
    train(folder.self, &folder, "alone", NULL);
    train(folder.self, &folder, "tree-alone", tree);
  }
  train(comm, &folder, "shared", (training_overrides){"parallel.reduce=shared"});
  train(comm, &folder, "flat", (training_overrides){"parallel.reduce=flat"});
  train(comm, &folder, "small", (training_overrides){"train.micro_batch_size=7"});
  train(comm, &folder, "clipped", (training_overrides){"optimizer.global_clipnorm=100"});
  train(comm, &folder, "tree", tree);
  if (training_is_root(comm)) {
    const char *const runs[] = {"shared", "flat", "small", "clipped", "tree"};
    for (int i = 0; i < 5; i++) {
      compare_all(&folder, "steps", "alone", runs[i], all_columns, N_COLUMNS, rounding);
      compare_all(&folder, "epochs", "alone", runs[i], all_columns, N_COLUMNS, rounding);
    }
    // The weights are the same to the bit, and so are the sums of leaves.
    compare_all(&folder, "steps", "tree-alone", "tree", all_columns, N_COLUMNS, 1e-9);
    compare_all(&folder, "epochs", "tree-alone", "tree", all_columns, N_COLUMNS, 1e-9);
  }
  training_folder_remove(comm, &folder);
}

/** |g|^2 of each step into squares[max]; gives how many. */
static int64_t squares_of_steps(const training_folder *folder, const char *name, double *squares, int max) {
  double *norms = NULL;
  const int64_t n = training_column(folder, name, "steps", "grad_norm", &norms);
  EXPECT(n > 0 && n <= max, "%s: %lld rows", name, (long long)n);
  for (int64_t i = 0; i < n && n <= max; i++) squares[i] = norms[i] * norms[i];
  free(norms);
  return n;
}

/** In each step of `whole`, with weights that stay as they are, the trace is that of its parts of b samples, whose
 * gradients are the steps of `parts`. */
static void check_trace(const training_folder *folder, const char *whole, const char *parts, int b,
                        int n_parts) {
  enum { MAX = 400 };
  double of_whole[MAX], of_parts[MAX], *trace = NULL;
  const int64_t n = squares_of_steps(folder, whole, of_whole, MAX);
  EXPECT(squares_of_steps(folder, parts, of_parts, MAX) == n * n_parts, "%s", parts);
  EXPECT(training_column(folder, whole, "steps", "trace", &trace) == n, "%s: no trace", whole);
  for (int64_t i = 0; i < n && trace; i++) {
    double sum = 0;
    for (int k = 0; k < n_parts; k++) sum += b * of_parts[i * n_parts + k];
    const double expected = (sum - b * n_parts * of_whole[i]) / (n_parts - 1);
    EXPECT(fabs(trace[i] - expected) <= 1e-4 * expected, "%s, step %lld: %.9g, expected %.9g", whole,
           (long long)i + 1, trace[i], expected);
  }
  free(trace);
}

#define STILL "optimizer.learning_rate=0", "train.shuffle=no", "train.last_batch=drop"

/** No gradient of one sample is formed, but its norm is known: that of a batch of one. */
static void the_trace_is_that_of_single_samples(const tutti_comm *comm) {
  static const char layers[] =
      "model.layers=dense 24 tanh, prelu, dense 40 relu bias=no l2=1e-3, dense 3 softmax";
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "whole", (training_overrides){layers, STILL, "train.steps=6"});
  train(comm, &folder, "one", (training_overrides){layers, STILL, "train.steps=300", "train.batch_size=1"});
  if (training_is_root(comm)) {
    check_trace(&folder, "whole", "one", 1, 50);
    compare(&folder, "steps", "whole", "trace", "whole", "example_trace", 0);
    compare(&folder, "steps", "whole", "grad_squared", "whole", "example_grad_squared", 0);
    compare(&folder, "steps", "whole", "noise_scale", "whole", "example_noise_scale", 0);
  }
  training_folder_remove(comm, &folder);
}

#define GROUPED "model.layers=dense 24 bias=no, batch_norm ghost=5, dense 3 softmax"

/** With batch_norm it is that of ghost groups: each is a batch of its own elsewhere, whatever the ranks here. */
static void with_batch_norm_it_is_that_of_ghost_groups(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  const training_overrides tree = {
      GROUPED, STILL, "train.steps=8", "train.batch_size=40", "parallel.reduce=tree", "parallel.leaves=4"};
  train(comm, &folder, "whole", (training_overrides){GROUPED, STILL, "train.steps=8", "train.batch_size=40"});
  train(comm, &folder, "tree", tree);
  train(comm, &folder, "group", (training_overrides){GROUPED, STILL, "train.steps=64", "train.batch_size=5"});
  if (training_is_root(comm)) {
    check_trace(&folder, "whole", "group", 5, 8);
    check_trace(&folder, "tree", "group", 5, 8);
    compare(&folder, "steps", "whole", "adascale_gain", "tree", "adascale_gain", 1e-4);
  }
  training_folder_remove(comm, &folder);
}

/** Statistics of the whole batch, or of groups that leaves share: there are no parts that stand for themselves. */
static void what_has_no_parts_has_no_noise(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "whole", (training_overrides){"model.layers=dense 24, batch_norm, dense 3 softmax"});
  train(comm, &folder, "shared", (training_overrides){GROUPED, "parallel.reduce=tree", "parallel.leaves=20"});
  train(comm, &folder, "micro", (training_overrides){GROUPED, "train.micro_batch_size=10"});
  if (training_is_root(comm)) {
    const char *const runs[] = {"whole", "shared", "micro"};
    for (int i = 0; i < 3; i++) {
      double *values = NULL;
      const int64_t n = training_column(&folder, runs[i], "steps", "trace", &values);
      EXPECT(n == 20, "%s: %lld rows", runs[i], (long long)n);
      for (int64_t k = 0; k < n; k++) EXPECT(isnan(values[k]), "%s: %g", runs[i], values[k]);
      free(values);
    }
  }
  training_folder_remove(comm, &folder);
}

static void check_whole_batch(const training_folder *folder, const char *name) {
  double *norms = NULL, *squares = NULL;
  const int64_t n = training_column(folder, name, "steps", "grad_norm", &norms);
  EXPECT(n > 0 && training_column(folder, name, "steps", "grad_squared", &squares) == n, "%s", name);
  for (int64_t i = 0; i < n; i++)
    EXPECT(fabs(squares[i] - norms[i] * norms[i]) <= 1e-12 * squares[i], "%.17g and %.17g", squares[i],
           norms[i] * norms[i]);
  free(norms);
  free(squares);
}

/** Without replacement the mean gradient of all samples is known, not estimated. */
static void a_batch_of_all_samples_has_the_square_itself(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "shards", (training_overrides){"train.batch_size=333", "train.micro_batch_size=100"});
  train(comm, &folder, "leaves", (training_overrides){"train.batch_size=333", "parallel.reduce=tree"});
  if (training_is_root(comm)) {
    check_whole_batch(&folder, "shards");
    check_whole_batch(&folder, "leaves");
  }
  training_folder_remove(comm, &folder);
}

/** One column of the first step. */
static double first_of(const training_folder *folder, const char *name, const char *column) {
  double *values = NULL;
  const int64_t n = training_column(folder, name, "steps", column, &values);
  EXPECT(n > 0, "%s: no %s", name, column);
  const double first = n > 0 ? values[0] : NAN;
  free(values);
  return first;
}

/** A first step of plain sgd goes the learning rate times the gradient; nothing that is done to a gradient after it was
 * taken shows in its norm. */
static void norms_are_those_of_a_step_of_sgd(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "plain", (training_overrides){"model.layers=dense 24 tanh, dense 3 softmax"});
  train(comm, &folder, "more",
        (training_overrides){"model.layers=dense 24 tanh l2=0.5, dense 3 softmax l1=0.1",
                             "optimizer.global_clipnorm=0.01", "optimizer.momentum=0.9"});
  train(comm, &folder, "lars",
        (training_overrides){"model.layers=dense 24 tanh l2=0.5, dense 3 softmax", "optimizer.name=lars",
                             "optimizer.weight_decay=0.1"});
  if (training_is_root(comm)) {
    const double norm = first_of(&folder, "plain", "grad_norm");
    const double update = first_of(&folder, "plain", "update_norm");
    EXPECT(fabs(update - 0.1 * norm) <= 1e-5 * update, "update %.9g, gradient %.9g", update, norm);
    EXPECT(fabs(first_of(&folder, "plain", "distance") - update) <= 1e-9 * update, "distance %.9g of %.9g",
           first_of(&folder, "plain", "distance"), update);
    const char *const others[] = {"more", "lars"};
    for (int i = 0; i < 2; i++) {
      EXPECT(fabs(first_of(&folder, others[i], "grad_norm") - norm) <= 1e-6 * norm, "%s: %.9g and %.9g",
             others[i], first_of(&folder, others[i], "grad_norm"), norm);
      EXPECT(fabs(first_of(&folder, others[i], "distance") - first_of(&folder, others[i], "update_norm")) <=
                 1e-6 * first_of(&folder, others[i], "distance"),
             "%s: distance %.9g, update %.9g", others[i], first_of(&folder, others[i], "distance"),
             first_of(&folder, others[i], "update_norm"));
    }
    const double clipped = first_of(&folder, "more", "update_norm");
    EXPECT(clipped <= 0.1 * 0.01 * 1.0001, "a clipped step of %.9g", clipped);
    double squares = 0;
    squares += pow(first_of(&folder, "plain", "grad_norm.dense"), 2);
    squares += pow(first_of(&folder, "plain", "grad_norm.dense_1"), 2);
    EXPECT(fabs(squares - norm * norm) <= 1e-12 * squares, "layers %.17g, all %.17g", squares, norm * norm);
  }
  training_folder_remove(comm, &folder);
}

/** The weights stay the same to the bit, and rows without a measured step have no values. */
static void measuring_changes_nothing(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "all", (training_overrides){"run.measure_every=3 steps"});
  tutti_train_result result;
  char without[sizeof yaml];
  snprintf(without, sizeof without, "%.*srun: {metrics_every: 1 step}\n", (int)(strstr(yaml, "run:") - yaml),
           yaml);
  EXPECT_OK(training_run(comm, &folder, "none", without, NULL, &result));
  if (training_is_root(comm)) {
    EXPECT(training_difference(&folder, "none", "all") == 0, "the weights differ");
    double *values = NULL;
    EXPECT(training_column(&folder, "none", "steps", "grad_norm", &values) == -1, "a column of nothing");
    free(values);
    EXPECT(training_column(&folder, "all", "steps", "grad_norm", &values) == 20, "20 rows");
    for (int i = 0; i < 20 && values; i++)
      EXPECT(isnan(values[i]) == ((i + 1) % 3 != 0), "step %d: %g", i + 1, values[i]);
    free(values);
  }
  training_folder_remove(comm, &folder);
}

/** The steps of `name` that are measured: the first, and each `every` after it. */
static void check_measured(const training_folder *folder, const char *name, int64_t n_steps, int every) {
  double *values = NULL;
  const int64_t n = training_column(folder, name, "steps", "grad_norm", &values);
  EXPECT(n == n_steps, "%lld rows", (long long)n);
  for (int64_t i = 0; n == n_steps && i < n; i++)
    EXPECT(isnan(values[i]) == (i % every != 0), "step %lld: %g", (long long)i + 1, values[i]);
  free(values);
}

/** By default as often in samples, whatever the batch has grown to: 333 of them from step 8 on, each 12 steps. */
static void a_batch_that_grows_is_measured_as_often(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "run",
        (training_overrides){"train.steps=40", "run.measure_every=0", "run.measure=norms",
                             "schedule.batch_growth=step", "schedule.batch_milestones=1 epoch",
                             "schedule.batch_factor=100"});
  if (training_is_root(comm)) check_measured(&folder, "run", 40, 12);
  training_folder_remove(comm, &folder);
}

/** Epochs of 256 and 77 samples, each 16th step is measured: never the short ones alone. */
static void short_batches_do_not_stand_for_all(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "run",
        (training_overrides){"train.batch_size=256", "train.steps=34", "run.measure_every=0"});
  if (training_is_root(comm)) check_measured(&folder, "run", 34, 16);
  training_folder_remove(comm, &folder);
}

/** Samples that share their statistics have no gradients of their own; their groups have. */
static void batch_norm_has_no_examples(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "run", (training_overrides){GROUPED, "parallel.reduce=tree", "parallel.leaves=5"});
  if (training_is_root(comm)) {
    double *values = NULL;
    EXPECT(training_column(&folder, "run", "steps", "example_trace", &values) == -1, "there are examples");
    free(values);
    EXPECT(training_column(&folder, "run", "steps", "trace", &values) == 20 && values[0] > 0, "no trace");
    free(values);
  }
  training_folder_remove(comm, &folder);
}

/** Averages, sums and distances go on where they were, in mid-epoch and between two measured steps, on other ranks. */
static void a_resumed_run_measures_on(const tutti_comm *comm) {
  const training_overrides tree = {"parallel.reduce=tree", "run.measure_every=2 steps",
                                   "run.metrics_every=3 steps"};
  const training_overrides part = {"parallel.reduce=tree", "run.measure_every=2 steps",
                                   "run.metrics_every=3 steps", "train.steps=10"};
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "straight", tree);
  if (training_is_root(comm)) train(folder.self, &folder, "resumed", part);
  EXPECT_OK(tutti_comm_barrier(comm));
  train(comm, &folder, "resumed", tree);
  if (training_is_root(comm)) {
    const char *const tables[] = {"steps", "epochs"};
    for (int i = 0; i < 2; i++)
      compare_all(&folder, tables[i], "straight", "resumed", all_columns, N_COLUMNS, 1e-9);
  }
  training_folder_remove(comm, &folder);
}

/** A table has one set of columns. */
static void other_columns_are_refused(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  train(comm, &folder, "run", (training_overrides){"train.steps=10"});
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml, (training_overrides){"run.measure=noise"}, &result),
               TUTTI_ERR_DATA, "Move that file away");
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(columns_do_not_depend_on_ranks),
      MPI_TEST(the_trace_is_that_of_single_samples),
      MPI_TEST(with_batch_norm_it_is_that_of_ghost_groups),
      MPI_TEST(what_has_no_parts_has_no_noise),
      MPI_TEST(a_batch_of_all_samples_has_the_square_itself),
      MPI_TEST(norms_are_those_of_a_step_of_sgd),
      MPI_TEST(measuring_changes_nothing),
      MPI_TEST(a_batch_that_grows_is_measured_as_often),
      MPI_TEST(short_batches_do_not_stand_for_all),
      MPI_TEST(batch_norm_has_no_examples),
      MPI_TEST(a_resumed_run_measures_on),
      MPI_TEST(other_columns_are_refused),
  };
  return mpi_main("meter", tests, sizeof tests / sizeof tests[0]);
}
