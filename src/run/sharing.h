#pragma once
/** Which loops of a step are shared by the threads of a rank, by the time of the first steps.  Local, serial.
 *
 * A shared loop costs more than its start: what one thread has written lies in the cache of another core, and the products
 * that follow wait for it.  So whole steps are timed, in turns with each kind of sharing.  No result depends on it. */
#include "tutti/base.h"

typedef enum {
  TUTTI_SHARE_ALL,
  TUTTI_SHARE_ALL_BUT_UPDATE,
  TUTTI_SHARE_NOTHING,
  TUTTI_N_SHARE
} tutti_run_share;

typedef struct {
  int64_t batch_size;            // of the steps that are timed
  int n;                         // of them so far
  double turn_s;                 // of the present turn
  double least_s[TUTTI_N_SHARE]; // shortest turn; 0: none yet
} tutti_run_sharing;

/** What the next step shares. */
tutti_run_share tutti_run_shares(const tutti_run_sharing *sharing);

/** Whether the choice is open, so that the next steps are timed. */
bool tutti_run_sharing_is_open(const tutti_run_sharing *sharing);

/** Note the step that has been taken as tutti_run_shares has said.
 * @param[in] batch_size  of the step; another one than before starts again
 * @param[in] seconds     of the step */
void tutti_run_note_sharing(tutti_run_sharing *sharing, int64_t batch_size, double seconds);
