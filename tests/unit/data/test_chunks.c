#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/chunks_impl.h"
#include "support/check.h"
#include "support/folder.h"
#include "tutti/linalg.h"

/* HDF5 is the reference: whatever it reads, our own way gives the same bytes, and what it refuses is refused. */

enum { SHUFFLE = TUTTI_FILTER_SHUFFLE, DEFLATE = TUTTI_FILTER_DEFLATE, FLETCHER32 = TUTTI_FILTER_FLETCHER32 };
enum { UNKNOWN = -1, MOST_NUMBERS = 3000, MEMORY = 1 << 28 };

typedef struct {
  int n_dims;
  hsize_t dims[3], chunk[3];
} shape;

static hid_t creation_list(const shape *s, unsigned filters) {
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  assert_true(H5Pset_chunk(list, s->n_dims, s->chunk) >= 0);
  if (filters & SHUFFLE) assert_true(H5Pset_shuffle(list) >= 0);
  if (filters & DEFLATE) assert_true(H5Pset_deflate(list, 6) >= 0);
  if (filters & FLETCHER32) assert_true(H5Pset_fletcher32(list) >= 0);
  return list;
}

/** Make a file with the array "x".
 * @param[in] x     of memory_type; NULL: it is not written
 * @param[in] list  released
 * @return the array, its file to be closed with close_array */
static hid_t make_array(const char *path, const shape *s, hid_t type, hid_t list, hid_t memory_type,
                        const void *x) {
  const hsize_t unlimited[3] = {H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED};
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
              space = H5Screate_simple(s->n_dims, s->dims, unlimited),
              dataset = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  assert_true(dataset >= 0);
  if (x) assert_true(H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
  H5Sclose(space);
  H5Pclose(list);
  return dataset;
}

static void close_array(hid_t dataset) {
  const hid_t file = H5Iget_file_id(dataset);
  H5Dclose(dataset);
  H5Fclose(file);
  H5Fclose(file);
}

/** Read rows in both ways, and compare.
 * @return number of rows that our way has read; UNKNOWN: it does not know the array; -2: it failed */
static int64_t compare(const char *path, tutti_type type, int64_t first, int64_t n) {
  static uint64_t a[MOST_NUMBERS], b[MOST_NUMBERS];
  tutti_array_shape s;
  tutti_file *file = NULL;
  tutti_array_chunks *chunks = NULL;
  int64_t n_read = UNKNOWN, width = 1;
  bool finite = true;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_shape(file, "x", &s));
  CHECK_OK(tutti_array_chunks_open(file, "x", &chunks));
  for (int i = 1; i < s.n_dims; i++) width *= s.dims[i];
  memset(b, 0x55, sizeof b); // what is not in the rows stays as it was
  if (chunks && tutti_data_convert_of(tutti_array_chunks_form(chunks)->stored, type)) {
    const tutti_row_block rows = {type, first, n, b};
    const tutti_status ours = tutti_data_read_chunks(file, "x", chunks, &rows, MEMORY, &n_read, &finite);
    memset(a, 0x55, sizeof a);
    const tutti_status theirs = tutti_file_read_rows(file, "x", type, first, n, a);
    if (ours != TUTTI_OK) {
      assert_int_equal(ours, TUTTI_ERR_DATA);
      assert_int_equal(theirs, ours);
      n_read = -2;
    } else if (n_read == n) {
      assert_int_equal(theirs, TUTTI_OK);
      assert_memory_equal(a, b, sizeof a);
    } else if (theirs == TUTTI_OK) {
      assert_memory_equal(a, b, (size_t)(n_read * width) * tutti_io_type_bytes(type));
    }
  }
  tutti_array_chunks_close(&chunks);
  tutti_file_close(&file);
  return n_read;
}

// --- arrays that are read

/** Bits of all kinds: small and large numbers, infinite ones and those that are none. */
static void draw(uint8_t *bytes, size_t n) {
  uint32_t state = 7;
  for (size_t i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    bytes[i] = i / 64 % 2 ? (uint8_t)(state >> 24) : (uint8_t)(state >> 31); // some of it can be compressed
  }
}

static void each_type_is_read_as_by_hdf5(void **state) {
  const hid_t types[] = {H5T_NATIVE_INT8,  H5T_NATIVE_UINT8,  H5T_NATIVE_INT16, H5T_NATIVE_UINT16,
                         H5T_NATIVE_INT32, H5T_NATIVE_UINT32, H5T_NATIVE_INT64, H5T_NATIVE_UINT64,
                         H5T_NATIVE_FLOAT, H5T_NATIVE_DOUBLE};
  const unsigned filters[] = {DEFLATE, SHUFFLE | DEFLATE | FLETCHER32};
  const shape s = {2, {70, 13}, {16, 5}};
  static double x[MOST_NUMBERS];
  const char *path = folder_path(state, "x.h5");
  draw((uint8_t *)x, sizeof x);
  // The largest float, doubles that would be rounded to it, and the first one beyond.
  const double edges[] = {0x1.fffffep127, 0x1.fffffe1p127,  0x1.ffffffp127, 0x1p128,
                          1e300,          -0x1.fffffe1p127, 1e-310};
  memcpy(x, edges, sizeof edges);
  int n_known = 0;
  for (int i = 0; i < 10; i++)
    for (int j = 0; j < 2; j++) {
      close_array(make_array(path, &s, types[i], creation_list(&s, filters[j]), types[i], x));
      for (tutti_type type = TUTTI_U8; type <= TUTTI_F64; type++) n_known += compare(path, type, 0, 70) == 70;
    }
  assert_int_equal(n_known, 2 * (10 * 2 + 3)); // each type as float and double, and three as they are
}

static void each_shape_is_read_as_by_hdf5(void **state) {
  const shape shapes[] = {
      {1, {100}, {7}},
      {1, {100}, {100}},
      {2, {100, 13}, {16, 5}},
      {2, {100, 13}, {16, 13}},
      {2, {100, 13}, {100, 1}},
      {2, {100, 13}, {1, 13}},
      {2, {5, 4}, {8, 8}},
      {3, {33, 7, 9}, {8, 7, 4}},
      {3, {33, 7, 9}, {8, 3, 9}},
      {3, {33, 7, 9}, {5, 3, 4}},
      {3, {33, 7, 9}, {8, 7, 9}},
      {3, {33, 1, 1}, {4, 2, 3}},
      {3, {33, 7, 9}, {1, 1, 4}},
      {3, {33, 7, 9}, {1, 1, 9}},
  };
  static float x[MOST_NUMBERS];
  const char *path = folder_path(state, "x.h5");
  draw((uint8_t *)x, sizeof x);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (unsigned filters = 0; filters < 8; filters++) {
      const int64_t n = (int64_t)shapes[i].dims[0];
      close_array(make_array(path, &shapes[i], H5T_NATIVE_FLOAT, creation_list(&shapes[i], filters),
                             H5T_NATIVE_FLOAT, x));
      const int64_t rows[][2] = {{0, n}, {1, n - 2}, {n / 2, 1}, {n / 3, n / 2}, {0, 1}, {n - 1, 1}, {3, 0}};
      for (int j = 0; j < 7; j++) {
        tutti_linalg_set_threads(1 + j % 3);
        assert_int_equal(compare(path, TUTTI_F32, rows[j][0], rows[j][1]), rows[j][1]);
        assert_int_equal(compare(path, TUTTI_F64, rows[j][0], rows[j][1]), rows[j][1]);
      }
    }
  tutti_linalg_set_threads(1);
}

static void a_filter_may_be_left_out_of_a_chunk(void **state) {
  const shape s = {1, {20}, {10}};
  static int32_t x[20];
  const char *path = folder_path(state, "x.h5");
  for (int i = 0; i < 20; i++) x[i] = i * i;
  for (uint32_t mask = 0; mask < 8; mask++) {
    const hid_t dataset = make_array(path, &s, H5T_NATIVE_INT32,
                                     creation_list(&s, SHUFFLE | DEFLATE | FLETCHER32), H5T_NATIVE_INT32, x);
    // With all filters left out, the bytes are those of the numbers; otherwise the array is damaged.
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, (hsize_t[]){10}, 40, x) >= 0);
    close_array(dataset);
    const int64_t n = compare(path, TUTTI_I32, 0, 20);
    if (mask == 7) assert_int_equal(n, 20);
    if (!(mask & 4)) assert_int_equal(n, -2);
  }
}

static void chunks_that_were_never_written_are_left_to_hdf5(void **state) {
  const shape s = {2, {40, 6}, {10, 3}};
  const hsize_t first[2] = {0, 0}, count[2] = {25, 6};
  static int32_t x[40 * 6];
  const char *path = folder_path(state, "x.h5");
  const int32_t fill = 7;
  const hid_t list = creation_list(&s, DEFLATE);
  assert_true(H5Pset_fill_value(list, H5T_NATIVE_INT32, &fill) >= 0);
  const hid_t dataset = make_array(path, &s, H5T_NATIVE_INT32, list, H5T_NATIVE_INT32, NULL);
  const hid_t some = H5Dget_space(dataset), memory = H5Screate_simple(2, count, NULL);
  assert_true(H5Sselect_hyperslab(some, H5S_SELECT_SET, first, NULL, count, NULL) >= 0);
  assert_true(H5Dwrite(dataset, H5T_NATIVE_INT32, memory, some, H5P_DEFAULT, x) >= 0);
  H5Sclose(some);
  H5Sclose(memory);
  close_array(dataset);
  assert_int_equal(compare(path, TUTTI_I32, 0, 40), 30);
  assert_int_equal(compare(path, TUTTI_I32, 5, 35), 25);
  assert_int_equal(compare(path, TUTTI_I32, 31, 5), 0);
  assert_int_equal(compare(path, TUTTI_I32, 3, 20), 20);
}

static void other_arrays_are_left_to_hdf5(void **state) {
  const shape s = {1, {20}, {10}}, huge = {1, {20}, {1 << 20}};
  static double x[20];
  const char *path = folder_path(state, "x.h5");
  close_array(make_array(path, &s, H5T_STD_I32BE, creation_list(&s, DEFLATE), H5T_NATIVE_DOUBLE, x));
  assert_int_equal(compare(path, TUTTI_F32, 0, 20), UNKNOWN);
  close_array(make_array(path, &s, H5T_IEEE_F64BE, creation_list(&s, DEFLATE), H5T_NATIVE_DOUBLE, x));
  assert_int_equal(compare(path, TUTTI_F64, 0, 20), UNKNOWN);
  // A chunk of 8 MiB for 160 bytes
  close_array(
      make_array(path, &huge, H5T_NATIVE_DOUBLE, creation_list(&huge, DEFLATE), H5T_NATIVE_DOUBLE, x));
  assert_int_equal(compare(path, TUTTI_F64, 0, 20), UNKNOWN);
  const hid_t other = creation_list(&s, DEFLATE), twice = creation_list(&s, SHUFFLE);
  assert_true(H5Pset_nbit(other) >= 0 && H5Pset_shuffle(twice) >= 0);
  close_array(make_array(path, &s, H5T_NATIVE_DOUBLE, other, H5T_NATIVE_DOUBLE, x));
  assert_int_equal(compare(path, TUTTI_F64, 0, 20), UNKNOWN);
  close_array(make_array(path, &s, H5T_NATIVE_DOUBLE, twice, H5T_NATIVE_DOUBLE, x));
  assert_int_equal(compare(path, TUTTI_F64, 0, 20), UNKNOWN);
  // No chunks
  const hid_t block = H5Pcreate(H5P_DATASET_CREATE);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
              space = H5Screate_simple(1, s.dims, NULL),
              dataset = H5Dcreate2(file, "x", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, block, H5P_DEFAULT);
  H5Sclose(space);
  H5Pclose(block);
  H5Dclose(dataset);
  H5Fclose(file);
  assert_int_equal(compare(path, TUTTI_F64, 0, 20), UNKNOWN);
}

// --- damage

/** Put bytes in the place of chunk 2 of 4, which has rows 10 to 19. */
static void put_chunk(const char *path, const void *bytes, size_t n) {
  const shape s = {2, {40, 6}, {10, 6}};
  static uint8_t x[240];
  const hid_t dataset =
      make_array(path, &s, H5T_NATIVE_UINT8, creation_list(&s, DEFLATE), H5T_NATIVE_UINT8, x);
  assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, (hsize_t[]){10, 0}, n, bytes) >= 0);
  close_array(dataset);
}

static void check_chunk_size(const char *path, int64_t expected_rows, int64_t expected_bytes) {
  int64_t rows = 0, bytes = -1;
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_array_chunk_size(file, "x", &rows, &bytes));
  assert_int_equal(rows, expected_rows);
  assert_int_equal(bytes, expected_bytes);
  tutti_file_close(&file);
}

/** HDF5 reads whole chunks also of arrays that are left to it. */
static void chunks_of_any_array_have_a_size(void **state) {
  const shape s = {2, {40, 6}, {10, 4}}, tall = {2, {40, 6}, {1000, 4}};
  const char *path = folder_path(state, "x.h5");
  close_array(make_array(path, &s, H5T_IEEE_F64BE, creation_list(&s, DEFLATE), H5T_NATIVE_DOUBLE, NULL));
  check_chunk_size(path, 10, 320);
  close_array(make_array(path, &tall, H5T_STD_U8LE, creation_list(&tall, DEFLATE), H5T_NATIVE_UINT8, NULL));
  check_chunk_size(path, 40, 4000);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
              space = H5Screate_simple(2, s.dims, NULL);
  H5Dclose(H5Dcreate2(file, "x", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Fclose(file);
  check_chunk_size(path, 1, 0);
}

static void check_damaged(const char *path, const char *message) {
  uint8_t x[240];
  int64_t n_read = 0;
  bool finite = true;
  tutti_file *file = NULL;
  tutti_array_chunks *chunks = NULL;
  const tutti_row_block rows = {TUTTI_U8, 12, 20, x};
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_array_chunks_open(file, "x", &chunks));
  CHECK_FAILS(tutti_data_read_chunks(file, "x", chunks, &rows, MEMORY, &n_read, &finite), TUTTI_ERR_DATA,
              message);
  tutti_array_chunks_close(&chunks);
  tutti_file_close(&file);
}

static void a_damaged_chunk_is_named(void **state) {
  static const char message[] =
      "bad.h5: array 'x': cannot read rows 12 to 19 (from 0): their numbers cannot be decompressed";
  const char *path = folder_path(state, "bad.h5");
  uint8_t packed[300], numbers[200] = {0};
  for (int threads = 1; threads <= 3; threads++) {
    tutti_linalg_set_threads(threads);
    for (uLong n = 0; n <= 200; n += 10) {
      uLong n_packed = sizeof packed;
      assert_int_equal(compress(packed, &n_packed, numbers, n), Z_OK);
      put_chunk(path, packed, n_packed); // the chunk has 60 numbers
      if (n != 60)
        check_damaged(path, message);
      else
        assert_int_equal(compare(path, TUTTI_U8, 0, 40), 40);
      put_chunk(path, packed, n_packed - 1); // the end is missing
      check_damaged(path, message);
    }
    put_chunk(path, "no stream", 9);
    check_damaged(path, message);
  }
  tutti_linalg_set_threads(1);
}

static void a_chunk_that_is_too_long_is_left_to_hdf5(void **state) {
  const char *path = folder_path(state, "long.h5");
  uint8_t packed[1000] = {0};
  uLong n_packed = sizeof packed;
  assert_int_equal(compress(packed, &n_packed, packed + 500, 60), Z_OK);
  put_chunk(path, packed, sizeof packed); // what is behind the stream does not matter
  assert_int_equal(compare(path, TUTTI_U8, 0, 40), 10);
}

/** Flip bits all over the chunks of a file, which HDF5 and we have to notice alike. */
static void no_damage_goes_unnoticed(void **state) {
  const unsigned filters[] = {DEFLATE, FLETCHER32, SHUFFLE | DEFLATE, SHUFFLE | DEFLATE | FLETCHER32};
  const shape s = {2, {40, 5}, {16, 5}};
  static float x[200];
  const char *path = folder_path(state, "x.h5");
  draw((uint8_t *)x, sizeof x);
  for (int i = 0; i < 4; i++) {
    size_t size = 0;
    int n_noticed = 0, n_flips = 0;
    close_array(make_array(path, &s, H5T_NATIVE_FLOAT, creation_list(&s, filters[i]), H5T_NATIVE_FLOAT, x));
    unsigned char *bytes = folder_bytes(path, &size);
    for (size_t at = size / 2; at < size; at += 7, n_flips++) {
      bytes[at] ^= (unsigned char)(1 << at % 8);
      folder_put(path, bytes, size);
      tutti_file *file = NULL;
      tutti_array_shape there;
      const bool opens =
          tutti_file_open(path, &file) == TUTTI_OK && tutti_file_shape(file, "x", &there) == TUTTI_OK;
      tutti_file_close(&file);
      if (opens) n_noticed += compare(path, TUTTI_F32, 0, 40) == -2;
      bytes[at] ^= (unsigned char)(1 << at % 8);
    }
    assert_true(n_noticed > n_flips / 8);
    tutti_free(bytes);
  }
}

static void numbers_that_are_not_finite_are_seen(void **state) {
  const shape s = {2, {40, 6}, {10, 4}};
  static double x[240];
  const char *path = folder_path(state, "x.h5");
  x[123] = 1e39; // beyond the range of float32, in row 20
  close_array(make_array(path, &s, H5T_NATIVE_DOUBLE, creation_list(&s, DEFLATE), H5T_NATIVE_DOUBLE, x));
  for (tutti_type type = TUTTI_F32; type <= TUTTI_F64; type++)
    for (int64_t first = 0; first < 40; first += 10) {
      static double y[240];
      int64_t n_read = 0;
      bool finite = true;
      tutti_file *file = NULL;
      tutti_array_chunks *chunks = NULL;
      const tutti_row_block rows = {type, first, 10, y};
      CHECK_OK(tutti_file_open(path, &file));
      CHECK_OK(tutti_array_chunks_open(file, "x", &chunks));
      CHECK_OK(tutti_data_read_chunks(file, "x", chunks, &rows, MEMORY, &n_read, &finite));
      assert_int_equal(finite, first != 20);
      tutti_array_chunks_close(&chunks);
      tutti_file_close(&file);
    }
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
  const struct CMUnitTest tests[] = {
      IN_FOLDER(each_type_is_read_as_by_hdf5),
      IN_FOLDER(each_shape_is_read_as_by_hdf5),
      IN_FOLDER(a_filter_may_be_left_out_of_a_chunk),
      IN_FOLDER(chunks_that_were_never_written_are_left_to_hdf5),
      IN_FOLDER(other_arrays_are_left_to_hdf5),
      IN_FOLDER(chunks_of_any_array_have_a_size),
      IN_FOLDER(a_damaged_chunk_is_named),
      IN_FOLDER(a_chunk_that_is_too_long_is_left_to_hdf5),
      IN_FOLDER(no_damage_goes_unnoticed),
      IN_FOLDER(numbers_that_are_not_finite_are_seen),
  };
  return cmocka_run_group_tests_name("data.chunks", tests, NULL, check_no_leak);
}
