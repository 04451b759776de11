#pragma once
/** What the main thread of this process is doing, so that another thread can say it.  Local to the process. */
#include <stdbool.h>

/** Note the phase.
 * @param[in] name      kept, not copied: a text that stays, for example a literal
 * @param[in] computes  whether the phase keeps a processor busy: it neither waits for others nor for files */
void tutti_phase_note(const char *name, bool computes);

/** Return the name that was noted last; "start" before that. */
const char *tutti_phase_noted(bool *computes);
