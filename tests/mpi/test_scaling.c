#include <math.h>
#include <string.h>

#include "dataset_file.h"

enum { N = 6, WIDTH = 3, N_FIT = 4 };

// Column 2 is constant: 0.1 is no sum of powers of two, and the mean of six of them is not 0.1.
static const double x[N * WIDTH] = {1, -5, 0.1, 2,    0,    0.1, 4,     5, 0.1,
                                    9, 2,  0.1, 1000, 1000, 0.1, -1000, 3, 0.1};
static const int64_t y[N] = {0, 1, 2, 0, 1, 2};

static tutti_dataset *open_type(const tutti_comm *comm, const char *folder, tutti_type type) {
  char path[PATH_BYTES];
  float x_f32[N * WIDTH];
  uint8_t x_u8[N * WIDTH];
  for (int i = 0; i < N * WIDTH; i++) {
    x_f32[i] = (float)x[i];
    x_u8[i] = (uint8_t)(i * 7);
  }
  const void *data = type == TUTTI_U8    ? (const void *)x_u8
                     : type == TUTTI_F32 ? (const void *)x_f32
                                         : (const void *)x;
  const given_array arrays[] = {{"x_train", type, 2, {N, WIDTH}, data}, {"y_train", TUTTI_I64, 1, {N}, y}};
  put_dataset(comm, scratch_path(folder, "d.h5", path), arrays, 2, NULL, 0);
  return open_usual(comm, path);
}

/** The training rows are 3, 2, 1, 0: the others are held out. */
static void backwards(const void *context, int64_t n, int64_t *ids) {
  for (int64_t i = 0; i < n; i++) ids[i] = *(const int64_t *)context - ids[i];
}

static const int64_t from = N_FIT - 1;

static void expect_value(const tutti_dataset *d, int64_t j, double shift, double factor) {
  const tutti_scaling_values s = tutti_dataset_scaling(d);
  EXPECT(fabs((double)s.shift[j] - shift) <= 1e-6 * fabs(shift), "shift %lld: %.9g, expected %.9g",
         (long long)j, (double)s.shift[j], shift);
  EXPECT(fabs((double)s.factor[j] - factor) <= 1e-6 * fabs(factor), "factor %lld: %.9g, expected %.9g",
         (long long)j, (double)s.factor[j], factor);
}

/** Collective.  Every rank has the same bits; the scaled rows are those of the formula. */
static void expect_consistent(const tutti_comm *comm, const tutti_dataset *d, int64_t n) {
  const tutti_scaling_values s = tutti_dataset_scaling(d);
  if (!EXPECT(s.n == n, "%lld values", (long long)s.n)) return;
  double least[2 * WIDTH], most[2 * WIDTH], scaled[N * WIDTH];
  for (int64_t j = 0; j < n; j++) {
    least[j] = most[j] = (double)s.shift[j];
    least[n + j] = most[n + j] = (double)s.factor[j];
  }
  EXPECT_OK(tutti_comm_min(comm, least, 2 * n));
  EXPECT_OK(tutti_comm_max(comm, most, 2 * n));
  EXPECT(memcmp(least, most, (size_t)(2 * n) * sizeof *least) == 0, "ranks differ");
  for (int i = 0; i < N * WIDTH; i++) {
    const int64_t j = n == 1 ? 0 : i % WIDTH;
    scaled[i] = (x[i] - (double)s.shift[j]) * (double)s.factor[j];
  }
  expect_rows(d, TUTTI_ROWS_TRAIN, scaled, 2e-4);
}

static void scaling_comes_from_the_training_rows(const tutti_comm *comm) {
  char *folder = scratch_make(comm);
  if (!folder) return;
  const tutti_type types[] = {TUTTI_F32, TUTTI_F64};
  for (int t = 0; t < 2; t++) {
    tutti_dataset *d = open_type(comm, folder, types[t]);
    if (!d) break;
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_AUTO, backwards, &from, N_FIT));
    expect_value(d, 0, 0, 1);
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_UNIT, backwards, &from, N_FIT));
    expect_consistent(comm, d, 1);
    expect_value(d, 0, -5, 1.0 / 14);
    double mean = 0, square = 0;
    for (int i = 0; i < N_FIT * WIDTH; i++) mean += x[i] / (N_FIT * WIDTH);
    for (int i = 0; i < N_FIT * WIDTH; i++) square += (x[i] - mean) * (x[i] - mean) / (N_FIT * WIDTH);
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_STANDARDIZE, backwards, &from, N_FIT));
    expect_consistent(comm, d, 1);
    expect_value(d, 0, mean, 1 / sqrt(square));
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_STANDARDIZE_FEATURES, backwards, &from, N_FIT));
    expect_consistent(comm, d, WIDTH);
    expect_value(d, 0, 4, 1 / sqrt((9 + 4 + 0 + 25) / 4.0));
    expect_value(d, 1, 0.5, 1 / sqrt((5.5 * 5.5 + 0.25 + 4.5 * 4.5 + 1.5 * 1.5) / 4));
    expect_value(d, 2, 0.1, 1);
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_NONE, backwards, &from, N_FIT));
    expect_consistent(comm, d, 1);
    tutti_dataset_close(&d);
  }
  scratch_remove(comm, folder);
}

/** Seconds since 1970, say: neither mean nor minimum is a float, nor is the mean of the floats. */
static void features_far_from_0_have_mean_0(const tutti_comm *comm) {
  enum { ROWS = 400 };
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  static const int64_t last = ROWS - 1, labels[ROWS] = {1};
  double values[ROWS];
  float floats[ROWS], scaled[ROWS];
  int64_t rows[ROWS];
  for (int i = 0; i < ROWS; i++) {
    values[i] = 1700000040 + i * 7 % 5 / 4.0;
    floats[i] = (float)(1700000000 + i % 4 / 3 * 128);
    rows[i] = i;
  }
  for (int t = 0; t < 2; t++) {
    const given_array arrays[] = {
        {"x_train", t ? TUTTI_F64 : TUTTI_F32, 2, {ROWS, 1}, t ? (const void *)values : (const void *)floats},
        {"y_train", TUTTI_I64, 1, {ROWS}, labels}};
    put_dataset(comm, scratch_path(folder, "far.h5", path), arrays, 2, NULL, 0);
    tutti_dataset *d = open_usual(comm, path);
    if (!d) break;
    for (tutti_scale scale = TUTTI_SCALE_UNIT; scale < TUTTI_N_SCALES; scale++) {
      double sum = 0, least = INFINITY;
      EXPECT_OK(tutti_dataset_fit_scaling(comm, d, scale, backwards, &last, ROWS));
      tutti_dataset_gather(d, TUTTI_ROWS_TRAIN, rows, ROWS, scaled);
      for (int i = 0; i < ROWS; i++) {
        sum += (double)scaled[i];
        least = fmin(least, (double)scaled[i]);
      }
      if (scale == TUTTI_SCALE_UNIT)
        EXPECT(least == 0, "unit: the least value is %g", least);
      else
        EXPECT(fabs(sum / ROWS) < 1e-3, "%s: the mean is %g", tutti_data_scale_names[scale], sum / ROWS);
    }
    tutti_dataset_close(&d);
  }
  scratch_remove(comm, folder);
}

/** Rows 0, 7, 14, ... modulo the number of them: no two are the same. */
static int64_t seventh(int64_t i, int64_t n_rows) {
  return i * 7 % n_rows;
}

static void every_seventh(const void *context, int64_t n, int64_t *ids) {
  for (int64_t i = 0; i < n; i++) ids[i] = seventh(ids[i], *(const int64_t *)context);
}

static void each_training_row_counts_once_in_any_order(const tutti_comm *comm) {
  enum { ROWS = 200, N_TRAIN = 150 };
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  static const int64_t n_rows = ROWS, labels[ROWS] = {1};
  double values[ROWS], mean = 0, square = 0, min = INFINITY, max = -INFINITY;
  uint8_t bytes[ROWS];
  float floats[ROWS];
  for (int i = 0; i < ROWS; i++) values[i] = floats[i] = bytes[i] = (uint8_t)(1 + i * i % 211);
  for (int i = 0; i < N_TRAIN; i++) {
    const double value = values[seventh(i, n_rows)];
    mean += value / N_TRAIN;
    min = fmin(min, value);
    max = fmax(max, value);
  }
  for (int i = 0; i < N_TRAIN; i++) square += pow(values[seventh(i, n_rows)] - mean, 2) / N_TRAIN;
  const void *const stored[] = {bytes, floats, values};
  const tutti_type types[] = {TUTTI_U8, TUTTI_F32, TUTTI_F64};
  for (int t = 0; t < 3; t++) {
    const given_array arrays[] = {{"x_train", types[t], 2, {ROWS, 1}, stored[t]},
                                  {"y_train", TUTTI_I64, 1, {ROWS}, labels}};
    put_dataset(comm, scratch_path(folder, "rows.h5", path), arrays, 2, NULL, 0);
    tutti_dataset *d = open_usual(comm, path);
    if (!d) break;
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_STANDARDIZE, every_seventh, &n_rows, N_TRAIN));
    expect_value(d, 0, mean, 1 / sqrt(square));
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_UNIT, every_seventh, &n_rows, N_TRAIN));
    expect_value(d, 0, min, 1 / (max - min));
    tutti_dataset_close(&d);
  }
  scratch_remove(comm, folder);
}

static void bytes_are_scaled_by_their_range(const tutti_comm *comm) {
  char *folder = scratch_make(comm);
  if (!folder) return;
  tutti_dataset *d = open_type(comm, folder, TUTTI_U8);
  if (d) {
    double expected[N * WIDTH];
    for (int i = 0; i < N * WIDTH; i++) expected[i] = i * 7 / 255.0;
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_AUTO, backwards, &from, N_FIT));
    expect_rows(d, TUTTI_ROWS_TRAIN, expected, 1e-7);
    for (int i = 0; i < N * WIDTH; i++) expected[i] = i * 7;
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_NONE, backwards, &from, N_FIT));
    expect_rows(d, TUTTI_ROWS_TRAIN, expected, 0);
    for (int i = 0; i < N * WIDTH; i++) expected[i] = (i - (i % WIDTH + 4.5)) / (WIDTH * sqrt(1.25));
    EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_STANDARDIZE_FEATURES, backwards, &from, N_FIT));
    expect_rows(d, TUTTI_ROWS_TRAIN, expected, 1e-6);
  }
  tutti_dataset_close(&d);
  scratch_remove(comm, folder);
}

static void scaling_of_a_checkpoint_is_taken(const tutti_comm *comm) {
  char *folder = scratch_make(comm);
  if (!folder) return;
  tutti_dataset *d = open_type(comm, folder, TUTTI_F64);
  if (d) {
    double shift[WIDTH] = {1, 2, 3}, factor[WIDTH] = {2, 3, 4};
    EXPECT_OK(
        tutti_dataset_set_scaling(d, (tutti_scaling_values){.n = WIDTH, .shift = shift, .factor = factor}));
    shift[0] = 99; // it has been copied
    expect_value(d, 0, 1, 2);
    expect_value(d, 2, 3, 4);
    EXPECT_OK(
        tutti_dataset_set_scaling(d, (tutti_scaling_values){.n = 1, .shift = factor, .factor = factor}));
    expect_consistent(comm, d, 1);
    EXPECT_FAILS(
        tutti_dataset_set_scaling(d, (tutti_scaling_values){.n = 2, .shift = shift, .factor = factor}),
        TUTTI_ERR_DATA, "has 3 features, but the scaling is for 2");
    EXPECT_FAILS(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_UNIT, backwards, &from, 0), TUTTI_ERR_DATA,
                 "no training rows");
  }
  tutti_dataset_close(&d);
  scratch_remove(comm, folder);
}

enum { OWN_ROWS = 3, OWN_WIDTH = 2, OWN = OWN_ROWS * OWN_WIDTH };

/** What an array of one type holds. */
typedef struct {
  tutti_type type;
  double values[OWN];
} own_features;

/** The array in its type; `room` is large enough for each. */
static const void *stored(const own_features *f, double room[OWN]) {
  for (int i = 0; i < OWN; i++) {
    if (f->type == TUTTI_U8) ((uint8_t *)room)[i] = (uint8_t)f->values[i];
    if (f->type == TUTTI_F32) ((float *)room)[i] = (float)f->values[i];
    if (f->type == TUTTI_I64) ((int64_t *)room)[i] = (int64_t)f->values[i];
    if (f->type == TUTTI_F64) room[i] = f->values[i];
  }
  return room;
}

static tutti_dataset *open_pair(const tutti_comm *comm, const char *folder, const own_features *train,
                                const own_features *test) {
  double train_room[OWN], test_room[OWN];
  char path[PATH_BYTES];
  const given_array arrays[] = {{"x_train", train->type, 2, {OWN_ROWS, OWN_WIDTH}, stored(train, train_room)},
                                {"y_train", TUTTI_I64, 1, {OWN_ROWS}, y},
                                {"x_test", test->type, 2, {OWN_ROWS, OWN_WIDTH}, stored(test, test_room)},
                                {"y_test", TUTTI_I64, 1, {OWN_ROWS}, y}};
  put_dataset(comm, scratch_path(folder, "types.h5", path), arrays, 4, NULL, 0);
  return open_usual(comm, path);
}

static const own_features bytes_0_255 = {TUTTI_U8, {0, 51, 102, 7, 255, 1}},
                          byte_bits = {TUTTI_U8, {0, 1, 1, 0, 0, 1}},
                          longs = {TUTTI_I64, {0, 51, 102, 7, 255, 1}},
                          doubles = {TUTTI_F64, {0, 51, 102, 7, 255, 1}},
                          parts = {TUTTI_F32, {0, 0.2, 0.4, 7 / 255.0, 1, 1 / 255.0}},
                          bits = {TUTTI_F32, {0, 1, 1, 0, 0, 1}},
                          sixteenths = {TUTTI_F32, {0, 0.25, 0.5, 1 / 16.0, 1, 0.75}},
                          numbers = {TUTTI_F64, {-1, 0.3, 100, 7.5, 1e9, 1}};

static void all_rows(const void *context, int64_t n, int64_t *ids) {
  (void)context, (void)n, (void)ids;
}

static void rows_of_another_type_are_scaled_to_the_same_meaning(const tutti_comm *comm) {
  static const struct {
    const own_features *train, *test;
  } pairs[] = {{&bytes_0_255, &parts}, {&parts, &bytes_0_255},   {&bytes_0_255, &longs},
               {&longs, &bytes_0_255}, {&doubles, &bytes_0_255}, {&bytes_0_255, &doubles},
               {&byte_bits, &bits},    {&bits, &byte_bits}};
  char *folder = scratch_make(comm);
  if (!folder) return;
  static const int64_t rows[] = {0, 1, 2};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    tutti_dataset *d = open_pair(comm, folder, pairs[i].train, pairs[i].test);
    for (tutti_scale scale = TUTTI_SCALE_AUTO; d && scale < TUTTI_N_SCALES; scale++) {
      float train[OWN], test[OWN];
      EXPECT_OK(tutti_dataset_fit_scaling(comm, d, scale, all_rows, NULL, OWN_ROWS));
      tutti_dataset_gather(d, TUTTI_ROWS_TRAIN, rows, OWN_ROWS, train);
      tutti_dataset_gather(d, TUTTI_ROWS_TEST, rows, OWN_ROWS, test);
      for (int j = 0; j < OWN; j++)
        EXPECT(fabsf(train[j] - test[j]) <= 1e-6F * fmaxf(1, fabsf(train[j])), "%d, %s, %d: %g is %g", (int)i,
               tutti_data_scale_names[scale], j, (double)train[j], (double)test[j]);
    }
    tutti_dataset_close(&d);
  }
  scratch_remove(comm, folder);
}

static void rows_whose_meaning_cannot_be_told_are_refused(const tutti_comm *comm) {
  static const own_features *const refused[][2] = {{&bytes_0_255, &numbers},    {&numbers, &bytes_0_255},
                                                   {&bytes_0_255, &sixteenths}, {&sixteenths, &bytes_0_255},
                                                   {&bytes_0_255, &bits},       {&parts, &byte_bits}};
  static const own_features *const sound[][2] = {
      {&numbers, &sixteenths}, {&bytes_0_255, &byte_bits}, {&longs, &parts}};
  char *folder = scratch_make(comm);
  if (!folder) return;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    tutti_dataset *d = open_pair(comm, folder, refused[i][0], refused[i][1]);
    if (d)
      EXPECT_FAILS(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_AUTO, all_rows, NULL, OWN_ROWS),
                   TUTTI_ERR_DATA, "array 'x_test' contains");
    tutti_dataset_close(&d);
  }
  for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
    tutti_dataset *d = open_pair(comm, folder, sound[i][0], sound[i][1]);
    if (d) EXPECT_OK(tutti_dataset_fit_scaling(comm, d, TUTTI_SCALE_AUTO, all_rows, NULL, OWN_ROWS));
    tutti_dataset_close(&d);
  }
  scratch_remove(comm, folder);
}

static void check_labels(const tutti_comm *comm, const char *folder, int64_t width, const double *labels,
                         int64_t n_classes, const char *part) {
  char path[PATH_BYTES];
  const given_array arrays[] = {{"x_train", TUTTI_F64, 2, {3, 1}, x},
                                {"y_train", TUTTI_F64, 2, {3, width}, labels}};
  put_dataset(comm, scratch_path(folder, "labels.h5", path), arrays, 2, NULL, 0);
  tutti_dataset *d = open_usual(comm, path);
  if (!d) return;
  static const int64_t rows[] = {2, 0};
  int32_t classes[2] = {-1, -1};
  if (part) {
    EXPECT_FAILS(tutti_dataset_check_classes(d, n_classes), TUTTI_ERR_DATA, part);
  } else {
    EXPECT_OK(tutti_dataset_check_classes(d, n_classes));
    if (width == 1) {
      tutti_dataset_gather_classes(d, TUTTI_ROWS_TRAIN, rows, 2, classes);
      EXPECT(classes[0] == 2 && classes[1] == 0, "classes %d, %d", classes[0], classes[1]);
    }
  }
  tutti_dataset_close(&d);
}

static bool is_small(float value) {
  return value < 5;
}

/** They are not scaled as the features are, and so hardly what was meant. */
static void targets_as_wide_as_the_features_are_told_how_to_be_these(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  const double labels[] = {0, 1, 2, 3, 4, 5};
  const given_array arrays[] = {{"x_train", TUTTI_F64, 2, {2, 3}, labels},
                                {"y_train", TUTTI_F64, 2, {2, 3}, labels}};
  put_dataset(comm, scratch_path(folder, "wide.h5", path), arrays, 2, NULL, 0);
  tutti_dataset *d = open_usual(comm, path);
  if (d)
    EXPECT_FAILS(tutti_dataset_check_targets(d, is_small, "less than 5"), TUTTI_ERR_DATA,
                 "is 5, expected less than 5; for an autoencoder name the features as targets");
  tutti_dataset_close(&d);
  scratch_remove(comm, folder);
}

static void each_number_of_a_label_is_looked_at(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  const double labels[] = {0, 1, 2, 3, 4, 5};
  for (int64_t rows = 2; rows <= 3; rows++) {
    const given_array arrays[] = {{"x_train", TUTTI_F64, 2, {rows, 1}, x},
                                  {"y_train", TUTTI_F64, 2, {rows, 2}, labels}};
    put_dataset(comm, scratch_path(folder, "targets.h5", path), arrays, 2, NULL, 0);
    tutti_dataset *d = open_usual(comm, path);
    if (d && rows == 2) EXPECT_OK(tutti_dataset_check_targets(d, is_small, "less than 5"));
    if (d && rows == 3)
      EXPECT_FAILS(tutti_dataset_check_targets(d, is_small, "less than 5"), TUTTI_ERR_DATA,
                   "array 'y_train', row 2, column 1 (both from 0) is 5, expected less than 5");
    tutti_dataset_close(&d);
  }
  scratch_remove(comm, folder);
}

static void labels_are_classes_or_one_hot_rows(const tutti_comm *comm) {
  char *folder = scratch_make(comm);
  if (!folder) return;
  check_labels(comm, folder, 1, (const double[]){0, 1, 2}, 3, NULL);
  check_labels(comm, folder, 1, (const double[]){0, 1, 2}, 2,
               "array 'y_train', row 2 (from 0) is 2, expected a class from 0 to 1 (2 classes)");
  check_labels(comm, folder, 1, (const double[]){0, -1, 2}, 3, "row 1 (from 0) is -1");
  check_labels(comm, folder, 1, (const double[]){0, 1, 1.5}, 3, "row 2 (from 0) is 1.5");
  check_labels(comm, folder, 3, (const double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, NULL);
  check_labels(comm, folder, 3, (const double[]){1, 0, 0, 0, 1, 1, 0, 0, 1}, 3,
               "row 1 (from 0) has 2 ones, expected one-hot rows: a single 1 and 2 zeros");
  check_labels(comm, folder, 3, (const double[]){1, 0, 0, 0, 1, 0, 0, 0, 0}, 3,
               "row 2 (from 0) has 0 ones, expected one-hot");
  check_labels(comm, folder, 3, (const double[]){1, 0, 0, 0, 1, .5, 0, 0, 1}, 3,
               "array 'y_train', row 1, column 2 (both from 0) is 0.5, expected 0 or 1");
  check_labels(comm, folder, 3, (const double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}, 4, "has 3 columns");
  // Soft labels.
  check_labels(comm, folder, 3, (const double[]){0.25, 0.5, 0.25, 0, 1, 0, 0.333, 0.333, 0.3335}, 3, NULL);
  check_labels(comm, folder, 3, (const double[]){1, 0, 0, 0.5, 0.2, 0, 0, 0, 1}, 3,
               "row 1, column 0 (both from 0) is 0.5, expected 0 or 1 in one-hot rows, or probabilities that "
               "sum to 1, "
               "but these sum to 0.7");
  check_labels(comm, folder, 3, (const double[]){1, 0, 0, 1.5, -0.5, 0, 0, 0, 1}, 3,
               "row 1, column 0 (both from 0) is 1.5, expected 0 or 1");
  scratch_remove(comm, folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(features_far_from_0_have_mean_0),
      MPI_TEST(rows_of_another_type_are_scaled_to_the_same_meaning),
      MPI_TEST(rows_whose_meaning_cannot_be_told_are_refused),
      MPI_TEST(scaling_comes_from_the_training_rows),
      MPI_TEST(bytes_are_scaled_by_their_range),
      MPI_TEST(scaling_of_a_checkpoint_is_taken),
      MPI_TEST(each_training_row_counts_once_in_any_order),
      MPI_TEST(labels_are_classes_or_one_hot_rows),
      MPI_TEST(targets_as_wide_as_the_features_are_told_how_to_be_these),
      MPI_TEST(each_number_of_a_label_is_looked_at),
  };
  return mpi_main("scaling", tests, sizeof tests / sizeof *tests);
}
