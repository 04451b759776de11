/* HDF5 loads libraries from the folders of HDF5_PLUGIN_PATH when a file names a filter that HDF5 does not have.  So a
 * file could make code run that the user does not know of.  Here HDF5 is kept from it, except while a file is open that
 * the user trusts.  h5.c and file.c call it. */
#define _POSIX_C_SOURCE 200809L // unsetenv
#include <stdlib.h>

#include "io/io_impl.h"

/** Open files for which HDF5 may load filters. */
static int n_trusted;

static void set_loading(void) {
  // A failure has no message: this HDF5 may have no plugins at all.
  (void)H5PLset_loading_state(n_trusted > 0 ? H5PL_FILTER_PLUGIN : 0);
}

/** The two variables would load a library when HDF5 starts, whatever the files are. */
void tutti_io_plugins_start(void) {
  unsetenv("HDF5_VOL_CONNECTOR");
  unsetenv("HDF5_DRIVER");
  set_loading();
}

void tutti_io_plugins_allow(tutti_file *file) {
  if (!file->plugins) n_trusted++;
  file->plugins = true;
  set_loading();
}

void tutti_io_plugins_forbid(tutti_file *file) {
  if (!file->plugins) return;
  file->plugins = false;
  n_trusted--;
  set_loading();
}

bool tutti_io_plugins_allowed(void) {
  return n_trusted > 0;
}
