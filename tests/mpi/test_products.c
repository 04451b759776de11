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
static const tutti_layer_choices layers[] = {
    {.n_in = 8, .n_out = 16}, {.n_in = 9, .n_out = 16}, {.n_in = 10, .n_out = 16}, {.n_in = 11, .n_out = 16}};

static char folder[64] = "";

/** A cache of its own, in which rank 0 puts a file made by hand.
 * @param[in] own_ns, blas_ns  of each product of `layer` up to 4 rows with one thread; 0: the file stays away */
static void make_cache(const tutti_comm *comm, const tutti_layer_choices *layer, double own_ns,
                       double blas_ns) {
  if (tutti_comm_rank(comm) != 0) return;
  char path[4096], kernels[TUTTI_MACHINE_KERNELS_NAME];
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  snprintf(kernels, sizeof kernels, "%s", blas.first[0] ? blas.first : "blas");
  snprintf(folder, sizeof folder, "/tmp/tutti-cache-XXXXXX");
  EXPECT(mkdtemp(folder) != NULL, "%s", folder);
  setenv("XDG_CACHE_HOME", folder, 1);
  if (own_ns == 0) return;
  EXPECT(tutti_product_cache_path(path, sizeof path), "no path");
  char *slash = strrchr(path, '/');
  *slash = '\0';
  (void)mkdir(path, 0700);
  *slash = '/';
  FILE *file = fopen(path, "w");
  EXPECT(file != NULL, "%s", path);
  if (!file) return;
  fprintf(file, "a damaged line\n");
  for (int product = 0; product < TUTTI_N_MATMULS; product++)
    for (int rows = 1; rows <= 4; rows *= 2)
      fprintf(file, "%s %d %d %d 1 own %.0f %s %.0f Haswell %.0f\n", tutti_matmul_names[product], rows,
              layer->n_in, layer->n_out, own_ns, kernels, blas_ns,
              strcmp(kernels, "Haswell") == 0 ? blas_ns : 1000 * blas_ns);
  (void)fclose(file);
}

static void remove_cache(const tutti_comm *comm) {
  char command[128];
  if (tutti_comm_rank(comm) != 0) return;
  snprintf(command, sizeof command, "rm -rf %s", folder);
  EXPECT(system(command) == 0, "%s", command);
}

static void expect_all(const tutti_products *products, const tutti_layer_choices *layer, bool by_blas) {
  for (int product = 0; product < TUTTI_N_MATMULS; product++)
    for (int rows = 1; rows < 10000; rows = 3 * rows + 1) {
      const tutti_matmul_choice *choice =
          tutti_matmul_find_choice(&products->table, (tutti_matmul)product, rows, layer->n_in, layer->n_out);
      EXPECT(choice && choice->by_blas == by_blas && choice->n_threads == 1, "%s of %d rows",
             tutti_matmul_names[product], rows);
    }
}

static void choose(const tutti_comm *comm, const tutti_layer_choices *layer, tutti_sum_order by,
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
      bits = 2 * bits + products->table.layers[0].of[product][c].by_blas;
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
  if (tutti_comm_rank(comm) == 0) {
    tutti_products_take_text(
        "forward 8 16 blas:1\nweight_gradient 8 x\ninput_gradient 8 16 own:-1\n\nkernels\nkernels Nonsense",
        products);
    EXPECT(strcmp(products->kernels, "Nonsense") != 0, "%s", products->kernels);
    expect_all(products, &layers[0], false);
    tutti_products_take_text(text, products);
  }
  EXPECT_OK(tutti_products_share(comm, products));
  expect_all(products, &layers[0], true);
  tutti_free(text);
  tutti_products_destroy(&products);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(the_cache_decides_for_all_ranks),
      MPI_TEST(what_is_not_known_is_measured),
      MPI_TEST(a_fixed_order_or_the_blas_leave_no_choice),
      MPI_TEST(a_text_brings_the_choice_back),
  };
  return mpi_main("products", tests, sizeof tests / sizeof tests[0]);
}
