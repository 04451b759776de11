/** Starts the threads of this program: the watchdog, and those that save beside the training. */
#define _POSIX_C_SOURCE 200809L // pthread_sigmask
#include "base/thread.h"

#include <signal.h>

bool tutti_thread_start(pthread_t *thread, void *(*function)(void *), void *context) {
  static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
  sigset_t outside, before;
  sigfillset(&outside);
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) sigdelset(&outside, own[i]);
  pthread_sigmask(SIG_SETMASK, &outside, &before);
  const bool started = pthread_create(thread, NULL, function, context) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}
