/** Promise 2 at every place: each check of a file, of memory or of the system (TUTTI_CHECK) fails once on the first rank and
 * once on the last one, in each thing that the program does.  All ranks return the same status, with a text, and nothing
 * hangs.  The list of places is complete because TUTTI_CHECK itself is the place.  Some failures are made good, for
 * example that of a checkpoint for which there is an older one, so runs in between go well. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "support/training.h"
#include "tutti/curvature.h"
#include "tutti/study.h"

// --- what is done ------------------------------------------------------------------------------------------------

/** Make what the others read. */
static void make_files(const tutti_comm *comm, training_folder *folder) {
  tutti_train_result result;
  training_folder_make(comm, folder);
  EXPECT_OK(
      training_run(comm, folder, "first", training_yaml, (training_overrides){"train.epochs=1"}, &result));
}

static tutti_status train(const tutti_comm *comm, const training_folder *folder, const char *name) {
  tutti_train_result result;
  return training_run(comm, folder, name, training_yaml, (training_overrides){"train.epochs=1"}, &result);
}

static tutti_status resume(const tutti_comm *comm, const training_folder *folder, const char *name) {
  tutti_train_result result;
  char from[TRAINING_TEXT];
  training_path(folder, "run.resume=", "first/checkpoint.h5", from);
  return training_run(comm, folder, name, training_yaml, (training_overrides){from, "train.epochs=2"},
                      &result);
}

static tutti_status evaluate(const tutti_comm *comm, const training_folder *folder, const char *name) {
  tutti_evaluation result;
  char path[TRAINING_TEXT], metric[32];
  (void)name;
  return tutti_train_evaluate_checkpoint(comm, training_path(folder, "", "first/checkpoint.h5", path), NULL,
                                         false, TUTTI_SPLIT_TEST, TUTTI_WEIGHTS_OF_FILE, metric, &result);
}

static tutti_status predict(const tutti_comm *comm, const training_folder *folder, const char *name) {
  char path[TRAINING_TEXT], data[TRAINING_TEXT], output[TRAINING_TEXT];
  int64_t n = 0;
  return tutti_train_predict_checkpoint(comm, training_path(folder, "", "first/checkpoint.h5", path),
                                        training_path(folder, "", "data.h5", data), "x_test", false,
                                        training_path(folder, "", name, output), TUTTI_WEIGHTS_OF_FILE, &n);
}

static tutti_status sharpness(const tutti_comm *comm, const training_folder *folder, const char *name) {
  char path[TRAINING_TEXT];
  tutti_curvature_result result;
  const tutti_curvature_options options = {.limit_train = 50,
                                           .epsilons = (const double[]){1e-3},
                                           .n_epsilons = 1,
                                           .subspace = 3,
                                           .seed = 1,
                                           .tolerance = 0.1,
                                           .max_products = 5};
  (void)name;
  return tutti_curvature_of_checkpoint(comm, training_path(folder, "", "first/checkpoint.h5", path), &options,
                                       &result);
}

/** @param[in] groups  each rank is a group of its own */
static tutti_status study_of(const tutti_comm *comm, const training_folder *folder, const char *name,
                             bool groups) {
  static const char yaml[] = "data: {validation_split: 0.1}\n"
                             "model: {layers: [dense 4 relu, dense 3 softmax]}\n"
                             "study:\n  vary: {train.batch_size: [32, 64]}\n"
                             "  goal: val_accuracy >= 0.5\n  budget: 8 steps\n  evaluate_every: 4 steps\n";
  char data[TRAINING_TEXT], output[TRAINING_TEXT], ranks[16];
  snprintf(ranks, sizeof ranks, "%d", groups ? 1 : tutti_comm_size(comm));
  const tutti_override overrides[] = {{"data.file", training_path(folder, "", "data.h5", data)},
                                      {"study.output", training_path(folder, "", name, output)},
                                      {"study.ranks_per_trial", ranks},
                                      {"parallel.threads", "1"}};
  const int n = sizeof overrides / sizeof overrides[0];
  const tutti_study_source source = {yaml, "test.yaml", overrides, n};
  tutti_study_outcome outcome;
  tutti_config config = {0};
  tutti_status status = tutti_comm_agree(comm, tutti_config_parse(yaml, "test.yaml", overrides, n, &config));
  if (status == TUTTI_OK) status = tutti_study_run(comm, &source, &config, &outcome);
  tutti_config_clear(&config);
  return status;
}

static tutti_status study(const tutti_comm *comm, const training_folder *folder, const char *name) {
  return study_of(comm, folder, name, false);
}

static tutti_status study_in_groups(const tutti_comm *comm, const training_folder *folder, const char *name) {
  return study_of(comm, folder, name, true);
}

static const struct {
  const char *name;
  tutti_status (*run)(const tutti_comm *comm, const training_folder *folder, const char *name);
  int at_least; // so many checks fail on the first rank
} things[] = {{"train", train, 100},           {"resume", resume, 100},      {"evaluate", evaluate, 60},
              {"predict", predict, 60},        {"sharpness", sharpness, 60}, {"study", study, 100},
              {"groups", study_in_groups, 100}};

// --- faults ------------------------------------------------------------------------------------------------------

/** Do it with a fault.  @return whether it failed, on all ranks alike */
static bool fails(const tutti_comm *comm, const training_folder *folder, size_t thing, const char *fault) {
  char name[128];
  const int64_t live = tutti_alloc_live();
  snprintf(name, sizeof name, "%s:%s.h5", things[thing].name, fault);
  setenv("TUTTI_FAULT", fault, 1);
  tutti_fault_arm();
  const tutti_status status = things[thing].run(comm, folder, name);
  unsetenv("TUTTI_FAULT");
  tutti_fault_arm();
  double codes[2] = {status, -(double)status};
  EXPECT_OK(tutti_comm_max(comm, codes, 2));
  EXPECT(codes[0] == -codes[1], "%s: code %d here, from %g to %g over ranks", name, (int)status, -codes[1],
         codes[0]);
  EXPECT(status == TUTTI_OK || tutti_fail_text()[0], "%s: no text", name);
  EXPECT(status != TUTTI_ERR_MPI, "%s: %s", name, tutti_fail_text());
  EXPECT(tutti_alloc_live() == live, "%s: %s: %lld allocations are left", name, tutti_fail_text(),
         (long long)(tutti_alloc_live() - live));
  return status != TUTTI_OK;
}

/** With TUTTI_TEST_EVERY in the environment each check fails; else some of them, more ranks fewer. */
static int stride_of(const tutti_comm *comm) {
  return getenv("TUTTI_TEST_EVERY") ? 1 : 7 + 6 * tutti_comm_size(comm);
}

static void check_thing(const tutti_comm *comm, const training_folder *folder, size_t thing, int rank) {
  static const int enough = 60; // so many checks in a row that do not fail: there are no more
  const int stride = stride_of(comm);
  int nth = 1, n_failed = 0;
  for (int well = 0; well < enough; nth += stride) {
    char fault[64];
    snprintf(fault, sizeof fault, "check:%d:%d", rank, nth);
    const bool failed = fails(comm, folder, thing, fault);
    well = failed ? 0 : well + stride;
    n_failed += failed;
  }
  if (tutti_comm_rank(comm) == 0)
    printf("%s, rank %d: %d of %d checks failed, every %d\n", things[thing].name, rank, n_failed,
           nth / stride, stride);
  const int expected = rank == 0 ? things[thing].at_least / stride : 1;
  EXPECT(n_failed >= expected, "%s: only %d checks failed on rank %d", things[thing].name, n_failed, rank);
}

static void each_check_fails_on_all_ranks(const tutti_comm *comm) {
  training_folder folder;
  make_files(comm, &folder);
  const int last = tutti_comm_size(comm) - 1;
  for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
    check_thing(comm, &folder, i, 0);
    if (last > 0) check_thing(comm, &folder, i, last);
  }
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(each_check_fails_on_all_ranks),
  };
  return mpi_main("checks", tests, sizeof tests / sizeof tests[0]);
}
