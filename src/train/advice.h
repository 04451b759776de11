#pragma once
/** Warnings at the start: of settings that are legal and hardly meant.  Local; rank 0 speaks. */
#include "run/run.h"

/** Of a run that is about to begin. */
void tutti_train_advise(const tutti_run *run);

/** Of its network alone: for a study too, whose trials are not spoken of one by one. */
void tutti_train_advise_network(const tutti_config *config, const tutti_network *network);
