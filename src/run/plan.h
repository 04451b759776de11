#pragma once
/** The arithmetic of a training: how samples fall into steps, when something is due.  Local, pure. */
#include "run/stages.h"
#include "tutti/checkpoint.h"
#include "tutti/config.h"

typedef struct {
  tutti_epoch epoch; // of the training samples, with batches as they are at first
  tutti_stage from;  // where its steps begin: 0, or where the run goes on from another training's file
  tutti_growth growth;
  tutti_stages stages;
  double base;       // samples of the batch that AdaScale measures its gain over; 0: another scaling, or none
  double base_steps; // with it: steps of that batch that the budget comes to
  int64_t largest_batch; // of all stages, whether the budget comes to them or not
  int64_t total_steps;   // of the budget; with a base, at most
  double total_epochs;   // the same in epochs
  int n_leaves;          // that a global batch is cut into, see tutti_reducer
  bool leaves_apart;     // they are not the ranks', and no sum depends on who has which
  int64_t micro_rows;    // samples of a micro-batch at most
} tutti_plan;

/** @param[in] n_train  samples of an epoch
 * @param[in] size  ranks
 * @return ERR_CONFIG where train.micro_batch_size would split a group of batch_norm, or train.last_batch drops all
 * samples; what tutti_growth_make and tutti_stages_make return */
TUTTI_NODISCARD
tutti_status tutti_plan_make(const tutti_config *config, int64_t n_train, int size, tutti_plan *plan);

/** Local.  The same plan of a run that has gone on from the file of another training, as state.from_step and so on tell:
 * growths and budget count what was done before.
 * @param[in] plan  of tutti_plan_make, or of this
 * @return ERR_CONFIG where batches that come about want more samples in a micro-batch than plan->micro_rows; what
 * tutti_plan_make returns */
TUTTI_NODISCARD
tutti_status tutti_plan_go_on(tutti_plan *plan, const tutti_config *config,
                              const tutti_checkpoint_state *state, int size);

/** Samples of the global batch whose statistics belong together, see tutti_layers_group. */
int64_t tutti_plan_grain(const tutti_config *config, int64_t batch_count);

/** Whether groups of batch_norm lie on several leaves: there are fewer groups than leaves.  (Without batch_norm each
 * sample is a group, and no sum needs it.) */
bool tutti_plan_shares_groups(const tutti_config *config, const tutti_plan *plan, int64_t batch_count);

/** Where a training stands.  `at` counts steps as this plan's epochs have them; it is `step`, unless the run goes on from
 * a checkpoint of an earlier version, which does not tell that other batch sizes or data led there. */
typedef struct {
  int64_t step;    // updates done
  int64_t samples; // that they had
  int64_t place;   // in the sequence of epochs, see tutti_epoch: where the next step begins
  int64_t at;      // steps that this plan has up to the last epoch's end + updates since
  double gained;   // with a base: steps of that batch that the updates count as
} tutti_position;

tutti_position tutti_plan_position(const tutti_plan *plan, const tutti_checkpoint_state *state);

/** Epochs done, of the last one as much as of the samples that it takes: all but those that are dropped. */
double tutti_plan_epochs(const tutti_plan *plan, const tutti_checkpoint_state *state);

/** The global batch of the step after `now`: positions in the epoch of now.place, and on from its end with
 * TUTTI_LAST_CARRY. */
tutti_range tutti_plan_batch(const tutti_plan *plan, tutti_position now);

/** Where a checkpoint of an earlier version, or of other data, stands: it tells no place. */
int64_t tutti_plan_place(const tutti_plan *plan, const tutti_checkpoint_state *state);

/** One step on or, with -1, back. */
tutti_position tutti_plan_move(const tutti_plan *plan, tutti_position now, int by);

/** What all that is due goes by. */
tutti_extent tutti_plan_extent(const tutti_plan *plan, tutti_position now);

/** What the schedule goes by: the same; with a base, what its steps come to. */
tutti_extent tutti_plan_progress(const tutti_plan *plan, tutti_position now);

/** Local.  The whole training, as progress. */
tutti_extent tutti_plan_total(const tutti_plan *plan);

/** Local.  The schedule of the learning rate, with the plan's epochs, first batch and budget.
 * @param[in] warmup_from  see tutti_schedule
 * @return ERR_CONFIG see tutti_schedule_make; a warmup that goes on when the batch grows */
TUTTI_NODISCARD
tutti_status tutti_plan_schedule(const tutti_plan *plan, const tutti_config *config, double warmup_from,
                                 tutti_schedule *schedule);

/** Local.  Of a warmup that begins at `now`.
 * @return ERR_CONFIG where the budget has no room for it, or the batch grows before its end */
TUTTI_NODISCARD
tutti_status tutti_plan_check_warmup(const tutti_plan *plan, tutti_count warmup, tutti_count budget,
                                     tutti_position now);

/** The learning rate of the step after `now`. */
double tutti_plan_learning_rate(const tutti_plan *plan, const tutti_schedule *schedule, tutti_position now);

/** Epochs at the end of the budget of a training that stands at `now`; NaN where the gain decides. */
double tutti_plan_last_epoch(const tutti_plan *plan, tutti_count budget, tutti_position now);

/** Whether the step that led to `now` came to an epoch's end, or behind it. */
bool tutti_plan_ends_epoch(const tutti_plan *plan, tutti_position now);

/** Whether the budget is done. */
bool tutti_plan_done(const tutti_plan *plan, tutti_count budget, tutti_position now);

/** Whether something that happens every `every` (steps, epochs or samples; 0: never) happens after the update
 * that led to `now`. */
bool tutti_plan_due(const tutti_plan *plan, tutti_count every, tutti_position now);
