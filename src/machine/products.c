/** Chooses who computes the products of a network.
 *
 * Times of shapes are facts of this machine (products_learn.c).  The choice follows from them alone: first the kernels of
 * the BLAS, by the sum over all products, then for each product the fastest loops and the number of threads.  Rank 0
 * chooses for all. */
#include "machine/products.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "linalg/blas.h"
#include "machine/products_impl.h"

/** Other kernels of the BLAS have to be so much faster than those that it has taken by itself. */
static const double WORTH_A_CHANGE = 0.99;

/** A product of a layer, with the rows of a class. */
typedef struct {
  const tutti_products_chooser *c;
  const tutti_products_layer *layer;
  tutti_matmul product;
  int row_class;
} asked;

static const tutti_product_time *find_time(void *context, int n_threads) {
  const asked *a = context;
  const tutti_product_time like = tutti_products_like(a->c, a->layer, a->product, a->row_class, n_threads);
  return tutti_product_times_find(&a->c->known, &like);
}

/** The fastest way to compute a product if the BLAS has these kernels.
 * @return its nanoseconds; 0: not measured */
static double choose_one(asked a, const char *kernels, tutti_matmul_choice *choice) {
  return tutti_products_fastest(
      &(tutti_products_question){a.c->wanted->by, kernels, a.c->n_threads, find_time, &a}, choice);
}

/** The time of all products of the largest micro-batch. */
static double total(const tutti_products_chooser *c, const char *kernels) {
  double sum = 0;
  for (int l = 0; l < c->wanted->n_layers; l++) {
    const tutti_products_layer *layer = &c->wanted->layers[l];
    const int last = c->last[l];
    for (int product = 0; product < TUTTI_N_MATMULS && last >= 0; product++) {
      tutti_matmul_choice unused;
      // Fewer rows than those of the micro-batch stand for the rest of it.
      sum += choose_one((asked){c, layer, (tutti_matmul)product, last}, kernels, &unused) *
             layer->n[product] * c->wanted->most_rows / (1 << last);
    }
  }
  return sum;
}

/** @param[out] kernels  those that the BLAS has taken by itself, unless others are faster */
static void choose_kernels(const tutti_products_chooser *c, char kernels[TUTTI_MACHINE_KERNELS_NAME]) {
  double least = WORTH_A_CHANGE * total(c, tutti_products_first_kernels(kernels));
  for (int i = 0; i < c->loops.n; i++) {
    const char *others = c->loops.by[i].name;
    if (strcmp(others, TUTTI_OWN_LOOPS) == 0 || strcmp(others, kernels) == 0) continue;
    const double sum = total(c, others);
    if (sum >= least) continue;
    least = sum;
    snprintf(kernels, TUTTI_MACHINE_KERNELS_NAME, "%s", others);
  }
}

/** Classes of more rows than were measured are computed by the same loops as the last one, if that has many rows, with
 * all threads; else by the rule of linalg. */
static void choose_layer(const tutti_products_chooser *c, const tutti_products_layer *from, int last,
                         const char *kernels, tutti_layer_choices *layer) {
  for (int product = 0; product < TUTTI_N_MATMULS; product++) {
    tutti_matmul_choice *of = layer->of[product];
    if (from->n[product] == 0) continue;
    for (int i = 0; i <= last; i++)
      (void)choose_one((asked){c, from, (tutti_matmul)product, i}, kernels, &of[i]);
    for (int i = last + 1; i < TUTTI_ROW_CLASSES && last >= 0 && 1 << last >= TUTTI_PRODUCTS_MANY_ROWS; i++)
      of[i].who = of[last].who;
  }
}

static tutti_status choose_measured(const tutti_products_wanted *wanted, tutti_products *products) {
  tutti_products_chooser c;
  const tutti_status status = tutti_products_learn(wanted, &c);
  if (status == TUTTI_OK) {
    if (!products->kernels[0]) choose_kernels(&c, products->kernels);
    for (int l = 0; l < wanted->n_layers; l++)
      choose_layer(&c, &wanted->layers[l], c.last[l], products->kernels, &products->table.layers[l]);
  }
  tutti_products_forget(&c);
  return status;
}

/** Take what is stored, and measure the rest. */
static tutti_status choose_at_root(const tutti_products_wanted *wanted, tutti_products *products) {
  bool(*taken)[TUTTI_N_MATMULS] = NULL;
  tutti_products_layer *layers = NULL;
  tutti_products_wanted rest = *wanted;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(taken, wanted->n_layers));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(layers, wanted->n_layers));
  if (wanted->stored) tutti_products_take_stored(wanted->stored, products, taken);
  bool measures = false;
  for (int l = 0; l < wanted->n_layers; l++) {
    layers[l] = wanted->layers[l];
    for (int product = 0; product < TUTTI_N_MATMULS; product++) {
      if (taken[l][product]) layers[l].n[product] = 0;
      measures = measures || layers[l].n[product] > 0;
    }
  }
  rest.layers = layers;
  if (measures) TUTTI_TRY_GOTO(done, choose_measured(&rest, products));
  // Of a rank with another number of threads it is still known who computes.
  if (measures && wanted->stored) tutti_products_take_text(wanted->stored, products);
  if (!products->kernels[0]) tutti_products_first_kernels(products->kernels);
done:
  tutti_free(layers);
  tutti_free(taken);
  return status;
}

/** The choice was made for other kernels than those that this BLAS computes with. */
static void note_kernels(const char *wanted, const char *first) {
  static bool noted;
  if (!noted)
    tutti_log(TUTTI_LOG_WARNING,
              "this process computes matrix products with the %s kernels of its BLAS, because it does not "
              "take the %s ones that were chosen: give all ranks, and a training that goes on, the same kind "
              "of processor, BLAS, OPENBLAS_CORETYPE and TUTTI_VECTORS",
              first, wanted);
  noted = true;
}

tutti_status tutti_products_share(const tutti_comm *comm, tutti_products *products) {
  TUTTI_TRY(tutti_comm_bcast(comm, 0, products->kernels, sizeof products->kernels));
  TUTTI_TRY(tutti_comm_bcast(comm, 0, products->table.layers,
                             products->table.n * (int64_t)sizeof *products->table.layers));
  if (products->table.n == 0 || tutti_products_take_kernels(products->kernels)) return TUTTI_OK;
  char first[TUTTI_MACHINE_KERNELS_NAME];
  note_kernels(products->kernels, tutti_products_first_kernels(first));
  (void)tutti_products_take_kernels(first);
  snprintf(products->kernels, sizeof products->kernels, "%s", first); // as the files of the run will say
  return TUTTI_OK;
}

/** Fixed order leaves nothing to choose but the number of threads. */
static bool has_a_choice(const tutti_products *products) {
  return products->by != TUTTI_SUM_IN_ORDER || products->n_threads > 1;
}

tutti_status tutti_products_choose(const tutti_comm *comm, const tutti_products_wanted *wanted,
                                   tutti_products **products) {
  tutti_status status = TUTTI_NEW(*products, 1);
  if (status == TUTTI_OK) status = TUTTI_NEW((*products)->table.layers, wanted->n_layers);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  tutti_products *p = *products;
  p->by = wanted->by;
  p->n_threads = tutti_linalg_threads();
  TUTTI_TRY_GOTO(done, tutti_comm_bcast(comm, 0, &p->n_threads, sizeof p->n_threads));
  if (!has_a_choice(p)) return TUTTI_OK;
  p->table.n = wanted->n_layers;
  for (int l = 0; l < wanted->n_layers; l++) {
    p->table.layers[l].n_in = wanted->layers[l].n_in;
    p->table.layers[l].n_out = wanted->layers[l].n_out;
  }
  status = tutti_comm_rank(comm) == 0 ? choose_at_root(wanted, p) : TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
  TUTTI_TRY_GOTO(done, tutti_products_share(comm, p));
done:
  if (status != TUTTI_OK) tutti_products_destroy(products);
  return status;
}

void tutti_products_destroy(tutti_products **products) {
  if (*products) tutti_free((*products)->table.layers);
  tutti_free(*products);
  *products = NULL;
}
