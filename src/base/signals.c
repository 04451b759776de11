/** Signals as requests to end.  The command line catches them before a training or a study.  The loop of a training
 * looks at the note once per step, because only all ranks together can save. */
#define _POSIX_C_SOURCE 200809L // sigaction
#include "base/signals.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

// SIGKILL and SIGSTOP cannot be caught, SIGSEGV and its like are errors of the program, SIGCHLD asks for nothing.
static const int numbers[TUTTI_N_SIGNALS] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP,
                                             SIGXCPU, SIGALRM, SIGURG,  SIGQUIT};
const char *const tutti_signals_names[TUTTI_N_SIGNALS] = {"SIGUSR1", "SIGUSR2", "SIGTERM", "SIGINT", "SIGHUP",
                                                          "SIGXCPU", "SIGALRM", "SIGURG",  "SIGQUIT"};

/** Deliveries within this time are one request. */
static const double SAME_REQUEST_S = 1;

static sem_t news; // posted by the handler
static pthread_once_t has_news = PTHREAD_ONCE_INIT;

// The handler writes the time before the number, and reads it only if the number is set.
static atomic_int first;
static atomic_bool continued;
static volatile double first_at;

/** clock_gettime may be called in a handler. */
static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void note(int number) {
  if (atomic_load(&first) == 0) {
    first_at = now_s();
    atomic_store(&first, number);
    sem_post(&news);
  } else if (now_s() - first_at > SAME_REQUEST_S) {
    signal(number, SIG_DFL);
    raise(number); // arrives when this handler returns
  }
}

static void note_continued(int number) {
  (void)number;
  atomic_store(&continued, true);
  sem_post(&news);
}

static void make_news(void) {
  sem_init(&news, 0, 0);
}

static void handle(int number, void handler(int)) {
  pthread_once(&has_news, make_news);
  struct sigaction before, action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  const bool ignored = sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
  if (!ignored) sigaction(number, &action, NULL);
}

void tutti_signals_add(int index) {
  handle(numbers[index], note);
}

void tutti_signals_catch(void) {
  for (int i = 0; i < TUTTI_SIGNALS_ALWAYS; i++) tutti_signals_add(i);
  handle(SIGCONT, note_continued);
  signal(SIGPIPE, SIG_IGN);
}

bool tutti_signals_continued(void) {
  return atomic_exchange(&continued, false);
}

int tutti_signals_caught(void) {
  const int number = atomic_load(&first);
  for (int i = 0; i < TUTTI_N_SIGNALS; i++)
    if (number == numbers[i]) return i;
  return -1;
}

void tutti_signals_wait(void) {
  pthread_once(&has_news, make_news);
  sem_wait(&news);
}

void tutti_signals_wake(void) {
  pthread_once(&has_news, make_news);
  sem_post(&news);
}
