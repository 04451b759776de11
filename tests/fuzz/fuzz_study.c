/* A study's file: its trials, and the conclusion if it has one. */
#include "fuzz.h"
#include "tutti/fit.h"

static void read_conclusion(const tutti_file *file, const tutti_trial_set *set) {
  tutti_best_table best = {0};
  tutti_fit fit;
  if (tutti_fit_best_table_read(file, set, &best) == TUTTI_OK)
    for (int b = 0; b < best.n_branches; b++) (void)(tutti_fit_read(file, set, b, &fit) == TUTTI_OK);
  tutti_fit_best_table_clear(&best);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  tutti_file *file = NULL;
  tutti_trial_set set = {0};
  if (tutti_file_open(fuzz_file("study.h5", data, n), &file) == TUTTI_OK &&
      tutti_fit_trial_set_read(file, &set) == TUTTI_OK)
    read_conclusion(file, &set);
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
  fuzz_end();
  return 0;
}
