#pragma once
/** Fault injection: TUTTI_FAULT=site:rank:nth in the environment makes the nth pass (from 1) of one site fail
 * on one rank, so that a test can show that no rank is left alone.  Local. */
#include <stdbool.h>

#include "tutti/base.h"

/** @return ERR_INTERNAL "fault injected at SITE" on the chosen pass, else OK */
TUTTI_NODISCARD
tutti_status tutti_fault(const char *site);
