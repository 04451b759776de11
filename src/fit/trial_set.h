#pragma once
/** The trials of a study by key, branch and order, for `fit` and for the study that makes them.  Local. */
#include "tutti/fit.h"

/** The table that answers study.at_budget. */
#define TUTTI_AT_BUDGET "/best_at_budget"

enum { TUTTI_CURVE_NAME = 32 };

/** Print the name of a trial's curve in a study's file, "/curves/000017". */
void tutti_fit_trial_curve_name(int64_t trial, char name[TUTTI_CURVE_NAME]);

/** Return the index of the varied key `name`; -1 if it is not varied. */
int tutti_fit_trial_set_find(const tutti_trial_set *set, const char *name);

/** Read the one row of /trials in the file of a trial.
 * @return ERR_DATA the file has no or another number of rows, or is damaged; ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_trial_read(const tutti_file *file, tutti_trial_result *result);

/** Read the config of a study from its file, or from that of a trial.
 * @param[out] config  owned by the caller: tutti_config_clear; empty after a failure
 * @return ERR_DATA, ERR_IO; ERR_CONFIG the config does not parse */
TUTTI_NODISCARD
tutti_status tutti_fit_config_read(const tutti_file *file, tutti_config *config);

/** Take from the study's config what the set keeps of it: the rates of all trials, the scale of each varied key, and
 * study.at_budget.  Names and texts of the varied keys must be there.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_trial_set_take_config(tutti_trial_set *set, const tutti_config *config);

// --- trials in the order of branch, batch size, setting and seed ---------------------------------

/** The trials of one setting at one batch size: order[first .. first + n). */
typedef struct {
  int64_t first, n;
  int64_t batch_size;
  int branch;
} tutti_setting_trials;

typedef struct {
  tutti_pool pool; // owns the arrays
  int64_t *order;  // [n_trials] indices of trials
  int64_t n_settings;
  tutti_setting_trials *settings; // [n_settings] in the order of branch, batch size, setting
  int n_sizes;                    // batch sizes, counted once per branch
  int64_t *sizes;                 // [n_sizes + 1] first setting of each batch size, and the end
  int n_branches;
  int *branches; // [n_branches + 1] first batch size of each branch, and the end
} tutti_trial_order;

/** Sort the trials of a set.
 * @param[out] order  owned by the caller: tutti_fit_trial_order_clear
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_trial_order_make(const tutti_trial_set *set, tutti_trial_order *order);
void tutti_fit_trial_order_clear(tutti_trial_order *order); // Frees what the order owns; zeroes it.
