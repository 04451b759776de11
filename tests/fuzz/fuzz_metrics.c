/* The rows of a training: metrics.h5. */
#include "fuzz.h"
#include "tutti/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static const char *const tables[] = {"epochs", "steps", "evaluations"};
  tutti_file *file = NULL;
  char *metric = NULL;
  if (tutti_file_open(fuzz_file("metrics.h5", data, n), &file) == TUTTI_OK &&
      tutti_file_get_text(file, "/", "metric", &metric) == TUTTI_OK) {
    for (int i = 0; i < 3; i++) {
      tutti_metrics_records records = {0};
      (void)(tutti_metrics_read(file, tables[i], metric, &records) == TUTTI_OK);
      tutti_metrics_records_clear(&records);
    }
  }
  tutti_free(metric);
  tutti_file_close(&file);
  fuzz_end();
  return 0;
}
