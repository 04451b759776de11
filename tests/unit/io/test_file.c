#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/folder.h"
#include "tutti/io.h"

static int64_t open_ids(void) {
  return H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL);
}

/** A file of every kind of content. */
static tutti_status fill(tutti_file *file, float value, int64_t n) {
  tutti_status status = TUTTI_OK;
  float *x = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(x, n));
  for (int64_t i = 0; i < n; i++) x[i] = value + (float)i;
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "/model/weights/dense/kernel", TUTTI_F32, 1, &n, 0, x));
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "packed", TUTTI_F32, 1, &n, 4, x));
  TUTTI_TRY_GOTO(done, tutti_file_set_text(file, "/", "format", "test"));
  const struct { int64_t step; } row = {3};
  const tutti_column column = {"step", TUTTI_I64, 0};
  TUTTI_TRY_GOTO(done, tutti_table_append(file, "history", &column, 1, sizeof row, &row, 1));
done:
  tutti_free(x);
  return status;
}

static void make(const char *path, float value, int64_t n) {
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(fill(file, value, n));
  CHECK_OK(tutti_file_commit(&file));
  assert_null(file);
}

static float first_value(const char *path) {
  tutti_file *file = NULL;
  float x = 0;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_read_rows(file, "packed", TUTTI_F32, 0, 1, &x));
  tutti_file_close(&file);
  return x;
}

static void new_file_appears_at_the_commit(void **state) {
  const char *path = folder_path(state, "deep/er/x.h5");
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  assert_string_equal(tutti_file_path(file), path);
  CHECK_OK(fill(file, 1, 10));
  assert_int_not_equal(access(path, F_OK), 0);
  CHECK_OK(tutti_file_commit(&file));
  assert_null(file);
  assert_true(first_value(path) == 1);
  assert_int_equal(open_ids(), 0);
}

static void uncommitted_file_is_dropped(void **state) {
  const char *path = folder_path(state, "x.h5");
  make(path, 1, 10);
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(fill(file, 2, 10));
  tutti_file_close(&file);
  assert_null(file);
  tutti_file_close(&file);
  assert_true(first_value(path) == 1);
  assert_int_equal(folder_count(state), 1);
  assert_int_equal(open_ids(), 0);
}

static void update_begins_with_the_old_content(void **state) {
  const char *path = folder_path(state, "x.h5");
  const int64_t one = 1;
  const float y = 7;
  for (int i = 0; i < 2; i++) { // the first makes the file
    tutti_file *file = NULL;
    CHECK_OK(tutti_file_update(path, &file));
    assert_int_equal(tutti_file_has(file, "y0"), i == 1);
    CHECK_OK(tutti_file_write(file, i ? "y1" : "y0", TUTTI_F32, 1, &one, 0, &y));
    CHECK_OK(tutti_file_commit(&file));
  }
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_update(path, &file));
  assert_true(tutti_file_has(file, "y0") && tutti_file_has(file, "y1"));
  tutti_file_close(&file);

  folder_put(path, "text", 4);
  CHECK_FAILS(tutti_file_update(path, &file), TUTTI_ERR_DATA, "is not an HDF5 file");
  assert_int_equal(folder_count(state), 1);
}

static void equal_content_is_equal_bytes(void **state) {
  const char *paths[2] = {folder_path(state, "a.h5"), folder_path(state, "b.h5")};
  unsigned char *bytes[2];
  size_t n[2];
  for (int i = 0; i < 2; i++) {
    make(paths[i], 1, 300000);
    bytes[i] = folder_bytes(paths[i], &n[i]);
  }
  assert_int_equal(n[0], n[1]);
  assert_memory_equal(bytes[0], bytes[1], n[0]);
  tutti_free(bytes[0]);
  tutti_free(bytes[1]);
}

/** The two files above may lie in one second: here is what would tell their seconds apart. */
static void nothing_has_a_time_stamp(void **state) {
  const char *path = folder_path(state, "x.h5");
  make(path, 1, 10);
  const hid_t id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  const char *const names[] = {"/", "model", "model/weights/dense", "packed", "history"};
  for (int i = 0; i < 5; i++) {
    const hid_t object = H5Oopen(id, names[i], H5P_DEFAULT);
    const hid_t list = i < 3 ? H5Gget_create_plist(object) : H5Dget_create_plist(object);
    hbool_t tracked = true;
    assert_true(H5Pget_obj_track_times(list, &tracked) >= 0);
    assert_false(tracked);
    H5Pclose(list);
    H5Oclose(object);
  }
  H5Fclose(id);
}

static void unreadable_files_are_told_apart(void **state) {
  tutti_file *file = NULL;
  CHECK_FAILS(tutti_file_open(folder_path(state, "none.h5"), &file), TUTTI_ERR_MISSING,
              "none.h5: cannot read: No such file");
  CHECK_FAILS(tutti_file_open(*state, &file), TUTTI_ERR_IO, "is a folder, expected an HDF5 file");
  CHECK_FAILS(tutti_file_open("/dev/null", &file), TUTTI_ERR_IO, "is not a regular file");
  const char *path = folder_path(state, "data.h5");
  folder_put(path, "", 0);
  CHECK_FAILS(tutti_file_open(path, &file), TUTTI_ERR_DATA, "data.h5: is empty, expected an HDF5 file");
  folder_put(path, "PK\x03\x04 zip", 8);
  CHECK_FAILS(tutti_file_open(path, &file), TUTTI_ERR_DATA,
              "data.h5: is not an HDF5 file (it begins with \"PK\\x03\\x04 zip\")");
  assert_null(file);
  assert_int_equal(open_ids(), 0);
}

static void truncated_file_is_refused_at_any_length(void **state) {
  const char *path = folder_path(state, "data.h5"), *cut = folder_path(state, "cut.h5");
  make(path, 1, 1000);
  size_t n = 0;
  unsigned char *bytes = folder_bytes(path, &n);
  for (size_t keep = 8; keep < n; keep += n / 40) {
    tutti_file *file = NULL;
    folder_put(cut, bytes, keep);
    CHECK_FAILS(tutti_file_open(cut, &file), TUTTI_ERR_DATA, "cut.h5: is truncated or damaged: ");
    assert_null(file);
  }
  tutti_free(bytes);
  assert_int_equal(open_ids(), 0);
}

static void file_that_is_being_written_elsewhere_is_named_so(void **state) {
  const char *path = folder_path(state, "live.h5");
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  const hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Fflush(id, H5F_SCOPE_GLOBAL);
  size_t n = 0;
  unsigned char *bytes = folder_bytes(path, &n); // as a crash leaves it
  H5Fclose(id);
  H5Pclose(access);
  folder_put(path, bytes, n);
  tutti_free(bytes);
  tutti_file *file = NULL;
  CHECK_FAILS(tutti_file_open(path, &file), TUTTI_ERR_DATA, "another program is writing to it, or died");
}

static void creation_that_fails_says_why(void **state) {
  tutti_file *file = NULL;
  folder_put(folder_path(state, "file"), "x", 1);
  CHECK_FAILS(tutti_file_create(folder_path(state, "file/x.h5"), &file), TUTTI_ERR_CREATE, "/file: ");
  CHECK_FAILS(tutti_file_create(*state, &file), TUTTI_ERR_CREATE, "a folder of that name exists");
  CHECK_FAILS(tutti_file_create("/proc/x.h5", &file), TUTTI_ERR_CREATE, "cannot create: ");
  char name[512];
  memset(name, 'n', 300);
  name[300] = '\0';
  CHECK_FAILS(tutti_file_create(folder_path(state, name), &file), TUTTI_ERR_CREATE, "File name too long");
  assert_null(file);
  assert_int_equal(folder_count(state), 1);
  assert_int_equal(open_ids(), 0);
}

static void reading_handle_does_not_write(void **state) {
  const char *path = folder_path(state, "x.h5");
  make(path, 1, 10);
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(fill(file, 1, 10), TUTTI_ERR_INTERNAL, "is open for reading");
  CHECK_FAILS(tutti_file_set_real(file, "/", "x", 1), TUTTI_ERR_INTERNAL, "is open for reading");
  CHECK_FAILS(tutti_file_commit(&file), TUTTI_ERR_INTERNAL, "is open for reading");
  assert_null(file);
}

static void two_writers_of_one_path_do_not_mix(void **state) {
  const char *path = folder_path(state, "x.h5");
  tutti_file *a = NULL, *b = NULL;
  CHECK_OK(tutti_file_create(path, &a));
  CHECK_OK(tutti_file_create(path, &b));
  CHECK_OK(fill(a, 1, 10));
  CHECK_OK(fill(b, 2, 10));
  CHECK_OK(tutti_file_commit(&b));
  assert_true(first_value(path) == 2);
  CHECK_OK(tutti_file_commit(&a));
  assert_true(first_value(path) == 1);
  assert_int_equal(folder_count(state), 1);
}

static void injected_faults_leave_the_old_file(void **state) {
  const char *path = folder_path(state, "x.h5");
  make(path, 1, 10);
  tutti_file *file = NULL;
  setenv("TUTTI_FAULT", "file.open:0:1", 1);
  CHECK_FAILS(tutti_file_open(path, &file), TUTTI_ERR_INTERNAL, "fault injected at file.open");
  setenv("TUTTI_FAULT", "file.create:0:1", 1);
  CHECK_FAILS(tutti_file_create(path, &file), TUTTI_ERR_INTERNAL, "fault injected at file.create");
  unsetenv("TUTTI_FAULT");
  assert_null(file);
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(fill(file, 2, 10));
  setenv("TUTTI_FAULT", "file.commit:0:1", 1);
  CHECK_FAILS(tutti_file_commit(&file), TUTTI_ERR_INTERNAL, "fault injected at file.commit");
  unsetenv("TUTTI_FAULT");
  assert_null(file);
  assert_true(first_value(path) == 1);
  assert_int_equal(folder_count(state), 1);
}

/** Whichever allocation fails: nothing leaks, the old file stays. */
static void no_memory_leaves_the_old_file(void **state) {
  const char *path = folder_path(state, "x.h5");
  const int64_t live = tutti_alloc_live();
  make(path, 1, 10);
  tutti_status status = TUTTI_ERR_MEMORY;
  int n = 0;
  for (; status != TUTTI_OK && n < 1000; n++) {
    char fault[32];
    tutti_file *file = NULL;
    assert_true(first_value(path) == 1);
    snprintf(fault, sizeof fault, "memory:0:%d", n + 1);
    setenv("TUTTI_FAULT", fault, 1);
    status = tutti_file_create(path, &file);
    if (status == TUTTI_OK) status = fill(file, 2, 10);
    if (status == TUTTI_OK) status = tutti_file_commit(&file);
    unsetenv("TUTTI_FAULT");
    tutti_file_close(&file);
    assert_true(status == TUTTI_OK || status == TUTTI_ERR_MEMORY || status == TUTTI_ERR_CREATE);
    assert_int_equal(tutti_alloc_live(), live);
    assert_int_equal(open_ids(), 0);
    assert_int_equal(folder_count(state), 1);
  }
  assert_int_equal(status, TUTTI_OK);
  assert_in_range(n, 10, 999);
  assert_true(first_value(path) == 2);
}

static void limit_file_size(rlim_t bytes) {
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/** Write a file of which the system takes only so many bytes. */
static tutti_status write_within(const char *path, bool update, rlim_t bytes, int64_t n) {
  tutti_file *file = NULL;
  limit_file_size(bytes);
  tutti_status status = update ? tutti_file_update(path, &file) : tutti_file_create(path, &file);
  if (status == TUTTI_OK && update)
    status = tutti_file_set_text(file, "/", "note", "a longer text than before");
  if (status == TUTTI_OK && !update) status = fill(file, 2, n);
  if (status == TUTTI_OK) status = tutti_file_commit(&file);
  tutti_file_close(&file);
  limit_file_size(RLIM_INFINITY);
  return status;
}

/** A size limit stands for a full disk: the same calls fail, with EFBIG. */
static void full_disk_leaves_the_old_file(void **state) {
  enum { N = 20000, STEPS = 150 };
  const char *path = folder_path(state, "x.h5");
  void (*const before)(int) = signal(SIGXFSZ, SIG_IGN);
  make(path, 2, N);
  size_t size = 0;
  tutti_free(folder_bytes(path, &size));
  make(path, 1, N);
  for (size_t i = 0; i < STEPS; i++) {
    // Densely at both ends, where the metadata is written
    const size_t limit = i < 50 ? 64 * i : i < 100 ? size - 64 * (i - 49) : size / 50 * (i - 100);
    const tutti_status status = write_within(path, i % 3 == 2, limit, N);
    assert_true(status == TUTTI_ERR_IO || status == TUTTI_ERR_CREATE);
    assert_non_null(strstr(tutti_fail_text(), "x.h5: cannot"));
    assert_non_null(strstr(tutti_fail_text(), "File too large"));
    assert_int_equal(folder_count(state), 1);
    assert_int_equal(open_ids(), 0);
  }
  assert_true(first_value(path) == 1);
  CHECK_OK(write_within(path, false, RLIM_INFINITY, N));
  assert_true(first_value(path) == 2);
  signal(SIGXFSZ, before);
}

/** HDF5 closes at exit what it believes to be open: that must not crash either. */
static void process_ends_well_after_a_full_disk(void **state) {
  const char *path = folder_path(state, "x.h5");
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const tutti_status failed = write_within(path, false, 4000, 100000);
    H5close();
    _exit(failed == TUTTI_ERR_IO ? 33 : 34);
  }
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 33);
}

/** The file has its name then, so the sentence is about what a failure of the machine would leave. */
static void a_folder_that_cannot_be_flushed_is_a_failure(void **state) {
  const char *path = folder_path(state, "a.h5");
  struct rlimit limit, none;
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  none = limit;
  none.rlim_cur = 0; // so that the folder cannot be opened
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  const tutti_status status = tutti_file_commit(&file);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK_FAILS(status, TUTTI_ERR_IO, "a.h5: is written, but its folder cannot be flushed to disk");
  assert_non_null(strstr(tutti_fail_text(), "make sure that the disk works, or write elsewhere"));
  CHECK_OK(tutti_file_open(path, &file));
  tutti_file_close(&file);
  CHECK_FAILS(tutti_io_flush_folder(folder_path(state, "none")), TUTTI_ERR_IO, "or write elsewhere");
}

/** Its parent may never ask how it ended. */
static void temporary_file_of_a_process_nobody_waited_for_is_removed(void **state) {
  char host[64] = "", left[256];
  gethostname(host, sizeof host - 1);
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t how;
  assert_int_equal(waitid(P_PID, (id_t)child, &how, WEXITED | WNOWAIT), 0);
  snprintf(left, sizeof left, "%s.tmp-%s-%ld", folder_path(state, "x.h5"), host, (long)child);
  FILE *file = fopen(left, "w");
  assert_non_null(file);
  fclose(file);
  make(folder_path(state, "x.h5"), 1, 10);
  assert_int_equal(folder_count(state), 1);
  assert_int_equal(waitpid(child, NULL, 0), child);
}

static void version_is_the_librarys(void **state) {
  (void)state;
  unsigned a = 0, b = 0, c = 0;
  assert_int_equal(sscanf(tutti_io_hdf5_version(), "%u.%u.%u", &a, &b, &c), 3);
  assert_true(a == 1 ? b >= 10 : a > 1);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
  const struct CMUnitTest tests[] = {
      IN_FOLDER(new_file_appears_at_the_commit),
      IN_FOLDER(uncommitted_file_is_dropped),
      IN_FOLDER(a_folder_that_cannot_be_flushed_is_a_failure),
      IN_FOLDER(temporary_file_of_a_process_nobody_waited_for_is_removed),
      IN_FOLDER(update_begins_with_the_old_content),
      IN_FOLDER(equal_content_is_equal_bytes),
      IN_FOLDER(nothing_has_a_time_stamp),
      IN_FOLDER(unreadable_files_are_told_apart),
      IN_FOLDER(truncated_file_is_refused_at_any_length),
      IN_FOLDER(file_that_is_being_written_elsewhere_is_named_so),
      IN_FOLDER(creation_that_fails_says_why),
      IN_FOLDER(reading_handle_does_not_write),
      IN_FOLDER(two_writers_of_one_path_do_not_mix),
      IN_FOLDER(injected_faults_leave_the_old_file),
      IN_FOLDER(no_memory_leaves_the_old_file),
      IN_FOLDER(full_disk_leaves_the_old_file),
      IN_FOLDER(process_ends_well_after_a_full_disk),
      cmocka_unit_test(version_is_the_librarys),
  };
  return cmocka_run_group_tests_name("io.file", tests, NULL, check_no_leak);
}
