#pragma once
/** The open data set, for all files that work on it.  Private to this room and its tests. */
#include "io/stamp.h"
#include "tutti/data.h"
#include "tutti/io.h"

/** One pair x, y in the file and in the window, the memory that the ranks of a node share. */
typedef struct {
  int64_t n_file;     // rows in the file
  int64_t n;          // rows in the window; 0: the pair does not exist
  tutti_type type;    // of x in the window: TUTTI_U8, TUTTI_F32 or TUTTI_F64
  int64_t x_at, y_at; // where they begin in the window, in bytes; y is float32 [n, n_targets]
  int64_t w_at;       // the same for the weights of the training rows, float32 [n]
  bool has_weights;
  bool y_is_x;             // the targets are the scaled features, and the window has no y
  tutti_features features; // the kind of numbers in x; known after x was read
} tutti_part;

typedef struct {
  tutti_part parts[TUTTI_N_ROWS];
  int64_t n_features;
  int64_t n_targets; // 0: no labels
  int64_t stamp_at;  // where the window has the stamp of the file that the ranks of its node have to read
  int64_t bytes;     // of the window
} tutti_layout;

struct tutti_dataset {
  const tutti_comm *comm; // borrowed
  char *file;
  tutti_trust trust;                                 // what the file may make the program do
  char *x_name[TUTTI_N_ROWS], *y_name[TUTTI_N_ROWS]; // NULL: not to be read
  char *w_name;                                      // NULL: the training rows have no weights
  bool has_unused;                                   // the file has the array options.unused
  int64_t limit[TUTTI_N_ROWS];
  tutti_file_stamp stamp; // of the file that this rank has read; zeros on ranks that read none
  tutti_layout layout;
  tutti_window *window;
  char *labels;         // owned: in place of a window, memory that has labels only
  const char **classes; // [n_classes], into class_text
  char *class_text;
  int n_classes;
  double *shift, *factor; // [n_features], the first n_scaling in use
  int64_t n_scaling;
  tutti_features trained_on; // the kind of rows that shift and factor are for
  double *own_scaling
      [TUTTI_N_ROWS];  // [2 n_features] shift and factor of a set of another kind; NULL: it has none
  int64_t fingerprint; // of the training rows
};

/** Call name_u8, name_f32 or name_f64, by the type of the numbers in the window. */
#define TUTTI_CALL_FOR_TYPE(type, name, ...)                                                                 \
  do {                                                                                                       \
    if ((type) == TUTTI_U8)                                                                                  \
      name##_u8(__VA_ARGS__);                                                                                \
    else if ((type) == TUTTI_F32)                                                                            \
      name##_f32(__VA_ARGS__);                                                                               \
    else                                                                                                     \
      name##_f64(__VA_ARGS__);                                                                               \
  } while (0)

// --- dataset.c: what is known of a data set

/** Local.  Borrowed: x [n, n_features] of the part's type. */
const void *tutti_dataset_x(const tutti_dataset *dataset, tutti_rows which);

/** Local.  Borrowed: y [n, n_targets], which does not exist if y_is_x. */
const float *tutti_dataset_y(const tutti_dataset *dataset, tutti_rows which);

/** Local.  Borrowed: [n] of the training rows, if they have weights. */
const float *tutti_dataset_weights(const tutti_dataset *dataset);

// --- layout.c: shapes of the arrays in the file

/** Local.  Shapes and types of the arrays that `dataset` names, checked against each other, and their places in the
 * window.
 * @param[in] stored  check also that all numbers of these arrays were stored.  This looks into each file of which a
 *                    virtual array is made, so one rank of a node does it for all
 * @return ERR_DATA, with the arrays that the file has; as tutti_file_check_stored */
TUTTI_NODISCARD
tutti_status tutti_dataset_read_layout(const tutti_file *file, const tutti_dataset *dataset, bool stored,
                                       tutti_layout *layout);

/** Local.  The array that tutti_dataset_open_array opens if no name is given.
 * @param[out] name  owned by the caller (tutti_free) */
TUTTI_NODISCARD
tutti_status tutti_data_only_array(const tutti_file *file, char **name);

// --- read.c: from the file to the window

/** Local.  Read all rows into the window; large data sets by several ranks of the node, each a share of the rows.
 * Note which version of the file was read.
 * @return ERR_DATA this file has another layout, or a number is not finite; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_dataset_read_rows(tutti_dataset *dataset);

/** Local.  Read the labels alone into d->labels, unless they are too large, and put their places into the layout.
 * @return ERR_DATA a number is not finite; ERR_IO; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_dataset_read_labels(tutti_dataset *dataset);

/** Collective.  Compute the fingerprint, and check that the ranks of a node have read the same file, and all nodes the
 * same rows.
 * @return (agreed) ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_dataset_compare_nodes(tutti_dataset *dataset);

// --- features.c: the kinds of numbers

/** Collective.  Find the kind of numbers in each part. */
TUTTI_NODISCARD
tutti_status tutti_dataset_find_features(tutti_dataset *dataset);

/** Local, after shift, factor and trained_on are set.  Make the own scaling of each part of another kind than
 * trained_on.
 * @return ERR_DATA the relation between the two kinds is unknown */
TUTTI_NODISCARD
tutti_status tutti_dataset_adapt_scaling(tutti_dataset *dataset);

/** Local.  Rank 0 warns if a part has whole numbers and the others have such numbers / 255: neither type says which is
 * meant. */
void tutti_dataset_warn_features(const tutti_dataset *dataset, tutti_features trained_on);

// --- scaling.c

/** Local.  Minimum, maximum and sum of each feature [n_features] over all training rows.
 * @param[in,out] sum  gets the values added */
void tutti_dataset_train_ranges(const tutti_dataset *dataset, double *min, double *max, double *sum);

// --- check.c

/** Local.  The index of the first of values[n] that is not finite in float32; n: all are. */
int64_t tutti_data_first_infinite(tutti_type type, const void *values, int64_t n);

/** Local.  Check that numbers are finite in float32.
 * @param[in] values  [n, width] of `type`: rows first, first + 1, ... of an array
 * @return ERR_DATA with file, array, row and column */
TUTTI_NODISCARD
tutti_status tutti_data_check_finite(const char *path, const char *name, tutti_type type, const void *values,
                                     int64_t first, int64_t n, int64_t width);

/** Local.  Check that no weight of a training row is below 0, and that one is above.
 * @return ERR_DATA with the row */
TUTTI_NODISCARD
tutti_status tutti_dataset_check_weights(const tutti_dataset *dataset);
