#pragma once
/** The optimizer's state from a checkpoint, of the same options or of others.  On rank 0.  Private to this room. */
#include "rundir/saver_impl.h"

/** The slots, which are loaded, in the units of this run's options.  run->state.at is the checkpoint's.
 * @param[in] then  options of the checkpoint
 * @return ERR_CONFIG a velocity that no factor converts */
TUTTI_NODISCARD
tutti_status tutti_slots_convert(tutti_saver *saver, const char *path, const tutti_optim_options *then);

/** The same for slots that are not loaded yet, where the user goes on from the file with another optimizer: what the file
 * has of the same meaning is read, and all else begins anew.  saver->weights are the checkpoint's. */
TUTTI_NODISCARD
tutti_status tutti_slots_take_over(tutti_saver *saver, const char *path, const tutti_optim_options *then);
