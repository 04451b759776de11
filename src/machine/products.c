/** Chooses who computes the products of a network.
 *
 * Times of shapes are facts of this machine (products_learn.c).  The choice follows from them alone: first the kernels of
 * the BLAS, by the sum over all products, then for each product the fastest loops and the number of threads.  Rank 0
 * chooses for all. */
#include "machine/products.h"

#include <stdio.h>
#include <string.h>

#include "linalg/blas.h"
#include "machine/products_impl.h"

/** Other kernels of the BLAS have to be so much faster than those that it has taken by itself. */
static const double WORTH_A_CHANGE = 0.99;

/** The fastest way to compute a product if the BLAS has these kernels, without threads that do not pay.
 * @return its nanoseconds; 0: not measured */
static double choose_one(const tutti_products_chooser *c, const tutti_products_layer *layer,
                         tutti_matmul product, int row_class, const char *kernels,
                         tutti_matmul_choice *choice) {
  const tutti_sum_order by = c->wanted->by;
  double least = 0, chosen = 0;
  for (int n = c->n_threads; n >= 1; n /= 2) {
    const tutti_product_time like = tutti_products_like(c, layer, product, row_class, n),
                             *time = tutti_product_times_find(&c->known, &like);
    if (!time) break;
    const double own = tutti_product_time_by(time, TUTTI_OWN_LOOPS),
                 blas = tutti_product_time_by(time, kernels);
    const bool by_blas = by == TUTTI_SUM_BY_BLAS || (by == TUTTI_SUM_ANY && blas < own);
    const double ns = by_blas ? blas : own;
    if (least > 0 && ns > TUTTI_PRODUCTS_WORTH_THREADS * least) break;
    if (least == 0 || ns < least) least = ns;
    chosen = ns;
    *choice = (tutti_matmul_choice){by_blas ? TUTTI_BY_BLAS : TUTTI_BY_OWN, n};
  }
  return chosen;
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
      sum += choose_one(c, layer, (tutti_matmul)product, last, kernels, &unused) * layer->n[product] *
             c->wanted->most_rows / (1 << last);
    }
  }
  return sum;
}

static void choose_kernels(const tutti_products_chooser *c, tutti_products *products) {
  int best = 1; // 0 are our own loops
  for (int i = 2; i < c->loops.n; i++)
    if (total(c, c->loops.by[i].name) < WORTH_A_CHANGE * total(c, c->loops.by[best].name)) best = i;
  snprintf(products->kernels, sizeof products->kernels, "%s", c->loops.by[best].name);
}

/** Classes of more rows than were measured are computed by the same loops as the last one, if that has many rows, with
 * all threads; else by the rule of linalg. */
static void choose_layer(const tutti_products_chooser *c, const tutti_products_layer *from, int last,
                         const char *kernels, tutti_layer_choices *layer) {
  *layer = (tutti_layer_choices){.n_in = from->n_in, .n_out = from->n_out};
  for (int product = 0; product < TUTTI_N_MATMULS; product++) {
    tutti_matmul_choice *of = layer->of[product];
    for (int i = 0; i <= last; i++) (void)choose_one(c, from, (tutti_matmul)product, i, kernels, &of[i]);
    for (int i = last + 1; i < TUTTI_ROW_CLASSES && last >= 0 && 1 << last >= TUTTI_PRODUCTS_MANY_ROWS; i++)
      of[i].who = of[last].who;
  }
}

static tutti_status choose_at_root(const tutti_products_wanted *wanted, tutti_products *products) {
  tutti_products_chooser c;
  const tutti_status status = tutti_products_learn(wanted, &c);
  if (status == TUTTI_OK) {
    choose_kernels(&c, products);
    products->table.n = wanted->n_layers;
    for (int l = 0; l < wanted->n_layers; l++)
      choose_layer(&c, &wanted->layers[l], c.last[l], products->kernels, &products->table.layers[l]);
  }
  tutti_products_forget(&c);
  return status;
}

tutti_status tutti_products_share(const tutti_comm *comm, tutti_products *products) {
  TUTTI_TRY(tutti_comm_bcast(comm, 0, products->kernels, sizeof products->kernels));
  TUTTI_TRY(tutti_comm_bcast(comm, 0, products->table.layers,
                             products->table.n * (int64_t)sizeof *products->table.layers));
  // A rank on another processor may be without them.
  if (tutti_products_allow(products->kernels)) (void)tutti_blas_take_kernels(products->kernels);
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
