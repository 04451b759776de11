/** A batch that grows: promises 1 and 3 hold, and the tables tell what was done. */
#include <math.h>
#include <stdio.h>

#include "support/training.h"

/** 333 samples: 5, 15, 45 and 120 in a batch, from steps in mid-epoch on; groups of batch_norm that grow along, and some
 * that do not. */
#define NETWORK                                                                                              \
  "model: {layers: [dense 24 bias=no, batch_norm, activation relu, dense 16 relu, dropout 0.2, batch_norm "  \
  "ghost=5, dense 3 softmax], label_smoothing: 0.1}\n"                                                       \
  "optimizer: {name: adam, learning_rate: 0.01}\n"
static const char by_samples[] = NETWORK
    "schedule: {warmup: 10 steps, batch_growth: step, batch_factor: 3, batch_milestones: '100, 250, 700, 800 "
    "samples', batch_max: 120}\n"
    "train: {batch_size: 5, epochs: 4, evaluate_every: 100 samples, seed: 5}\n"
    "run: {metrics_every: 1 step, checkpoint_every: 0}\n"
    "data: {validation_split: 0.1}\n";

enum { MAX_ROWS = 200, N_TRAIN = 300 }; // 33 of the 333 are held out

/** The published rule, step by step: what each row has to say. */
static void check_rows(const training_folder *folder, const char *name) {
  const int64_t places[] = {100, 250, 700, 800};
  tutti_metrics_row rows[MAX_ROWS];
  const int64_t n = training_rows(folder, name, "steps", rows, MAX_ROWS);
  int64_t samples = 0;
  for (int64_t i = 0; i < n; i++) {
    double size = 5;
    for (int k = 0; k < 4; k++) size *= samples >= places[k] ? 3 : 1;
    const int64_t batch = size < 120 ? (int64_t)size : 120, left = N_TRAIN - samples % N_TRAIN;
    const double rate = 0.01 * fmin(1, 120 / size) * fmin(1, (double)(i + 1) / 10);
    EXPECT(rows[i].epoch == samples / N_TRAIN + 1, "step %lld: epoch %lld", (long long)i,
           (long long)rows[i].epoch);
    const int64_t had = batch < left ? batch : left;
    samples += had;
    EXPECT(rows[i].samples == samples && rows[i].step == i + 1, "step %lld: %lld samples, expected %lld",
           (long long)i + 1, (long long)rows[i].samples, (long long)samples);
    EXPECT(rows[i].batch_size == had, "step %lld: batch %lld, expected %lld", (long long)i + 1,
           (long long)rows[i].batch_size, (long long)had);
    EXPECT(fabs(rows[i].learning_rate - rate) < 1e-12, "step %lld: rate %g, expected %g", (long long)i + 1,
           rows[i].learning_rate, rate);
  }
  EXPECT(samples == 4 * N_TRAIN, "%lld samples in all", (long long)samples);
}

static void compare(const training_folder *folder, const char *a, const char *b, double most) {
  tutti_metrics_row x[MAX_ROWS], y[MAX_ROWS];
  const int64_t n = training_rows(folder, a, "steps", x, MAX_ROWS),
                m = training_rows(folder, b, "steps", y, MAX_ROWS);
  EXPECT(n > 0 && n == m, "%s has %lld rows, %s %lld", a, (long long)n, b, (long long)m);
  for (int64_t i = 0; i < n && i < m; i++) {
    EXPECT(fabs(x[i].loss - y[i].loss) <= most * x[i].loss, "%s and %s, step %lld: loss %.17g and %.17g", a,
           b, (long long)i, x[i].loss, y[i].loss);
    EXPECT(x[i].batch_size == y[i].batch_size && isnan(x[i].val_loss) == isnan(y[i].val_loss),
           "%s and %s, step %lld", a, b, (long long)i);
  }
  const double difference = training_difference(folder, a, b);
  EXPECT(difference <= most, "%s and %s: weights differ by %g", a, b, difference);
}

static void ranks_change_nothing(const tutti_comm *comm) {
  const bool root = tutti_comm_rank(comm) == 0;
  const char *const reduces[] = {"parallel.reduce=flat", "parallel.reduce=shared", "parallel.reduce=tree"};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  for (int i = 1; i < 3 && root; i++) {
    EXPECT_OK(training_run(folder.self, &folder, i == 2 ? "alone-tree" : "alone", by_samples,
                           (training_overrides){reduces[i]}, &result));
    check_rows(&folder, i == 2 ? "alone-tree" : "alone");
  }
  for (int i = 0; i < 3; i++) {
    char name[16];
    snprintf(name, sizeof name, "all-%d", i);
    EXPECT_OK(training_run(comm, &folder, name, by_samples, (training_overrides){reduces[i]}, &result));
    EXPECT(result.stop == TUTTI_STOP_BUDGET && result.row.epoch == 4, "%s", result.reason);
    if (!root) continue;
    compare(&folder, i == 2 ? "alone-tree" : "alone", name, i == 2 ? 0 : 1e-4);
  }
  training_folder_remove(comm, &folder);
}

/** Stopped in mid-epoch in front of a growth, between two, and behind the last; gone on by other ranks. */
static void resumed_run_is_the_straight_one(const tutti_comm *comm) {
  const bool root = tutti_comm_rank(comm) == 0;
  const int stops[] = {12, 20, 34, 43};
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  const training_overrides tree = {"parallel.reduce=tree"};
  if (root) EXPECT_OK(training_run(folder.self, &folder, "straight", by_samples, tree, &result));
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "resumed-%d", stops[i]);
    training_run_in_two(comm, &folder, name, by_samples, tree, stops[i], i % 2);
    if (root) compare(&folder, "straight", name, 0);
    if (root) check_rows(&folder, name);
  }
  training_folder_remove(comm, &folder);
}

/** Where nothing grows before the budget ends, it is the run without growth: but for the leaves of tree. */
static void growth_after_the_end_changes_nothing(const tutti_comm *comm) {
  const training_overrides late = {"schedule.batch_growth=geometric", "schedule.batch_every=100 epochs"};
  const char *yaml = NETWORK "train: {batch_size: 40, epochs: 2, micro_batch_size: 40}\n"
                             "run: {metrics_every: 1 step}\n";
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "without", yaml, NULL, &result));
  EXPECT_FAILS(training_run(comm, &folder, "with", yaml, late, &result), TUTTI_ERR_CONFIG,
               "train.micro_batch_size: 40 would split a group of 333");
  const training_overrides large = {late[0], late[1], "train.micro_batch_size=auto"};
  EXPECT_OK(training_run(comm, &folder, "with", yaml, large, &result));
  if (tutti_comm_rank(comm) == 0) compare(&folder, "without", "with", 1e-6);
  training_folder_remove(comm, &folder);
}

/** Goes on from a checkpoint of another batch size at an epoch's end, as if its own steps had led there. */
static void a_named_checkpoint_goes_on_with_growth(const tutti_comm *comm) {
  const char *yaml = NETWORK "train: {batch_size: 50, epochs: 2}\nrun: {metrics_every: 1 step}\n";
  training_folder folder;
  tutti_train_result result;
  tutti_metrics_row rows[MAX_ROWS];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, NULL, &result));
  char resume[TRAINING_TEXT];
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  const training_overrides grown = {resume,
                                    "train.epochs=4",
                                    "train.batch_size=100",
                                    "schedule.batch_growth=step",
                                    "schedule.batch_factor=2",
                                    "schedule.batch_milestones=[1 epochs, 3 epochs]"};
  EXPECT_OK(training_run(comm, &folder, "second", yaml, grown, &result));
  EXPECT(result.row.epoch == 4 && result.row.step == 14 + 2 + 1, "epoch %lld, step %lld",
         (long long)result.row.epoch, (long long)result.row.step);
  if (tutti_comm_rank(comm) == 0) {
    const int64_t n = training_rows(&folder, "second", "steps", rows, MAX_ROWS);
    const int64_t batches[] = {200, 133, 333}; // what each step had: an epoch has 333 samples
    EXPECT(n == 3, "%lld rows", (long long)n);
    for (int64_t i = 0; i < n && i < 3; i++)
      EXPECT(rows[i].batch_size == batches[i], "row %lld: batch %lld", (long long)i,
             (long long)rows[i].batch_size);
  }
  training_folder_remove(comm, &folder);
}

/** A run of 14 steps and 2 epochs of 333 samples goes on with other batches: growths in steps, samples and epochs come
 * where it stands, however often it is stopped, and a warmup that is over asks for no room. */
static void growths_count_what_the_run_has_done(const tutti_comm *comm) {
  const char *yaml = NETWORK "train: {batch_size: 50, epochs: 4}\nschedule: {warmup: 10 steps}\n"
                             "run: {metrics_every: 1 step}\n";
  const struct {
    const char *milestones;
    int64_t batches[4]; // of the third and fourth epoch
  } cases[] = {{"schedule.batch_milestones=[15 steps, 16 steps]", {100, 200, 33, 333}},
               {"schedule.batch_milestones=[800 samples, 900 samples]", {100, 100, 133, 333}},
               {"schedule.batch_milestones=[2.1 epochs, 3 epochs]", {100, 200, 33, 333}}};
  training_folder folder;
  tutti_train_result result;
  tutti_metrics_row rows[MAX_ROWS];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", yaml, (training_overrides){"train.epochs=2"}, &result));
  char resume[TRAINING_TEXT];
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  for (int c = 0; c < 3; c++) {
    const training_overrides grown = {resume, "train.batch_size=100", "schedule.batch_growth=step",
                                      "schedule.batch_factor=2", cases[c].milestones};
    char name[16];
    snprintf(name, sizeof name, "grown-%d", c);
    training_run_in_two(comm, &folder, name, yaml, grown, 16, c % 2);
    if (tutti_comm_rank(comm) != 0) continue;
    const int64_t n = training_rows(&folder, name, "steps", rows, MAX_ROWS);
    EXPECT(n == 4, "%s: %lld rows", cases[c].milestones, (long long)n);
    for (int64_t i = 0; i < n && i < 4; i++)
      EXPECT(rows[i].batch_size == cases[c].batches[i] && rows[i].step == 15 + i, "%s, step %lld: batch %lld",
             cases[c].milestones, (long long)rows[i].step, (long long)rows[i].batch_size);
  }
  training_folder_remove(comm, &folder);
}

static void warmup_ends_before_the_batch_grows(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_FAILS(training_run(comm, &folder, "run", by_samples,
                            (training_overrides){"schedule.warmup=21 steps"}, &result),
               TUTTI_ERR_CONFIG, "schedule.warmup: 21 steps, but the batch grows after 20");
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(ranks_change_nothing),
      MPI_TEST(resumed_run_is_the_straight_one),
      MPI_TEST(growth_after_the_end_changes_nothing),
      MPI_TEST(a_named_checkpoint_goes_on_with_growth),
      MPI_TEST(growths_count_what_the_run_has_done),
      MPI_TEST(warmup_ends_before_the_batch_grows),
  };
  return mpi_main("growth", tests, sizeof tests / sizeof tests[0]);
}
