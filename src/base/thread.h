#pragma once
/** Threads beside the main one.  Local. */
#include <pthread.h>
#include <stdbool.h>

/** Start a thread that gets no signals from outside, because the main thread notes them.  Signals of its own mistakes, for
 * example SIGSEGV, it gets, so that they can be told.
 * @return false: the system gives no thread */
bool tutti_thread_start(pthread_t *thread, void *(*function)(void *), void *context);
