#include "bench/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tutti/io.h"

uint8_t samples_byte(int64_t i, int64_t j) {
  // As in images, most features of a sample are 0.
  const uint32_t mixed = ((uint32_t)i * 2654435761u ^ (uint32_t)j * 2246822519u) * 3266489917u;
  return mixed >> 30 ? 0 : (uint8_t)(mixed >> 16);
}

static tutti_status fill(tutti_file *file, samples_size size) {
  uint8_t *bytes = NULL, *y = NULL;
  float *floats = NULL;
  const int64_t n = size.n * size.n_in, dims[] = {size.n, size.n_in};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(bytes, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(floats, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(y, size.n));
  for (int64_t k = 0; k < n; k++) {
    bytes[k] = samples_byte(k / size.n_in, k % size.n_in);
    floats[k] = (float)bytes[k] / 255;
  }
  for (int64_t i = 0; i < size.n; i++) y[i] = (uint8_t)(samples_byte(i, -1) % size.n_classes);
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "x_train", TUTTI_U8, 2, dims, 0, bytes));
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "floats", TUTTI_F32, 2, dims, 0, floats));
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "y_train", TUTTI_U8, 1, dims, 0, y));
done:
  tutti_free(bytes);
  tutti_free(floats);
  tutti_free(y);
  return status;
}

static tutti_status write_file(const char *path, samples_size size) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, fill(file, size));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

tutti_status samples_write(const tutti_comm *comm, samples_size size, char path[256]) {
  tutti_status status = TUTTI_OK;
  if (tutti_comm_rank(comm) == 0) {
    const char *folder = getenv("TMPDIR");
    snprintf(path, 256, "%.200s/tutti-bench-%ld.h5", folder ? folder : "/tmp", (long)getpid());
    status = write_file(path, size);
  }
  TUTTI_TRY(tutti_comm_agree_from(comm, 0, status));
  return tutti_comm_bcast(comm, 0, path, 256);
}

void samples_remove(const tutti_comm *comm, const char *path) {
  if (tutti_comm_rank(comm) == 0) unlink(path);
}
