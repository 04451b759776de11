/** Promise 1: a run depends on the seed, the global batch and the hyper-parameters; never on the number of
 * ranks, threads or micro-batches.  Each case is trained by rank 0 alone in one micro-batch, and by all ranks
 * with each reducer, in micro-batches of several sizes: the loss of each of 50 steps, and the weights after them,
 * have to agree to rounding; with the tree on all bits. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/matmul.h"
#include "par/par_impl.h"
#include "support/training.h"
#include "tutti/linalg.h"

enum { N_STEPS = 50 };
static const double tolerance = 1e-4; // relative

/** Of the losses, relative; of the weights. */
typedef struct {
  double loss, weights;
} tolerances;
static const tolerances rounding = {1e-4, 1e-4};
static const tolerances no_bit = {0, 0};
// A leaf's loss is summed in parts where the leaf is cut into micro-batches.
static const tolerances no_bit_of_the_weights = {1e-14, 0};

/** 333 samples in batches of 50: seven steps an epoch, the last of 33. */
#define COMMON                                                                                               \
  "train: {batch_size: 50, steps: 50, seed: 5}\n"                                                            \
  "run: {metrics_every: 1 step, checkpoint_every: 50 steps}\n"

typedef struct {
  const char *name, *yaml;
  const char *micro[4]; // micro-batch sizes, as far as the case allows them
} invariance_case;

// A bias in front of batch_norm has no effect and its gradient is nothing but rounding, which the adaptive
// rules blow up to whole steps: such layers have bias=no.
static const invariance_case cases[] = {
    {"dropout",
     "model: {layers: [dense 24 relu, dropout 0.3, dense 16 tanh l2=1e-3, dense 3 softmax]}\n"
     "optimizer: {name: rmsprop, ema_momentum: 0.9}\n" COMMON,
     {"auto", "1", "7", "1000"}},
    {"noise",
     "model: {layers: [gaussian_noise 0.2, dense 24 selu, alpha_dropout 0.1, dense 16 elu, gaussian_dropout "
     "0.2, prelu, "
     "dense 3 softmax]}\n"
     "optimizer: {name: adam, global_clipnorm: 0.5}\n"
     "schedule: {warmup: 10 steps, decay: cosine}\n" COMMON,
     {"auto", "3", NULL}},
    {"batch_norm",
     "model: {layers: [dense 24 bias=no, batch_norm, activation relu, dense 3 softmax]}\n"
     "optimizer: {name: sgd, learning_rate: 0.05, momentum: 0.9, nesterov: yes, clipnorm: 1}\n" COMMON,
     {"auto", "1000", NULL}},
    {"ghost",
     "model: {layers: [dense 24 bias=no, batch_norm ghost=8, activation relu, dense 16 relu, batch_norm "
     "ghost=4, "
     "dense 3 softmax]}\n"
     "optimizer: {name: adamw, clipvalue: 0.01}\n"
     "parallel: {leaves: 4}\n" COMMON,
     {"auto", "8", "16", NULL}},
    {"one_hot",
     "data: {y_train: one_hot_train, y_test: one_hot_test, validation_split: 0.2}\n"
     "model: {layers: [dense 16 relu, dropout 0.2, dense 3 softmax]}\n"
     "optimizer: {name: adadelta, learning_rate: 1}\n" COMMON,
     {"auto", "7", NULL}},
    {"binary",
     "data: {y_train: bits_train, y_test: bits_test}\n"
     "model: {layers: [dense 16 softplus, dropout 0.1, dense 2 sigmoid]}\n"
     "optimizer: {name: nadam}\n" COMMON,
     {"auto", "7", NULL}},
    {"regression",
     "data: {x_train: bytes_train, x_test: bytes_test, y_train: real_train, y_test: real_test, scale: "
     "standardize}\n"
     "model: {layers: [dense 16 gelu, dense 1]}\n"
     "optimizer: {name: adamax}\n" COMMON,
     {"auto", "7", NULL}},
    {"hinge",
     "data: {y_train: side_train, y_test: side_test}\n"
     "model: {layers: [dense 16 tanh, dense 1], loss: hinge}\n"
     "optimizer: {name: adagrad}\n" COMMON,
     {"auto", "7", NULL}},
    {"autoencoder",
     "data: {x_train: bytes_train, x_test: bytes_test, y_train: bytes_train, y_test: bytes_test}\n"
     "model: {layers: [dense 5 relu, dense 12 sigmoid], loss: mean_squared_error}\n"
     "optimizer: {name: adam}\n" COMMON,
     {"auto", "7", NULL}},
    {"weights",
     "data: {weights: weight_train, class_weight: {0: 3, 2: 0.25}, validation_split: 0.1}\n"
     "model: {layers: [dense 16 relu, dense 3 softmax]}\n"
     "optimizer: {name: adam}\n" COMMON,
     {"auto", "7", NULL}},
    // Arrays of several blocks, so that their norms are of several slices.
    {"lars",
     "model: {layers: [dense 200 bias=no, batch_norm, activation relu, dense 40 tanh l2=1e-4, dense 3 "
     "softmax]}\n"
     "optimizer: {name: lars, learning_rate: 1, clipnorm: 1}\n" COMMON,
     {"auto", "1000", NULL}},
    {"lamb",
     "model: {layers: [dense 200 tanh, dense 40 tanh l2=1e-4, dense 3 softmax]}\n"
     "optimizer: {name: lamb, dialect: torch, ema_momentum: 0.9}\n" COMMON,
     {"auto", "7", NULL}},
};

/** Losses of all steps, and the weights and slots of the optimizer after them. */
static void compare_steps(const training_folder *folder, const char *a, const char *b, tolerances most) {
  tutti_metrics_row rows_a[N_STEPS], rows_b[N_STEPS];
  const int64_t n_a = training_rows(folder, a, "steps", rows_a, N_STEPS);
  const int64_t n_b = training_rows(folder, b, "steps", rows_b, N_STEPS);
  if (!EXPECT(n_a == N_STEPS && n_b == N_STEPS, "%s has %lld steps, %s %lld", a, (long long)n_a, b,
              (long long)n_b))
    return;
  double worst = 0;
  for (int i = 0; i < N_STEPS; i++) {
    worst = fmax(worst, fabs(rows_a[i].loss - rows_b[i].loss) / rows_a[i].loss);
    EXPECT(rows_a[i].samples == rows_b[i].samples, "step %d: %lld and %lld samples", i,
           (long long)rows_a[i].samples, (long long)rows_b[i].samples);
  }
  EXPECT(worst <= most.loss, "%s and %s: losses differ by %g", a, b, worst);
  const double weights = training_difference(folder, a, b);
  EXPECT(weights <= most.weights, "%s and %s: weights differ by %g", a, b, weights);
}

/** Train with this reducer in micro-batches of this size, and compare with another run of the case. */
static void check_run(const tutti_comm *comm, const training_folder *folder, const invariance_case *c,
                      const char *reduce, const char *micro, const char *with, tolerances most) {
  tutti_train_result result;
  char name[64], option[64], kind[64], other[64];
  snprintf(name, sizeof name, "%s-%s-%s-%d", c->name, reduce, micro, tutti_comm_n_nodes(comm));
  snprintf(option, sizeof option, "train.micro_batch_size=%s", micro);
  snprintf(kind, sizeof kind, "parallel.reduce=%s", reduce);
  snprintf(other, sizeof other, "%s-%s", c->name, with);
  EXPECT_OK(training_run(comm, folder, name, c->yaml, (training_overrides){option, kind}, &result));
  EXPECT(result.stop == TUTTI_STOP_BUDGET && result.row.step == N_STEPS, "%s", result.reason);
  if (tutti_comm_rank(comm) == 0) compare_steps(folder, other, name, most);
}

/** As if the ranks stood on two nodes: each reducer, and small pieces for the one that has some. */
static void check_nodes(const tutti_comm *comm, const training_folder *folder, const invariance_case *c) {
  static const char *const kinds[] = {"flat", "shared", "pipelined", "tree"};
  tutti_comm *nodes = NULL;
  if (tutti_comm_size(comm) == 1) return;
  if (!EXPECT_OK(tutti_comm_create_from(comm->all, (tutti_comm_size(comm) + 1) / 2, &nodes))) return;
  setenv("TUTTI_PIECE", "1024", 1);
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    check_run(nodes, folder, c, kinds[i], "auto", "alone", rounding);
  check_run(nodes, folder, c, "tree", "auto", "tree", no_bit_of_the_weights);
  unsetenv("TUTTI_PIECE");
  tutti_comm_destroy(&nodes);
}

static void check_case(const tutti_comm *comm, const training_folder *folder, const invariance_case *c) {
  tutti_train_result result;
  char name[64];
  if (tutti_comm_rank(comm) == 0) {
    snprintf(name, sizeof name, "%s-alone", c->name);
    EXPECT_OK(training_run(folder->self, folder, name, c->yaml, NULL, &result));
    snprintf(name, sizeof name, "%s-tree", c->name);
    EXPECT_OK(training_run(folder->self, folder, name, c->yaml, (training_overrides){"parallel.reduce=tree"},
                           &result));
  }
  EXPECT_OK(tutti_comm_barrier(comm));
  for (int i = 0; i < 4 && c->micro[i]; i++)
    check_run(comm, folder, c, "shared", c->micro[i], "alone", rounding);
  check_run(comm, folder, c, "flat", "auto", "alone", rounding);
  check_nodes(comm, folder, c);
  check_run(comm, folder, c, "tree", "auto", "alone", rounding);
  check_run(comm, folder, c, "tree", c->micro[1], "tree", no_bit_of_the_weights);
}

static void losses_do_not_depend_on_ranks_or_micro_batches(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_case(comm, &folder, &cases[i]);
  training_folder_remove(comm, &folder);
}

/** Fewer samples in a batch than ranks: some have nothing to do, in each step. */
static void ranks_without_samples_change_nothing(const tutti_comm *comm) {
  const char *yaml = "model: {layers: [dense 8 relu, batch_norm, dropout 0.1, dense 3 softmax]}\n"
                     "optimizer: {name: adam}\n"
                     "train: {batch_size: 2, steps: 50}\n"
                     "run: {metrics_every: 1 step}\n";
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  if (tutti_comm_rank(comm) == 0) EXPECT_OK(training_run(folder.self, &folder, "alone", yaml, NULL, &result));
  EXPECT_OK(training_run(comm, &folder, "all", yaml, NULL, &result));
  if (tutti_comm_rank(comm) == 0) compare_steps(&folder, "alone", "all", rounding);
  training_folder_remove(comm, &folder);
}

/** The evaluation is the same, whoever computes which part of it, and test figures too. */
static void evaluations_do_not_depend_on_ranks(const tutti_comm *comm) {
  const char *yaml = "data: {validation_split: 0.2}\n"
                     "model: {layers: [dense 8 relu, batch_norm ghost=10, dropout 0.1, dense 3 softmax]}\n"
                     "train: {batch_size: 40, epochs: 3}\n";
  training_folder folder;
  tutti_train_result alone = {0}, all = {0};
  tutti_metrics_row rows_alone[3], rows_all[3];
  training_folder_make(comm, &folder);
  if (tutti_comm_rank(comm) == 0) EXPECT_OK(training_run(folder.self, &folder, "alone", yaml, NULL, &alone));
  EXPECT_OK(training_run(comm, &folder, "all", yaml, NULL, &all));
  if (tutti_comm_rank(comm) == 0) {
    EXPECT(alone.test.samples == 57 && all.test.samples == 57, "%lld", (long long)all.test.samples);
    EXPECT(fabs(alone.test.loss - all.test.loss) <= tolerance * alone.test.loss, "%g and %g", alone.test.loss,
           all.test.loss);
    EXPECT(training_rows(&folder, "alone", "epochs", rows_alone, 3) == 3, "three epochs");
    EXPECT(training_rows(&folder, "all", "epochs", rows_all, 3) == 3, "three epochs");
    for (int i = 0; i < 3; i++)
      EXPECT(fabs(rows_alone[i].val_loss - rows_all[i].val_loss) <= tolerance * rows_alone[i].val_loss,
             "epoch %d: %g and %g", i, rows_alone[i].val_loss, rows_all[i].val_loss);
  }
  training_folder_remove(comm, &folder);
}

/** Products that are large enough for the BLAS to divide them. */
static void losses_do_not_depend_on_threads(const tutti_comm *comm) {
  const char *yaml = "model: {layers: [dense 256 relu, dense 256 tanh, dense 3 softmax]}\n"
                     "optimizer: {name: sgd, learning_rate: 0.1}\n" COMMON;
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  if (tutti_comm_rank(comm) == 0) {
    EXPECT_OK(training_run(folder.self, &folder, "one", yaml, NULL, &result));
    EXPECT_OK(
        training_run(folder.self, &folder, "two", yaml, (training_overrides){"parallel.threads=2"}, &result));
    EXPECT(tutti_linalg_threads() == 2, "%d threads", tutti_linalg_threads());
    compare_steps(&folder, "one", "two", rounding);
  }
  training_folder_remove(comm, &folder);
}

/** Leaves that are long enough to be cut, into parts with an odd number of samples. */
static void threads_change_no_bit_of_long_leaves(const tutti_comm *comm) {
  static const char yaml[] = "model: {layers: [dense 64 relu, dense 3 softmax]}\n"
                             "optimizer: {name: adam}\n"
                             "train: {batch_size: 298, steps: 50, seed: 5}\n"
                             "run: {metrics_every: 1 step, checkpoint_every: 50 steps}\n";
  static const struct {
    const char *name, *reduce, *kernels, *compute;
  } kinds[] = {{"tree", "tree", "measured", "float32"},
               {"own", "shared", "own", "float32"},
               {"tree16", "tree", "measured", "bfloat16"},
               {"shared16", "shared", "measured", "bfloat16"}};
  training_folder folder;
  training_folder_make(comm, &folder);
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && tutti_comm_rank(comm) == 0; i++) {
    char reduce[40], kernels[40], compute[40], names[2][40];
    tutti_train_result result;
    if (strcmp(kinds[i].compute, "bfloat16") == 0 && !tutti_matmul_has_bfloat16()) continue;
    snprintf(reduce, sizeof reduce, "parallel.reduce=%s", kinds[i].reduce);
    snprintf(kernels, sizeof kernels, "parallel.kernels=%s", kinds[i].kernels);
    snprintf(compute, sizeof compute, "model.compute=%s", kinds[i].compute);
    for (int k = 0; k < 2; k++) {
      const char *threads = k ? "parallel.threads=3" : "parallel.threads=1";
      snprintf(names[k], sizeof names[k], "%s-%d", kinds[i].name, k);
      EXPECT_OK(training_run(folder.self, &folder, names[k], yaml,
                             (training_overrides){"parallel.leaves=1", reduce, kernels, compute, threads},
                             &result));
    }
    compare_steps(&folder, names[0], names[1], no_bit);
  }
  training_folder_remove(comm, &folder);
}

/** The epoch that is not over has no evaluation. */
static bool is_same(double a, double b) {
  return a == b || (isnan(a) && isnan(b));
}

/** The tree of leaves: the same bits on one rank and on all, however they are divided among nodes, also where there are
 * fewer leaves than ranks, and with more threads. */
static void tree_gives_the_same_bits_on_any_nodes(const tutti_comm *comm) {
  const char *yaml =
      "data: {validation_split: 0.2}\n"
      "model: {layers: [dense 256 relu, batch_norm, dense 200 gelu, batch_norm ghost=16, dropout 0.1, "
      "prelu, dense 3 softmax]}\n"
      "optimizer: {name: adam, clipnorm: 0.01}\n"
      "parallel: {reduce: tree, leaves: 6}\n"
      "train: {batch_size: 128, steps: 50}\n"
      "run: {metrics_every: 1 step, checkpoint_every: 50 steps}\n";
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  if (tutti_comm_rank(comm) == 0) {
    EXPECT_OK(training_run(folder.self, &folder, "alone", yaml, NULL, &result));
    EXPECT_OK(training_run(folder.self, &folder, "threads", yaml, (training_overrides){"parallel.threads=3"},
                           &result));
    compare_steps(&folder, "alone", "threads", no_bit);
  }
  tutti_metrics_row epochs[20], others[20];
  const int64_t n_epochs =
      tutti_comm_rank(comm) == 0 ? training_rows(&folder, "alone", "epochs", epochs, 20) : 0;
  const int node_sizes[] = {INT_MAX, 1, 2, 3};
  for (int i = 0; i < 4; i++) {
    char name[16];
    tutti_comm *nodes = NULL;
    snprintf(name, sizeof name, "nodes-%d", i);
    EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, node_sizes[i], &nodes));
    if (!nodes) break;
    EXPECT_OK(training_run(nodes, &folder, name, yaml, NULL, &result));
    if (tutti_comm_rank(comm) == 0) {
      compare_steps(&folder, "alone", name, no_bit);
      EXPECT(n_epochs > 1 && training_rows(&folder, name, "epochs", others, 20) == n_epochs, "epochs of %s",
             name);
      for (int64_t e = 0; e < n_epochs; e++)
        EXPECT(is_same(epochs[e].val_loss, others[e].val_loss) && epochs[e].loss == others[e].loss,
               "%s: %.17g and %.17g", name, epochs[e].val_loss, others[e].val_loss);
    }
    tutti_comm_destroy(&nodes);
  }
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(losses_do_not_depend_on_ranks_or_micro_batches),
      MPI_TEST(ranks_without_samples_change_nothing),
      MPI_TEST(evaluations_do_not_depend_on_ranks),
      MPI_TEST(losses_do_not_depend_on_threads),
      MPI_TEST(threads_change_no_bit_of_long_leaves),
      MPI_TEST(tree_gives_the_same_bits_on_any_nodes),
  };
  return mpi_main("invariance", tests, sizeof tests / sizeof tests[0]);
}
