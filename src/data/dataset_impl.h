#pragma once
/** What the files of this room share about an open data set. */
#include "tutti/data.h"
#include "tutti/io.h"

/** One pair x, y: as the file has it, and as it lies in the window. */
typedef struct {
  int64_t n_file;     // rows in the file
  int64_t n;          // rows taken; 0: the pair is not there
  tutti_type type;    // of x in the window: TUTTI_U8, TUTTI_F32 or TUTTI_F64
  int64_t x_at, y_at; // where they begin in the window, in bytes; y is float32 [n, n_targets]
  int64_t w_at;       // of the training rows' weights, float32 [n]
  bool has_weights;
  bool y_is_x;             // the targets are the scaled features, and there is no y
  tutti_features features; // what is in x; found after it was read
} tutti_part;

typedef struct {
  tutti_part parts[TUTTI_N_ROWS];
  int64_t n_features;
  int64_t n_targets; // 0: no labels
  int64_t bytes;     // of the window
} tutti_layout;

struct tutti_dataset {
  const tutti_comm *comm; // borrowed
  char *file;
  bool external;                                     // it may lead to others outside of its folder
  char *x_name[TUTTI_N_ROWS], *y_name[TUTTI_N_ROWS]; // NULL: not wanted
  char *w_name;                                      // NULL: the training rows have no weights
  bool has_unused;                                   // the file has the array that is not wanted
  int64_t limit[TUTTI_N_ROWS];
  tutti_layout layout;
  tutti_window *window;
  const char **classes; // [n_classes], into class_text
  char *class_text;
  int n_classes;
  double *shift, *factor; // [n_features], the first n_scaling in use
  int64_t n_scaling;
  tutti_features trained_on; // the rows that shift and factor are for
  double *own_scaling
      [TUTTI_N_ROWS];  // [2 n_features] shift and factor of a part that is of another type; NULL: it is not
  int64_t fingerprint; // of the training rows
};

/** Local.  Shapes and types of the arrays that `dataset` names, checked against each other, and their places
 * in the window.
 * @return ERR_DATA with the arrays that are there */
TUTTI_NODISCARD
tutti_status tutti_layout_read(const tutti_file *file, const tutti_dataset *dataset, tutti_layout *layout);

/** Local.  The name that tutti_dataset_open_array takes where none is given; the caller's (tutti_free). */
TUTTI_NODISCARD
tutti_status tutti_layout_only_array(const tutti_file *file, char **name);

/** Local.  Read all rows into the window.  @return ERR_DATA where this file is not as the layout says, or not
 * finite; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_rows_read(const tutti_dataset *dataset);

/** Collective.  Sets the fingerprint; what the nodes have read is the same on all of them.
 * @return (agreed) ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_rows_compare(tutti_dataset *dataset);

/** Collective.  Sets what the features of each part are. */
TUTTI_NODISCARD
tutti_status tutti_features_find(tutti_dataset *dataset);

/** Local.  After shift, factor and trained_on are set: the parts' own scaling.  @return ERR_DATA a part is of another
 * type than trained_on, and its scale cannot be told */
TUTTI_NODISCARD
tutti_status tutti_features_adapt(tutti_dataset *dataset);

/** Local.  Rank 0 warns of parts that are whole numbers where the others are these / 255: none of them says by its type
 * what is meant. */
void tutti_features_warn(const tutti_dataset *dataset, tutti_features trained_on);

/** Local.  Least and largest value and sum of each feature [n_features] over all training rows.
 * @param[in,out] sum  is added to */
void tutti_train_ranges(const tutti_dataset *dataset, double *min, double *max, double *sum);

/** Local.  values [n, width] of `type`, rows first, first + 1, ... of an array, are finite and fit into
 * float32.
 * @return ERR_DATA naming file, array, row and column */
TUTTI_NODISCARD
tutti_status tutti_check_finite(const char *path, const char *name, tutti_type type, const void *values,
                                int64_t first, int64_t n, int64_t width);

/** Local.  The training rows' weights are no less than 0, and one is more.  @return ERR_DATA naming the row */
TUTTI_NODISCARD
tutti_status tutti_check_weights(const tutti_dataset *dataset);

/** Local.  Borrowed: x [n, n_features] of the part's type, y [n, n_targets], which is not there where y_is_x. */
const void *tutti_dataset_x(const tutti_dataset *dataset, tutti_rows which);
const float *tutti_dataset_y(const tutti_dataset *dataset, tutti_rows which);
const float *
tutti_dataset_weights(const tutti_dataset *dataset); // [n] of the training rows; where there are some.
