/** run.on_divergence=rollback: a training whose numbers are not finite any more goes back to its last checkpoint with a
 * smaller learning rate.  With tree it gives the same bits on any number of ranks, and in one go or in several. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/training.h"

/** A learning rate that is far too large: only after two rollbacks is it small enough. */
static const char yaml[] = "data: {y_train: real_train, y_test: real_test, validation_split: 0.1}\n"
                           "model: {layers: [dense 8 relu, dense 1], loss: mean_squared_error}\n"
                           "optimizer: {name: sgd, momentum: 0.5, learning_rate: 100}\n"
                           "parallel: {reduce: tree}\n"
                           "train: {batch_size: 60, epochs: 6}\n"
                           "run: {metrics_every: 2 steps, on_divergence: rollback, rollback_factor: 0.02}\n";

static tutti_status train(const tutti_comm *comm, const training_folder *folder, const char *name,
                          const char *override, tutti_train_result *result) {
  const training_overrides overrides = {override};
  return training_run(comm, folder, name, yaml, overrides, result);
}

static void check_files(const training_folder *folder, const char *name) {
  double *factors = NULL;
  tutti_metrics_row rows[64];
  const int64_t n = training_column(folder, name, "rollbacks", "rate_factor", &factors);
  EXPECT(n >= 2 && factors[0] == 0.02 && factors[n - 1] < factors[0], "%lld rollbacks", (long long)n);
  free(factors);
  const int64_t n_epochs = training_rows(folder, name, "epochs", rows, 64);
  EXPECT(n_epochs == 6, "%lld epochs", (long long)n_epochs);
  const int64_t n_steps = training_rows(folder, name, "steps", rows, 64);
  for (int64_t i = 1; i < n_steps; i++)
    EXPECT(rows[i].step > rows[i - 1].step, "step %lld after step %lld", (long long)rows[i].step,
           (long long)rows[i - 1].step);
}

static void a_rollback_gives_the_same_bits_on_any_number_of_ranks(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(train(comm, &folder, "together", NULL, &result));
  EXPECT(result.stop == TUTTI_STOP_BUDGET && result.row.step == 30, "%s: step %lld", result.reason,
         (long long)result.row.step);
  if (training_is_root(comm)) EXPECT_OK(train(folder.self, &folder, "alone", NULL, &result));
  training_expect_same(comm, &folder, "together", "alone", 0);
  if (training_is_root(comm)) check_files(&folder, "together");
  training_folder_remove(comm, &folder);
}

static void a_rollback_is_resumed(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(train(comm, &folder, "straight", NULL, &result));
  for (int epochs = 1; epochs <= 6; epochs++) {
    char budget[32];
    snprintf(budget, sizeof budget, "train.epochs=%d", epochs);
    EXPECT_OK(train(comm, &folder, "parts", budget, &result));
    EXPECT(result.stop == TUTTI_STOP_BUDGET, "%s", result.reason);
  }
  training_expect_same(comm, &folder, "straight", "parts", 0);
  if (training_is_root(comm)) check_files(&folder, "parts");
  training_folder_remove(comm, &folder);
}

/** A write that fails once, at any place after the first checkpoint, changes nothing. */
static void a_full_disk_does_not_end_a_rollback(const tutti_comm *comm) {
  static const char *const sites[] = {"file.commit", "checkpoint.save", "metrics.flush"};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(train(comm, &folder, "straight", NULL, &result));
  for (size_t i = 0; i < sizeof sites / sizeof *sites; i++)
    for (int nth = i == 0 ? 4 : 2; nth <= 12; nth += tutti_comm_size(comm) > 2 ? 3 : 1) {
      char fault[64];
      snprintf(fault, sizeof fault, "%s:0:%d", sites[i], nth);
      setenv("TUTTI_FAULT", fault, 1);
      EXPECT_OK(train(comm, &folder, fault, NULL, &result));
      unsetenv("TUTTI_FAULT");
      training_expect_same(comm, &folder, "straight", fault, 0);
      if (training_is_root(comm)) check_files(&folder, fault);
    }
  training_folder_remove(comm, &folder);
}

static void rollbacks_come_to_an_end(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(train(comm, &folder, "stop", "run.on_divergence=stop", &result));
  EXPECT(result.stop == TUTTI_STOP_DIVERGED && !strstr(result.reason, "rollbacks"), "%s", result.reason);
  EXPECT_OK(train(comm, &folder, "few", "run.rollbacks=1", &result));
  EXPECT(result.stop == TUTTI_STOP_DIVERGED && strstr(result.reason, "run.rollbacks: all 1 are used up"),
         "%s", result.reason);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {MPI_TEST(a_rollback_gives_the_same_bits_on_any_number_of_ranks),
                            MPI_TEST(a_rollback_is_resumed), MPI_TEST(a_full_disk_does_not_end_a_rollback),
                            MPI_TEST(rollbacks_come_to_an_end)};
  return mpi_main("rollback", tests, sizeof tests / sizeof tests[0]);
}
