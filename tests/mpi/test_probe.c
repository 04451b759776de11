/** Steps for measuring: those of a training, among all ranks or parts of them. */
#include <stdio.h>
#include <string.h>

#include "run/sharing.h"
#include "support/training.h"
#include "train/probe.h"
#include "train/train_impl.h"
#include "tutti/linalg.h"

/** A probe of the folder's data; the caller clears config. */
static bool make_probe(const tutti_comm *comm, const training_folder *folder, const char *layers,
                       const char *micro, tutti_config *config, tutti_probe **probe) {
  char file[300];
  snprintf(file, sizeof file, "%s/data.h5", folder->path);
  const tutti_override overrides[] = {
      {"data.file", file},
      {"model.layers", layers},
      {"train.epochs", "1"},
      {"train.micro_batch_size", micro},
      {"schedule.warmup", "100 steps"}, // longer than an epoch of large batches
      {"parallel.threads", "1"}};
  return EXPECT_OK(tutti_config_parse(NULL, NULL, overrides, 6, config)) &&
         EXPECT_OK(tutti_train_probe_create(comm, config, probe));
}

typedef struct {
  double samples;
  int64_t largest;
  bool added; // one pass was added to the one before
} pass_sums;

static void add_pass(void *context, const tutti_probe_micro_batch *pass) {
  pass_sums *sums = context;
  EXPECT(pass->n_leaves >= 1 && pass->leaf_ends[pass->n_leaves - 1] == pass->rows, "%d rows in %d leaves",
         pass->rows, pass->n_leaves);
  sums->samples += pass->rows;
  sums->added = sums->added || pass->accumulate;
  if (pass->rows > sums->largest) sums->largest = pass->rows;
}

static void check_passes(const tutti_comm *comm, tutti_probe *probe, int64_t batch_size, int64_t largest) {
  pass_sums sums = {0};
  if (!EXPECT_OK(tutti_train_probe_prepare(probe, comm, batch_size, TUTTI_REDUCE_AUTO))) return;
  tutti_train_probe_visit_micro_batches(probe, add_pass, &sums);
  EXPECT(sums.largest <= largest, "a pass has %lld rows", (long long)sums.largest);
  EXPECT(sums.added == (sums.samples > (double)largest), "%g samples", sums.samples);
  EXPECT_OK(tutti_comm_sum(comm, &sums.samples, 1));
  EXPECT(sums.samples == (double)batch_size, "%g samples of %lld", sums.samples, (long long)batch_size);
}

static void passes_cover_the_batch(const tutti_comm *comm) {
  training_folder folder;
  tutti_config config = {0};
  tutti_probe *probe = NULL;
  training_folder_make(comm, &folder);
  if (make_probe(comm, &folder, "[dense 8 relu, dense 3 softmax]", "7", &config, &probe)) {
    check_passes(comm, probe, 50, 7);
    check_passes(comm, probe, 333, 7);
    check_passes(comm, probe, 2, 2); // more ranks than samples
  }
  tutti_train_probe_destroy(&probe);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

static void check_steps(tutti_probe *probe, const tutti_comm *part, int64_t batch_size) {
  enum { N = 20 };
  double seconds[N][TUTTI_N_PHASES];
  if (!EXPECT_OK(tutti_train_probe_prepare(probe, part, batch_size, TUTTI_REDUCE_AUTO))) return;
  if (!EXPECT_OK(tutti_train_probe_steps(probe, N, seconds))) return;
  for (int i = 0; i < N; i++) {
    const double *s = seconds[i];
    EXPECT(s[TUTTI_PHASE_COMPUTE] > 0 && s[TUTTI_PHASE_REDUCE] > 0 && s[TUTTI_PHASE_UPDATE] > 0,
           "step %d: compute %g, reduce %g, update %g", i, s[TUTTI_PHASE_COMPUTE], s[TUTTI_PHASE_REDUCE],
           s[TUTTI_PHASE_UPDATE]);
    EXPECT(s[TUTTI_PHASE_EVALUATE] == 0 && s[TUTTI_PHASE_SAVE] == 0, "step %d is no step alone", i);
  }
}

static void parts_step_by_themselves(const tutti_comm *comm) {
  training_folder folder;
  tutti_config config = {0};
  tutti_probe *probe = NULL;
  tutti_comm *part = NULL;
  training_folder_make(comm, &folder);
  if (make_probe(comm, &folder, "[dense 8 relu, dropout 0.5, dense 3 softmax]", "auto", &config, &probe) &&
      EXPECT_OK(tutti_comm_split(comm, tutti_comm_rank(comm) % 2, &part))) {
    const int64_t n = tutti_train_probe_run(probe)->samples.train.n;
    EXPECT(n == 333, "%lld samples", (long long)n);
    check_steps(probe, comm, 50); // the seventh batch of an epoch is short
    check_steps(probe, part, 50);
    check_steps(probe, folder.self, 1);
    check_steps(probe, comm, 333);
  }
  tutti_train_probe_destroy(&probe);
  tutti_comm_destroy(&part);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

/** Ranks on a node with a few cores may have different numbers of threads. */
static void ranks_settle_together(const tutti_comm *comm) {
  training_folder folder;
  tutti_config config = {0};
  tutti_probe *probe = NULL;
  training_folder_make(comm, &folder);
  if (make_probe(comm, &folder, "[dense 8 relu, dense 3 softmax]", "auto", &config, &probe) &&
      EXPECT_OK(tutti_train_probe_prepare(probe, comm, 50, TUTTI_REDUCE_AUTO))) {
    const bool has_two = tutti_comm_rank(comm) == 0;
    tutti_linalg_set_threads(has_two ? 2 : 1);
    EXPECT_OK(tutti_train_probe_settle(probe));
    EXPECT(!has_two || !tutti_run_sharing_is_open(&tutti_train_probe_run(probe)->sharing),
           "it is still open");
    tutti_linalg_set_threads(1);
  }
  tutti_train_probe_destroy(&probe);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

/** Two layers have a product forward and one for the weights, and the second one passes a gradient on. */
static void products_are_timed_where_they_stand(const tutti_comm *comm) {
  training_folder folder;
  tutti_config config = {0};
  tutti_probe *probe = NULL;
  double seconds[1][TUTTI_N_PHASES];
  training_folder_make(comm, &folder);
  if (make_probe(comm, &folder, "[dense 8 relu, dense 3 softmax]", "7", &config, &probe) &&
      EXPECT_OK(tutti_train_probe_prepare(probe, folder.self, 21, TUTTI_REDUCE_AUTO))) {
    tutti_model *model = tutti_train_probe_run(probe)->network.model;
    tutti_model_product_times times = {0};
    tutti_model_time_products(model, &times);
    EXPECT_OK(tutti_train_probe_steps(probe, 1, seconds));
    EXPECT(times.n == 3 * 5, "%lld products in three micro-batches", (long long)times.n);
    EXPECT(times.seconds > 0 && times.seconds < seconds[0][TUTTI_PHASE_COMPUTE], "%g s of products in %g s",
           times.seconds, seconds[0][TUTTI_PHASE_COMPUTE]);
    tutti_model_time_products(model, NULL);
    EXPECT_OK(tutti_train_probe_steps(probe, 1, seconds));
    EXPECT(times.n == 3 * 5, "%lld products, not all of them timed", (long long)times.n);
  }
  tutti_train_probe_destroy(&probe);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

static void a_failure_of_one_part_is_everybodys(const tutti_comm *comm) {
  training_folder folder;
  tutti_config config = {0};
  tutti_probe *probe = NULL;
  training_folder_make(comm, &folder);
  const int last = tutti_comm_size(comm) - 1;
  if (make_probe(comm, &folder, "[dense 8, batch_norm, dense 3 softmax]", "auto", &config, &probe)) {
    // One sample has no variance: the last rank's batch is refused, the others' would do.
    const int64_t batch_size = tutti_comm_rank(comm) == last ? 1 : 8;
    EXPECT_FAILS(tutti_train_probe_prepare(probe, folder.self, batch_size, TUTTI_REDUCE_AUTO),
                 TUTTI_ERR_CONFIG, "one sample");
    check_steps(probe, folder.self, 8);
  }
  tutti_train_probe_destroy(&probe);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

/** Each rank alone takes the steps of a training of all, from the weights that this one has. */
static void check_like(const tutti_run *run, const tutti_comm *self) {
  tutti_probe *probe = NULL;
  const float *weights = tutti_reducer_params(run->reducer);
  const size_t bytes = (size_t)tutti_model_n_params(run->network.model) * sizeof *weights;
  const tutti_checkpoint_state before = run->state.at;
  if (!EXPECT_OK(tutti_train_probe_create_like(self, run, &probe))) return;
  if (EXPECT_OK(tutti_train_probe_prepare(probe, self, 50, TUTTI_REDUCE_AUTO))) {
    const tutti_run *own = tutti_train_probe_run(probe);
    EXPECT(memcmp(tutti_reducer_params(own->reducer), weights, bytes) == 0, "other weights");
    EXPECT(own->network.class_weights[2] == 3, "class weight %g", own->network.class_weights[2]);
    check_steps(probe, self, 50);
    // Its 20 steps have left out 3 short batches of 33 samples.
    EXPECT(own->state.at.step == 20 && own->state.at.epoch == 3 && own->state.at.place == 3 * 333 + 100,
           "step %lld, epoch %lld, place %lld", (long long)own->state.at.step, (long long)own->state.at.epoch,
           (long long)own->state.at.place);
    EXPECT(memcmp(tutti_reducer_params(own->reducer), weights, bytes) != 0, "the same weights");
  }
  EXPECT(memcmp(&before, &run->state.at, sizeof before) == 0, "the run has moved");
  tutti_train_probe_destroy(&probe);
}

static void a_rank_steps_like_a_training(const tutti_comm *comm) {
  training_folder folder;
  tutti_config config = {0};
  tutti_run run = {0};
  tutti_train_step_result result;
  char file[300];
  training_folder_make(comm, &folder);
  snprintf(file, sizeof file, "%s/data.h5", folder.path);
  const tutti_override overrides[] = {
      {"data.file", file},           {"model.layers", "[dense 8 relu, dense 3 softmax]"},
      {"data.class_weight", "2: 3"}, {"train.batch_size", "60"},
      {"train.epochs", "1"},         {"parallel.threads", "1"}};
  if (EXPECT_OK(tutti_config_parse(NULL, NULL, overrides, 6, &config)) &&
      EXPECT_OK(tutti_train_create(comm, &config, &run))) {
    EXPECT_OK(tutti_train_begin(&run));
    EXPECT_OK(tutti_train_step(&run, NULL, &result));
    check_like(&run, folder.self);
    EXPECT_OK(tutti_train_step(&run, NULL, &result)); // with data that are still open
  }
  tutti_train_destroy(&run);
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(passes_cover_the_batch),
      MPI_TEST(parts_step_by_themselves),
      MPI_TEST(products_are_timed_where_they_stand),
      MPI_TEST(a_failure_of_one_part_is_everybodys),
      MPI_TEST(a_rank_steps_like_a_training),
      MPI_TEST(ranks_settle_together),
  };
  return mpi_main("probe", tests, sizeof tests / sizeof *tests);
}
