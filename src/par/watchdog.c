/** Notices ranks that do not answer.
 *
 * A rank that is stopped or hangs leaves all others in a collective for ever, and MPI does not notice.  Each rank
 * therefore has a thread that counts up a number in the memory of its node, and reads the numbers of the others.  The
 * first ranks of the nodes send heartbeats to each other (watchdog_link.c).  A rank whose process is gone is lost at
 * once.  A slow rank is not lost: its thread counts on.  A rank hangs if its thread counts, but its main thread is in
 * a phase that computes and uses no processor time.
 *
 * The command line starts the watchdog with the job, and ends it when a rank is lost. */
#define _GNU_SOURCE // pipe2
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/phase.h"
#include "base/process.h"
#include "base/signals.h"
#include "base/thread.h"
#include "par/watchdog_impl.h"

/** Seconds between two looks, and the part of the limit after which a rank that does not answer is lost.  The rest is
 * for the launcher, which has to end all others. */
static const double LOOK_S = 0.25, SILENCE_PART = 0.5;

/** A pause of this thread that is longer than this part of the limit, and than some looks, says that the whole process
 * was stopped, and perhaps all ranks with it. */
static const double PAUSE_PART = 0.2, PAUSE_LOOKS = 3;

/** After so many limits it is said that this rank waits for a file.  The job goes on: a file system may come back. */
static const double FILE_LIMITS = 3;

/** One rank, in the memory of the node.  Its own thread writes, the others read. */
typedef struct {
  _Alignas(64) _Atomic uint64_t beats;
  _Atomic uint64_t work_us;         // processor time of the main thread
  atomic_int rank, ended;           // ended: its thread beats no more, as intended
  atomic_int computes;              // the phase keeps a processor busy
  _Atomic int64_t process, numbers; // its number, and which numbers of processes it sees (namespaces(7))
  char phase[16];                   // may be read while it is written: it is text for a message
} pulse;

typedef struct {
  atomic_int reported; // 1: a rank of this node has printed the message
  pulse pulses[];
} node_memory;

/** What this rank has seen of another one. */
typedef struct {
  uint64_t beats, work_us;
  double beats_at, work_at; // clock of the last change
  int n_gone;               // looks in a row at which there was no such process
} seen_pulse;

struct tutti_watchdog {
  const tutti_comm *comm; // borrowed
  tutti_window *window;
  node_memory *memory;
  seen_pulse *seen; // [node_size]
  tutti_watchdog_link *link;
  clockid_t work; // processor time of the thread that has made this, which calls MPI
  pthread_t thread;
  int wake[2]; // pipe: a byte ends the thread
  _Atomic double limit;
  double looked_at;
  double waits_since; // clock of the last look at which the main thread had used processor time
  bool has_told;      // that it waits
  tutti_comm_lost *lost;
};

// --- looking ---------------------------------------------------------------------------------------

static double cpu_s(clockid_t id) {
  struct timespec used = {0, 0};
  clock_gettime(id, &used);
  return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

static void beat(tutti_watchdog *dog) {
  pulse *own = &dog->memory->pulses[dog->comm->node_rank];
  bool computes = false;
  snprintf(own->phase, sizeof own->phase, "%s", tutti_phase_noted(&computes));
  atomic_store(&own->computes, computes);
  atomic_store(&own->work_us, (uint64_t)(1e6 * cpu_s(dog->work)));
  atomic_fetch_add(&own->beats, 1);
}

/** A debugger holds the process: its state is 't'. */
static bool is_traced(const pulse *other) {
  tutti_process process;
  return tutti_process_read((long)atomic_load(&other->process), &process) && process.state == 't';
}

/** Whether the process is not there any more.  This is known at once, while a rank that is stopped must be silent for
 * long.  A process that ends in order says so before.  If this process was asked to end, the others were, too. */
static bool is_gone(const tutti_watchdog *dog, const pulse *other, seen_pulse *seen) {
  static const int enough = 2; // one that says goodbye just now has the time for it
  const pulse *own = &dog->memory->pulses[dog->comm->node_rank];
  const bool known = atomic_load(&other->numbers) == atomic_load(&own->numbers) && tutti_signals_caught() < 0;
  const bool gone = known && kill((pid_t)atomic_load(&other->process), 0) != 0 && errno == ESRCH;
  seen->n_gone = gone ? seen->n_gone + 1 : 0;
  return seen->n_gone >= enough;
}

/** @return whether the rank answers and works; else `text` says what is wrong */
static bool look_at(tutti_watchdog *dog, int node_rank, double now, double silence, char *text,
                    size_t bytes) {
  const pulse *other = &dog->memory->pulses[node_rank];
  seen_pulse *seen = &dog->seen[node_rank];
  const uint64_t beats = atomic_load(&other->beats), work = atomic_load(&other->work_us);
  if (beats != seen->beats) seen->beats_at = now;
  if (work != seen->work_us || !atomic_load(&other->computes)) seen->work_at = now;
  seen->beats = beats;
  seen->work_us = work;
  if (atomic_load(&other->ended)) return true;
  if (is_gone(dog, other, seen)) {
    snprintf(text, bytes, "rank %d on %s (process %lld, in phase '%.15s') " TUTTI_WATCHDOG_GONE,
             atomic_load(&other->rank), dog->comm->host, (long long)atomic_load(&other->process),
             other->phase);
    return false;
  }
  const bool silent = now - seen->beats_at > silence, hangs = now - seen->work_at > silence;
  if ((!silent && !hangs) || is_traced(other)) return true;
  snprintf(text, bytes, "rank %d on %s (process %lld, in phase '%.15s') %s for %.1f s: %s",
           atomic_load(&other->rank), dog->comm->host, (long long)atomic_load(&other->process), other->phase,
           silent ? "has not answered" : "has computed nothing",
           now - (silent ? seen->beats_at : seen->work_at),
           silent ? "it is stopped, or its host is out of memory" : "it hangs");
  return false;
}

static void reset(tutti_watchdog *dog, double now) {
  for (int i = 0; i < dog->comm->node_size; i++) dog->seen[i].beats_at = dog->seen[i].work_at = now;
  dog->waits_since = now;
  tutti_par_watchdog_link_reset(dog->link, now);
}

/** Report a loss.  Each rank of the node does so at about the same time, and the first one speaks for all, unless another
 * node has spoken.  This node is not missed itself then. */
static void report(const tutti_watchdog *dog, double limit, const char *text) {
  int nobody = 0;
  const bool told = tutti_par_watchdog_link_was_told(dog->link),
             first = atomic_compare_exchange_strong(&dog->memory->reported, &nobody, 1) && !told;
  if (first) tutti_par_watchdog_link_tell(dog->link);
  tutti_par_watchdog_link_leave(dog->link);
  dog->lost(text, first, limit);
}

/** Say once that the main thread waits, as it does if a file system does not answer.  Waiting for other ranks keeps a
 * processor busy, so it is none of them.  look_at has not yet noted the processor time of this look. */
static void look_at_own_wait(tutti_watchdog *dog, double now, double limit) {
  const pulse *own = &dog->memory->pulses[dog->comm->node_rank];
  if (atomic_load(&own->work_us) != dog->seen[dog->comm->node_rank].work_us) {
    dog->waits_since = now;
    dog->has_told = false;
  }
  if (dog->has_told || now - dog->waits_since < FILE_LIMITS * limit || is_traced(own)) return;
  dog->has_told = true;
  tutti_log(
      TUTTI_LOG_WARNING,
      "rank %d on %s (process %lld) has waited in phase '%.15s' for %.0f s, and used no processor time: "
      "perhaps a file system does not answer; the job goes on when it does",
      atomic_load(&own->rank), dog->comm->host, (long long)atomic_load(&own->process), own->phase,
      now - dog->waits_since);
}

static void look(tutti_watchdog *dog) {
  const double now = tutti_clock_s(), limit = atomic_load(&dog->limit), silence = SILENCE_PART * limit;
  char text[512];
  beat(dog);
  tutti_par_watchdog_link_beat(dog->link, now);
  if (now - dog->looked_at > fmax(PAUSE_PART * limit, PAUSE_LOOKS * LOOK_S) || limit <= 0) reset(dog, now);
  dog->looked_at = now;
  if (limit <= 0) return;
  look_at_own_wait(dog, now, limit);
  for (int i = 0; i < dog->comm->node_size; i++)
    if (!look_at(dog, i, now, silence, text, sizeof text)) report(dog, limit, text);
  if (tutti_par_watchdog_link_was_told(dog->link)) report(dog, limit, "another node has reported a loss");
  if (tutti_par_watchdog_link_lost(dog->link, now, silence, text, sizeof text)) report(dog, limit, text);
}

static void *watch(void *argument) {
  tutti_watchdog *dog = argument;
  struct pollfd files[2] = {{.fd = dog->wake[0], .events = POLLIN}};
  for (;;) {
    // Messages are taken at each look, so only the pipe ends the wait.
    const int n = poll(files, 1, (int)(1e3 * LOOK_S));
    if (n > 0) return NULL;
    look(dog);
  }
}

// --- create and destroy ----------------------------------------------------------------------------

static tutti_status create_local(const tutti_comm *comm, double limit, tutti_comm_lost *lost,
                                 tutti_watchdog **dog) {
  TUTTI_TRY(TUTTI_NEW(*dog, 1));
  tutti_watchdog *d = *dog;
  *d = (tutti_watchdog){
      .comm = comm, .wake = {-1, -1}, .limit = limit, .lost = lost, .looked_at = tutti_clock_s()};
  TUTTI_TRY(TUTTI_NEW(d->seen, comm->node_size));
  TUTTI_CHECK(pthread_getcpuclockid(pthread_self(), &d->work) == 0, TUTTI_ERR_SYSTEM,
              "no clock of this thread's processor time");
  TUTTI_CHECK(pipe2(d->wake, O_CLOEXEC) == 0, TUTTI_ERR_SYSTEM, "no pipe: %s", strerror(errno));
  return TUTTI_OK;
}

static void release(tutti_watchdog *dog) {
  tutti_par_watchdog_link_destroy(&dog->link);
  tutti_par_window_destroy(&dog->window);
  for (int i = 0; i < 2; i++)
    if (dog->wake[i] >= 0) close(dog->wake[i]);
  tutti_free(dog->seen);
  tutti_free(dog);
}

/** Processes in different containers may have the same number. */
static int64_t numbers_of_processes(void) {
  struct stat about;
  return stat("/proc/self/ns/pid", &about) == 0 ? (int64_t)about.st_ino : -(int64_t)getpid();
}

static void present(tutti_watchdog *dog) {
  pulse *own = &dog->memory->pulses[dog->comm->node_rank];
  atomic_store(&own->rank, dog->comm->rank);
  atomic_store(&own->process, (int64_t)getpid());
  atomic_store(&own->numbers, numbers_of_processes());
  reset(dog, tutti_clock_s());
  beat(dog);
}

/** Without a thread the rank must not be missed. */
static tutti_status start(tutti_watchdog *dog) {
  if (tutti_thread_start(&dog->thread, watch, dog)) return TUTTI_OK;
  atomic_store(&dog->memory->pulses[dog->comm->node_rank].ended, 1);
  TUTTI_FAIL(TUTTI_ERR_SYSTEM, "the system gives no thread for it");
}

tutti_status tutti_par_watchdog_create(const tutti_comm *comm, double limit, tutti_comm_lost *lost,
                                       tutti_watchdog **dog) {
  tutti_watchdog *made = NULL;
  tutti_status status = TUTTI_OK;
  const int64_t bytes = (int64_t)sizeof(node_memory) + comm->node_size * (int64_t)sizeof(pulse);
  *dog = NULL;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, create_local(comm, limit, lost, &made)));
  TUTTI_TRY_GOTO(done, tutti_par_window_create(comm, bytes, &made->window));
  made->memory = tutti_par_window_data(made->window);
  TUTTI_TRY_GOTO(done, tutti_par_watchdog_link_create(comm, &made->link));
  present(made);
  TUTTI_TRY_GOTO(done, tutti_par_window_sync(made->window));
  TUTTI_TRY_GOTO(done, start(made));
  *dog = made;
  made = NULL;
done:
  if (made) release(made);
  return status;
}

void tutti_par_watchdog_set_limit(tutti_watchdog *dog, double limit) {
  if (dog) atomic_store(&dog->limit, limit);
}

void tutti_par_watchdog_leave(tutti_watchdog *dog) {
  if (!dog) return;
  atomic_store(&dog->memory->pulses[dog->comm->node_rank].ended, 1);
  tutti_par_watchdog_link_leave(dog->link);
}

void tutti_par_watchdog_destroy(tutti_watchdog **dog) {
  if (!*dog) return;
  tutti_par_watchdog_leave(*dog);
  (void)!write((*dog)->wake[1], "", 1);
  pthread_join((*dog)->thread, NULL);
  release(*dog);
  *dog = NULL;
}
