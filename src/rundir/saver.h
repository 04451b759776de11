#pragma once
/** The run directory: where a training begins (fresh, or from a checkpoint) and what it leaves there.  Rank 0
 * reads and writes, then all ranks agree on the outcome. */
#include "run/run.h"

/** A saver that is NULL saves nothing. */
typedef struct tutti_rundir_saver tutti_rundir_saver;

/** Collective.  Make the run directory, lock it, and allocate the buffers that a checkpoint is gathered in.
 * @param[in] run  borrowed
 * @return (agreed) ERR_CREATE, ERR_MEMORY; ERR_CONFIG the schedule of a run that starts from scratch is not valid, and
 * nothing has been made */
TUTTI_NODISCARD
tutti_status tutti_rundir_saver_create(tutti_run *run, tutti_rundir_saver **saver);

/** Collective.  The same for a training that begins without the directory: it is made and locked, and the buffers are
 * allocated, when the first checkpoint is saved, which replaces all that is there.
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_rundir_saver_create_late(tutti_run *run, tutti_rundir_saver **saver);
void tutti_rundir_saver_destroy(tutti_rundir_saver **saver); // Local.  Accepts NULL inside; nulls the handle.

/** Collective.  Set the weights and the state that the training begins with: initial ones, or those of a checkpoint as
 * run.resume says.  Then write config.yaml.
 * @return (agreed) ERR_CONFIG the directory holds another training; ERR_DATA a checkpoint of another model */
TUTTI_NODISCARD
tutti_status tutti_rundir_start(tutti_rundir_saver *saver);

/** Collective.  Write the rows so far into metrics.h5, then the checkpoint.  A trial has no metrics.h5.  Accepts NULL.
 *
 * If the run has saved before, the checkpoint may still be being written when the function returns.  After a failure the
 * training can go on: rank 0 reports it once, tutti_rundir_asks tells when to try again, and tutti_rundir_finish tells
 * whether it has worked since.
 * @param[in] best  also write it as best.h5
 * @return (agreed) why nothing could be saved in the first attempt of a run; ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_rundir_save(tutti_rundir_saver *saver, bool best);

/** Collective.  Wait until the checkpoint that is written beside the training is there.  If that fails, it is written
 * once more before the training goes on; a failure of this is treated as by tutti_rundir_save.  Accepts NULL.
 * @return (agreed) ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_rundir_wait(tutti_rundir_saver *saver);

/** Local.  Whether that has failed already, so that nobody should wait longer; false on all ranks but 0.  Accepts NULL. */
bool tutti_rundir_has_failed(const tutti_rundir_saver *saver);

/** Local.  Whether a save that has failed is to be tried again now; false on all ranks but 0.  Accepts NULL. */
bool tutti_rundir_asks(const tutti_rundir_saver *saver);

// --- a copy in memory, for runs whose steps are long -------------------------------------------------------------

/** Local.  Lend rows, buffers and files to a thread that may write the copy after a signal, while this thread computes,
 * and take them back.  Between the two, they may not be touched.  Accept NULL. */
void tutti_rundir_lend(tutti_rundir_saver *saver);
void tutti_rundir_take_back(tutti_rundir_saver *saver);

/** Local.  Whether a copy is worth its time after this step; false on all ranks but 0.  Accepts NULL.
 * @param[in] step_s  seconds of the step before */
bool tutti_rundir_wants_copy(const tutti_rundir_saver *saver, double step_s);

/** Collective, after a step whose weights are finite.  Gather the content of a checkpoint, which is written if a signal
 * comes during the next step.
 * @return (agreed) ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_rundir_keep_copy(tutti_rundir_saver *saver);

// --- failures, and the end ---------------------------------------------------------------------------------------

/** Collective.  Write the rows so far into metrics.h5; while a checkpoint is being written, they wait for the next call.
 * Accepts NULL.  Failures are treated as by tutti_rundir_save. */
TUTTI_NODISCARD
tutti_status tutti_rundir_flush(tutti_rundir_saver *saver);

/** Collective, at the end of a training.  If the last attempt to save has failed, try once more.  Accepts NULL.
 * @param[in] saves  the state of the run is worth a checkpoint; else only rows are written
 * @return (agreed) why the last state is not saved */
TUTTI_NODISCARD
tutti_status tutti_rundir_finish(tutti_rundir_saver *saver, bool saves);

/** Collective, when a training begins.  Save its state if the directory has nothing of it yet, so that there is a
 * checkpoint to go back to.
 * @return (agreed) as tutti_rundir_save */
TUTTI_NODISCARD
tutti_status tutti_rundir_save_first(tutti_rundir_saver *saver);

/** Collective, after numbers that are not finite.  Bring the run back to its last checkpoint, with a smaller learning
 * rate as run.rollback_factor says, and save it.  The rows behind that step are removed, and metrics.h5 gets a row in
 * /rollbacks.
 * @return (agreed) as tutti_rundir_start */
TUTTI_NODISCARD
tutti_status tutti_rundir_go_back(tutti_rundir_saver *saver);
