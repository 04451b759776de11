#pragma once
/** YAML and command line -> each room's own options; and back to text.  Local, no MPI: rank 0 reads the file,
 * its text is broadcast, every rank parses the same bytes.
 *
 * One list of keys (src/config/keys.c: section, name, type, default, range, sentence) makes the parser, the
 * command-line options, --help and the dump, so that they cannot disagree. */
#include <stdbool.h>
#include <stdio.h>

#include "tutti/base.h"
#include "tutti/count.h"
#include "tutti/data.h"
#include "tutti/model.h"
#include "tutti/optim.h"
#include "tutti/par.h"
#include "tutti/sampler.h"

/** "val_accuracy >= 0.97" */
typedef struct {
  char metric[32]; // "" : no goal
  enum { TUTTI_AT_LEAST, TUTTI_ABOVE, TUTTI_AT_MOST, TUTTI_BELOW } relation;
  double value;
} tutti_goal;

/** Losses and errors want to be small, accuracies large. */
bool tutti_metric_wants_small(const char *name);

/** Read `text`; "" or "none" is no goal.  @return ERR_CONFIG */
TUTTI_NODISCARD
tutti_status tutti_goal_parse(const char *text, tutti_goal *goal);
void tutti_goal_print(const tutti_goal *goal, char *text, size_t bytes);
bool tutti_goal_reached(const tutti_goal *goal, double value);

/** Taken at fixed weights, of validation rows or of train.train_rows; else a mean over an epoch's steps. */
bool tutti_metric_is_evaluated(const char *metric);

/** No value of its metric reaches it: an accuracy is at most 1, losses and errors are at least 0. */
bool tutti_goal_out_of_reach(const tutti_goal *goal);

typedef enum { TUTTI_TAKE_SHUFFLED, TUTTI_TAKE_LAST, TUTTI_N_TAKES } tutti_validation_take;

typedef struct {
  int64_t batch_size; // global, samples
  tutti_last_batch last_batch;
  bool chooses_last_batch;  // else it is the default, which a study has another of
  int64_t micro_batch_size; // 0: auto
  tutti_count budget;       // of the one of epochs, steps, samples that is set
  uint64_t seed;
  bool shuffle;
  tutti_count evaluate_every; // steps, epochs or samples
  int64_t train_rows;         // training rows that are evaluated as well; 0: none
  tutti_goal stop_at;
  char *monitor;    // "val_loss", ...; NULL: none
  int64_t patience; // evaluations without a better one; 0: no early stopping
} tutti_train_options;

typedef struct {
  tutti_reduce_kind reduce;
  int64_t leaves;  // of a global batch with reduce=tree
  int64_t threads; // of a rank; 0: auto
} tutti_parallel_options;

/** What is measured beyond loss and metric: sets of columns, one a bit. */
typedef enum {
  TUTTI_MEASURE_NONE,
  TUTTI_MEASURE_NOISE,
  TUTTI_MEASURE_NORMS,
  TUTTI_MEASURE_ALL,
  TUTTI_N_MEASURES
} tutti_measure;

typedef struct {
  char *directory;              // never NULL after parse: runs/<config name>
  char *resume;                 // "auto", "no" or a path
  tutti_count checkpoint_every; // steps, epochs, samples or seconds
  int64_t keep;
  tutti_count metrics_every; // 0: per epoch only
  tutti_measure measure;
  tutti_count measure_every; // steps; 0: once for every 4096 samples, at most each second step
} tutti_run_options;

/** How the values of a range lie between its ends: evenly in log(v), in v, or in log(1 - v). */
typedef enum {
  TUTTI_AXIS_LOG,
  TUTTI_AXIS_LINEAR,
  TUTTI_AXIS_REVERSE_LOG,
  TUTTI_N_AXIS_SCALES
} tutti_axis_scale;

/** What the values of a varied key are: numbers, or words, counts with a unit, layers, ... */
typedef enum { TUTTI_AXIS_WHOLE, TUTTI_AXIS_REAL, TUTTI_AXIS_CHOICE } tutti_axis_kind;

/** A varied key: with a list of values, or with a range from < to.  The values of at most one axis are branches of the
 * study, which are searched each by itself: a branch varies keys of its own beside those that all of them vary. */
typedef struct {
  char *key; // "optimizer.learning_rate"
  tutti_axis_kind kind;
  char **values; // [n_values] each as YAML, no two alike; NULL for a range
  int n_values;
  double from, to;
  int64_t points; // so many values of the range; 0: all of them
  tutti_axis_scale scale;
  bool branches; // value i is branch i
  int branch;    // the one that varies it; TUTTI_EVERY_BRANCH
} tutti_axis;

enum { TUTTI_EVERY_BRANCH = -1 };

typedef enum { TUTTI_SEARCH_GRID, TUTTI_SEARCH_SOBOL, TUTTI_SEARCH_RANDOM, TUTTI_N_SEARCHES } tutti_search;
typedef enum { TUTTI_PROBLEM_TRAINING, TUTTI_PROBLEM_NOISY_QUADRATIC, TUTTI_N_PROBLEMS } tutti_problem;

/** What `tutti study` needs besides a training; all else leaves it alone. */
typedef struct {
  tutti_axis *axes; // those of a branch come after the one whose values are the branches, branch by branch
  int64_t n_axes;
  tutti_search search;
  int64_t trials; // settings for each batch size; 0: none given
  int64_t seeds;
  int64_t confirm; // so many fresh seeds for the best settings
  char *at_budget; // the metric whose best value at the budget is told; NULL: none
  tutti_goal goal;
  tutti_count budget;         // of a trial, whole steps, epochs or samples; 0: none given
  tutti_count evaluate_every; // steps, epochs or samples
  int64_t train_rows;         // that a trial evaluates as well; 0: none
  int64_t ranks_per_trial;
  char *output;
  tutti_problem problem;
  int64_t dimensions; // of the noisy quadratic
  double target;      // its loss
  // A key that was given as an option, though each trial has its own value of it; "": none
  char overridden[64];
} tutti_study_options;

typedef struct {
  struct {
    char *file, *x_train, *y_train, *x_test, *y_test, *x_val, *y_val;
    char *weights;      // the name of an array; NULL: none
    char *class_weight; // "balanced", or as tutti_class_weight_next reads it; NULL: none
    double validation_split;
    tutti_validation_take validation_take;
    int64_t limit_train, limit_test;
    bool external;
    tutti_scale scale;
  } data;
  struct {
    tutti_layer_spec *layers;
    int64_t n_layers;
    tutti_loss loss;
    double label_smoothing;
    tutti_initializer initializer;
    char *weights, *weights_skip; // NULL: none; names separated by commas
  } model;
  tutti_optim_options optimizer; // resolved
  tutti_optim_options written;   // before: what a trial of a study begins with, whose rule may be another one
  tutti_schedule_options schedule;
  tutti_train_options train;
  tutti_parallel_options parallel;
  tutti_run_options run;
  tutti_study_options study;
} tutti_config;

/** One `section.key = value` of the command line, which wins over the file. */
typedef struct {
  const char *key;   // "train.batch_size", "study.vary.train.batch_size"
  const char *value; // YAML
} tutti_override;

/** Local.  Defaults, then the file's text, then the overrides (of the same key the last one counts); then
 * what only the whole can tell (needed keys, one budget, keys that contradict each other or have no effect).
 * The optimizer comes out resolved.
 * @param[in] text  contents of the YAML file, or NULL for none
 * @param[in] name  path of the file for messages and for the default run directory; NULL for none
 * @return ERR_CONFIG "FILE:LINE:COLUMN: section.key: value ...", with what is allowed, and the nearest name
 * of an unknown section or key; the config is then empty.  The caller owns it: tutti_config_clear. */
TUTTI_NODISCARD
tutti_status tutti_config_parse(const char *text, const char *name, const tutti_override *overrides,
                                int n_overrides, tutti_config *config);

/** Local.  The config of a study, or of one of its trials: what it does not say itself has a study's defaults. */
void tutti_config_for_study(tutti_config *config);

/** Local.  Frees what the config owns; zeroes it. */
void tutti_config_clear(tutti_config *config);

/** Local.  The axis whose values are the study's branches; NULL: it has none, which is one branch without a name. */
const tutti_axis *tutti_study_branches(const tutti_study_options *study);

/** Local.  Whether trials of the branch, from 0, vary the key. */
bool tutti_axis_is_of(const tutti_axis *axis, int branch);

/** Local.  data.x_val is "none": the file's validation rows are not wanted. */
bool tutti_config_no_val(const tutti_config *config);

/** Local.  What tutti_model_create takes, borrowed from the config. */
tutti_model_options tutti_config_model(const tutti_config *config);

/** A class, by its number or name, and what its samples' losses are multiplied with. */
typedef struct {
  char name[64];
  double weight;
} tutti_class_weight;

/** Local.  Reads the first item of "CLASS: WEIGHT, CLASS: WEIGHT"; *text is then what is left, NULL after the last one.
 * @return ERR_CONFIG no such item, or a weight that is not finite or below 0 */
TUTTI_NODISCARD
tutti_status tutti_class_weight_next(const char **text, tutti_class_weight *item);

/** How a dump begins: what tells a run's own config.yaml from one that a user wrote. */
#define TUTTI_CONFIG_MARK "# A run of tutti, every key resolved; runs again as it is"

/** Local.  The whole resolved config as YAML that parses to the same config, but for run.resume: that is
 * auto, since a run's own config would else delete the run when it runs again, or branch off once more.
 * *text is the caller's (tutti_free). */
TUTTI_NODISCARD
tutti_status tutti_config_dump(const tutti_config *config, char **text);

/** What differs: a key, as "train.batch_size", with both values as text, cut. */
typedef struct {
  const char *key;
  char then[128], now[128];
  const char *note; // why it matters, where the key does not tell; NULL: it does
} tutti_difference;

enum { TUTTI_MAX_DIFFERENCES = 128 }; // more than there are keys

typedef struct {
  int n;
  tutti_difference list[TUTTI_MAX_DIFFERENCES];
} tutti_differences;

/** Local.  All keys that make `a` and `b` different trainings.  Not: evaluation, saving, parallel; the budget, unless
 * the learning rate falls to its end; folders in data.file, since data is often copied to a job's own disk. */
void tutti_config_differences(const tutti_config *a, const tutti_config *b, tutti_differences *found);

/** Local.  The same for studies: also the keys of its section that make other trials or end them elsewhere.
 * @return whether they vary the same keys and nothing but the number of batch sizes, values, settings or
 *         seeds differs: then a trial of one may be a trial of the other */
bool tutti_config_study_differences(const tutti_config *a, const tutti_config *b, tutti_differences *found);

/** Local.  Whether the key is among them. */
bool tutti_differences_have(const tutti_differences *found, const char *key);

/** Local.  "train.seed was 0 there and is 1 now, data.scale was auto there and is unit now": all keys, the values of the
 * first ones. */
void tutti_differences_text(const tutti_differences *found, char *text, size_t bytes);

/** Local.  Whether any key differs, whatever it is for.
 * @param[out] first  the first that does, with the value of `a` as `then` and that of `b` as `now` */
bool tutti_config_any_difference(const tutti_config *a, const tutti_config *b, tutti_difference *first);

// --- the list of keys, for the command line and for help

typedef struct {
  const char *section, *name;
  const char *fallback; // default as text, "" where there is none
  const char *sentence; // what it does
  char allowed[480];    // "a whole number from 1", "none, step, cosine"
} tutti_key_info;

int tutti_config_n_keys(void);
void tutti_config_key(int i, tutti_key_info *info);
