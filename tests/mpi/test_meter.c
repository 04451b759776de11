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

/** Those that do not depend on how the batch is divided. */
static const char *const of_any_groups[] = {
    "grad_norm",           "example_trace",       "example_grad_squared",
    "example_noise_scale", "diversity",           "distance",
    "weight_norm",         "update_norm",         "grad_norm.dense",
    "weight_norm.dense_1", "update_norm.p_re_lu", "grad_norm.dense_2"};
static const char *const of_groups[] = {"trace", "grad_squared", "noise_scale", "adascale_gain",
                                        "adascale_steps"};
enum {
  N_ANY = sizeof of_any_groups / sizeof *of_any_groups,
  N_GROUPS = sizeof of_groups / sizeof *of_groups
};

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
      compare_all(&folder, "steps", "alone", runs[i], of_any_groups, N_ANY, rounding);
      compare_all(&folder, "epochs", "alone", runs[i], of_any_groups, N_ANY, rounding);
    }
    // The weights are the same to the bit, and so are the sums of leaves.
    compare_all(&folder, "steps", "tree-alone", "tree", of_groups, N_GROUPS, 1e-9);
    compare_all(&folder, "steps", "tree-alone", "tree", of_any_groups, N_ANY, 1e-9);
    compare_all(&folder, "epochs", "tree-alone", "tree", of_groups, N_GROUPS, 1e-9);
  }
  training_folder_remove(comm, &folder);
}

/** Leaves, shards or micro-batches of one sample: two ways to the same numbers, one of which forms each gradient. */
static void groups_of_one_sample_are_examples(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "leaves", (training_overrides){"parallel.reduce=tree", "parallel.leaves=50"});
  train(comm, &folder, "micro", (training_overrides){"train.micro_batch_size=1"});
  if (training_is_root(comm)) {
    compare(&folder, "steps", "leaves", "trace", "leaves", "example_trace", 1e-6);
    compare(&folder, "steps", "leaves", "grad_squared", "leaves", "example_grad_squared", 1e-6);
    compare(&folder, "steps", "leaves", "noise_scale", "leaves", "example_noise_scale", 1e-6);
    compare(&folder, "steps", "micro", "trace", "micro", "example_trace", 1e-5);
  }
  training_folder_remove(comm, &folder);
}

static double mean_of(const training_folder *folder, const char *name, const char *column) {
  double *values = NULL, sum = 0;
  const int64_t n = training_column(folder, name, "steps", column, &values);
  EXPECT(n > 0, "%s: no %s", name, column);
  for (int64_t i = 0; i < n; i++) sum += values[i];
  free(values);
  return n > 0 ? sum / (double)n : NAN;
}

/** Groups of several samples, of unequal sizes, estimate what single samples tell: on average, where the weights hardly
 * move. */
static void groups_of_several_samples_estimate_the_same(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "micro",
        (training_overrides){"model.layers=dense 3 softmax", "optimizer.learning_rate=1e-6",
                             "train.steps=140", "run.metrics_every=7 steps", "train.micro_batch_size=7"});
  train(comm, &folder, "leaves",
        (training_overrides){"model.layers=dense 3 softmax", "optimizer.learning_rate=1e-6",
                             "train.steps=140", "run.metrics_every=7 steps", "parallel.reduce=tree",
                             "parallel.leaves=7"});
  if (training_is_root(comm)) {
    const char *const runs[] = {"micro", "leaves"};
    for (int i = 0; i < 2; i++) {
      const double trace = mean_of(&folder, runs[i], "trace");
      const double expected = mean_of(&folder, runs[i], "example_trace");
      EXPECT(fabs(trace - expected) < 0.04 * expected, "%s: trace %g, that of samples %g", runs[i], trace,
             expected);
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

/** Samples that share their statistics have no gradients of their own; ranks' have. */
static void batch_norm_has_no_examples(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "run",
        (training_overrides){"model.layers=dense 24 bias=no, batch_norm ghost=5, dense 3 softmax",
                             "parallel.reduce=tree", "parallel.leaves=5"});
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
  EXPECT_OK(tutti_barrier(comm));
  train(comm, &folder, "resumed", tree);
  if (training_is_root(comm)) {
    const char *const tables[] = {"steps", "epochs"};
    for (int i = 0; i < 2; i++) {
      compare_all(&folder, tables[i], "straight", "resumed", of_groups, N_GROUPS, 1e-9);
      compare_all(&folder, tables[i], "straight", "resumed", of_any_groups, N_ANY, 1e-9);
    }
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
      MPI_TEST(groups_of_one_sample_are_examples),
      MPI_TEST(groups_of_several_samples_estimate_the_same),
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
