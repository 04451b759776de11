/** Chooses who computes the products of a network.
 *
 * Times of shapes are facts of this machine, which the cache keeps (product_cache.c).  The choice follows from them
 * alone: first the kernels of the BLAS, by the sum over all products, then for each product the fastest loops and the
 * number of threads.  Rank 0 chooses for all. */
#include "machine/products.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vector_unit.h"
#include "linalg/blas.h"
#include "machine/cpu.h"
#include "machine/product_times_impl.h"

/** Larger kernels are not measured: their arrays would take as much memory as the training. */
static const int64_t MOST_WEIGHTS = (int64_t)1 << 26;

/** Other kernels of the BLAS have to be so much faster than those that it has taken by itself. */
static const double WORTH_A_CHANGE = 0.99;

/** Half as many threads are taken if they need at most so many times as long. */
static const double WORTH_THREADS = 1.03;

/** The last that this process has used: so it reads the cache once, and measures once without one. */
static struct {
  tutti_product_time list[1024];
  int64_t n, next; // next: the place of the next one
} remembered;

typedef struct {
  const tutti_products_wanted *wanted;
  int n_threads;
  tutti_product_time loops;  // that are chosen from: our own, and kernels of the BLAS, its own choice first
  tutti_product_times known; // of all shapes that are wanted
  int64_t n_wanted;
  tutti_product_times measured;
} chooser;

/** The kernels that the BLAS has chosen by itself, also after others were taken. */
static const char *first_kernels(void) {
  static char name[TUTTI_MACHINE_KERNELS_NAME];
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  snprintf(name, sizeof name, "%s", blas.first[0] ? blas.first : "blas");
  for (char *c = name; *c; c++)
    if (*c == ' ') *c = '_'; // a word of a line
  return name;
}

static bool environment_decides(void) {
  return (getenv("OPENBLAS_CORETYPE") && !getenv(TUTTI_KERNELS_BEFORE)) || getenv(TUTTI_VECTORS);
}

/** On some processors with AVX-512 the kernels for AVX2 are faster. */
static const char narrower[] = "Haswell";

bool tutti_products_allow(const char *kernels) {
  if (strcmp(kernels, first_kernels()) == 0) return true;
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  return !environment_decides() && cpu.avx512 && cpu.avx2_fma && strcmp(kernels, narrower) == 0;
}

static void add_loops(chooser *c, const char *name) {
  snprintf(c->loops.by[c->loops.n++].name, sizeof c->loops.by[0].name, "%s", name);
}

/** The loops that are worth a try. */
static void list_loops(chooser *c) {
  const char *first = first_kernels();
  add_loops(c, TUTTI_OWN_LOOPS);
  add_loops(c, first);
  if (strcmp(first, narrower) == 0 || !tutti_products_allow(narrower) || !tutti_blas_take_kernels(narrower))
    return;
  add_loops(c, narrower);
  (void)tutti_blas_take_kernels(first);
}

// --- what is measured ----------------------------------------------------------------------------------------------

/** Whether a product of so many rows is measured.  Larger ones are computed as the largest of these. */
static bool is_measured(const tutti_layer_choices *layer, int row_class) {
  const double weights = (double)layer->n_in * layer->n_out;
  const int rows = 1 << row_class;
  return weights <= MOST_WEIGHTS && (rows == 1 || 2 * rows * weights <= TUTTI_PRODUCT_MOST_WORK);
}

/** The largest class of rows that is measured; -1: none. */
static int last_class(const chooser *c, const tutti_layer_choices *layer) {
  int last = -1;
  while (last < tutti_matmul_row_class(c->wanted->most_rows) && is_measured(layer, last + 1)) last++;
  return last;
}

static void remember(const tutti_product_times *times, int64_t from) {
  const int64_t most = sizeof remembered.list / sizeof remembered.list[0];
  for (int64_t i = from; i < times->n; i++) {
    remembered.list[remembered.next] = times->list[i];
    remembered.next = (remembered.next + 1) % most;
    if (remembered.n < most) remembered.n++;
  }
}

typedef tutti_status visit(chooser *c, const tutti_product_shape *shape);

/** Call for each product, class of rows and number of threads that is measured. */
static tutti_status visit_shapes(chooser *c, visit *what) {
  for (int l = 0; l < c->wanted->n_layers; l++) {
    const tutti_layer_choices *layer = &c->wanted->layers[l];
    for (int row_class = 0; row_class <= last_class(c, layer); row_class++)
      for (int product = 0; product < TUTTI_N_MATMULS; product++)
        for (int n = c->n_threads; n >= 1; n /= 2) {
          const tutti_product_shape shape = {(tutti_matmul)product, 1 << row_class, layer->n_in, layer->n_out,
                                             n};
          TUTTI_TRY(what(c, &shape));
        }
  }
  return TUTTI_OK;
}

static tutti_product_time time_of(const chooser *c, const tutti_product_shape *shape) {
  tutti_product_time time = c->loops;
  time.shape = *shape;
  return time;
}

/** Know a shape, if it was measured before by these loops. */
static tutti_status look_up(chooser *c, const tutti_product_times *in, const tutti_product_shape *shape) {
  const tutti_product_time like = time_of(c, shape), *time = tutti_product_times_find(in, &like);
  if (!time || tutti_product_times_find(&c->known, &like)) return TUTTI_OK;
  return tutti_product_times_add(&c->known, time);
}

static tutti_status recall(chooser *c, const tutti_product_shape *shape) {
  const tutti_product_times times = {.list = remembered.list, .n = remembered.n};
  return look_up(c, &times, shape);
}

static tutti_status take_measured(chooser *c, const tutti_product_shape *shape) {
  return look_up(c, &c->measured, shape);
}

static tutti_status measure_unknown(chooser *c, const tutti_product_shape *shape) {
  tutti_product_time time = time_of(c, shape);
  if (tutti_product_times_find(&c->known, &time)) return TUTTI_OK;
  TUTTI_TRY(tutti_product_measure(&time));
  return tutti_product_times_add(&c->measured, &time);
}

static tutti_status count(chooser *c, const tutti_product_shape *shape) {
  (void)shape;
  c->n_wanted++;
  return TUTTI_OK;
}

/** Know the times of all shapes: as this process remembers, as the cache says, or measured now. */
static tutti_status learn(chooser *c) {
  char path[4096];
  const bool has_cache = tutti_product_cache_path(path, sizeof path);
  TUTTI_TRY(visit_shapes(c, count));
  TUTTI_TRY(visit_shapes(c, recall));
  const int64_t n_remembered = c->known.n;
  if (n_remembered == c->n_wanted) return TUTTI_OK;
  if (has_cache) TUTTI_TRY(tutti_product_cache_read(path, &c->measured));
  TUTTI_TRY(visit_shapes(c, take_measured));
  tutti_product_times_clear(&c->measured);
  TUTTI_TRY(visit_shapes(c, measure_unknown));
  if (has_cache && c->measured.n > 0) TUTTI_TRY(tutti_product_cache_write(path, &c->measured));
  TUTTI_TRY(visit_shapes(c, take_measured));
  remember(&c->known, n_remembered);
  return TUTTI_OK;
}

// --- what is chosen ------------------------------------------------------------------------------------------------

/** The fastest way to compute a product if the BLAS has these kernels.  Threads that do not pay are left to others.
 * @return its nanoseconds; 0: not measured */
static double choose_one(const chooser *c, tutti_product_shape shape, const char *kernels,
                         tutti_matmul_choice *choice) {
  const tutti_sum_order by = c->wanted->by;
  double best = 0;
  for (shape.n_threads = c->n_threads; shape.n_threads >= 1; shape.n_threads /= 2) {
    const tutti_product_time like = time_of(c, &shape), *time = tutti_product_times_find(&c->known, &like);
    const double own = time ? tutti_product_time_by(time, TUTTI_OWN_LOOPS) : 0,
                 blas = time ? tutti_product_time_by(time, kernels) : 0;
    const bool by_blas = by == TUTTI_SUM_BY_BLAS || (by == TUTTI_SUM_ANY && blas > 0 && blas < own);
    const double ns = by_blas ? blas : own;
    if (ns <= 0 || (best > 0 && ns > WORTH_THREADS * best)) continue;
    best = ns;
    *choice = (tutti_matmul_choice){by_blas, shape.n_threads};
  }
  return best;
}

/** The time of all products of the largest micro-batch, each once. */
static double total(const chooser *c, const char *kernels) {
  double sum = 0;
  for (int l = 0; l < c->wanted->n_layers; l++) {
    const tutti_layer_choices *layer = &c->wanted->layers[l];
    const int last = last_class(c, layer);
    for (int product = 0; product < TUTTI_N_MATMULS && last >= 0; product++) {
      tutti_matmul_choice choice;
      const tutti_product_shape shape = {(tutti_matmul)product, 1 << last, layer->n_in, layer->n_out, 0};
      // Layers of fewer rows than the micro-batch stand for the rest of it.
      sum += choose_one(c, shape, kernels, &choice) * c->wanted->most_rows / (1 << last);
    }
  }
  return sum;
}

static void choose_kernels(const chooser *c, tutti_products *products) {
  int best = 1; // 0 are our own loops
  for (int i = 2; i < c->loops.n; i++)
    if (total(c, c->loops.by[i].name) < WORTH_A_CHANGE * total(c, c->loops.by[best].name)) best = i;
  snprintf(products->kernels, sizeof products->kernels, "%s", c->loops.by[best].name);
}

/** Classes that are not measured are computed as the largest one that is, or by the rule of linalg if there is none. */
static void choose_layer(const chooser *c, const char *kernels, tutti_layer_choices *layer) {
  const int last = last_class(c, layer);
  for (int product = 0; product < TUTTI_N_MATMULS; product++)
    for (int row_class = 0; row_class < TUTTI_ROW_CLASSES; row_class++) {
      const int measured = row_class < last ? row_class : last;
      const tutti_product_shape shape = {(tutti_matmul)product, 1 << measured, layer->n_in, layer->n_out, 0};
      (void)choose_one(c, shape, kernels, &layer->of[product][row_class]);
    }
}

static tutti_status choose_at_root(const tutti_products_wanted *wanted, tutti_products *products) {
  chooser c = {.wanted = wanted, .n_threads = tutti_linalg_threads()};
  tutti_status status = TUTTI_OK;
  // Fixed order leaves nothing to choose but the number of threads.
  if (wanted->by == TUTTI_SUM_IN_ORDER && c.n_threads == 1) return TUTTI_OK;
  list_loops(&c);
  TUTTI_TRY_GOTO(done, learn(&c));
  choose_kernels(&c, products);
  for (int l = 0; l < wanted->n_layers; l++) {
    if (last_class(&c, &wanted->layers[l]) < 0) continue;
    tutti_layer_choices *layer = &products->table.layers[products->table.n++];
    *layer = wanted->layers[l];
    choose_layer(&c, products->kernels, layer);
  }
done:
  tutti_product_times_clear(&c.known);
  tutti_product_times_clear(&c.measured);
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

/** All ranks have as many layers, but rank 0 may not have measured all of them. */
static tutti_status share_first(const tutti_comm *comm, tutti_products *products) {
  TUTTI_TRY(tutti_comm_bcast(comm, 0, &products->table.n, sizeof products->table.n));
  return tutti_products_share(comm, products);
}

tutti_status tutti_products_choose(const tutti_comm *comm, const tutti_products_wanted *wanted,
                                   tutti_products **products) {
  tutti_status status = TUTTI_NEW(*products, 1);
  if (status == TUTTI_OK) status = TUTTI_NEW((*products)->table.layers, wanted->n_layers);
  if (status == TUTTI_OK && tutti_comm_rank(comm) == 0) status = choose_at_root(wanted, *products);
  status = tutti_comm_agree(comm, status);
  if (status == TUTTI_OK) status = share_first(comm, *products);
  if (status != TUTTI_OK) tutti_products_destroy(products);
  return status;
}

void tutti_products_destroy(tutti_products **products) {
  if (*products) tutti_free((*products)->table.layers);
  tutti_free(*products);
  *products = NULL;
}
