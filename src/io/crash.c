/* Which files HDF5 is reading just now.  A file that is damaged, or was made for it, can crash HDF5 itself, and then
 * the handler of the program names the file (cli/crash.c).  h5.c says when HDF5 runs, and file.c which files are
 * open. */
#include <signal.h>

#include "io/io_impl.h"

// A handler may look at them at any moment.
static volatile sig_atomic_t depth;  // of calls of HDF5
static tutti_file *volatile reading; // the latest of the files that are read

void tutti_io_crash_enter(void) {
  depth++;
}

void tutti_io_crash_leave(void) {
  depth--;
}

void tutti_io_crash_watch(tutti_file *file) {
  file->older = reading;
  reading = file;
}

void tutti_io_crash_forget(tutti_file *file) {
  if (reading == file) {
    reading = file->older;
    return;
  }
  for (tutti_file *one = reading; one; one = one->older)
    if (one->older == file) one->older = file->older;
}

const tutti_file *tutti_file_in_use(const tutti_file *after) {
  if (after) return after->older;
  return depth > 0 ? reading : NULL;
}
