#include "dataset_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/folder.h"

char *scratch_make(const tutti_comm *comm) {
  void *folder = NULL;
  tutti_status local = TUTTI_OK;
  if (tutti_comm_rank(comm) == 0 && folder_make(&folder) != 0) local = TUTTI_ERR_SYSTEM;
  char *path = folder;
  const bool ok =
      EXPECT_OK(tutti_comm_agree_from(comm, 0, local)) && EXPECT_OK(tutti_comm_bcast_text(comm, 0, &path));
  return ok ? path : NULL;
}

void scratch_remove(const tutti_comm *comm, char *folder) {
  EXPECT_OK(tutti_comm_barrier(comm));
  void *state = folder;
  if (tutti_comm_rank(comm) == 0)
    EXPECT(folder_remove(&state) == 0, "%s", folder);
  else
    tutti_free(folder);
}

const char *scratch_path(const char *folder, const char *name, char text[PATH_BYTES]) {
  snprintf(text, PATH_BYTES, "%s/%s", folder, name);
  return text;
}

static tutti_status write_arrays(const char *path, const given_array *arrays, int n,
                                 const char *const *classes, int n_classes) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  for (int i = 0; i < n; i++) {
    const given_array *a = &arrays[i];
    TUTTI_TRY_GOTO(done, tutti_file_write(file, a->name, a->type, a->n_dims, a->dims, 0, a->data));
    if (classes && strcmp(a->name, "y_train") == 0)
      TUTTI_TRY_GOTO(done, tutti_file_set_texts(file, a->name, "classes", classes, n_classes));
  }
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

void put_dataset(const tutti_comm *comm, const char *path, const given_array *arrays, int n,
                 const char *const *classes, int n_classes) {
  if (tutti_comm_rank(comm) == 0) EXPECT_OK(write_arrays(path, arrays, n, classes, n_classes));
  EXPECT_OK(tutti_comm_barrier(comm));
}

tutti_data_options usual_options(const char *path) {
  return (tutti_data_options){
      .file = path, .x_train = "x_train", .y_train = "y_train", .x_test = "x_test", .y_test = "y_test"};
}

tutti_dataset *open_usual(const tutti_comm *comm, const char *path) {
  const tutti_data_options options = usual_options(path);
  tutti_dataset *dataset = NULL;
  return EXPECT_OK(tutti_dataset_open(comm, &options, &dataset)) ? dataset : NULL;
}

void expect_rows(const tutti_dataset *dataset, tutti_rows which, const double *expected, double tolerance) {
  enum { MAX_ROWS = 16, MAX_VALUES = 128 };
  const int64_t n = tutti_dataset_n_rows(dataset, which), width = tutti_dataset_n_features(dataset);
  int64_t rows[MAX_ROWS];
  float x[MAX_VALUES];
  if (!EXPECT(n <= MAX_ROWS && n * width <= MAX_VALUES, "%lld rows", (long long)n)) return;
  for (int64_t i = 0; i < n; i++) rows[i] = n - 1 - i;
  tutti_dataset_gather(dataset, which, rows, n, x);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < width; j++) {
      const double got = (double)x[(n - 1 - i) * width + j], wanted = expected[i * width + j];
      EXPECT(fabs(got - wanted) <= tolerance, "row %lld, column %lld: %.9g, expected %.9g", (long long)i,
             (long long)j, got, wanted);
    }
}
