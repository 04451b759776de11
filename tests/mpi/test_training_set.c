/** Several trainings on one data set, side by side: each gives the numbers of a training on its own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/training.h"

/** What two groups see at one time differs: seed, hence validation rows and scaling, and batch size. */
#define COMMON                                                                                               \
  "model: {layers: [dense 24 relu, batch_norm, dropout 0.1, dense 3 softmax]}\n"                             \
  "optimizer: {name: adam, global_clipnorm: 1}\n"                                                            \
  "run: {checkpoint_every: 1 epoch, metrics_every: 2 steps}\n"
static const char rounded[] = "data: {validation_split: 0.2, scale: standardize_features}\n" COMMON;
static const char in_order[] = "data: {validation_split: 0.2, scale: standardize_features}\n" COMMON
                               "parallel: {reduce: tree, leaves: 6}\n";
static const char not_held_out[] = "data: {scale: unit}\n" COMMON;

/** Keys of trial k, by which no two of them are the same. */
typedef struct {
  char file[300], seed[8], batch[8];
  tutti_override overrides[9];
  int n;
} trial_keys;

static void make_keys(const training_folder *folder, int k, trial_keys *keys) {
  static const char *const evaluate[] = {"1 epoch", "3 steps", "none"};
  snprintf(keys->file, sizeof keys->file, "%s/data.h5", folder->path);
  snprintf(keys->seed, sizeof keys->seed, "%d", k);
  snprintf(keys->batch, sizeof keys->batch, "%d", 16 << k);
  const tutti_override overrides[] = {{"data.file", keys->file},
                                      {"train.seed", keys->seed},
                                      {"train.batch_size", keys->batch},
                                      {"train.epochs", "3"},
                                      {"train.evaluate_every", evaluate[k % 2]},
                                      {"data.limit_train", k == 2 ? "150" : "0"},
                                      {"run.resume", "no"}};
  memcpy(keys->overrides, overrides, sizeof overrides);
  keys->n = 7;
}

typedef struct {
  tutti_metrics_row rows[64];
  int64_t n;
} seen_rows;

static void see(void *context, const tutti_metrics_row *row) {
  seen_rows *seen = context;
  if (seen->n < 64) seen->rows[seen->n++] = *row;
}

static bool train_on(tutti_training_set *set, const tutti_comm *group, const char *yaml,
                     const trial_keys *keys, seen_rows *seen, tutti_train_result *result) {
  tutti_config config = {0};
  bool ok = EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", keys->overrides, keys->n, &config));
  seen->n = 0;
  ok = ok && EXPECT_OK(tutti_train_on(set, group, &config, see, seen, result));
  tutti_config_clear(&config);
  return ok;
}

/** The same on this rank alone, as `tutti train`. */
static bool train_alone(const training_folder *folder, const char *yaml, const trial_keys *keys,
                        const char *name, tutti_train_result *result) {
  char directory[400];
  snprintf(directory, sizeof directory, "%s/%s", folder->path, name);
  trial_keys own = *keys;
  own.overrides[own.n++] = (tutti_override){"run.directory", directory};
  tutti_config config = {0};
  bool ok = EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", own.overrides, own.n, &config));
  ok = ok && EXPECT_OK(tutti_train(folder->self, &config, NULL, result));
  tutti_config_clear(&config);
  return ok;
}

static void close_to(double a, double b, double tolerance, const char *what, int trial) {
  EXPECT(fabs(a - b) <= tolerance * fmax(1, fabs(b)), "%s of trial %d: %.17g and %.17g", what, trial, a, b);
}

static void compare(const tutti_train_result *a, const tutti_train_result *b, double tolerance, int trial) {
  EXPECT(a->stop == b->stop && strcmp(a->metric, b->metric) == 0, "%d %s and %d %s", (int)a->stop, a->metric,
         (int)b->stop, b->metric);
  EXPECT(a->row.step == b->row.step && a->row.epoch == b->row.epoch && a->row.samples == b->row.samples,
         "trial %d: step %lld and %lld", trial, (long long)a->row.step, (long long)b->row.step);
  EXPECT(a->validation.samples == b->validation.samples && a->test.samples == b->test.samples, "trial %d",
         trial);
  close_to(a->row.loss, b->row.loss, tolerance, "loss", trial);
  close_to(a->validation.loss, b->validation.loss, tolerance, "validation loss", trial);
  close_to(a->test.loss, b->test.loss, tolerance, "test loss", trial);
  close_to(a->test.metric, b->test.metric, tolerance > 0 ? 0.02 : 0, "test metric", trial);
}

enum { N_TRIALS = 3 };

/** Trials 0, 1, 2, by groups that take them in different orders. */
static void check_groups(const tutti_comm *comm, const training_folder *folder, const char *yaml,
                         int n_groups, double tolerance) {
  trial_keys keys;
  tutti_config config = {0};
  tutti_training_set *set = NULL;
  tutti_comm *group = NULL;
  const int part = tutti_comm_rank(comm) % n_groups;
  make_keys(folder, 0, &keys);
  keys.overrides[keys.n++] = (tutti_override){"parallel.threads", "1"};
  const bool ready = EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", keys.overrides, keys.n, &config)) &&
                     EXPECT_OK(tutti_training_set_open(comm, &config, &set)) &&
                     EXPECT_OK(tutti_comm_split(comm, part, &group));
  for (int k = 0; k < N_TRIALS && ready; k++) {
    const int trial = (k + part) % N_TRIALS;
    tutti_train_result result, alone;
    seen_rows seen;
    make_keys(folder, trial, &keys);
    if (!train_on(set, group, yaml, &keys, &seen, &result)) break;
    EXPECT(seen.n > 0 && seen.rows[seen.n - 1].step == result.row.step, "%lld rows seen", (long long)seen.n);
    if (tutti_comm_rank(comm) > 0) continue;
    tutti_metrics_row epochs[3];
    if (!train_alone(folder, yaml, &keys, "alone", &alone)) continue;
    compare(&result, &alone, tolerance, trial);
    EXPECT(training_rows(folder, "alone", "epochs", epochs, 3) == 3, "three epochs");
    int64_t found = 0;
    for (int64_t i = 0; i < seen.n; i++)
      for (int e = 0; e < 3; e++) {
        if (seen.rows[i].step != epochs[e].step) continue;
        found++;
        close_to(seen.rows[i].loss, epochs[e].loss, tolerance, "loss of a row", trial);
      }
    EXPECT(found >= 1 && (trial % 2 == 1 || found == 3), "%lld of the epochs are seen", (long long)found);
  }
  tutti_comm_destroy(&group);
  tutti_training_set_close(&set);
  tutti_config_clear(&config);
}

static void groups_train_as_alone(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  for (int n_groups = 1; n_groups <= tutti_comm_size(comm); n_groups++) {
    check_groups(comm, &folder, rounded, n_groups, 1e-4);
    check_groups(comm, &folder, in_order, n_groups, 0);
    check_groups(comm, &folder, not_held_out, n_groups, 1e-4);
  }
  training_folder_remove(comm, &folder);
}

/** A result, no failure; and the next training of the group begins as if nothing had been. */
static void divergence_is_a_result(const tutti_comm *comm) {
  static const char yaml[] = "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
                             "optimizer: {name: sgd, learning_rate: 1e30}\n";
  training_folder folder;
  trial_keys keys;
  tutti_config config = {0};
  tutti_training_set *set = NULL;
  tutti_train_result result;
  seen_rows seen;
  training_folder_make(comm, &folder);
  make_keys(&folder, 0, &keys);
  if (EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", keys.overrides, keys.n, &config)) &&
      EXPECT_OK(tutti_training_set_open(comm, &config, &set))) {
    if (train_on(set, comm, yaml, &keys, &seen, &result))
      EXPECT(result.stop == TUTTI_STOP_DIVERGED && strstr(result.reason, "not finite"), "%d: %s",
             (int)result.stop, result.reason);
    keys.overrides[keys.n++] = (tutti_override){"optimizer.learning_rate", "0.1"};
    if (train_on(set, comm, yaml, &keys, &seen, &result))
      EXPECT(result.stop == TUTTI_STOP_BUDGET && isfinite(result.row.loss), "%d: %s", (int)result.stop,
             result.reason);
  }
  tutti_training_set_close(&set);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(groups_train_as_alone),
      MPI_TEST(divergence_is_a_result),
  };
  return mpi_main("training_set", tests, sizeof tests / sizeof tests[0]);
}
