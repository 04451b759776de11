#pragma once
/** Warnings at the start: of settings that are legal and hardly meant.  Local; rank 0 speaks. */
#include "train/run.h"

/** Of a run that is about to begin. */
void tutti_run_advise(const tutti_run *run);

/** Of its network alone: for a study too, whose trials are not spoken of one by one. */
void tutti_advise_network(const tutti_config *config, const tutti_network *network);
