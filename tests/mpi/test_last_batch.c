/** What an epoch has beyond its whole batches: each step has the samples that it says, at any rank count and over a
 * resume. */
#include <math.h>
#include <stdio.h>

#include "support/training.h"

/** 300 samples are trained on; 33 of the 333 are held out. */
enum { N_TRAIN = 300, MAX_ROWS = 200 };

#define NETWORK                                                                                              \
  "model: {layers: [dense 24 bias=no, batch_norm ghost=7, activation relu, dropout 0.2, dense 3 softmax]}\n" \
  "optimizer: {name: sgd, learning_rate: 0.05}\n"                                                            \
  "run: {metrics_every: 1 step, checkpoint_every: 0}\n"                                                      \
  "data: {validation_split: 0.1}\n"
static const char carried[] = NETWORK "train: {batch_size: 70, epochs: 5, last_batch: carry}\n";
static const char larger[] = NETWORK "train: {batch_size: 730, epochs: 9, last_batch: carry}\n";
static const char dropped[] = NETWORK "train: {batch_size: 70, epochs: 5, last_batch: drop}\n";

typedef struct {
  const char *yaml;
  int64_t batch, n_steps, n_epochs;
  int64_t ends[5]; // steps that come to an epoch's end, or behind it
  int64_t epochs[5];
} last_case;

static const last_case cases[] = {
    {carried, 70, 22, 5, {5, 9, 13, 18, 22}, {1, 2, 3, 4, 5}},
    {larger, 730, 4, 4, {1, 2, 3, 4}, {2, 4, 7, 9}}, // two or three passes a step
    {dropped, 70, 20, 5, {4, 8, 12, 16, 20}, {1, 2, 3, 4, 5}},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

static void check_rows(const training_folder *folder, const last_case *c, const char *name) {
  tutti_metrics_row steps[MAX_ROWS], epochs[MAX_ROWS];
  const int64_t n = training_rows(folder, name, "steps", steps, MAX_ROWS);
  EXPECT(n == c->n_steps, "%s: %lld steps", name, (long long)n);
  for (int64_t i = 0; i < n; i++)
    EXPECT(steps[i].batch_size == c->batch && steps[i].samples == (i + 1) * c->batch,
           "%s, step %lld: %lld of %lld", name, (long long)i + 1, (long long)steps[i].batch_size,
           (long long)steps[i].samples);
  const int64_t m = training_rows(folder, name, "epochs", epochs, MAX_ROWS);
  EXPECT(m == c->n_epochs, "%s: %lld epochs", name, (long long)m);
  for (int64_t i = 0; i < m && i < c->n_epochs; i++)
    EXPECT(epochs[i].step == c->ends[i] && epochs[i].epoch == c->epochs[i] && !isnan(epochs[i].val_loss),
           "%s: epoch %lld at step %lld", name, (long long)epochs[i].epoch, (long long)epochs[i].step);
}

static void ranks_change_nothing(const tutti_comm *comm) {
  const bool root = tutti_comm_rank(comm) == 0;
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  for (int i = 0; i < N_CASES; i++) {
    const training_overrides tree = {"parallel.reduce=tree", "run.resume=no"},
                             flat = {"parallel.reduce=flat", "run.resume=no"};
    if (root) EXPECT_OK(training_run(folder.self, &folder, "alone", cases[i].yaml, tree, &result));
    if (root) check_rows(&folder, &cases[i], "alone");
    EXPECT_OK(training_run(comm, &folder, "tree", cases[i].yaml, tree, &result));
    EXPECT_OK(training_run(comm, &folder, "flat", cases[i].yaml, flat, &result));
    if (!root) continue;
    EXPECT(training_difference(&folder, "alone", "tree") == 0, "case %d: other bits", i);
    EXPECT(training_difference(&folder, "alone", "flat") < 1e-5, "case %d", i);
  }
  training_folder_remove(comm, &folder);
}

/** Stopped before, at and behind the step that belongs to two epochs. */
static void resumed_run_is_the_straight_one(const tutti_comm *comm) {
  const bool root = tutti_comm_rank(comm) == 0;
  const int stops[N_CASES][3] = {{4, 5, 6}, {1, 2, 3}, {3, 4, 5}};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  const training_overrides tree = {"parallel.reduce=tree"};
  for (int i = 0; i < N_CASES; i++) {
    const training_overrides anew = {"parallel.reduce=tree", "run.resume=no"};
    if (root) EXPECT_OK(training_run(folder.self, &folder, "straight", cases[i].yaml, anew, &result));
    for (int k = 0; k < 3; k++) {
      char name[32];
      snprintf(name, sizeof name, "resumed-%d-%d", i, k);
      training_run_in_two(comm, &folder, name, cases[i].yaml, tree, stops[i][k], k % 2);
      if (root) EXPECT(training_difference(&folder, "straight", name) == 0, "%s: other bits", name);
      if (root) check_rows(&folder, &cases[i], name);
    }
  }
  training_folder_remove(comm, &folder);
}

#define PLAIN                                                                                                \
  "model: {layers: [dense 24 relu, dense 3 softmax]}\n"                                                      \
  "optimizer: {name: sgd, learning_rate: 0.05}\n"                                                            \
  "run: {metrics_every: 1 step}\n"

/** The mean gradient over two passes is that over one. */
static void two_passes_are_one(const tutti_comm *comm) {
  const char *yaml = PLAIN "train: {batch_size: 333, steps: 6}\n";
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "one", yaml, NULL, &result));
  EXPECT_OK(training_run(comm, &folder, "two", yaml,
                         (training_overrides){"train.batch_size=666", "train.last_batch=carry"}, &result));
  EXPECT(result.row.samples == 6 * 666 && result.row.epoch == 12, "%lld samples",
         (long long)result.row.samples);
  if (tutti_comm_rank(comm) == 0) EXPECT(training_difference(&folder, "one", "two") < 1e-5, "other weights");
  training_folder_remove(comm, &folder);
}

/** What a batch took of the next epoch is not taken again by other batches: they go on as those of a batch that
 * grows. */
static void another_batch_size_goes_on_where_the_samples_are(const tutti_comm *comm) {
  const char *yaml = PLAIN "train: {batch_size: 70, last_batch: carry}\n";
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "grown", yaml,
                   (training_overrides){"train.steps=8", "schedule.batch_growth=step",
                                        "schedule.batch_factor=1.5", "schedule.batch_milestones=5 steps"},
                   &result));
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){"train.steps=5"}, &result));
  char resume[TRAINING_TEXT];
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  EXPECT_OK(training_run(comm, &folder, "second", yaml,
                         (training_overrides){resume, "train.steps=8", "train.batch_size=105"}, &result));
  EXPECT(result.row.samples == 5 * 70 + 3 * 105, "%lld samples", (long long)result.row.samples);
  if (tutti_comm_rank(comm) == 0)
    EXPECT(training_difference(&folder, "grown", "second") == 0, "other samples");
  // In another order they would be others: the epoch begins with its first sample.
  EXPECT_OK(training_run(comm, &folder, "third", yaml,
                         (training_overrides){resume, "train.steps=9", "train.seed=9"}, &result));
  EXPECT(result.epochs == (333 + 4 * 70) / 333., "%.17g epochs", result.epochs);
  EXPECT_OK(training_run(comm, &folder, "fourth", yaml,
                         (training_overrides){resume, "train.steps=9", "train.shuffle=no"}, &result));
  EXPECT(result.epochs == (333 + 4 * 70) / 333., "%.17g epochs", result.epochs);
  training_folder_remove(comm, &folder);
}

/** 280 of 300 samples are taken by batches of 70, and 210 by batches of 105: an epoch is one all the same. */
static void a_grown_batch_drops_another_part(const tutti_comm *comm) {
  const training_overrides grown = {"schedule.batch_growth=step", "schedule.batch_milestones=2 epochs",
                                    "schedule.batch_factor=1.5"},
                           part = {grown[0], grown[1], grown[2], "train.steps=11"};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "whole", dropped, grown, &result));
  EXPECT(result.epochs == 5 && result.row.samples == 2 * 280 + 3 * 210, "%g epochs of %lld samples",
         result.epochs, (long long)result.row.samples);
  EXPECT_OK(training_run(comm, &folder, "part", dropped, part, &result));
  EXPECT(result.epochs == 3.5, "%g epochs", result.epochs);
  training_folder_remove(comm, &folder);
}

static void nothing_left_is_refused(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_FAILS(
      training_run(comm, &folder, "run", dropped, (training_overrides){"train.batch_size=301"}, &result),
      TUTTI_ERR_CONFIG, "train.last_batch: drop would drop all of them");
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(ranks_change_nothing),    MPI_TEST(resumed_run_is_the_straight_one),
      MPI_TEST(two_passes_are_one),      MPI_TEST(another_batch_size_goes_on_where_the_samples_are),
      MPI_TEST(nothing_left_is_refused), MPI_TEST(a_grown_batch_drops_another_part),
  };
  return mpi_main("last_batch", tests, sizeof tests / sizeof tests[0]);
}
