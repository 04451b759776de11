/** A library that ends its process with exit(1) on SIGRTMIN, as a library does that gives up without asking.  If the
 * environment has ENDLESS_END, MPI_Finalize has no end. */
#define _POSIX_C_SOURCE 200809L
#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void end(int number) {
  (void)number;
  exit(1);
}

__attribute__((constructor)) static void begin(void) {
  signal(SIGRTMIN, end);
}

int MPI_Finalize(void) {
  while (getenv("ENDLESS_END")) pause();
  return PMPI_Finalize();
}
