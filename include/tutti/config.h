#pragma once
/** Configs: YAML and command line -> the options of each room, and back to text.  Local, without MPI: rank 0 reads the
 * file and broadcasts its text, and every rank parses the same bytes.
 *
 * The parser, the options of the command line, --help and the dump follow from one list of keys (src/config/keys.c:
 * section, name, type, default, range, sentence), so they cannot disagree. */
#include <stdbool.h>
#include <stdio.h>

#include "tutti/base.h"
#include "tutti/count.h"
#include "tutti/data.h"
#include "tutti/model.h"
#include "tutti/par.h"
#include "tutti/sampler.h"
#include "tutti/schedule.h"

/** "val_accuracy >= 0.97" */
typedef struct {
  char metric[32]; // "" : no goal
  enum { TUTTI_AT_LEAST, TUTTI_ABOVE, TUTTI_AT_MOST, TUTTI_BELOW } relation;
  double value;
} tutti_goal;

/** Whether small values of the metric are good: true for losses and errors, false for accuracies. */
bool tutti_config_metric_wants_small(const char *name);

/** Read a goal; "" and "none" mean that there is none.
 * @return ERR_CONFIG it is not a goal, or its metric is unknown */
TUTTI_NODISCARD
tutti_status tutti_config_goal_parse(const char *text, tutti_goal *goal);
/** Print a goal so that tutti_config_goal_parse reads it. */
void tutti_config_goal_print(const tutti_goal *goal, char *text, size_t bytes);
/** Whether a value of the metric reaches the goal; false without a goal. */
bool tutti_config_goal_reached(const tutti_goal *goal, double value);

/** Whether the metric is evaluated at fixed weights, on validation rows or on train.train_rows.  The other metrics are
 * means over the steps of an epoch. */
bool tutti_config_metric_is_evaluated(const char *metric);

/** Whether no value of the metric can reach the goal: accuracies are at most 1, losses and errors are at least 0. */
bool tutti_config_goal_out_of_reach(const tutti_goal *goal);

typedef enum { TUTTI_TAKE_SHUFFLED, TUTTI_TAKE_LAST, TUTTI_N_TAKES } tutti_validation_take;

typedef struct {
  int64_t batch_size; // global, samples
  tutti_last_batch last_batch;
  bool chooses_last_batch;  // false: it is the default; a study has another default
  int64_t micro_batch_size; // 0: auto
  tutti_count budget;       // the one of epochs, steps and samples that is set
  uint64_t seed;
  bool shuffle;
  tutti_count evaluate_every; // steps, epochs or samples
  int64_t train_rows;         // training rows that are evaluated as well; 0: none
  tutti_goal stop_at;
  char *monitor;    // "val_loss", ...; NULL: none
  int64_t patience; // evaluations without a better one; 0: no early stopping
} tutti_train_options;

/** The watchdog looks some times per second, so it cannot be much quicker. */
#define TUTTI_CONFIG_LEAST_WATCHDOG_S 2.0

/** Who computes matrix products: the fastest as measured, the BLAS, or our own loops. */
typedef enum { TUTTI_KERNELS_MEASURED, TUTTI_KERNELS_BLAS, TUTTI_KERNELS_OWN, TUTTI_N_KERNELS } tutti_kernels;

typedef struct {
  tutti_reduce_kind reduce;
  int64_t leaves;  // of a global batch with reduce=tree
  int64_t threads; // of a rank; 0: auto
  tutti_kernels kernels;
  tutti_count check_every; // steps after which the ranks compare their weights; 0: before they are used
  tutti_count watchdog; // seconds, 0 or from 2, within which a job ends whose rank does not answer; 0: never
} tutti_parallel_options;

/** Additional columns to record: sets of columns, one for each bit. */
typedef enum {
  TUTTI_MEASURE_NONE,
  TUTTI_MEASURE_NOISE,
  TUTTI_MEASURE_NORMS,
  TUTTI_MEASURE_ALL,
  TUTTI_N_MEASURES
} tutti_measure;

/** What happens if loss, weights or validation are not finite. */
typedef enum { TUTTI_DIVERGENCE_STOP, TUTTI_DIVERGENCE_ROLLBACK, TUTTI_N_DIVERGENCES } tutti_divergence;

typedef struct {
  char *directory;              // never NULL after parse: runs/<config name>
  char *resume;                 // "auto", "no" or a path
  tutti_count checkpoint_every; // steps, epochs, samples or seconds
  int64_t keep;
  tutti_count metrics_every; // 0: per epoch only
  tutti_measure measure;
  tutti_count measure_every; // steps; 0: once for every 4096 samples, at most each second step
  tutti_count time_limit;    // seconds; 0: none
  int signal;                // index in tutti_signals_names of a further signal that ends the run
  tutti_divergence on_divergence;
  double rollback_factor; // on the learning rate at each rollback
  int64_t rollbacks;      // at most so many
} tutti_run_options;

/** The scale on which the values of a range are evenly spaced: log(v), v, or log(1 - v). */
typedef enum {
  TUTTI_AXIS_LOG,
  TUTTI_AXIS_LINEAR,
  TUTTI_AXIS_REVERSE_LOG,
  TUTTI_N_AXIS_SCALES
} tutti_axis_scale;

/** The values of a varied key: numbers, or else choices such as words, counts with a unit, or layers. */
typedef enum { TUTTI_AXIS_WHOLE, TUTTI_AXIS_REAL, TUTTI_AXIS_CHOICE } tutti_axis_kind;

/** A varied key, with a list of values, or with a range from < to.  The values of at most one axis are branches of the
 * study. Each branch is searched on its own, and may vary keys in addition to those that all branches vary. */
typedef struct {
  char *key; // "optimizer.learning_rate"
  tutti_axis_kind kind;
  char **values; // [n_values] each as YAML, all different; NULL for a range
  int n_values;
  double from, to;
  int64_t points; // number of values of the range; 0: all
  tutti_axis_scale scale;
  bool branches; // value i is branch i
  int branch;    // the one that varies it; TUTTI_EVERY_BRANCH
} tutti_axis;

enum { TUTTI_EVERY_BRANCH = -1 };

typedef enum { TUTTI_SEARCH_GRID, TUTTI_SEARCH_SOBOL, TUTTI_SEARCH_RANDOM, TUTTI_N_SEARCHES } tutti_search;
typedef enum { TUTTI_PROBLEM_TRAINING, TUTTI_PROBLEM_NOISY_QUADRATIC, TUTTI_N_PROBLEMS } tutti_problem;

/** The options of `tutti study`; a training does not read them. */
typedef struct {
  tutti_axis *axes; // those of a branch come after the one whose values are the branches, branch by branch
  int64_t n_axes;
  tutti_search search;
  int64_t trials; // settings for each batch size; 0: none given
  int64_t seeds;
  int64_t confirm; // number of new seeds for the best settings
  char *at_budget; // metric of the table of best values at the budget; NULL: no table
  tutti_goal goal;
  tutti_count budget;         // of a trial, whole steps, epochs or samples; 0: none given
  tutti_count evaluate_every; // steps, epochs or samples
  int64_t train_rows;         // training rows that a trial evaluates as well; 0: none
  int64_t ranks_per_trial;
  char *output;
  tutti_problem problem;
  int64_t dimensions; // of the noisy quadratic
  double target;      // its loss
  // A key that was given as an option although each trial has its own value of it; "": none
  char overridden[64];
} tutti_study_options;

typedef struct {
  struct {
    char *file, *x_train, *y_train, *x_test, *y_test, *x_val, *y_val;
    char *weights;      // the name of an array; NULL: none
    char *class_weight; // "balanced", or as tutti_config_class_weight_next reads it; NULL: none
    double validation_split;
    tutti_validation_take validation_take;
    int64_t limit_train, limit_test;
    bool external, plugins;
    tutti_scale scale;
  } data;
  struct {
    tutti_layer_spec *layers;
    int64_t n_layers;
    tutti_loss loss;
    double label_smoothing;
    tutti_initializer initializer;
    tutti_compute compute;
    char *weights, *weights_skip; // NULL: none; names separated by commas
  } model;
  tutti_optim_options optimizer; // resolved
  tutti_optim_options
      written; // before it was resolved; a trial of a study starts from this, since it may have another rule
  tutti_schedule_options schedule;
  tutti_train_options train;
  tutti_parallel_options parallel;
  tutti_run_options run;
  tutti_study_options study;
} tutti_config;

/** One `section.key = value` of the command line, which overrides the file. */
typedef struct {
  const char *key;   // "train.batch_size", "study.vary.train.batch_size"
  const char *value; // YAML
} tutti_override;

/** Parse a config: defaults, then the text of the file, then the overrides (the last one of the same key counts).
 * Local.  The whole is checked for missing keys, for several budgets, and for keys that contradict each other or have
 * no effect.  The optimizer is resolved.
 * @param[in] text  contents of the YAML file, or NULL for none
 * @param[in] name  path of the file for messages and for the default run directory; NULL for none
 * @param[out] config  the caller's: tutti_config_clear; empty after a failure
 * @return ERR_CONFIG "FILE:LINE:COLUMN: section.key: value ...", with what is allowed, or with the key or section
 * that was probably meant by an unknown one; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_parse(const char *text, const char *name, const tutti_override *overrides,
                                int n_overrides, tutti_config *config);

/** Give the config of a study, or of a trial, the defaults of a study.  Local. */
void tutti_config_for_study(tutti_config *config);

/** Free what the config owns, and zero it.  Local. */
void tutti_config_clear(tutti_config *config);

/** The axis whose values are the branches of the study.  Local.
 * @return NULL if the study has one branch without a name */
const tutti_axis *tutti_config_study_branches(const tutti_study_options *study);

/** Whether the trials of a branch, counted from 0, vary the key.  Local. */
bool tutti_config_axis_is_of(const tutti_axis *axis, int branch);

/** Whether data.x_val is "none", so that the validation rows of the file are ignored.  Local. */
bool tutti_config_no_val(const tutti_config *config);

/** The options for tutti_model_create, borrowed from the config.  Local. */
tutti_model_options tutti_config_model(const tutti_config *config);

/** The weight of a class, by which the losses of its samples are multiplied. */
typedef struct {
  char name[64]; // or number
  double weight;
} tutti_class_weight;

/** Read the first item of "CLASS: WEIGHT, CLASS: WEIGHT".  Local.
 * @param[in,out] text  moves to the next item; NULL after the last one
 * @return ERR_CONFIG it is not such an item, or the weight is not finite or below 0 */
TUTTI_NODISCARD
tutti_status tutti_config_class_weight_next(const char **text, tutti_class_weight *item);

/** The first line of a dump.  It distinguishes the config.yaml of a run from one that a user wrote. */
#define TUTTI_CONFIG_MARK "# A run of tutti, every key resolved; runs again as it is"

/** Write the resolved config as YAML that parses to the same config.  Local.  Only run.resume becomes auto: with
 * another value, the config.yaml of a run would delete the run or start from the other checkpoint again.
 * @param[out] text  the caller's (tutti_free) */
TUTTI_NODISCARD
tutti_status tutti_config_dump(const tutti_config *config, char **text);

/** A key that differs, with both values as texts, which may be cut. */
typedef struct {
  const char *key;
  char then[128], now[128];
  const char *note; // why it matters, if the key does not show it; else NULL
} tutti_difference;

enum { TUTTI_MAX_DIFFERENCES = 128 }; // more than there are keys

typedef struct {
  int n;
  tutti_difference list[TUTTI_MAX_DIFFERENCES];
} tutti_differences;

/** Find all keys that make `a` and `b` different trainings.  Local.  These do not: evaluation, saving, parallel; the
 * budget, unless the learning rate falls until its end; the folder of data.file, since data is often copied to the disk
 * of a job. */
void tutti_config_differences(const tutti_config *a, const tutti_config *b, tutti_differences *found);

/** The same for studies, with the keys of the section study that change the trials.  Local.
 * @return whether both vary the same keys, and only the number of batch sizes, values, settings or seeds differs:
 * then a trial of one may also be a trial of the other */
bool tutti_config_study_differences(const tutti_config *a, const tutti_config *b, tutti_differences *found);

/** Whether the key differs.  Local. */
bool tutti_config_differences_have(const tutti_differences *found, const char *key);

/** Print all keys, with the values of the first ones: "train.seed was 0 there and is 1 now, data.scale was auto there
 * and is unit now".  Local. */
void tutti_config_differences_text(const tutti_differences *found, char *text, size_t bytes);

/** Whether any key differs, whatever its effect.  Local.
 * @param[out] first  the first such key, with the value of `a` as `then` and that of `b` as `now` */
bool tutti_config_any_difference(const tutti_config *a, const tutti_config *b, tutti_difference *first);

// --- the list of keys, for the command line and for help

typedef struct {
  const char *section, *name;
  const char *fallback; // default as text; "": there is none
  const char *sentence; // what the key means
  char allowed[480];    // "a whole number from 1", "none, step, cosine"
} tutti_key_info;

/** Key i of the list, from 0.  Local. */
int tutti_config_n_keys(void);
void tutti_config_key(int i, tutti_key_info *info);
