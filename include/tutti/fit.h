#pragma once
/** What a batch-size study tells: the best setting of each batch size, the critical batch size, and the noisy
 * quadratic model, whose answer is known.  Pure functions and their place in a study's file.  Local, no MPI. */
#include <stdbool.h>

#include "tutti/config.h"
#include "tutti/io.h"

// --- trials ------------------------------------------------------------------------------------------------

/** X(code, name as in the file). */
#define TUTTI_TRIAL_STATE_LIST(X)                                                                            \
  X(WAITING, "waiting")                                                                                      \
  X(REACHED, "reached")                                                                                      \
  X(NOT_REACHED, "not_reached")                                                                              \
  X(DIVERGED, "diverged")

typedef enum {
#define X(code, name) TUTTI_TRIAL_##code,
  TUTTI_TRIAL_STATE_LIST(X)
#undef X
      TUTTI_N_TRIAL_STATES
} tutti_trial_state;
extern const char *const tutti_trial_state_names[TUTTI_N_TRIAL_STATES];

/** One trial: a setting of the varied keys at one batch size with one seed.  The columns of /trials, without
 * the varied ones.  NAN where there is no value. */
typedef struct {
  int64_t trial;   // from 0
  int64_t setting; // number of the point within its batch size
  int64_t seed;
  int64_t batch_size;
  int64_t status;                                           // tutti_trial_state
  double goal_step, goal_samples, goal_epoch, goal_seconds; // where the goal was reached
  double steps, samples, epochs, seconds;                   // what it did
  double best_value, best_step, last_value;                 // of the goal's metric
  double val_loss, val_metric, test_loss, test_metric;      // at the end
  int64_t group, ranks;                                     // who computed it
  double started, ended;                                    // seconds since the study's first job began
} tutti_trial_result;

/** What is asked of a study's curves: the best value of a metric until a budget. */
typedef struct {
  char metric[32];
  tutti_count budget; // epochs, steps or samples
} tutti_budget_question;

/** All trials of a study, as its file has them. */
typedef struct {
  int64_t n_trials;
  tutti_trial_result *results; // [n_trials]
  int n_varied;
  double *
      varied; // [n_trials, n_varied] values of the varied keys but train.batch_size, or indices of texts; NAN of a
              // key that the trial's branch does not vary
  char **names;  // [n_varied] "optimizer.learning_rate"
  char ***texts; // [n_varied] what the indices of a key stand for; NULL: its values are numbers
  int *n_texts;  // [n_varied]
  int branches; // 1 + index of the varied key whose texts are the branches of the study; 0: it has none, and is one
  double learning_rate, momentum; // of trials that do not vary them; NAN: there is none
  tutti_scaling scaling;          // of the learning rate with the batch size, likewise
  double base_batch_size;         // likewise
  tutti_axis_scale *scales;       // [n_branches, n_varied] of the keys of numbers; NULL: log
  // The best setting of each batch size once more, with seeds that the search has not seen: the trials of study.confirm.
  // Their varied values are those of the setting's other trials.
  int64_t n_confirm;
  tutti_trial_result *confirm; // [n_confirm] in any order; some may wait
  tutti_budget_question asks;  // study.at_budget; no metric: nothing is asked
} tutti_trial_set;

/** Local.  How many branches there are: each has its own best settings and its own fit. */
int tutti_trial_set_n_branches(const tutti_trial_set *set);

/** Local.  The branch of trial i, from 0. */
int tutti_trial_set_branch(const tutti_trial_set *set, int64_t i);

/** Local.  Its value of the branches' key, "sgd"; "" where there are no branches. */
const char *tutti_trial_set_branch_name(const tutti_trial_set *set, int branch);

/** Local.  Write, or replace, /confirm, which has the columns of /trials: the trials of set->confirm that are done.  There
 * is no such table where there has never been one.
 * @return as tutti_trial_set_write */
TUTTI_NODISCARD
tutti_status tutti_trial_set_write_confirm(tutti_file *file, const tutti_trial_set *set);

/** Local.  Write, or replace, /trials: a record of a tutti_trial_result and the varied keys, each by its name; the
 * table's attribute "states" has the names of the status, and the attribute of the name of a key that is an index
 * the texts it stands for.
 * @return ERR_DATA /trials there has other columns; ERR_MEMORY, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_trial_set_write(tutti_file *file, const tutti_trial_set *set);

/** Local.  Read /trials and /confirm, and of the root's attributes "varied", "branches" and "config" what the fit needs.  The caller owns the
 * set: tutti_trial_set_clear.
 * @return ERR_DATA it is no study, or damaged; ERR_IO, ERR_MEMORY; ERR_CONFIG its config does not parse */
TUTTI_NODISCARD
tutti_status tutti_trial_set_read(const tutti_file *file, tutti_trial_set *set);

/** Local.  Judge all trials by another goal than the study's own: status and goal_* are what their curves say.  As the
 * critical batch size depends on the goal, one study answers for all goals that come before its own; a trial that
 * ended at its own goal tells nothing of what comes after.
 * @param[in] file  where `set` was read from
 * @return ERR_USAGE a trial ended before it could reach this goal, or the curves lack its metric; ERR_DATA, ERR_IO,
 * ERR_MEMORY.  The set is then to be cleared. */
TUTTI_NODISCARD
tutti_status tutti_trial_set_judge(tutti_trial_set *set, const tutti_file *file, const tutti_goal *goal);

/** Local.  The best and the last value of each trial that has a curve become those of this metric, which the study may not
 * have asked for when the trial ran.  @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_trial_set_take_values(tutti_trial_set *set, const tutti_file *file, const char *metric);
void tutti_trial_set_clear(tutti_trial_set *set); // Local.  Frees what the set owns; zeroes it.

// --- the best setting of a batch size ----------------------------------------------------------------------

/** A row of /best, without the varied columns.  The best setting of a batch size, in a branch of the study, is the one with the least
 * median over seeds of steps to the goal, of equals the first; one that at most half of its seeds reached has
 * none, and of an even number of seeds the upper of the two in the middle counts, so that a seed that did not
 * reach the goal counts as one that came late. */
typedef struct {
  int64_t batch_size;
  int64_t setting, trial;                 // -1: no setting reached the goal; trial is the median seed's
  double steps, samples, epochs, seconds; // medians over seeds, to the goal; NAN without a setting
  double steps_low, steps_high;           // over the seeds that reached it
  double effective_lr; // lr / (1 - momentum), lr after scaling; NAN: there is no momentum, or AdaScale's gain
  int64_t trials, reached, not_reached, diverged;
  int64_t
      at_edge; // 1 + index of the first varied key of numbers whose range ends too early, as far as can be told: of
  // which nothing was tried beyond the best setting's value though other values were, or only one
  // that reached the goal as well while there are three or more on the other side, or where the
  // local model goes down to the end of what was tried; 0: none
  int64_t model;                            // tutti_local_state; -1: the file is of an earlier version
  int64_t model_settings;                   // that the local model rests on here
  double model_steps;                       // at its least; NAN: there is none
  double model_steps_low, model_steps_high; // its 95 % interval
  double setting_steps; // what the local model says of the best setting, which is not quite at its least
  // Of the best setting with fresh seeds: how many there are, and of those that reached the goal the geometric mean
  // with its 95 % interval; NAN: there is none.  An independent check of the model.
  int64_t confirm_trials, confirm_reached;
  double confirm_steps, confirm_steps_low, confirm_steps_high;
  double confirm_off;        // from setting_steps, in standard errors of both; NAN: not known
  int64_t confirm_disagrees; // 1: by more than luck makes likely
} tutti_best;

/** X(code, what it means for a batch size). */
#define TUTTI_LOCAL_STATE_LIST(X)                                                                            \
  X(MADE, "made")                                                                                            \
  X(FEW, "too few settings near the best")                                                                   \
  X(EDGE, "the least is not between settings that reached the goal")                                         \
  X(FLAT, "the steps of the settings are no bowl")                                                           \
  X(WORDS, "a varied key has no scale")                                                                      \
  X(NONE, "no key is varied that differs between the settings")                                              \
  X(MANY, "more than 8 keys are varied")

/** Whether a batch size has a local model of the steps: near the best setting, a smooth bowl over the varied keys. */
typedef enum {
#define X(code, text) TUTTI_LOCAL_##code,
  TUTTI_LOCAL_STATE_LIST(X)
#undef X
      TUTTI_N_LOCAL_STATES
} tutti_local_state;
extern const char *const tutti_local_state_names[TUTTI_N_LOCAL_STATES];

enum { TUTTI_CLAIM_BYTES = 128 };

enum { TUTTI_DISAGREEMENT_BYTES = 256 };

/** Local.  How the fresh seeds disagree with the search and its model, "batch_size 64: ..."; "" where they do not. */
void tutti_best_disagreement(const tutti_best *best, char text[TUTTI_DISAGREEMENT_BYTES]);

/** Local.  What a row says of its steps: "95 %" where there is a local model, else "best of 30 trials: ..." with the
 * reason; "-" where no setting reached the goal. */
void tutti_best_claim(const tutti_best *best, char text[TUTTI_CLAIM_BYTES]);

/** A value of the local model with its 95 % interval. */
typedef struct {
  double value, low, high;
} tutti_estimate;

struct tutti_local_study;

typedef struct {
  int n_rows, n_varied, n_branches;
  tutti_best *rows;      // [n_rows] in the order of branch and batch size
  double *varied;        // [n_rows, n_varied] of the best setting, NAN without one, but for the branch
  int *first;            // [n_branches + 1] the first row of each branch, and the end
  tutti_estimate *model; // [n_rows, n_varied] where the local model has its least; NAN where there is none
  struct tutti_local_study *local; // [n_branches] the local models; NULL: read from a file
} tutti_best_table;

/** Local.  Its trials may be in any order; those that wait count in `trials` alone, and in medians as seeds that did
 * not reach the goal.  The caller owns the table: tutti_best_table_clear.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_best(const tutti_trial_set *set, tutti_best_table *best);
void tutti_best_table_clear(tutti_best_table *best); // Local.  Frees what the table owns; zeroes it.

/** Local.  The largest batch size whose samples to the goal, B S, are at most 1.2 times those of the smallest
 * one.  Of batch[n], steps[n]; steps that are not finite and above 0 are passed over, NAN where none are left. */
double tutti_perfect_scaling_end(const double *batch, const double *steps, int n);

/** Local.  The smallest batch size whose steps are at most 1.05 times the fewest of any; as above. */
double tutti_largest_useful_batch(const double *batch, const double *steps, int n);

// --- the best value at a budget ----------------------------------------------------------------------------

/** A row of /best_at_budget, without the varied columns.  The best setting is the one with the best median over seeds of
 * the best value until the budget, of an even number the worse of the two in the middle; a trial that diverged before it
 * is worse than all others. */
typedef struct {
  int64_t batch_size;
  double budget;                       // in the unit of the question
  int64_t setting, trial;              // -1: no setting has a value; trial is the median seed's
  double value, value_low, value_high; // median and range over seeds; NAN without a setting
  double steps, samples;               // of the median seed's value
  int64_t trials, diverged; // of the batch size: that have a curve, that diverged before the budget
  int64_t ended; // of the setting's seeds, those that had ended at the goal before: their value is of then
} tutti_budget_row;

typedef struct {
  int n_rows, n_varied;
  tutti_budget_row *rows; // [n_rows] in the order of branch, batch size and budget
  double *varied;         // [n_rows, n_varied] of the best setting, NAN without one, but for the branch
} tutti_budget_table;

/** Local.  Answer the question from the curves of a study's file: at the budget, and at a half, a quarter and an eighth of
 * it where some trial was evaluated until then.  A budget beyond the study's own is told of what there is.  The caller
 * owns the table: tutti_budget_table_clear.
 * @return ERR_USAGE no curve has the metric; ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_at_budget(const tutti_file *file, const tutti_trial_set *set,
                                   const tutti_budget_question *question, tutti_budget_table *table);
void tutti_budget_table_clear(tutti_budget_table *table); // Local.  Frees what the table owns; zeroes it.

// --- the critical batch size -------------------------------------------------------------------------------

typedef enum { TUTTI_FIT_S_MIN, TUTTI_FIT_E_MIN, TUTTI_FIT_B_CRIT, TUTTI_N_FIT_NUMBERS } tutti_fit_number;
extern const char *const tutti_fit_names[TUTTI_N_FIT_NUMBERS]; // "S_min", ...

/** Where B_crit came out in the range it is looked for in. */
typedef enum { TUTTI_FIT_INSIDE, TUTTI_FIT_AT_LOW, TUTTI_FIT_AT_HIGH } tutti_fit_end;

/** Room for a reason with its advice, and the longest names. */
enum { TUTTI_REASON_BYTES = 512 };

/** Steps to a goal S = S_min + E_min / B (McCandlish, Kaplan, Amodei et al., arXiv 1812.06162, equation 2.11
 * with E = B S), B_crit = E_min / S_min (equation 2.12).  Where the fit is refused its numbers are NAN. */
typedef struct {
  int n_sizes; // with steps to the goal
  double value[TUTTI_N_FIT_NUMBERS];
  double residual;                                            // root mean square of log S - log fit
  double low[TUTTI_N_FIT_NUMBERS], high[TUTTI_N_FIT_NUMBERS]; // 95 % interval; NAN: not asked for, or none
  double perfect_scaling_end, largest_useful_batch;           // also where the fit is refused
  tutti_fit_end end;                // not of a fit that was read, or for which there were too few batch sizes
  char refused[TUTTI_REASON_BYTES]; // why there is no fit; "": there is one
  char no_interval[TUTTI_REASON_BYTES]; // why the bootstrap has no interval; "": it has, or was not made
  char no_claim
      [TUTTI_REASON_BYTES]; // why the intervals are not claimed to hold the truth in 95 % of studies; "": they are
} tutti_fit;

/** Local.  Least squares of log S.  For any B_crit the best log S_min is the mean of log S - log(1 + B_crit/B),
 * so two parameters are a search over one: log B_crit, from a 16th of the smallest batch size to 16 times the
 * largest, on a grid first since the sum of squares may have more than one hollow, then by golden section.
 * Refused with fewer than 4 batch sizes that have steps, and where B_crit runs to an end of that range: then
 * all lie in perfect scaling, or steps do not fall with the batch size, and the other parameter is not
 * determined.
 * @param[in] batch  [n] > 0, each once, in any order
 * @param[in] steps  [n] what is not finite and above 0 is passed over */
void tutti_fit_make(const double *batch, const double *steps, int n, tutti_fit *fit);

/** Draws of the bootstrap: enough for the ends of a 95 % interval, and tenths of a second for a large study. */
enum { TUTTI_FIT_DRAWS = 1000 };

/** Local.  The same of a branch of a study, with intervals.  Where at least 4 batch sizes have a local model, through
 * the model's steps, weighted by their variances, and the 95 % intervals come from draws of these steps by their
 * covariance.  Else through the searched minima, with percentiles of the bootstrap over settings and seeds: the search's
 * luck is in them, so that they are no 95 % intervals, and no_claim says so.
 * @param[in]  n_draws  0: no intervals
 * @param[out] draws    [n_draws, TUTTI_N_FIT_NUMBERS] of each draw, NAN where it has none; NULL: not wanted
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_study(const tutti_trial_set *set, const tutti_best_table *best, int branch,
                             uint64_t seed, int64_t n_draws, double *draws, tutti_fit *fit);

// --- in the file -------------------------------------------------------------------------------------------

/** Local.  Make and write, or replace, /best and /fit of a study's file from its trials:
 *   /best   a table of tutti_best and the varied keys, with the texts of indices as its attributes; the column of the
 *           branches' key tells the branch of a row.  For each key of numbers model_KEY, model_KEY_low and
 *           model_KEY_high: where the local model has its least.  The attribute "models" has the names of `model`
 *           study.confirm: columns confirm_..., of the trials with fresh seeds.
 *   /best_at_budget   where set->asks has a metric, and a trial is done: a table of tutti_budget_row and the varied keys,
 *           with the attributes metric and budget
 *   /fit    attributes n_sizes, S_min, E_min, B_crit, residual, S_min_low, S_min_high, ..., perfect_scaling_end,
 *           largest_useful_batch, refused ("" where there is a fit), no_interval ("" where there is one, or no fit);
 *           its table `draws` has the bootstrap's.  Of a study with branches there is a group of these for each,
 *           named as its value of the branches' key, /fit/sgd for instance, with '_' for '/'
 * @param[in] set  what the file's /trials holds, or will
 * @return ERR_MEMORY, ERR_IO, ERR_DATA /best there has other columns */
TUTTI_NODISCARD
tutti_status tutti_study_conclude(tutti_file *file, const tutti_trial_set *set);

/** Local.  What tutti_study_conclude wrote where set->asks has a metric.  @return ERR_DATA, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_budget_table_read(const tutti_file *file, const tutti_trial_set *set,
                                     tutti_budget_table *table);

/** Local.  What tutti_study_conclude wrote.  `set` tells the varied keys, and the branches.  @return ERR_DATA, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_best_table_read(const tutti_file *file, const tutti_trial_set *set,
                                   tutti_best_table *best);
TUTTI_NODISCARD
tutti_status tutti_fit_read(const tutti_file *file, const tutti_trial_set *set, int branch, tutti_fit *fit);
