#pragma once
/** What a training measures beside loss and metric, where run.measure says so: the noise of its gradient, and norms of
 * its layers.  Measured are the steps that run.measure_every names, of which the rows of /steps and /epochs tell; the
 * gradient is that of the loss, before penalties, clipping and decay.
 *
 * The parts of a gradient are seen where they are in a cache: those of a leaf during backward, those of the sum over
 * ranks in front of the update.  Where nothing is measured, each of these functions returns at once. */
#include "measure/noise.h"
#include "run/micro_batches.h"
#include "run/run.h"

/** A row of which table: /steps, /epochs, or what an observer keeps. */
typedef enum {
  TUTTI_METER_STEPS,
  TUTTI_METER_EPOCHS,
  TUTTI_METER_OBSERVED,
  TUTTI_METER_TABLES
} tutti_meter_table;

/** Local, while a run is built: run->fixed.meter, and its columns.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_meter_create(tutti_run *run);
void tutti_meter_destroy(tutti_meter **meter); // Local.  Accepts NULL inside; nulls the handle.

bool tutti_meter_keeps_start(const tutti_run *run); // Local.  Whether distances are wanted.

/** Collective, before the first step.  Distances are those from weights[n_params], given on rank 0. */
TUTTI_NODISCARD
tutti_status tutti_meter_start(tutti_run *run, const float *weights);

/** Local.  The weights that the training began with are not known after all: from now on no distance is. */
void tutti_meter_forget_start(tutti_run *run);

// --- a step

void tutti_meter_begin_step(tutti_run *run); // Local.

/** Local.  Where the squares of examples of a micro-batch of n leaves go, see tutti_model_pass; NULL: nowhere. */
double *tutti_meter_examples(tutti_run *run, int n);

/** Local.  Whether this step's gradients of leaves are wanted after each micro-batch. */
bool tutti_meter_sees_leaves(const tutti_run *run);

/** Local.  Gradient of elements [begin, begin + n) of a leaf, complete as far as this micro-batch goes: grads[n] are the
 * sums over the leaf's micro-batches so far. */
void tutti_meter_leaf(tutti_run *run, const tutti_pass *pass, int leaf, int64_t begin, int64_t n,
                      const float *grads);

/** Local, after backward.  What was seen of the micro-batch into its leaves' rows of the tail. */
void tutti_meter_micro_batch(tutti_run *run, const tutti_pass *pass, int64_t batch_count,
                             double (*tail)[TUTTI_N_TAIL]);

/** Local, by several threads.  In front of the first change to elements [at, at + n) of a pass over parameters from
 * `first` on, and after the last one; at - first is a multiple of TUTTI_BLOCK.
 * @param[in,out] room  [n] what the caller keeps in between, if it comes to the end in one pass */
void tutti_meter_before(tutti_run *run, int64_t first, int64_t at, int64_t n, const float *params,
                        const float *grads, float *room);
void tutti_meter_after(tutti_run *run, int64_t first, int64_t at, int64_t n, const float *params,
                       const float *room);

/** Local.  At the end of such a pass over [first, first + n). */
void tutti_meter_fold(tutti_run *run, int64_t first, int64_t n);

/** Local, between the reduction and an update.  The step's noise with |g|^2, on all ranks: of samples, or of parts.
 * @param[in] tail  the reduced one */
tutti_noise_sums tutti_meter_noise(const tutti_run *run, const double *tail, double square);

/** Collective, after an update.
 * @param[in] tail  the reduced one */
TUTTI_NODISCARD
tutti_status tutti_meter_end_step(tutti_run *run, const double *tail);

// --- rows

/** Local.  Set run->state.rows.more for the next row of a table: what was measured since its last one, else NaN. */
void tutti_meter_read(tutti_run *run, tutti_meter_table table);
void tutti_meter_clear(tutti_run *run, tutti_meter_table table); // Local.  Now is the table's last row.

/** Local.  What a checkpoint carries of it: borrowed, read from and written to.  n 0: nothing. */
tutti_checkpoint_table tutti_meter_state(const tutti_run *run);
