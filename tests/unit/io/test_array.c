#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/io_impl.h"
#include "support/check.h"
#include "support/folder.h"

/** Set up a folder with x.h5 open for writing; the handle is what the test begins with. */
static tutti_file *begin(void *const *state) {
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(folder_path(state, "x.h5"), &file));
  return file;
}

static tutti_file *reopen(void *const *state, tutti_file *file) {
  CHECK_OK(tutti_file_commit(&file));
  CHECK_OK(tutti_file_open(folder_path(state, "x.h5"), &file));
  return file;
}

static void every_type_comes_back_in_every_type(void **state) {
  const int64_t dims[] = {2, 3};
  const uint8_t u8[] = {0, 1, 2, 3, 4, 255};
  const int32_t i32[] = {0, 1, 2, 3, 4, 255};
  const int64_t i64[] = {0, 1, 2, 3, 4, 255};
  const float f32[] = {0, 1, 2, 3, 4, 255};
  const double f64[] = {0, 1, 2, 3, 4, 255};
  const struct {
    const char *name;
    tutti_type type;
    const void *data;
    tutti_type_class type_class;
    bool is_signed;
  } kinds[] = {
      {"u8", TUTTI_U8, u8, TUTTI_CLASS_INTEGER, false},
      {"g/i32", TUTTI_I32, i32, TUTTI_CLASS_INTEGER, true},
      {"/g/i64", TUTTI_I64, i64, TUTTI_CLASS_INTEGER, true},
      {"g/h/f32", TUTTI_F32, f32, TUTTI_CLASS_REAL, false},
      {"/f64", TUTTI_F64, f64, TUTTI_CLASS_REAL, false},
  };
  tutti_file *file = begin(state);
  for (int i = 0; i < 5; i++)
    CHECK_OK(tutti_file_write(file, kinds[i].name, kinds[i].type, 2, dims, i % 2 ? 6 : 0, kinds[i].data));
  file = reopen(state, file);
  for (int i = 0; i < 5; i++) {
    tutti_array_shape shape;
    CHECK_OK(tutti_file_shape(file, kinds[i].name, &shape));
    assert_int_equal(shape.n_dims, 2);
    assert_memory_equal(shape.dims, dims, sizeof dims);
    assert_int_equal(shape.type_class, kinds[i].type_class);
    assert_int_equal(shape.type_bytes, tutti_io_type_bytes(kinds[i].type));
    assert_int_equal(shape.type_signed, kinds[i].is_signed);
    for (int j = 0; j < 5; j++) {
      unsigned char out[6 * 8];
      CHECK_OK(tutti_file_read_rows(file, kinds[i].name, kinds[j].type, 0, 2, out));
      assert_memory_equal(out, kinds[j].data, 6 * tutti_io_type_bytes(kinds[j].type));
      // The second row alone
      CHECK_OK(tutti_file_read_rows(file, kinds[i].name, kinds[j].type, 1, 1, out));
      assert_memory_equal(out, (const char *)kinds[j].data + 3 * tutti_io_type_bytes(kinds[j].type),
                          3 * tutti_io_type_bytes(kinds[j].type));
    }
  }
  tutti_file_close(&file);
}

static void rows_are_written_in_pieces(void **state) {
  enum { ROWS = 5000, WIDTH = 100, PIECE = 700 }; // several chunks, pieces across their borders
  const int64_t dims[] = {ROWS, WIDTH};
  float *x = tutti_calloc((int64_t)ROWS * WIDTH, sizeof *x),
        *y = tutti_calloc((int64_t)ROWS * WIDTH, sizeof *y);
  assert_true(x && y);
  for (int i = 0; i < ROWS * WIDTH; i++) x[i] = (float)i;
  for (int deflate = 0; deflate <= 1; deflate++) {
    tutti_file *file = begin(state);
    CHECK_OK(tutti_file_create_array(file, "x", TUTTI_F32, 2, dims, deflate));
    for (int64_t at = 0; at < ROWS; at += PIECE) {
      const int64_t n = ROWS - at < PIECE ? ROWS - at : PIECE;
      CHECK_OK(tutti_file_write_rows(file, "x", TUTTI_F32, at, n, x + at * WIDTH));
    }
    file = reopen(state, file);
    CHECK_OK(tutti_file_read_rows(file, "x", TUTTI_F32, 0, ROWS, y));
    assert_memory_equal(x, y, (size_t)ROWS * WIDTH * sizeof *x);
    CHECK_OK(tutti_file_read_rows(file, "x", TUTTI_F32, 1234, 2000, y));
    assert_memory_equal(x + 1234 * WIDTH, y, (size_t)2000 * WIDTH * sizeof *x);
    tutti_file_close(&file);
  }
  tutti_free(x);
  tutti_free(y);
}

static void rows_that_were_never_written_are_zero(void **state) {
  const int64_t n = 4;
  int32_t x[] = {9, 9, 9, 9};
  tutti_file *file = begin(state);
  CHECK_OK(tutti_file_create_array(file, "x", TUTTI_I32, 1, &n, 0));
  CHECK_OK(tutti_file_write_rows(file, "x", TUTTI_I32, 2, 1, x));
  CHECK_OK(tutti_file_read_rows(file, "x", TUTTI_I32, 0, 4, x));
  assert_true(x[0] == 0 && x[1] == 0 && x[2] == 9 && x[3] == 0);
  tutti_file_close(&file);
}

static void empty_arrays_keep_their_shape(void **state) {
  const int64_t shapes[][3] = {{0, 5, 2}, {5, 0, 2}, {0, 0, 0}};
  const char *const names[] = {"a", "b", "c"};
  tutti_file *file = begin(state);
  for (int i = 0; i < 3; i++) CHECK_OK(tutti_file_write(file, names[i], TUTTI_F32, 3, shapes[i], 4, NULL));
  file = reopen(state, file);
  for (int i = 0; i < 3; i++) {
    tutti_array_shape shape;
    CHECK_OK(tutti_file_shape(file, names[i], &shape));
    assert_int_equal(shape.n_dims, 3);
    assert_memory_equal(shape.dims, shapes[i], sizeof shapes[i]);
    CHECK_OK(tutti_file_read_rows(file, names[i], TUTTI_F32, 0, shapes[i][0], NULL));
  }
  tutti_file_close(&file);
}

static void every_array_has_a_checksum_and_fitting_chunks(void **state) {
  const int64_t shapes[][2] = {{1, 1}, {60000, 784}, {3, 2000000}, {10000000, 1}};
  const char *const names[] = {"one", "rows", "wide", "long"};
  tutti_file *file = begin(state);
  for (int i = 0; i < 4; i++)
    CHECK_OK(tutti_file_create_array(file, names[i], TUTTI_F32, 2, shapes[i], i ? 1 : 0));
  CHECK_OK(tutti_file_commit(&file));
  const hid_t id = H5Fopen(folder_path(state, "x.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  for (int i = 0; i < 4; i++) {
    const hid_t dataset = H5Dopen2(id, names[i], H5P_DEFAULT), list = H5Dget_create_plist(dataset);
    hsize_t chunk[2] = {0, 0};
    assert_int_equal(H5Pget_chunk(list, 2, chunk), 2);
    assert_true(chunk[0] * chunk[1] * 4 <= 1 << 20);
    if (i > 0) assert_true(chunk[0] * chunk[1] * 4 >= 1 << 18);
    if (i == 1) assert_int_equal(chunk[1], 784);
    const int n = H5Pget_nfilters(list);
    size_t none = 0;
    unsigned config = 0, flags = 0;
    assert_int_equal(H5Pget_filter2(list, (unsigned)n - 1, &flags, &none, NULL, 0, NULL, &config),
                     H5Z_FILTER_FLETCHER32);
    assert_int_equal(n, i ? 3 : 1); // shuffle and deflate before it
    H5Pclose(list);
    H5Dclose(dataset);
  }
  H5Fclose(id);
}

static void damage_is_found_when_it_is_read(void **state) {
  enum { N = 1000 };
  const int64_t n = N;
  const char *path = folder_path(state, "x.h5");
  int32_t x[N], y[N];
  for (int i = 0; i < N; i++) x[i] = 1000 + i;
  tutti_file *file = begin(state);
  CHECK_OK(tutti_file_write(file, "model/x", TUTTI_I32, 1, &n, 0, x));
  CHECK_OK(tutti_file_commit(&file));
  size_t size = 0, at = 0;
  unsigned char *bytes = folder_bytes(path, &size);
  while (at + sizeof x <= size && memcmp(bytes + at, x, sizeof x) != 0) at++;
  assert_true(at + sizeof x <= size);
  bytes[at + 77] ^= 4;
  folder_put(path, bytes, size);
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(
      tutti_file_read_rows(file, "model/x", TUTTI_I32, 0, N, y), TUTTI_ERR_DATA,
      "x.h5: array 'model/x': cannot read 1000 rows from row 0 on: the checksum does not match: the file "
      "is damaged");
  tutti_file_close(&file);
  tutti_free(bytes);
  assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

static size_t pass_on(unsigned flags, size_t n_values, const unsigned *values, size_t n, size_t *size,
                      void **buffer) {
  (void)flags;
  (void)n_values;
  (void)values;
  (void)size;
  (void)buffer;
  return n;
}

/** An array of one chunk that went through a filter. */
static void write_filtered(const char *path, H5Z_filter_t filter, hsize_t n, const int32_t *x) {
  const unsigned level = 1;
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
              space = H5Screate_simple(1, &n, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
  assert_true(H5Pset_chunk(list, 1, &n) >= 0 && H5Pset_filter(list, filter, 0, 1, &level) >= 0);
  const hid_t dataset = H5Dcreate2(file, "x", H5T_STD_I32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  assert_true(H5Dwrite(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
  H5Dclose(dataset);
  H5Pclose(list);
  H5Sclose(space);
  H5Fclose(file);
}

static void an_unknown_filter_is_no_damage(void **state) {
  enum { N = 100, FILTER = 300 }; // no number that HDF5 or a registered plugin has
  const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, FILTER, 1, 1, "ours", NULL, NULL, pass_on};
  const char *path = folder_path(state, "ours.h5");
  int32_t x[N] = {0};
  tutti_file *file = NULL;
  assert_true(H5Zregister(&filter) >= 0);
  write_filtered(path, FILTER, N, x);
  assert_true(H5Zunregister(FILTER) >= 0);
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(
      tutti_file_read_rows(file, "x", TUTTI_I32, 0, N, x), TUTTI_ERR_DATA,
      "ours.h5: array 'x': cannot read 100 rows from row 0 on: it is compressed by a filter that this HDF5 "
      "does not have");
  tutti_file_close(&file);
}

#if H5_VERSION_GE(1, 10, 5) // that tells where a chunk is
static void damage_of_compressed_numbers_is_named_so(void **state) {
  enum { N = 1000 };
  const char *path = folder_path(state, "gzip.h5");
  int32_t x[N];
  haddr_t at = 0;
  size_t size = 0;
  for (int i = 0; i < N; i++) x[i] = i * i;
  write_filtered(path, H5Z_FILTER_DEFLATE, N, x);
  const hid_t id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(id, "x", H5P_DEFAULT);
  assert_true(H5Dget_chunk_info_by_coord(dataset, &(hsize_t){0}, NULL, &at, NULL) >= 0);
  H5Dclose(dataset);
  H5Fclose(id);
  unsigned char *bytes = folder_bytes(path, &size);
  bytes[at + 200] ^= 4;
  folder_put(path, bytes, size);
  tutti_free(bytes);
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(
      tutti_file_read_rows(file, "x", TUTTI_I32, 0, N, x), TUTTI_ERR_DATA,
      "gzip.h5: array 'x': cannot read 1000 rows from row 0 on: the checksum does not match: the file is "
      "damaged");
  tutti_file_close(&file);
}
#endif

static void what_the_system_cannot_read_is_no_damage(void **state) {
  enum { N = 1000 };
  const int64_t n = N;
  const char *path = folder_path(state, "x.h5");
  int32_t x[N] = {0}, *descriptor = NULL;
  tutti_file *file = begin(state);
  CHECK_OK(tutti_file_write(file, "x", TUTTI_I32, 1, &n, 0, x));
  CHECK_OK(tutti_file_commit(&file));
  CHECK_OK(tutti_file_open(path, &file));
  // HDF5's descriptor becomes one that cannot be read from.
  const int other = open("/dev/null", O_WRONLY);
  assert_true(other >= 0);
  assert_true(H5Fget_vfd_handle(file->id, H5P_DEFAULT, (void **)&descriptor) >= 0);
  assert_int_equal(dup2(other, *descriptor), *descriptor);
  close(other);
  CHECK_FAILS(tutti_file_read_rows(file, "x", TUTTI_I32, 0, N, x), TUTTI_ERR_IO, "Bad file descriptor");
  tutti_file_close(&file);
}

/** Flip a bit in every fifth byte.  @return false where an array is read that was not written */
static bool survives_damage(const char *path, unsigned char *bytes, size_t size, const int32_t x[8]) {
  int n_noticed = 0;
  for (size_t i = 0; i < size; i += 5) {
    int32_t y[8] = {0};
    tutti_file *file = NULL;
    bytes[i] ^= 0x10;
    folder_put(path, bytes, size);
    bytes[i] ^= 0x10;
    tutti_status status = tutti_file_open(path, &file);
    if (status == TUTTI_OK && !tutti_file_has(file, "g/x")) return false;
    if (status == TUTTI_OK) status = tutti_file_read_rows(file, "g/x", TUTTI_I32, 0, 8, y);
    tutti_file_close(&file);
    n_noticed += status != TUTTI_OK;
    if (status == TUTTI_OK && memcmp(x, y, sizeof y) != 0) return false;
  }
  return n_noticed > 50;
}

/** Reading fails or gives what was written, and never anything else.  In a process of its own that leaves
 * without cleaning up: HDF5 loses memory of its own over damaged object headers. */
static void no_damage_goes_unnoticed(void **state) {
  const int64_t n = 8;
  const char *path = folder_path(state, "x.h5");
  const int32_t x[] = {1, 2, 3, 4, 5, 6, 7, 8};
  tutti_file *file = begin(state);
  CHECK_OK(tutti_file_write(file, "g/x", TUTTI_I32, 1, &n, 0, x));
  CHECK_OK(tutti_file_commit(&file));
  size_t size = 0;
  unsigned char *bytes = folder_bytes(path, &size);
  const pid_t child = fork();
  if (child == 0) _exit(survives_damage(path, bytes, size, x) ? 33 : 34);
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 33);
  tutti_free(bytes);
}

static void wrong_requests_are_answered(void **state) {
  const int64_t n = 10, nine[] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, minus = -1;
  const float x[10] = {0};
  float y[20];
  tutti_array_shape shape;
  tutti_texts names = {0};
  tutti_file *file = begin(state);
  CHECK_FAILS(tutti_file_shape(file, "x", &shape), TUTTI_ERR_DATA, "no array 'x'; the file has: nothing");
  CHECK_OK(tutti_file_write(file, "x_train", TUTTI_F32, 1, &n, 0, x));
  CHECK_OK(tutti_file_write(file, "g/z", TUTTI_F32, 1, &n, 0, x));
  CHECK_FAILS(tutti_file_write(file, "g/z", TUTTI_F32, 1, &n, 0, x), TUTTI_ERR_INTERNAL, "it already exists");
  CHECK_FAILS(tutti_file_write(file, "q", TUTTI_F32, 9, nine, 0, x), TUTTI_ERR_INTERNAL, "9 dimensions");
  CHECK_FAILS(tutti_file_write(file, "q", TUTTI_F32, 1, &minus, 0, x), TUTTI_ERR_INTERNAL,
              "dimension 0 is -1");
  CHECK_FAILS(tutti_file_write(file, "x_train/q", TUTTI_F32, 1, &n, 0, x), TUTTI_ERR_DATA, "x_train/q");
  file = reopen(state, file);
  CHECK_FAILS(tutti_file_read_rows(file, "x_test", TUTTI_F32, 0, 1, y), TUTTI_ERR_DATA,
              "x.h5: no array 'x_test'; the file has: g, x_train");
  CHECK_FAILS(tutti_file_shape(file, "g", &shape), TUTTI_ERR_DATA, "array 'g'");
  const int64_t wrong[][2] = {{0, 11}, {-1, 1}, {5, -1}, {10, 1}, {11, 0}, {1, INT64_MAX}, {INT64_MAX, 1}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    CHECK_FAILS(tutti_file_read_rows(file, "x_train", TUTTI_F32, wrong[i][0], wrong[i][1], y), TUTTI_ERR_DATA,
                "array 'x_train' has 10 rows, expected at least ");
  CHECK_OK(tutti_file_read_rows(file, "x_train", TUTTI_F32, 10, 0, y));
  CHECK_FAILS(tutti_file_list(file, "x_train", &names), TUTTI_ERR_DATA, "cannot list 'x_train'");
  CHECK_FAILS(tutti_file_list(file, "none", &names), TUTTI_ERR_DATA, "no group 'none'");
  tutti_file_close(&file);
}

static void groups_are_listed_by_name(void **state) {
  const int64_t n = 1;
  const float x = 1;
  const char *const made[] = {"w/dense_1/kernel", "w/dense/bias", "w/dense/kernel", "w/conv", "w/dense_10/x"};
  tutti_texts names = {0};
  tutti_file *file = begin(state);
  CHECK_OK(tutti_file_list(file, "/", &names));
  assert_int_equal(names.n, 0);
  tutti_texts_clear(&names);
  for (int i = 0; i < 5; i++) CHECK_OK(tutti_file_write(file, made[i], TUTTI_F32, 1, &n, 0, &x));
  file = reopen(state, file);
  CHECK_OK(tutti_file_list(file, "/w", &names));
  const char *const expected[] = {"conv", "dense", "dense_1", "dense_10"};
  assert_int_equal(names.n, 4);
  for (int i = 0; i < 4; i++) assert_string_equal(names.list[i], expected[i]);
  tutti_texts_clear(&names);
  assert_null(names.list);
  tutti_texts_clear(&names);
  assert_true(tutti_file_has(file, "/") && tutti_file_has(file, "w") &&
              tutti_file_has(file, "/w/dense/bias"));
  assert_true(tutti_file_has(file, "/w/dense/") && tutti_file_has(file, "w//dense"));
  assert_false(tutti_file_has(file, "w/none") || tutti_file_has(file, "none/dense") ||
               tutti_file_has(file, "v"));
  tutti_file_close(&file);
}

/** Make data set `name` of `file_type` from ints. */
static void put_foreign(hid_t file, const char *name, hid_t file_type, int n_dims, const hsize_t *dims,
                        hid_t memory_type, const void *data) {
  const hid_t space = n_dims < 0 ? H5Screate(H5S_NULL) : H5Screate_simple(n_dims, dims, NULL);
  const hid_t dataset = H5Dcreate2(file, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (data) assert_true(H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
}

/** What h5py, MATLAB and old HDF5 write: old format, other byte order, half precision, booleans, scalars. */
static void foreign_types_are_read(void **state) {
  const char *path = folder_path(state, "foreign.h5");
  const hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t three = 3, nine[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  const int x[] = {0, 1, 1};
  const int8_t truth[] = {0, 1, 1};
  const hid_t boolean = H5Tenum_create(H5T_STD_I8LE), half = H5Tcopy(H5T_IEEE_F32LE),
              text = H5Tcopy(H5T_C_S1);
  H5Tenum_insert(boolean, "FALSE", &truth[0]);
  H5Tenum_insert(boolean, "TRUE", &truth[1]);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  H5Tset_size(text, 5);
  put_foreign(id, "u16be", H5T_STD_U16BE, 1, &three, H5T_NATIVE_INT, x);
  put_foreign(id, "half", half, 1, &three, H5T_NATIVE_INT, x);
  put_foreign(id, "bool", boolean, 1, &three, boolean, truth);
  put_foreign(id, "scalar", H5T_IEEE_F64BE, 0, NULL, H5T_NATIVE_INT, &x[1]);
  put_foreign(id, "text", text, 1, &three, text, NULL);
  put_foreign(id, "null", H5T_STD_I32LE, -1, NULL, 0, NULL);
  put_foreign(id, "nine", H5T_STD_I32LE, 9, nine, 0, NULL);
  H5Lcreate_soft("/nowhere", id, "dangling", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/bool", id, "alias", H5P_DEFAULT, H5P_DEFAULT);
  H5Tclose(text);
  H5Tclose(half);
  H5Tclose(boolean);
  H5Fclose(id);

  const struct {
    const char *name;
    tutti_type_class type_class;
    int bytes;
    bool is_signed;
  } expected[] = {{"u16be", TUTTI_CLASS_INTEGER, 2, false},
                  {"half", TUTTI_CLASS_REAL, 2, false},
                  {"bool", TUTTI_CLASS_INTEGER, 1, true},
                  {"alias", TUTTI_CLASS_INTEGER, 1, true}};
  tutti_file *file = NULL;
  tutti_array_shape shape;
  CHECK_OK(tutti_file_open(path, &file));
  for (int i = 0; i < 4; i++) {
    CHECK_OK(tutti_file_shape(file, expected[i].name, &shape));
    assert_int_equal(shape.type_class, expected[i].type_class);
    assert_int_equal(shape.type_bytes, expected[i].bytes);
    assert_int_equal(shape.type_signed, expected[i].is_signed);
    float f[3] = {9, 9, 9};
    int32_t k[3] = {9, 9, 9};
    CHECK_OK(tutti_file_read_rows(file, expected[i].name, TUTTI_F32, 0, 3, f));
    CHECK_OK(tutti_file_read_rows(file, expected[i].name, TUTTI_I32, 0, 3, k));
    for (int j = 0; j < 3; j++) assert_true(f[j] == (float)x[j] && k[j] == x[j]);
  }
  double scalar = 0;
  CHECK_OK(tutti_file_shape(file, "scalar", &shape));
  assert_int_equal(shape.n_dims, 0);
  CHECK_OK(tutti_file_read_rows(file, "scalar", TUTTI_F64, 0, 1, &scalar));
  assert_true(scalar == 1);
  CHECK_OK(tutti_file_shape(file, "text", &shape));
  assert_int_equal(shape.type_class, TUTTI_CLASS_OTHER);
  CHECK_FAILS(tutti_file_read_rows(file, "text", TUTTI_F64, 0, 1, &scalar), TUTTI_ERR_DATA,
              "expected numbers");
  CHECK_FAILS(tutti_file_shape(file, "null", &shape), TUTTI_ERR_DATA, "has no content");
  CHECK_FAILS(tutti_file_shape(file, "nine", &shape), TUTTI_ERR_DATA, "9 dimensions, at most 8");
  assert_true(tutti_file_has(file, "dangling")); // somebody meant something by it
  CHECK_FAILS(tutti_file_shape(file, "dangling", &shape), TUTTI_ERR_DATA,
              "'dangling' is a link to something that does not exist");
  tutti_file_close(&file);
}

static herr_t count_print(hid_t stack, void *data) {
  (void)stack;
  ++*(int *)data;
  return 0;
}

static void printing_of_hdf5_is_left_as_it_was(void **state) {
  int n_printed = 0;
  H5E_auto2_t print = NULL;
  void *data = NULL;
  H5Eget_auto2(H5E_DEFAULT, &print, &data);
  H5Eset_auto2(H5E_DEFAULT, count_print, &n_printed);
  tutti_file *file = NULL;
  folder_put(folder_path(state, "bad.h5"), "\x89HDF\r\n\x1a\n!", 9);
  assert_int_equal(tutti_file_open(folder_path(state, "bad.h5"), &file), TUTTI_ERR_DATA);
  assert_int_equal(n_printed, 0);
  assert_true(H5Fopen("/none.h5", H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
  assert_int_equal(n_printed, 1);
  H5Eset_auto2(H5E_DEFAULT, print, data);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
  const struct CMUnitTest tests[] = {
    IN_FOLDER(every_type_comes_back_in_every_type),
    IN_FOLDER(rows_are_written_in_pieces),
    IN_FOLDER(rows_that_were_never_written_are_zero),
    IN_FOLDER(empty_arrays_keep_their_shape),
    IN_FOLDER(every_array_has_a_checksum_and_fitting_chunks),
    IN_FOLDER(damage_is_found_when_it_is_read),
    IN_FOLDER(an_unknown_filter_is_no_damage),
#if H5_VERSION_GE(1, 10, 5)
    IN_FOLDER(damage_of_compressed_numbers_is_named_so),
#endif
    IN_FOLDER(what_the_system_cannot_read_is_no_damage),
    IN_FOLDER(no_damage_goes_unnoticed),
    IN_FOLDER(wrong_requests_are_answered),
    IN_FOLDER(groups_are_listed_by_name),
    IN_FOLDER(foreign_types_are_read),
    IN_FOLDER(printing_of_hdf5_is_left_as_it_was),
  };
  return cmocka_run_group_tests_name("io.array", tests, NULL, check_no_leak);
}
