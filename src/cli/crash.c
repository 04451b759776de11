/** Crashes inside HDF5, and calls of it that never end.
 *
 * A file that is damaged, or was made for it, can crash HDF5 itself, or lead it in a circle.  Then the program ends as
 * for any damaged file, with one line that names the file, and the launcher ends the other ranks.  To read each file in
 * a child process first would cost every start a second reading, and MPI does not allow a fork everywhere; this costs
 * nothing.  main.c calls it. */
#define _XOPEN_SOURCE 700 // sigaltstack
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/start_impl.h"
#include "tutti/io.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 // a sanitizer has a report of its own
#endif

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGVTALRM};
enum { N_SIGNALS = sizeof signals / sizeof *signals, STACK_BYTES = 1 << 16, MAX_SECONDS = 5 };

static struct sigaction before[N_SIGNALS];
static char begin[64], stack[STACK_BYTES];
static const tutti_comm *ranks; // NULL: none

/** In a handler only few functions may be called (signal-safety(7)); write is one of them. */
static void print(const char *text) {
  const ssize_t unused = write(STDERR_FILENO, text, strlen(text));
  (void)unused;
}

/** What MPI or the user had for this signal takes over if HDF5 is not the reason. */
static void pass_on(int number) {
  for (int i = 0; i < N_SIGNALS; i++)
    if (signals[i] == number) sigaction(number, &before[i], NULL);
  raise(number); // delivered when the handler has returned
}

/** A file may be open twice. */
static bool is_named(const tutti_file *file) {
  const tutti_file *one = tutti_file_in_use(NULL);
  while (one != file && strcmp(tutti_file_path(one), tutti_file_path(file)) != 0)
    one = tutti_file_in_use(one);
  return one != file;
}

/** Several files may be open, and HDF5 does not say which of them it was reading. */
static void tell(int number) {
  const tutti_file *file = tutti_file_in_use(NULL);
  if (number == SIGVTALRM && !(file && tutti_file_time_is_up())) return;
  if (!file) {
    pass_on(number);
    return;
  }
  if (ranks) tutti_comm_leave_watch(ranks);
  print(begin);
  for (const char *comma = ""; file; file = tutti_file_in_use(file)) {
    if (is_named(file)) continue;
    print(comma);
    print(tutti_file_path(file));
    comma = ", ";
  }
  print(number == SIGVTALRM ? ": HDF5 did not come to an end while" : ": HDF5 crashed while");
  print(" it read this: the file is damaged, or was made for that; copy it or make it again\n");
  _exit(tutti_status_exit(TUTTI_ERR_DATA));
}

/** The handler has a stack of its own, because HDF5 may have used up the other one. */
void tutti_cli_tell_crashes(const tutti_comm *comm) {
  const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = tell, .sa_flags = SA_ONSTACK | SA_RESTART};
  char where[32] = "";
  if (SANITIZED || sigaltstack(&own, NULL) != 0) return;
  if (tutti_log_rank() > 0) snprintf(where, sizeof where, "rank %d: ", tutti_log_rank());
  snprintf(begin, sizeof begin, "tutti: error: %s", where);
  ranks = comm;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < N_SIGNALS; i++) sigaction(signals[i], &action, &before[i]);
  tutti_file_limit_time(MAX_SECONDS);
}
