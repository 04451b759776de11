#pragma once
/** How a run finds the checkpoint that it continues from, and what it takes from it.  All of this runs on rank 0,
 * without communication.  resume.c, above these files, fixes the order and sends to all ranks what rank 0 found. */
#include "rundir/rundir_impl.h"

// --- choose.c ----------------------------------------------------------------------------------------------------

/** The checkpoint that the run continues from. */
typedef struct {
  char *path;   // owned; NULL: none
  bool named;   // the user named it, and it is of another run
  bool returns; // it is best.h5 of this directory, which replaces the last checkpoint
  char displaced
      [1024]; // how the training in this directory differs, so that its files are moved aside; "": they stay
} tutti_rundir_choice;

/** Local.  Find the checkpoint that run.resume leads to.  The caller frees chosen->path.
 * @return ERR_MEMORY; what reading a checkpoint returns */
TUTTI_NODISCARD
tutti_status tutti_rundir_choose(tutti_rundir_saver *saver, tutti_rundir_choice *chosen);

// --- compare.c ---------------------------------------------------------------------------------------------------

/** How the training of a checkpoint differs from this run. */
typedef struct {
  bool differs;    // in anything
  bool warms;      // in schedule.warmup
  bool same_scale; // data.scale is the same
  bool same_order; // the data and the order of the samples in an epoch are the same
  double base;     // samples of the batch that its steps were counted in, see tutti_plan; 0: it had none
  tutti_optim_options optimizer; // of the checkpoint
} tutti_rundir_comparison;

/** Local.  List all keys in which this run differs from a checkpoint, and the contents of the data if they differ.
 * @param[in] old  config of the checkpoint */
void tutti_rundir_find_differences(const tutti_run *run, const tutti_config *old,
                                   const tutti_checkpoint_info *info, tutti_differences *found);

/** Local.  Compare the training of a checkpoint with this run, and refuse a checkpoint that this run cannot continue
 * from.  A best value of another quantity or of another training means nothing for this run, so it is removed from
 * info->state.
 * @return ERR_CONFIG it belongs to another training, and is not named or lies within an epoch */
TUTTI_NODISCARD
tutti_status tutti_rundir_compare(tutti_run *run, const tutti_rundir_choice *chosen,
                                  tutti_checkpoint_info *info, tutti_rundir_comparison *with);

// --- load.c ------------------------------------------------------------------------------------------------------

/** What rank 0 found, for all ranks. */
typedef struct {
  bool resumed;       // the run continues from a checkpoint
  bool returns;       // see tutti_rundir_choice
  bool named;         // see tutti_rundir_choice
  bool keeps_scaling; // rows are scaled with the numbers of the checkpoint
  bool lost_start;    // the file in model.weights no longer has the weights that the run began with
  tutti_features features;
  tutti_checkpoint_state state;
  tutti_metrics_row last;
  tutti_evaluation average, training;
} tutti_rundir_found;

/** Local.  Take everything that this run needs from a checkpoint: arrays into the buffers of the saver, rows and
 * position into the run.
 * @return ERR_CONFIG, ERR_DATA the checkpoint does not fit this run, or nothing is left to train */
TUTTI_NODISCARD
tutti_status tutti_rundir_load(tutti_rundir_saver *saver, const tutti_rundir_choice *chosen,
                               tutti_rundir_found *found);
