#pragma once
/** The search space of a study: which trials there are, and the config of each.  Local, no MPI. */
#include <stdbool.h>

#include "tutti/config.h"

/** From train.seed + this on come the seeds that confirm the best settings; study.seeds is below. */
enum { TUTTI_CONFIRM_SEED = 10000 };

/** One training of a study. */
typedef struct {
  int64_t trial;      // from 0, in the order of (batch size, setting, seed)
  int64_t setting;    // from 0, branch after branch; the same at every batch size
  int branch;         // from 0
  int64_t seed_index; // from 0
  int64_t batch_size;
  uint64_t seed;
  double
      *values; // [n_varied] the value of each varied key; of a choice: its number among tutti_space_choices;
               // NAN of a key that its branch does not vary
  tutti_override *overrides; // [n_overrides] what makes its config out of the study's: tutti_trial_config
  int n_overrides;
} tutti_trial;

/** All trials of a study, in their order.  A pure function of the config: equal on all ranks, and the first settings
 * stay as they are when study.trials grows. */
typedef struct tutti_space tutti_space;

/** Local.  Work the trials out.  train.batch_size is an axis of its own: every batch size has the same settings, and
 * every setting the same seeds, train.seed + 0 .. study.seeds - 1.
 * Each branch is searched by itself, as if there were no others:
 *  - grid: all values of an axis with all values of the others, the last of them changing first
 *  - sobol: points of a Sobol sequence, shifted by the seed; random: independent points by the seed
 * @param[in] config  borrowed for the call
 * @return ERR_CONFIG what a study needs is not there: varied keys, a goal, a budget, study.trials where the search
 * needs it, points of a range where it does; or what it has makes no sense; too many trials */
TUTTI_NODISCARD
tutti_status tutti_space_create(const tutti_config *config, tutti_space **space);
void tutti_space_destroy(tutti_space **space);

int64_t tutti_space_n_trials(const tutti_space *space);

/** Local.  Trial i of [0, n_trials), borrowed from the space. */
const tutti_trial *tutti_space_trial(const tutti_space *space, int64_t i);

/** Local.  Varied keys but train.batch_size, in the order of study.vary, that of the branches and all that some branch
 * varies, each once: what tutti_trial.values has. */
int tutti_space_n_varied(const tutti_space *space);
const char *tutti_space_varied(const tutti_space *space, int i); // "optimizer.learning_rate"

/** Local.  The texts [*n] that varied key i chooses from, borrowed; NULL: its values are numbers. */
const char *const *tutti_space_choices(const tutti_space *space, int i, int *n);

/** Local.  Least and largest value of varied key i.  @return false: a choice, which has none */
bool tutti_space_bounds(const tutti_space *space, int i, double *low, double *high);

/** Local.  The varied key whose values are the branches; -1: there are none. */
int tutti_space_branches(const tutti_space *space);

/** Local.  The config of a trial: the study's text and options as tutti_config_parse took them, and the trial's own
 * overrides, which win.  The caller owns it.
 * @return as tutti_config_parse: the keys of this trial do not go together */
TUTTI_NODISCARD
tutti_status tutti_trial_config(const tutti_trial *trial, const char *text, const char *name,
                                const tutti_override *overrides, int n_overrides, tutti_config *config);
