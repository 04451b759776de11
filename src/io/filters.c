/* Messages about filters, which compress the chunks of arrays.  HDF5 says only that a filter is missing, so this file
 * finds out which one it is.  rows.c calls it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "io/io_impl.h"

/** List the filters of an array that HDF5 lacks: ": 32001 (blosc)".  The list is empty if a source of the array has
 * them. */
static void list_missing(hid_t dataset, char *text, size_t bytes) {
  text[0] = '\0';
  const hid_t creation = H5Dget_create_plist(dataset);
  const int n = creation < 0 ? 0 : H5Pget_nfilters(creation);
  for (int i = 0; i < n; i++) {
    char name[64] = "";
    unsigned flags = 0, config = 0;
    size_t n_values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(creation, (unsigned)i, &flags, &n_values, NULL, sizeof name - 1, name, &config);
    if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
    tutti_text_append(text, bytes, "%s%d%s%s%s", text[0] ? ", " : ": ", (int)filter, name[0] ? " (" : "",
                      name, name[0] ? ")" : "");
  }
  tutti_io_h5_release(creation);
}

tutti_status tutti_io_filter_fail(const tutti_file *file, hid_t dataset, const char *what) {
  char missing[256];
  const char *folders = getenv("HDF5_PLUGIN_PATH");
  list_missing(dataset, missing, sizeof missing);
  if (tutti_io_plugins_allowed())
    TUTTI_FAIL(TUTTI_ERR_DATA,
               "%s: it is compressed by a filter that this HDF5 does not have%s, also not as a plugin in the "
               "folders of HDF5_PLUGIN_PATH (%s); run 'h5repack -f GZIP=4 %s NEW.h5' where HDF5 has it, or "
               "put its plugin there",
               what, missing, folders ? folders : "not set", file->path);
  TUTTI_FAIL(TUTTI_ERR_DATA,
             "%s: it is compressed by a filter that this HDF5 does not have%s; run 'h5repack -f GZIP=4 %s "
             "NEW.h5' where HDF5 has it; or, if you trust the libraries in the folders of HDF5_PLUGIN_PATH "
             "(%s), let it load them with data.plugins: yes (or --data.plugins=yes)",
             what, missing, file->path, folders ? folders : "not set");
}
