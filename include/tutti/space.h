#pragma once
/** The search space of a study: its trials and the config of each.  Local, no MPI. */
#include <stdbool.h>

#include "tutti/config.h"

/** Fresh seeds, which confirm the best settings, start at train.seed + this; study.seeds is smaller. */
enum { TUTTI_CONFIRM_SEED = 10000 };

enum { TUTTI_SPACE_MOST_TRIALS = 999999 }; // a curve is named by the six digits of its trial

/** One training of a study. */
typedef struct {
  int64_t trial;      // from 0, in the order of (batch size, setting, seed)
  int64_t setting;    // from 0, branch after branch; the same at every batch size
  int branch;         // from 0
  int64_t seed_index; // from 0
  int64_t batch_size;
  uint64_t seed;
  double *
      values; // [n_varied] value of each varied key, or its index among tutti_space_choices; NAN if the branch
              // does not vary the key
  tutti_override
      *overrides; // [n_overrides] the differences of its config from the study's: tutti_space_trial_config
  int n_overrides;
} tutti_trial;

/** All trials of a study, in their order.  A pure function of the config, so it is equal on all ranks.  If study.trials
 * grows, the first settings stay as they are. */
typedef struct tutti_space tutti_space;

/** Make all trials of a study.  Local.  train.batch_size is an axis of its own: every batch size has the same settings,
 * and every setting has the same seeds, train.seed + 0 .. study.seeds - 1.  Each branch is searched by itself:
 *  - grid: all values of each axis with all values of the others; the last axis changes first
 *  - sobol: points of a Sobol sequence, shifted by the seed
 *  - random: independent points, drawn with the seed
 * @param[in]  config  borrowed for the call
 * @param[out] space   owned by the caller: tutti_space_destroy; NULL after a failure
 * @return ERR_CONFIG the config lacks something that a study requires (varied keys, a goal, a budget, study.trials for
 * a search, points of a range for a grid), something in it makes no sense, or there are too many trials; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_space_create(const tutti_config *config, tutti_space **space);
void tutti_space_destroy(tutti_space **space); // Local.  Accepts NULL inside; nulls the handle.

int64_t tutti_space_n_trials(const tutti_space *space); // Local.

/** Return trial i of [0, n_trials), borrowed from the space.  Local. */
const tutti_trial *tutti_space_trial(const tutti_space *space, int64_t i);

/** Return the trial of a batch size and a setting with the first seed; NULL if there is none.  Local. */
const tutti_trial *tutti_space_find(const tutti_space *space, int64_t batch_size, int64_t setting);

/** Return the hash by which a trial is known, whatever its number: of the overrides that distinguish it from other
 * trials of the study.  Local.  It stays the same if the study grows.  A seed that the space does not have is hashed as
 * well.
 * @param[in] setting  its number in this space
 * @return 0 if the space has no such batch size or setting */
uint64_t tutti_space_hash(const tutti_space *space, int64_t batch_size, int64_t setting, int64_t seed);

/** Return the number of varied keys without train.batch_size: the length of tutti_trial.values.  Local.  They have the
 * order of study.vary.  The key of the branches, and keys that only some branches vary, count once each. */
int tutti_space_n_varied(const tutti_space *space);

/** Return the path of varied key i, for example "optimizer.learning_rate", borrowed.  Local. */
const char *tutti_space_varied(const tutti_space *space, int i);

/** Return the texts that varied key i chooses from, borrowed; NULL if its values are numbers.  Local.
 * @param[out] n  number of the texts */
const char *const *tutti_space_choices(const tutti_space *space, int i, int *n);

/** Return the index of the varied key whose values are the branches; -1 if there are none.  Local. */
int tutti_space_branches(const tutti_space *space);

/** Make the config of a trial from the study's text and options, as tutti_config_parse took them, and the overrides of
 * the trial, which win.  Local.
 * @param[in]  text       the study's YAML
 * @param[in]  name       path of the study's file, for messages
 * @param[in]  overrides  [n_overrides] the study's options
 * @param[out] config     owned by the caller: tutti_config_clear
 * @return as tutti_config_parse: the keys of this trial contradict each other */
TUTTI_NODISCARD
tutti_status tutti_space_trial_config(const tutti_trial *trial, const char *text, const char *name,
                                      const tutti_override *overrides, int n_overrides, tutti_config *config);
