/** The choice of the loops that threads share.  A step of train calls it. */
#include "run/sharing.h"

enum {
  WARM_UP = 8,
  STEPS = 4, // of a turn; the first one brings the arrays into other caches, and is not counted
  TURNS = 6 * TUTTI_N_SHARE,
  ALL = WARM_UP + STEPS * TURNS
};

/** A longer step has loops so long that threads pay. */
static const double LONGEST_STEP_S = 5e-3;

static tutti_run_share share_of_step(int n) {
  return n < WARM_UP ? TUTTI_SHARE_ALL : (tutti_run_share)((n - WARM_UP) / STEPS % TUTTI_N_SHARE);
}

bool tutti_run_sharing_is_open(const tutti_run_sharing *sharing) {
  return sharing->n < ALL;
}

tutti_run_share tutti_run_shares(const tutti_run_sharing *sharing) {
  if (tutti_run_sharing_is_open(sharing)) return share_of_step(sharing->n);
  tutti_run_share best = TUTTI_SHARE_ALL;
  for (int i = 0; i < TUTTI_N_SHARE; i++)
    if (sharing->least_s[i] < sharing->least_s[best]) best = (tutti_run_share)i;
  return best;
}

static void note_turn(tutti_run_sharing *sharing, int at, double seconds) {
  double *least = &sharing->least_s[share_of_step(at)];
  const int in_turn = (at - WARM_UP) % STEPS;
  sharing->turn_s = in_turn == 0 ? 0 : sharing->turn_s + seconds;
  if (in_turn == STEPS - 1 && (*least == 0 || sharing->turn_s < *least)) *least = sharing->turn_s;
}

void tutti_run_note_sharing(tutti_run_sharing *sharing, int64_t batch_size, double seconds) {
  if (batch_size != sharing->batch_size) *sharing = (tutti_run_sharing){.batch_size = batch_size};
  if (!tutti_run_sharing_is_open(sharing)) return;
  const int at = sharing->n++;
  if (at >= WARM_UP)
    note_turn(sharing, at, seconds);
  else if (at > 0 && seconds > LONGEST_STEP_S) // the very first step is longer than the others
    sharing->n = ALL;
}
