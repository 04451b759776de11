/** Training rows that are evaluated at fixed weights: whose they are, on how many ranks, and as a goal. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/training.h"

#define COMMON                                                                                               \
  "data: {validation_split: 0.3, x_test: x_train, y_test: y_train}\n"                                        \
  "model: {layers: [dense 20 relu l2=1e-3, dense 3 softmax]}\n"                                              \
  "train: {batch_size: 50, steps: 20, evaluate_every: 4 steps, train_rows: 1000}\n"

/** The test part has all rows of the file, so training and validation rows together make it up. */
static void they_are_those_that_are_not_held_out(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result r;
  training_folder_make(comm, &folder);
  if (EXPECT_OK(training_run(comm, &folder, "all", COMMON, (training_overrides){"train.steps=3"}, &r))) {
    const double n_train = (double)r.training.samples, n_val = (double)r.validation.samples;
    const double loss = (n_train * r.training.loss + n_val * r.validation.loss) / (n_train + n_val);
    const double hits = n_train * r.training.metric + n_val * r.validation.metric;
    EXPECT(fabs(n_train * r.epochs - (double)r.row.samples) < 1e-9 &&
               n_train + n_val == (double)r.test.samples,
           "%g rows", n_train);
    EXPECT(fabs(loss - r.test.loss) < 1e-6 * r.test.loss, "%.9g and %.9g", loss, r.test.loss);
    EXPECT(fabs(hits - (double)r.test.samples * r.test.metric) < 1e-6, "%g right", hits);
  }
  training_folder_remove(comm, &folder);
}

/** A part of them, on one rank and on all: the same rows whatever the ranks. */
static void the_seed_draws_them(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result all, one = {0}, other;
  training_folder_make(comm, &folder);
  const training_overrides part = {"train.train_rows=40", "parallel.reduce=tree"};
  const training_overrides seeded = {"train.train_rows=40", "parallel.reduce=tree", "train.seed=7"};
  EXPECT_OK(training_run(comm, &folder, "all", COMMON, part, &all));
  if (training_is_root(comm)) EXPECT_OK(training_run(folder.self, &folder, "one", COMMON, part, &one));
  if (training_is_root(comm))
    EXPECT(one.training.samples == 40 && one.training.loss == all.training.loss &&
               one.training.metric == all.training.metric,
           "%.17g and %.17g", one.training.loss, all.training.loss);
  EXPECT_OK(training_run(comm, &folder, "seeded", COMMON, seeded, &other));
  EXPECT(other.training.loss != all.training.loss, "loss %g with both seeds", all.training.loss);
  training_folder_remove(comm, &folder);
}

/** Values at each evaluation, NaN elsewhere; after a resume as if there had been none. */
static void they_stay_the_same_over_a_resume(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result r;
  training_folder_make(comm, &folder);
  const training_overrides straight = {"train.train_rows=40", "run.metrics_every=1 step"};
  const training_overrides half = {"train.train_rows=40", "run.metrics_every=1 step", "train.steps=10"};
  EXPECT_OK(training_run(comm, &folder, "straight", COMMON, straight, &r));
  EXPECT_OK(training_run(comm, &folder, "resumed", COMMON, half, &r));
  EXPECT_OK(training_run(comm, &folder, "resumed", COMMON, straight, &r));
  if (training_is_root(comm)) {
    double *a = NULL, *b = NULL;
    EXPECT(training_column(&folder, "straight", "steps", "train_loss", &a) == 20, "rows");
    EXPECT(training_column(&folder, "resumed", "steps", "train_loss", &b) == 20, "rows");
    for (int i = 0; i < 20 && a && b; i++) {
      EXPECT(isnan(a[i]) == ((i + 1) % 4 != 0), "step %d: %g", i + 1, a[i]);
      EXPECT((isnan(a[i]) && isnan(b[i])) || fabs(a[i] - b[i]) < 1e-6, "step %d: %g and %g", i + 1, a[i],
             b[i]);
    }
    free(a);
    free(b);
  }
  training_folder_remove(comm, &folder);
}

/** Without validation rows, within an epoch; a run that has reached its goal is over for good. */
static void their_loss_can_be_a_goal(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result straight, r;
  char goal[64];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "to 8", COMMON,
                         (training_overrides){"data.validation_split=0", "train.steps=8"}, &straight));
  snprintf(goal, sizeof goal, "train.stop_at=train_loss <= %.9g", straight.training.loss * 1.00001);
  for (int i = 0; i < 2; i++) {
    EXPECT_OK(training_run(comm, &folder, "goal", COMMON,
                           (training_overrides){"data.validation_split=0", goal, "train.monitor=train_loss"},
                           &r));
    EXPECT(r.stop == TUTTI_STOP_GOAL && r.row.step == 8, "%s", r.reason);
    EXPECT(fabs(r.training.loss - straight.training.loss) < 1e-6, "%g and %g", r.training.loss,
           straight.training.loss);
  }
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(they_are_those_that_are_not_held_out),
      MPI_TEST(the_seed_draws_them),
      MPI_TEST(they_stay_the_same_over_a_resume),
      MPI_TEST(their_loss_can_be_a_goal),
  };
  return mpi_main("train_rows", tests, sizeof tests / sizeof tests[0]);
}
