#pragma once
/** The weights that a training begins with where model.weights names a checkpoint.  Private to this room. */
#include "run/run.h"

/** Collective.  The arrays of the file in the place of the initial ones, and where the first layer's are among them, the
 * file's scaling in the place of the data set's.  Validation rows are then those of the file, where the data are its own: a
 * seed may have drawn others from rows that it was trained on.  Nothing where model.weights is none.
 * @param[in,out] weights  [n_params] initial ones, on rank 0 alone; the model's state on rank 0 likewise
 * @param[in] begins  the training; else it goes on, with the validation rows that its own checkpoint has
 * @return (agreed) ERR_CONFIG arrays do not fit, or weights_skip names none; data.scale is not the file's; as
 * tutti_checkpoint_read_info */
TUTTI_NODISCARD
tutti_status tutti_start_from_weights(tutti_run *run, float *weights, bool begins);

/** Local.  Whether the file's arrays fit the network: what the former would refuse.  Reads no array. */
TUTTI_NODISCARD
tutti_status tutti_start_check(const tutti_config *config, tutti_model *model);
