#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/dataset_impl.h"
#include "dataset_file.h"
#include "support/folder.h"

/* Files as others write them, right and wrong. */

static const double ramp[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const int64_t ids[] = {0, 1, 0, 1};
static const given_array good_y = {"y_train", TUTTI_I64, 1, {4}, ids};

static given_array doubles(const char *name, int n_dims, int64_t a, int64_t b, int64_t c,
                           const double *data) {
  return (given_array){name, TUTTI_F64, n_dims, {a, b, c}, data};
}

/** Collective.  Opening a file of these arrays fails on all ranks with `part` in the text. */
static void expect_refused(const tutti_comm *comm, const char *folder, const given_array *arrays, int n,
                           const char *part) {
  char path[PATH_BYTES];
  put_dataset(comm, scratch_path(folder, "d.h5", path), arrays, n, NULL, 0);
  const tutti_data_options options = usual_options(path);
  tutti_dataset *d = NULL;
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), TUTTI_ERR_DATA, part);
  EXPECT(d == NULL, "a handle after a failure");
}

static void wrong_arrays_are_named_with_what_is_there(const tutti_comm *comm) {
  char *folder = scratch_make(comm);
  if (!folder) return;
  const given_array x = doubles("x_train", 2, 4, 3, 0, ramp);
  expect_refused(comm, folder, (given_array[]){doubles("x_trian", 2, 4, 3, 0, ramp), good_y}, 2,
                 "no array 'x_train' (did you mean x_trian?); arrays there: x_trian [4, 3], y_train [4]");
  expect_refused(comm, folder, (given_array[]){x}, 1, "no array 'y_train'");
  expect_refused(comm, folder, (given_array[]){x, doubles("y_train", 1, 3, 0, 0, ramp)}, 2,
                 "array 'y_train' has 3 rows, but 'x_train' has 4");
  expect_refused(
      comm, folder, (given_array[]){x, doubles("y_train", 3, 4, 1, 1, ramp)}, 2,
      "array 'y_train' has shape [4, 1, 1], expected [N] or [N, K]; for an autoencoder name the features as "
      "targets, data.y_train: x_train");
  expect_refused(comm, folder, (given_array[]){doubles("x_train", 2, 0, 3, 0, ramp), good_y}, 2,
                 "array 'x_train' has shape [0, 3], expected at least 1 in each dimension");
  expect_refused(comm, folder, (given_array[]){x, good_y, doubles("x_test", 2, 2, 3, 0, ramp)}, 3,
                 "no array 'y_test'");
  expect_refused(
      comm, folder,
      (given_array[]){x, good_y, doubles("x_test", 2, 2, 2, 0, ramp), doubles("y_test", 1, 2, 0, 0, ramp)}, 4,
      "array 'x_test' has 2 features, the training samples have 3");
  expect_refused(
      comm, folder,
      (given_array[]){x, good_y, doubles("x_test", 2, 2, 3, 0, ramp), doubles("y_test", 2, 2, 2, 0, ramp)}, 4,
      "array 'y_test' has 2 columns, the training labels have 1");
  scratch_remove(comm, folder);
}

static void numbers_that_are_none_are_named_with_row_and_column(const tutti_comm *comm) {
  char *folder = scratch_make(comm);
  if (!folder) return;
  double bad[12];
  memcpy(bad, ramp, sizeof bad);
  bad[7] = NAN;
  expect_refused(comm, folder, (given_array[]){doubles("x_train", 2, 4, 3, 0, bad), good_y}, 2,
                 "array 'x_train', row 2, column 1 (both from 0) is nan");
  expect_refused(comm, folder,
                 (given_array[]){doubles("x_train", 2, 2, 6, 0, ramp), doubles("y_train", 2, 2, 6, 0, bad)},
                 2, "array 'y_train', row 1, column 1 (both from 0) is nan");
  bad[7] = 1e39;
  expect_refused(comm, folder, (given_array[]){doubles("x_train", 2, 4, 3, 0, bad), good_y}, 2,
                 "array 'x_train', row 2, column 1 (both from 0) is 1e+39, expected a finite number");
  float single[12] = {0};
  single[11] = -INFINITY;
  const given_array x = {"x_train", TUTTI_F32, 3, {4, 1, 3}, single};
  expect_refused(comm, folder, (given_array[]){x, good_y}, 2,
                 "array 'x_train', row 3, column 2 (both from 0) is -inf");
  scratch_remove(comm, folder);
}

/** Collective.  Opening these bytes as a data set fails on all ranks. */
static void expect_no_data_set(const tutti_comm *comm, const char *path, const void *bytes, size_t n,
                               tutti_status expected) {
  if (tutti_comm_rank(comm) == 0 && bytes) folder_put(path, bytes, n);
  EXPECT_OK(tutti_comm_barrier(comm));
  const tutti_data_options options = usual_options(path);
  tutti_dataset *d = NULL;
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), expected, path);
  EXPECT_FAILS(tutti_dataset_open_array(comm, path, NULL, 0, &d), expected, path);
}

static void file_that_is_no_data_set(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  const given_array x = doubles("x_train", 2, 4, 3, 0, ramp);
  expect_no_data_set(comm, scratch_path(folder, "none.h5", path), NULL, 0, TUTTI_ERR_MISSING);
  expect_no_data_set(comm, scratch_path(folder, "empty.h5", path), "", 0, TUTTI_ERR_DATA);
  expect_no_data_set(comm, scratch_path(folder, "text.h5", path), "a,b\n1,2\n", 8, TUTTI_ERR_DATA);
  put_dataset(comm, scratch_path(folder, "whole.h5", path), (given_array[]){x, good_y}, 2, NULL, 0);
  size_t n = 0;
  unsigned char *bytes = tutti_comm_rank(comm) == 0 ? folder_bytes(path, &n) : tutti_calloc(1, 1);
  expect_no_data_set(comm, scratch_path(folder, "cut.h5", path), bytes, n / 2, TUTTI_ERR_DATA);
  tutti_free(bytes);
  scratch_remove(comm, folder);
}

static void options_that_name_half_a_pair(const tutti_comm *comm) {
  tutti_dataset *d = NULL;
  tutti_data_options options = {.file = "d.h5", .x_train = "x"};
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), TUTTI_ERR_CONFIG,
               "data.x_train is set without data.y_train");
  options = (tutti_data_options){.file = "d.h5", .y_test = "y"};
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), TUTTI_ERR_CONFIG,
               "data.y_test is set without data.x_test");
  options = (tutti_data_options){.file = "d.h5"};
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), TUTTI_ERR_CONFIG, "no arrays are named");
  options = usual_options("d.h5");
  options.limit_test = -1;
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), TUTTI_ERR_CONFIG, "data.limit_test");
  options = usual_options(NULL);
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), TUTTI_ERR_CONFIG, "data.file");
}

// --- types that this program does not write, but h5py and others do

typedef struct {
  const char *name;
  hid_t type;      // of the file; closed by the caller where it is not HDF5's own
  tutti_type kept; // how it lies in memory
} foreign;

/** Local.  x_train [4, 3] or a scalar, and y_train [4], of that type. */
static bool write_foreign(const char *path, hid_t type, bool scalar) {
  static const int8_t small[] = {0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0};
  const hsize_t dims[] = {4, 3};
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  bool ok = file >= 0;
  for (int n_dims = 2; n_dims >= 1; n_dims--) {
    const hid_t space = n_dims == 2 && scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(n_dims, dims, NULL);
    const hid_t array = H5Dcreate2(file, n_dims == 2 ? "x_train" : "y_train", type, space, H5P_DEFAULT,
                                   H5P_DEFAULT, H5P_DEFAULT);
    const hid_t memory =
        H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT ? H5T_NATIVE_INT8 : type;
    ok = ok && array >= 0 && H5Dwrite(array, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, small) >= 0;
    H5Dclose(array);
    H5Sclose(space);
  }
  return H5Fclose(file) >= 0 && ok;
}

/** What NumPy calls float16. */
static hid_t make_half(void) {
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  return half;
}

/** What h5py makes of a NumPy bool. */
static hid_t make_bool(void) {
  const hid_t boolean = H5Tenum_create(H5T_STD_I8LE);
  const int8_t no = 0, yes = 1;
  H5Tenum_insert(boolean, "FALSE", &no);
  H5Tenum_insert(boolean, "TRUE", &yes);
  return boolean;
}

static void number_types_of_others_are_read(const tutti_comm *comm) {
  static const double expected[] = {0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0};
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  const foreign types[] = {{"int8", H5T_STD_I8LE, TUTTI_F32},      {"uint8", H5T_STD_U8LE, TUTTI_U8},
                           {"uint16", H5T_STD_U16LE, TUTTI_F32},   {"int32", H5T_STD_I32LE, TUTTI_F64},
                           {"uint64", H5T_STD_U64BE, TUTTI_F64},   {"float16", make_half(), TUTTI_F32},
                           {"float32", H5T_IEEE_F32BE, TUTTI_F32}, {"float64", H5T_IEEE_F64LE, TUTTI_F64},
                           {"bool", make_bool(), TUTTI_F32}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    scratch_path(folder, types[i].name, path);
    if (tutti_comm_rank(comm) == 0) EXPECT(write_foreign(path, types[i].type, false), "%s", types[i].name);
    EXPECT_OK(tutti_comm_barrier(comm));
    tutti_dataset *d = open_usual(comm, path);
    if (!d) continue;
    EXPECT(d->layout.parts[TUTTI_ROWS_TRAIN].type == types[i].kept, "%s is kept as type %d", types[i].name,
           d->layout.parts[TUTTI_ROWS_TRAIN].type);
    expect_rows(d, TUTTI_ROWS_TRAIN, expected, 0);
    EXPECT(tutti_dataset_y(d, TUTTI_ROWS_TRAIN)[1] == 1, "label of %s", types[i].name);
    tutti_dataset_close(&d);
  }
  H5Tclose(types[5].type);
  H5Tclose(types[8].type);
  scratch_remove(comm, folder);
}

/** Collective.  Opening what write_foreign makes of it fails on all ranks. */
static void expect_foreign_refused(const tutti_comm *comm, const char *folder, hid_t type, bool scalar,
                                   const char *part) {
  char path[PATH_BYTES];
  scratch_path(folder, "foreign.h5", path);
  if (tutti_comm_rank(comm) == 0) EXPECT(write_foreign(path, type, scalar), "%s", path);
  EXPECT_OK(tutti_comm_barrier(comm));
  const tutti_data_options options = usual_options(path);
  tutti_dataset *d = NULL;
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), TUTTI_ERR_DATA, part);
}

static void texts_and_scalars_are_no_samples(const tutti_comm *comm) {
  char *folder = scratch_make(comm);
  if (!folder) return;
  const hid_t text = H5Tcopy(H5T_C_S1);
  expect_foreign_refused(comm, folder, text, false, "array 'x_train' has no numbers");
  expect_foreign_refused(comm, folder, H5T_IEEE_F64LE, true,
                         "array 'x_train' has shape [], expected [N, ...]");
  H5Tclose(text);
  scratch_remove(comm, folder);
}

/** The ranks of a node share the reading of a data set of some 16 MiB for each. */
static void rows_that_several_ranks_read_are_all_there(const tutti_comm *comm) {
  enum { ROWS = 2000, WIDTH = 6000, BAD_ROW = 1900 };
  char *folder = scratch_make(comm), path[PATH_BYTES];
  float *x = NULL, *y = NULL;
  if (!folder) return;
  if (EXPECT_OK(TUTTI_NEW(x, (int64_t)ROWS * WIDTH)) && EXPECT_OK(TUTTI_NEW(y, ROWS))) {
    for (int i = 0; i < ROWS * WIDTH; i++) x[i] = (float)i;
    const given_array arrays[] = {{"x_train", TUTTI_F32, 2, {ROWS, WIDTH}, x},
                                  {"y_train", TUTTI_F32, 1, {ROWS}, y}};
    put_dataset(comm, scratch_path(folder, "d.h5", path), arrays, 2, NULL, 0);
    tutti_dataset *d = open_usual(comm, path);
    EXPECT(d && memcmp(tutti_dataset_x(d, TUTTI_ROWS_TRAIN), x, (size_t)ROWS * WIDTH * sizeof *x) == 0,
           "other rows");
    tutti_dataset_close(&d);
    x[BAD_ROW * WIDTH + 3] = NAN;
    expect_refused(comm, folder, arrays, 2, "array 'x_train', row 1900, column 3 (both from 0) is nan");
  }
  tutti_free(x);
  tutti_free(y);
  scratch_remove(comm, folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(wrong_arrays_are_named_with_what_is_there),
      MPI_TEST(numbers_that_are_none_are_named_with_row_and_column),
      MPI_TEST(file_that_is_no_data_set),
      MPI_TEST(options_that_name_half_a_pair),
      MPI_TEST(number_types_of_others_are_read),
      MPI_TEST(texts_and_scalars_are_no_samples),
      MPI_TEST(rows_that_several_ranks_read_are_all_there),
  };
  return mpi_main("dataset_files", tests, sizeof tests / sizeof *tests);
}
