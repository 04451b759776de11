/** Promise 2: a rank never leaves a collective alone.  Each fallible site fails on one rank: every rank gets
 * the same status, nothing hangs (the test has a time limit), nothing leaks, and the run directory can be
 * gone on from. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "support/training.h"
#include "tutti/io.h"

static const char yaml[] = "data: {validation_split: 0.1}\n"
                           "model: {layers: [dense 8 relu, batch_norm, dropout 0.1, dense 3 softmax]}\n"
                           "optimizer: {name: adam, global_clipnorm: 1}\n"
                           "train: {batch_size: 60, epochs: 2, monitor: val_loss}\n"
                           "run: {metrics_every: 2 steps}\n";

/** Train with a fault; true where the training failed, on all ranks alike, with a text that holds `part`. */
static bool fails(const tutti_comm *comm, const training_folder *folder, const char *name, const char *fault,
                  const char *part) {
  tutti_train_result result;
  setenv("TUTTI_FAULT", fault, 1);
  const tutti_status status = training_run(comm, folder, name, yaml, NULL, &result);
  unsetenv("TUTTI_FAULT");
  double codes[2] = {status, -(double)status};
  EXPECT_OK(tutti_comm_max(comm, codes, 2));
  EXPECT(codes[0] == -codes[1], "%s: code %d here, from %g to %g over ranks", fault, (int)status, -codes[1],
         codes[0]);
  if (status == TUTTI_OK) return false;
  EXPECT(tutti_fail_text()[0] != '\0' && strstr(tutti_fail_text(), part), "%s: %s", fault, tutti_fail_text());
  return true;
}

/** Which ranks come past a site. */
typedef enum { EACH_RANK, FIRST_OF_NODE, ROOT } passers;

static const struct {
  const char *name;
  passers who;
} sites[] = {{"dataset.open", FIRST_OF_NODE}, {"file.open", FIRST_OF_NODE}, {"window", EACH_RANK},
             {"reducer", EACH_RANK},          {"step", EACH_RANK},          {"file.create", ROOT},
             {"file.commit", ROOT},           {"checkpoint.save", ROOT},    {"metrics.flush", ROOT}};

static bool comes_past(const tutti_comm *comm, passers who, int rank) {
  double first = tutti_comm_rank(comm) == rank && tutti_comm_node_rank(comm) == 0;
  EXPECT_OK(tutti_comm_max(comm, &first, 1));
  return who == EACH_RANK || (who == FIRST_OF_NODE && first > 0) || (who == ROOT && rank == 0);
}

static void check_site(const tutti_comm *comm, const training_folder *folder, size_t site, int rank) {
  tutti_train_result result;
  const bool fallible = comes_past(comm, sites[site].who, rank);
  bool failed = true;
  for (int nth = 1; failed && nth <= 3; nth++) {
    char fault[64], name[64];
    snprintf(fault, sizeof fault, "%s:%d:%d", sites[site].name, rank, nth);
    snprintf(name, sizeof name, "%s-%d-%d", sites[site].name, rank, nth);
    failed = fails(comm, folder, name, fault, "fault injected");
    EXPECT(nth > 1 || failed == fallible, "%s %s: who comes past there?", fault,
           failed ? "failed" : "did not fail");
    if (failed) EXPECT_OK(training_run(comm, folder, name, yaml, NULL, &result));
  }
}

static void each_site_fails_on_all_ranks(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  const int last = tutti_comm_size(comm) - 1;
  for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++) {
    check_site(comm, &folder, i, 0);
    if (last > 0) check_site(comm, &folder, i, last);
  }
  training_folder_remove(comm, &folder);
}

/** A file system without hard links: checkpoints are kept all the same. */
static void a_checkpoint_does_without_links(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "links", yaml, NULL, &result));
  EXPECT(!fails(comm, &folder, "none", "checkpoint.link:0:1", ""), "%s", tutti_fail_text());
  if (tutti_comm_rank(comm) == 0) {
    char before[300];
    tutti_file *file = NULL;
    EXPECT(tutti_fault_has_come(), "nothing has failed");
    EXPECT(training_difference(&folder, "links", "none") == 0, "other weights");
    snprintf(before, sizeof before, "%s/none/checkpoint.prev.h5", folder.path);
    EXPECT_OK(tutti_file_open(before, &file));
    tutti_file_close(&file);
  }
  training_folder_remove(comm, &folder);
}

/** Memory that runs out at any one allocation, on the first and on the last rank. */
static void each_allocation_fails_on_all_ranks(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  const int size = tutti_comm_size(comm),
            stride = size == 1 ? 1 : 5 + 2 * size; // more ranks cost more time each
  for (int rank = 0; rank<size; rank += size> 1 ? size - 1 : 1) {
    // A failed look for an array that is there is made good by reading it: some runs in between go well.
    int nth = 1, n_failed = 0;
    for (int well = 0; well < 5; nth += stride) {
      char fault[64];
      snprintf(fault, sizeof fault, "memory:%d:%d", rank, nth);
      // Libraries have words of their own for it.
      const bool failed = fails(comm, &folder, fault, fault, "");
      well = failed ? 0 : well + 1;
      n_failed += failed;
    }
    EXPECT(n_failed * stride >= 30, "only %d of %d allocations failed on rank %d", n_failed, nth / stride,
           rank);
  }
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(each_site_fails_on_all_ranks),
      MPI_TEST(a_checkpoint_does_without_links),
      MPI_TEST(each_allocation_fails_on_all_ranks),
  };
  return mpi_main("faults", tests, sizeof tests / sizeof tests[0]);
}
