#pragma once
/** Writing what an import has read as a data set file.  Local. */
#include "data/labels.h"
#include "tutti/io.h"

/** Put the features of one row, counted as the file has them, into `x`. */
typedef void (*tutti_fill_row)(const void *context, int64_t row, void *x);

typedef struct {
  int64_t n_train, n_test, n_features;
  tutti_type type; // of x: TUTTI_U8, TUTTI_F32 or TUTTI_F64
  tutti_fill_row fill;
  const void *context;
  const int64_t *order; // [n_train + n_test] rows of the file, those for training first; NULL: as they are
  const tutti_labels *labels; // in order of the file
  const char *label_name;     // NULL: it has none
  const char *const *columns; // [n_features] names; NULL: they have none
} tutti_writing;

/** The whole file: x_train, y_train, and x_test, y_test where n_test > 0; attributes `classes` of y (names,
 * in order of id), `label` of y, `columns` of x.  y is bytes for up to 256 classes, int32 for more, float32
 * for a regression.
 * @return ERR_CREATE, ERR_IO; the file is whole or absent then */
TUTTI_NODISCARD
tutti_status tutti_write_dataset(const char *path, const tutti_writing *writing);

/** The level of deflate at which imports write; 8 and 9 take several times as long and save no 1 %. */
int tutti_write_level(tutti_type type);

/** Rows of `row_bytes` to hold in memory at a time. */
int64_t tutti_write_piece(int64_t row_bytes);

/** @return ERR_USAGE where the output is NULL or one of the inputs [n] (NULL among them: passed over) */
TUTTI_NODISCARD
tutti_status tutti_write_check_output(const char *output, const char *const *inputs, int n);
