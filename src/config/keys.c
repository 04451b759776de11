#include "config/keys_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const take_names[TUTTI_N_TAKES] = {"shuffled", "last"};

static const char *const reduce_names[] = {"auto", "flat", "shared", "tree"};
_Static_assert(TUTTI_REDUCE_AUTO == 0 && TUTTI_REDUCE_FLAT == 1 && TUTTI_REDUCE_SHARED == 2 &&
                   TUTTI_REDUCE_TREE == 3,
               "reduce_names is in the order of tutti_reduce_kind");

static const char *const last_names[TUTTI_N_LASTS] = {"short", "drop", "carry"};

static const char *const search_names[TUTTI_N_SEARCHES] = {"grid", "sobol", "random"};
static const char *const problem_names[TUTTI_N_PROBLEMS] = {"training", "noisy_quadratic"};

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
    {TEXT(data, file, "", "a path", BY_NAME, "the data set, an HDF5 file")},
    {TEXT(data, x_train, "x_train", "the name of an array", TRAINING, "its array of training samples")},
    {TEXT(data, y_train, "y_train", "the name of an array", TRAINING, "its array of training labels or targets")},
    {TEXT(data, x_test, "x_test", "the name of an array", NONE, "its array of test samples, where it has one")},
    {TEXT(data, y_test, "y_test", "the name of an array", NONE, "its array of test labels or targets")},
    {TEXT(data, x_val, TUTTI_X_VAL, "the name of an array", TRAINING,
          "its array of validation samples, where it has one; none: they are not used")},
    {TEXT(data, y_val, TUTTI_Y_VAL, "the name of an array", TRAINING, "its array of validation labels or targets")},
    {TEXT(data, weights, "", "the name of an array", TRAINING,
          "its array of weights [N] of the training samples, which their losses are multiplied with, validation's too")},
    {KEY(data, class_weight, class_weight, WEIGHTS, "none", TRAINING,
         "what losses are multiplied with in training, by class; balanced: samples / (classes * samples of the class)")},
    {SWITCH(data, external, "no", NONE, "read what it takes from files outside of its own folder")},
    {REAL(data, validation_split, "0", 0, 1, TRAINING, "part of the training rows that is held out for validation"),
     BELOW_MAX},
    {CHOICE(data, validation_take, validation_take, "shuffled", take_names, TRAINING,
            "which rows are held out: drawn by the seed, or the last ones")},
    {WHOLE(data, limit_train, "0", 0, TUTTI_WHOLE_MAX, TRAINING, "use only the first so many training rows; 0: all")},
    {WHOLE(data, limit_test, "0", 0, TUTTI_WHOLE_MAX, NONE, "use only the first so many test rows; 0: all")},
    {CHOICE(data, scale, scale, "auto", tutti_scale_names, TRAINING,
            "how features are scaled; auto: bytes by 1/255, other types not at all")},

    {KEY(model, layers, layers, LAYERS, "", TRAINING, "the layers of the network, in their order")},
    {CHOICE(model, loss, loss, "auto", tutti_loss_names, TRAINING, "the loss; auto: the one that fits the last layer")},
    {REAL(model, label_smoothing, "0", 0, 1, TRAINING,
          "cross-entropies: so much of each label is spread evenly over the classes, in val_loss too"), BELOW_MAX},
    {CHOICE(model, initializer, initializer, "glorot_uniform", tutti_initializer_names, TRAINING,
            "how kernels begin, where a layer does not say")},
    {KEY(model, weights, weights, OPTIONAL, "none", BY_RUN,
         "a checkpoint whose weights a training begins with, and the scaling of their rows; all else begins anew"),
     .word = "the path of a checkpoint"},
    {KEY(model, weights_skip, weights_skip, NAMES, "none", TRAINING,
         "of model.weights: layers or arrays that begin as usual, or that this network does not have"),
     .word = "names such as dense_1 or dense_1/bias, separated by commas"},

    {CHOICE(optimizer, name, rule, "rmsprop", tutti_optim_names, TRAINING, "the update rule")},
#include "tutti/optim_options.def"
    {CHOICE(optimizer, dialect, dialect, "keras", tutti_dialect_names, TRAINING,
            "whose formulas and default numbers the rule follows")},

    {COUNT(schedule, warmup, "0", TIMES, TRAINING, "the learning rate rises over so long; 0: no warmup")},
    {CHOICE(schedule, decay, decay, "constant", tutti_decay_names, TRAINING, "how the learning rate falls after warmup")},
    {REAL(schedule, decay_rate, "0.1", 0, INFINITY, TRAINING, "step, exponential, plateau: the factor of each fall"),
     ABOVE_MIN},
    {COUNT(schedule, decay_every, "1 epoch", TIMES, TRAINING, "step, exponential: how long until the next factor"),
     ABOVE_MIN},
    {MILESTONES(schedule, decay_milestones, "none", TIMES, TRAINING,
            "step: when the factor is applied, counted from the training's begin, instead of decay_every")},
    {COUNT(schedule, decay_over, "0", TIMES, TRAINING,
           "polynomial, cosine: how long the fall takes after warmup; 0: to the end of the training")},
    {REAL(schedule, decay_power, "1", 0, INFINITY, TRAINING, "polynomial: the exponent; 1: a straight line"), ABOVE_MIN},
    {REAL(schedule, decay_end, "0", 0, INFINITY, TRAINING, "polynomial, cosine: the last rate as a part of the first")},
    {WHOLE(schedule, decay_patience, "10", 0, TUTTI_WHOLE_MAX, TRAINING,
           "plateau: evaluations without a better train.monitor (none: val_loss) until the rate falls")},
    {WHOLE(schedule, decay_cooldown, "0", 0, TUTTI_WHOLE_MAX, TRAINING,
           "plateau: evaluations after a fall in which none counts")},
    {REAL(schedule, decay_min, "0", 0, INFINITY, TRAINING, "plateau: the learning rate falls no lower")},
    {REAL(schedule, decay_delta, "1e-4", 0, INFINITY, TRAINING,
          "plateau: what is better is so by more than this; with dialect torch by this part of the best")},
    {CHOICE(schedule, scaling, scaling, "none", tutti_scaling_names, TRAINING,
            "how the learning rate grows with the batch size; adascale: by a gain that is measured, by which schedule and "
            "budget go on as well")},
    {WHOLE(schedule, base_batch_size, "none", 1, TUTTI_WHOLE_MAX, TRAINING,
           "the batch size that learning_rate is meant for, with scaling; and over which AdaScale's gain is measured"),
     .word = "none"},
    {CHOICE(schedule, batch_growth, batch_growth, "none", tutti_batch_growth_names, TRAINING,
            "the batch grows, instead of a decay: step: at batch_milestones; geometric: at each batch_every")},
    {REAL(schedule, batch_factor, "5", 1.01, INFINITY, TRAINING, "the factor on the batch size at each growth")},
    {MILESTONES(schedule, batch_milestones, "none", TIMES, TRAINING, "step: when the batch grows")},
    {COUNT(schedule, batch_every, "10 epochs", TIMES, TRAINING, "geometric: how long until the batch grows again"),
     ABOVE_MIN},
    {WHOLE(schedule, batch_max, "none", 1, TUTTI_WHOLE_MAX, TRAINING,
           "the batch grows no further, from there on the learning rate falls by what is left of the factor; "
           "none: all training samples"), .word = "none"},

    {WHOLE(train, batch_size, "32", 1, TUTTI_WHOLE_MAX, TRAINING, "samples of one step, over all ranks")},
    {CHOICE(train, last_batch, last_batch, "short", last_names, TRAINING,
            "samples beyond an epoch's whole batches: a short batch, left out, or carried into the next epoch's first "
            "batch; a study carries them unless told")},
    {WHOLE(train, micro_batch_size, "auto", 1, TUTTI_WHOLE_MAX, NONE,
           "samples that a rank sends through the network at once"), .word = "auto"},
    // The random numbers of an epoch are keyed by 32 bits.
    {BUDGET(epochs, "1", TUTTI_UNIT_EPOCHS, 1, UINT32_MAX, "train for so many epochs")},
    {BUDGET(steps, "", TUTTI_UNIT_STEPS, 0, TUTTI_WHOLE_MAX,
            "train for so many steps, instead of epochs; 0: a checkpoint of the weights before the first one")},
    {BUDGET(samples, "", TUTTI_UNIT_SAMPLES, 1, TUTTI_WHOLE_MAX, "train for so many samples, instead of epochs")},
    {WHOLE(train, seed, "0", 0, INT64_MAX, TRAINING, "decides all that is random")},
    {SWITCH(train, shuffle, "yes", TRAINING, "another order of the samples in each epoch")},
    {COUNT(train, evaluate_every, "1 epoch", TIMES, NONE, "how often the validation rows are evaluated; 0: never")},
    {WHOLE(train, train_rows, "0", 0, TUTTI_WHOLE_MAX, NONE,
           "evaluate so many training rows with them, drawn by the seed, as train_loss and the like; 0: none")},
    {KEY(train, stop_at, stop_at, GOAL, "none", NONE, "end the training when a metric is good enough")},
    {KEY(train, monitor, monitor, METRIC, "none", NONE, "keep the best checkpoint by this metric, and for patience"),
     .names = tutti_metric_names, .n_names = TUTTI_N_METRICS},
    {WHOLE(train, patience, "0", 0, TUTTI_WHOLE_MAX, NONE,
           "end the training after so many evaluations without a better monitor; 0: off")},

    {CHOICE(parallel, reduce, reduce, "auto", reduce_names, NONE, "how gradients are summed over ranks")},
    {WHOLE(parallel, leaves, "64", 1, 65536, NONE,
           "parts of a global batch that reduce=tree sums in a fixed order; results depend on it")},
    {WHOLE(parallel, threads, "auto", 1, 4096, NONE, "threads of each rank"), .word = "auto"},

    {TEXT(run, directory, "runs/<config name>", "a path", NONE, "where checkpoints, metrics and the config go"),
     .computed = true},
    {KEY(run, resume, resume, RESUME, "auto", NONE,
         "go on from a checkpoint; auto: from the run directory's, where there is one")},
    {COUNT(run, checkpoint_every, "1 epoch", TIMES | TUTTI_UNIT_SECONDS, NONE,
           "how often a checkpoint is saved; 0: at the end only")},
    {WHOLE(run, keep, "2", 1, 100, NONE, "how many of the last checkpoints are kept")},
    {COUNT(run, metrics_every, "0", TUTTI_UNIT_STEPS, NONE,
           "a row of metrics for so many steps; 0: only one for each epoch")},
    {CHOICE(run, measure, measure, "none", measure_names, NONE,
            "what the tables tell beside loss and metric: the noise of the gradient, norms of each layer")},
    {COUNT(run, measure_every, "0", TUTTI_UNIT_STEPS, NONE,
           "how often that is measured; 0: once for 4096 samples, at most each second step")},

    {KEY(study, vary, axes, AXES, "", NONE, "keys that a study varies, each also as --study.vary.section.key=VALUES")},
    {CHOICE(study, search, search, "grid", search_names, NONE,
            "all values with all, or points of a Sobol sequence, or at random; the same for each batch size")},
    {WHOLE(study, trials, "none", 1, 999999, NONE, "sobol, random: how many settings each batch size is tried with"),
     .word = "none"},
    {WHOLE(study, seeds, "1", 1, 9999, NONE, "each setting is tried with so many seeds, from train.seed on")},
    {WHOLE(study, confirm, "0", 0, 9999, NONE,
           "the best setting of each batch size runs again with so many seeds that the search has not seen")},
    {KEY(study, goal, goal, GOAL, "none", NONE, "what ends a trial with success, in place of train.stop_at")},
    {KEY(study, at_budget, at_budget, METRIC, "none", NONE,
         "a table of the best value of this metric at the budget, and at parts of it; then no goal is needed"),
     .names = tutti_metric_names, .n_names = TUTTI_N_METRICS},
    {COUNT(study, budget, "0", TIMES, NONE, "what ends a trial at the latest, in place of the training's own")},
    {COUNT(study, evaluate_every, "1 epoch", TIMES, NONE, "how often a trial looks for its goal"), ABOVE_MIN},
    {WHOLE(study, train_rows, "0", 0, TUTTI_WHOLE_MAX, NONE,
           "training rows that a trial evaluates then, for goals such as 'train_loss <= 0.1'; 0: none")},
    {WHOLE(study, ranks_per_trial, "1", 1, INT32_MAX, NONE, "ranks that run one trial; trials run side by side")},
    {TEXT(study, output, "study.h5", "a path", NONE, "the file of all trials, which a study goes on with")},
    {CHOICE(study, problem, problem, "training", problem_names, NONE,
            "what is studied: trainings, or a noisy quadratic whose answer is known")},
    {WHOLE(study, dimensions, "100", 1, 1000000, NONE, "parameters of the noisy quadratic")},
    {REAL(study, target, "0.01", 0, INFINITY, NONE, "the loss of the noisy quadratic to be reached"), ABOVE_MIN},
};
// clang-format on

enum { N_KEYS = sizeof keys / sizeof keys[0] };
_Static_assert((int)N_KEYS <= (int)TUTTI_MAX_KEYS, "enlarge TUTTI_MAX_KEYS");

const tutti_key *tutti_key_at(int i) {
  TUTTI_ASSERT(i >= 0 && i < N_KEYS);
  return &keys[i];
}

int tutti_key_find(const char *section, const char *name) {
  for (int i = 0; i < N_KEYS; i++)
    if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0) return i;
  return -1;
}

int tutti_key_sections(const char *names[TUTTI_MAX_SECTIONS]) {
  int n = 0;
  for (int i = 0; i < N_KEYS; i++) {
    if (n > 0 && strcmp(names[n - 1], keys[i].section) == 0) continue;
    TUTTI_ASSERT(n < TUTTI_MAX_SECTIONS);
    names[n++] = keys[i].section;
  }
  return n;
}

int tutti_section_find(const char *name) {
  const char *names[TUTTI_MAX_SECTIONS];
  const int n = tutti_key_sections(names);
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0) return i;
  return -1;
}

int tutti_config_n_keys(void) {
  return N_KEYS;
}

void tutti_config_key(int i, tutti_key_info *info) {
  const tutti_key *key = tutti_key_at(i);
  *info = (tutti_key_info){
      .section = key->section, .name = key->name, .fallback = key->fallback, .sentence = key->sentence};
  tutti_value_describe(key, info->allowed, sizeof info->allowed);
  char rules[128] = "";
  if (strcmp(key->section, "optimizer") == 0) tutti_optim_takers(key->name, rules, sizeof rules);
  if (rules[0]) tutti_text_append(info->allowed, sizeof info->allowed, "; only with %s", rules);
}
