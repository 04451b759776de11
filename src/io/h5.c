/* Errors and types of HDF5 in our terms: one sentence from its stack of errors, and a status that separates damage of
 * a file from failures of the system.  All files of this room call HDF5 through it. */
#define _POSIX_C_SOURCE 200809L // setenv
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/io_impl.h"

typedef struct {
  char *text;
  size_t bytes;
} sentence;

/** Set how HDF5 starts and ends, before its first call.
 *
 * Locks fail or hang on network file systems, and are not needed, because nobody writes to a file under its final
 * name.  HDF5 reads this variable when it starts; a value that the user has set stays.  The property of a file would
 * not do: HDF5 does not set it for files that it opens itself, and refuses a file that is then open in two ways.
 *
 * HDF5 closes everything when the process ends.  Nothing of ours is open then.  But HDF5 1.10 cannot close an object
 * with a damaged header, and prints that it loops. */
static void leave_out_locks_and_cleanup(void) {
  static bool done;
  if (done) return;
  done = true;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
  H5dont_atexit();
  tutti_io_plugins_start();
}

tutti_h5_printer tutti_io_h5_mute(void) {
  tutti_h5_printer printer = {.muted = !tutti_io_crash_enter()};
  if (printer.muted) return printer;
  leave_out_locks_and_cleanup();
  H5Eget_auto2(H5E_DEFAULT, &printer.print, &printer.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return printer;
}

void tutti_io_h5_unmute(tutti_h5_printer printer) {
  if (!printer.muted) H5Eset_auto2(H5E_DEFAULT, printer.print, printer.data);
  tutti_io_crash_leave();
}

/** If HDF5 quotes the system, only the quote is useful: the rest is addresses and sizes. */
static bool quote_system(const char *description, sentence *out) {
  static const char mark[] = "error message = '";
  const char *begin = strstr(description, mark);
  if (!begin) return false;
  begin += sizeof mark - 1;
  snprintf(out->text, out->bytes, "%.*s", (int)strcspn(begin, "'"), begin);
  return true;
}

/** The cause in one entry of the stack, by its numbers, which are the same in all versions of HDF5.  The words differ,
 * and so does whether a filter has an entry of its own below that of the pipeline. */
static tutti_h5_cause cause_of(unsigned depth, const H5E_error2_t *entry) {
  const hid_t major = entry->maj_num, minor = entry->min_num;
  char quote[8];
  sentence unused = {quote, sizeof quote};
  if (entry->desc && quote_system(entry->desc, &unused)) return TUTTI_H5_SYSTEM;
  if (major == H5E_PLUGIN) return TUTTI_H5_NO_FILTER;
  if (major == H5E_PLINE && minor == H5E_READERROR) return TUTTI_H5_CHECKSUM;
  if (depth > 0) return TUTTI_H5_OTHER;
  if (major == H5E_IO && (minor == H5E_READERROR || minor == H5E_WRITEERROR)) return TUTTI_H5_SYSTEM;
  if (major == H5E_CACHE && minor == H5E_READERROR) return TUTTI_H5_CHECKSUM;
  return major == H5E_FILE && minor == H5E_CANTOPENFILE ? TUTTI_H5_REFUSED : TUTTI_H5_OTHER;
}

static herr_t find_cause(unsigned n, const H5E_error2_t *entry, void *found) {
  *(tutti_h5_cause *)found = cause_of(n, entry);
  return *(tutti_h5_cause *)found != TUTTI_H5_OTHER;
}

tutti_h5_cause tutti_io_h5_why(void) {
  tutti_h5_cause found = TUTTI_H5_OTHER;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_cause, &found);
  return found;
}

/** The innermost entry is the most precise one; the others say which calls led there. */
static herr_t take_innermost(unsigned n, const H5E_error2_t *entry, void *data) {
  sentence *out = data;
  if (n > 0) return 1;
  const char *description = entry->desc ? entry->desc : "";
  if (!quote_system(description, out))
    snprintf(out->text, out->bytes, "%.*s", (int)strcspn(description, "\n"), description);
  return 1;
}

void tutti_io_h5_sentence(char *text, size_t bytes) {
  static const char *const ours[] = {
      [TUTTI_H5_NO_FILTER] =
          "it is compressed by a filter that this HDF5 does not have; write it again with gzip or "
          "without compression",
      [TUTTI_H5_CHECKSUM] = "the checksum does not match: the file is damaged",
      [TUTTI_H5_OTHER] = NULL,
  };
  const tutti_h5_cause cause = tutti_io_h5_why();
  sentence out = {text, bytes};
  text[0] = '\0';
  if (ours[cause])
    snprintf(text, bytes, "%s", ours[cause]);
  else
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &out);
  if (!text[0]) snprintf(text, bytes, "HDF5 gives no reason");
}

tutti_status tutti_io_h5_fail(tutti_status status, const char *function, const char *file, int line,
                              const char *format, ...) {
  char reason[512], text[1024];
  const tutti_h5_cause cause = tutti_io_h5_why();
  if (status == TUTTI_ERR_DATA && cause == TUTTI_H5_SYSTEM) status = TUTTI_ERR_IO;
  if (cause == TUTTI_H5_CHECKSUM) status = TUTTI_ERR_DATA; // also if something was to be written
  tutti_io_h5_sentence(reason, sizeof reason);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return tutti_fail(status, function, file, line, "%s: %s", text, reason);
}

void tutti_io_h5_release(hid_t id) {
  if (id < 0) return;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  H5Idec_ref(id);
  tutti_io_h5_unmute(printer);
}

size_t tutti_io_type_bytes(tutti_type type) {
  static const size_t bytes[] = {
      [TUTTI_U8] = 1, [TUTTI_I32] = 4, [TUTTI_I64] = 8, [TUTTI_F32] = 4, [TUTTI_F64] = 8};
  return bytes[type];
}

typedef struct {
  hid_t in_file, in_memory;
} number_types;

/** The names of types in HDF5 are calls, so this table is no constant. */
static number_types types_of(tutti_type type) {
  const number_types types[] = {[TUTTI_U8] = {H5T_STD_U8LE, H5T_NATIVE_UINT8},
                                [TUTTI_I32] = {H5T_STD_I32LE, H5T_NATIVE_INT32},
                                [TUTTI_I64] = {H5T_STD_I64LE, H5T_NATIVE_INT64},
                                [TUTTI_F32] = {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT},
                                [TUTTI_F64] = {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE}};
  return types[type];
}

hid_t tutti_io_h5_file_type(tutti_type type) {
  return types_of(type).in_file;
}

hid_t tutti_io_h5_memory_type(tutti_type type) {
  return types_of(type).in_memory;
}

const char *tutti_io_hdf5_version(void) {
  static _Thread_local char text[32];
  unsigned major = 0, minor = 0, release = 0;
  leave_out_locks_and_cleanup();
  H5get_libversion(&major, &minor, &release);
  snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
  return text;
}
