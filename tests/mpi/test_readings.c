/** What measured steps come to: averages, and the rows of both tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/training.h"

/** 333 samples in batches of 50: seven steps an epoch, the last of 33; AdaScale's gain is over batches of five. */
static const char yaml[] = "model: {layers: [dense 9 tanh, dense 3 softmax]}\n"
                           "optimizer: {name: sgd, learning_rate: 0.1}\n"
                           "train: {batch_size: 50, steps: 42, seed: 5}\n"
                           "parallel: {reduce: tree, leaves: 10}\n"
                           "schedule: {base_batch_size: 5}\n"
                           "run: {measure: all, measure_every: 1 step, metrics_every: 1 step}\n";

static void train(const tutti_comm *comm, const training_folder *folder, const char *name,
                  const training_overrides overrides) {
  tutti_train_result result;
  EXPECT_OK(training_run(comm, folder, name, yaml, overrides, &result));
}

enum { BASE = 5, STEPS_OF_EPOCH = 7, EPOCHS = 6, STEPS = EPOCHS * STEPS_OF_EPOCH };

typedef struct {
  double *trace, *squared, *norm, *scale, *gain, *steps; // [STEPS]
} columns;

static bool read_columns(const training_folder *folder, const char *name, columns *c) {
  double **const values[] = {&c->trace, &c->squared, &c->norm, &c->scale, &c->gain, &c->steps};
  static const char *const names[] = {"trace",       "grad_squared",  "grad_norm",
                                      "noise_scale", "adascale_gain", "adascale_steps"};
  bool complete = true;
  for (int i = 0; i < 6; i++) {
    const int64_t n = training_column(folder, name, "steps", names[i], values[i]);
    EXPECT(n == STEPS, "%s has %lld rows", names[i], (long long)n);
    complete = complete && n == STEPS;
  }
  return complete;
}

static void free_columns(columns *c) {
  double *const values[] = {c->trace, c->squared, c->norm, c->scale, c->gain, c->steps};
  for (int i = 0; i < 6; i++) free(values[i]);
}

static void expect_close(double found, double expected, const char *what, int step) {
  EXPECT(fabs(found - expected) <= 1e-9 * fabs(expected), "%s of step %d is %.12g, expected %.12g", what,
         step, found, expected);
}

/** Both as the ratio of averages that forget by the samples, or by the reference batches and steps, since the measured step before. */
static void check_averages(const columns *c, int every) {
  double trace = 0, squared = 0, variance = 0, square = 0, steps = 0;
  for (int i = every - 1; i < STEPS; i += every) {
    const double batch = i % STEPS_OF_EPOCH == STEPS_OF_EPOCH - 1 ? 33 : 50;
    const double keep = 1 - fmin(batch * every / 40960, 0.1), k = batch / BASE,
                 keep_of_gain = pow(1 - k / 1000, every);
    trace = keep * trace + (1 - keep) * c->trace[i];
    squared = keep * squared + (1 - keep) * c->squared[i];
    expect_close(c->scale[i], trace / squared, "noise_scale", i + 1);
    const double of_base = fmax(c->trace[i] / BASE, 1e-6);
    const double of_mean = fmax(c->norm[i] * c->norm[i] - of_base / k, 0);
    variance = keep_of_gain * variance + (1 - keep_of_gain) * of_base;
    square = keep_of_gain * square + (1 - keep_of_gain) * of_mean;
    const double gain = (variance + square) / (variance / k + square);
    steps += gain * every;
    expect_close(c->gain[i], gain, "adascale_gain", i + 1);
    expect_close(c->steps[i], steps, "adascale_steps", i + 1);
  }
}

/** Numerator and denominator are averaged, not their ratio; a measured step stands for those since the one before. */
static void ratios_are_of_averages(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  for (int every = 1; every <= 3; every += 2) {
    char name[16], setting[64];
    columns c = {0};
    snprintf(name, sizeof name, "every-%d", every);
    snprintf(setting, sizeof setting, "run.measure_every=%d steps", every);
    train(comm, &folder, name, (training_overrides){setting});
    if (training_is_root(comm) && read_columns(&folder, name, &c)) check_averages(&c, every);
    free_columns(&c);
  }
  training_folder_remove(comm, &folder);
}

/** By default each 81st step is measured, after the first one, which stands for itself. */
static void the_first_step_stands_for_itself(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "run", (training_overrides){"run.measure_every=0", "train.steps=83"});
  if (training_is_root(comm)) {
    double *gain = NULL, *steps = NULL;
    const int64_t n = training_column(&folder, "run", "steps", "adascale_gain", &gain);
    EXPECT(training_column(&folder, "run", "steps", "adascale_steps", &steps) == n && n == 83, "%lld rows",
           (long long)n);
    if (n == 83 && steps) {
      expect_close(steps[0], gain[0], "adascale_steps", 1);
      expect_close(steps[81], gain[0] + 81 * gain[81], "adascale_steps", 82);
    }
    free(gain);
    free(steps);
  }
  training_folder_remove(comm, &folder);
}

/** Column `name` of /epochs is the mean, or the last, of that of /steps in each epoch. */
static void check_epochs(const training_folder *folder, const char *name, bool mean) {
  double *steps = NULL, *epochs = NULL;
  const int64_t n = training_column(folder, "run", "epochs", name, &epochs);
  EXPECT(training_column(folder, "run", "steps", name, &steps) == n * STEPS_OF_EPOCH && n == EPOCHS,
         "%s: %lld rows", name, (long long)n);
  for (int e = 0; n == EPOCHS && steps && e < n; e++) {
    double expected = 0;
    for (int i = 0; i < STEPS_OF_EPOCH; i++) expected += steps[STEPS_OF_EPOCH * e + i] / STEPS_OF_EPOCH;
    if (!mean) expected = steps[STEPS_OF_EPOCH * (e + 1) - 1];
    expect_close(epochs[e], expected, name, e + 1);
  }
  free(steps);
  free(epochs);
}

static void a_row_has_the_mean_of_its_steps(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "run", NULL);
  if (training_is_root(comm)) {
    static const char *const means[] = {"trace",     "grad_squared", "example_trace",
                                        "diversity", "grad_norm",    "update_norm"},
                             *const last[] = {"noise_scale", "adascale_gain", "adascale_steps", "weight_norm",
                                              "distance"};
    for (int i = 0; i < 6; i++) check_epochs(&folder, means[i], true);
    for (int i = 0; i < 5; i++) check_epochs(&folder, last[i], false);
  }
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(ratios_are_of_averages),
      MPI_TEST(the_first_step_stands_for_itself),
      MPI_TEST(a_row_has_the_mean_of_its_steps),
  };
  return mpi_main("readings", tests, sizeof tests / sizeof tests[0]);
}
