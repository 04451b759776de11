#pragma once
/** The data set: each node has one copy, in the number type of the file.  Samples are scaled when they are
 * gathered.  Import converts files of other formats to data set files. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/io.h"
#include "tutti/par.h"

/** The ways to scale raw numbers to x, the input of the network.  Each of them is x = (raw - shift) * factor. */
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

/** The file of a data set, and the names of its arrays; all borrowed.  If both names of a pair x, y are NULL, the
 * pair is not read.  If one of them is NULL, this is an error.  If the file does not have the test pair, the test
 * set is empty.  The same holds for the validation pair, if it has the default names.  y may be the same array as x,
 * by name or by a link.  The targets are then the features: they are flattened and scaled in the same way. */
typedef struct {
  const char *file;
  const char *x_train, *y_train, *x_test, *y_test, *x_val, *y_val;
  const char *weights;             // weights of the training rows; NULL: the rows have no weights
  const char *unused, *why;        // an array that is not read, and the reason for a log line; NULL: none
  int64_t limit_train, limit_test; // number of rows to read from the beginning; 0: all
  tutti_trust trust;               // what the file may make the program do
} tutti_data_options;

typedef enum { TUTTI_ROWS_TRAIN, TUTTI_ROWS_TEST, TUTTI_ROWS_VALIDATION, TUTTI_N_ROWS } tutti_rows;

typedef struct tutti_dataset tutti_dataset;

/** Collective, options equal on all ranks.  Open a data set.  The ranks of each node read the file into memory that
 * the node shares, by the threads of tutti_linalg_set_threads.
 * @param[in]  comm     borrowed until the data set is closed
 * @param[out] dataset  owned by the caller
 * @return (agreed) ERR_MISSING; ERR_IO; ERR_DATA: the file is not HDF5, an array does not exist (the message lists
 * similar names), x and y differ in length, there is no row, there is text instead of numbers, or a value is not
 * finite (the message names its row and column) */
TUTTI_NODISCARD
tutti_status tutti_dataset_open(const tutti_comm *comm, const tutti_data_options *options,
                                tutti_dataset **dataset);

/** Local, and without MPI.  Open a data set for the checks before a job: its shapes and types, and its labels if they
 * take at most 64 MiB.  It has no features and no weights.  Without labels, only names and numbers of rows and columns
 * can be asked for.
 * @param[out] dataset  owned by the caller
 * @return as tutti_dataset_open */
TUTTI_NODISCARD
tutti_status tutti_dataset_open_labels(const tutti_data_options *options, tutti_dataset **dataset);

/** Local.  Return true if the labels are in memory: always, except after tutti_dataset_open_labels. */
bool tutti_dataset_has_labels(const tutti_dataset *dataset);

/** Collective, arguments equal on all ranks.  Open one array without labels.  Its rows are the test rows of the data
 * set.  The command `predict` reads such arrays.
 * @param[in]  comm      borrowed until the data set is closed
 * @param[in]  name      NULL: the only array of the file, or x_test
 * @param[in]  trust    what the file may make the program do
 * @param[out] dataset   owned by the caller
 * @return as tutti_dataset_open */
TUTTI_NODISCARD
tutti_status tutti_dataset_open_array(const tutti_comm *comm, const char *file, const char *name,
                                      tutti_trust trust, tutti_dataset **dataset);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_dataset_close(tutti_dataset **dataset);

/** Local.  Return the path of the file; borrowed. */
const char *tutti_dataset_file(const tutti_dataset *dataset);

/** Local.  Return true if the file has the array that tutti_data_options.unused names. */
bool tutti_dataset_has_unused(const tutti_dataset *dataset);

/** Local.  Return the number of rows of a set; 0: the data set does not have this set. */
int64_t tutti_dataset_n_rows(const tutti_dataset *dataset, tutti_rows which);

/** Local.  Return how many numbers a sample has: the product of the dimensions of x after the first. */
int64_t tutti_dataset_n_features(const tutti_dataset *dataset);

/** Local.  Return the bytes of a training sample in memory: its features in their type, and its targets, unless they are
 * the features. */
int64_t tutti_dataset_sample_bytes(const tutti_dataset *dataset);

/** Local.  Return the number of columns of y, which is 1 for y[N]. */
int64_t tutti_dataset_n_targets(const tutti_dataset *dataset);

/** Local.  Return true if x and y are the same array, as for an autoencoder.  The targets of a sample are then the
 * numbers that tutti_dataset_gather writes, and memory has no second copy of them. */
bool tutti_dataset_targets_are_features(const tutti_dataset *dataset);

/** The number of the hash function that made a fingerprint.  Files store it beside the fingerprint.  Earlier
 * versions used another function and stored no number. */
enum { TUTTI_HASH_XXH64 = 1 };

/** Local.  Return a number that identifies the training rows.  It is equal on all ranks.  Equal rows give the same
 * number at any number of ranks.
 * @param[in] hash  TUTTI_HASH_XXH64.  Any other number means the hash function of earlier versions, which has to
 *                  read all rows again. */
int64_t tutti_dataset_fingerprint(const tutti_dataset *dataset, int64_t hash);

/** Local.  Return the names of the classes, which the file may have in the attribute "classes" of y_train.  They are
 * borrowed.
 * @param[out] n  number of names; 0: there are none */
const char *const *tutti_dataset_classes(const tutti_dataset *dataset, int *n);

/** Local.  Read the names of the classes of an array y in an open file.  Another program may have used the attribute
 * "classes" for something else.  So a value is ignored with a warning if it is not a list of texts, or if it has no
 * name for some row.
 * @param[out] names  empty if there are none; the caller frees them with tutti_texts_clear
 * @return ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_data_class_names_read(const tutti_file *file, const char *y, tutti_texts *names);

/** Local.  Check that the labels of all rows are class ids in [0, n_classes).  Labels with n_classes columns are
 * also right if each row is one-hot, or has probabilities with the sum 1.
 * @return ERR_DATA: the message names array, row, value and the values that are allowed */
TUTTI_NODISCARD
tutti_status tutti_dataset_check_classes(const tutti_dataset *dataset, int64_t n_classes);

/** Local.  Return true if y has several columns, and each row has a single 1 while its other numbers are 0 or -1.
 * Return false if y is the same array as x. */
bool tutti_dataset_is_one_hot(const tutti_dataset *dataset);

/** Local.  Check each number of each label.
 * @param[in] fits      returns true if a number is allowed
 * @param[in] expected  the allowed numbers in words, for the message
 * @return ERR_DATA: the message names array, row, column and value */
TUTTI_NODISCARD
tutti_status tutti_dataset_check_targets(const tutti_dataset *dataset, bool (*fits)(float),
                                         const char *expected);

/** The kinds of numbers that features are.  The type of the array shows if they are bytes.  All values
 * together show the other kinds. */
typedef enum {
  TUTTI_FEATURES_UNKNOWN,   // there are no rows, or the kind is missing in a file of an earlier version
  TUTTI_FEATURES_NUMBERS,   // none of the following
  TUTTI_FEATURES_BYTES,     // stored as bytes, at least one above 1
  TUTTI_FEATURES_BYTE_BITS, // stored as bytes, all 0 or 1
  TUTTI_FEATURES_WHOLE,     // whole numbers from 0 to 255 in another type, at least one above 1
  TUTTI_FEATURES_BITS,      // all 0 or 1, in another type
  TUTTI_FEATURES_PARTS,     // bytes / 255
  TUTTI_N_FEATURES
} tutti_features;
extern const char *const tutti_data_features_names[TUTTI_N_FEATURES];

/** Replace each of the sample numbers ids[n] by the number of its row in the training array. */
typedef void (*tutti_rows_at)(const void *context, int64_t n, int64_t *ids);

/** Collective over `comm`, which has all or some of the ranks of the data set.  Compute the scaling from n training
 * rows, without validation rows.  It holds for the ranks of `comm` only.  They all get the same numbers, at any
 * number of ranks.  If the sets are of different kinds, such as bytes and bytes / 255, the scaling of the other sets
 * is adapted, so that equal samples get equal numbers.
 * @param[in] rows_at  finds the rows of samples 0 to n - 1; no row appears twice
 * @param[in] context  passed to rows_at
 * @return (agreed) ERR_DATA: the relation between the two kinds is unknown; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_dataset_fit_scaling(const tutti_comm *comm, tutti_dataset *dataset, tutti_scale scale,
                                       tutti_rows_at rows_at, const void *context, int64_t n);

/** Collective.  Warn in these cases:
 * - The scale is auto, but does not suit the training rows.  They are bytes that are all 0 or 1, or whole numbers
 *   from 0 to 255 in another type, or features with very different ranges.
 * - The numbers of other rows are those of the training rows / 255, or the reverse.
 * - Targets lie so far from 0 that float32 has too few digits for their differences.
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_dataset_advise(const tutti_comm *comm, const tutti_dataset *dataset, tutti_scale scale);

/** A scaling: x = (raw - shift) * factor.  Bytes are scaled in float.  Other types are scaled in double, because
 * some features are huge compared to their deviation, for example times in seconds. */
typedef struct {
  int64_t n;                    // n_features, or 1 if all features have the same shift and factor
  const double *shift, *factor; // [n]
  tutti_features features;      // the kind of features that this scaling was made for
} tutti_scaling_values;

/** Local.  Return the scaling of the data set; its arrays are borrowed. */
tutti_scaling_values tutti_dataset_scaling(const tutti_dataset *dataset);

/** Local.  Use a scaling that was computed before, such as that of a checkpoint.  If the features of the data set
 * are of another kind than values.features, the scaling is adapted to them, or a warning tells the difference.
 * @param[in] values  copied
 * @return ERR_DATA: values.n is neither 1 nor n_features, or the relation between the two kinds is unknown */
TUTTI_NODISCARD
tutti_status tutti_dataset_set_scaling(tutti_dataset *dataset, tutti_scaling_values values);

/** Local.  Write the scaled features of samples, by the threads of this rank.
 * @param[in]  rows  [n] each in [0, n_rows), which is not checked
 * @param[out] x     [n, n_features] */
void tutti_dataset_gather(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows, int64_t n,
                          float *x);

/** Local.  How many samples stay in a cache until the next step gathers them; 0 if not even one does. */
int64_t tutti_dataset_n_prefetched(const tutti_dataset *dataset, tutti_rows which);

/** Local.  Ask the processor for the features of samples that are gathered soon.  This changes nothing but the time.
 * @param[in] rows  [n] each in [0, n_rows), which is not checked
 * @param[in] n     at most tutti_dataset_n_prefetched */
void tutti_dataset_prefetch(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows, int64_t n);

/** Local.  Copy the class ids of samples, if labels have one column.  Do not call it if the targets are the
 * features.
 * @param[in]  rows     [n] each in [0, n_rows), which is not checked
 * @param[out] classes  [n] */
void tutti_dataset_gather_classes(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows,
                                  int64_t n, int32_t *classes);

/** Local.  Copy the targets of samples.  Do not call it if the targets are the features.
 * @param[in]  rows    [n] each in [0, n_rows), which is not checked
 * @param[out] values  [n, n_targets] */
void tutti_dataset_gather_values(const tutti_dataset *dataset, tutti_rows which, const int64_t *rows,
                                 int64_t n, float *values);

/** Local.  Return true if the training rows have weights. */
bool tutti_dataset_has_weights(const tutti_dataset *dataset);

/** Local.  Copy the weights of training samples.
 * @param[in]  rows     [n] each in [0, n_rows), which is not checked
 * @param[out] weights  [n] each finite and >= 0 */
void tutti_dataset_gather_weights(const tutti_dataset *dataset, const int64_t *rows, int64_t n,
                                  float *weights);

// --- import: from other formats to a data set file
//
// All functions are local: one process imports.  Inputs are plain files or gzip files.  The output file is complete or
// absent, and is never one of the inputs.  It has the arrays x_train and y_train.  If there is a test part, it also has
// x_test and y_test.  The arrays are stored in chunks, compressed (deflate), and with checksums.

/** The meaning of a label column.  AUTO decides by the labels of all rows:
 * - If a label is a text, the labels are classes in the order of their names, compared byte by byte.  It is an error
 *   if other labels are numbers that are not whole, or if there are more than 100 different labels.
 * - If all labels are whole numbers with at most 100 different values, they are classes in ascending order.  So
 *   0..K-1 keep their ids.
 * - Other numbers are a regression.
 *
 * CLASSES accepts all labels as classes, up to 65536 different ones.  REGRESSION requires numbers.
 *
 * The attribute "classes" of y_train and y_test has the names of the classes, in the order of their ids.  y is
 * stored as bytes for up to 256 classes, as int32 for more classes, and as float32 for a regression. */
typedef enum {
  TUTTI_IMPORT_AUTO,
  TUTTI_IMPORT_CLASSES,
  TUTTI_IMPORT_REGRESSION,
  TUTTI_N_IMPORT_KINDS
} tutti_import_kind;
extern const char *const tutti_import_kind_names[TUTTI_N_IMPORT_KINDS];

/** The index of the first feature in a svmlight file.  AUTO means 1, or 0 if an index 0 occurs in one of the files. */
typedef enum {
  TUTTI_INDEX_AUTO,
  TUTTI_INDEX_FROM_0,
  TUTTI_INDEX_FROM_1,
  TUTTI_N_INDEX_BASES
} tutti_index_base;

/** The numbers of rows, features and classes that an import wrote. */
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
extern const char *const tutti_format_sentences[TUTTI_N_FORMATS]; // one sentence per format for the help

enum { TUTTI_MAX_FORMAT_OPTIONS = 8 };

/** An option of a format, --name=value on a command line. */
typedef struct {
  const char *name;  // NULL: the list ends here
  const char *value; // its value in a usage line, such as "COLUMN" or "auto|yes|no"
  bool required;
} tutti_format_option;

/** The files and options that a command line gives; all borrowed. */
typedef struct {
  const char *const *files; // [n_files]
  int n_files;
  const char *values[TUTTI_MAX_FORMAT_OPTIONS]; // in the order of the options; NULL: not given
  const char *output;
} tutti_import_request;

/** A format that can be imported. */
typedef struct {
  const char *files; // the files in a usage line, such as "TRAIN [TEST]"
  int min_files, max_files;
  tutti_format_option options[TUTTI_MAX_FORMAT_OPTIONS]; // all options except for the output
  const char *help; // sentences on the options for the help, in lines of at most 110 letters
  /** Import files.  Unless it returns OK, the output is as it was before, and *result is not set.
   * @return ERR_USAGE: an option is missing, cannot be read, or does not fit the file (the message lists the columns
   * that exist); ERR_MISSING; ERR_DATA: the message names file, line and column; ERR_CREATE; ERR_IO */
  tutti_status (*import)(const tutti_import_request *request, tutti_import_result *result);
} tutti_format;

/** Local.  Return the format of this code, which is a constant. */
const tutti_format *tutti_format_of(tutti_format_code code);
