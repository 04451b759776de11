/** The choice of who computes the products as text, with which a run that is continued gets the same bits:
 *
 *   kernels Haswell threads 2 any
 *   forward 784 512 own:2 blas:2 ...
 *
 * The first line has the kernels of the BLAS, the threads of a rank, and what parallel.kernels leaves to choose from.
 * Then there is one line for each product of a layer, with a word for each class of rows. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "base/text.h"
#include "machine/products_impl.h"

enum { LINE = 512 };

static const char *const who_names[TUTTI_N_WHO] = {
    [TUTTI_BY_RULE] = "rule", [TUTTI_BY_OWN] = "own", [TUTTI_BY_BLAS] = "blas"};
static const char *const by_names[] = {
    [TUTTI_SUM_ANY] = "any", [TUTTI_SUM_IN_ORDER] = "own", [TUTTI_SUM_BY_BLAS] = "blas"};

static void print_line(const tutti_layer_choices *layer, int product, char *line) {
  snprintf(line, LINE, "%s %d %d", tutti_matmul_names[product], layer->n_in, layer->n_out);
  for (int i = 0; i < TUTTI_ROW_CLASSES; i++) {
    const tutti_matmul_choice *choice = &layer->of[product][i];
    tutti_text_append(line, LINE, " %s:%d", who_names[choice->who], choice->n_threads);
  }
}

tutti_status tutti_products_text(const tutti_products *products, char **text) {
  const int n_lines = 1 + TUTTI_N_MATMULS * products->table.n;
  TUTTI_TRY(TUTTI_NEW(*text, (int64_t)n_lines * (LINE + 1)));
  const size_t bytes = (size_t)n_lines * (LINE + 1);
  size_t length = (size_t)snprintf(*text, bytes, "kernels %s threads %d %s\n", products->kernels,
                                   products->n_threads, by_names[products->by]);
  for (int l = 0; l < products->table.n; l++)
    for (int product = 0; product < TUTTI_N_MATMULS; product++) {
      char line[LINE];
      print_line(&products->table.layers[l], product, line);
      length += (size_t)snprintf(*text + length, bytes - length, "%s\n", line);
    }
  return TUTTI_OK;
}

static bool read_count(const char *text, int *count) {
  return tutti_text_int(text, 0, INT32_MAX, count);
}

/** "own:2"  @return false: it is another word */
static bool read_choice(char *word, tutti_matmul_choice *choice) {
  char *colon = word ? strchr(word, ':') : NULL;
  if (!colon) return false;
  *colon = '\0';
  const int who = tutti_name_find(word, who_names, TUTTI_N_WHO);
  choice->who = (tutti_matmul_who)(who < 0 ? 0 : who);
  return who >= 0 && read_count(colon + 1, &choice->n_threads);
}

/** @return n of the table: it has no such layer */
static int find_layer(const tutti_products *products, int n_in, int n_out) {
  int l = 0;
  for (; l < products->table.n; l++)
    if (products->table.layers[l].n_in == n_in && products->table.layers[l].n_out == n_out) break;
  return l;
}

/** @param[in]  keeps_threads  the numbers of threads are taken, too
 *  @param[out] taken          see tutti_products_take_stored */
static void take_line(char *line, bool keeps_threads, tutti_products *products,
                      bool (*taken)[TUTTI_N_MATMULS]) {
  char *rest = line, *name = tutti_text_word(&rest);
  const int product = name ? tutti_name_find(name, tutti_matmul_names, TUTTI_N_MATMULS) : -1;
  int n_in = 0, n_out = 0;
  if (product < 0 || !read_count(tutti_text_word(&rest), &n_in) ||
      !read_count(tutti_text_word(&rest), &n_out))
    return;
  const int l = find_layer(products, n_in, n_out);
  tutti_matmul_choice read[TUTTI_ROW_CLASSES];
  if (l == products->table.n) return;
  tutti_layer_choices *layer = &products->table.layers[l];
  for (int i = 0; i < TUTTI_ROW_CLASSES; i++) {
    if (!read_choice(tutti_text_word(&rest), &read[i])) return;
    if (!keeps_threads) read[i].n_threads = layer->of[product][i].n_threads;
  }
  memcpy(layer->of[product], read, sizeof read);
  if (taken) taken[l][product] = keeps_threads;
}

static void note_kernels(const char *kernels) {
  tutti_log_once(
      TUTTI_LOG_INFO,
      "the checkpoint's products were computed with the %s kernels of the BLAS, which are not chosen "
      "here, so results have other bits; for the same ones take the same kind of processor, BLAS, "
      "OPENBLAS_CORETYPE and TUTTI_VECTORS",
      kernels);
}

static void note_threads(int then, int now) {
  tutti_log_once(
      TUTTI_LOG_INFO,
      "the checkpoint's products were computed by ranks of %d threads, and these have %d, so results "
      "may have other bits; for the same ones give parallel.threads=%d",
      then, now, then);
}

/** "kernels Haswell threads 2 any"
 * @return false: it is no such line, or one of another kind of choice */
static bool take_head(char *line, bool *keeps_threads, tutti_products *products) {
  char *rest = line, *words[5];
  for (int i = 0; i < 5; i++) words[i] = tutti_text_word(&rest);
  int n_threads = 0;
  if (!words[4] || strcmp(words[0], "kernels") != 0 || strcmp(words[2], "threads") != 0 ||
      !read_count(words[3], &n_threads) || strcmp(words[4], by_names[products->by]) != 0)
    return false;
  *keeps_threads = n_threads == products->n_threads;
  if (tutti_products_allow(words[1]))
    snprintf(products->kernels, sizeof products->kernels, "%s", words[1]);
  else
    note_kernels(words[1]);
  if (!*keeps_threads) note_threads(n_threads, products->n_threads);
  return true;
}

void tutti_products_take_stored(const char *text, tutti_products *products, bool (*taken)[TUTTI_N_MATMULS]) {
  char line[LINE];
  bool is_head = true, keeps_threads = false;
  for (const char *from = text; *from; is_head = false) {
    const size_t n = strcspn(from, "\n");
    snprintf(line, sizeof line, "%.*s", n < sizeof line ? (int)n : 0, from);
    if (!is_head)
      take_line(line, keeps_threads, products, taken);
    else if (!take_head(line, &keeps_threads, products))
      return;
    from += n + (from[n] == '\n');
  }
}

void tutti_products_take_text(const char *text, tutti_products *products) {
  tutti_products_take_stored(text, products, NULL);
}
