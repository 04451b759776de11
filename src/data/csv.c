/* Reads records of a CSV file, as RFC 4180 describes them, letter by letter with the state `place`.  The import of
 * CSV calls it. */
#include <string.h>

#include "data/import_impl.h"

typedef enum { BEFORE_FIELD, PLAIN, QUOTED, AFTER_QUOTE } place;

struct tutti_data_csv {
  tutti_data_input *input;
  char separator;
  int64_t line;
  tutti_data_array text;   // of char: the fields one after another, each with its NUL
  tutti_data_array starts; // of int64_t: the beginning of each field in `text`
  place at;
};

/** The caller has reserved the space. */
static void push(tutti_data_csv *csv, char letter) {
  ((char *)csv->text.data)[csv->text.n++] = letter;
}

/** The caller has reserved the space for the fields of the whole line. */
static void begin_field(tutti_data_csv *csv) {
  ((int64_t *)csv->starts.data)[csv->starts.n++] = csv->text.n;
  csv->at = BEFORE_FIELD;
}

/** Spaces after a field are not part of it, except inside quotes. */
static void end_field(tutti_data_csv *csv) {
  const int64_t start = ((const int64_t *)csv->starts.data)[csv->starts.n - 1];
  const char *text = csv->text.data;
  if (csv->at == PLAIN)
    while (csv->text.n > start && text[csv->text.n - 1] == ' ') csv->text.n--;
  push(csv, '\0');
}

static int64_t count(const char *line, int64_t length, char letter) {
  int64_t n = 0;
  for (int64_t i = 0; i < length; i++) n += line[i] == letter;
  return n;
}

/** Take the letters of one line.  After it, csv->at is QUOTED if the record continues in the next line. */
static tutti_status take_line(tutti_data_csv *csv, const char *line, int64_t length) {
  // Each letter becomes at most one letter (a separator becomes the NUL of its field).  The \n that joins lines and
  // the last NUL add two.
  TUTTI_TRY(tutti_data_array_reserve(&csv->text, csv->text.n + length + 2));
  TUTTI_TRY(tutti_data_array_reserve(&csv->starts, csv->starts.n + count(line, length, csv->separator) + 1));
  if (csv->at == QUOTED)
    push(csv, '\n');
  else
    begin_field(csv);
  for (int64_t i = 0; i < length; i++) {
    const char letter = line[i];
    if (csv->at == QUOTED) {
      if (letter == '"')
        csv->at = AFTER_QUOTE;
      else
        push(csv, letter);
    } else if (letter == '\r') {
      return tutti_data_input_refuse_return(csv->input);
    } else if (letter == csv->separator) {
      end_field(csv);
      begin_field(csv);
    } else if (csv->at == BEFORE_FIELD) {
      csv->at = letter == '"' ? QUOTED : letter == ' ' ? BEFORE_FIELD : PLAIN;
      if (csv->at == PLAIN) push(csv, letter);
    } else if (csv->at == AFTER_QUOTE && letter == '"') {
      push(csv, '"');
      csv->at = QUOTED;
    } else if (csv->at == AFTER_QUOTE) {
      TUTTI_CHECK(
          letter == ' ', TUTTI_ERR_DATA,
          "%s:%lld: field %lld continues after its closing quote; a quote inside a quoted field is doubled",
          tutti_data_input_path(csv->input), (long long)tutti_data_input_line_number(csv->input),
          (long long)csv->starts.n);
    } else {
      push(csv, letter);
    }
  }
  return TUTTI_OK;
}

/** Programs often leave empty lines at the end of a table. */
static bool is_blank(const char *line) {
  return line[strspn(line, " ")] == '\0';
}

/** Read the next line that is not blank.
 * @param[out] line  NULL: the file has ended */
static tutti_status first_line(tutti_data_csv *csv, char **line, int64_t *length) {
  do TUTTI_TRY(tutti_data_input_line(csv->input, line, length));
  while (*line && is_blank(*line));
  csv->line = tutti_data_input_line_number(csv->input);
  return TUTTI_OK;
}

/** Read the record that begins in `line`; a quoted field may continue in the following lines. */
static tutti_status take_record(tutti_data_csv *csv, const char *line, int64_t length) {
  csv->text.n = csv->starts.n = 0;
  csv->at = BEFORE_FIELD;
  TUTTI_TRY(take_line(csv, line, length));
  while (csv->at == QUOTED) {
    char *more = NULL;
    TUTTI_TRY(tutti_data_input_line(csv->input, &more, &length));
    TUTTI_CHECK(more, TUTTI_ERR_DATA, "%s:%lld: field %lld opens a quote that is never closed",
                tutti_data_input_path(csv->input), (long long)csv->line, (long long)csv->starts.n);
    TUTTI_TRY(take_line(csv, more, length));
  }
  end_field(csv);
  return TUTTI_OK;
}

/** Count the candidates outside quotes, because a text in quotes may have commas. */
static char find_separator(const char *line) {
  static const char candidates[] = ",;\t";
  int64_t counts[sizeof candidates - 1] = {0};
  bool quoted = false;
  for (const char *letter = line; *letter; letter++) {
    if (*letter == '"') quoted = !quoted;
    const char *found = quoted ? NULL : strchr(candidates, *letter);
    if (found) counts[found - candidates]++;
  }
  size_t best = 0;
  for (size_t i = 1; i < sizeof counts / sizeof *counts; i++)
    if (counts[i] > counts[best]) best = i;
  return candidates[best];
}

tutti_status tutti_data_csv_open(const char *path, tutti_data_csv **out) {
  tutti_data_csv *csv = NULL;
  tutti_status status = TUTTI_OK;
  char *line = NULL;
  int64_t length = 0;
  *out = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(csv, 1));
  csv->text = TUTTI_DATA_ARRAY_OF(char);
  csv->starts = TUTTI_DATA_ARRAY_OF(int64_t);
  TUTTI_TRY_GOTO(done, tutti_data_input_open(path, &csv->input));
  TUTTI_TRY_GOTO(done, first_line(csv, &line, &length));
  TUTTI_CHECK_GOTO(done, line, TUTTI_ERR_DATA, "%s: is empty; a header line and at least one row are needed",
                   path);
  csv->separator = find_separator(line);
  TUTTI_TRY_GOTO(done, take_record(csv, line, length));
  *out = csv;
  csv = NULL;
done:
  tutti_data_csv_close(&csv);
  return status;
}

/** The fields of the current record are gone afterwards. */
void tutti_data_csv_close(tutti_data_csv **csv) {
  if (!*csv) return;
  tutti_data_input_close(&(*csv)->input);
  tutti_data_array_free(&(*csv)->text);
  tutti_data_array_free(&(*csv)->starts);
  tutti_free(*csv);
  *csv = NULL;
}

tutti_status tutti_data_csv_next(tutti_data_csv *csv, bool *there) {
  char *line = NULL;
  int64_t length = 0;
  TUTTI_TRY(first_line(csv, &line, &length));
  *there = line != NULL;
  if (line) TUTTI_TRY(take_record(csv, line, length));
  return TUTTI_OK;
}

int64_t tutti_data_csv_n_fields(const tutti_data_csv *csv) {
  return csv->starts.n;
}

const char *tutti_data_csv_field(const tutti_data_csv *csv, int64_t i) {
  return (const char *)csv->text.data + ((const int64_t *)csv->starts.data)[i];
}

int64_t tutti_data_csv_line(const tutti_data_csv *csv) {
  return csv->line;
}
