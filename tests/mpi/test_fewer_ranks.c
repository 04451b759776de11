/** The hint that one rank is faster than all: rank 0 takes steps alone, and the training does not notice. */
#define _POSIX_C_SOURCE 200809L // dup, dup2, setenv
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "support/training.h"
#include "train/train_impl.h"

/** Steps after which the windows are full, and the length of a window. */
enum { ALL = 120, WINDOW = 20 };

/** Train after the first step as if the windows before it had steps of step_s, on a core that was there for the part
 * `busy` of the time.
 * @param[out] said  [bytes] what rank 0 logged; "" elsewhere */
static void note_last_step(tutti_run *run, double step_s, double busy, const char *file, char *said,
                           size_t bytes) {
  tutti_train_start start = {.n_steps = ALL - 1, .batch_size = run->config->train.batch_size};
  for (int i = 0; i < TUTTI_TRAIN_WINDOWS; i++) {
    start.n_counted[i] = WINDOW;
    start.step_s[i] = WINDOW * step_s;
    start.busy[i] = busy; // that of the last window is measured in the end
  }
  start.cpu_s = 1e9; // so that it is disturbed
  fflush(stderr);
  const int terminal = dup(STDERR_FILENO);
  FILE *log = fopen(file, "w+");
  if (!EXPECT(log && terminal >= 0, "no file %s", file)) return;
  dup2(fileno(log), STDERR_FILENO);
  tutti_log_set_level(TUTTI_LOG_INFO);
  EXPECT_OK(tutti_train_note_start(run, &start));
  tutti_log_set_level(TUTTI_LOG_WARNING);
  fflush(stderr);
  dup2(terminal, STDERR_FILENO);
  close(terminal);
  rewind(log);
  const size_t n = fread(said, 1, bytes - 1, log);
  said[n] = '\0';
  fclose(log);
}

static void check_hints(tutti_run *run, const char *file) {
  const bool is_told = run->size > 1 && run->rank == 0;
  char said[1000];
  note_last_step(run, 1.5e-3, 1, file, said, sizeof said); // so slow that one rank is certainly faster
  EXPECT((strstr(said, "'mpirun -np 1'") != NULL) == is_told, "%s", said);
  note_last_step(run, 1e-9, 1, file, said, sizeof said); // nobody is so fast
  EXPECT(said[0] == '\0', "%s", said);
  note_last_step(run, 1.5e-3, 0.5, file, said, sizeof said); // others took the cores
  EXPECT(said[0] == '\0', "%s", said);
  note_last_step(run, 1, 1, file, said, sizeof said); // too long to find out
  EXPECT(said[0] == '\0', "%s", said);
}

/** The last step is the short one of an epoch, and the hint is about whole ones. */
static void check_short_batch(tutti_run *run, const char *file) {
  const bool is_told = run->size > 1 && run->rank == 0;
  const tutti_checkpoint_state before = run->state.at;
  char said[1000];
  run->state.at.step = run->state.at.step_in_epoch = 333 / 16;
  run->state.at.place = 333 / 16 * 16;
  note_last_step(run, 1.5e-3, 1, file, said, sizeof said);
  EXPECT((strstr(said, "a step of 16 samples") != NULL) == is_told, "%s", said);
  run->state.at = before;
}

/** Large data would take seconds, and all ranks wait.  A class that does not exist would be noticed; the time of the job
 * is looked at as if there had been no pause. */
static void check_that_data_are_known(tutti_run *run, tutti_config *config, const char *file) {
  static char unknown_class[] = "9: 1";
  const bool is_told = run->size > 1 && run->rank == 0;
  char said[1000], *const given = config->data.class_weight;
  config->data.class_weight = unknown_class;
  run->state.looked_at = 1;
  note_last_step(run, 1.5e-3, 1, file, said, sizeof said);
  EXPECT((strstr(said, "'mpirun -np 1'") != NULL) == is_told, "%s", said);
  EXPECT((run->state.looked_at == 0) == (run->size > 1), "looked at %g", run->state.looked_at);
  config->data.class_weight = given;
}

/** A rank without memory for the hint costs the hint, not the training: rank 1 for its communicator, or rank 0. */
static void check_failures(tutti_run *run, const char *file) {
  static const char *const faults[] = {"memory:1:1", "memory:0:1", "memory:0:3"};
  char said[1000];
  for (size_t i = 0; run->size > 1 && i < sizeof faults / sizeof *faults; i++) {
    setenv("TUTTI_FAULT", faults[i], 1);
    note_last_step(run, 1.5e-3, 1, file, said, sizeof said);
    unsetenv("TUTTI_FAULT");
    EXPECT(said[0] == '\0', "%s: %s", faults[i], said);
  }
}

/** Create a training of a folder's data, do its first step, and compare weights before and after the hints. */
static tutti_status run_hints(const tutti_comm *comm, tutti_config *config, const char *file) {
  tutti_run run = {0};
  tutti_train_step_result result;
  float *before = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_train_create(comm, config, &run));
  TUTTI_TRY_GOTO(done, tutti_train_begin(&run));
  TUTTI_TRY_GOTO(done, tutti_train_step(&run, NULL, &result));
  const size_t n = (size_t)tutti_model_n_params(run.network.model);
  TUTTI_TRY_GOTO(done, TUTTI_NEW(before, (int64_t)n));
  memcpy(before, tutti_reducer_params(run.reducer), n * sizeof *before);
  check_hints(&run, file);
  check_short_batch(&run, file);
  check_that_data_are_known(&run, config, file);
  check_failures(&run, file);
  EXPECT(memcmp(before, tutti_reducer_params(run.reducer), n * sizeof *before) == 0, "other weights");
  EXPECT_OK(tutti_train_step(&run, NULL, &result));
done:
  tutti_free(before);
  tutti_train_destroy(&run);
  return status;
}

static void one_rank_is_compared_with_all(const tutti_comm *comm) {
  training_folder folder;
  tutti_config config = {0};
  char data[TRAINING_TEXT], file[TRAINING_TEXT], name[40];
  training_folder_make(comm, &folder);
  const tutti_override overrides[] = {{"data.file", training_path(&folder, "", "data.h5", data)},
                                      {"model.layers", "[dense 8 relu, dropout 0.1, dense 3 softmax]"},
                                      {"data.class_weight", "balanced"},
                                      {"train.batch_size", "16"},
                                      {"train.epochs", "5"},
                                      {"parallel.threads", "1"}};
  snprintf(name, sizeof name, "log-%d", tutti_comm_rank(comm));
  if (EXPECT_OK(tutti_config_parse(NULL, NULL, overrides, 6, &config)))
    EXPECT_OK(run_hints(comm, &config, training_path(&folder, "", name, file)));
  tutti_config_clear(&config);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {MPI_TEST(one_rank_is_compared_with_all)};
  return mpi_main("fewer_ranks", tests, sizeof tests / sizeof *tests);
}
