/* A data set file: its arrays, their shapes, links and sources, and the names of the classes. */
#include "data/dataset_impl.h"
#include "fuzz.h"

enum { MOST_NUMBERS = 1 << 16 };

static tutti_status read_array(const tutti_file *file, const char *name) {
  tutti_array_shape shape;
  static double values[MOST_NUMBERS];
  TUTTI_TRY(tutti_file_shape(file, name, &shape));
  TUTTI_TRY(tutti_file_check_stored(file, name));
  int64_t width = 1;
  for (int d = 1; d < shape.n_dims; d++) {
    if (shape.dims[d] > MOST_NUMBERS) return TUTTI_OK;
    width *= shape.dims[d] > 0 ? shape.dims[d] : 1;
    if (width > MOST_NUMBERS) return TUTTI_OK;
  }
  const int64_t most = MOST_NUMBERS / width, there = shape.n_dims > 0 ? shape.dims[0] : 1;
  return tutti_file_read_rows(file, name, TUTTI_F64, 0, there < most ? there : most, values);
}

static void read_arrays(const tutti_file *file) {
  tutti_texts names;
  if (tutti_file_list(file, "/", &names) != TUTTI_OK) return;
  for (int i = 0; i < names.n; i++) (void)(read_array(file, names.list[i]) == TUTTI_OK);
  tutti_texts_clear(&names);
}

static void read_layout(const tutti_file *file) {
  tutti_dataset d = {.x_name = {"x_train", "x_test", "x_val"}, .y_name = {"y_train", "y_test", "y_val"}};
  tutti_layout layout = {0};
  tutti_texts names;
  for (int which = 0; which < TUTTI_N_ROWS; which++)
    if (!tutti_file_has(file, d.x_name[which])) d.x_name[which] = d.y_name[which] = NULL;
  (void)(tutti_dataset_read_layout(file, &d, &layout) == TUTTI_OK);
  if (tutti_data_class_names_read(file, "y_train", &names) == TUTTI_OK) tutti_texts_clear(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  tutti_file *file = NULL;
  if (tutti_file_open(fuzz_file("data.h5", data, n), &file) == TUTTI_OK) {
    read_arrays(file);
    read_layout(file);
  }
  tutti_file_close(&file);
  fuzz_end();
  return 0;
}
