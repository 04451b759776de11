/* The columns of a CSV file, by its first line.  The difficult question is whether this line is a header or a row: a
 * row that is taken for names would be lost, so a doubtful file is refused with the options that decide.  The import
 * of CSV calls it. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "base/text.h"
#include "data/import_impl.h"

enum { LIST_BYTES = 700, NUMBER_BYTES = 24 };

static bool is_one_of(const char *field, const char *const *words, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcasecmp(field, words[i]) == 0) return true;
  return false;
}

bool tutti_import_is_missing(const char *field) {
  static const char *const words[] = {"", "NA", "N/A", "NaN", "null"};
  return is_one_of(field, words, sizeof words / sizeof *words);
}

// --- names

/** Find a name that occurs twice.  Sorting puts equal names side by side, also among many thousand columns. */
static tutti_status find_twice(const tutti_texts *names, const char **twice) {
  const char **sorted = NULL;
  *twice = NULL;
  TUTTI_TRY(TUTTI_NEW(sorted, names->n));
  memcpy(sorted, names->list, (size_t)names->n * sizeof *sorted);
  qsort(sorted, (size_t)names->n, sizeof *sorted, tutti_import_by_text);
  for (int i = 1; i < names->n && !*twice; i++)
    if (strcmp(sorted[i - 1], sorted[i]) == 0) *twice = sorted[i];
  tutti_free(sorted);
  return TUTTI_OK;
}

/** Each column needs a name of its own, so that a label can be chosen by it.  Numbers are probably not names. */
static tutti_status check_names(const tutti_import_csv_options *o, const tutti_texts *names) {
  const bool automatic = o->header == TUTTI_HEADER_AUTO;
  const char *hint =
      automatic ? "; say --header=no if the first line is a row" : "; give each column a name of its own";
  const char *twice = NULL;
  double number = 0;
  int n_numbers = 0;
  TUTTI_CHECK(names->n > 1, TUTTI_ERR_DATA,
              "%s: the header line has a single column '%.60s', expected a feature beside the label; "
              "columns are separated by comma, semicolon or tab",
              o->file, names->list[0]);
  for (int i = 0; i < names->n; i++) n_numbers += tutti_text_real(names->list[i], &number);
  TUTTI_CHECK(n_numbers < names->n || !automatic, TUTTI_ERR_DATA,
              "%s: the first line has only numbers; say --header=no if it is a row, --header=yes if these "
              "are the names of the columns",
              o->file);
  for (int i = 0; i < names->n; i++)
    TUTTI_CHECK(names->list[i][0], TUTTI_ERR_DATA,
                "%s: column %d has no name in the header line (a row number that was saved along?)%s",
                o->file, i + 1, hint);
  TUTTI_TRY(find_twice(names, &twice));
  TUTTI_CHECK(!twice, TUTTI_ERR_DATA, "%s: two columns have the name '%.60s'%s", o->file, twice, hint);
  return TUTTI_OK;
}

/** Find the label column by its name, else by its number from 1. */
static tutti_status find_label(const tutti_import_csv_options *o, tutti_import_columns *c) {
  const char *const *names = (const char *const *)c->names.list;
  const int n = c->names.n;
  char list[LIST_BYTES], hint[TUTTI_HINT_BYTES];
  int64_t number = 0;
  c->label = tutti_name_find(o->label, names, n);
  if (c->label < 0 && tutti_text_integer(o->label, &number) && number >= 1 && number <= n)
    c->label = (int)number - 1;
  TUTTI_CHECK(c->label >= 0, TUTTI_ERR_USAGE,
              "%s: there is no column '%.60s' for the labels%s; expected a number from 1 to %d or one of the "
              "names: %s",
              o->file, o->label, tutti_name_hint(tutti_name_nearest(o->label, names, n), hint), n,
              tutti_text_list(list, sizeof list, names, n));
  return TUTTI_OK;
}

// --- a header or a row

/** Whether a field has letters or digits; bytes of UTF-8 count as letters. */
static bool has_letters(const char *field) {
  while (*field && !isalnum((unsigned char)*field) && (unsigned char)*field < 0x80) field++;
  return *field != '\0';
}

/** Whether a field is a number, or a sign for a missing value. */
static bool may_be_in_a_row(const char *field) {
  static const char *const words[] = {"None", "#N/A", "n.a."};
  double number = 0;
  return tutti_text_real(field, &number) || tutti_import_is_missing(field) || !has_letters(field) ||
         is_one_of(field, words, sizeof words / sizeof *words);
}

/** Find a column whose field is probably not a name: a label like the features, or a feature with a fraction.
 * @return -1: there is none */
static int find_no_name(const tutti_import_columns *c) {
  double number = 0;
  if (may_be_in_a_row(c->names.list[c->label])) return c->label;
  for (int i = 0; i < c->names.n; i++)
    if (i != c->label && tutti_text_real(c->names.list[i], &number) && number != floor(number)) return i;
  return -1;
}

/** Refuse a first line that may be a row. */
static tutti_status check_no_row(const tutti_import_csv_options *o, tutti_import_columns *c) {
  c->doubtful = o->header == TUTTI_HEADER_AUTO;
  for (int i = 0; i < c->names.n && c->doubtful; i++)
    c->doubtful = i == c->label || may_be_in_a_row(c->names.list[i]);
  const int at = c->doubtful ? find_no_name(c) : -1;
  TUTTI_CHECK(at < 0, TUTTI_ERR_DATA,
              "%s:1: the first line looks like a row, column %d is %.40s; say --header=no if it is one, "
              "--header=yes if it has the names of the columns",
              o->file, at + 1, c->names.list[at]);
  return TUTTI_OK;
}

tutti_status tutti_import_columns_read(const tutti_import_csv_options *o, const tutti_data_csv *csv,
                                       tutti_import_columns *c) {
  const bool has_header = o->header != TUTTI_HEADER_NO;
  int n = 0;
  TUTTI_TRY(tutti_to_int(tutti_data_csv_n_fields(csv), "the number of columns", &n));
  for (int i = 0; i < n; i++) {
    char number[NUMBER_BYTES];
    snprintf(number, sizeof number, "%d", i + 1);
    TUTTI_TRY(tutti_texts_add(&c->names, has_header ? tutti_data_csv_field(csv, i) : number));
  }
  TUTTI_CHECK(has_header || n > 1, TUTTI_ERR_DATA,
              "%s: the first row has a single column, expected a feature beside the label", o->file);
  if (has_header) TUTTI_TRY(check_names(o, &c->names));
  TUTTI_TRY(find_label(o, c));
  return check_no_row(o, c);
}
