#include <hdf5.h>
#include <stddef.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"
#include "tutti/io.h"

/** With gaps between the columns, and a member that is no column. */
typedef struct {
  uint8_t flag;
  int64_t step;
  float loss;
  const char *note;
  int32_t rank;
  double seconds;
} record;

static const tutti_column columns[] = {
    {"flag", TUTTI_U8, offsetof(record, flag)},        {"step", TUTTI_I64, offsetof(record, step)},
    {"loss", TUTTI_F32, offsetof(record, loss)},       {"rank", TUTTI_I32, offsetof(record, rank)},
    {"seconds", TUTTI_F64, offsetof(record, seconds)},
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static record make_record(int64_t i) {
  return (record){(uint8_t)i, i, 0.5f * (float)i, "note", (int32_t)-i, 1e-3 * (double)i};
}

static void check_record(const record *r, int64_t i) {
  const record expected = make_record(i);
  assert_int_equal(r->flag, expected.flag);
  assert_int_equal(r->step, expected.step);
  assert_true(r->loss == expected.loss && r->seconds == expected.seconds);
  assert_int_equal(r->rank, expected.rank);
}

static tutti_status append(tutti_file *file, const char *name, int64_t first, int64_t n) {
  record records[700];
  assert_true(n <= 700);
  for (int64_t i = 0; i < n; i++) records[i] = make_record(first + i);
  return tutti_table_append(file, name, columns, N_COLUMNS, sizeof(record), records, n);
}

static void table_grows_over_updates(void **state) {
  enum { PIECE = 700, PIECES = 3 }; // more than one chunk
  const char *path = folder_path(state, "metrics.h5");
  tutti_file *file = NULL;
  int64_t n = -1;
  for (int i = 0; i < PIECES; i++) {
    CHECK_OK(tutti_file_update(path, &file));
    CHECK_OK(tutti_table_rows(file, "/epochs", &n));
    assert_int_equal(n, i * PIECE);
    CHECK_OK(append(file, "/epochs", n, PIECE - 1));
    CHECK_OK(append(file, "/epochs", n + PIECE - 1, 1));
    CHECK_OK(append(file, "/epochs", 0, 0));
    CHECK_OK(tutti_file_commit(&file));
  }
  static record back[PIECE * PIECES];
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_table_read(file, "epochs", columns, N_COLUMNS, sizeof(record), 0, PIECE * PIECES, back));
  for (int64_t i = 0; i < PIECE * PIECES; i++) check_record(&back[i], i);
  CHECK_OK(tutti_table_read(file, "epochs", columns, N_COLUMNS, sizeof(record), 650, 100, back));
  for (int64_t i = 0; i < 100; i++) check_record(&back[i], 650 + i);
  tutti_file_close(&file);
}

static void columns_have_their_names_and_order(void **state) {
  tutti_file *file = NULL;
  tutti_texts names;
  CHECK_OK(tutti_file_create(folder_path(state, "x.h5"), &file));
  CHECK_OK(append(file, "t", 0, 1));
  CHECK_OK(tutti_table_columns(file, "t", &names));
  assert_int_equal(names.n, N_COLUMNS);
  for (int i = 0; i < N_COLUMNS; i++) assert_string_equal(names.list[i], columns[i].name);
  tutti_texts_clear(&names);
  CHECK_FAILS(tutti_table_columns(file, "u", &names), TUTTI_ERR_DATA, "no table 'u'");
  assert_true(!names.list && names.n == 0);
  tutti_file_close(&file);
}

static void columns_that_the_table_lacks_stay_untouched(void **state) {
  const tutti_column wanted[] = {
      {"val_loss", TUTTI_F32, offsetof(record, loss)},
      {"step", TUTTI_F64, offsetof(record, seconds)}, // in another type than it has
  };
  const record untouched = {200, 77, -1.0f, "mine", 5, 6.0};
  record r[2] = {untouched, untouched};
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(folder_path(state, "x.h5"), &file));
  CHECK_OK(append(file, "t", 10, 2));
  CHECK_OK(tutti_table_read(file, "t", wanted, 2, sizeof(record), 0, 2, r));
  for (int i = 0; i < 2; i++) {
    assert_true(r[i].seconds == 10 + i);
    assert_true(r[i].loss == -1.0f);
    assert_int_equal(r[i].flag, 200);
    assert_int_equal(r[i].step, 77);
    assert_int_equal(r[i].rank, 5);
    assert_string_equal(r[i].note, "mine");
  }
  CHECK_OK(tutti_table_read(file, "t", wanted, 1, sizeof(record), 0, 2, r)); // none of them
  assert_true(r[0].loss == -1.0f);
  tutti_file_close(&file);
}

static void other_columns_are_refused(void **state) {
  tutti_file *file = NULL;
  const record r = make_record(1);
  const tutti_column swapped[] = {columns[1], columns[0], columns[2], columns[3], columns[4]};
  tutti_column other[N_COLUMNS];
  CHECK_OK(tutti_file_create(folder_path(state, "x.h5"), &file));
  CHECK_OK(append(file, "t", 0, 1));
  CHECK_FAILS(
      tutti_table_append(file, "t", columns, 2, sizeof r, &r, 1), TUTTI_ERR_DATA,
      "x.h5: table 't' has 5 columns, cannot append records of 2; it has: flag, step, loss, rank, seconds");
  memcpy(other, columns, sizeof other);
  other[2].name = "val_loss";
  CHECK_FAILS(tutti_table_append(file, "t", other, N_COLUMNS, sizeof r, &r, 1), TUTTI_ERR_DATA,
              "has no column 'val_loss'");
  memcpy(other, columns, sizeof other);
  other[3].type = TUTTI_F32;
  CHECK_FAILS(tutti_table_append(file, "t", other, N_COLUMNS, sizeof r, &r, 1), TUTTI_ERR_DATA,
              "column 'rank' has another type");
  CHECK_OK(tutti_table_append(file, "t", swapped, N_COLUMNS, sizeof r, &r, 1));
  record back[2];
  CHECK_OK(tutti_table_read(file, "t", columns, N_COLUMNS, sizeof r, 0, 2, back));
  check_record(&back[0], 0);
  check_record(&back[1], 1);
  tutti_file_close(&file);
}

static void table_is_cut_and_goes_on(void **state) {
  const char *path = folder_path(state, "x.h5");
  record back[5];
  int64_t n = 0;
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(append(file, "t", 0, 600));
  CHECK_OK(tutti_table_truncate(file, "t", 3));
  CHECK_OK(append(file, "t", 3, 2));
  CHECK_OK(tutti_file_commit(&file));
  CHECK_OK(tutti_file_update(path, &file));
  CHECK_OK(tutti_table_rows(file, "t", &n));
  assert_int_equal(n, 5);
  CHECK_OK(tutti_table_read(file, "t", columns, N_COLUMNS, sizeof(record), 0, 5, back));
  for (int i = 0; i < 5; i++) check_record(&back[i], i);
  CHECK_FAILS(tutti_table_truncate(file, "t", 6), TUTTI_ERR_DATA, "has 5 rows, cannot keep the first 6");
  CHECK_FAILS(tutti_table_truncate(file, "t", -1), TUTTI_ERR_DATA, "cannot keep the first -1");
  CHECK_FAILS(tutti_table_truncate(file, "none", 0), TUTTI_ERR_DATA, "no table 'none'; the file has: t");
  tutti_file_close(&file);
}

static void wrong_requests_are_answered(void **state) {
  const int64_t one = 1;
  const float x = 1;
  int64_t n = -1;
  record r;
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(folder_path(state, "x.h5"), &file));
  CHECK_OK(append(file, "t", 0, 0)); // makes it
  CHECK_OK(tutti_file_write(file, "array", TUTTI_F32, 1, &one, 0, &x));
  assert_true(tutti_file_has(file, "t"));
  CHECK_OK(tutti_table_rows(file, "none", &n));
  assert_int_equal(n, 0);
  CHECK_FAILS(tutti_table_rows(file, "array", &n), TUTTI_ERR_DATA, "'array' is not a table");
  CHECK_FAILS(append(file, "array", 0, 1), TUTTI_ERR_DATA, "'array' is not a table");
  CHECK_FAILS(tutti_table_read(file, "t", columns, 1, sizeof r, 0, 1, &r), TUTTI_ERR_DATA,
              "table 't' has 0 rows, expected at least 1 from row 0 on");
  CHECK_FAILS(tutti_table_read(file, "none", columns, 1, sizeof r, 0, 1, &r), TUTTI_ERR_DATA,
              "no table 'none'");
  tutti_file_close(&file);
}

static void damaged_table_is_not_read(void **state) {
  const char *path = folder_path(state, "x.h5");
  static const char seconds[] = {(char)0xfc, (char)0xa9, (char)0xf1, (char)0xd2,
                                 0x4d,       0x62,       0x50,       0x3f}; // 1e-3
  tutti_file *file = NULL;
  record r;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(append(file, "t", 1, 1));
  CHECK_OK(tutti_file_commit(&file));
  size_t size = 0, at = 0;
  unsigned char *bytes = folder_bytes(path, &size);
  while (at + sizeof seconds <= size && memcmp(bytes + at, seconds, sizeof seconds) != 0) at++;
  assert_true(at + sizeof seconds <= size);
  bytes[at] ^= 1;
  folder_put(path, bytes, size);
  tutti_free(bytes);
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(tutti_table_read(file, "t", columns, N_COLUMNS, sizeof r, 0, 1, &r), TUTTI_ERR_DATA,
              "x.h5: table 't': cannot read: the checksum does not match");
  tutti_file_close(&file);
  assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

static tutti_status replace(tutti_file *file, int n_columns, int64_t first, int64_t n) {
  record records[700];
  for (int64_t i = 0; i < n; i++) records[i] = make_record(first + i);
  return tutti_table_replace(file, "/t", columns, n_columns, sizeof(record), records, n);
}

static void replaced_table_has_the_new_records(void **state) {
  const struct {
    int n_columns;
    int64_t first, n;
  } steps[] = {{N_COLUMNS, 0, 1},  {N_COLUMNS, 5, 1},      {N_COLUMNS, 7, 700}, {N_COLUMNS, 9, 700},
               {N_COLUMNS, 2, 30}, {N_COLUMNS - 1, 3, 30}, {N_COLUMNS, 0, 0},   {N_COLUMNS, 4, 2}};
  const char *path = folder_path(state, "x.h5");
  tutti_file *file = NULL;
  for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
    record back[700] = {{0}};
    tutti_texts names;
    int64_t n = -1;
    CHECK_OK(tutti_file_update(path, &file));
    CHECK_OK(replace(file, steps[k].n_columns, steps[k].first, steps[k].n));
    CHECK_OK(tutti_file_commit(&file));
    CHECK_OK(tutti_file_open(path, &file));
    CHECK_OK(tutti_table_rows(file, "/t", &n));
    assert_int_equal(n, steps[k].n);
    CHECK_OK(tutti_table_columns(file, "/t", &names));
    assert_int_equal(names.n, steps[k].n_columns);
    tutti_texts_clear(&names);
    CHECK_OK(tutti_table_read(file, "/t", columns, steps[k].n_columns, sizeof *back, 0, n, back));
    for (int64_t i = 0; i < n; i++) assert_int_equal(back[i].step, steps[k].first + i);
    tutti_file_close(&file);
  }
}

static void a_table_that_does_not_grow_takes_little_of_the_file(void **state) {
  const char *path = folder_path(state, "x.h5");
  size_t size = 0;
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(replace(file, N_COLUMNS, 0, 3));
  CHECK_OK(tutti_file_commit(&file));
  tutti_free(folder_bytes(path, &size));
  assert_in_range(size, 1, 4095);
}

static void a_table_that_does_not_grow_says_so(void **state) {
  const char *path = folder_path(state, "x.h5");
  const record one = make_record(1);
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(replace(file, N_COLUMNS, 0, 3));
  CHECK_FAILS(tutti_table_append(file, "/t", columns, N_COLUMNS, sizeof one, &one, 1), TUTTI_ERR_DATA,
              "table '/t' was written as a whole");
  CHECK_FAILS(tutti_table_truncate(file, "/t", 2), TUTTI_ERR_DATA, "replace it");
  tutti_file_close(&file);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
  const struct CMUnitTest tests[] = {
      IN_FOLDER(table_grows_over_updates),
      IN_FOLDER(columns_that_the_table_lacks_stay_untouched),
      IN_FOLDER(other_columns_are_refused),
      IN_FOLDER(table_is_cut_and_goes_on),
      IN_FOLDER(wrong_requests_are_answered),
      IN_FOLDER(damaged_table_is_not_read),
      IN_FOLDER(columns_have_their_names_and_order),
      IN_FOLDER(a_table_that_does_not_grow_says_so),
      IN_FOLDER(replaced_table_has_the_new_records),
      IN_FOLDER(a_table_that_does_not_grow_takes_little_of_the_file),
  };
  return cmocka_run_group_tests_name("io.table", tests, NULL, check_no_leak);
}
