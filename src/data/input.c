/* Reads a file from its beginning to its end, plain or gzip, in a buffer of our own, because zlib's calls per line
 * are slow.  All formats to import read through it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "data/import_impl.h"

enum { BUFFER_BYTES = 1 << 17 };

struct tutti_data_input {
  char *path;
  gzFile gz;
  int64_t most_bytes;    // that the file can unpack to
  char *buffer;          // [BUFFER_BYTES]
  int64_t at, n;         // bytes of the buffer: used, read
  tutti_data_array line; // of char
  int64_t line_number;
};

/** One byte of gzip data unpacks to 1,032 bytes at most (258 bytes from two bits, RFC 1951).  A pipe may have any
 * number. */
static int64_t most_bytes_of(const struct stat *about, gzFile gz) {
  enum { MOST_RATIO = 1032 };
  const int64_t size = (int64_t)about->st_size;
  if (!S_ISREG(about->st_mode) || size > INT64_MAX / MOST_RATIO) return INT64_MAX;
  return gzdirect(gz) ? size : MOST_RATIO * size;
}

/** zlib finds out whether a file is gzip; it returns bytes without a gzip header as they are. */
static tutti_status open_gz(const char *path, gzFile *gz, int64_t *most_bytes) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  TUTTI_CHECK(file >= 0 || errno != ENOENT, TUTTI_ERR_MISSING, "%s: there is no such file", path);
  TUTTI_CHECK(file >= 0, TUTTI_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
  struct stat about = {0};
  const bool folder = fstat(file, &about) == 0 && S_ISDIR(about.st_mode);
  *gz = folder ? NULL : gzdopen(file, "rb");
  if (!*gz) close(file);
  TUTTI_CHECK(!folder, TUTTI_ERR_DATA, "%s: is a folder, expected a file", path);
  TUTTI_CHECK(*gz, TUTTI_ERR_MEMORY, "%s: no memory to read it", path);
  *most_bytes = most_bytes_of(&about, *gz);
  return TUTTI_OK;
}

tutti_status tutti_data_input_open(const char *path, tutti_data_input **out) {
  tutti_data_input *input = NULL;
  tutti_status status = TUTTI_OK;
  *out = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(input, 1));
  input->line = TUTTI_DATA_ARRAY_OF(char);
  TUTTI_TRY_GOTO(done, TUTTI_NEW(input->buffer, BUFFER_BYTES));
  TUTTI_TRY_GOTO(done, TUTTI_COPY(input->path, path));
  TUTTI_TRY_GOTO(done, open_gz(path, &input->gz, &input->most_bytes));
  *out = input;
  input = NULL;
done:
  tutti_data_input_close(&input);
  return status;
}

void tutti_data_input_close(tutti_data_input **input) {
  if (!*input) return;
  if ((*input)->gz) gzclose_r((*input)->gz);
  tutti_data_array_free(&(*input)->line);
  tutti_free((*input)->buffer);
  tutti_free((*input)->path);
  tutti_free(*input);
  *input = NULL;
}

/** Fill the used-up buffer again; n = 0 at the end of the file. */
static tutti_status refill(tutti_data_input *input) {
  const int got = gzread(input->gz, input->buffer, BUFFER_BYTES);
  int code = Z_OK;
  const char *reason = got < BUFFER_BYTES ? gzerror(input->gz, &code) : "";
  TUTTI_CHECK(code != Z_ERRNO, TUTTI_ERR_IO, "%s: cannot be read: %s", input->path, strerror(errno));
  TUTTI_CHECK(code != Z_BUF_ERROR, TUTTI_ERR_DATA, "%s: the gzip data end too early: the file is truncated",
              input->path);
  TUTTI_CHECK(got >= 0, TUTTI_ERR_DATA, "%s: the gzip data are damaged (%s)", input->path, reason);
  input->at = 0;
  input->n = got;
  return TUTTI_OK;
}

tutti_status tutti_data_input_read(tutti_data_input *input, void *data, int64_t n, int64_t *got) {
  *got = 0;
  while (*got < n) {
    if (input->at == input->n) TUTTI_TRY(refill(input));
    if (input->n == 0) break;
    const int64_t there = input->n - input->at, now = there < n - *got ? there : n - *got;
    memcpy((char *)data + *got, input->buffer + input->at, (size_t)now);
    input->at += now;
    *got += now;
  }
  return TUTTI_OK;
}

tutti_status tutti_data_input_read_exactly(tutti_data_input *input, void *data, int64_t n, const char *what) {
  int64_t got = 0;
  TUTTI_TRY(tutti_data_input_read(input, data, n, &got));
  TUTTI_CHECK(got == n, TUTTI_ERR_DATA, "%s: ends inside its %s: the file is truncated", input->path, what);
  return TUTTI_OK;
}

/** Data after the last item mean that the header is wrong, and so are probably the numbers. */
tutti_status tutti_data_input_check_end(tutti_data_input *input) {
  char more = 0;
  int64_t got = 0;
  TUTTI_TRY(tutti_data_input_read(input, &more, 1, &got));
  TUTTI_CHECK(got == 0, TUTTI_ERR_DATA, "%s: continues after the last item that its header announces",
              input->path);
  return TUTTI_OK;
}

/** Collect bytes up to and with the next \n in input->line; the last line may lack a \n. */
static tutti_status collect_line(tutti_data_input *input) {
  input->line.n = 0;
  for (;;) {
    if (input->at == input->n) TUTTI_TRY(refill(input));
    if (input->n == 0) return TUTTI_OK;
    const char *from = input->buffer + input->at;
    const int64_t there = input->n - input->at;
    const char *newline = memchr(from, '\n', (size_t)there);
    const int64_t now = newline ? newline - from + 1 : there;
    TUTTI_TRY(tutti_data_array_add(&input->line, from, now));
    input->at += now;
    if (newline) return TUTTI_OK;
  }
}

tutti_status tutti_data_input_line(tutti_data_input *input, char **line, int64_t *length) {
  static const char mark[] = "\xef\xbb\xbf";
  *line = NULL;
  *length = 0;
  TUTTI_TRY(collect_line(input));
  int64_t n = input->line.n;
  if (n == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_data_array_add(&input->line, "", 1));
  char *text = input->line.data;
  input->line_number++;
  TUTTI_CHECK(!memchr(text, '\0', (size_t)n), TUTTI_ERR_DATA,
              "%s:%lld: has a NUL byte, so it is not a text file in UTF-8 or ASCII", input->path,
              (long long)input->line_number);
  if (text[n - 1] == '\n') text[--n] = '\0';
  if (n > 0 && text[n - 1] == '\r') text[--n] = '\0';
  const bool marked = input->line_number == 1 && strncmp(text, mark, 3) == 0;
  *line = marked ? text + 3 : text;
  *length = marked ? n - 3 : n;
  return TUTTI_OK;
}

tutti_status tutti_data_input_refuse_return(const tutti_data_input *input) {
  TUTTI_FAIL(
      TUTTI_ERR_DATA,
      "%s:%lld: a carriage return without a newline after it (line ends of an old Macintosh?); lines end "
      "with a newline, or with both",
      input->path, (long long)input->line_number);
}

int64_t tutti_data_input_most_bytes(const tutti_data_input *input) {
  return input->most_bytes;
}

const char *tutti_data_input_path(const tutti_data_input *input) {
  return input->path;
}

int64_t tutti_data_input_line_number(const tutti_data_input *input) {
  return input->line_number;
}
