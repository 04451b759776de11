/** The phase of the main thread.  The timers of metrics note it, and the watchdog of par reads it from its own thread. */
#include "base/phase.h"

#include <stdatomic.h>

static _Atomic(const char *) noted = "start";
static atomic_bool noted_computes;

void tutti_phase_note(const char *name, bool computes) {
  // A reader between the two sees the new name with the old property for a moment.  It looks several times.
  atomic_store_explicit(&noted_computes, computes, memory_order_relaxed);
  atomic_store_explicit(&noted, name, memory_order_relaxed);
}

const char *tutti_phase_noted(bool *computes) {
  *computes = atomic_load_explicit(&noted_computes, memory_order_relaxed);
  return atomic_load_explicit(&noted, memory_order_relaxed);
}
