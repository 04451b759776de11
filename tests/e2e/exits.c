/** A library that ends its process with exit(1) on SIGRTMIN, as a library does that gives up without asking. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdlib.h>

static void end(int number) {
  (void)number;
  exit(1);
}

__attribute__((constructor)) static void begin(void) {
  signal(SIGRTMIN, end);
}
