/* The formats of `tutti import`.  FUZZ_FORMAT is the format.  Formats with one array per file need two files: two bytes
 * are the length of the labels, then come the labels, then the samples. */
#include <string.h>

#include "fuzz.h"
#include "tutti/data.h"

static void put_pair(const uint8_t *data, size_t n, tutti_import_request *request) {
  const size_t wanted = n >= 2 ? (size_t)data[0] << 8 | data[1] : 0, rest = n >= 2 ? n - 2 : 0;
  const size_t labels = wanted < rest ? wanted : rest;
  request->values[0] = fuzz_file("x", data + n - (rest - labels), rest - labels);
  request->values[1] = fuzz_file("y", data + n - rest, labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  const tutti_format *format = tutti_format_of(FUZZ_FORMAT);
  char output[512];
  const char *files[1];
  tutti_import_request request = {.files = files, .output = output};
  tutti_import_result result;
  if (n == 0) return 0;
  if (format->max_files == 0) {
    put_pair(data, n, &request);
  } else {
    files[0] = fuzz_file("table", data, n);
    request.n_files = 1;
    for (int i = 0; i < TUTTI_MAX_FORMAT_OPTIONS && format->options[i].name; i++)
      if (strcmp(format->options[i].name, "label") == 0) request.values[i] = "label";
  }
  strcpy(output, fuzz_folder());
  strcat(output, "/out.h5");
  (void)(format->import(&request, &result) == TUTTI_OK);
  fuzz_end();
  return 0;
}
