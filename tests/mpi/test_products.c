#define _GNU_SOURCE // setenv, mkdtemp
#include "machine/products.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linalg/blas.h"
#include "machine/product_times_impl.h"
#include "support/mpi_main.h"
#include "tutti/linalg.h"

// Each case has a layer of its own, because a process remembers what it has read.
static const tutti_products_layer layers[] = {{8, 16, {1, 1, 1}},  {9, 16, {1, 1, 1}},  {10, 16, {1, 1, 1}},
                                              {11, 16, {1, 1, 1}}, {12, 16, {1, 1, 1}}, {13, 16, {1, 1, 1}}};

static char folder[64] = "";

static const char *own_kernels(void) {
  static char kernels[TUTTI_MACHINE_KERNELS_NAME];
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  snprintf(kernels, sizeof kernels, "%s", blas.first[0] ? blas.first : "blas");
  return kernels;
}

/** The file of the cache, new. */
static FILE *open_cache(void) {
  char path[4096];
  EXPECT(tutti_product_cache_path(path, sizeof path), "no path");
  char *slash = strrchr(path, '/');
  *slash = '\0';
  (void)mkdir(path, 0700);
  *slash = '/';
  FILE *file = fopen(path, "w");
  EXPECT(file != NULL, "%s", path);
  return file;
}

static void print_line(FILE *file, const tutti_products_layer *layer, int product, int rows, int threads,
                       double own_ns, double blas_ns) {
  const bool has_others = strcmp(own_kernels(), "Haswell") != 0;
  fprintf(file, "%s %d %d %d %d own %.0f %s %.0f", tutti_matmul_names[product], rows, layer->n_in,
          layer->n_out, threads, own_ns, own_kernels(), blas_ns);
  if (has_others) fprintf(file, " Haswell %.0f", 1000 * blas_ns);
  fprintf(file, "\n");
}

/** A cache of its own, in which rank 0 puts a file made by hand.
 * @param[in] own_ns, blas_ns  of each product of `layer` up to 4 rows with one thread; 0: the file stays away */
static void make_cache(const tutti_comm *comm, const tutti_products_layer *layer, double own_ns,
                       double blas_ns) {
  if (tutti_comm_rank(comm) != 0) return;
  snprintf(folder, sizeof folder, "/tmp/tutti-cache-XXXXXX");
  EXPECT(mkdtemp(folder) != NULL, "%s", folder);
  setenv("XDG_CACHE_HOME", folder, 1);
  FILE *file = own_ns > 0 ? open_cache() : NULL;
  if (!file) return;
  fprintf(file, "a damaged line\n");
  for (int product = 0; product < TUTTI_N_MATMULS; product++)
    for (int rows = 1; rows <= 4; rows *= 2) print_line(file, layer, product, rows, 1, own_ns, blas_ns);
  (void)fclose(file);
}

static void remove_cache(const tutti_comm *comm) {
  char command[128];
  if (tutti_comm_rank(comm) != 0) return;
  snprintf(command, sizeof command, "rm -rf %s", folder);
  EXPECT(system(command) == 0, "%s", command);
}

static void expect_all(const tutti_products *products, const tutti_products_layer *layer, bool by_blas) {
  for (int product = 0; product < TUTTI_N_MATMULS; product++)
    for (int rows = 1; rows <= 4; rows++) {
      const tutti_matmul_choice *choice =
          tutti_matmul_find_choice(&products->table, (tutti_matmul)product, rows, layer->n_in, layer->n_out);
      EXPECT(choice && (choice->who == TUTTI_BY_BLAS) == by_blas && choice->n_threads == 1, "%s of %d rows",
             tutti_matmul_names[product], rows);
    }
}

static void choose(const tutti_comm *comm, const tutti_products_layer *layer, tutti_sum_order by,
                   tutti_products **products) {
  const tutti_products_wanted wanted = {.layers = layer, .n_layers = 1, .most_rows = 4, .by = by};
  tutti_linalg_set_threads(1);
  EXPECT_OK(tutti_products_choose(comm, &wanted, products));
}

/** All ranks choose as the file of rank 0 says, and nobody measures. */
static void the_cache_decides_for_all_ranks(const tutti_comm *comm) {
  for (int i = 0; i < 2; i++) {
    tutti_products *products = NULL;
    make_cache(comm, &layers[i], i ? 5 : 7, 6);
    choose(comm, &layers[i], TUTTI_SUM_ANY, &products);
    expect_all(products, &layers[i], i == 0);
    tutti_products_destroy(&products);
    remove_cache(comm);
  }
}

/** What was measured is in the file afterwards, and all ranks have the same. */
static void what_is_not_known_is_measured(const tutti_comm *comm) {
  tutti_products *products = NULL;
  make_cache(comm, &layers[2], 0, 0);
  choose(comm, &layers[2], TUTTI_SUM_ANY, &products);
  EXPECT(products->table.n == 1, "%d layers", products->table.n);
  double bits = 0;
  for (int product = 0; product < TUTTI_N_MATMULS; product++)
    for (int c = 0; c < TUTTI_ROW_CLASSES; c++)
      bits = 2 * bits + (products->table.layers[0].of[product][c].who == TUTTI_BY_BLAS);
  EXPECT_OK(tutti_comm_same(comm, (int64_t)bits, "choices"));
  if (tutti_comm_rank(comm) == 0) {
    char path[4096];
    tutti_product_times times = {0};
    EXPECT(tutti_product_cache_path(path, sizeof path), "no path");
    EXPECT_OK(tutti_product_cache_read(path, &times));
    EXPECT(times.n == 9, "%d lines", (int)times.n); // three products of 1, 2 and 4 rows
    tutti_product_times_clear(&times);
  }
  tutti_products_destroy(&products);
  remove_cache(comm);
}

static void a_fixed_order_or_the_blas_leave_no_choice(const tutti_comm *comm) {
  tutti_products *products = NULL;
  make_cache(comm, &layers[3], 5, 6);
  choose(comm, &layers[3], TUTTI_SUM_IN_ORDER, &products);
  EXPECT(products->table.n == 0, "%d layers", products->table.n);
  tutti_products_destroy(&products);
  choose(comm, &layers[3], TUTTI_SUM_BY_BLAS, &products);
  expect_all(products, &layers[3], true);
  tutti_products_destroy(&products);
  remove_cache(comm);
}

/** More threads are taken only if they pay: half as many may be 3 % slower. */
static void threads_that_do_not_pay_are_left(const tutti_comm *comm) {
  static const int expected[TUTTI_N_MATMULS] = {1, 2, 4};
  static const double ns[TUTTI_N_MATMULS][3] = {
      {100, 50, 51}, {100, 50, 80}, {10, 20, 5}}; // of 4, 2 and 1 threads
  tutti_products *products = NULL;
  make_cache(comm, &layers[4], 0, 0);
  if (tutti_comm_rank(comm) == 0) {
    FILE *file = open_cache();
    for (int product = 0; file && product < TUTTI_N_MATMULS; product++)
      for (int i = 0; i < 3; i++)
        for (int rows = 1; rows <= 4; rows *= 2)
          print_line(file, &layers[4], product, rows, 4 >> i, ns[product][i], 1e6);
    if (file) (void)fclose(file);
  }
  const tutti_products_wanted wanted = {.layers = &layers[4], .n_layers = 1, .most_rows = 4};
  tutti_linalg_set_threads(4);
  EXPECT_OK(tutti_products_choose(comm, &wanted, &products));
  for (int product = 0; products && product < TUTTI_N_MATMULS; product++) {
    const tutti_matmul_choice *choice = &products->table.layers[0].of[product][2];
    EXPECT(choice->who == TUTTI_BY_OWN && choice->n_threads == expected[product], "%s: %d threads",
           tutti_matmul_names[product], choice->n_threads);
  }
  tutti_linalg_set_threads(1);
  tutti_products_destroy(&products);
  remove_cache(comm);
}

/** A run that goes on has what it had, whatever the cache says now. */
static void a_text_brings_the_choice_back(const tutti_comm *comm) {
  tutti_products *products = NULL;
  char *text = NULL;
  choose(comm, &layers[0], TUTTI_SUM_ANY, &products); // by the BLAS, as the first case has read
  EXPECT_OK(tutti_products_text(products, &text));
  tutti_products_destroy(&products);
  choose(comm, &layers[1], TUTTI_SUM_ANY, &products); // by our own loops
  if (tutti_comm_rank(comm) == 0) tutti_products_take_text(text, products);
  expect_all(products, &layers[1], false); // it is not in the text
  products->table.layers[0].n_in = layers[0].n_in;
  if (tutti_comm_rank(comm) == 0) tutti_products_take_text(text, products);
  EXPECT_OK(tutti_products_share(comm, products));
  expect_all(products, &layers[0], true);
  tutti_free(text);
  tutti_products_destroy(&products);
}

#define CLASSES(who)                                                                                         \
  who " " who " " who " " who " " who " " who " " who " " who " " who " " who " " who " " who " " who " " who

/** Local. */
static void other_texts_are_passed_over(const tutti_comm *comm) {
  tutti_products *products = NULL;
  choose(comm, &layers[1], TUTTI_SUM_ANY, &products); // by our own loops, with one thread
  const char *const texts[] = {
      "",
      "\n\n",
      "forward 9 16 " CLASSES("blas:1") "\n",                                  // no first line
      "kernels Nonsense threads 1 own\nforward 9 16 " CLASSES("blas:1") "\n",  // of another key
      "kernels Nonsense threads 1 any\nforward 9 16 blas:1\n",                 // cut off
      "kernels Nonsense threads 1 any\nforward 9 17 " CLASSES("blas:1") "\n",  // another layer
      "kernels Nonsense threads 1 any\nforward 9 16 " CLASSES("blas:-1") "\n", // not a number of threads
      "kernels Nonsense threads 1 any\nforward 9 16 " CLASSES("nobody:1") "\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    tutti_products_take_text(texts[i], products);
    expect_all(products, &layers[1], false);
    EXPECT(strcmp(products->kernels, "Nonsense") != 0, "%s", products->kernels);
  }
  // A rank with another number of threads keeps its own.
  tutti_products_take_text("kernels Nonsense threads 7 any\nforward 9 16 " CLASSES("blas:5") "\n", products);
  const tutti_matmul_choice *choice = &products->table.layers[0].of[TUTTI_MATMUL_FORWARD][0];
  EXPECT(choice->who == TUTTI_BY_BLAS && choice->n_threads == 1, "%d threads", choice->n_threads);
  products->n_threads = 4096; // as many as parallel.threads allows
  tutti_products_take_text("kernels Nonsense threads 4096 any\nforward 9 16 " CLASSES("blas:2048") "\n",
                           products);
  EXPECT(choice->n_threads == 2048, "%d threads", choice->n_threads);
  tutti_products_destroy(&products);
}

static int64_t count_lines(void) {
  char path[4096];
  tutti_product_times times = {0};
  EXPECT(tutti_product_cache_path(path, sizeof path), "no path");
  EXPECT_OK(tutti_product_cache_read(path, &times));
  const int64_t n = times.n;
  tutti_product_times_clear(&times);
  return n;
}

/** All ranks get what rank 0 has from a checkpoint; only what is missing there is measured. */
static void what_is_stored_is_not_measured(const tutti_comm *comm) {
  char text[4096];
  const tutti_products_layer *layer = &layers[5];
  const bool root = tutti_comm_rank(comm) == 0;
  int n = snprintf(text, sizeof text, "kernels %s threads 1 any\n", own_kernels());
  // The line of the last product is spoilt at first.
  for (int product = 0; product < TUTTI_N_MATMULS; product++)
    n += snprintf(text + n, sizeof text - (size_t)n, "%s %d %d " CLASSES("blas:1") "\n%s",
                  tutti_matmul_names[product], layer->n_in, layer->n_out, product == 1 ? "x" : "");
  for (int i = 0; i < 2; i++) {
    tutti_products *products = NULL;
    const tutti_products_wanted wanted = {
        .layers = layer, .n_layers = 1, .most_rows = 4, .stored = root ? text : NULL};
    make_cache(comm, layer, 0, 0);
    EXPECT_OK(tutti_products_choose(comm, &wanted, &products));
    if (i == 1) expect_all(products, layer, true);
    if (root) EXPECT(count_lines() == (i ? 0 : 3), "%d lines", (int)count_lines()); // of 1, 2 and 4 rows
    for (int rows = 1; rows <= 4; rows++) {
      const tutti_matmul_choice *choice =
          tutti_matmul_find_choice(&products->table, TUTTI_MATMUL_FORWARD, rows, layer->n_in, layer->n_out);
      EXPECT(choice && choice->who == TUTTI_BY_BLAS, "%d rows", rows);
    }
    tutti_products_destroy(&products);
    remove_cache(comm);
    if (i == 0) strstr(text, "\nx")[1] = '\n';
  }
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(the_cache_decides_for_all_ranks),
      MPI_TEST(what_is_not_known_is_measured),
      MPI_TEST(a_fixed_order_or_the_blas_leave_no_choice),
      MPI_TEST(threads_that_do_not_pay_are_left),
      MPI_TEST(a_text_brings_the_choice_back),
      MPI_TEST(other_texts_are_passed_over),
      MPI_TEST(what_is_stored_is_not_measured),
  };
  return mpi_main("products", tests, sizeof tests / sizeof tests[0]);
}
