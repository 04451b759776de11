/* Imports a CSV file: a table of texts with one label column.  The difficult question is whether the first line is a header or a
 * row; a wrong guess would lose a row, so a doubtful file is refused with the options that decide.  `tutti import csv` calls it
 * through formats.def. */
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "base/text.h"
#include "data/import_impl.h"

enum { LIST_BYTES = 700, PLACE_BYTES = 512, NUMBER_BYTES = 24 };

/** The file while it is read. */
typedef struct {
  const tutti_import_csv_options *options;
  tutti_data_csv *csv;
  const char *
      *columns; // [n_columns] names, those of features first once the label's place is known; owned each
  int64_t n_columns, label;
  tutti_data_array x; // of double, [n, n_columns - 1]
  tutti_label_texts labels;
  int64_t n;
  bool numbered; // all features have names that may be values of a row: numbers, missing values
} table;

static bool is_missing(const char *field) {
  static const char *const words[] = {"", "NA", "N/A", "NaN", "null"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcasecmp(field, words[i]) == 0) return true;
  return false;
}

// --- the header line

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** Each column needs a name of its own, so that a label can be chosen by it.  Numbers are probably not names. */
static tutti_status check_names(const table *t) {
  const char *path = t->options->file;
  const char **sorted = NULL;
  double number = 0;
  int64_t n_numbers = 0;
  const bool automatic = t->options->header == TUTTI_HEADER_AUTO;
  const char *hint =
      automatic ? "; say --header=no if the first line is a row" : "; give each column a name of its own";
  TUTTI_CHECK(t->n_columns > 1, TUTTI_ERR_DATA,
              "%s: the header line has a single column '%.60s', expected a feature beside the label; "
              "columns are separated by comma, semicolon or tab",
              path, t->columns[0]);
  for (int64_t i = 0; i < t->n_columns; i++) n_numbers += tutti_text_real(t->columns[i], &number);
  TUTTI_CHECK(n_numbers < t->n_columns || !automatic, TUTTI_ERR_DATA,
              "%s: the first line has only numbers; say --header=no if it is a row, --header=yes if these "
              "are the names of the columns",
              path);
  for (int64_t i = 0; i < t->n_columns; i++)
    TUTTI_CHECK(t->columns[i][0], TUTTI_ERR_DATA,
                "%s: column %lld has no name in the header line (a row number that was saved along?)%s", path,
                (long long)i + 1, hint);
  TUTTI_TRY(TUTTI_NEW(sorted, t->n_columns));
  memcpy(sorted, t->columns, (size_t)t->n_columns * sizeof *sorted);
  qsort(sorted, (size_t)t->n_columns, sizeof *sorted, by_name);
  const char *twice = NULL;
  for (int64_t i = 1; i < t->n_columns && !twice; i++)
    if (strcmp(sorted[i - 1], sorted[i]) == 0) twice = sorted[i];
  tutti_free(sorted);
  TUTTI_CHECK(!twice, TUTTI_ERR_DATA, "%s: two columns have the name '%.60s'%s", path, twice, hint);
  return TUTTI_OK;
}

/** Find the label column by its name, else by its number from 1. */
static tutti_status find_label(table *t) {
  const char *wanted = t->options->label;
  char list[LIST_BYTES], hint[TUTTI_HINT_BYTES];
  int n_columns = 0;
  int64_t number = 0;
  for (t->label = 0; t->label < t->n_columns; t->label++)
    if (strcmp(t->columns[t->label], wanted) == 0) return TUTTI_OK;
  if (tutti_text_integer(wanted, &number) && number >= 1 && number <= t->n_columns) {
    t->label = number - 1;
    return TUTTI_OK;
  }
  TUTTI_TRY(tutti_to_int(t->n_columns, "the number of columns", &n_columns));
  TUTTI_FAIL(TUTTI_ERR_USAGE,
             "%s: there is no column '%.60s' for the labels%s; expected a number from 1 to %d or one of the "
             "names: %s",
             t->options->file, wanted,
             tutti_name_hint(tutti_name_nearest(wanted, t->columns, n_columns), hint), n_columns,
             tutti_text_list(list, sizeof list, t->columns, n_columns));
}

/** Whether a field has letters or digits; bytes of UTF-8 count as letters. */
static bool has_letters(const char *field) {
  while (*field && !isalnum((unsigned char)*field) && (unsigned char)*field < 0x80) field++;
  return *field != '\0';
}

/** Whether a field is a number, or a sign for a missing value. */
static bool may_be_in_a_row(const char *field) {
  double number = 0;
  return tutti_text_real(field, &number) || is_missing(field) || !has_letters(field) ||
         strcasecmp(field, "None") == 0 || strcasecmp(field, "#N/A") == 0 || strcasecmp(field, "n.a.") == 0;
}

/** Find a column whose field is probably not a name: a label like the features, or a feature with a fraction.
 * @return n_columns: there is none */
static int64_t find_no_name(const table *t) {
  double number = 0;
  if (may_be_in_a_row(t->columns[t->label])) return t->label;
  for (int64_t i = 0; i < t->n_columns; i++)
    if (i != t->label && tutti_text_real(t->columns[i], &number) && number != floor(number)) return i;
  return t->n_columns;
}

/** Refuse a first line that may be a row, because a row that is taken for names would be lost. */
static tutti_status check_no_row(table *t) {
  t->numbered = t->options->header == TUTTI_HEADER_AUTO;
  for (int64_t i = 0; i < t->n_columns && t->numbered; i++)
    t->numbered = i == t->label || may_be_in_a_row(t->columns[i]);
  const int64_t at = t->numbered ? find_no_name(t) : t->n_columns;
  TUTTI_CHECK(at == t->n_columns, TUTTI_ERR_DATA,
              "%s:1: the first line looks like a row, column %lld is %.40s; say --header=no if it is one, "
              "--header=yes if it has the names of the columns",
              t->options->file, (long long)at + 1, t->columns[at]);
  return TUTTI_OK;
}

static const char *name_of(const table *t, int64_t column, char number[NUMBER_BYTES]) {
  if (t->options->header != TUTTI_HEADER_NO) return tutti_data_csv_field(t->csv, column);
  snprintf(number, NUMBER_BYTES, "%lld", (long long)column + 1);
  return number;
}

/** Read the names of the columns from the current record, or number the columns. */
static tutti_status read_header(table *t) {
  char number[NUMBER_BYTES];
  const int64_t n = tutti_data_csv_n_fields(t->csv);
  TUTTI_TRY(TUTTI_NEW(t->columns, n));
  for (t->n_columns = 0; t->n_columns < n; t->n_columns++) {
    t->columns[t->n_columns] = tutti_strdup(name_of(t, t->n_columns, number));
    if (!t->columns[t->n_columns]) return TUTTI_ERR_MEMORY;
  }
  if (t->options->header == TUTTI_HEADER_NO) {
    TUTTI_CHECK(n > 1, TUTTI_ERR_DATA,
                "%s: the first row has a single column, expected a feature beside the label",
                t->options->file);
    return find_label(t);
  }
  TUTTI_TRY(check_names(t));
  TUTTI_TRY(find_label(t));
  return check_no_row(t);
}

// --- rows

static tutti_status check_present(const table *t, int64_t column, const char *field) {
  TUTTI_CHECK(!is_missing(field), TUTTI_ERR_DATA,
              "%s:%lld: column '%.60s' %s%.10s: a value is missing; fill it in or leave the row out",
              t->options->file, (long long)tutti_data_csv_line(t->csv), t->columns[column],
              *field ? "is " : "is empty", field);
  return TUTTI_OK;
}

/** Read a feature.  The double is checked against float32 here, because the place is still known for the message. */
static tutti_status read_number(const table *t, int64_t column, const char *field, double *x) {
  double value = 0;
  const bool is_number = tutti_text_real(field, &value);
  if (!is_number) TUTTI_TRY(check_present(t, column, field));
  TUTTI_CHECK(is_number, TUTTI_ERR_DATA,
              "%s:%lld: column '%.60s': '%.40s' is not a finite number; features are numbers, so leave the "
              "column out or "
              "replace its texts",
              t->options->file, (long long)tutti_data_csv_line(t->csv), t->columns[column], field);
  TUTTI_CHECK(fabs(value) <= FLT_MAX, TUTTI_ERR_DATA,
              "%s:%lld: column '%.60s': %.40s does not fit into float32", t->options->file,
              (long long)tutti_data_csv_line(t->csv), t->columns[column], field);
  const bool is_byte = value >= 0 && value <= UINT8_MAX && value == floor(value);
  TUTTI_CHECK(is_byte || !t->options->bytes, TUTTI_ERR_DATA,
              "%s:%lld: column '%.60s': %.40s is not a byte (a whole number from 0 to 255), and features "
              "are to be stored as bytes",
              t->options->file, (long long)tutti_data_csv_line(t->csv), t->columns[column], field);
  *x = value;
  return TUTTI_OK;
}

/** Append the features and the label of the current record. */
static tutti_status read_row(table *t) {
  const int64_t found = tutti_data_csv_n_fields(t->csv);
  TUTTI_CHECK(found == t->n_columns, TUTTI_ERR_DATA,
              "%s:%lld: %lld fields, expected %lld as in the first line", t->options->file,
              (long long)tutti_data_csv_line(t->csv), (long long)found, (long long)t->n_columns);
  TUTTI_TRY(tutti_data_array_reserve(&t->x, t->x.n + t->n_columns - 1));
  for (int64_t column = 0; column < t->n_columns; column++) {
    const char *field = tutti_data_csv_field(t->csv, column);
    if (column == t->label) {
      TUTTI_TRY(check_present(t, column, field));
      TUTTI_CHECK(!t->numbered || strcmp(field, t->columns[column]) != 0, TUTTI_ERR_DATA,
                  "%s:%lld: the label '%.40s' is in the first line too, which may be a row; say --header=no "
                  "if it is one, --header=yes if it has the names of the columns",
                  t->options->file, (long long)tutti_data_csv_line(t->csv), field);
      TUTTI_TRY(tutti_data_label_texts_add(&t->labels, field, tutti_data_csv_line(t->csv)));
    } else {
      TUTTI_TRY(read_number(t, column, field, (double *)t->x.data + t->x.n));
      t->x.n++;
    }
  }
  t->n++;
  return TUTTI_OK;
}

/** Read all records; without a header line the first record is already there. */
static tutti_status read_rows(table *t) {
  if (t->options->header == TUTTI_HEADER_NO) TUTTI_TRY(read_row(t));
  for (bool there = true;;) {
    TUTTI_TRY(tutti_data_csv_next(t->csv, &there));
    if (!there) break;
    TUTTI_TRY(read_row(t));
  }
  TUTTI_CHECK(t->n > 0, TUTTI_ERR_DATA, "%s: has a header line and no rows", t->options->file);
  return TUTTI_OK;
}

// --- the output

#define DEFINE_FILL(NAME, TYPE)                                                                              \
  static void NAME(const void *context, int64_t row, void *x) {                                              \
    const table *t = context;                                                                                \
    const int64_t width = t->n_columns - 1;                                                                  \
    const double *from = (const double *)t->x.data + row * width;                                            \
    for (int64_t j = 0; j < width; j++) ((TYPE *)x)[j] = (TYPE)from[j];                                      \
  }
DEFINE_FILL(fill_bytes, uint8_t)
DEFINE_FILL(fill_floats, float)
DEFINE_FILL(fill_doubles, double)

/** Choose the type of x, after the name of the label was moved to the end of t->columns. */
static tutti_status choose_type(const table *t, tutti_type *type) {
  const int64_t width = t->n_columns - 1;
  const double *x = t->x.data;
  double *column = NULL;
  *type = t->options->bytes ? TUTTI_U8 : TUTTI_F32;
  if (t->options->bytes) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(column, t->n));
  for (int64_t j = 0; j < width && *type == TUTTI_F32; j++) {
    for (int64_t i = 0; i < t->n; i++) column[i] = x[i * width + j];
    if (!tutti_import_needs_double(column, t->n)) continue;
    *type = TUTTI_F64;
    tutti_import_note_double(t->options->file, t->columns[j]);
  }
  tutti_free(column);
  return TUTTI_OK;
}

static tutti_fill_row fill_of(tutti_type type) {
  return type == TUTTI_U8 ? fill_bytes : type == TUTTI_F32 ? fill_floats : fill_doubles;
}

/** Decide classes, test rows and type after all rows are known, and write the file. */
static tutti_status write_table(table *t, tutti_import_result *result) {
  char place[PLACE_BYTES] = "";
  tutti_labels labels = {0};
  int64_t *order = NULL;
  const char *label_name = t->columns[t->label];
  tutti_import_table w = {.n_features = t->n_columns - 1};
  tutti_status status = TUTTI_OK;
  tutti_text_append(place, sizeof place, "%s, column '%.60s'", t->options->file, label_name);
  TUTTI_TRY_GOTO(done, tutti_data_labels_create(&t->labels, t->options->kind, place, &labels));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(order, t->n));
  TUTTI_TRY_GOTO(done,
                 tutti_import_split(t->n, t->options->test_fraction, t->options->seed, order, &w.n_test));
  // Move the name of the label to the end, so that the names of the features are together.
  memmove(t->columns + t->label, t->columns + t->label + 1,
          (size_t)(w.n_features - t->label) * sizeof *t->columns);
  t->columns[w.n_features] = label_name;
  w.n_train = t->n - w.n_test;
  TUTTI_TRY_GOTO(done, choose_type(t, &w.type));
  w.fill = fill_of(w.type);
  w.context = t;
  w.order = order;
  w.labels = &labels;
  w.label_name = label_name;
  w.columns = t->columns;
  TUTTI_TRY_GOTO(done, tutti_import_write(t->options->output, &w));
  *result = (tutti_import_result){
      .n_train = w.n_train, .n_test = w.n_test, .n_features = w.n_features, .n_classes = labels.n_classes};
done:
  tutti_data_labels_free(&labels);
  tutti_free(order);
  return status;
}

static tutti_status check_options(const tutti_import_csv_options *o) {
  TUTTI_CHECK(o->file, TUTTI_ERR_USAGE, "import csv: no file is given");
  TUTTI_CHECK(o->label, TUTTI_ERR_USAGE,
              "import csv: no label column is given (its name, or its number from 1)");
  TUTTI_CHECK(o->test_fraction >= 0 && o->test_fraction < 1, TUTTI_ERR_USAGE,
              "import csv: test_fraction is %g, expected a number >= 0 and < 1", o->test_fraction);
  return tutti_import_check_output(o->output, &o->file, 1);
}

tutti_status tutti_import_csv(const tutti_import_csv_options *options, tutti_import_result *result) {
  table t = {.options = options, .x = TUTTI_DATA_ARRAY_OF(double)};
  tutti_status status = TUTTI_OK;
  tutti_data_label_texts_init(&t.labels);
  TUTTI_TRY_GOTO(done, check_options(options));
  TUTTI_TRY_GOTO(done, tutti_data_csv_open(options->file, &t.csv));
  TUTTI_TRY_GOTO(done, read_header(&t));
  TUTTI_TRY_GOTO(done, read_rows(&t));
  TUTTI_TRY_GOTO(done, write_table(&t, result));
done:
  for (int64_t i = 0; i < t.n_columns; i++) tutti_free((void *)t.columns[i]);
  tutti_free(t.columns);
  tutti_data_array_free(&t.x);
  tutti_data_label_texts_free(&t.labels);
  tutti_data_csv_close(&t.csv);
  return status;
}

// --- as a format -----------------------------------------------------------------------------------------------

enum { LABEL, TEST_FRACTION, SEED, KIND, BYTES, HEADER };

static tutti_status read_numbers(const tutti_import_request *request, tutti_import_csv_options *csv) {
  const char *fraction = request->values[TEST_FRACTION], *seed = request->values[SEED];
  int64_t number = 0;
  csv->test_fraction = 0.2;
  TUTTI_CHECK(!fraction || (tutti_text_real(fraction, &csv->test_fraction) && csv->test_fraction >= 0 &&
                            csv->test_fraction < 1),
              TUTTI_ERR_USAGE, "--test_fraction=%s: expected a number from 0 to below 1", fraction);
  TUTTI_CHECK(!seed || (tutti_text_integer(seed, &number) && number >= 0), TUTTI_ERR_USAGE,
              "--seed=%s: expected a whole number from 0", seed);
  csv->seed = (uint64_t)number;
  return TUTTI_OK;
}

static tutti_status import(const tutti_import_request *request, tutti_import_result *result) {
  static const char *const headers[TUTTI_N_HEADERS] = {"auto", "yes", "no"};
  static const char *const switches[] = {"yes", "no"};
  tutti_import_csv_options csv = {
      .file = request->files[0], .label = request->values[LABEL], .output = request->output};
  int kind = 0, header = 0, bytes = 0;
  TUTTI_TRY(read_numbers(request, &csv));
  TUTTI_TRY(tutti_format_choice("kind", request->values[KIND], tutti_import_kind_names, TUTTI_N_IMPORT_KINDS,
                                &kind));
  TUTTI_TRY(tutti_format_choice("header", request->values[HEADER], headers, TUTTI_N_HEADERS, &header));
  const char *bytes_text = request->values[BYTES] ? request->values[BYTES] : "no";
  TUTTI_TRY(tutti_format_choice("bytes", bytes_text, switches, 2, &bytes));
  csv.kind = (tutti_import_kind)kind;
  csv.header = (tutti_import_header)header;
  csv.bytes = bytes == 0;
  return tutti_import_csv(&csv, result);
}

const tutti_format tutti_format_csv = {
    .files = "FILE",
    .min_files = 1,
    .max_files = 1,
    .options = {[LABEL] = {"label", "COLUMN", true},
                [TEST_FRACTION] = {"test_fraction", "0.2", false},
                [SEED] = {"seed", "0", false},
                [KIND] = {"kind", "auto|classes|regression", false},
                [BYTES] = {"bytes", "no|yes", false},
                [HEADER] = {"header", "auto|yes|no", false}},
    .help = "--header=no reads a file without a header line.  COLUMN is a name in that line, or a number\n"
            "from 1.  Labels become classes 0, 1, ... in ascending order if they are texts, or whole\n"
            "numbers of at most 100 different values; the output contains the names of the classes.\n"
            "Other labels are numbers for a regression.  --kind overrides this.  The seed decides which\n"
            "rows become test rows.  --bytes=yes stores features as bytes; they have to be whole numbers\n"
            "from 0 to 255.",
    .import = import,
};
