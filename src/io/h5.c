#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/io_impl.h"

typedef struct {
  char *text;
  size_t bytes;
} sentence;

tutti_h5_printer tutti_h5_mute(void) {
  tutti_h5_printer printer = {NULL, NULL};
  H5Eget_auto2(H5E_DEFAULT, &printer.print, &printer.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return printer;
}

void tutti_h5_unmute(tutti_h5_printer printer) {
  H5Eset_auto2(H5E_DEFAULT, printer.print, printer.data);
}

/** Where HDF5 quotes the system, only the quote is for people: the rest is addresses and sizes. */
static bool quote_system(const char *description, sentence *out) {
  static const char mark[] = "error message = '";
  const char *begin = strstr(description, mark);
  if (!begin) return false;
  begin += sizeof mark - 1;
  snprintf(out->text, out->bytes, "%.*s", (int)strcspn(begin, "'"), begin);
  return true;
}

static herr_t find_system(unsigned n, const H5E_error2_t *entry, void *found) {
  (void)n;
  char quote[8] = "";
  sentence out = {quote, sizeof quote};
  if (!entry->desc || !quote_system(entry->desc, &out)) return 0;
  *(bool *)found = true;
  return 1;
}

bool tutti_h5_of_system(void) {
  bool found = false;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_system, &found);
  return found;
}

static herr_t take_innermost(unsigned n, const H5E_error2_t *entry, void *data) {
  sentence *out = data;
  if (n > 0) return 1;
  const char *description = entry->desc ? entry->desc : "";
  if (quote_system(description, out)) return 1;
  if (strstr(description, "checksum"))
    snprintf(out->text, out->bytes, "the checksum does not match: the file is damaged");
  else
    snprintf(out->text, out->bytes, "%.*s", (int)strcspn(description, "\n"), description);
  return 1;
}

void tutti_h5_sentence(char *text, size_t bytes) {
  sentence out = {text, bytes};
  text[0] = '\0';
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &out);
  if (!text[0]) snprintf(text, bytes, "HDF5 gives no reason");
}

tutti_status tutti_h5_fail(tutti_status status, const char *function, const char *file, int line,
                           const char *format, ...) {
  char reason[512], text[1024];
  if (status == TUTTI_ERR_DATA && tutti_h5_of_system()) status = TUTTI_ERR_IO;
  tutti_h5_sentence(reason, sizeof reason);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return tutti_fail(status, function, file, line, "%s: %s", text, reason);
}

void tutti_h5_release(hid_t id) {
  if (id < 0) return;
  const tutti_h5_printer printer = tutti_h5_mute();
  H5Idec_ref(id);
  tutti_h5_unmute(printer);
}

size_t tutti_type_bytes(tutti_type type) {
  static const size_t bytes[] = {
      [TUTTI_U8] = 1, [TUTTI_I32] = 4, [TUTTI_I64] = 8, [TUTTI_F32] = 4, [TUTTI_F64] = 8};
  return bytes[type];
}

hid_t tutti_h5_file_type(tutti_type type) {
  switch (type) {
  case TUTTI_U8:
    return H5T_STD_U8LE;
  case TUTTI_I32:
    return H5T_STD_I32LE;
  case TUTTI_I64:
    return H5T_STD_I64LE;
  case TUTTI_F32:
    return H5T_IEEE_F32LE;
  case TUTTI_F64:
    break;
  }
  return H5T_IEEE_F64LE;
}

hid_t tutti_h5_memory_type(tutti_type type) {
  switch (type) {
  case TUTTI_U8:
    return H5T_NATIVE_UINT8;
  case TUTTI_I32:
    return H5T_NATIVE_INT32;
  case TUTTI_I64:
    return H5T_NATIVE_INT64;
  case TUTTI_F32:
    return H5T_NATIVE_FLOAT;
  case TUTTI_F64:
    break;
  }
  return H5T_NATIVE_DOUBLE;
}

const char *tutti_hdf5_version(void) {
  static _Thread_local char text[32];
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
  return text;
}
