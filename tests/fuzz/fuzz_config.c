/* A config.  One that was read is read back from its dump. */
#include <stdlib.h>

#include "fuzz.h"
#include "tutti/config.h"

static void check_dump(const tutti_config *config) {
  char *text = NULL;
  tutti_config back = {0};
  if (tutti_config_dump(config, &text) != TUTTI_OK ||
      tutti_config_parse(text, "dump", NULL, 0, &back) != TUTTI_OK)
    abort();
  tutti_config_clear(&back);
  tutti_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  tutti_config config = {0};
  char *text = fuzz_text(data, n);
  if (!text) return 0;
  if (tutti_config_parse(text, "fuzz.yaml", NULL, 0, &config) == TUTTI_OK) check_dump(&config);
  tutti_config_clear(&config);
  free(text);
  fuzz_end();
  return 0;
}
