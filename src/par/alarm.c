/** A flag that one rank raises and the others see while they work: a message without content to each of them.  A study
 * stops its groups of ranks with it if one of them fails. */
#include "par/par_impl.h"

#include <math.h>
#include <time.h>

/** MPI makes progress only in calls of MPI.  On a rank that was busy for long, the first calls may be those that
 * receive the message. */
enum { N_LOOKS = 32 };

struct tutti_alarm {
  MPI_Comm all; // owned; nothing else is sent there
  int rank, size;
  MPI_Request *sends; // [size] MPI_REQUEST_NULL: none
  bool raised;        // by this rank
  int n_heard;        // other ranks that have raised it
};

static tutti_status create_local(const tutti_comm *comm, tutti_alarm **alarm) {
  TUTTI_TRY(TUTTI_NEW(*alarm, 1));
  **alarm = (tutti_alarm){.all = MPI_COMM_NULL, .rank = comm->rank, .size = comm->size};
  TUTTI_TRY(TUTTI_NEW((*alarm)->sends, comm->size));
  for (int r = 0; r < comm->size; r++) (*alarm)->sends[r] = MPI_REQUEST_NULL;
  return TUTTI_OK;
}

tutti_status tutti_par_alarm_create(const tutti_comm *comm, tutti_alarm **alarm) {
  *alarm = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(failed, tutti_comm_agree(comm, create_local(comm, alarm)));
  TUTTI_MPI_GOTO(failed, MPI_Comm_dup(comm->all, &(*alarm)->all));
  return TUTTI_OK;
failed:
  tutti_par_alarm_destroy(alarm);
  return status;
}

tutti_status tutti_par_alarm_raise(tutti_alarm *alarm) {
  if (alarm->raised) return TUTTI_OK;
  alarm->raised = true;
  for (int r = 0; r < alarm->size; r++)
    // Nothing waits for these sends before destroy: the receivers may be busy for long.
    if (r != alarm->rank) TUTTI_MPI(MPI_Isend(NULL, 0, MPI_CHAR, r, 0, alarm->all, &alarm->sends[r]));
  return TUTTI_OK;
}

static tutti_status receive_one(tutti_alarm *alarm) {
  TUTTI_MPI(MPI_Recv(NULL, 0, MPI_CHAR, MPI_ANY_SOURCE, 0, alarm->all, MPI_STATUS_IGNORE));
  alarm->n_heard++;
  return TUTTI_OK;
}

tutti_status tutti_par_alarm_is_raised(tutti_alarm *alarm, bool *raised) {
  int there = 0;
  for (int i = 0; i < N_LOOKS && !there; i++)
    TUTTI_MPI(MPI_Iprobe(MPI_ANY_SOURCE, 0, alarm->all, &there, MPI_STATUS_IGNORE));
  if (there) TUTTI_TRY(receive_one(alarm));
  *raised = alarm->raised || alarm->n_heard > 0;
  return TUTTI_OK;
}

tutti_status tutti_par_alarm_meet(const tutti_comm *comm, tutti_status (*look)(void *context),
                                  void *context) {
  static const double longest_pause_s = 0.01;
  MPI_Request request;
  int here = 0;
  TUTTI_MPI(MPI_Ibarrier(comm->all, &request));
  // Ranks that come at the same time shall not wait for the longest pause.
  for (double pause = 1e-5;; pause = fmin(2 * pause, longest_pause_s)) {
    const struct timespec rest = {.tv_nsec = (long)(1e9 * pause)};
    TUTTI_MPI(MPI_Test(&request, &here, MPI_STATUS_IGNORE));
    if (here) return TUTTI_OK;
    TUTTI_TRY(look(context));
    nanosleep(&rest, NULL);
  }
}

/** Wait for the messages that this rank has not received, because none may be left under way. */
static tutti_status receive_rest(tutti_alarm *alarm) {
  int n = alarm->raised;
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, &n, 1, MPI_INT, MPI_SUM, alarm->all));
  while (alarm->n_heard < n - alarm->raised) TUTTI_TRY(receive_one(alarm));
  TUTTI_MPI(MPI_Waitall(alarm->size, alarm->sends, MPI_STATUSES_IGNORE));
  return TUTTI_OK;
}

void tutti_par_alarm_destroy(tutti_alarm **alarm) {
  if (!*alarm) return;
  // Nobody could act on a failure here.  If MPI is broken, the communicator is not freed.
  const bool connected = (*alarm)->all != MPI_COMM_NULL;
  if (connected && receive_rest(*alarm) == TUTTI_OK) MPI_Comm_free(&(*alarm)->all);
  tutti_free((*alarm)->sends);
  tutti_free(*alarm);
  *alarm = NULL;
}
