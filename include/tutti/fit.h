#pragma once
/** Results of a batch-size study: the best setting of each batch size, the best value at a budget, and the critical
 * batch size.  Pure functions, and their tables in a study's file.  Local, no MPI. */
#include <stdbool.h>

#include "tutti/config.h"
#include "tutti/io.h"

// --- trials ------------------------------------------------------------------------------------------------

/** States of a trial.  X(code, name in the file). */
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
extern const char *const tutti_fit_trial_state_names[TUTTI_N_TRIAL_STATES];

/** One trial: a setting of the varied keys at one batch size with one seed.  The columns of /trials without those of
 * the varied keys.  NAN stands for a missing value. */
typedef struct {
  int64_t trial;   // from 0
  int64_t setting; // from 0; the same numbers at every batch size
  int64_t seed;
  int64_t batch_size;
  int64_t status;                                           // tutti_trial_state
  double goal_step, goal_samples, goal_epoch, goal_seconds; // when it reached the goal
  double steps, samples, epochs, seconds;                   // of the whole training
  double best_value, best_step, last_value;                 // of the metric of the goal
  double val_loss, val_metric, test_loss, test_metric;      // at the end
  int64_t group, ranks;                                     // that computed it
  double started, ended;                                    // seconds since the study's first job began
} tutti_trial_result;

/** A question to the curves of a study: the best value of a metric until a budget. */
typedef struct {
  char metric[32];
  tutti_count budget; // epochs, steps or samples
} tutti_budget_question;

/** All trials of a study, as its file has them.  The set owns all that it points to. */
typedef struct {
  int64_t n_trials;
  tutti_trial_result *results; // [n_trials]
  int n_varied;
  double *
      varied; // [n_trials, n_varied] values of the varied keys without train.batch_size, or indices of texts; NAN if
              // the branch of the trial does not vary the key
  char **names;       // [n_varied] "optimizer.learning_rate"
  tutti_texts *texts; // [n_varied] the texts that a key chooses from; empty: its values are numbers
  int branches; // 1 + index of the varied key whose texts are the branches of the study; 0: it has no branches
  double learning_rate, momentum; // of trials that do not vary them; NAN: they have none
  tutti_scaling scaling;          // of the learning rate with the batch size, if it does not vary
  double base_batch_size;         // of that scaling, if it does not vary
  tutti_axis_scale *scales;       // [n_branches, n_varied] of keys whose values are numbers; NULL: log
  // The trials of study.confirm: the best setting of each batch size again, with seeds that the search has not used.
  // Their varied values are those of the other trials of the setting.
  int64_t n_confirm;
  tutti_trial_result *confirm; // [n_confirm] in any order; some may wait
  tutti_budget_question asks;  // study.at_budget; an empty metric: the study does not ask
} tutti_trial_set;

/** Return the number of branches, at least 1.  Local.  Each branch has its own best settings and its own fit. */
int tutti_fit_trial_set_n_branches(const tutti_trial_set *set);

/** Return the branch of trial i, from 0.  Local. */
int tutti_fit_trial_set_branch(const tutti_trial_set *set, int64_t i);

/** Return the value of the branches' key for a branch, for example "sgd"; "" if there are no branches.  Local. */
const char *tutti_fit_trial_set_branch_name(const tutti_trial_set *set, int branch);

/** Write or replace /confirm, which has the columns of /trials: the trials of set->confirm that are done.  Local.  If
 * none is done and the file has no such table, it gets none.
 * @return as tutti_fit_trial_set_write */
TUTTI_NODISCARD
tutti_status tutti_fit_trial_set_write_confirm(tutti_file *file, const tutti_trial_set *set);

/** Write or replace /trials: a tutti_trial_result and the varied keys in each row.  Local.  The attribute "states" of
 * the table has the names of the states; for each key that chooses from texts, an attribute of its name has them.
 * @return ERR_MEMORY, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_fit_trial_set_write(tutti_file *file, const tutti_trial_set *set);

/** Read /trials and /confirm, with the attributes "varied", "branches" and "config" of the root.  Local.
 * @param[out] set  owned by the caller: tutti_fit_trial_set_clear; empty after a failure
 * @return ERR_DATA the file is not a study, or is damaged; ERR_CONFIG its config does not parse; ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_trial_set_read(const tutti_file *file, tutti_trial_set *set);

/** Set status and goal_* of all trials by another goal than the study's own, from their curves.  Local.  The critical
 * batch size depends on the goal, so one study answers for all goals that a trial reaches before the study's own; it
 * cannot answer for later ones, because a trial ends at the study's goal.
 * @param[in]     file  where `set` was read from
 * @param[in,out] set   to be cleared after a failure
 * @return ERR_USAGE a trial ended before it could reach this goal, or the curves lack its metric; ERR_DATA, ERR_IO,
 * ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_trial_set_regoal(tutti_trial_set *set, const tutti_file *file, const tutti_goal *goal);

/** Set the best and the last value of each trial that has a curve to those of a metric.  Local.  The study may have
 * asked for another metric when the trial ran.
 * @param[in] file  has the curves
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_trial_set_take_values(tutti_trial_set *set, const tutti_file *file,
                                             const char *metric);
void tutti_fit_trial_set_clear(tutti_trial_set *set); // Local.  Frees what the set owns; zeroes it.

// --- the best setting of a batch size ----------------------------------------------------------------------

/** A row of /best, without the columns of the varied keys.  The best setting of a batch size, within a branch, has the
 * smallest median over seeds of steps to the goal; the first of equal ones wins.  A seed that did not reach the goal
 * counts as infinitely late, and the median of an even number of seeds is the upper one in the middle, so a setting
 * needs more than half of its seeds to reach the goal. */
typedef struct {
  int64_t batch_size;
  int64_t setting, trial;                 // trial of the median seed; -1: no setting reached the goal
  double steps, samples, epochs, seconds; // medians over seeds, to the goal; NAN without a setting
  double steps_low, steps_high;           // over the seeds that reached it
  double
      effective_lr; // lr / (1 - momentum) with the scaled lr; NAN: the rule has no momentum, or AdaScale changes lr
  int64_t trials, reached, not_reached, diverged;
  // 1 + index of the first varied key of numbers whose range seems to end too early; 0: none.  Either no value was
  // tried beyond that of the best setting although others were; or only one was, which reached the goal too, while
  // three or more lie on the other side; or the local model still falls at the end of what was tried.
  int64_t at_edge;
  int64_t model;                            // tutti_local_state; -1: an earlier version wrote the file
  int64_t model_settings;                   // that the local model of this batch size uses
  double model_steps;                       // at its minimum; NAN: there is no model
  double model_steps_low, model_steps_high; // its 95 % interval
  double setting_steps; // of the local model at the best setting, which is near the minimum
  // Fresh seeds of the best setting, an independent check of the model: their number, and the geometric mean over those
  // that reached the goal with its 95 % interval; NAN: there is none.
  int64_t confirm_trials, confirm_reached;
  double confirm_steps, confirm_steps_low, confirm_steps_high;
  double confirm_off;        // from setting_steps, in standard errors of the difference; NAN: not known
  int64_t confirm_disagrees; // 1: by more than chance makes likely
} tutti_best;

/** X(code, why a batch size has no local model). */
#define TUTTI_LOCAL_STATE_LIST(X)                                                                            \
  X(MADE, "made")                                                                                            \
  X(FEW, "too few settings near the best")                                                                   \
  X(EDGE, "the least is not between settings that reached the goal")                                         \
  X(FLAT, "the steps of the settings are no bowl")                                                           \
  X(WORDS, "a varied key has no scale")                                                                      \
  X(NONE, "no key is varied that differs between the settings")                                              \
  X(MANY, "more than 8 keys are varied")

/** State of the local model of a batch size, a smooth bowl of steps over the varied keys near the best setting. */
typedef enum {
#define X(code, text) TUTTI_LOCAL_##code,
  TUTTI_LOCAL_STATE_LIST(X)
#undef X
      TUTTI_N_LOCAL_STATES
} tutti_local_state;
extern const char *const tutti_fit_local_state_names[TUTTI_N_LOCAL_STATES];

enum { TUTTI_CLAIM_BYTES = 128 };

enum { TUTTI_DISAGREEMENT_BYTES = 256 };

/** Print how the fresh seeds disagree with the search and its model, "batch_size 64: ..."; "" if they agree.  Local. */
void tutti_fit_best_disagreement(const tutti_best *best, char text[TUTTI_DISAGREEMENT_BYTES]);

/** Print what the steps of a row can claim: "95 %" if there is a local model, else "best of 30 trials: ..." with the
 * reason; "-" if no setting reached the goal.  Local. */
void tutti_fit_best_claim(const tutti_best *best, char text[TUTTI_CLAIM_BYTES]);

/** A value of the local model with its 95 % interval. */
typedef struct {
  double value, low, high;
} tutti_estimate;

struct tutti_local_study;

typedef struct {
  int n_rows, n_varied, n_branches;
  tutti_best *rows;      // [n_rows] in the order of branch and batch size
  double *varied;        // [n_rows, n_varied] of the best setting; without one NAN, except for the branch
  int *first;            // [n_branches + 1] first row of each branch, and the end
  tutti_estimate *model; // [n_rows, n_varied] place of the local model's minimum; NAN without a model
  struct tutti_local_study *local; // [n_branches] local models; NULL if the table was read from a file
} tutti_best_table;

/** Find the best setting of each batch size and make the local models.  Local.
 * @param[in]  set   its trials, in any order; one that waits counts in `trials`, and in medians as a seed that did not
 * reach the goal
 * @param[out] best  owned by the caller: tutti_fit_best_table_clear
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_best_table_create(const tutti_trial_set *set, tutti_best_table *best);
void tutti_fit_best_table_clear(tutti_best_table *best); // Local.  Frees what the table owns; zeroes it.

/** Return the largest batch size B whose samples to the goal, B S, are at most 1.2 times those of the smallest one.
 * Local.
 * @param[in] batch  [n]
 * @param[in] steps  [n] steps S to the goal; those that are not finite and above 0 are ignored
 * @return NAN if no batch size has steps */
double tutti_fit_perfect_scaling_end(const double *batch, const double *steps, int n);

/** Return the smallest batch size whose steps are at most 1.05 times the fewest of all.  Local.  Arguments and NAN as
 * above. */
double tutti_fit_largest_useful_batch(const double *batch, const double *steps, int n);

// --- the best value at a budget ----------------------------------------------------------------------------

/** A row of /best_at_budget, without the columns of the varied keys.  The best setting has the best median over seeds
 * of the best value until the budget; for an even number of seeds it is the worse one in the middle.  A trial that
 * diverged before the budget is worse than all others. */
typedef struct {
  int64_t batch_size;
  double budget;                       // in the unit of the question
  int64_t setting, trial;              // trial of the median seed; -1: no setting has a value
  double value, value_low, value_high; // median and range over seeds; NAN without a setting
  double steps, samples;               // when the median seed had its value
  int64_t trials, diverged; // trials of the batch size that have a curve, and that diverged before the budget
  int64_t
      ended; // seeds of the setting that had stopped at the goal before the budget, with the value of then
} tutti_budget_row;

typedef struct {
  int n_rows, n_varied;
  tutti_budget_row *rows; // [n_rows] in the order of branch, batch size and budget
  double *varied;         // [n_rows, n_varied] of the best setting; without one NAN, except for the branch
} tutti_budget_table;

/** Answer a question from the curves of a study's file: at the budget, and at a half, a quarter and an eighth of it if
 * some trial was evaluated until then.  Local.  For a budget beyond the study's own, the values are those at the
 * study's.
 * @param[in]  file   where `set` was read from
 * @param[out] table  owned by the caller: tutti_fit_budget_table_clear
 * @return ERR_USAGE no curve has the metric; ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_budget_table_create(const tutti_file *file, const tutti_trial_set *set,
                                           const tutti_budget_question *question, tutti_budget_table *table);
void tutti_fit_budget_table_clear(tutti_budget_table *table); // Local.  Frees what the table owns; zeroes it.

// --- the critical batch size -------------------------------------------------------------------------------

typedef enum { TUTTI_FIT_S_MIN, TUTTI_FIT_E_MIN, TUTTI_FIT_B_CRIT, TUTTI_N_FIT_NUMBERS } tutti_fit_number;
extern const char *const tutti_fit_names[TUTTI_N_FIT_NUMBERS]; // "S_min", ...

/** Where the best B_crit lies in the range of the search. */
typedef enum { TUTTI_FIT_INSIDE, TUTTI_FIT_AT_LOW, TUTTI_FIT_AT_HIGH } tutti_fit_end;

/** Enough for a reason with its advice and the longest names. */
enum { TUTTI_REASON_BYTES = 512 };

/** Steps to a goal S = S_min + E_min / B (McCandlish, Kaplan, Amodei et al., arXiv 1812.06162, equation 2.11 with E = B
 * S) and B_crit = E_min / S_min (equation 2.12).  The numbers of a refused fit are NAN. */
typedef struct {
  int n_sizes; // batch sizes that have steps to the goal
  double value[TUTTI_N_FIT_NUMBERS];
  double residual; // root mean square of log S - log fit
  double low[TUTTI_N_FIT_NUMBERS],
      high[TUTTI_N_FIT_NUMBERS];                    // 95 % interval; NAN: not asked for, or there is none
  double perfect_scaling_end, largest_useful_batch; // also of a refused fit
  tutti_fit_end end;                    // unknown if the fit was read, or if there were too few batch sizes
  char refused[TUTTI_REASON_BYTES];     // why there is no fit; "": there is one
  char no_interval[TUTTI_REASON_BYTES]; // why there is no interval; "": there is one, or none was asked for
  char no_claim
      [TUTTI_REASON_BYTES]; // why the intervals may hold the truth in fewer than 95 % of studies; "": they hold it
} tutti_fit;

/** Fit by least squares of log S.  Local.  For a given B_crit the best log S_min is the mean of log S - log(1 +
 * B_crit/B), so one parameter remains: log B_crit, from a 16th of the smallest batch size to 16 times the largest.  A
 * grid comes first, because the sum of squares may have several local minima, then a golden section search.  The fit is
 * refused with fewer than 4 batch sizes that have steps, and if B_crit reaches an end of the range: then all batch
 * sizes lie in perfect scaling, or steps do not fall with the batch size, and the other parameter is not determined.
 * @param[in]  batch  [n] > 0, each once, in any order
 * @param[in]  steps  [n] steps to the goal; those that are not finite and above 0 are ignored
 * @param[out] fit    has the reason in `refused` if there is no fit */
void tutti_fit_make(const double *batch, const double *steps, int n, tutti_fit *fit);

/** Number of draws: enough for the ends of a 95 % interval, and tenths of a second for a large study. */
enum { TUTTI_FIT_DRAWS = 1000 };

/** Fit a branch of a study, with intervals.  Local.  If at least 4 batch sizes have a local model, the fit goes through
 * the steps of the model, weighted by their variances, and the 95 % intervals come from draws of these steps with their
 * covariance.  Otherwise it goes through the best steps that the search found, with percentiles of a bootstrap over
 * settings and seeds.  These are not 95 % intervals, because the luck of the search is in them, and no_claim says so.
 * @param[in]  best     made from `set` by tutti_fit_best_table_create
 * @param[in]  seed     of the draws
 * @param[in]  n_draws  0: no intervals
 * @param[out] draws    [n_draws, TUTTI_N_FIT_NUMBERS] numbers of each draw, NAN if it has none; NULL: not wanted
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_study(const tutti_trial_set *set, const tutti_best_table *best, int branch,
                             uint64_t seed, int64_t n_draws, double *draws, tutti_fit *fit);

// --- in the file -------------------------------------------------------------------------------------------

/** Work out and write, or replace, the results of a study in its file.  Local.
 *   /best   a table of tutti_best and the varied keys; attributes have the texts of keys that choose from texts, and
 *           "models" the names of `model`.  The column of the branches' key has the branch of a row.  Each key of
 *           numbers adds model_KEY, model_KEY_low and model_KEY_high: the place of the local model's minimum.
 *           Columns confirm_... belong to the trials of study.confirm.
 *   /best_at_budget   if set->asks has a metric and a trial is done: a table of tutti_budget_row and the varied keys,
 *           with the attributes metric and budget
 *   /fit    attributes n_sizes, S_min, E_min, B_crit, residual, S_min_low, S_min_high, ..., perfect_scaling_end,
 *           largest_useful_batch, refused ("" if there is a fit), no_interval ("" if there is one, or no fit),
 * no_claim;
 *           its table `draws` has those of the intervals.  In a study with branches, each has a group of these, named
 *           after its value of the branches' key with '_' for '/', for example /fit/sgd
 * @param[in] set  the trials of the file's /trials, or those that it will have
 * @return ERR_MEMORY, ERR_IO, ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_fit_summary_write(tutti_file *file, const tutti_trial_set *set);

/** Read /best_at_budget.  Local.
 * @param[in]  set    of the same file; it asks for a metric
 * @param[out] table  owned by the caller: tutti_fit_budget_table_clear
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_budget_table_read(const tutti_file *file, const tutti_trial_set *set,
                                         tutti_budget_table *table);

/** Read /best.  Local.
 * @param[in]  set   of the same file: its varied keys and branches
 * @param[out] best  owned by the caller: tutti_fit_best_table_clear; it has no local models
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_best_table_read(const tutti_file *file, const tutti_trial_set *set,
                                       tutti_best_table *best);

/** Read /fit of a branch.  Local.
 * @param[in] set  of the same file
 * @return ERR_DATA, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_fit_read(const tutti_file *file, const tutti_trial_set *set, int branch, tutti_fit *fit);
