#pragma once
/** The data set: one copy per node, in the number type of the file.  Samples are scaled when they are gathered.  Import makes
 * data set files of files in other formats. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/io.h"
#include "tutti/par.h"

/** How raw numbers become the network's input, x = (raw - shift) * factor. */
typedef enum {
  TUTTI_SCALE_AUTO,        // x / 255 for bytes, NONE for other types
  TUTTI_SCALE_NONE,        // x
  TUTTI_SCALE_UNIT,        // (x - min) / (max - min), one range over all features of the training rows
  TUTTI_SCALE_STANDARDIZE, // (x - mean) / deviation, one mean and one deviation over all features
  TUTTI_SCALE_STANDARDIZE_FEATURES, // the same for each feature by itself
  TUTTI_N_SCALES
} tutti_scale;
extern const char *const tutti_data_scale_names[TUTTI_N_SCALES];

#define TUTTI_X_VAL "x_val" // The default names of the validation arrays.
#define TUTTI_Y_VAL "y_val"

/** Names of arrays in the file; borrowed.  A pair x, y that is NULL is not read.  Half a pair is an error.  The file may lack
 * the test pair, and the validation pair if it has the default names; there is no such set then.  y may be the same array as
 * x, by name or by a link: the targets are then the features, flattened and scaled like these. */
typedef struct {
  const char *file;
  const char *x_train, *y_train, *x_test, *y_test, *x_val, *y_val;
  const char *weights; // of the training rows; NULL: they have none
  const char *unused,
      *why; // an array that is not read, and the reason; a log line names it if the file has it
  int64_t limit_train, limit_test; // number of rows to read from the beginning; 0: all
  bool external;                   // whether the numbers may lie in files outside the folder of the file
} tutti_data_options;

typedef enum { TUTTI_ROWS_TRAIN, TUTTI_ROWS_TEST, TUTTI_ROWS_VALIDATION, TUTTI_N_ROWS } tutti_rows;

typedef struct tutti_dataset tutti_dataset;

/** Open a data set.  Collective, options equal on all ranks.  The first rank of each node reads the file into memory that the
 * node shares.
 * @param[in]  comm     borrowed until the data set is closed
 * @param[out] dataset  owned by the caller
 * @return (agreed) ERR_MISSING; ERR_IO; ERR_DATA not HDF5, no such array (the text lists similar names), x and y of different
 * length, no row, text instead of numbers, a value that is not finite (with its row and column) */
TUTTI_NODISCARD
tutti_status tutti_dataset_open(const tutti_comm *comm, const tutti_data_options *options,
                                tutti_dataset **dataset);

/** Open one array without labels, as the test rows; `predict` reads such arrays.  Collective.
 * @param[in] name  NULL: the only array of the file, or x_test
 * @return as tutti_dataset_open */
TUTTI_NODISCARD
tutti_status tutti_dataset_open_array(const tutti_comm *comm, const char *file, const char *name,
                                      bool external, tutti_dataset **dataset);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_dataset_close(tutti_dataset **dataset);

/** Local.  The path of the file; borrowed. */
const char *tutti_dataset_file(const tutti_dataset *dataset);

/** Local.  Whether the file has the array options.unused. */
bool tutti_dataset_has_unused(const tutti_dataset *dataset);

/** Local.  Number of rows that were read; 0: the set does not exist. */
int64_t tutti_dataset_n_rows(const tutti_dataset *dataset, tutti_rows which);

/** Local.  Numbers per sample: the product of the dimensions of x after the first. */
int64_t tutti_dataset_n_features(const tutti_dataset *dataset);

/** Local.  Columns of y; 1 for y[N]. */
int64_t tutti_dataset_n_targets(const tutti_dataset *dataset);

/** Local.  Whether x and y are one array, as for an autoencoder.  The targets of a sample are then the numbers that
 * tutti_dataset_gather returns, and there is no second copy of them. */
bool tutti_dataset_targets_are_features(const tutti_dataset *dataset);

/** The hash of a fingerprint.  Files store this number beside the fingerprint.  Files of earlier versions have another hash
 * and no such number. */
enum { TUTTI_HASH_XXH64 = 1 };

/** Local.  A number that identifies the training rows.  It is equal on all ranks, and for equal rows at any number of ranks.
 * @param[in] hash  TUTTI_HASH_XXH64; any other number: the hash of earlier versions, for which all rows are read again */
int64_t tutti_dataset_fingerprint(const tutti_dataset *dataset, int64_t hash);

/** Local.  Names of the classes if the file has them (attribute "classes" of y_train); borrowed.
 * @param[out] n  number of names; 0: there are none */
const char *const *tutti_dataset_classes(const tutti_dataset *dataset, int *n);

/** Read the names of the classes of an array y in an open file.  Local.  Another program may have given the attribute another
 * meaning: a value that is not a list of texts, or that lacks a name for some row, is ignored with a warning.
 * @param[out] names  to be freed with tutti_texts_clear; empty if there are none */
TUTTI_NODISCARD
tutti_status tutti_data_class_names_read(const tutti_file *file, const char *y, tutti_texts *names);

/** Check that the labels of all rows are class ids in [0, n_classes), or that y has n_classes columns whose rows are one-hot
 * or probabilities with the sum 1.  Local.
 * @return ERR_DATA with array, row, value and the values that are allowed */
TUTTI_NODISCARD
tutti_status tutti_dataset_check_classes(const tutti_dataset *dataset, int64_t n_classes);

/** Local.  Whether y has several columns, and each of its rows has a single 1 and otherwise 0 or -1.  False if y is x. */
bool tutti_dataset_is_one_hot(const tutti_dataset *dataset);

/** Check that each number of each label fits.  Local.
 * @param[in] fits      says whether one number does
 * @param[in] expected  the allowed numbers in words, for the message
 * @return ERR_DATA with array, row, column and value */
TUTTI_NODISCARD
tutti_status tutti_dataset_check_targets(const tutti_dataset *dataset, bool (*fits)(float),
                                         const char *expected);

/** The kinds of numbers that features are.  Bytes are known by their type, the others by looking at all values. */
typedef enum {
  TUTTI_FEATURES_UNKNOWN,   // there are no rows, or a file of an earlier version does not say it
  TUTTI_FEATURES_NUMBERS,   // none of the following
  TUTTI_FEATURES_BYTES,     // stored as bytes, at least one above 1
  TUTTI_FEATURES_BYTE_BITS, // stored as bytes, all 0 or 1
  TUTTI_FEATURES_WHOLE,     // whole numbers from 0 to 255 in another type, at least one above 1
  TUTTI_FEATURES_BITS,      // all 0 or 1, in another type
  TUTTI_FEATURES_PARTS,     // bytes / 255
  TUTTI_N_FEATURES
} tutti_features;
extern const char *const tutti_data_features_names[TUTTI_N_FEATURES];

/** Local.  The kind of numbers in all rows of a set. */
tutti_features tutti_dataset_features(const tutti_dataset *dataset, tutti_rows which);

/** Replace each of ids[n], numbers of samples, by its row of the training array. */
typedef void (*tutti_rows_at)(const void *context, int64_t n, int64_t *ids);

/** Compute the scaling from n training rows; validation rows are not among them.  Collective over `comm`, which has the ranks
 * of the data set or some of them, and these then have a scaling of their own.  All these ranks get the same numbers, and
 * they do not depend on the number of ranks.  If only one of the sets is stored as bytes, the other sets are scaled so that
 * equal pictures get equal numbers.
 * @param[in] rows_at  finds the rows of samples 0 to n - 1; each row appears once
 * @param[in] context  of rows_at
 * @return (agreed) ERR_DATA that the relation between bytes and the other numbers is unknown */
TUTTI_NODISCARD
tutti_status tutti_dataset_fit_scaling(const tutti_comm *comm, tutti_dataset *dataset, tutti_scale scale,
                                       tutti_rows_at rows_at, const void *context, int64_t n);

/** Warn if the scale is auto and does not suit the training rows: bytes that are all 0 or 1, whole numbers from 0 to 255 in
 * another type, or features with very different ranges.  Warn also if other rows are the same numbers / 255, or the reverse.
 * Collective.
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_dataset_advise(const tutti_comm *comm, const tutti_dataset *dataset, tutti_scale scale);

/** x = (raw - shift) * factor.  The arithmetic is in float for bytes, else in double, because features may be huge compared
 * to their deviation, for example times in seconds. */
typedef struct {
  int64_t n;                    // 1: the same for all features; else n_features
  const double *shift, *factor; // [n]
  tutti_features features;      // the kind of rows that these numbers are for
} tutti_scaling_values;

/** Local.  Borrowed. */
tutti_scaling_values tutti_dataset_scaling(const tutti_dataset *dataset);

/** Use the scaling of a checkpoint, which is copied.  Local.  Rows of another kind than values.features are scaled to the
 * same meaning, or a warning names them.
 * @return ERR_DATA n is neither 1 nor n_features, or the relation between the two kinds is unknown */
TUTTI_NODISCARD
tutti_status tutti_dataset_set_scaling(tutti_dataset *dataset, tutti_scaling_values values);

/** Scale samples.  Local.
 * @param[in]  rows  [n] each in [0, n_rows), which is not checked
 * @param[out] x     [n, n_features] */
void tutti_dataset_gather(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows, int64_t n,
                          float *x);

/** Copy class ids of labels with one column.  Local.  Not for targets that are the features.
 * @param[in]  rows     [n] each in [0, n_rows)
 * @param[out] classes  [n] */
void tutti_dataset_gather_classes(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows,
                                  int64_t n, int32_t *classes);

/** Copy targets.  Local.  Not for targets that are the features.
 * @param[in]  rows    [n] each in [0, n_rows)
 * @param[out] values  [n, n_targets] */
void tutti_dataset_gather_values(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows,
                                 int64_t n, float *values);

/** Local.  Whether the training rows have weights. */
bool tutti_dataset_has_weights(const tutti_dataset *dataset);

/** Copy weights of training rows.  Local.
 * @param[in]  rows     [n] each in [0, n_rows)
 * @param[out] weights  [n] each finite and >= 0 */
void tutti_dataset_gather_weights(const tutti_dataset *dataset, const int64_t *rows, int64_t n,
                                  float *weights);

// --- import: from other formats to a data set file.  Local: one process.
//
// Inputs are plain or gzip.  The output is complete or absent, and never one of the inputs.  It has x_train, y_train and, if
// there is a test part, x_test and y_test: in chunks, deflated, with checksums.

/** The meaning of a label column.  AUTO decides by the labels of all rows:
 *  - if a label is a text, the labels are classes in order of name (bytes compared); but a text among real numbers is an
 *    error, and more than 100 different texts are, too;
 *  - if all are whole numbers of at most 100 different values, they are classes in ascending order, so 0..K-1 keep their ids;
 *  - other numbers are a regression.
 * CLASSES lifts the limits (up to 65536 classes); REGRESSION requires numbers.  The attribute "classes" of y_train and
 * y_test has the names of the classes in order of id.  y is bytes for up to 256 classes, int32 for more, float32 for a
 * regression. */
typedef enum {
  TUTTI_IMPORT_AUTO,
  TUTTI_IMPORT_CLASSES,
  TUTTI_IMPORT_REGRESSION,
  TUTTI_N_IMPORT_KINDS
} tutti_import_kind;
extern const char *const tutti_import_kind_names[TUTTI_N_IMPORT_KINDS];

/** The index of the first feature in a svmlight file.  AUTO: 1, or 0 if an index 0 occurs in one of the files. */
typedef enum {
  TUTTI_INDEX_AUTO,
  TUTTI_INDEX_FROM_0,
  TUTTI_INDEX_FROM_1,
  TUTTI_N_INDEX_BASES
} tutti_index_base;

/** The report on what an import wrote. */
typedef struct {
  int64_t n_train, n_test, n_validation, n_features;
  int n_classes;               // 0: a regression
  tutti_index_base index_base; // AUTO: the format has no indices
} tutti_import_result;

typedef enum {
#define X(code, word, sentence) TUTTI_FORMAT_##code,
#include "tutti/formats.def"
  TUTTI_N_FORMATS
} tutti_format_code;

extern const char *const tutti_format_names[TUTTI_N_FORMATS];
extern const char *const tutti_format_sentences[TUTTI_N_FORMATS]; // for people: a description of the format

enum { TUTTI_MAX_FORMAT_OPTIONS = 8 };

/** An option of a format, --name=value on a command line. */
typedef struct {
  const char *name;  // NULL: the list ends here
  const char *value; // in a usage line: "COLUMN", "auto|yes|no"
  bool required;
} tutti_format_option;

/** The values of a command line.  All borrowed. */
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
  const char *
      help; // sentences on the options, in lines of at most 110 letters; they follow the sentence of the list
  /** Import files.  Unless it returns OK, the output is as it was before and *result is not set.
   * @return ERR_USAGE an option is missing, cannot be read, or fits nothing (with the columns that exist); ERR_MISSING;
   * ERR_DATA with file, line and column; ERR_CREATE; ERR_IO */
  tutti_status (*import)(const tutti_import_request *request, tutti_import_result *result);
} tutti_format;

/** Local. */
const tutti_format *tutti_format_of(tutti_format_code code);
