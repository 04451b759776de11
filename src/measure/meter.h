#pragma once
/** What run.measure adds to loss and metric: the noise of the gradient, and norms of the layers.
 *
 * The steps that run.measure_every names are measured, and the rows of /steps and /epochs have the results.  The
 * gradient is that of the loss, before penalties, clipping and decay.  Gradients are measured while they are in a
 * cache: those of a leaf during backward, and their sum over the ranks before the update.  If nothing is measured,
 * these functions do nothing. */
#include "run/micro_batches.h"
#include "run/run.h"

/** The tables that rows go to; the last one is what an observer keeps. */
typedef enum {
  TUTTI_METER_STEPS,
  TUTTI_METER_EPOCHS,
  TUTTI_METER_OBSERVED,
  TUTTI_METER_TABLES
} tutti_meter_table;

/** Local, while a run is built.  Create run->meter and its columns.
 * @return ERR_MEMORY; ERR_CONFIG AdaScale needs a noise that cannot be measured */
TUTTI_NODISCARD
tutti_status tutti_meter_create(tutti_run *run);
void tutti_meter_destroy(tutti_meter **meter); // Local.  Accepts NULL inside; nulls the handle.

bool tutti_meter_keeps_start(
    const tutti_run *run); // Local.  Whether distances from the first weights are measured.

/** Collective, before the first step.
 * @param[in] weights  [n_params] on rank 0 alone: the weights that distances are measured from */
TUTTI_NODISCARD
tutti_status tutti_meter_start(tutti_run *run, const float *weights);

/** Local.  The first weights turn out to be unknown: measure no more distances. */
void tutti_meter_forget_start(tutti_run *run);

// --- a step

void tutti_meter_begin_step(tutti_run *run); // Local.

/** Local.  The buffer [n] for the squares of the gradients of examples in a micro-batch of n leaves, see
 * tutti_model_pass; NULL: they are not measured in this step. */
double *tutti_meter_examples(tutti_run *run, int n);

/** Local.  Whether this step needs the gradient of each micro-batch by itself. */
bool tutti_meter_sees_leaves(const tutti_run *run);

/** Local.  Measure elements [begin, begin + n) of the gradient of a leaf, after each of its micro-batches.
 * @param[in] grads  [n] sums over the leaf's micro-batches so far */
void tutti_meter_leaf(tutti_run *run, const tutti_micro_batch *micro_batch, int leaf, int64_t begin,
                      int64_t n, const float *grads);

/** Local, after backward.  Add the measured sums of a micro-batch to the tail.
 * @param[in]     batch_count  samples of the global batch
 * @param[in,out] tail         rows of its leaves */
void tutti_meter_micro_batch(tutti_run *run, const tutti_micro_batch *micro_batch, int64_t batch_count,
                             double (*tail)[TUTTI_N_TAIL]);

/** Local, by several threads, in a pass over the slice.  Call `before` ahead of the first change to elements [at, at + n)
 * of the flat buffer, and `after` behind the last change.  `at` is a multiple of TUTTI_BLOCK.
 * @param[in]     params, grads  [n] of these elements
 * @param[in,out] scratch        [n] keeps the old parameters from `before` to `after`, if the caller does both in one
 * pass */
void tutti_meter_before(tutti_run *run, int64_t at, int64_t n, const float *params, const float *grads,
                        float *scratch);
void tutti_meter_after(tutti_run *run, int64_t at, int64_t n, const float *params, const float *scratch);

/** Local, at the end of such a pass.  Add the sums of its blocks, in their order, to those of the layers. */
void tutti_meter_add_block_sums(tutti_run *run);

/** Collective, after an update.
 * @param[in] tail  [TUTTI_N_TAIL] reduced */
TUTTI_NODISCARD
tutti_status tutti_meter_end_step(tutti_run *run, const double *tail);

// --- rows

/** Local.  Set run->state.rows.more for the next row of a table to what was measured since its last row; NaN:
 * nothing. */
void tutti_meter_read(tutti_run *run, tutti_meter_table table);
void tutti_meter_clear(tutti_run *run,
                       tutti_meter_table table); // Local.  The next row of the table starts from here.

/** Local.  The part of a checkpoint that belongs to the meter; it is borrowed, for reading and for writing.  Its n is 0
 * if nothing is measured. */
tutti_checkpoint_table tutti_meter_state(const tutti_run *run);
