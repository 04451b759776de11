/* Imports a CSV file: a table of texts with one label column.  Features are kept as doubles until all rows are known,
 * because the type that stores them depends on all of their values.  `tutti import csv` calls it through
 * formats.def. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "data/import_impl.h"

enum { PLACE_BYTES = 512 };

/** The file while it is read. */
typedef struct {
  const tutti_import_csv_options *options;
  tutti_data_csv *csv;
  tutti_import_columns columns;
  tutti_data_array x; // of double, [n, columns - 1]
  tutti_label_texts labels;
  int64_t n;
} table;

// --- rows

/** Fail with the place of a field.
 * @param[in] before, after  the words around the field */
static tutti_status fail_field(const table *t, int column, const char *before, const char *field,
                               const char *after) {
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s:%lld: column '%.60s'%s%.40s%s", t->options->file,
             (long long)tutti_data_csv_line(t->csv), t->columns.names.list[column], before, field, after);
}

/** A missing value has a message of its own, because tables often have some. */
static tutti_status check_present(const table *t, int column, const char *field) {
  if (!tutti_import_is_missing(field)) return TUTTI_OK;
  return fail_field(t, column, *field ? " is " : " is empty", field,
                    ": a value is missing; fill it in or leave the row out");
}

/** Read a feature.  The double is checked against float32 here, because the place is still known for the message. */
static tutti_status read_number(const table *t, int column, const char *field, double *x) {
  if (!tutti_text_real(field, x)) {
    TUTTI_TRY(check_present(t, column, field));
    return fail_field(t, column, ": '", field,
                      "' is not a finite number; features are numbers, so leave the column out or replace "
                      "its texts");
  }
  if (fabs(*x) > FLT_MAX) return fail_field(t, column, ": ", field, " does not fit into float32");
  const bool is_byte = *x >= 0 && *x <= UINT8_MAX && *x == floor(*x);
  if (is_byte || !t->options->bytes) return TUTTI_OK;
  return fail_field(t, column, ": ", field,
                    " is not a byte (a whole number from 0 to 255), and features are to be stored as bytes");
}

/** Append the features and the label of the current record. */
static tutti_status read_row(table *t) {
  const tutti_import_columns *c = &t->columns;
  const int64_t found = tutti_data_csv_n_fields(t->csv), line = tutti_data_csv_line(t->csv);
  TUTTI_CHECK(found == c->names.n, TUTTI_ERR_DATA, "%s:%lld: %lld fields, expected %d as in the first line",
              t->options->file, (long long)line, (long long)found, c->names.n);
  TUTTI_TRY(tutti_data_array_reserve(&t->x, t->x.n + found - 1));
  for (int column = 0; column < c->names.n; column++) {
    const char *field = tutti_data_csv_field(t->csv, column);
    if (column != c->label) {
      TUTTI_TRY(read_number(t, column, field, (double *)t->x.data + t->x.n++));
      continue;
    }
    TUTTI_TRY(check_present(t, column, field));
    TUTTI_CHECK(!c->doubtful || strcmp(field, c->names.list[column]) != 0, TUTTI_ERR_DATA,
                "%s:%lld: the label '%.40s' is in the first line too, which may be a row; say --header=no "
                "if it is one, --header=yes if it has the names of the columns",
                t->options->file, (long long)line, field);
    TUTTI_TRY(tutti_data_label_texts_add(&t->labels, field, line));
  }
  t->n++;
  return TUTTI_OK;
}

/** Read all records; without a header line the first record is already there. */
static tutti_status read_rows(table *t) {
  bool there = true;
  if (t->options->header != TUTTI_HEADER_NO) TUTTI_TRY(tutti_data_csv_next(t->csv, &there));
  while (there) {
    TUTTI_TRY(read_row(t));
    TUTTI_TRY(tutti_data_csv_next(t->csv, &there));
  }
  TUTTI_CHECK(t->n > 0, TUTTI_ERR_DATA, "%s: has a header line and no rows", t->options->file);
  return TUTTI_OK;
}

// --- the output

/** The label is kept elsewhere, so a row of the output is contiguous in t->x. */
static void fill_row(const void *context, int64_t row, double *x) {
  const table *t = context;
  const int64_t width = t->x.n / t->n;
  memcpy(x, (const double *)t->x.data + row * width, (size_t)width * sizeof *x);
}

/** Choose the type of x.  t->columns has the names of the features only. */
static tutti_status choose_type(const table *t, tutti_type *type) {
  const int width = t->columns.names.n;
  const double *x = t->x.data;
  double *column = NULL;
  *type = t->options->bytes ? TUTTI_U8 : TUTTI_F32;
  if (t->options->bytes) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(column, t->n));
  for (int j = 0; j < width && *type == TUTTI_F32; j++) {
    for (int64_t i = 0; i < t->n; i++) column[i] = x[i * width + j];
    if (!tutti_import_needs_double(column, t->n)) continue;
    *type = TUTTI_F64;
    tutti_import_note_double(t->options->file, t->columns.names.list[j]);
  }
  tutti_free(column);
  return TUTTI_OK;
}

/** Decide classes, test rows and type after all rows are known, and write the file. */
static tutti_status write_table(table *t, tutti_import_result *result) {
  const tutti_import_csv_options *o = t->options;
  tutti_texts *names = &t->columns.names;
  char place[PLACE_BYTES] = "", *label_name = names->list[t->columns.label];
  tutti_labels labels = {0};
  int64_t *order = NULL;
  tutti_import_table w = {
      .fill = fill_row, .context = t, .labels = &labels, .label_name = label_name, .columns = names};
  tutti_status status = TUTTI_OK;
  // From here on the label is not one of the columns.
  memmove(names->list + t->columns.label, names->list + t->columns.label + 1,
          (size_t)(--names->n - t->columns.label) * sizeof *names->list);
  tutti_text_append(place, sizeof place, "%s, column '%.60s'", o->file, label_name);
  TUTTI_TRY_GOTO(done, tutti_data_labels_create(&t->labels, o->kind, place, &labels));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(order, t->n));
  TUTTI_TRY_GOTO(done, tutti_import_split(t->n, o->test_fraction, o->seed, order, &w.n_test));
  TUTTI_TRY_GOTO(done, choose_type(t, &w.type));
  w.n_train = t->n - w.n_test;
  w.n_features = names->n;
  w.order = order;
  TUTTI_TRY_GOTO(done, tutti_import_write(o->output, &w, result));
done:
  tutti_data_labels_free(&labels);
  tutti_free(order);
  tutti_free(label_name);
  return status;
}

/** tutti_import_split checks the fraction, when the number of rows is known. */
static tutti_status check_options(const tutti_import_csv_options *o) {
  TUTTI_CHECK(o->file, TUTTI_ERR_USAGE, "import csv: no file is given");
  TUTTI_CHECK(o->label, TUTTI_ERR_USAGE,
              "import csv: no label column is given (its name, or its number from 1)");
  return tutti_import_check_output(o->output, &o->file, 1);
}

tutti_status tutti_import_csv(const tutti_import_csv_options *options, tutti_import_result *result) {
  table t = {.options = options, .x = TUTTI_DATA_ARRAY_OF(double)};
  tutti_status status = TUTTI_OK;
  tutti_data_label_texts_init(&t.labels);
  TUTTI_TRY_GOTO(done, check_options(options));
  TUTTI_TRY_GOTO(done, tutti_data_csv_open(options->file, &t.csv));
  TUTTI_TRY_GOTO(done, tutti_import_columns_read(options, t.csv, &t.columns));
  TUTTI_TRY_GOTO(done, read_rows(&t));
  TUTTI_TRY_GOTO(done, write_table(&t, result));
done:
  tutti_texts_clear(&t.columns.names);
  tutti_data_array_free(&t.x);
  tutti_data_label_texts_free(&t.labels);
  tutti_data_csv_close(&t.csv);
  return status;
}

// --- as a format -----------------------------------------------------------------------------------------------

enum { LABEL, TEST_FRACTION, SEED, KIND, BYTES, HEADER };

/** Read the options that are numbers. */
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

/** Translate the texts of the command line. */
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
