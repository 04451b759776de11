/** A save that fails does not end a training that has saved before: it goes on to the same weights, the files that
 * failed are written at the next occasion, and only a state that cannot be saved at the end is an error. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/training.h"
#include "tutti/checkpoint.h"

/** Large steps make the validation loss worse after its best, and batch_norm adds state beside the weights. */
static const char yaml[] = "data: {validation_split: 0.1}\n"
                           "model: {layers: [dense 8 relu, batch_norm, dense 3 softmax]}\n"
                           "optimizer: {name: adam, learning_rate: 0.05}\n"
                           "parallel: {reduce: tree}\n"
                           "train: {batch_size: 60, epochs: 6, monitor: val_loss}\n"
                           "run: {metrics_every: 2 steps}\n";

static tutti_status train(const tutti_comm *comm, const training_folder *folder, const char *name,
                          const char *fault, tutti_train_result *result) {
  if (fault) setenv("TUTTI_FAULT", fault, 1);
  const tutti_status status = training_run(comm, folder, name, yaml, NULL, result);
  unsetenv("TUTTI_FAULT");
  return status;
}

/** What best.h5 has: its step and the first moving statistics. */
static int64_t best_of(const training_folder *folder, const char *name, double mean[8]) {
  char path[TRAINING_TEXT];
  tutti_checkpoint_info info;
  double *values = NULL;
  int64_t n = 0;
  snprintf(path, sizeof path, "%s/%s/best.h5", folder->path, name);
  if (tutti_checkpoint_read_info(path, &info) != TUTTI_OK) return -1;
  const int64_t step = info.state.step;
  tutti_checkpoint_info_clear(&info);
  EXPECT_OK(
      tutti_checkpoint_read_vector(path, "/model/weights/batch_normalization/moving_mean", &values, &n));
  for (int64_t i = 0; i < 8 && i < n; i++) mean[i] = values[i];
  tutti_free(values);
  return step;
}

static int64_t count_rows(const training_folder *folder, const char *name, const char *table) {
  static tutti_metrics_row rows[256];
  return training_rows(folder, name, table, rows, 256);
}

static void expect_same_files(const training_folder *folder, const char *name) {
  double a[8] = {0}, b[8] = {0};
  EXPECT(training_difference(folder, "straight", name) == 0, "%s: other weights", name);
  const int64_t step = best_of(folder, "straight", a), again = best_of(folder, name, b);
  EXPECT(step == again, "%s: best.h5 is of step %lld, expected %lld", name, (long long)again,
         (long long)step);
  EXPECT(memcmp(a, b, sizeof a) == 0, "%s: best.h5 has other moving statistics", name);
  EXPECT(step > 5 && step < 30, "the best step is %lld: neither the first nor the last epoch",
         (long long)step);
  EXPECT(count_rows(folder, name, "steps") == count_rows(folder, "straight", "steps"), "%s: rows of /steps",
         name);
  EXPECT(count_rows(folder, name, "epochs") == 6, "%s: rows of /epochs", name);
}

/** Each write of the first saves after the first one fails once; the last of them is best.h5 or checkpoint.h5. */
static void a_failed_save_changes_no_result(const tutti_comm *comm) {
  static const struct {
    const char *site;
    int first, last;
  } sites[] = {
      {"file.create", 4, 6}, {"file.commit", 4, 9}, {"checkpoint.save", 3, 6}, {"metrics.flush", 2, 2}};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(train(comm, &folder, "straight", NULL, &result));
  for (size_t i = 0; i < sizeof sites / sizeof *sites; i++)
    for (int nth = sites[i].first; nth <= sites[i].last; nth += tutti_comm_size(comm) > 2 ? 3 : 1) {
      char fault[64];
      snprintf(fault, sizeof fault, "%s:0:%d", sites[i].site, nth);
      EXPECT_OK(train(comm, &folder, fault, fault, &result));
      EXPECT(result.complete, "%s: not complete", fault);
      if (training_is_root(comm)) expect_same_files(&folder, fault);
    }
  training_folder_remove(comm, &folder);
}

/** Seconds for which saving has kept the rank that it kept longest. */
static double seconds_of_saving(const training_folder *folder, const char *name) {
  double *seconds = NULL;
  const int64_t n = training_column(folder, name, "timing", "max", &seconds);
  const double saving = n > TUTTI_PHASE_SAVE ? seconds[TUTTI_PHASE_SAVE] : INFINITY;
  free(seconds);
  return saving;
}

/** The second checkpoint takes 0.5 s, and meanwhile the training goes on with its next epoch. */
static void the_training_goes_on_while_a_checkpoint_is_written(const tutti_comm *comm) {
  static const char long_yaml[] = "model: {layers: [dense 1024 relu, dense 1024 relu, dense 3 softmax]}\n"
                                  "optimizer: {name: sgd}\n"
                                  "parallel: {reduce: tree, leaves: 1}\n"
                                  "train: {batch_size: 1, epochs: 3}\n"
                                  "run: {checkpoint_every: 1 epoch}\n";
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "straight", long_yaml, NULL, &result));
  setenv("TUTTI_FAULT", "save.slow:0:2", 1);
  EXPECT_OK(training_run(comm, &folder, "slow", long_yaml, NULL, &result));
  unsetenv("TUTTI_FAULT");
  training_expect_same(comm, &folder, "straight", "slow", 0);
  if (training_is_root(comm)) {
    const double seconds = seconds_of_saving(&folder, "slow");
    EXPECT(seconds < 0.4, "saving kept the ranks for %.3f s", seconds);
  }
  training_folder_remove(comm, &folder);
}

/** The step of the last checkpoint of a run that diverges. */
static int64_t saved_step(const training_folder *folder, const char *name) {
  char path[TRAINING_TEXT], file[64];
  tutti_checkpoint_info info;
  snprintf(file, sizeof file, "%s/checkpoint.h5", name);
  if (!EXPECT_OK(tutti_checkpoint_read_info(training_path(folder, "", file, path), &info))) return -1;
  const int64_t step = info.state.step;
  tutti_checkpoint_info_clear(&info);
  return step;
}

/** The last good state was gathered, but could not be written when the loss became infinite: it is written at the end. */
static void a_divergence_does_not_lose_the_state_before(const tutti_comm *comm) {
  static const char bad_yaml[] = "data: {y_train: real_train, y_test: real_test}\n"
                                 "model: {layers: [dense 8 relu, dense 1], loss: mean_squared_error}\n"
                                 "optimizer: {name: sgd, momentum: 0.5, learning_rate: 100}\n"
                                 "train: {batch_size: 60, epochs: 6}\n"
                                 "run: {checkpoint_every: 1 step}\n";
  training_folder folder;
  tutti_train_result result;
  int64_t last = 0;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "straight", bad_yaml, NULL, &result));
  EXPECT(result.stop == TUTTI_STOP_DIVERGED, "%s", result.reason);
  if (training_is_root(comm)) last = saved_step(&folder, "straight");
  EXPECT_OK(tutti_comm_bcast(comm, 0, &last, sizeof last));
  EXPECT(last >= 2, "it diverges after step %lld", (long long)last);
  char fault[64];
  snprintf(fault, sizeof fault, "checkpoint.save:0:%lld", (long long)last);
  setenv("TUTTI_FAULT", fault, 1);
  EXPECT_OK(training_run(comm, &folder, "failed", bad_yaml, NULL, &result));
  unsetenv("TUTTI_FAULT");
  EXPECT(result.stop == TUTTI_STOP_DIVERGED, "%s", result.reason);
  if (training_is_root(comm)) {
    const int64_t step = saved_step(&folder, "failed");
    EXPECT(step == last, "the checkpoint is of step %lld, expected %lld", (long long)step, (long long)last);
  }
  training_folder_remove(comm, &folder);
}

static void the_first_save_fails_at_once(const tutti_comm *comm) {
  static const char *const faults[] = {"file.create:0:1", "file.commit:0:2", "checkpoint.save:0:2",
                                       "metrics.flush:0:1"};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    EXPECT(train(comm, &folder, faults[i], faults[i], &result) == TUTTI_ERR_INTERNAL, "%s: no failure",
           faults[i]);
    EXPECT(!result.complete && strstr(tutti_fail_text(), "fault injected"), "%s: %s", faults[i],
           tutti_fail_text());
  }
  training_folder_remove(comm, &folder);
}

// --- a newest checkpoint that is complete, but cannot be used ------------------------------------------------------

typedef enum { OTHER_SHAPE, BAD_CONFIG, BAD_STEP, N_DEFECTS } defect;

/** On rank 0: put a newer checkpoint into the directory, which differs from the last one in one thing. */
static void add_unusable(const training_folder *folder, const char *name, defect one) {
  char path[TRAINING_TEXT];
  tutti_checkpoint_info info;
  float bias[7] = {0};
  const tutti_column step = {"step", TUTTI_I64, 0};
  const tutti_view view = {.name = "/model/weights/dense/bias", .n_dims = 1, .dims = {7}, .data = bias};
  snprintf(path, sizeof path, "%s/%s/checkpoint.h5", folder->path, name);
  EXPECT_OK(tutti_checkpoint_read_info(path, &info));
  tutti_checkpoint made = {.path = path,
                           .config = one == BAD_CONFIG ? "train: {batch_sice: 60}\n" : info.config,
                           .state = info.state,
                           .views = &view,
                           .n_views = 1,
                           .layout = {&step, 1, sizeof(int64_t)}};
  if (one == BAD_STEP) made.state.step = -5;
  EXPECT_OK(tutti_checkpoint_save(&made, 3));
  tutti_checkpoint_info_clear(&info);
}

static void a_checkpoint_that_cannot_be_used_is_passed_over(const tutti_comm *comm) {
  static const char *const names[N_DEFECTS] = {"shape", "config", "step"};
  const training_overrides longer = {"train.epochs=8"};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "straight", yaml, longer, &result));
  for (defect one = 0; one < N_DEFECTS; one++) {
    EXPECT_OK(train(comm, &folder, names[one], NULL, &result));
    if (training_is_root(comm)) add_unusable(&folder, names[one], one);
    EXPECT_OK(training_run(comm, &folder, names[one], yaml, longer, &result));
    training_expect_same(comm, &folder, "straight", names[one], 0);
  }
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {MPI_TEST(a_failed_save_changes_no_result), MPI_TEST(the_first_save_fails_at_once),
                            MPI_TEST(a_divergence_does_not_lose_the_state_before),
                            MPI_TEST(the_training_goes_on_while_a_checkpoint_is_written),
                            MPI_TEST(a_checkpoint_that_cannot_be_used_is_passed_over)};
  return mpi_main("saving", tests, sizeof tests / sizeof tests[0]);
}
