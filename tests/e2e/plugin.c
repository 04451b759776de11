/* The filter as a plugin of HDF5, which tells that it was loaded, and crashes as CRASH of the environment says. */
#define _POSIX_C_SOURCE 200809L
#include <H5PLextern.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flip_filter.h"

__attribute__((constructor)) static void tell(void) {
  fputs("PLUGIN CODE RAN\n", stderr);
}

/** Use up the stack. */
static unsigned descend(unsigned n, unsigned end) {
  volatile unsigned char room[4096];
  room[n % sizeof room] = (unsigned char)n;
  return (n == end ? 0 : descend(n + 1, end)) + room[n % sizeof room];
}

static size_t flip_or_crash(unsigned flags, size_t n_values, const unsigned *values, size_t n, size_t *size,
                            void **buffer) {
  const char *how = getenv("CRASH");
  if (how && strcmp(how, "stack") == 0) return descend(0, UINT_MAX);
  if (how && strcmp(how, "abort") == 0) abort();
  if (how && strcmp(how, "fault") == 0) raise(SIGSEGV);
  return flip_filter.filter(flags, n_values, values, n, size, buffer);
}

H5PL_type_t H5PLget_plugin_type(void) {
  return H5PL_TYPE_FILTER;
}

const void *H5PLget_plugin_info(void) {
  static H5Z_class2_t filter;
  filter = flip_filter;
  filter.filter = flip_or_crash;
  return &filter;
}
