#pragma once
/** The run directory: where a training begins (fresh, or from a checkpoint) and what it leaves there.  Rank 0
 * reads and writes, then all ranks agree on how that went. */
#include "run/run.h"

/** NULL in the place of a saver: nothing is saved. */
typedef struct tutti_saver tutti_saver;

/** Collective.  Make the run directory and the buffers that a checkpoint is gathered in.  `run` is borrowed.
 * @return (agreed) ERR_CREATE, ERR_MEMORY; ERR_CONFIG, with nothing made, the schedule of a run that begins anew */
TUTTI_NODISCARD
tutti_status tutti_saver_create(tutti_run *run, tutti_saver **saver);
void tutti_saver_destroy(tutti_saver **saver); // Local.  Accepts NULL inside; nulls the handle.

/** Collective.  Initial weights, or all of a checkpoint as run.resume says; then writes config.yaml.
 * @return (agreed) ERR_CONFIG the directory holds another training; ERR_DATA a checkpoint of another model */
TUTTI_NODISCARD
tutti_status tutti_saver_begin(tutti_saver *saver);

/** Collective.  Rows so far into metrics.h5, then the checkpoint; also as best.h5 where `best`.  Accepts NULL. */
TUTTI_NODISCARD
tutti_status tutti_saver_save(tutti_saver *saver, bool best);

/** Collective.  The rows so far into metrics.h5.  Accepts NULL. */
TUTTI_NODISCARD
tutti_status tutti_saver_flush(tutti_saver *saver);
