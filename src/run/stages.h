#pragma once
/** Where the epochs of a training fall into steps, when the batch grows on the way.  Local, pure.
 *
 * A growth takes effect at the first step that begins at its place or behind it, in mid-epoch too: an epoch is used up
 * in the order of its permutation, and what it has beyond whole batches goes the way of tutti_last_batch.  So where each
 * step begins is known without the steps before it.  Places are those of tutti_epoch. */
#include "tutti/optim.h"
#include "tutti/sampler.h"

/** Steps of one batch size. */
typedef struct {
  int64_t at;      // number of steps before
  int64_t place;   // where the first one begins
  int64_t samples; // of the steps before
  int64_t batch;
} tutti_stage;

enum { TUTTI_MAX_STAGES = 128 };
typedef struct {
  tutti_epoch epoch;                    // with the batch of the first stage
  int n_stages;                         // at least 1
  tutti_stage stages[TUTTI_MAX_STAGES]; // each with at least one step, the last without an end
} tutti_stages;

/** @param[in] from  where the first of these steps begins; its batch is not looked at.  Steps, places and samples before
 * it are of other batches or data: all that follows counts them in, and is asked only of what lies behind
 * @return ERR_CONFIG more than TUTTI_MAX_STAGES sizes */
TUTTI_NODISCARD
tutti_status tutti_stages_make(const tutti_growth *growth, const tutti_epoch *epoch, const tutti_stage *from,
                               tutti_stages *stages);

/** Where the step after the first `at` begins. */
int64_t tutti_stages_place(const tutti_stages *stages, int64_t at);

/** The least number of steps that lead to a place or behind it. */
int64_t tutti_stages_reach(const tutti_stages *stages, int64_t place);

/** Samples of the first `at` steps, without what was dropped. */
int64_t tutti_stages_samples(const tutti_stages *stages, int64_t at);

/** The least number of steps that have so many samples. */
int64_t tutti_stages_steps(const tutti_stages *stages, int64_t samples);

/** The size of whole batches where the step after `at` lies. */
int64_t tutti_stages_batch(const tutti_stages *stages, int64_t at);

/** Call `visit` with the size of each batch that there may be, the short last ones of epochs too, the last stage's
 * first; until it fails. */
TUTTI_NODISCARD
tutti_status tutti_stages_visit(const tutti_stages *stages,
                                tutti_status (*visit)(void *context, int64_t batch), void *context);
