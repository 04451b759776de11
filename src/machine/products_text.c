/** The choice of who computes the products as text, with which a run that is continued gets the same bits:
 *
 *   kernels Haswell
 *   forward 784 512 own:2 blas:2 ...
 *
 * One line for each product of a layer, with a word for each class of rows. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "machine/cpu.h"
#include "machine/products.h"

enum { LINE = 512 };

static void print_line(const tutti_layer_choices *layer, int product, char *line) {
  snprintf(line, LINE, "%s %d %d", tutti_matmul_names[product], layer->n_in, layer->n_out);
  for (int i = 0; i < TUTTI_ROW_CLASSES; i++) {
    const tutti_matmul_choice *choice = &layer->of[product][i];
    tutti_text_append(line, LINE, " %s:%d", choice->by_blas ? "blas" : "own", choice->n_threads);
  }
}

tutti_status tutti_products_text(const tutti_products *products, char **text) {
  const int n_lines = 1 + TUTTI_N_MATMULS * products->table.n;
  TUTTI_TRY(TUTTI_NEW(*text, (int64_t)n_lines * (LINE + 1)));
  const size_t bytes = (size_t)n_lines * (LINE + 1);
  size_t length = (size_t)snprintf(*text, bytes, "kernels %s\n", products->kernels);
  for (int l = 0; l < products->table.n; l++)
    for (int product = 0; product < TUTTI_N_MATMULS; product++) {
      char line[LINE];
      print_line(&products->table.layers[l], product, line);
      length += (size_t)snprintf(*text + length, bytes - length, "%s\n", line);
    }
  return TUTTI_OK;
}

/** "own:2"  @return false: it is another word */
static bool read_choice(const char *word, tutti_matmul_choice *choice) {
  const bool by_blas = strncmp(word, "blas:", 5) == 0, own = strncmp(word, "own:", 4) == 0;
  int64_t n_threads = 0;
  if (!(by_blas || own) || !tutti_text_integer(word + (own ? 4 : 5), &n_threads)) return false;
  if (n_threads < 1 || n_threads > TUTTI_MACHINE_MAX_CPUS) return false;
  *choice = (tutti_matmul_choice){by_blas, (int)n_threads};
  return true;
}

static tutti_layer_choices *find_layer(const tutti_products *products, const char *n_in, const char *n_out) {
  int64_t in = 0, out = 0;
  if (!n_in || !n_out || !tutti_text_integer(n_in, &in) || !tutti_text_integer(n_out, &out)) return NULL;
  for (int l = 0; l < products->table.n; l++) {
    tutti_layer_choices *layer = &products->table.layers[l];
    if (layer->n_in == in && layer->n_out == out) return layer;
  }
  return NULL;
}

/** Take a line, or leave it if it is not one of a layer here. */
static void take_line(char *line, tutti_products *products) {
  char *rest = NULL, *name = strtok_r(line, " ", &rest);
  if (!name) return;
  char *first = strtok_r(NULL, " ", &rest);
  if (first && strcmp(name, "kernels") == 0) {
    if (tutti_products_allow(first)) snprintf(products->kernels, sizeof products->kernels, "%s", first);
    return;
  }
  int product = 0;
  while (product < TUTTI_N_MATMULS && strcmp(name, tutti_matmul_names[product]) != 0) product++;
  tutti_layer_choices *layer = find_layer(products, first, strtok_r(NULL, " ", &rest));
  tutti_matmul_choice read[TUTTI_ROW_CLASSES];
  if (product == TUTTI_N_MATMULS || !layer) return;
  for (int i = 0; i < TUTTI_ROW_CLASSES; i++) {
    const char *word = strtok_r(NULL, " ", &rest);
    if (!word || !read_choice(word, &read[i])) return;
  }
  memcpy(layer->of[product], read, sizeof read);
}

void tutti_products_take_text(const char *text, tutti_products *products) {
  char line[LINE];
  for (const char *from = text; *from;) {
    const size_t n = strcspn(from, "\n");
    if (n < sizeof line) {
      memcpy(line, from, n);
      line[n] = '\0';
      take_line(line, products);
    }
    from += n + (from[n] == '\n');
  }
}
