/** Samples of a data set, drawn with characters.  Called by cmd_info.c for --show. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/summary_impl.h"

/** Size of a sample as a picture; 0 columns: it is not a picture. */
typedef struct {
  int64_t rows, columns;
} picture;

/** Flat rows of integers with a square length are pictures in most data sets, for example 784 = 28 x 28. */
static picture picture_of(const tutti_array_shape *shape) {
  if (shape->n_dims == 3) return (picture){shape->dims[1], shape->dims[2]};
  const int64_t n = shape->n_dims == 2 ? shape->dims[1] : 1;
  const int64_t side = (int64_t)lround(sqrt((double)n));
  const bool square = n >= 16 && side * side == n && shape->type_class == TUTTI_CLASS_INTEGER;
  return square ? (picture){side, side} : (picture){0, 0};
}

/** Draw each point as two characters, which are about square together. */
static void draw(const double *x, picture size, double max) {
  static const char grey[] = " .:-=+*#%@";
  for (int64_t i = 0; i < size.rows; i++) {
    for (int64_t j = 0; j < size.columns; j++) {
      const double level = max > 0 ? x[i * size.columns + j] / max * 9 + 0.5 : 0;
      const char c = grey[level < 0 ? 0 : level > 9 ? 9 : (int)level];
      putchar(c);
      putchar(c);
    }
    putchar('\n');
  }
}

/** Print the first numbers of a sample, since rows may have thousands. */
static void list(const double *x, int64_t n) {
  enum { MOST = 32 };
  for (int64_t j = 0; j < n && j < MOST; j++) printf("%s%.6g", j ? " " : "", x[j]);
  printf("%s\n", n > MOST ? " ..." : "");
}

/** The largest value, at least 0; it is drawn in white. */
static double max_of(const double *x, int64_t n) {
  double max = 0;
  for (int64_t i = 0; i < n; i++)
    if (x[i] > max) max = x[i];
  return max;
}

/** Print the label of sample i, with the name of the class if the file has names. */
static tutti_status print_label(const tutti_file *file, const char *y, int64_t i, int64_t n_targets,
                                double *values) {
  TUTTI_TRY(tutti_file_read_rows(file, y, TUTTI_F64, i, 1, values));
  printf("sample %lld  label", (long long)i);
  for (int64_t k = 0; k < n_targets; k++) printf(" %.6g", values[k]);
  if (n_targets == 1 && tutti_file_has_texts(file, y, "classes")) {
    tutti_texts names;
    TUTTI_TRY(tutti_file_get_texts(file, y, "classes", &names));
    if (values[0] >= 0 && values[0] < names.n) printf(" (%s)", tutti_text_tame(names.list[(int)values[0]]));
    tutti_texts_clear(&names);
  }
  printf("\n");
  return TUTTI_OK;
}

int64_t tutti_cli_features_of(const tutti_array_shape *shape) {
  int64_t n = 1;
  for (int d = 1; d < shape->n_dims; d++) n *= shape->dims[d];
  return n;
}

/** The samples are read at once, because the largest of all values is white in each picture. */
tutti_status tutti_cli_print_samples(const tutti_file *file, const char *x, const char *y, int64_t n) {
  tutti_array_shape shape, label_shape;
  TUTTI_TRY(tutti_file_shape(file, x, &shape));
  TUTTI_TRY(tutti_file_shape(file, y, &label_shape));
  TUTTI_TRY(tutti_file_check_stored(file, x));
  TUTTI_TRY(tutti_file_check_stored(file, y));
  const int64_t n_features = tutti_cli_features_of(&shape), n_targets = tutti_cli_features_of(&label_shape);
  const picture size = picture_of(&shape);
  if (n > shape.dims[0]) n = shape.dims[0];
  double *samples = NULL, *label = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(samples, n * n_features));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(label, n_targets));
  TUTTI_TRY_GOTO(done, tutti_file_read_rows(file, x, TUTTI_F64, 0, n, samples));
  const double max = max_of(samples, n * n_features);
  for (int64_t i = 0; i < n; i++) {
    TUTTI_TRY_GOTO(done, print_label(file, y, i, n_targets, label));
    if (size.columns > 0)
      draw(samples + i * n_features, size, max);
    else
      list(samples + i * n_features, n_features);
  }
done:
  tutti_free(samples);
  tutti_free(label);
  return status;
}
