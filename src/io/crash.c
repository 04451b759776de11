/* Which files HDF5 is reading just now, and for how long.  A file that is damaged, or was made for it, can crash HDF5
 * itself, or keep it busy for ever, and then the handler of the program names the file (cli/crash.c).  h5.c says when
 * HDF5 runs, and file.c which files are open. */
#define _XOPEN_SOURCE 700 // setitimer
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "io/io_impl.h"

// A handler may look at them at any moment.
static volatile sig_atomic_t depth;  // of calls of HDF5
static tutti_file *volatile reading; // the latest of the files that are read

// --- time

static double limit; // in seconds; 0: none
static bool timed;   // the timer runs
static clockid_t clock_of_reader = CLOCK_PROCESS_CPUTIME_ID;
static double began; // on this clock

static double reader_s(void) {
  struct timespec now = {0};
  clock_gettime(clock_of_reader, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/** The timer counts the processor time of all threads, and those of a BLAS library may be busy with waiting.  So it
 * only asks again and again whether the time of this thread is up.  A slow disk does not matter. */
static void start_timer(void) {
  const struct timeval period = {(time_t)limit, (suseconds_t)(1e6 * (limit - (double)(time_t)limit))};
  const struct itimerval timer = {period, period};
#if defined(_POSIX_THREAD_CPUTIME) && _POSIX_THREAD_CPUTIME >= 0
  if (pthread_getcpuclockid(pthread_self(), &clock_of_reader) != 0) return;
#endif
  began = reader_s();
  timed = setitimer(ITIMER_VIRTUAL, &timer, NULL) == 0;
}

static void stop_timer(void) {
  const struct itimerval none = {{0, 0}, {0, 0}};
  if (timed) setitimer(ITIMER_VIRTUAL, &none, NULL);
  timed = false;
}

void tutti_file_limit_time(double seconds) {
  limit = seconds;
}

bool tutti_file_time_is_up(void) {
  return timed && reader_s() - began >= limit;
}

// --- calls of HDF5

bool tutti_io_crash_enter(void) {
  const bool first = depth++ == 0;
  if (first && reading && limit > 0) start_timer();
  return first;
}

void tutti_io_crash_take_time(void) {
  stop_timer();
}

void tutti_io_crash_leave(void) {
  if (--depth == 0) stop_timer();
}

// --- files

void tutti_io_crash_watch(tutti_file *file) {
  file->older = reading;
  reading = file;
}

void tutti_io_crash_forget(tutti_file *file) {
  if (reading == file) {
    reading = file->older;
    return;
  }
  for (tutti_file *one = reading; one; one = one->older)
    if (one->older == file) one->older = file->older;
}

const tutti_file *tutti_file_in_use(const tutti_file *after) {
  if (after) return after->older;
  return depth > 0 ? reading : NULL;
}
