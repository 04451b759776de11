#pragma once
/** Importing from formats that store one array per file, such as IDX and NumPy's.  Local. */
#include "data/input.h"
#include "tutti/data.h"

/** An open file that contains one array.  Its rows are read once, in order. */
typedef struct {
  tutti_input *input; // owned
  const char *option; // that gave the file, "x_train"; the array has this name in the output
  bool is_labels;
  int n_dims;
  int64_t dims[TUTTI_MAX_DIMS]; // the first one counts the samples
  int64_t row_items;            // product of the dims after the first
  tutti_type type;              // of the numbers in the output
  void *state;                  // the format's own, or NULL
} tutti_import_array;

typedef struct {
  const char *name; // "IDX", for messages
  /** Read everything before the numbers, and set n_dims, dims (those that fit), type and state. */
  tutti_status (*read_header)(tutti_import_array *array);
  /** The next n rows, as numbers of array->type.  No call asks for more rows than the first one. */
  tutti_status (*read_rows)(tutti_import_array *array, int64_t n, void *rows);
  void (*free_state)(tutti_import_array *array); // NULL: there is none
} tutti_array_format;

/** Check the number of dimensions.  read_header calls it, before it stores more than TUTTI_MAX_DIMS of them.
 * @param[in] max_label_dims  of a file with labels, 1 or 2
 * @return ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_import_check_n_dims(const tutti_import_array *array, int max_label_dims);

/** Import pairs of files into one data set.  The shapes stay what they are.
 * @param[in] options  [2 * n_pairs] names: x and y of the training rows, then of other rows
 * @param[in] values   [2 * n_pairs] paths; NULL: this file is not given
 * @return as tutti_import_csv */
TUTTI_NODISCARD
tutti_status tutti_import_pairs(const tutti_array_format *format, const tutti_format_option *options,
                                const char *const *values, int n_pairs, const char *output,
                                tutti_import_result *result);
