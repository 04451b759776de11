#pragma once
/** How a run finds the checkpoint that it continues from, and what it takes from it.  On rank 0, without communication.
 *
 * choose.c: which checkpoint.  compare.c: how its training differs from this run.  load.c: what is taken from it.
 * resume.c, above them: the order, and what rank 0 found for all ranks. */
#include "rundir/saver_impl.h"

// --- choose.c ------------------------------------------------------------------------------------------------

/** The checkpoint that rank 0 goes on from. */
typedef struct {
  char *path;           // owned; NULL: none
  bool named;           // by the user, and of another run
  bool returns;         // best.h5 of this directory, in the place of the last one
  char displaced[1024]; // how the run of this directory differs, whose files make room; "": they do not
} tutti_rundir_choice;

/** The checkpoint that run.resume leads to.  The caller frees chosen->path.
 * @return ERR_MEMORY; what reading a checkpoint returns */
TUTTI_NODISCARD
tutti_status tutti_rundir_choose(const tutti_saver *saver, tutti_rundir_choice *chosen);

// --- compare.c -----------------------------------------------------------------------------------------------

/** How the training of a checkpoint is another one than this run. */
typedef struct {
  bool differs;
  bool warms;      // its schedule.warmup is another one
  bool same_scale; // data.scale is the same
  bool same_order; // and so are the samples of an epoch, one after another
  double base;     // samples of the batch whose steps it counted, see tutti_plan; 0: it counted none
} tutti_rundir_comparison;

/** All keys in which this run differs from the config `old` of a checkpoint, and the contents of its data. */
void tutti_rundir_find_differences(const tutti_run *run, const tutti_config *old,
                                   const tutti_checkpoint_info *info, tutti_differences *found);

/** Compare the training of a checkpoint with this run, and refuse what cannot go on.  A best value of another quantity, or of
 * another training, means nothing for what is monitored now, so it is removed from info->state.
 * @param[in]  named      the user named the file in run.resume
 * @param[out] optimizer  the options of its optimizer
 * @return ERR_CONFIG it belongs to another training, and is not named or lies in mid-epoch */
TUTTI_NODISCARD
tutti_status tutti_rundir_compare(tutti_run *run, const char *path, bool named, tutti_checkpoint_info *info,
                                  tutti_optim_options *optimizer, tutti_rundir_comparison *with);

// --- load.c --------------------------------------------------------------------------------------------------

/** What rank 0 found, for all ranks. */
typedef struct {
  bool resumed;
  bool returns;       // see tutti_rundir_choice
  bool keeps_scaling; // rows are scaled as the checkpoint's were
  bool lost_start;    // model.weights has no longer what the run began with
  tutti_features features;
  tutti_checkpoint_state state;
  tutti_metrics_row last;
  tutti_evaluation average, training;
} tutti_rundir_start;

/** Everything of a checkpoint that this run takes: arrays into the buffers of the saver, rows and position into the run.
 * @return ERR_CONFIG, ERR_DATA it does not fit this run, or nothing is left to train */
TUTTI_NODISCARD
tutti_status tutti_rundir_load(tutti_saver *saver, const char *path, bool named, tutti_rundir_start *start);
