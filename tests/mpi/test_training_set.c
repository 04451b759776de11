/** Several trainings on one data set, side by side: each gives the numbers of a training on its own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "support/training.h"

/** What two groups see at one time differs: seed, hence validation rows and scaling, and batch size.  Adam divides a
 * gradient that is all rounding by itself, which epsilon keeps from the weights. */
#define COMMON                                                                                               \
  "model: {layers: [dense 24 relu, batch_norm, dropout 0.1, dense 3 softmax]}\n"                             \
  "optimizer: {name: adam, epsilon: 1e-3, global_clipnorm: 1}\n"                                             \
  "run: {checkpoint_every: 1 epoch, metrics_every: 2 steps}\n"
static const char rounded[] = "data: {validation_split: 0.2, scale: standardize_features}\n" COMMON;
static const char in_order[] = "data: {validation_split: 0.2, scale: standardize_features}\n" COMMON
                               "parallel: {reduce: tree, leaves: 6}\n";
static const char not_held_out[] = "data: {scale: unit}\n" COMMON;

/** Keys of trial k, by which no two of them are the same. */
typedef struct {
  char file[300], seed[8], batch[8];
  tutti_override overrides[10];
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

static void see(void *context, const tutti_metrics_layout *layout, const tutti_metrics_row *row,
                const double *more) {
  EXPECT_OK(tutti_metrics_records_append(context, layout, row, more));
}

/** @param[out] seen  to be cleared */
static bool train_on(tutti_training_set *set, const tutti_comm *group, const char *yaml,
                     const trial_keys *keys, tutti_metrics_records *seen, tutti_train_result *result) {
  tutti_config config = {0};
  bool ok = EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", keys->overrides, keys->n, &config));
  *seen = (tutti_metrics_records){0};
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

/** Rows that were told of are those that the run alone has written. */
static void check_seen(const training_folder *folder, const tutti_metrics_records *seen, double tolerance,
                       int trial) {
  tutti_metrics_row epochs[3];
  int64_t found = 0;
  EXPECT(training_rows(folder, "alone", "epochs", epochs, 3) == 3, "three epochs");
  for (int64_t i = 0; i < seen->n; i++)
    for (int e = 0; e < 3; e++) {
      const tutti_metrics_row *row = tutti_metrics_record(seen, i);
      if (row->step != epochs[e].step) continue;
      found++;
      close_to(row->loss, epochs[e].loss, tolerance, "loss of a row", trial);
    }
  EXPECT(found >= 1 && (trial % 2 == 1 || found == 3), "%lld of the epochs are seen", (long long)found);
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
    tutti_metrics_records seen;
    make_keys(folder, trial, &keys);
    const bool trained = train_on(set, group, yaml, &keys, &seen, &result);
    EXPECT(!trained || (seen.n > 0 && tutti_metrics_record(&seen, seen.n - 1)->step == result.row.step),
           "%lld rows seen", (long long)seen.n);
    if (trained && tutti_comm_rank(comm) == 0 && train_alone(folder, yaml, &keys, "alone", &alone)) {
      compare(&result, &alone, tolerance, trial);
      check_seen(folder, &seen, tolerance, trial);
    }
    tutti_metrics_records_clear(&seen);
    if (!trained) break;
  }
  tutti_comm_destroy(&group);
  tutti_training_set_close(&set);
  tutti_config_clear(&config);
}

static void groups_train_as_alone(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  for (int n_groups = 1; n_groups <= tutti_comm_size(comm); n_groups++) {
    check_groups(comm, &folder, rounded, n_groups, 1e-5);
    check_groups(comm, &folder, in_order, n_groups, 0);
    check_groups(comm, &folder, not_held_out, n_groups, 1e-5);
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
  tutti_metrics_records seen;
  training_folder_make(comm, &folder);
  make_keys(&folder, 0, &keys);
  if (EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", keys.overrides, keys.n, &config)) &&
      EXPECT_OK(tutti_training_set_open(comm, &config, &set))) {
    if (train_on(set, comm, yaml, &keys, &seen, &result))
      EXPECT(result.stop == TUTTI_STOP_DIVERGED && strstr(result.reason, "not finite"), "%d: %s",
             (int)result.stop, result.reason);
    tutti_metrics_records_clear(&seen);
    keys.overrides[keys.n++] = (tutti_override){"optimizer.learning_rate", "0.1"};
    if (train_on(set, comm, yaml, &keys, &seen, &result))
      EXPECT(result.stop == TUTTI_STOP_BUDGET && isfinite(result.row.loss), "%d: %s", (int)result.stop,
             result.reason);
    tutti_metrics_records_clear(&seen);
  }
  tutti_training_set_close(&set);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

/** Each column of the run's own table of epochs, at each of them. */
static void compare_more(const training_folder *folder, const char *name, const tutti_metrics_records *seen) {
  EXPECT(seen->n == 3 && seen->more_columns.n > 20, "%lld rows of %d columns", (long long)seen->n,
         seen->more_columns.n);
  int n_finite = 0;
  for (int k = 0; k < seen->more_columns.n; k++) {
    double *values = NULL;
    const int64_t n = training_column(folder, name, "epochs", seen->more_columns.list[k], &values);
    EXPECT(n == seen->n, "%lld rows of %s", (long long)n, seen->more_columns.list[k]);
    for (int64_t i = 0; n == seen->n && i < n; i++) {
      const double told = tutti_metrics_more(seen, i, k);
      n_finite += isfinite(told);
      EXPECT(isnan(told) ? isnan(values[i]) : fabs(told - values[i]) <= 1e-9 * fabs(told),
             "%s of row %lld: %.17g, alone %.17g", seen->more_columns.list[k], (long long)i, told, values[i]);
    }
    free(values);
  }
  EXPECT(n_finite == 3 * seen->more_columns.n, "%d numbers in %d columns", n_finite, seen->more_columns.n);
}

/** What a run measures is told beside its rows, whatever run.metrics_every says; and the training is the same. */
static void what_is_measured_is_told(const tutti_comm *comm) {
  static const char yaml[] = "model: {layers: [dense 24 relu, dropout 0.1, dense 3 softmax]}\n"
                             "optimizer: {name: adam, global_clipnorm: 1, ema_momentum: 0.9}\n"
                             "data: {validation_split: 0.2}\n"
                             "parallel: {reduce: tree, leaves: 6, threads: 1}\n"
                             "run: {metrics_every: 3 steps, checkpoint_every: 1 epoch}\n";
  training_folder folder;
  trial_keys keys;
  tutti_config config = {0};
  tutti_training_set *set = NULL;
  tutti_train_result measured, plain, alone;
  tutti_metrics_records seen = {0}, seen_plain = {0};
  training_folder_make(comm, &folder);
  make_keys(&folder, 0, &keys);
  keys.overrides[keys.n++] = (tutti_override){"run.measure", "all"};
  keys.overrides[keys.n++] = (tutti_override){"run.measure_every", "2 steps"};
  bool ok = EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", keys.overrides, keys.n, &config)) &&
            EXPECT_OK(tutti_training_set_open(comm, &config, &set)) &&
            train_on(set, comm, yaml, &keys, &seen, &measured);
  if (ok && tutti_comm_rank(comm) == 0 && train_alone(&folder, yaml, &keys, "alone", &alone))
    compare_more(&folder, "alone", &seen);
  keys.n -= 2;
  ok = ok && train_on(set, comm, yaml, &keys, &seen_plain, &plain);
  if (ok) {
    compare(&plain, &measured, 0, 0);
    EXPECT(seen_plain.more_columns.n == 2 && strcmp(seen_plain.more_columns.list[0], "ema_val_loss") == 0,
           "%d columns where nothing is measured", seen_plain.more_columns.n);
  }
  tutti_metrics_records_clear(&seen_plain);
  tutti_metrics_records_clear(&seen);
  tutti_training_set_close(&set);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

// --- what is told before -----------------------------------------------------------------------------------

/** The same failure, by a look at the config and by a training. */
static void check_refused(const tutti_comm *comm, tutti_training_set *set, const trial_keys *keys,
                          tutti_override bad, tutti_status expected, const char *part) {
  static const char yaml[] = "model: {layers: [dense 8 relu, dense 3 softmax]}\n";
  trial_keys own = *keys;
  tutti_config config = {0};
  tutti_train_result result;
  own.overrides[own.n++] = bad;
  if (EXPECT_OK(tutti_config_parse(yaml, "trial.yaml", own.overrides, own.n, &config))) {
    EXPECT_FAILS(tutti_training_set_check(set, &config, tutti_comm_size(comm), true), expected, part);
    EXPECT_FAILS(tutti_train_on(set, comm, &config, NULL, NULL, &result), expected, part);
  }
  tutti_config_clear(&config);
}

static void what_a_training_refuses_is_told_before(const tutti_comm *comm) {
  training_folder folder;
  trial_keys keys;
  tutti_config config = {0};
  tutti_training_set *set = NULL;
  training_folder_make(comm, &folder);
  make_keys(&folder, 0, &keys);
  if (EXPECT_OK(tutti_config_parse(rounded, "trial.yaml", keys.overrides, keys.n, &config)) &&
      EXPECT_OK(tutti_training_set_open(comm, &config, &set))) {
    EXPECT_OK(tutti_training_set_check(set, &config, tutti_comm_size(comm), true));
    check_refused(comm, set, &keys, (tutti_override){"schedule.warmup", "100 epochs"}, TUTTI_ERR_CONFIG,
                  "schedule.warmup");
    check_refused(comm, set, &keys, (tutti_override){"model.layers", "dense 2 softmax"}, TUTTI_ERR_DATA,
                  "expected a class from 0 to 1");
    check_refused(comm, set, &keys, (tutti_override){"model.layers", "batch_norm ghost=15, dense 3 softmax"},
                  TUTTI_ERR_CONFIG, "one sample has no variance");
    check_refused(comm, set, &keys, (tutti_override){"train.stop_at", "mean_absolute_error < 1"},
                  TUTTI_ERR_CONFIG, "not measured");
  }
  tutti_training_set_close(&set);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

// --- what is counted ---------------------------------------------------------------------------------------

static void sleep_a_while(void *context, const tutti_metrics_layout *layout, const tutti_metrics_row *row,
                          const double *more) {
  double *slept = context;
  const double start = tutti_clock_s();
  const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
  (void)layout, (void)row, (void)more;
  nanosleep(&pause, NULL);
  *slept += tutti_clock_s() - start;
}

static void see_nothing(void *context, const tutti_metrics_layout *layout, const tutti_metrics_row *row,
                        const double *more) {
  (void)context, (void)layout, (void)row, (void)more;
}

/** Rank 0 writes lines of progress meanwhile: no second of it is one of training. */
static void watching_is_no_training(const tutti_comm *comm) {
  training_folder folder;
  trial_keys keys;
  tutti_config config = {0};
  tutti_training_set *set = NULL;
  tutti_train_result result;
  const bool first = tutti_comm_rank(comm) == 0;
  double slept = 0;
  training_folder_make(comm, &folder);
  make_keys(&folder, 0, &keys);
  if (EXPECT_OK(tutti_config_parse(rounded, "trial.yaml", keys.overrides, keys.n, &config)) &&
      EXPECT_OK(tutti_training_set_open(comm, &config, &set))) {
    const double start = tutti_clock_s();
    if (EXPECT_OK(tutti_train_on(set, comm, &config, first ? sleep_a_while : see_nothing, &slept, &result)) &&
        first)
      EXPECT(slept >= 0.3 && result.row.seconds <= tutti_clock_s() - start - slept,
             "%g s of training in %g s, of which %g are slept", result.row.seconds, tutti_clock_s() - start,
             slept);
  }
  tutti_training_set_close(&set);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(groups_train_as_alone),    MPI_TEST(divergence_is_a_result),
      MPI_TEST(what_is_measured_is_told), MPI_TEST(what_a_training_refuses_is_told_before),
      MPI_TEST(watching_is_no_training),
  };
  return mpi_main("training_set", tests, sizeof tests / sizeof tests[0]);
}
