#include "support/study_file.h"

#include <math.h>

#include "support/check.h"
#include "tutti/fit.h"

enum { N_SIZES = 7, N_RATES = 3, N_CHOICES = 2, N_TRIALS = N_SIZES * N_RATES * N_CHOICES };

static const char config[] = "data: {file: some/folder/digits.h5, validation_split: 0.1}\n"
                             "model: {layers: [dense 16 relu, dense 10 softmax]}\n"
                             "optimizer: {name: sgd, momentum: 0.5}\n"
                             "train: {epochs: 1}\n"
                             "study:\n"
                             "  vary:\n"
                             "    train.batch_size: [16, 32, 64, 128, 256, 512, 1024]\n"
                             "    optimizer.learning_rate: {from: 0.1, to: 0.4, points: 3}\n"
                             "    model.initializer: [he_uniform, glorot_uniform]\n"
                             "  goal: val_accuracy >= 0.9\n"
                             "  budget: 800 steps\n";

static tutti_trial_state state_of(double rate, double steps, bool alone) {
  if (rate > 0.3) return TUTTI_TRIAL_DIVERGED;
  return steps <= 800 && !alone ? TUTTI_TRIAL_REACHED : TUTTI_TRIAL_NOT_REACHED;
}

static tutti_trial_result make_result(int64_t i, int64_t batch_size, double rate, bool best, bool alone) {
  const double steps = (100 + 20000.0 / (double)batch_size) * (best ? 1 : 2), b = (double)batch_size;
  const tutti_trial_state state = best ? TUTTI_TRIAL_REACHED : state_of(rate, steps, alone);
  const bool reached = state == TUTTI_TRIAL_REACHED;
  return (tutti_trial_result){.trial = i,
                              .setting = i % (N_RATES * N_CHOICES),
                              .batch_size = batch_size,
                              .status = state,
                              .goal_step = reached ? steps : NAN,
                              .goal_samples = reached ? steps * b : NAN,
                              .goal_epoch = reached ? steps * b / 1600 : NAN,
                              .goal_seconds = reached ? steps / 100 : NAN,
                              .steps = reached ? steps : 800,
                              .last_value = 0.125,
                              .val_loss = 0.25,
                              .val_metric = 0.9375,
                              .test_loss = 0.5,
                              .test_metric = 0.875,
                              .ranks = 1};
}

static void fill(tutti_trial_set *set, bool alone) {
  static const double rates[N_RATES] = {0.1, 0.2, 0.4};
  for (int64_t i = 0; i < N_TRIALS; i++) {
    const int64_t batch_size = INT64_C(16) << (i / (N_RATES * N_CHOICES)), choice = i % N_CHOICES;
    const double rate = rates[i / N_CHOICES % N_RATES];
    set->results[i] = make_result(i, batch_size, rate, choice == 0 && rate > 0.15 && rate < 0.3, alone);
    set->varied[2 * i] = rate;
    set->varied[2 * i + 1] = (double)choice;
  }
}

typedef struct {
  int64_t step;
  double loss, accuracy, val_loss, val_accuracy;
} evaluation;

static void write_curve(tutti_file *file) {
  static const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(evaluation, step)},
                                         {"loss", TUTTI_F64, offsetof(evaluation, loss)},
                                         {"accuracy", TUTTI_F64, offsetof(evaluation, accuracy)},
                                         {"val_loss", TUTTI_F64, offsetof(evaluation, val_loss)},
                                         {"val_accuracy", TUTTI_F64, offsetof(evaluation, val_accuracy)}};
  static const evaluation rows[] = {{400, 2, 0.25, 1.5, 0.5}, {800, 1, 0.75, 0.25, NAN}};
  CHECK_OK(tutti_table_append(file, "/curves/000000", columns, 5, sizeof *rows, rows, 2));
}

static void write_attributes(tutti_file *file) {
  static const char *const varied[] = {"train.batch_size", "optimizer.learning_rate", "model.initializer"};
  CHECK_OK(tutti_file_set_text(file, "/", "kind", "study"));
  CHECK_OK(tutti_file_set_text(file, "/", "config", config));
  CHECK_OK(tutti_file_set_text(file, "/", "goal", "val_accuracy >= 0.9"));
  CHECK_OK(tutti_file_set_text(file, "/", "budget", "800 steps"));
  CHECK_OK(tutti_file_set_text(file, "/", "metric", "accuracy"));
  CHECK_OK(tutti_file_set_texts(file, "/", "varied", varied, 3));
}

void study_file_write(const char *path, bool alone) {
  tutti_trial_result results[N_TRIALS];
  double varied[2 * N_TRIALS];
  char *names[] = {"optimizer.learning_rate", "model.initializer"},
       *choices[] = {"he_uniform", "glorot_uniform"};
  tutti_texts texts[] = {{0}, {choices, 2}};
  tutti_trial_set set = {.n_trials = N_TRIALS,
                         .results = results,
                         .n_varied = 2,
                         .varied = varied,
                         .names = names,
                         .texts = texts,
                         .learning_rate = NAN,
                         .momentum = 0.5};
  tutti_file *file = NULL;
  fill(&set, alone);
  CHECK_OK(tutti_file_create(path, &file));
  write_attributes(file);
  write_curve(file);
  CHECK_OK(tutti_fit_trial_set_write(file, &set));
  CHECK_OK(tutti_fit_summary_write(file, &set));
  CHECK_OK(tutti_file_commit(&file));
}
