/* Timers of the phases of a training, and the statistics over its ranks that /timing has.  The training enters the
 * phases; the saver collects the seconds of all ranks. */
#include <string.h>

#include "base/clock.h"
#include "base/phase.h"
#include "tutti/metrics.h"

const char *const tutti_metrics_phase_names[TUTTI_N_TIMINGS] = {
#define X(code, name) name,
    TUTTI_PHASE_LIST(X)
#undef X
        "wait"};

void tutti_metrics_phases_start(tutti_phases *phases) {
  memset(phases, 0, sizeof *phases);
  phases->running = -1;
}

/** One reading of the clock ends a phase and begins the next, so that nothing between two phases is lost. */
static double end_running(tutti_phases *phases) {
  const double now = tutti_clock_s();
  if (phases->running >= 0) phases->seconds[phases->running] += now - phases->since;
  return now;
}

void tutti_metrics_phases_enter(tutti_phases *phases, tutti_phase to) {
  phases->since = end_running(phases);
  phases->running = (int)to;
  tutti_phase_note(tutti_metrics_phase_names[to], to == TUTTI_PHASE_COMPUTE || to == TUTTI_PHASE_UPDATE);
}

void tutti_metrics_phases_leave(tutti_phases *phases) {
  phases->since = end_running(phases);
  phases->running = -1;
  tutti_phase_note("between steps", false);
}

/** Statistics over the ranks r of (seconds of rank r in `phase`) - base. */
static tutti_timing_row over_ranks(const double *all, int size, int phase, double base) {
  tutti_timing_row row = {.phase = phase, .min = all[phase] - base, .max = all[phase] - base};
  for (int r = 0; r < size; r++) {
    const double seconds = all[r * TUTTI_N_PHASES + phase] - base;
    row.mean += seconds / size;
    if (seconds < row.min) row.min = seconds;
    if (seconds > row.max) {
      row.max = seconds;
      row.rank_of_max = r;
    }
  }
  return row;
}

/** The rank that spent the least time in a phase. */
static int rank_of_min(const double *all, int size, int phase) {
  int least = 0;
  for (int r = 1; r < size; r++)
    if (all[r * TUTTI_N_PHASES + phase] < all[least * TUTTI_N_PHASES + phase]) least = r;
  return least;
}

void tutti_metrics_timing_make(const double *all, int size, tutti_timing_row rows[TUTTI_N_TIMINGS]) {
  for (int phase = 0; phase < TUTTI_N_PHASES; phase++) rows[phase] = over_ranks(all, size, phase, 0);

  // The rank that came last to the reductions has waited least in them.
  const int last_to_come = rank_of_min(all, size, TUTTI_PHASE_REDUCE);
  tutti_timing_row *reduce = &rows[TUTTI_PHASE_REDUCE];
  rows[TUTTI_N_PHASES] = over_ranks(all, size, TUTTI_PHASE_REDUCE, reduce->min);
  rows[TUTTI_N_PHASES].phase = TUTTI_N_PHASES;
  reduce->mean = reduce->max = reduce->min;
  reduce->rank_of_max = last_to_come;
}
