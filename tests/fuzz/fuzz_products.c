/* Who computes the products, as a checkpoint tells it, and how long they take, as the user's cache tells it.  What was
 * read is written and read back. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "machine/product_times_impl.h"
#include "machine/products_impl.h"

static void check_times(const char *path) {
  tutti_product_times times = {0};
  if (tutti_product_cache_read(path, &times) != TUTTI_OK) abort();
  for (int64_t i = 0; i < times.n; i++) {
    char line[TUTTI_PRODUCT_LINE];
    tutti_product_time back;
    tutti_product_time_print(&times.list[i], line);
    // Nanoseconds are written as whole numbers, and those below a half as 0.
    if (times.list[i].by[0].ns >= 1 && strlen(line) + 1 < sizeof line && times.list[i].n == 1 &&
        times.list[i].by[0].ns < 1e15 && !tutti_product_time_parse(line, &back))
      abort();
  }
  tutti_product_times_clear(&times);
}

static void check_choices(const char *text) {
  tutti_layer_choices layer = {.n_in = 784, .n_out = 512};
  tutti_products products = {.n_threads = 2, .table = {&layer, 1}};
  char *written = NULL;
  tutti_products_first_kernels(products.kernels);
  tutti_products_take_text(text, &products);
  for (int product = 0; product < TUTTI_N_MATMULS; product++)
    for (int i = 0; i < TUTTI_ROW_CLASSES; i++)
      if ((unsigned)layer.of[product][i].who >= TUTTI_N_WHO || layer.of[product][i].n_threads < 0) abort();
  if (!tutti_products_allow(products.kernels)) abort();
  const tutti_layer_choices before = layer;
  if (tutti_products_text(&products, &written) != TUTTI_OK) abort();
  tutti_products_take_text(written, &products);
  if (memcmp(&layer, &before, sizeof layer) != 0) abort();
  tutti_free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char *text = fuzz_text(data, n);
  check_times(fuzz_file("times.txt", data, n));
  if (text) check_choices(text);
  free(text);
  fuzz_end();
  return 0;
}
