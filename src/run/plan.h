#pragma once
/** The arithmetic of a training: how samples fall into steps and leaves, and when something is due.  Local, pure. */
#include "run/stages.h"
#include "tutti/checkpoint.h"
#include "tutti/config.h"

typedef struct {
  tutti_epoch epoch; // of the training samples, with the first batch size
  tutti_stage from;  // begin of its steps: all 0, or where the file of another training is continued
  tutti_growth growth;
  tutti_stages stages;
  double base;           // samples of the batch that AdaScale's gain refers to; 0: no AdaScale
  double base_steps;     // with a base: the budget in steps of that batch
  int64_t largest_batch; // of all stages, also of those that the budget does not reach
  int64_t total_steps;   // the budget in steps; with a base, the largest possible number
  int n_leaves;          // parts that a global batch is cut into, see tutti_reducer
  bool leaves_apart;     // leaves are not tied to ranks, so that no sum depends on which rank has which leaf
  int64_t full_rows;     // samples of a micro-batch, unless train.micro_batch_size or groups say otherwise
  int64_t micro_rows;    // largest number of samples in a micro-batch
} tutti_plan;

/** Samples of a micro-batch with which any network computes its products at full speed: the full_rows of a plan at first. */
enum { TUTTI_PLAN_FULL_ROWS = 1024 };

/** Make the plan of a training from its beginning.
 * @param[in] n_train  samples of an epoch
 * @param[in] size     number of ranks
 * @return ERR_CONFIG train.micro_batch_size would split a group of batch_norm, or train.last_batch would drop all
 * samples; the errors of tutti_optim_growth_make and tutti_stages_make */
TUTTI_NODISCARD
tutti_status tutti_plan_make(const tutti_config *config, int64_t n_train, int size, tutti_plan *plan);

/** Cut batches into micro-batches of at most full_rows samples, in place of TUTTI_PLAN_FULL_ROWS.  Each training calls it:
 * the network and the threads decide about full_rows, and a check of the config has neither.
 * @return as tutti_plan_make, which has checked it already */
TUTTI_NODISCARD
tutti_status tutti_plan_cut(tutti_plan *plan, const tutti_config *config, int64_t full_rows, int size);

/** Turn it into the plan of a run that continues the file of another training, as state.from_step, from_place and
 * from_samples say: growths and budget count what was done before.
 * @param[in,out] plan  from tutti_plan_make or from this function
 * @return ERR_CONFIG a batch needs more samples in one micro-batch than plan->micro_rows; the errors of
 * tutti_plan_make */
TUTTI_NODISCARD
tutti_status tutti_plan_go_on(tutti_plan *plan, const tutti_config *config,
                              const tutti_checkpoint_state *state, int size);

/** Samples of a global batch whose statistics belong together, see tutti_model_layers_group; 1 without batch_norm. */
int64_t tutti_plan_grain(const tutti_config *config, int64_t batch_count);

/** Whether there are fewer groups of batch_norm than leaves, so that groups lie on several leaves and their sums go
 * over ranks.  (Without batch_norm each sample is a group, and no sum is needed.) */
bool tutti_plan_shares_groups(const tutti_config *config, const tutti_plan *plan, int64_t batch_count);

/** The position of a training.  `at` counts steps in the epochs of this plan.  It equals `step`, unless the run
 * continues a checkpoint of an earlier version, which does not record that other batch sizes or data led there. */
typedef struct {
  int64_t step;    // updates done
  int64_t samples; // samples of these updates
  int64_t place;   // place in the sequence of epochs at which the next step begins, see tutti_epoch
  int64_t at;      // steps of this plan up to the end of the last epoch + updates since
  double gained;   // with a base: steps of that batch that the updates count as
} tutti_position;

tutti_position tutti_plan_position(const tutti_plan *plan, const tutti_checkpoint_state *state);

/** Epochs done, with the done part of the current one.  Dropped samples do not count. */
double tutti_plan_epochs(const tutti_plan *plan, const tutti_checkpoint_state *state);

/** The global batch of the step after `now`: positions in the epoch of now.place; with TUTTI_LAST_CARRY they may
 * continue behind its end. */
tutti_range tutti_plan_batch(const tutti_plan *plan, tutti_position now);

/** Whether that batch is as large as its stage has it.  The last one of an epoch may be shorter. */
bool tutti_plan_is_whole(const tutti_plan *plan, tutti_position now);

/** The place of a checkpoint that does not record it, because it is of an earlier version or of other data. */
int64_t tutti_plan_place(const tutti_plan *plan, const tutti_checkpoint_state *state);

/** The position `by` steps later; negative: earlier. */
tutti_position tutti_plan_move(const tutti_plan *plan, tutti_position now, int by);

/** How much is done for the schedule of the learning rate, in all units; with a base, in steps of that batch. */
tutti_extent tutti_plan_progress(const tutti_plan *plan, tutti_position now);

/** The whole training, as progress. */
tutti_extent tutti_plan_total(const tutti_plan *plan);

/** Make the schedule of the learning rate, with the epochs, first batch and budget of the plan.
 * @param[in] warmup_from  see tutti_schedule
 * @return ERR_CONFIG as tutti_schedule_make, or a warmup has not ended when the batch grows */
TUTTI_NODISCARD
tutti_status tutti_plan_schedule(const tutti_plan *plan, const tutti_config *config, double warmup_from,
                                 tutti_schedule *schedule);

/** Check a warmup that begins at `now`.
 * @return ERR_CONFIG the budget or the batch size ends before it */
TUTTI_NODISCARD
tutti_status tutti_plan_check_warmup(const tutti_plan *plan, tutti_count warmup, tutti_count budget,
                                     tutti_position now);

/** The learning rate of the step after `now`. */
double tutti_plan_learning_rate(const tutti_plan *plan, const tutti_schedule *schedule, tutti_position now);

/** Epochs at the end of the budget of a training that is at `now`; NaN with a base, because the gain decides. */
double tutti_plan_last_epoch(const tutti_plan *plan, tutti_count budget, tutti_position now);

/** Whether the step that led to `now` reached the end of an epoch. */
bool tutti_plan_ends_epoch(const tutti_plan *plan, tutti_position now);

/** Whether the budget is done. */
bool tutti_plan_done(const tutti_plan *plan, tutti_count budget, tutti_position now);

/** Whether something that happens once per `every` (steps, epochs or samples; 0: never) happens after the step that led
 * to `now`. */
bool tutti_plan_due(const tutti_plan *plan, tutti_count every, tutti_position now);
