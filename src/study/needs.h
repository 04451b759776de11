#pragma once
/** What a study needs, and a training does not.  Local. */
#include "tutti/config.h"

/** @return ERR_CONFIG with the key that is missing, or was given though each trial has its own value of it */
TUTTI_NODISCARD
tutti_status tutti_study_needs(const tutti_config *config);
