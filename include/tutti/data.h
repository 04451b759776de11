#pragma once
/** A data set: one copy a node, in the type of the file, scaled while samples are gathered. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/io.h"
#include "tutti/par.h"

typedef enum {
  TUTTI_SCALE_AUTO, // bytes: as UNIT with the range of a byte (x / 255); other types: NONE
  TUTTI_SCALE_NONE,
  TUTTI_SCALE_UNIT,        // (x - min) / (max - min), one range over all features of the training rows
  TUTTI_SCALE_STANDARDIZE, // (x - mean) / deviation, one mean and deviation over all features
  TUTTI_SCALE_STANDARDIZE_FEATURES, // the same for each feature alone
  TUTTI_N_SCALES
} tutti_scale;
extern const char *const tutti_scale_names[TUTTI_N_SCALES];

#define TUTTI_X_VAL "x_val" // The names that validation rows have where nobody says another.
#define TUTTI_Y_VAL "y_val"

/** Names of arrays in the file; borrowed.  y may be x, by name or by a link: the targets are then the features, flattened
 * and scaled as these are.  A pair x, y that is NULL is not wanted; a test pair that is not in
 * the file is fine (there is no test set then), and so is a validation pair of the names above; half a pair is
 * an error. */
typedef struct {
  const char *file;
  const char *x_train, *y_train, *x_test, *y_test, *x_val, *y_val;
  const char *weights;      // of the training rows; NULL: they have none
  const char *unused, *why; // an array that is not wanted, which a line names where it is there; NULL: none
  int64_t limit_train, limit_test; // 0: all, else the first so many rows
  bool external;                   // numbers may come from files outside of the file's folder
} tutti_data_options;

typedef enum { TUTTI_ROWS_TRAIN, TUTTI_ROWS_TEST, TUTTI_ROWS_VALIDATION, TUTTI_N_ROWS } tutti_rows;

typedef struct tutti_dataset tutti_dataset;

/** Collective, options equal on all ranks.  The node's first rank reads into memory that the node shares.
 * @return (agreed) ERR_MISSING; ERR_DATA not HDF5, no such array (near names are listed), x and y of
 * different length, fewer than one row, text where numbers belong, a value that is not finite (with its row
 * and column); ERR_IO. The caller owns it; `comm` is borrowed. */
TUTTI_NODISCARD
tutti_status tutti_dataset_open(const tutti_comm *comm, const tutti_data_options *options,
                                tutti_dataset **dataset);

/** Collective.  One array without labels, as the test rows: what `predict` reads.  name NULL: the only array
 * of the file, or x_test. */
TUTTI_NODISCARD
tutti_status tutti_dataset_open_array(const tutti_comm *comm, const char *file, const char *name,
                                      bool external, tutti_dataset **dataset);
void tutti_dataset_close(tutti_dataset **dataset); // Collective.  Accepts NULL inside; nulls the handle.

const char *tutti_dataset_file(const tutti_dataset *dataset); // Local, borrowed.
bool tutti_dataset_has_unused(const tutti_dataset *dataset); // Local.  The file has the array options.unused.
int64_t tutti_dataset_n_rows(const tutti_dataset *dataset, tutti_rows which); // Local.  0: there are none.
int64_t
tutti_dataset_n_features(const tutti_dataset *dataset);        // Local.  Product of the dims after the first.
int64_t tutti_dataset_n_targets(const tutti_dataset *dataset); // Local.  Columns of y; 1 for y[N].

/** Local.  Whether x and y are one array, as an autoencoder wants it: a sample's targets are what gather gives for it, and
 * there is no second copy. */
bool tutti_dataset_targets_are_features(const tutti_dataset *dataset);

/** What makes a fingerprint: files say so beside it, but for those of earlier versions, which had another hash. */
enum { TUTTI_HASH_XXH64 = 1 };

/** Local.  A number that tells one set of training rows from another: equal on all ranks, whatever their number, and for
 * equal rows.
 * @param[in] hash  TUTTI_HASH_XXH64; any other: that of earlier versions, which reads all rows anew */
int64_t tutti_dataset_fingerprint(const tutti_dataset *dataset, int64_t hash);

/** Local.  Names of the classes, where the file has them (attribute "classes" of y_train); borrowed.  n = 0:
 * none. */
const char *const *tutti_dataset_classes(const tutti_dataset *dataset, int *n);

/** Local.  The same names of an array y in a file that is open: [n], free with tutti_file_list_free.  Another
 * program may have given the attribute another meaning: what is no list of texts, or has no name for some row,
 * is passed over with a warning. */
TUTTI_NODISCARD
tutti_status tutti_class_names_read(const tutti_file *file, const char *y, char ***names, int *n);

/** Local.  Every label of the rows is a class id in [0, n_classes), or y has n_classes columns that are one-hot, or soft:
 * probabilities that sum to 1.
 * @return ERR_DATA naming array, row, value and what is allowed */
TUTTI_NODISCARD
tutti_status tutti_dataset_check_classes(const tutti_dataset *dataset, int64_t n_classes);

/** Local.  Whether y has several columns and each of its rows a single 1, the others 0 or -1; not where y is x. */
bool tutti_dataset_is_one_hot(const tutti_dataset *dataset);

/** Local.  `fits` every number of every label; `expected` says in words what it takes.
 * @return ERR_DATA naming array, row, column, value and what is expected */
TUTTI_NODISCARD
tutti_status tutti_dataset_check_targets(const tutti_dataset *dataset, bool (*fits)(float),
                                         const char *expected);

/** What the numbers of features are: those stored as bytes say it by their type, the others by all their values. */
typedef enum {
  TUTTI_FEATURES_UNKNOWN,   // there are no rows, or a file of an earlier version does not say
  TUTTI_FEATURES_NUMBERS,   // none of what follows
  TUTTI_FEATURES_BYTES,     // stored as bytes, one of them above 1
  TUTTI_FEATURES_BYTE_BITS, // stored as bytes, all 0 or 1
  TUTTI_FEATURES_WHOLE,     // 0, 1, ... 255 in another type, one of them above 1
  TUTTI_FEATURES_BITS,      // all 0 or 1, in another type
  TUTTI_FEATURES_PARTS,     // bytes / 255
  TUTTI_N_FEATURES
} tutti_features;
extern const char *const tutti_features_names[TUTTI_N_FEATURES];

/** Local.  Of all rows of the part. */
tutti_features tutti_dataset_features(const tutti_dataset *dataset, tutti_rows which);

/** Replaces each of ids[n], numbers of samples, by its row of the training array. */
typedef void (*tutti_rows_at)(const void *context, int64_t n, int64_t *ids);

/** Collective over `comm`: the ranks of the data set, or a part of them, which then has a scaling of its own.
 * Take the scaling's numbers from the n training rows that `rows_at` names, each once (validation rows stay
 * out).  The same numbers on all these ranks, at any number of them.  Where one part alone is of bytes, the test rows
 * are scaled to the meaning that the training rows have.
 * @return (agreed) ERR_DATA that meaning cannot be told */
TUTTI_NODISCARD
tutti_status tutti_dataset_fit_scaling(const tutti_comm *comm, tutti_dataset *dataset, tutti_scale scale,
                                       tutti_rows_at rows_at, const void *context, int64_t n);

/** Collective.  A warning where `scale` is auto and the training rows hardly want what that does: bytes that are all 0
 * or 1, whole numbers 0 to 255 in another type, features of very different ranges; and where other rows are those
 * numbers / 255, or the reverse.  @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_dataset_advise(const tutti_comm *comm, const tutti_dataset *dataset, tutti_scale scale);

/** x = (raw - shift) * factor, [n] each, n = 1 or n_features; in float for bytes, else in double: features may be huge
 * against their deviation, as times in seconds are. */
typedef struct {
  int64_t n;
  const double *shift, *factor;
  tutti_features features; // of the rows it is for
} tutti_scaling_values;

/** Local.  Borrowed. */
tutti_scaling_values tutti_dataset_scaling(const tutti_dataset *dataset);

/** Local.  Use the scaling of a checkpoint; copied.  Rows of another type than values.features are scaled to the same
 * meaning, or warned of.  @return ERR_DATA where n is neither 1 nor n_features, or that meaning cannot be told */
TUTTI_NODISCARD
tutti_status tutti_dataset_set_scaling(tutti_dataset *dataset, tutti_scaling_values values);

/** Local.  x[n, n_features] = the scaled samples rows[n].  Rows are in range: the caller sees to it. */
void tutti_dataset_gather(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows, int64_t n,
                          float *x);

/** Local.  Their targets, where these are not the features: classes[n] (of labels with one column), or
 * values[n, n_targets]. */
void tutti_dataset_gather_classes(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows,
                                  int64_t n, int32_t *classes);
void tutti_dataset_gather_values(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows,
                                 int64_t n, float *values);

/** Local.  Whether the training rows have weights, and those of some of them, each finite and >= 0. */
bool tutti_dataset_has_weights(const tutti_dataset *dataset);
void tutti_dataset_gather_weights(const tutti_dataset *dataset, const int64_t *rows, int64_t n,
                                  float *weights);

// --- import: other formats into a data set file.  Local: one process.
//
// Inputs are read through zlib: plain or gzip.  The output is whole or absent, and never one of the inputs.
// It has x_train, y_train and, with a test part, x_test, y_test: chunked, deflated, with checksums.

/** What a label column holds.  AUTO decides by its labels over all rows:
 *  - a text among them: classes in order of name (bytes compared); but a text among real numbers is an
 *    error, and so are more than 100 different texts;
 *  - all whole numbers, of at most 100 different values: classes in ascending order, so 0..K-1 keep their
 *    ids;
 *  - other numbers: a regression.
 * CLASSES lifts the limits (up to 65536 classes), REGRESSION wants numbers.  Names of the classes in order of
 * id are the attribute "classes" of y_train and y_test.  y is bytes for up to 256 classes, int32 for more,
 * float32 for a regression. */
typedef enum {
  TUTTI_IMPORT_AUTO,
  TUTTI_IMPORT_CLASSES,
  TUTTI_IMPORT_REGRESSION,
  TUTTI_N_IMPORT_KINDS
} tutti_import_kind;
extern const char *const tutti_import_kind_names[TUTTI_N_IMPORT_KINDS];

/** Whether the first line names the columns.  AUTO takes it for names, and refuses where it may be a row. */
typedef enum { TUTTI_HEADER_AUTO, TUTTI_HEADER_YES, TUTTI_HEADER_NO, TUTTI_N_HEADERS } tutti_import_header;

/** CSV as RFC 4180 has it: a header line (without one columns are named 1, 2, ...), then numbers but for the
 * label column.  The separator is the one of
 * comma, semicolon and tab that the header holds most often.  An empty field, NA or NaN is an error: no value
 * is made up. */
typedef struct {
  const char *file;
  const char *label;    // a column's name, or its number from 1
  double test_fraction; // in [0, 1); round(N * fraction) rows, drawn by the seed, are the test part; rows
                        // keep their order
  uint64_t seed;
  const char *output;
  tutti_import_kind kind;
  bool bytes; // features are whole numbers 0..255 and stored as bytes; else as float32, or float64 where that
              // would merge values of a column or change whole numbers
  tutti_import_header header;
} tutti_import_csv_options;

/** Which index the first feature has.  AUTO: 1, or 0 where an index 0 occurs in either file. */
typedef enum {
  TUTTI_INDEX_AUTO,
  TUTTI_INDEX_FROM_0,
  TUTTI_INDEX_FROM_1,
  TUTTI_N_INDEX_BASES
} tutti_index_base;

/** svmlight / LIBSVM text: `label index:value ...`, indices ascending.  `# comments` and `qid:` are passed over. */
typedef struct {
  const char *train, *test; // test NULL: none
  const char *output;
  tutti_import_kind kind;
  tutti_index_base index_base;
  int64_t n_features; // 0: up to the largest index of both files
} tutti_import_svmlight_options;

/** What was written, for the report. */
typedef struct {
  int64_t n_train, n_test, n_validation, n_features;
  int n_classes;               // 0: a regression
  tutti_index_base index_base; // what svmlight's indices were counted from; AUTO: the format has none
} tutti_import_result;

typedef enum {
#define X(code, word, sentence) TUTTI_FORMAT_##code,
#include "tutti/formats.def"
  TUTTI_N_FORMATS
} tutti_format_code;

extern const char *const tutti_format_names[TUTTI_N_FORMATS];
extern const char *const tutti_format_sentences[TUTTI_N_FORMATS]; // for people: what the format is

enum { TUTTI_MAX_FORMAT_OPTIONS = 8 };

/** An option of a format, as a command line has it: --name=value. */
typedef struct {
  const char *name;  // NULL: no more
  const char *value; // what a usage line says of the value: "COLUMN", "auto|yes|no"
  bool required;
} tutti_format_option;

/** What a command line asks of a format.  All borrowed. */
typedef struct {
  const char *const *files; // [n_files]
  int n_files;
  const char *values[TUTTI_MAX_FORMAT_OPTIONS]; // in the order of the options; NULL: not given
  const char *output;
} tutti_import_request;

/** A format: one table in one file. */
typedef struct {
  const char *files; // in a usage line: "TRAIN [TEST]"
  int min_files, max_files;
  tutti_format_option options[TUTTI_MAX_FORMAT_OPTIONS]; // beside the output
  const char
      *help; // sentences on the options, in lines of at most 110 letters; they follow the one of the list
  /** @return as tutti_import_csv, and ERR_USAGE for a value that cannot be read */
  tutti_status (*import)(const tutti_import_request *request, tutti_import_result *result);
} tutti_format;

/** Local. */
const tutti_format *tutti_format_of(tutti_format_code code);

/** @return ERR_USAGE an option that is missing or fits nothing (with the columns there are); ERR_MISSING;
 * ERR_DATA with file, line and column; ERR_CREATE, ERR_IO.  Unless OK, the output is as it was before and
 * *result is not set. */
TUTTI_NODISCARD
tutti_status tutti_import_csv(const tutti_import_csv_options *options, tutti_import_result *result);
TUTTI_NODISCARD
tutti_status tutti_import_svmlight(const tutti_import_svmlight_options *options, tutti_import_result *result);
