/* The filter as a plugin of HDF5, which tells that it was loaded. */
#include <H5PLextern.h>
#include <stdio.h>

#include "flip_filter.h"

__attribute__((constructor)) static void tell(void) {
  fputs("PLUGIN CODE RAN\n", stderr);
}

H5PL_type_t H5PLget_plugin_type(void) {
  return H5PL_TYPE_FILTER;
}

const void *H5PLget_plugin_info(void) {
  return &flip_filter;
}
