#pragma once
/** Whether a run validates on rows that the weights of a checkpoint were trained on.  Private to this room. */
#include "run/run.h"

/** Local.  The contents are the same, by the hash that the checkpoint has. */
bool tutti_held_out_has_same_data(const tutti_run *run, const tutti_checkpoint_state *state);

/** Local.  Validation rows of this run are drawn from the training rows. */
bool tutti_held_out_of_train(const tutti_run *run);

/** Local.  The weights of a checkpoint with the config `old` have seen data: those before step 1 have not. */
bool tutti_held_out_trained(const tutti_config *old, const tutti_checkpoint_state *state);

/** Local.  Whether a training row of the checkpoint may be a validation row of this run, in the same data.  Of the seed
 * alone it cannot: the one that drew the rows is kept, see tutti_run_keep_rows.
 * @param[in] found  the keys of its config, `old`, that differ */
bool tutti_held_out_loses(const tutti_run *run, const tutti_config *old, bool same_data,
                          const tutti_differences *found);

/** Local.  The keys that decide on it, as "KEY was A there and is B now, ...". */
void tutti_held_out_text(const tutti_differences *found, char *text, size_t bytes);
