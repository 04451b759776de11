#pragma once
/** Signals that ask the program to end, for example from a batch system before its time limit.  The handler only notes
 * the signal; code that can save something looks at the note.  Local to the process. */
#include "tutti/base.h"

/** The signals that can be noted.  Those before TUTTI_N_ALWAYS are noted as soon as signals are caught. */
enum { TUTTI_SIGNALS_ALWAYS = 6, TUTTI_N_SIGNALS = 9 };
extern const char *const tutti_signals_names[TUTTI_N_SIGNALS]; // "SIGUSR1", ...

/** Note the first TUTTI_SIGNALS_ALWAYS signals from now on, and ignore SIGPIPE, so that a closed log does not end the
 * program. A signal that the parent process ignores (nohup) stays ignored.
 *
 * A second request ends the process at once, as the signal does by default.  Launchers and batch systems deliver one
 * request several times, so all signals within a second of the first one are the same request.
 *
 * SIGCONT asks for nothing, but it is noted, too: the launcher of Open MPI 5 sends it a quarter of a second before SIGTERM. */
void tutti_signals_catch(void);

/** Note the signal of this index as well. */
void tutti_signals_add(int index);

/** Return the index of the first signal that was noted; -1: none. */
int tutti_signals_caught(void);

/** Return whether SIGCONT has arrived since the last call. */
bool tutti_signals_continued(void);

/** Wait until a signal is noted, or tutti_signals_wake is called.  It may return early.  For one thread of the process. */
void tutti_signals_wait(void);
void tutti_signals_wake(void);
