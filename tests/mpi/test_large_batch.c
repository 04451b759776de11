/** A large effective batch on few ranks: the whole training set in each step, in micro-batches, at a rate that is scaled
 * with the batch and reached by warmup. */
#include <math.h>
#include <stdio.h>

#include "support/training.h"

enum { N_TRAIN = 333, N_STEPS = 12, WARMUP = 5, BASE = 37 };

#define NETWORK "model: {layers: [dense 24 tanh, dense 3 softmax]}\n"
#define STEPS                                                                                                \
  "train: {batch_size: 333, micro_batch_size: 40, steps: 12, seed: 5}\n"                                     \
  "run: {metrics_every: 1 step}\n"

/** Rank 0: losses and rates of the steps of a run; 0 steps where they cannot be read. */
static int64_t steps_of(const training_folder *folder, const char *name, tutti_metrics_row rows[N_STEPS]) {
  const int64_t n = training_rows(folder, name, "steps", rows, N_STEPS);
  return EXPECT(n == N_STEPS, "%s has %lld steps", name, (long long)n) ? n : 0;
}

static double largest_difference(const training_folder *folder, const char *a, const char *b) {
  tutti_metrics_row x[N_STEPS], y[N_STEPS];
  if (!steps_of(folder, a, x) || !steps_of(folder, b, y)) return INFINITY;
  double worst = 0;
  for (int i = 0; i < N_STEPS; i++) worst = fmax(worst, fabs(x[i].loss - y[i].loss) / y[i].loss);
  return worst;
}

static void check_rates(const training_folder *folder, const char *name, double factor) {
  tutti_metrics_row rows[N_STEPS];
  if (!steps_of(folder, name, rows)) return;
  for (int i = 0; i < N_STEPS; i++) {
    const double part = i < WARMUP ? (i + 1.0) / WARMUP : 1, rate = 0.02 * (1 + (factor - 1) * part);
    EXPECT(fabs(rows[i].learning_rate - rate) <= 1e-12, "%s: step %d has rate %.17g, expected %.17g", name,
           i + 1, rows[i].learning_rate, rate);
    EXPECT(rows[i].samples == (i + 1) * N_TRAIN && rows[i].batch_size == N_TRAIN, "%s: step %d: %lld samples",
           name, i + 1, (long long)rows[i].samples);
  }
}

/** The reference has one micro-batch, on one rank.  All rows are in each step, so their order means nothing; and a batch
 * of more rows than there are is all of them, also for the rate. */
static void the_whole_set_is_one_batch(const tutti_comm *comm) {
  static const struct {
    const char *scaling;
    double factor;
  } scalings[] = {{"linear", (double)N_TRAIN / BASE}, {"sqrt", 3}};
  const bool root = tutti_comm_rank(comm) == 0;
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  for (int i = 0; i < 2; i++) {
    char yaml[512], whole[32], parts[32], ordered[32], more[32];
    snprintf(yaml, sizeof yaml,
             NETWORK "optimizer: {name: sgd, learning_rate: 0.02, momentum: 0.9}\n"
                     "schedule: {scaling: %s, base_batch_size: 37, warmup: 5 steps}\n" STEPS,
             scalings[i].scaling);
    snprintf(whole, sizeof whole, "whole-%d", i);
    snprintf(parts, sizeof parts, "parts-%d", i);
    snprintf(ordered, sizeof ordered, "ordered-%d", i);
    snprintf(more, sizeof more, "more-%d", i);
    if (root)
      EXPECT_OK(training_run(folder.self, &folder, whole, yaml,
                             (training_overrides){"train.micro_batch_size=333"}, &result));
    EXPECT_OK(tutti_comm_barrier(comm));
    EXPECT_OK(training_run(comm, &folder, parts, yaml, NULL, &result));
    EXPECT_OK(training_run(comm, &folder, ordered, yaml, (training_overrides){"train.shuffle=no"}, &result));
    EXPECT_OK(
        training_run(comm, &folder, more, yaml, (training_overrides){"train.batch_size=5000"}, &result));
    if (!root) continue;
    check_rates(&folder, parts, scalings[i].factor);
    check_rates(&folder, more, scalings[i].factor);
    const char *const others[] = {parts, ordered, more};
    for (int k = 0; k < 3; k++) {
      const double difference = largest_difference(&folder, others[k], whole);
      EXPECT(difference <= 1e-4, "%s and %s: losses differ by %g", others[k], whole, difference);
    }
  }
  training_folder_remove(comm, &folder);
}

/** Corrected, Keras' velocity goes through a warmup as PyTorch's, which never had a rate inside. */
static void a_corrected_velocity_goes_through_warmup(const tutti_comm *comm) {
  static const char yaml[] =
      NETWORK "optimizer: {name: sgd, learning_rate: 0.02, momentum: 0.9, nesterov: yes}\n"
              "schedule: {scaling: linear, base_batch_size: 37, warmup: 5 steps}\n" STEPS;
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "torch", yaml, (training_overrides){"optimizer.dialect=torch"}, &result));
  EXPECT_OK(training_run(comm, &folder, "keras", yaml, NULL, &result));
  EXPECT_OK(training_run(comm, &folder, "corrected", yaml,
                         (training_overrides){"optimizer.momentum_correction=yes"}, &result));
  if (tutti_comm_rank(comm) == 0) {
    const double corrected = largest_difference(&folder, "corrected", "torch");
    const double plain = largest_difference(&folder, "keras", "torch");
    EXPECT(corrected <= 1e-4, "corrected and torch: losses differ by %g", corrected);
    EXPECT(plain > 1e-2, "without correction losses differ by %g alone", plain);
  }
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(the_whole_set_is_one_batch),
      MPI_TEST(a_corrected_velocity_goes_through_warmup),
  };
  return mpi_main("large_batch", tests, sizeof tests / sizeof tests[0]);
}
