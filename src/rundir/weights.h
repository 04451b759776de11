#pragma once
/** The weights that a training begins with if model.weights names a checkpoint. */
#include "run/run.h"

/** Collective.  Replace the initial arrays by those of the file.  If the arrays of the first layer are among them, the
 * scaling of the file replaces that of the data set.  If the file was trained on the same data, its validation rows
 * stay the validation rows, because another seed could draw rows that the weights were trained on.  Does nothing if
 * model.weights is not set.
 * @param[in,out] weights  [n_params] initial weights, on rank 0 alone; the model's state on rank 0 changes likewise
 * @param[in]     begins   the training is at its beginning; else it continues, with the validation rows of its own
 * checkpoint
 * @return (agreed) ERR_CONFIG arrays do not fit, weights_skip names none of them, or data.scale is not that of the
 * file; what tutti_checkpoint_read_info returns */
TUTTI_NODISCARD
tutti_status tutti_rundir_load_weights(tutti_run *run, float *weights, bool begins);

/** Local.  Check whether the arrays of the file fit the network, as tutti_rundir_load_weights does.  Reads no array. */
TUTTI_NODISCARD
tutti_status tutti_rundir_check_weights(const tutti_config *config, tutti_model *model);
