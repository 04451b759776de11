#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/dataset_impl.h"
#include "dataset_file.h"
#include "par/par_impl.h"

// Four training samples of 2 x 3 and two for testing.
static const uint8_t x4_u8[] = {0,  1,  2,  3,  4,  5,  10, 11, 12, 13, 14, 15,
                                20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 255};
static const double x4[] = {0,  1,  2,  3,  4,  5,  10, 11, 12, 13, 14, 15,
                            20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 255};
static const double x2[] = {-1, 1e9, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const int64_t y4[] = {2, 0, 1, 2}, y2[] = {1, 0};
static const char *const names[] = {"red", "", "deep blue"};

static const given_array train_x = {"x_train", TUTTI_U8, 3, {4, 2, 3}, x4_u8};
static const given_array train_y = {"y_train", TUTTI_I64, 1, {4}, y4};
static const given_array test_x = {"x_test", TUTTI_F64, 2, {2, 6}, x2};
static const given_array test_y = {"y_test", TUTTI_I64, 2, {2, 1}, y2};

static void check_contents(const tutti_comm *comm, const char *path) {
  static const int64_t rows[] = {3, 1};
  tutti_dataset *d = open_usual(comm, path);
  if (!d) return;
  int32_t classes[2];
  float values[2];
  int n = 0;
  EXPECT(strcmp(tutti_dataset_file(d), path) == 0, "%s", tutti_dataset_file(d));
  EXPECT(tutti_dataset_n_rows(d, TUTTI_ROWS_TRAIN) == 4 && tutti_dataset_n_rows(d, TUTTI_ROWS_TEST) == 2,
         "%lld and %lld rows", (long long)tutti_dataset_n_rows(d, TUTTI_ROWS_TRAIN),
         (long long)tutti_dataset_n_rows(d, TUTTI_ROWS_TEST));
  EXPECT(tutti_dataset_n_features(d) == 6 && tutti_dataset_n_targets(d) == 1, "%lld features, %lld targets",
         (long long)tutti_dataset_n_features(d), (long long)tutti_dataset_n_targets(d));
  EXPECT(d->layout.parts[TUTTI_ROWS_TRAIN].type == TUTTI_U8, "bytes do not stay bytes");
  expect_rows(d, TUTTI_ROWS_TRAIN, x4, 0);
  expect_rows(d, TUTTI_ROWS_TEST, x2, 0);
  tutti_dataset_gather_classes(d, TUTTI_ROWS_TRAIN, rows, 2, classes);
  EXPECT(classes[0] == 2 && classes[1] == 0, "classes %d, %d", classes[0], classes[1]);
  tutti_dataset_gather_values(d, TUTTI_ROWS_TEST, &rows[1], 1, values);
  EXPECT(values[0] == 0, "target %g", (double)values[0]);
  const char *const *found = tutti_dataset_classes(d, &n);
  if (EXPECT(n == 3, "%d classes", n))
    for (int k = 0; k < n; k++) EXPECT(strcmp(found[k], names[k]) == 0, "class %d is '%s'", k, found[k]);
  tutti_dataset_close(&d);
  EXPECT(d == NULL, "the handle is left");
  tutti_dataset_close(&d);
}

static void all_ranks_see_the_same_rows_on_any_cut_into_nodes(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  put_dataset(comm, scratch_path(folder, "d.h5", path), (given_array[]){train_x, train_y, test_x, test_y}, 4,
              names, 3);
  check_contents(comm, path);
  for (int max_node_size = 1; max_node_size <= 3; max_node_size++) {
    tutti_comm *cut = NULL;
    if (!EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, max_node_size, &cut))) break;
    check_contents(cut, path);
    tutti_comm_destroy(&cut);
  }
  scratch_remove(comm, folder);
}

/** Files hold them: they are these numbers for ever, at any number of ranks and nodes. */
static void fingerprints_stay_what_they_are(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  put_dataset(comm, scratch_path(folder, "d.h5", path), (given_array[]){train_x, train_y, test_x, test_y}, 4,
              NULL, 0);
  tutti_dataset *d = open_usual(comm, path);
  if (d) {
    const uint64_t earlier = (uint64_t)tutti_dataset_fingerprint(d, -1),
                   now = (uint64_t)tutti_dataset_fingerprint(d, TUTTI_HASH_XXH64);
    EXPECT(earlier == UINT64_C(0xc8660aabba8d76db), "%llx", (unsigned long long)earlier);
    EXPECT(now == UINT64_C(0x0387d4096bb6f082), "%llx", (unsigned long long)now);
  }
  tutti_dataset_close(&d);
  scratch_remove(comm, folder);
}

/** An autoencoder's: they are the scaled features, and take no memory. */
static void targets_may_be_the_features(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  put_dataset(comm, scratch_path(folder, "d.h5", path), (given_array[]){train_x, train_y, test_x, test_y}, 4,
              NULL, 0);
  tutti_data_options options = usual_options(path);
  tutti_dataset *plain = open_usual(comm, path), *d = NULL;
  options.y_train = "/x_train";
  options.y_test = "x_test";
  if (EXPECT_OK(tutti_dataset_open(comm, &options, &d)) && plain) {
    EXPECT(tutti_dataset_targets_are_features(d) && !tutti_dataset_targets_are_features(plain),
           "whose targets?");
    EXPECT(tutti_dataset_n_targets(d) == 6, "%lld targets", (long long)tutti_dataset_n_targets(d));
    EXPECT(d->layout.bytes < plain->layout.bytes, "%lld bytes", (long long)d->layout.bytes);
  }
  tutti_dataset_close(&plain);
  tutti_dataset_close(&d);
  options.y_test = "y_test";
  EXPECT_FAILS(
      tutti_dataset_open(comm, &options, &d), TUTTI_ERR_DATA,
      "data.y_train is 'x_train', the array of the features, but data.y_test is 'y_test', which is not");
  options.y_train = "y_train";
  options.y_test = "x_test";
  EXPECT_FAILS(
      tutti_dataset_open(comm, &options, &d), TUTTI_ERR_DATA,
      "data.y_test is 'x_test', the array of the features, but data.y_train is 'y_train', which is not");
  options.x_test = options.y_test = NULL;
  EXPECT_OK(tutti_dataset_open(comm, &options, &d));
  tutti_dataset_close(&d);
  scratch_remove(comm, folder);
}

static void node_has_one_copy(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  put_dataset(comm, scratch_path(folder, "d.h5", path), (given_array[]){train_x, train_y}, 2, NULL, 0);
  tutti_dataset *d = open_usual(comm, path);
  if (d) {
    uint8_t *x = (uint8_t *)tutti_par_window_data(d->window) + d->layout.parts[TUTTI_ROWS_TRAIN].x_at;
    if (tutti_comm_node_rank(comm) == tutti_comm_node_size(comm) - 1) x[5] = 99;
    EXPECT_OK(tutti_par_window_sync(d->window));
    EXPECT(((const uint8_t *)tutti_dataset_x(d, TUTTI_ROWS_TRAIN))[5] == 99,
           "this rank has a copy of its own");
  }
  tutti_dataset_close(&d);
  scratch_remove(comm, folder);
}

static void parts_that_are_not_wanted_or_not_there(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  put_dataset(comm, scratch_path(folder, "d.h5", path), (given_array[]){train_x, train_y}, 2, names, 3);
  tutti_dataset *d = open_usual(comm, path);
  if (d) EXPECT(tutti_dataset_n_rows(d, TUTTI_ROWS_TEST) == 0, "test rows out of nowhere");
  tutti_dataset_close(&d);

  tutti_data_options options = {.file = path, .x_test = "x_train", .y_test = "y_train", .limit_test = 3};
  int n = 0;
  if (EXPECT_OK(tutti_dataset_open(comm, &options, &d))) {
    EXPECT(tutti_dataset_n_rows(d, TUTTI_ROWS_TRAIN) == 0, "training rows out of nowhere");
    EXPECT(tutti_dataset_n_rows(d, TUTTI_ROWS_TEST) == 3, "the limit is not kept");
    expect_rows(d, TUTTI_ROWS_TEST, x4, 0);
    tutti_dataset_classes(d, &n);
    EXPECT(n == 3, "%d classes", n);
  }
  tutti_dataset_close(&d);
  options.limit_test = 1000;
  if (EXPECT_OK(tutti_dataset_open(comm, &options, &d)))
    EXPECT(tutti_dataset_n_rows(d, TUTTI_ROWS_TEST) == 4, "a limit beyond the end takes all");
  tutti_dataset_close(&d);
  options.x_test = "x_tset";
  EXPECT_FAILS(tutti_dataset_open(comm, &options, &d), TUTTI_ERR_DATA, "no array 'x_tset'");
  scratch_remove(comm, folder);
}

static void array_alone_is_found(const tutti_comm *comm) {
  char *folder = scratch_make(comm), one[PATH_BYTES], two[PATH_BYTES];
  if (!folder) return;
  tutti_dataset *d = NULL;
  const given_array samples = {"samples", TUTTI_F64, 2, {2, 6}, x2};
  put_dataset(comm, scratch_path(folder, "one.h5", one), &samples, 1, NULL, 0);
  put_dataset(comm, scratch_path(folder, "two.h5", two), (given_array[]){samples, train_y}, 2, NULL, 0);
  if (EXPECT_OK(tutti_dataset_open_array(comm, one, NULL, 0, &d))) {
    expect_rows(d, TUTTI_ROWS_TEST, x2, 0);
    EXPECT(tutti_dataset_n_targets(d) == 0, "%lld targets", (long long)tutti_dataset_n_targets(d));
  }
  tutti_dataset_close(&d);
  EXPECT_FAILS(
      tutti_dataset_open_array(comm, two, NULL, 0, &d), TUTTI_ERR_DATA,
      "which array? Name it after the file, as FILE:ARRAY; arrays there: samples [2, 6], y_train [4]");
  if (EXPECT_OK(tutti_dataset_open_array(comm, two, "samples", 0, &d)))
    expect_rows(d, TUTTI_ROWS_TEST, x2, 0);
  tutti_dataset_close(&d);
  EXPECT_FAILS(tutti_dataset_open_array(comm, two, "sample", 0, &d), TUTTI_ERR_DATA,
               "no array 'sample' (did you mean samples?); arrays there: samples [2, 6], y_train [4]");
  put_dataset(comm, two, (given_array[]){samples, test_x}, 2, NULL, 0);
  if (EXPECT_OK(tutti_dataset_open_array(comm, two, NULL, 0, &d))) expect_rows(d, TUTTI_ROWS_TEST, x2, 0);
  tutti_dataset_close(&d);
  scratch_remove(comm, folder);
}

/** Collective.  Opening d.h5, which on rank `other` leads to the file 2.h5 of the folder and elsewhere to 1.h5, fails
 * with `part` in the text.
 * @param[in] max_node_size  as tutti_comm_create_from has it */
static void expect_found_out(const char *folder, int max_node_size, int other, const char *part) {
  int rank = 0, size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  char mine[PATH_BYTES], link[PATH_BYTES], path[PATH_BYTES], back[PATH_BYTES];
  const char *target = scratch_path(folder, rank > 0 && rank == other ? "2.h5" : "1.h5", path);
  snprintf(mine, sizeof mine, "%.1000s/rank%d", folder, rank);
  snprintf(link, sizeof link, "%.1100s/d.h5", mine);
  EXPECT_OK(tutti_io_make_folder(mine));
  unlink(link);
  EXPECT(symlink(target, link) == 0, "%s", link);
  EXPECT(getcwd(back, sizeof back) && chdir(mine) == 0, "%s", mine);
  const tutti_data_options options = usual_options("d.h5");
  tutti_comm *cut = NULL;
  tutti_dataset *d = NULL;
  if (EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, max_node_size, &cut))) {
    const tutti_status status = tutti_dataset_open(cut, &options, &d);
    if (size == 1)
      EXPECT_OK(status);
    else
      EXPECT_FAILS(status, TUTTI_ERR_DATA, part);
    tutti_dataset_close(&d);
  }
  tutti_comm_destroy(&cut);
  EXPECT(chdir(back) == 0, "%s", back);
}

static void node_with_another_file_is_found_out(const tutti_comm *comm) {
  static const char message[] = "d.h5: this node has another file than rank 0";
  const int last = tutti_comm_size(comm) - 1;
  static const int64_t y4_other[] = {2, 0, 1, 1};
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  const given_array short_x = {"x_train", TUTTI_U8, 2, {3, 6}, x4_u8},
                    short_y = {"y_train", TUTTI_I64, 1, {3}, y4};
  const given_array other_y = {"y_train", TUTTI_I64, 1, {4}, y4_other};
  put_dataset(comm, scratch_path(folder, "1.h5", path), (given_array[]){train_x, train_y}, 2, NULL, 0);
  put_dataset(comm, scratch_path(folder, "2.h5", path), (given_array[]){short_x, short_y}, 2, NULL, 0);
  expect_found_out(folder, 1, last, message);
  put_dataset(comm, scratch_path(folder, "2.h5", path), (given_array[]){train_x, other_y}, 2, NULL, 0);
  expect_found_out(folder, 1, last, message);
  scratch_remove(comm, folder);
}

/** The ranks of a node share the reading, and one of them comes to another version of the file. */
static void rank_with_another_file_is_found_out(const tutti_comm *comm) {
  enum { ROWS = 40, WIDTH = 1 << 20 }; // two readers
  char *folder = scratch_make(comm), path[PATH_BYTES];
  uint8_t *x = NULL;
  static const uint8_t y[ROWS];
  if (!folder) return;
  if (EXPECT_OK(TUTTI_NEW(x, (int64_t)ROWS * WIDTH))) {
    const given_array arrays[] = {{"x_train", TUTTI_U8, 2, {ROWS, WIDTH}, x},
                                  {"y_train", TUTTI_U8, 1, {ROWS}, y}};
    put_dataset(comm, scratch_path(folder, "1.h5", path), arrays, 2, NULL, 0);
    x[0] = x[ROWS * WIDTH - 1] = 1;
    put_dataset(comm, scratch_path(folder, "2.h5", path), arrays, 2, NULL, 0);
    expect_found_out(folder, INT_MAX, 1,
                     "d.h5: was replaced or written while it was read: rank 1 has read another version");
  }
  tutti_free(x);
  scratch_remove(comm, folder);
}

/** Rank 0 reads the header first, and then the file again with the others. */
static void file_that_is_replaced_after_its_header_is_found_out(const tutti_comm *comm) {
  static const int64_t y4_other[] = {2, 0, 1, 1};
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  const given_array other_y = {"y_train", TUTTI_I64, 1, {4}, y4_other};
  put_dataset(comm, scratch_path(folder, "d.h5", path), (given_array[]){train_x, train_y}, 2, NULL, 0);
  tutti_dataset *d = open_usual(comm, path);
  if (d) {
    EXPECT_OK(tutti_dataset_read_rows(d));
    EXPECT_OK(tutti_par_window_sync(d->window));
    EXPECT_OK(tutti_dataset_compare_nodes(d));
    put_dataset(comm, path, (given_array[]){train_x, other_y}, 2, NULL, 0);
    EXPECT_OK(tutti_dataset_read_rows(d));
    EXPECT_OK(tutti_par_window_sync(d->window));
    EXPECT_FAILS(tutti_dataset_compare_nodes(d), TUTTI_ERR_DATA,
                 "d.h5: was replaced or written while it was read: rank 0 has read another version");
  }
  tutti_dataset_close(&d);
  scratch_remove(comm, folder);
}

/** Collective.  Open while `site` fails on `rank` at its pass number `nth`. */
static tutti_status open_failing(const tutti_comm *comm, const char *path, const char *site, int rank,
                                 int nth) {
  char fault[64];
  const tutti_data_options options = usual_options(path);
  tutti_dataset *d = NULL;
  snprintf(fault, sizeof fault, "%s:%d:%d", site, rank, nth);
  setenv("TUTTI_FAULT", fault, 1);
  const tutti_status status = tutti_dataset_open(comm, &options, &d);
  unsetenv("TUTTI_FAULT");
  EXPECT((d != NULL) == (status == TUTTI_OK), "handle and status disagree");
  tutti_dataset_close(&d);
  return status;
}

static void failed_read_of_one_node_is_heard_by_all(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  put_dataset(comm, scratch_path(folder, "d.h5", path), (given_array[]){train_x, train_y}, 2, NULL, 0);
  tutti_comm *cut = NULL;
  if (EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, 1, &cut)))
    for (int rank = 0; rank < tutti_comm_size(comm); rank++)
      EXPECT_FAILS(open_failing(cut, path, "dataset.open", rank, 1), TUTTI_ERR_INTERNAL,
                   "fault injected at dataset.open");
  tutti_comm_destroy(&cut);
  scratch_remove(comm, folder);
}

/** Every allocation of the last rank in turn, until none is left to fail. */
static void want_of_memory_on_one_rank_is_heard_by_all(const tutti_comm *comm) {
  char *folder = scratch_make(comm), path[PATH_BYTES];
  if (!folder) return;
  put_dataset(comm, scratch_path(folder, "d.h5", path), (given_array[]){train_x, train_y, test_x, test_y}, 4,
              names, 3);
  tutti_status status = TUTTI_ERR_MEMORY;
  int n_failed = 0;
  for (; n_failed < 1000; n_failed++) {
    status = open_failing(comm, path, "memory", tutti_comm_size(comm) - 1, n_failed + 1);
    if (status == TUTTI_OK) break;
    EXPECT_FAILS(status, TUTTI_ERR_MEMORY, "no memory");
  }
  EXPECT(status == TUTTI_OK && n_failed > 5, "%d allocations have failed", n_failed);
  scratch_remove(comm, folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(all_ranks_see_the_same_rows_on_any_cut_into_nodes),
      MPI_TEST(node_has_one_copy),
      MPI_TEST(fingerprints_stay_what_they_are),
      MPI_TEST(targets_may_be_the_features),
      MPI_TEST(parts_that_are_not_wanted_or_not_there),
      MPI_TEST(array_alone_is_found),
      MPI_TEST(node_with_another_file_is_found_out),
      MPI_TEST(rank_with_another_file_is_found_out),
      MPI_TEST(file_that_is_replaced_after_its_header_is_found_out),
      MPI_TEST(failed_read_of_one_node_is_heard_by_all),
      MPI_TEST(want_of_memory_on_one_rank_is_heard_by_all),
  };
  return mpi_main("dataset", tests, sizeof tests / sizeof *tests);
}
