/* A checkpoint: whether it is whole, its state and config, and the arrays of its weights. */
#include "fuzz.h"
#include "rundir/restore.h"
#include "tutti/checkpoint.h"
#include "tutti/config.h"

static void read_parts(const char *path) {
  tutti_checkpoint_info info;
  tutti_config config = {0};
  tutti_texts names;
  double *shift = NULL;
  int64_t n = 0;
  if (tutti_checkpoint_read_info(path, &info) != TUTTI_OK) return;
  if (tutti_config_parse(info.config, path, NULL, 0, &config) == TUTTI_OK)
    (void)(tutti_rundir_check_widths(path, &config) == TUTTI_OK);
  tutti_config_clear(&config);
  tutti_checkpoint_info_clear(&info);
  if (tutti_checkpoint_list_slots(path, &names) == TUTTI_OK) tutti_texts_clear(&names);
  if (tutti_checkpoint_history_columns(path, &names) == TUTTI_OK) tutti_texts_clear(&names);
  if (tutti_checkpoint_read_vector(path, "/input/shift", &shift, &n) == TUTTI_OK) tutti_free(shift);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  const char *path = fuzz_file("checkpoint.h5", data, n);
  char *found = NULL;
  read_parts(path);
  if (tutti_checkpoint_find(fuzz_folder(), &found) == TUTTI_OK) tutti_free(found);
  fuzz_end();
  return 0;
}
