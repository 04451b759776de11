#pragma once
/** Declarations that the files of the import share.  Private to this room and its tests.  All Local. */
#include <stdbool.h>

#include "tutti/data.h"
#include "tutti/io.h"

// --- array.c: an array that grows while a file of unknown length is read

typedef struct {
  void *data; // [n] items of `unit` bytes; owned
  int64_t n, capacity;
  size_t unit;
} tutti_data_array;

#define TUTTI_DATA_ARRAY_OF(type) ((tutti_data_array){.unit = sizeof(type)})

/** Make space for n items in all, so that adding up to that number cannot fail.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_data_array_reserve(tutti_data_array *array, int64_t n);

/** Append n items, which are copied.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_data_array_add(tutti_data_array *array, const void *items, int64_t n);

/** Free the items.  The array is empty after it, and usable. */
void tutti_data_array_free(tutti_data_array *array);

// --- input.c: a file from its beginning to its end, as bytes or line by line; gzip is unpacked

typedef struct tutti_data_input tutti_data_input;

/** @param[out] input  owned by the caller
 * @return ERR_MISSING no such file; ERR_DATA a folder; ERR_IO not readable */
TUTTI_NODISCARD
tutti_status tutti_data_input_open(const char *path, tutti_data_input **input);

/** Accepts NULL inside; nulls the handle. */
void tutti_data_input_close(tutti_data_input **input);

/** Read up to n bytes.
 * @param[out] got  less than n only at the end of the file
 * @return ERR_DATA truncated or damaged gzip data; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_data_input_read(tutti_data_input *input, void *data, int64_t n, int64_t *got);

/** Read exactly n bytes.
 * @param[in] what  "header", for the message
 * @return as tutti_data_input_read; ERR_DATA the file has fewer bytes */
TUTTI_NODISCARD
tutti_status tutti_data_input_read_exactly(tutti_data_input *input, void *data, int64_t n, const char *what);

/** @return ERR_DATA the file has more bytes; as tutti_data_input_read */
TUTTI_NODISCARD
tutti_status tutti_data_input_check_end(tutti_data_input *input);

/** Read the next line, of any length.  A byte order mark of UTF-8 at the beginning of the file is left out.
 * @param[out] line    without its end (\n or \r\n), with a NUL after it; borrowed until the next call; NULL at the
 * end of the file
 * @param[out] length  in bytes
 * @return as tutti_data_input_read; ERR_DATA a NUL byte, which a text does not contain */
TUTTI_NODISCARD
tutti_status tutti_data_input_line(tutti_data_input *input, char **line, int64_t *length);

/** For a format that does not allow a \r inside a line.
 * @return ERR_DATA, always, with the number of the line that was read last */
TUTTI_NODISCARD
tutti_status tutti_data_input_refuse_return(const tutti_data_input *input);

/** The most bytes that the file can have, unpacked; INT64_MAX: nobody knows, because it is a pipe. */
int64_t tutti_data_input_most_bytes(const tutti_data_input *input);

/** Borrowed. */
const char *tutti_data_input_path(const tutti_data_input *input);

/** The number of the line that was read last, from 1. */
int64_t tutti_data_input_line_number(const tutti_data_input *input);

// --- csv.c: records of a CSV file, as RFC 4180 describes them
//
// Fields may be quoted, quotes inside are doubled, and separators and line ends may stand inside quotes.  Lines end
// with \n or \r\n.  Blank lines, and spaces around a field without quotes, are ignored.

typedef struct tutti_data_csv tutti_data_csv;

/** Open a file and read its first line, which becomes the current record.  The separator is the most frequent one of
 * comma, semicolon and tab in this line.
 * @param[out] csv  owned by the caller
 * @return ERR_MISSING; ERR_IO; ERR_DATA an empty file, wrong quotes, not a text */
TUTTI_NODISCARD
tutti_status tutti_data_csv_open(const char *path, tutti_data_csv **csv);

/** Accepts NULL inside; nulls the handle. */
void tutti_data_csv_close(tutti_data_csv **csv);

/** Read the next record.
 * @param[out] there  false: the file has ended
 * @return ERR_DATA wrong quotes or damaged gzip data; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_data_csv_next(tutti_data_csv *csv, bool *there);

int64_t tutti_data_csv_n_fields(const tutti_data_csv *csv);

/** Borrowed until the next record. */
const char *tutti_data_csv_field(const tutti_data_csv *csv, int64_t i);

/** The line in which the record begins, from 1. */
int64_t tutti_data_csv_line(const tutti_data_csv *csv);

// --- precision.c: the type that stores the features of an import

/** Whether float32 would change whole numbers of a column, or make more of its distinct values equal than chance does
 * for numbers with many digits.
 * @param[in,out] column  [n]; may be sorted after it */
bool tutti_import_needs_double(double *column, int64_t n);

/** Log that the features are stored as float64 because of this column. */
void tutti_import_note_double(const char *path, const char *column);

// --- labels.c: labels become class ids with names, or real numbers

enum { TUTTI_IMPORT_MAX_CLASSES = 65536 };

/** The labels as the file has them, in order of rows. */
typedef struct {
  tutti_data_array text;  // of char, each with its NUL
  tutti_data_array items; // of {place in `text`, line of the file}
} tutti_label_texts;

void tutti_data_label_texts_init(tutti_label_texts *texts);
void tutti_data_label_texts_free(tutti_label_texts *texts);
TUTTI_NODISCARD
tutti_status tutti_data_label_texts_add(tutti_label_texts *texts, const char *text, int64_t line);

typedef struct {
  int64_t n;
  float *values;     // [n] class ids in [0, names.n), or the numbers of a regression; owned
  tutti_texts names; // of the classes; empty: a regression
} tutti_labels;

/** Decide by the rule of tutti_import_kind, and number the classes.
 * @param[in]  place   "iris.csv, column 'species'" for messages
 * @param[out] labels  to be freed with tutti_data_labels_free
 * @return ERR_DATA a label that does not fit (with its line), a single class, too many classes */
TUTTI_NODISCARD
tutti_status tutti_data_labels_create(const tutti_label_texts *texts, tutti_import_kind kind,
                                      const char *place, tutti_labels *labels);
void tutti_data_labels_free(tutti_labels *labels);

/** Compare two texts, for qsort and bsearch. */
int tutti_import_by_text(const void *a, const void *b);

// --- split.c: which rows become the test set

/** The round(n * fraction) rows with the smallest random words become the test part.  The word of a row is that of the
 * stream TUTTI_STREAM_IMPORT of the seed at the counter `row`.
 * @param[in]  fraction  in [0, 1)
 * @param[out] order     [n] the rows of the training part, then those of the test part, each in the order of the file
 * @return ERR_USAGE a fraction outside that range, or one that leaves no training row; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_import_split(int64_t n, double fraction, uint64_t seed, int64_t *order, int64_t *n_test);

// --- write.c: the data set file

/** Put the features of one row, counted as in the input, into x [n_features].  The type of the table holds them
 * exactly, or is the nearest that the format allows. */
typedef void (*tutti_import_fill)(const void *context, int64_t row, double *x);

/** All borrowed. */
typedef struct {
  int64_t n_train, n_test, n_features;
  tutti_type type; // of x: TUTTI_U8, TUTTI_F32 or TUTTI_F64
  tutti_import_fill fill;
  const void *context;
  const int64_t
      *order; // [n_train + n_test] rows of the input, training rows first; NULL: the order of the input
  const tutti_labels *labels; // in the order of the input
  const char *label_name;     // NULL: it has none
  const tutti_texts *columns; // n_features names; NULL: they have none
} tutti_import_table;

/** Write a whole file: x_train and y_train, if n_test > 0 also x_test and y_test, and attributes: `classes` (names in
 * order of id) and `label` of y, `columns` of x.
 * @param[out] result  numbers of rows, features and classes
 * @return ERR_CREATE, ERR_IO; the file is absent then */
TUTTI_NODISCARD
tutti_status tutti_import_write(const char *path, const tutti_import_table *table,
                                tutti_import_result *result);

/** Store a number as item i of an array of a type, which is able to hold it; not for TUTTI_I64, which a double cannot
 * hold. */
void tutti_import_put(tutti_type type, double value, void *array, int64_t i);

/** The level of deflate for the output.  Levels 8 and 9 take several times as long and save less than 1 %. */
int tutti_import_level(tutti_type type);

/** Number of rows of `row_bytes` to keep in memory at a time. */
int64_t tutti_import_rows_at_once(int64_t row_bytes);

/** @param[in] inputs  [n]; NULL among them are ignored
 * @return ERR_USAGE the output is NULL or one of the inputs */
TUTTI_NODISCARD
tutti_status tutti_import_check_output(const char *output, const char *const *inputs, int n);

// --- array_files.c: formats that store one array per file, such as IDX and NumPy's

/** An open file that contains one array.  Its rows are read once, in order. */
typedef struct {
  tutti_data_input *input; // owned
  const char *option;      // "x_train": the option that gave the file, and the array in the output
  bool is_labels;
  int n_dims;
  int64_t dims[TUTTI_MAX_DIMS]; // the first one counts the samples
  int64_t row_items;            // product of the dims after the first
  tutti_type type;              // of the numbers in the output
  int file_bytes;               // of a number in the file
  void *state;                  // of the format, or NULL
} tutti_import_array;

typedef struct {
  const char *name;    // "IDX", for messages
  const char *numbers; // what it calls them: "items"
  /** Read everything before the numbers, and set n_dims, dims (those that fit), type, file_bytes and state. */
  tutti_status (*read_header)(tutti_import_array *array);
  /** Read the next n rows, as numbers of array->type.  No call asks for more rows than the first one. */
  tutti_status (*read_rows)(tutti_import_array *array, int64_t n, void *rows);
  void (*free_state)(tutti_import_array *array); // NULL: there is none
} tutti_array_format;

/** Check the number of dimensions.  read_header calls it before it stores more than TUTTI_MAX_DIMS of them.
 * @param[in] max_label_dims  for a file with labels, 1 or 2
 * @return ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_import_check_n_dims(const tutti_import_array *array, int max_label_dims);

/** Import pairs of files into one data set.  The arrays keep their shapes.
 * @param[in] options  [2 * n_pairs] names: x and y of the training rows, then of other rows
 * @param[in] values   [2 * n_pairs] paths; NULL: this file is not given
 * @return as tutti_format.import */
TUTTI_NODISCARD
tutti_status tutti_import_pairs(const tutti_array_format *format, const tutti_format_option *options,
                                const char *const *values, int n_pairs, const char *output,
                                tutti_import_result *result);

// --- choice.c: values of options

/** Find a text in names[n].
 * @param[in]  option  "kind", for the message
 * @param[in]  text    NULL: not given, which means the first name
 * @return ERR_USAGE no such name; the text lists them */
TUTTI_NODISCARD
tutti_status tutti_format_choice(const char *option, const char *text, const char *const *names, int n,
                                 int *index);

// --- options of the import of CSV

/** Whether the first line has the names of the columns.  AUTO takes it for names, and refuses it if it may be a row. */
typedef enum { TUTTI_HEADER_AUTO, TUTTI_HEADER_YES, TUTTI_HEADER_NO, TUTTI_N_HEADERS } tutti_import_header;

/** A header line (without one, columns are named 1, 2, ...), then numbers, except in the label column.  An empty
 * field, NA or NaN is an error. */
typedef struct {
  const char *file;
  const char *label;    // name of a column, or its number from 1
  double test_fraction; // in [0, 1); see tutti_import_split
  uint64_t seed;
  const char *output;
  tutti_import_kind kind;
  bool bytes; // store features as bytes, whole numbers 0..255; else as float32, or as float64 if they need it
  tutti_import_header header;
} tutti_import_csv_options;

// --- csv_header.c: the columns of a CSV file

typedef struct {
  tutti_texts names; // one per column
  int label;         // the column with the labels
  bool
      doubtful; // header AUTO, and all features have names that may be values of a row: numbers, missing values
} tutti_import_columns;

/** Take the names of the columns from the current record, or number the columns if header is NO, and find the label.
 * @param[in,out] columns  {0} before; the caller clears the names, also after a failure
 * @return ERR_DATA a column without a name of its own, a single column, or a header that may be a row; ERR_USAGE no
 * such label */
TUTTI_NODISCARD
tutti_status tutti_import_columns_read(const tutti_import_csv_options *options, const tutti_data_csv *csv,
                                       tutti_import_columns *columns);

/** Whether a field stands for a missing value: it is empty, or a word such as NA. */
bool tutti_import_is_missing(const char *field);

// --- import_csv.c

/** @return as tutti_format.import */
TUTTI_NODISCARD
tutti_status tutti_import_csv(const tutti_import_csv_options *options, tutti_import_result *result);

// --- import_svmlight.c

/** `label index:value ...` with ascending indices.  `# comments` and `qid:` are ignored. */
typedef struct {
  const char *train, *test; // test NULL: none
  const char *output;
  tutti_import_kind kind;
  tutti_index_base index_base;
  int64_t n_features; // 0: up to the largest index of both files
} tutti_import_svmlight_options;

/** @return as tutti_format.import */
TUTTI_NODISCARD
tutti_status tutti_import_svmlight(const tutti_import_svmlight_options *options, tutti_import_result *result);

// --- format.c: the list of the formats

#define X(code, word, sentence) extern const tutti_format tutti_format_##word;
#include "tutti/formats.def"
