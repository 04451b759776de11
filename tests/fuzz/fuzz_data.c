/* A data set file: its arrays, their shapes, links and sources, and the names of the classes. */
#include <stdlib.h>
#include <string.h>

#include "data/chunks_impl.h"
#include "data/dataset_impl.h"
#include "fuzz.h"

enum { MOST_NUMBERS = 1 << 16, MEMORY = 1 << 28 };

/** What our own way reads, HDF5 reads in the same way.
 * @param[in] values  [n] rows as HDF5 has read them */
static tutti_status compare_chunks(const tutti_file *file, const char *name, int64_t n, int64_t width,
                                   const double *values) {
  static double ours[MOST_NUMBERS];
  const tutti_row_block rows = {TUTTI_F64, 0, n, ours};
  tutti_array_chunks *chunks = NULL;
  int64_t n_read = 0;
  bool finite = true;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_array_chunks_open(file, name, &chunks));
  if (!chunks || !tutti_data_convert_of(tutti_array_chunks_form(chunks)->stored, TUTTI_F64)) goto done;
  TUTTI_TRY_GOTO(done, tutti_data_read_chunks(file, name, chunks, &rows, MEMORY, &n_read, &finite));
  if (memcmp(ours, values, (size_t)(n_read * width) * sizeof *ours) != 0) abort();
done:
  tutti_array_chunks_close(&chunks);
  return status;
}

static tutti_status read_array(const tutti_file *file, const char *name) {
  tutti_array_shape shape;
  static double values[MOST_NUMBERS];
  TUTTI_TRY(tutti_file_shape(file, name, &shape));
  TUTTI_TRY(tutti_file_check_stored(file, name));
  int64_t chunk_rows = 0, chunk_bytes = 0, width = 1;
  TUTTI_TRY(tutti_array_chunk_size(file, name, &chunk_rows, &chunk_bytes));
  if (chunk_rows < 1 || chunk_bytes < 0) abort();
  for (int d = 1; d < shape.n_dims; d++) {
    if (shape.dims[d] > MOST_NUMBERS) return TUTTI_OK;
    width *= shape.dims[d] > 0 ? shape.dims[d] : 1;
    if (width > MOST_NUMBERS) return TUTTI_OK;
  }
  const int64_t most = MOST_NUMBERS / width, there = shape.n_dims > 0 ? shape.dims[0] : 1;
  const int64_t n = there < most ? there : most;
  const tutti_status status = tutti_file_read_rows(file, name, TUTTI_F64, 0, n, values);
  return status == TUTTI_OK ? compare_chunks(file, name, n, width, values) : status;
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
  (void)(tutti_dataset_read_layout(file, &d, true, &layout) == TUTTI_OK);
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
