#pragma once
/** How the epochs of a training fall into steps if the batch grows on the way.  Local, pure.
 *
 * A growth takes effect at the first step that begins at its place or behind it, also in the middle of an epoch: the
 * epoch is used up in the order of its permutation, and train.last_batch decides about its last samples that do not
 * fill a batch.  So the begin of each step is known without looking at the steps before it.  Places are those of
 * tutti_epoch. */
#include "tutti/sampler.h"
#include "tutti/schedule.h"

/** Steps with one batch size. */
typedef struct {
  int64_t at;      // number of steps before it
  int64_t place;   // place at which its first step begins
  int64_t samples; // samples of the steps before it
  int64_t batch;   // samples of a whole batch
} tutti_stage;

enum { TUTTI_MAX_STAGES = 128 };
typedef struct {
  tutti_epoch epoch;                    // with the batch of the first stage
  int n_stages;                         // at least 1
  tutti_stage stages[TUTTI_MAX_STAGES]; // each has at least one step, the last one has no end
} tutti_stages;

/** Make the stages of a training.
 * @param[in] from  begin of its first step; `batch` is ignored.  Steps, places and samples before it had other batches
 *                  or data: they are counted in all results, but questions may be asked only about what lies behind
 *                  them
 * @return ERR_CONFIG more than TUTTI_MAX_STAGES sizes */
TUTTI_NODISCARD
tutti_status tutti_stages_make(const tutti_growth *growth, const tutti_epoch *epoch, const tutti_stage *from,
                               tutti_stages *stages);

/** The place at which the step after the first `at` steps begins. */
int64_t tutti_stages_place(const tutti_stages *stages, int64_t at);

/** The least number of steps that lead to a place or behind it. */
int64_t tutti_stages_reach(const tutti_stages *stages, int64_t place);

/** Samples of the first `at` steps, without dropped ones. */
int64_t tutti_stages_samples(const tutti_stages *stages, int64_t at);

/** The least number of steps that have at least `samples` samples. */
int64_t tutti_stages_steps(const tutti_stages *stages, int64_t samples);

/** Samples of a whole batch at the step after the first `at` steps. */
int64_t tutti_stages_batch(const tutti_stages *stages, int64_t at);

enum { TUTTI_STAGES_MAX_BATCHES = 3 * TUTTI_MAX_STAGES };

/** List each batch size that can occur, including the short last batches of epochs, beginning with the last stage.  A
 * size may be listed more than once.
 * @return their number */
int tutti_stages_batches(const tutti_stages *stages, int64_t batches[TUTTI_STAGES_MAX_BATCHES]);
