/** schedule.scaling adascale: the gain that the columns tell, what it does to rate, schedule and budget, and that it is
 * the same on any number of ranks and over a resume. */
#include <math.h>
#include <stdlib.h>

#include "support/training.h"

/** 333 samples in batches of 48, of which the gain is over 6; 100 steps of 6 are to be done. */
static const char yaml[] = "model: {layers: [dense 24 tanh l2=1e-3, dense 3 softmax]}\n"
                           "optimizer: {name: sgd, learning_rate: 0.02, momentum: 0.5}\n"
                           "schedule: {scaling: adascale, base_batch_size: 6}\n"
                           "train: {batch_size: 48, steps: 100, seed: 5, last_batch: drop}\n"
                           "run: {metrics_every: 1 step}\n";
#define SEEN "run.measure=noise", "run.measure_every=1 step"
enum { BASE = 6, BATCH = 48, K = BATCH / BASE, BUDGET = 100 };

static tutti_train_result train(const tutti_comm *comm, const training_folder *folder, const char *name,
                                const training_overrides overrides) {
  tutti_train_result result = {0};
  EXPECT_OK(training_run(comm, folder, name, yaml, overrides, &result));
  return result;
}

typedef struct {
  int64_t n;
  double *gain, *steps, *rate, *trace, *norm; // [n]
} columns;

static columns read_columns(const training_folder *folder, const char *name) {
  columns c = {0};
  static const char *const names[] = {"adascale_gain", "adascale_steps", "learning_rate", "trace",
                                      "grad_norm"};
  double **const values[] = {&c.gain, &c.steps, &c.rate, &c.trace, &c.norm};
  for (int i = 0; i < 5; i++) {
    const int64_t n = training_column(folder, name, "steps", names[i], values[i]);
    EXPECT(n > 0 && (i == 0 || n == c.n), "%s: %lld rows of %s", name, (long long)n, names[i]);
    c.n = i == 0 || n < c.n ? n : c.n;
  }
  return c;
}

static void clear(columns *c) {
  double *const values[] = {c->gain, c->steps, c->rate, c->trace, c->norm};
  for (int i = 0; i < 5; i++) free(values[i]);
}

static void expect_close(double found, double expected, const char *what, int64_t step) {
  EXPECT(fabs(found - expected) <= 1e-6 * fabs(expected), "%s of step %lld is %.9g, expected %.9g", what,
         (long long)step, found, expected);
}

/** Johnson et al., algorithm 1 and appendix B.3, from the columns alone. */
static void check_algorithm(const training_folder *folder, double learning_rate) {
  columns c = read_columns(folder, "run");
  const double keep = 1 - K / 1000.0;
  double variance = 0, square = 0, steps = 0;
  for (int64_t i = 0; i < c.n; i++) {
    const double of_base = fmax(c.trace[i] / BASE, 1e-6);
    variance = keep * variance + (1 - keep) * of_base;
    square = keep * square + (1 - keep) * fmax(c.norm[i] * c.norm[i] - of_base / K, 0);
    const double gain = (variance + square) / (variance / K + square);
    EXPECT(steps < BUDGET, "step %lld comes after the budget", (long long)i + 1);
    steps += gain;
    expect_close(c.gain[i], gain, "gain", i + 1);
    expect_close(c.steps[i], steps, "steps", i + 1);
    expect_close(c.rate[i], gain * learning_rate, "rate", i + 1);
  }
  EXPECT(steps >= BUDGET && c.n < BUDGET && c.n > BUDGET / K, "%lld steps count as %g", (long long)c.n,
         steps);
  clear(&c);
}

static void the_rate_and_the_budget_follow_the_gain(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  const tutti_train_result result = train(comm, &folder, "run", (training_overrides){SEEN});
  EXPECT(result.stop == TUTTI_STOP_BUDGET, "%s", result.reason);
  if (training_is_root(comm)) check_algorithm(&folder, 0.02);
  training_folder_remove(comm, &folder);
}

/** A drop after 40 steps of the base batch, and a warmup over 10 of them. */
static void the_schedule_goes_on_by_the_gain(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  train(comm, &folder, "run",
        (training_overrides){SEEN, "schedule.decay=step", "schedule.decay_milestones=40 steps",
                             "schedule.decay_rate=0.1", "schedule.warmup=60 samples"});
  if (training_is_root(comm)) {
    columns c = read_columns(&folder, "run");
    for (int64_t i = 0; i < c.n; i++) {
      const double before = i > 0 ? c.steps[i - 1] : 0;
      const double warm = before < 10 ? fmin((before + 1) / 10, 1) : 1;
      expect_close(c.rate[i], 0.02 * c.gain[i] * warm * (before >= 40 ? 0.1 : 1), "rate", i + 1);
    }
    clear(&c);
  }
  training_folder_remove(comm, &folder);
}

/** Over its own batch the gain is 1, and all is as without. */
static void over_its_own_batch_it_is_plain_sgd(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  const training_overrides own = {"schedule.base_batch_size=48", "train.steps=20"};
  const training_overrides none = {"schedule.scaling=none", "train.steps=20", "run.measure=noise"};
  train(comm, &folder, "own", own);
  train(comm, &folder, "none", none);
  if (training_is_root(comm))
    EXPECT(training_difference(&folder, "own", "none") <= 1e-6, "%g",
           training_difference(&folder, "own", "none"));
  training_folder_remove(comm, &folder);
}

/** Whatever the ranks, also without columns, and from another number of ranks on. */
static void it_does_not_depend_on_ranks(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  const training_overrides tree = {"parallel.reduce=tree", "optimizer.global_clipnorm=0.5"};
  if (training_is_root(comm)) {
    train(folder.self, &folder, "alone", NULL);
    train(folder.self, &folder, "tree-alone", tree);
  }
  train(comm, &folder, "flat", (training_overrides){"parallel.reduce=flat"});
  train(comm, &folder, "tree", tree);
  train(comm, &folder, "seen", (training_overrides){SEEN});
  training_run_in_two(comm, &folder, "two", yaml, tree, 17, true);
  if (training_is_root(comm)) {
    EXPECT(training_difference(&folder, "tree-alone", "tree") == 0, "tree: other bits");
    EXPECT(training_difference(&folder, "tree", "two") == 0, "resumed: other bits");
    EXPECT(training_difference(&folder, "alone", "flat") <= 1e-4, "flat");
    EXPECT(training_difference(&folder, "alone", "seen") <= 1e-4, "seen");
  }
  training_folder_remove(comm, &folder);
}

/** 110 steps of 6 samples are 13.75 of the base batch of 48 that the run goes on with: its warmup is over all the same,
 * as of 3.75, and a decay lies over the 96.25 that follow. */
static void a_warmup_that_is_over_does_not_begin_again(const tutti_comm *comm) {
  training_folder folder;
  char resume[TRAINING_TEXT];
  double *rates = NULL;
  training_folder_make(comm, &folder);
  train(comm, &folder, "plain",
        (training_overrides){"schedule.scaling=linear", "train.batch_size=6", "train.steps=110",
                             "schedule.warmup=100 steps"});
  training_path(&folder, "run.resume=", "plain/checkpoint.h5", resume);
  const training_overrides scaled = {resume, "schedule.base_batch_size=48", "schedule.warmup=100 steps",
                                     "schedule.decay=cosine"};
  const tutti_train_result result = train(comm, &folder, "scaled", scaled);
  EXPECT(result.row.step == 110 + 87, "step %lld", (long long)result.row.step);
  if (training_is_root(comm)) {
    const int64_t n = training_column(&folder, "scaled", "steps", "learning_rate", &rates);
    EXPECT(n == 87, "%lld rows", (long long)n);
    for (int64_t i = 0; i < n; i++)
      expect_close(rates[i], 0.01 * (1 + cos(acos(-1.0) * (10 + (double)i) / 96.25)), "the rate", 111 + i);
    free(rates);
  }
  training_folder_remove(comm, &folder);
}

/** What is counted, and the averages, go on into another decay: the first gain is that of the run without it. */
static void the_same_base_goes_on_as_it_was(const tutti_comm *comm) {
  training_folder folder;
  char resume[TRAINING_TEXT];
  training_folder_make(comm, &folder);
#define TENS "train.batch_size=333", "schedule.base_batch_size=10", "schedule.warmup=15 steps", SEEN
  train(comm, &folder, "straight", (training_overrides){TENS, "train.steps=80"});
  train(comm, &folder, "first", (training_overrides){TENS, "train.steps=40"});
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  train(comm, &folder, "second",
        (training_overrides){resume, TENS, "train.epochs=3", "schedule.decay=cosine"});
  if (training_is_root(comm)) {
    columns all = read_columns(&folder, "straight"), then = read_columns(&folder, "first"),
            now = read_columns(&folder, "second");
    const double part = (then.steps[then.n - 1] - 15) / (3 * 33.3 - 15);
    expect_close(now.gain[0], all.gain[then.n], "gain", then.n + 1);
    expect_close(now.steps[0], all.steps[then.n], "steps", then.n + 1);
    expect_close(now.rate[0], 0.01 * (1 + cos(acos(-1.0) * part)) * now.gain[0], "rate", then.n + 1);
    clear(&all);
    clear(&then);
    clear(&now);
  }
  training_folder_remove(comm, &folder);
}

static void what_has_no_gain_is_refused(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml,
                            (training_overrides){"optimizer.name=adam", "optimizer.momentum=auto"}, &result),
               TUTTI_ERR_CONFIG, "adascale works with optimizer.name sgd");
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml, (training_overrides){"train.batch_size=5"}, &result),
               TUTTI_ERR_CONFIG, "a gain over a smaller batch");
  EXPECT_FAILS(training_run(comm, &folder, "run", yaml,
                            (training_overrides){"model.layers=dense 9, batch_norm, dense 3 softmax"},
                            &result),
               TUTTI_ERR_CONFIG, "set ghost= to a part of the batch");
  EXPECT_OK(training_run(comm, &folder, "run", yaml,
                         (training_overrides){"model.layers=dense 9, batch_norm ghost=3, dense 3 softmax"},
                         &result));
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(the_rate_and_the_budget_follow_the_gain),
      MPI_TEST(the_schedule_goes_on_by_the_gain),
      MPI_TEST(over_its_own_batch_it_is_plain_sgd),
      MPI_TEST(it_does_not_depend_on_ranks),
      MPI_TEST(a_warmup_that_is_over_does_not_begin_again),
      MPI_TEST(the_same_base_goes_on_as_it_was),
      MPI_TEST(what_has_no_gain_is_refused),
  };
  return mpi_main("gain", tests, sizeof tests / sizeof tests[0]);
}
