/* The limit on the time of one call of HDF5, and the files that it may have been reading. */
#define _XOPEN_SOURCE 700 // sigaction
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "io/io_impl.h"
#include "support/check.h"
#include "support/folder.h"

static const double limit_s = 0.05;
static volatile sig_atomic_t n_asked, n_up;

static void ask(int number) {
  (void)number;
  n_asked++;
  if (tutti_file_time_is_up()) n_up++;
}

/** Compute for some time, and not in the system, whose time does not count. */
static void *compute(void *seconds) {
  const double wanted = *(const double *)seconds;
  struct timespec began, now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
  do {
    for (volatile int i = 0; i < 100000;) i++;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while ((double)(now.tv_sec - began.tv_sec) + 1e-9 * (double)(now.tv_nsec - began.tv_nsec) < wanted);
  return NULL;
}

static void compute_elsewhere(double seconds) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, compute, &seconds), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static tutti_file *open_new(void **state) {
  const char *path = folder_path(state, "x.h5");
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(tutti_file_commit(&file));
  CHECK_OK(tutti_file_open(path, &file));
  return file;
}

static void only_the_time_of_the_reader_counts(void **state) {
  const struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};
  double longer = 3 * limit_s;
  tutti_file *file = open_new(state);
  sigaction(SIGVTALRM, &action, NULL);
  tutti_file_limit_time(limit_s);
  const tutti_h5_printer printer = tutti_io_h5_mute();
  compute_elsewhere(10 * limit_s); // as threads of a BLAS library that wait
  assert_true(n_asked > 0);
  assert_int_equal(n_up, 0);
  compute(&longer);
  assert_true(n_up > 0);
  tutti_io_h5_unmute(printer);
  n_asked = 0;
  compute(&longer);
  assert_int_equal(n_asked, 0); // HDF5 does not run
  tutti_file_limit_time(0);
  tutti_file_close(&file);
}

static void files_in_use_are_those_that_hdf5_may_read(void **state) {
  tutti_file *file = open_new(state);
  assert_null(tutti_file_in_use(NULL));
  const tutti_h5_printer printer = tutti_io_h5_mute();
  assert_ptr_equal(tutti_file_in_use(NULL), file);
  assert_null(tutti_file_in_use(file));
  tutti_file_close(&file);
  assert_null(tutti_file_in_use(NULL));
  tutti_io_h5_unmute(printer);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
  const struct CMUnitTest tests[] = {IN_FOLDER(only_the_time_of_the_reader_counts),
                                     IN_FOLDER(files_in_use_are_those_that_hdf5_may_read)};
  return cmocka_run_group_tests_name("io.crash", tests, NULL, check_no_leak);
}
