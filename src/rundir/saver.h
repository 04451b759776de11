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
 * @param[in] best  also write it as best.h5 */
TUTTI_NODISCARD
tutti_status tutti_rundir_save(tutti_rundir_saver *saver, bool best);

/** Collective.  Write the rows so far into metrics.h5.  Accepts NULL. */
TUTTI_NODISCARD
tutti_status tutti_rundir_flush(tutti_rundir_saver *saver);
