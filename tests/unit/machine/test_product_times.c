#define _GNU_SOURCE // setenv, symlink
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/product_times_impl.h"
#include "support/check.h"
#include "support/folder.h"

static const tutti_product_time sample = {.shape = {TUTTI_MATMUL_INPUT_GRADIENT, 128, 784, 512, 2},
                                          .n = 2,
                                          .by = {{"own", 412000}, {"Haswell", 431000}}};
static const char line[] = "input_gradient 128 784 512 2 own 412000 Haswell 431000";

static void a_time_is_read_as_it_is_written(void **state) {
  (void)state;
  char text[TUTTI_PRODUCT_LINE];
  tutti_product_time time;
  tutti_product_time_print(&sample, text);
  assert_string_equal(text, line);
  assert_true(tutti_product_time_parse(line, &time));
  assert_memory_equal(&time.shape, &sample.shape, sizeof time.shape);
  assert_int_equal(time.n, 2);
  assert_true(tutti_product_time_by(&time, "Haswell") == 431000);
  assert_true(tutti_product_time_by(&time, "Zen") == 0);
}

static void damaged_lines_are_not_times(void **state) {
  (void)state;
  static const char *const damaged[] = {"",
                                        " ",
                                        "forward",
                                        "forward 128 784 512",
                                        "forward 128 784 512 2",
                                        "forward 128 784 512 2 own",
                                        "forward 128 784 512 2 own x",
                                        "forward 128 784 512 2 own -1",
                                        "forward 128 784 512 2 own nan",
                                        "forward 128 784 512 2 own 0",
                                        "forward 0 784 512 2 own 1",
                                        "forward 128 784 99999999999 2 own 1",
                                        "sideways 128 784 512 2 own 1",
                                        "forward 128 784 512 2 own 1 a 1 b 1 c 1",
                                        "forward 128 784 512 2 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1"};
  tutti_product_time time;
  for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++)
    if (tutti_product_time_parse(damaged[i], &time)) fail_msg("'%s' was taken", damaged[i]);
}

// --- the file ------------------------------------------------------------------------------------------------------

static tutti_product_time of_rows(int rows, double ns) {
  tutti_product_time time = sample;
  time.shape.rows = rows;
  time.by[0].ns = ns;
  return time;
}

static void add(tutti_product_times *times, int rows, double ns) {
  const tutti_product_time time = of_rows(rows, ns);
  CHECK_OK(tutti_product_times_add(times, &time));
}

static double known(const tutti_product_times *times, int rows) {
  const tutti_product_time like = of_rows(rows, 1), *time = tutti_product_times_find(times, &like);
  return time ? time->by[0].ns : 0;
}

static void the_file_lies_in_the_cache_of_the_user(void **state) {
  (void)state;
  char path[4096];
  setenv("XDG_CACHE_HOME", "/cache", 1);
  assert_true(tutti_product_cache_path(path, sizeof path));
  assert_true(strncmp(path, "/cache/tutti/", 13) == 0);
  assert_null(strchr(path + 13, '/'));
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/home/me", 1);
  assert_true(tutti_product_cache_path(path, sizeof path));
  assert_true(strncmp(path, "/home/me/.cache/tutti/", 22) == 0);
  assert_false(tutti_product_cache_path(path, 20));
  unsetenv("HOME");
  assert_false(tutti_product_cache_path(path, sizeof path));
}

static void what_was_written_is_read(void **state) {
  const char *path = folder_path(state, "a/b/times.txt"); // whose folders are made
  tutti_product_times times = {0}, read = {0};
  add(&times, 2, 20);
  CHECK_OK(tutti_product_cache_write(path, &times));
  add(&times, 4, 40);
  CHECK_OK(tutti_product_cache_write(path, &times));
  CHECK_OK(tutti_product_cache_read(path, &read));
  assert_int_equal(read.n, 2); // the first one once
  assert_true(known(&read, 1) == 0 && known(&read, 2) == 20 && known(&read, 4) == 40);
  tutti_product_times_clear(&times);
  tutti_product_times_clear(&read);
}

static void the_first_time_of_a_shape_counts(void **state) {
  const char *path = folder_path(state, "times.txt");
  tutti_product_times one = {0}, other = {0}, read = {0};
  add(&one, 1, 10);
  add(&other, 1, 11);
  add(&other, 2, 20);
  CHECK_OK(tutti_product_cache_write(path, &one));
  CHECK_OK(tutti_product_cache_write(path, &other));
  assert_true(known(&other, 1) == 10 && known(&other, 2) == 20);
  CHECK_OK(tutti_product_cache_read(path, &read));
  assert_int_equal(read.n, 2);
  assert_true(known(&read, 1) == 10);
  tutti_product_times_clear(&one);
  tutti_product_times_clear(&other);
  tutti_product_times_clear(&read);
}

/** A line without loops that are chosen from does not count, and another one is added. */
static void loops_that_a_line_lacks_are_measured(void **state) {
  const char *path = folder_path(state, "times.txt");
  tutti_product_times one = {0}, both = {0}, read = {0};
  tutti_product_time short_time = of_rows(1, 10);
  short_time.n = 1;
  CHECK_OK(tutti_product_times_add(&one, &short_time));
  add(&both, 1, 11);
  CHECK_OK(tutti_product_cache_write(path, &one));
  CHECK_OK(tutti_product_cache_write(path, &both));
  CHECK_OK(tutti_product_cache_read(path, &read));
  assert_int_equal(read.n, 2);
  assert_true(known(&read, 1) == 11);
  assert_true(tutti_product_times_find(&read, &short_time)->by[0].ns == 10);
  tutti_product_times_clear(&one);
  tutti_product_times_clear(&both);
  tutti_product_times_clear(&read);
}

static void damaged_lines_are_passed_over(void **state) {
  folder_put_text(state, "times.txt",
                  "rubbish\n\xff\xfe\n"
                  "input_gradient 1 784 512 2 own 10 Haswell 5\n"
                  "input_gradient 2 784 512 2 own 20 Haswell\n"
                  "input_gradient 4 784 512 2 own 4"); // cut off
  const char *path = folder_path(state, "times.txt");
  tutti_product_times times = {0}, read = {0};
  CHECK_OK(tutti_product_cache_read(path, &read));
  assert_int_equal(read.n, 1);
  assert_true(known(&read, 1) == 10);
  add(&times, 4, 40);
  CHECK_OK(tutti_product_cache_write(path, &times)); // on a line of its own
  tutti_product_times_clear(&read);
  CHECK_OK(tutti_product_cache_read(path, &read));
  assert_true(known(&read, 1) == 10 && known(&read, 4) == 40);
  tutti_product_times_clear(&times);
  tutti_product_times_clear(&read);
}

/** A file of nothing but zeros takes no longer to read than a full one. */
static void a_long_file_is_not_read_to_its_end(void **state) {
  const char *path = folder_path(state, "times.txt");
  tutti_product_times read = {0};
  folder_put_text(state, "times.txt", "");
  assert_int_equal(truncate(path, (off_t)1 << 38), 0);
  CHECK_OK(tutti_product_cache_read(path, &read)); // or the test takes minutes
  assert_int_equal(read.n, 0);
}

/** Only the folder of the file is closed to others, however new those above it are. */
static void folders_above_are_as_the_user_wants_them(void **state) {
  tutti_product_times times = {0};
  struct stat above, own;
  const mode_t before = umask(022);
  add(&times, 1, 10);
  CHECK_OK(tutti_product_cache_write(folder_path(state, "a/b/times.txt"), &times));
  (void)umask(before);
  assert_int_equal(stat(folder_path(state, "a"), &above), 0);
  assert_int_equal(stat(folder_path(state, "a/b"), &own), 0);
  assert_int_equal(above.st_mode & 0777, 0755);
  assert_int_equal(own.st_mode & 0777, 0700);
  tutti_product_times_clear(&times);
}

/** Neither a link nor a folder is opened, and nothing fails. */
static void other_files_are_left_alone(void **state) {
  folder_put_text(state, "target.txt", "");
  const char *link = folder_path(state, "link.txt"), *target = folder_path(state, "target.txt");
  assert_int_equal(symlink(target, link), 0);
  tutti_product_times times = {0}, read = {0};
  add(&times, 1, 10);
  CHECK_OK(tutti_product_cache_write(link, &times));
  CHECK_OK(tutti_product_cache_read(target, &read));
  assert_int_equal(read.n, 0);
  CHECK_OK(tutti_product_cache_write(folder_path(state, ""), &times));
  CHECK_OK(tutti_product_cache_read(folder_path(state, ""), &read));
  CHECK_OK(tutti_product_cache_read(folder_path(state, "none"), &read));
  assert_int_equal(read.n, 0);
  assert_true(known(&times, 1) == 10);
  tutti_product_times_clear(&times);
}

// --- the measurement ---------------------------------------------------------------------------------------------

static void each_of_the_loops_gets_a_time(void **state) {
  (void)state;
  for (int product = 0; product < TUTTI_N_MATMULS; product++) {
    tutti_product_arrays *arrays = NULL;
    // "blas" is whatever the library has
    tutti_product_time a = {.n = 2, .by = {{TUTTI_OWN_LOOPS, 0}, {"blas", 0}}}, b = a;
    a.shape = (tutti_product_shape){(tutti_matmul)product, 4, 20, 30, 1};
    CHECK_OK(tutti_product_arrays_create(4, 20, 30, &arrays));
    tutti_product_measure(arrays, &a);
    tutti_product_arrays_destroy(&arrays);
    b.shape = (tutti_product_shape){(tutti_matmul)product, 64, 300, 300, 1};
    CHECK_OK(tutti_product_arrays_create(64, 300, 300, &arrays));
    tutti_product_measure(arrays, &b);
    tutti_product_arrays_destroy(&arrays);
    const char *const names[] = {TUTTI_OWN_LOOPS, "blas"};
    for (int i = 0; i < 2; i++) {
      const double fast = tutti_product_time_by(&a, names[i]), slow = tutti_product_time_by(&b, names[i]);
      if (!(fast >= 1 && slow > fast)) fail_msg("%s: %g and %g ns", names[i], fast, slow);
    }
  }
}

/** Else the program that measures would choose by other numbers than those that read what it has kept. */
static void a_measured_time_is_kept_exactly(void **state) {
  (void)state;
  tutti_product_arrays *arrays = NULL;
  tutti_product_time read, time = {.shape = {TUTTI_MATMUL_FORWARD, 4, 20, 30, 1},
                                   .n = 2,
                                   .by = {{TUTTI_OWN_LOOPS, 0}, {"blas", 0}}};
  char text[TUTTI_PRODUCT_LINE];
  CHECK_OK(tutti_product_arrays_create(4, 20, 30, &arrays));
  tutti_product_measure(arrays, &time);
  tutti_product_arrays_destroy(&arrays);
  tutti_product_time_print(&time, text);
  assert_true(tutti_product_time_parse(text, &read));
  for (int i = 0; i < time.n; i++)
    if (read.by[i].ns != time.by[i].ns) fail_msg("%.17g ns are kept as %.17g", time.by[i].ns, read.by[i].ns);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_time_is_read_as_it_is_written),
      cmocka_unit_test(damaged_lines_are_not_times),
      cmocka_unit_test(the_file_lies_in_the_cache_of_the_user),
      cmocka_unit_test_setup_teardown(what_was_written_is_read, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(the_first_time_of_a_shape_counts, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(loops_that_a_line_lacks_are_measured, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(damaged_lines_are_passed_over, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_long_file_is_not_read_to_its_end, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(folders_above_are_as_the_user_wants_them, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(other_files_are_left_alone, folder_make, folder_remove),
      cmocka_unit_test(each_of_the_loops_gets_a_time),
      cmocka_unit_test(a_measured_time_is_kept_exactly),
  };
  return cmocka_run_group_tests(tests, NULL, check_no_leak);
}
