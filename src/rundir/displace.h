#pragma once
/** A run that begins where another one has been: that one's files go before there is anything in their place. */
#include "tutti/base.h"

enum { TUTTI_DISPLACED_BYTES = 4096 };

/** The folder FOLDER/before-N, N the first number that has none of the run's files yet, so that a move which was cut off is
 * completed in one place.
 * @return ERR_CREATE where the path is too long, or `folder` cannot be read */
TUTTI_NODISCARD
tutti_status tutti_displace_find(const char *folder, char place[TUTTI_DISPLACED_BYTES]);

/** All that a run has written in `folder` into `place`, which is made where it is missing.  Checkpoints go last: as long as
 * one is here, the run is seen here.
 * @return ERR_CREATE; what could not be moved stays where it is */
TUTTI_NODISCARD
tutti_status tutti_displace(const char *folder, const char *place);
