/** The list of keys: section, name, type, default, range and sentence of each.
 *
 * The parser, the options of the command line, --help, the dump and the comparison of configs loop over this list, so a
 * key is one row here and one field of tutti_config.  The effect says whether a resumed run may change the key. */
#include "config/keys_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/signals.h"
#include "base/text.h"

// Names of enums that only configs use; the other rooms have the names of their own enums.
static const char *const take_names[TUTTI_N_TAKES] = {"shuffled", "last"};

static const char *const reduce_names[] = {"auto", "flat", "shared", "tree", "pipelined"};
_Static_assert(TUTTI_REDUCE_AUTO == 0 && TUTTI_REDUCE_FLAT == 1 && TUTTI_REDUCE_SHARED == 2 &&
                   TUTTI_REDUCE_TREE == 3 && TUTTI_REDUCE_PIPELINED == 4,
               "reduce_names is in the order of tutti_reduce_kind");

static const char *const kernels_names[TUTTI_N_KERNELS] = {"measured", "blas", "own"};

static const char *const last_names[TUTTI_N_LASTS] = {"short", "drop", "carry"};

static const char *const search_names[TUTTI_N_SEARCHES] = {"grid", "sobol", "random"};
static const char *const problem_names[TUTTI_N_PROBLEMS] = {"training", "noisy_quadratic"};

static const char *const divergence_names[TUTTI_N_DIVERGENCES] = {"stop", "rollback"};
static const char *const measure_names[TUTTI_N_MEASURES] = {"none", "noise", "norms", "all"};

// Fields of choices are written through an int.
_Static_assert(sizeof(tutti_scale) == sizeof(int) && sizeof(tutti_loss) == sizeof(int) &&
                   sizeof(tutti_last_batch) == sizeof(int),
               "enums are ints");

enum { TIMES = TUTTI_UNIT_STEPS | TUTTI_UNIT_EPOCHS | TUTTI_UNIT_SAMPLES };

#define NONE     TUTTI_EFFECT_NONE
#define TRAINING TUTTI_EFFECT_TRAINING
#define BY_NAME  TUTTI_EFFECT_BY_FILE_NAME
#define BY_RUN   TUTTI_EFFECT_BY_RUN

// A macro for each type of key: a row then says only what differs from key to key, and cannot miss a member.
#define KEY(SECTION, NAME, FIELD, TYPE, FALLBACK, EFFECT, SENTENCE)                                          \
  .section = #SECTION, .name = #NAME, .path = #SECTION "." #NAME,                                            \
  .offset = offsetof(tutti_config, SECTION.FIELD), .type = TUTTI_KEY_##TYPE, .fallback = FALLBACK,           \
  .effect = EFFECT, .sentence = SENTENCE
#define WHOLE(SECTION, NAME, FALLBACK, MIN, MAX, EFFECT, SENTENCE)                                           \
  KEY(SECTION, NAME, NAME, WHOLE, FALLBACK, EFFECT, SENTENCE), .whole_min = MIN, .whole_max = MAX
#define REAL(SECTION, NAME, FALLBACK, MIN, MAX, EFFECT, SENTENCE)                                            \
  KEY(SECTION, NAME, NAME, REAL, FALLBACK, EFFECT, SENTENCE), .min = MIN, .max = MAX
#define TEXT(SECTION, NAME, FALLBACK, KIND, EFFECT, SENTENCE)                                                \
  KEY(SECTION, NAME, NAME, TEXT, FALLBACK, EFFECT, SENTENCE), .word = KIND
#define CHOICE(SECTION, NAME, FIELD, FALLBACK, NAMES, EFFECT, SENTENCE)                                      \
  KEY(SECTION, NAME, FIELD, CHOICE, FALLBACK, EFFECT, SENTENCE),                                             \
      .names = NAMES, .n_names = (int)(sizeof NAMES / sizeof NAMES[0])
#define SWITCH(SECTION, NAME, FALLBACK, EFFECT, SENTENCE)                                                    \
  KEY(SECTION, NAME, NAME, SWITCH, FALLBACK, EFFECT, SENTENCE)
#define COUNT(SECTION, NAME, FALLBACK, UNITS, EFFECT, SENTENCE)                                              \
  KEY(SECTION, NAME, NAME, COUNT, FALLBACK, EFFECT, SENTENCE), .units = UNITS
#define MILESTONES(SECTION, NAME, FALLBACK, UNITS, EFFECT, SENTENCE)                                         \
  KEY(SECTION, NAME, NAME, MILESTONES, FALLBACK, EFFECT, SENTENCE), .units = UNITS, .word = FALLBACK
#define BUDGET(NAME, FALLBACK, UNIT, MIN, MAX, SENTENCE)                                                     \
  KEY(train, NAME, budget, BUDGET, FALLBACK, NONE, SENTENCE), .units = UNIT, .whole_min = MIN,               \
                                                              .whole_max = MAX

// What a row may add to its range: the bound itself is not allowed.
#define ABOVE_MIN .above_min = true
#define BELOW_MAX .below_max = true

// The section `optimizer` is the list of optim's own options.
#define FROM_0         .min = 0, .max = INFINITY
#define ABOVE_0        FROM_0, ABOVE_MIN
#define FROM_0_BELOW_1 .min = 0, .max = 1, BELOW_MAX
#define RULE_NUMBER(CODE, NAME, RANGE, SENTENCE)                                                             \
  {KEY(optimizer, NAME, NAME, REAL, "auto", TRAINING, SENTENCE), RANGE, .word = "auto"},
#define OPTION_NUMBER(NAME, RANGE, SENTENCE)                                                                 \
  {KEY(optimizer, NAME, NAME, REAL, "0", TRAINING, SENTENCE), RANGE},
#define OPTION_SWITCH(NAME, SENTENCE) {SWITCH(optimizer, NAME, "no", TRAINING, SENTENCE)},
#define OPTION_WORD(NAME, NAMES, FALLBACK, SENTENCE)                                                         \
  {CHOICE(optimizer, NAME, NAME, FALLBACK, NAMES, TRAINING, SENTENCE)},
#define RULE_SWITCH(CODE, NAME, SENTENCE)                OPTION_SWITCH(NAME, SENTENCE)
#define RULE_WORD(CODE, NAME, NAMES, FALLBACK, SENTENCE) OPTION_WORD(NAME, NAMES, FALLBACK, SENTENCE)

// clang-format off
static const tutti_key keys[] = {
    {TEXT(data, file, "", "a path", BY_NAME, "path of the data set, an HDF5 file")},
    {TEXT(data, x_train, "x_train", "the name of an array", TRAINING,
          "name of the array of training samples in that file")},
    {TEXT(data, y_train, "y_train", "the name of an array", TRAINING, "name of the array of training labels or targets")},
    {TEXT(data, x_test, "x_test", "the name of an array", NONE, "name of the array of test samples, if the file has one")},
    {TEXT(data, y_test, "y_test", "the name of an array", NONE, "name of the array of test labels or targets")},
    {TEXT(data, x_val, TUTTI_X_VAL, "the name of an array", TRAINING,
          "name of the array of validation samples, if the file has one; none: ignore it")},
    {TEXT(data, y_val, TUTTI_Y_VAL, "the name of an array", TRAINING, "name of the array of validation labels or targets")},
    {TEXT(data, weights, "", "the name of an array", TRAINING,
          "name of the array of weights [N] of the training rows; each weight multiplies the loss of its row, also of a "
          "row held out for validation")},
    {KEY(data, class_weight, class_weight, WEIGHTS, "none", TRAINING,
          "factor on the training loss of each class; balanced: samples / (classes * samples of the class)")},
    {SWITCH(data, external, "no", NONE, "allow the data set to refer to files outside of its own folder")},
    {SWITCH(data, plugins, "no", NONE,
          "let HDF5 load the filters that the data set names, as libraries from the folders of HDF5_PLUGIN_PATH")},
    {REAL(data, validation_split, "0", 0, 1, TRAINING,
          "fraction of the training rows that is held out for validation"), BELOW_MAX},
    {CHOICE(data, validation_take, validation_take, "shuffled", take_names, TRAINING,
          "rows that are held out: drawn with train.seed (shuffled), or the last ones")},
    {WHOLE(data, limit_train, "0", 0, TUTTI_WHOLE_MAX, TRAINING,
          "number of training rows to use, from the first on; 0: all")},
    {WHOLE(data, limit_test, "0", 0, TUTTI_WHOLE_MAX, NONE, "number of test rows to use, from the first on; 0: all")},
    {CHOICE(data, scale, scale, "auto", tutti_data_scale_names, TRAINING,
          "scaling of the features; auto: bytes are divided by 255, other types stay as they are")},

    {KEY(model, layers, layers, LAYERS, "", TRAINING,
          "layers of the network, from the input to the output; see tutti help layers")},
    {CHOICE(model, loss, loss, "auto", tutti_loss_names, TRAINING,
          "loss function; auto: the loss that fits the last layer")},
    {REAL(model, label_smoothing, "0", 0, 1, TRAINING,
          "cross-entropy losses: fraction of each label that is spread evenly over the classes, also in val_loss"),
     BELOW_MAX},
    {CHOICE(model, initializer, initializer, "glorot_uniform", tutti_model_initializer_names, TRAINING,
          "initial distribution of kernels, unless a layer sets its own")},
    {CHOICE(model, compute, compute, "float32", tutti_matmul_computes, TRAINING,
          "numbers that matrix products multiply; weights, sums and loss are always float32")},
    {KEY(model, weights, weights, OPTIONAL, "none", BY_RUN,
          "checkpoint that provides the initial weights and the scaling of the features; everything else starts from "
          "scratch"), .word = "the path of a checkpoint"},
    {KEY(model, weights_skip, weights_skip, NAMES, "none", TRAINING,
          "layers or arrays that are not taken from model.weights; those of this network start as usual"),
     .word = "names such as dense_1 or dense_1/bias, separated by commas"},

    {CHOICE(optimizer, name, rule, "rmsprop", tutti_optim_names, TRAINING, "update rule; see tutti help optimizers")},
#include "tutti/optim_options.def"
    {CHOICE(optimizer, dialect, dialect, "keras", tutti_optim_dialect_names, TRAINING,
          "library whose formulas and defaults the update rule follows")},

    {COUNT(schedule, warmup, "0", TIMES, TRAINING,
          "length of the warmup, during which the learning rate rises; 0: no warmup")},
    {CHOICE(schedule, decay, decay, "constant", tutti_optim_decay_names, TRAINING,
          "how the learning rate falls after the warmup")},
    {REAL(schedule, decay_rate, "0.1", 0, INFINITY, TRAINING,
          "step, exponential, plateau: factor on the learning rate at each fall"), ABOVE_MIN},
    {COUNT(schedule, decay_every, "1 epoch", TIMES, TRAINING,
          "step, exponential: interval in which the learning rate is multiplied by decay_rate"), ABOVE_MIN},
    {MILESTONES(schedule, decay_milestones, "none", TIMES, TRAINING,
          "step: times at which the learning rate falls, counted from the start of training; they replace decay_every")},
    {COUNT(schedule, decay_over, "0", TIMES, TRAINING,
          "polynomial, cosine: length of the decay after the warmup; 0: until the end of training")},
    {REAL(schedule, decay_power, "1", 0, INFINITY, TRAINING, "polynomial: exponent; 1: a straight line"), ABOVE_MIN},
    {REAL(schedule, decay_end, "0", 0, INFINITY, TRAINING,
          "polynomial, cosine: final learning rate as a fraction of the initial one")},
    {WHOLE(schedule, decay_patience, "10", 0, TUTTI_WHOLE_MAX, TRAINING,
          "plateau: number of evaluations without improvement of train.monitor (none: val_loss) after which the learning "
          "rate falls")},
    {WHOLE(schedule, decay_cooldown, "0", 0, TUTTI_WHOLE_MAX, TRAINING,
          "plateau: number of evaluations after a fall that are not counted")},
    {REAL(schedule, decay_min, "0", 0, INFINITY, TRAINING, "plateau: smallest learning rate")},
    {REAL(schedule, decay_delta, "1e-4", 0, INFINITY, TRAINING,
          "plateau: smallest change that counts as an improvement; dialect torch: as a fraction of the best value")},
    {CHOICE(schedule, scaling, scaling, "none", tutti_optim_scaling_names, TRAINING,
          "how the learning rate grows with the batch size; adascale: by a measured gain, which is also the number of "
          "steps that one step counts for in schedule and budget")},
    {WHOLE(schedule, base_batch_size, "none", 1, TUTTI_WHOLE_MAX, TRAINING,
          "batch size for which optimizer.learning_rate is meant, if schedule.scaling is used; the gain of AdaScale is "
          "relative to it"), .word = "none"},
    {CHOICE(schedule, batch_growth, batch_growth, "none", tutti_optim_batch_growth_names, TRAINING,
          "growth of the batch size in place of a decay; step: at batch_milestones; geometric: after every batch_every")},
    {REAL(schedule, batch_factor, "5", 1.01, INFINITY, TRAINING, "factor on the batch size at each growth")},
    {MILESTONES(schedule, batch_milestones, "none", TIMES, TRAINING, "step: times at which the batch grows")},
    {COUNT(schedule, batch_every, "10 epochs", TIMES, TRAINING,
          "geometric: interval between two growths of the batch"), ABOVE_MIN},
    {WHOLE(schedule, batch_max, "none", 1, TUTTI_WHOLE_MAX, TRAINING,
          "largest batch size; further growth is replaced by learning-rate decay; none: all training samples"),
     .word = "none"},

    {WHOLE(train, batch_size, "32", 1, TUTTI_WHOLE_MAX, TRAINING, "samples per step, over all ranks")},
    {CHOICE(train, last_batch, last_batch, "short", last_names, TRAINING,
          "use of the samples left over at the end of an epoch: as a short batch, not at all (drop), or in the first batch "
          "of the next epoch (carry); a study uses carry by default")},
    {WHOLE(train, micro_batch_size, "auto", 1, TUTTI_WHOLE_MAX, NONE,
          "number of samples that a rank sends through the network at once, at most; auto: as many as are fast, by the network "
          "and its threads"), .word = "auto"},
    // The random numbers of an epoch are keyed by 32 bits.
    {BUDGET(epochs, "1", TUTTI_UNIT_EPOCHS, 1, UINT32_MAX, "number of epochs to train")},
    {BUDGET(steps, "", TUTTI_UNIT_STEPS, 0, TUTTI_WHOLE_MAX,
          "number of steps to train, instead of epochs; 0: only save a checkpoint of the initial weights")},
    {BUDGET(samples, "", TUTTI_UNIT_SAMPLES, 1, TUTTI_WHOLE_MAX, "number of samples to train with, instead of epochs")},
    {WHOLE(train, seed, "0", 0, INT64_MAX, TRAINING, "seed of all random numbers")},
    {SWITCH(train, shuffle, "yes", TRAINING, "draw a new order of the samples for each epoch")},
    {COUNT(train, evaluate_every, "1 epoch", TIMES, NONE, "interval between evaluations of the validation rows; 0: never")},
    {WHOLE(train, train_rows, "0", 0, TUTTI_WHOLE_MAX, NONE,
          "number of training rows, drawn with train.seed, whose train_loss and metric are evaluated as well; 0: none")},
    {KEY(train, stop_at, stop_at, GOAL, "none", NONE, "goal at which the training stops")},
    {KEY(train, monitor, monitor, METRIC, "none", NONE,
          "metric that selects the best checkpoint, and that train.patience watches"),
     .names = tutti_config_metric_names, .n_names = TUTTI_N_METRICS},
    {WHOLE(train, patience, "0", 0, TUTTI_WHOLE_MAX, NONE,
          "number of evaluations without improvement of train.monitor after which the training stops; 0: off")},

    {CHOICE(parallel, reduce, reduce, "auto", reduce_names, NONE, "method that sums the gradients over the ranks")},
    {WHOLE(parallel, leaves, "64", 1, 65536, NONE,
          "reduce=tree: number of parts of a global batch, which are summed in a fixed order; the results depend on it")},
    {WHOLE(parallel, threads, "auto", 1, 4096, NONE, "threads per rank"), .word = "auto"},
    {CHOICE(parallel, kernels, kernels, "measured", kernels_names, NONE,
            "who computes matrix products: the fastest for each shape as measured, the BLAS, or our own loops")},
    {COUNT(parallel, check_every, "200 steps", TUTTI_UNIT_STEPS, NONE,
          "interval in which the ranks compare their weights bit by bit; 0: only before they are evaluated or saved")},
    {COUNT(parallel, watchdog, "10 seconds", TUTTI_UNIT_SECONDS, NONE,
          "time within which the job ends if a rank or a host does not answer; 0: never"),
     .min = TUTTI_CONFIG_LEAST_WATCHDOG_S},

    {TEXT(run, directory, "runs/<config name>", "a path", NONE,
          "directory for checkpoints, metrics and the config"), .computed = true},
    {KEY(run, resume, resume, RESUME, "auto", NONE,
          "checkpoint from which the training continues; auto: the one in the run directory, if there is one")},
    {COUNT(run, checkpoint_every, "1 epoch", TIMES | TUTTI_UNIT_SECONDS, NONE,
          "interval between checkpoints; 0: only at the end")},
    {WHOLE(run, keep, "2", 1, 100, NONE, "number of latest checkpoints to keep")},
    {COUNT(run, metrics_every, "0", TUTTI_UNIT_STEPS, NONE,
          "interval between rows of the table of steps; 0: no such rows, only one row per epoch")},
    {CHOICE(run, measure, measure, "none", measure_names, NONE,
          "additional columns to record: the noise of the gradient, norms of each layer")},
    {COUNT(run, measure_every, "0", TUTTI_UNIT_STEPS, NONE,
          "interval between these measurements; 0: once per 4096 samples, but at most every second step")},
    {COUNT(run, time_limit, "0", TUTTI_UNIT_SECONDS, NONE,
          "time after which the run saves and ends with exit status 75; 0: the end of the Slurm job, if it is known")},
    {CHOICE(run, signal, signal, "SIGUSR1", tutti_signals_names, NONE,
          "one more signal that saves and ends the run; SIGUSR1, USR2, TERM, INT, HUP and XCPU always do")},
    {CHOICE(run, on_divergence, on_divergence, "stop", divergence_names, NONE,
          "if loss, weights or validation are not finite: stop with exit status 79, or go back to the last checkpoint with "
          "a smaller learning rate")},
    {REAL(run, rollback_factor, "0.5", 0, 1, NONE, "factor on the learning rate at each rollback"), ABOVE_MIN, BELOW_MAX},
    {WHOLE(run, rollbacks, "3", 1, 1000, NONE, "number of rollbacks after which the run stops")},

    {KEY(study, vary, axes, AXES, "", NONE,
          "keys that the study varies; each is also an option --study.vary.section.key=VALUES")},
    {CHOICE(study, search, search, "grid", search_names, NONE,
          "choice of the settings, the same for each batch size: all combinations (grid), points of a Sobol sequence, or "
          "random points")},
    {WHOLE(study, trials, "none", 1, 999999, NONE, "sobol, random: number of settings per batch size"), .word = "none"},
    {WHOLE(study, seeds, "1", 1, 9999, NONE, "number of seeds per setting, counting up from train.seed")},
    {WHOLE(study, confirm, "0", 0, 9999, NONE,
          "number of new seeds with which the best setting of each batch size is trained again")},
    {KEY(study, goal, goal, GOAL, "none", NONE, "goal at which a trial ends with success; it replaces train.stop_at")},
    {KEY(study, at_budget, at_budget, METRIC, "none", NONE,
          "metric for a table of best values, within the budget and within parts of it; a goal is then not needed"),
     .names = tutti_config_metric_names, .n_names = TUTTI_N_METRICS},
    {COUNT(study, budget, "0", TIMES, NONE,
          "maximum length of a trial; it replaces train.epochs, train.steps or train.samples")},
    {COUNT(study, evaluate_every, "1 epoch", TIMES, NONE, "interval at which a trial checks for its goal"), ABOVE_MIN},
    {WHOLE(study, train_rows, "0", 0, TUTTI_WHOLE_MAX, NONE,
          "number of training rows that a trial evaluates as well, for goals such as 'train_loss <= 0.1'; 0: none")},
    {WHOLE(study, ranks_per_trial, "1", 1, INT32_MAX, NONE, "number of ranks per trial; trials run side by side")},
    {TEXT(study, output, "study.h5", "a path", NONE, "file of all trials; an existing study is continued")},
    {CHOICE(study, problem, problem, "training", problem_names, NONE,
          "problem to study: trainings, or a noisy quadratic with a known answer")},
    {WHOLE(study, dimensions, "100", 1, 1000000, NONE, "number of parameters of the noisy quadratic")},
    {REAL(study, target, "0.01", 0, INFINITY, NONE, "loss at which the noisy quadratic counts as solved"), ABOVE_MIN},
};
// clang-format on

enum { N_KEYS = sizeof keys / sizeof keys[0] };
_Static_assert((int)N_KEYS <= (int)TUTTI_MAX_KEYS, "enlarge TUTTI_MAX_KEYS");

const tutti_key *tutti_config_key_at(int i) {
  TUTTI_ASSERT(i >= 0 && i < N_KEYS);
  return &keys[i];
}

int tutti_config_key_find(const char *section, const char *name) {
  for (int i = 0; i < N_KEYS; i++)
    if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0) return i;
  return -1;
}

int tutti_config_key_at_path(const char *path) {
  for (int i = 0; i < N_KEYS; i++)
    if (strcmp(keys[i].path, path) == 0) return i;
  return -1;
}

/** The keys of a section stand together in the list, so a section begins where the name changes. */
int tutti_config_key_sections(const char *names[TUTTI_MAX_SECTIONS]) {
  int n = 0;
  for (int i = 0; i < N_KEYS; i++) {
    if (n > 0 && strcmp(names[n - 1], keys[i].section) == 0) continue;
    TUTTI_ASSERT(n < TUTTI_MAX_SECTIONS);
    names[n++] = keys[i].section;
  }
  return n;
}

int tutti_config_section_find(const char *name) {
  const char *names[TUTTI_MAX_SECTIONS];
  const int n = tutti_config_key_sections(names);
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0) return i;
  return -1;
}

int tutti_config_n_keys(void) {
  return N_KEYS;
}

/** Most options of the optimizer belong to a few rules only, which the help should say. */
void tutti_config_key(int i, tutti_key_info *info) {
  const tutti_key *key = tutti_config_key_at(i);
  *info = (tutti_key_info){
      .section = key->section, .name = key->name, .fallback = key->fallback, .sentence = key->sentence};
  tutti_config_value_describe(key, info->allowed, sizeof info->allowed);
  char rules[128] = "";
  if (strcmp(key->section, "optimizer") == 0) tutti_optim_takers(key->name, rules, sizeof rules);
  if (rules[0]) tutti_text_append(info->allowed, sizeof info->allowed, "; only with %s", rules);
}
