/** Learns how long the products of a network take on this machine.  Rank 0 calls it. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "linalg/blas.h"
#include "machine/cpu.h"
#include "machine/products_impl.h"

/** Arrays for a measurement take at most 256 MB. */
static const double MOST_FLOATS = 1 << 26;

/** Operations of a product that is measured: some milliseconds.  Up to TUTTI_PRODUCTS_MANY_ROWS all are measured. */
static const double MOST_WORK = 1e9;

/** The last that this process has used: so it reads the cache once, and measures once without one. */
static struct {
  tutti_product_time list[1024];
  int64_t n, next; // next: where the next time goes
} remembered;

typedef struct {
  tutti_products_chooser *c;
  const tutti_products_layer *layer;
  tutti_product_arrays *arrays; // of this layer; NULL: nothing was measured yet
  char path[4096];              // of the cache; "": there is none
  bool has_read;                // the cache
  tutti_product_times cached, measured;
} learner;

// --- the loops ---------------------------------------------------------------------------------------------------

/** The kernels that the BLAS has chosen by itself, also after others were taken. */
static const char *own_kernels(char name[TUTTI_MACHINE_KERNELS_NAME]) {
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  snprintf(name, TUTTI_MACHINE_KERNELS_NAME, "%s", blas.first[0] ? blas.first : "blas");
  for (char *c = name; *c; c++)
    if (*c == ' ') *c = '_'; // a word of a line
  return name;
}

/** On some processors with AVX-512 the kernels for AVX2 are faster. */
static const char narrower[] = "Haswell";

bool tutti_products_allow(const char *kernels) {
  char own[TUTTI_MACHINE_KERNELS_NAME];
  if (strcmp(kernels, own_kernels(own)) == 0) return true;
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  return !tutti_machine_kernels_are_given() && cpu.avx512 && cpu.avx2_fma && strcmp(kernels, narrower) == 0;
}

static void add_loops(tutti_product_time *loops, const char *name) {
  snprintf(loops->by[loops->n++].name, sizeof loops->by[0].name, "%s", name);
}

/** Whether the BLAS has the narrower kernels.  To find out takes them for a moment, which is longer than a small step, so
 * it is done once. */
static bool has_narrower(const char *own) {
  static bool asked, has;
  if (!asked) has = tutti_blas_take_kernels(narrower) && tutti_blas_take_kernels(own);
  asked = true;
  return has;
}

/** The loops that are worth a try. */
static void list_loops(tutti_product_time *loops) {
  char own[TUTTI_MACHINE_KERNELS_NAME];
  add_loops(loops, TUTTI_OWN_LOOPS);
  add_loops(loops, own_kernels(own));
  if (strcmp(own, narrower) == 0 || !tutti_products_allow(narrower)) return;
  if (has_narrower(own)) add_loops(loops, narrower);
}

tutti_product_time tutti_products_like(const tutti_products_chooser *chooser,
                                       const tutti_products_layer *layer, tutti_matmul product, int row_class,
                                       int n_threads) {
  tutti_product_time like = chooser->loops;
  like.shape = (tutti_product_shape){product, 1 << row_class, layer->n_in, layer->n_out, n_threads};
  return like;
}

// --- what is measured ----------------------------------------------------------------------------------------------

static bool is_measured(const tutti_products_layer *layer, int row_class) {
  const int rows = 1 << row_class;
  const double work = 2.0 * rows * layer->n_in * layer->n_out;
  return tutti_product_arrays_floats(rows, layer->n_in, layer->n_out) <= MOST_FLOATS &&
         (rows <= TUTTI_PRODUCTS_MANY_ROWS || work <= MOST_WORK);
}

static int last_class(const tutti_products_wanted *wanted, const tutti_products_layer *layer) {
  int last = -1;
  while (last < tutti_matmul_row_class(wanted->most_rows) && is_measured(layer, last + 1)) last++;
  return last;
}

static void remember(const tutti_product_times *times) {
  const int64_t most = sizeof remembered.list / sizeof remembered.list[0];
  for (int64_t i = 0; i < times->n; i++) {
    const tutti_product_times all = {.list = remembered.list, .n = remembered.n};
    if (tutti_product_times_find(&all, &times->list[i])) continue;
    remembered.list[remembered.next] = times->list[i];
    remembered.next = (remembered.next + 1) % most;
    if (remembered.n < most) remembered.n++;
  }
}

/** A time that was measured before; NULL: none. */
static const tutti_product_time *recall(learner *l, const tutti_product_time *like, tutti_status *status) {
  const tutti_product_times all = {.list = remembered.list, .n = remembered.n};
  const tutti_product_time *time = tutti_product_times_find(&all, like);
  if (time) return time;
  if (!l->has_read && l->path[0]) *status = tutti_product_cache_read(l->path, &l->cached);
  l->has_read = true;
  return tutti_product_times_find(&l->cached, like);
}

static tutti_status measure(learner *l, int most_rows, tutti_product_time *time) {
  if (!l->arrays)
    TUTTI_TRY(tutti_product_arrays_create(most_rows, l->layer->n_in, l->layer->n_out, &l->arrays));
  tutti_product_measure(l->arrays, time);
  return tutti_product_times_add(&l->measured, time);
}

/** @param[in,out] time  its shape and loops; on return their times */
static tutti_status know(learner *l, int most_rows, tutti_product_time *time) {
  tutti_status status = TUTTI_OK;
  const tutti_product_time *before = recall(l, time, &status);
  TUTTI_TRY(status);
  if (before)
    *time = *before;
  else
    TUTTI_TRY(measure(l, most_rows, time));
  return tutti_product_times_add(&l->c->known, time);
}

/** Each number of threads until fewer are slower. */
static tutti_status learn_product(learner *l, tutti_matmul product, int row_class, int last) {
  double least = 0;
  for (int n = l->c->n_threads; n >= 1; n /= 2) {
    tutti_product_time time = tutti_products_like(l->c, l->layer, product, row_class, n);
    TUTTI_TRY(know(l, 1 << last, &time));
    const double ns = tutti_product_time_least(&time);
    if (least > 0 && ns > TUTTI_PRODUCTS_WORTH_THREADS * least) return TUTTI_OK;
    if (least == 0 || ns < least) least = ns;
  }
  return TUTTI_OK;
}

static tutti_status learn_layer(learner *l, int last) {
  tutti_status status = TUTTI_OK;
  for (int row_class = 0; row_class <= last && status == TUTTI_OK; row_class++)
    for (int product = 0; product < TUTTI_N_MATMULS && status == TUTTI_OK; product++)
      if (l->layer->n[product] > 0) status = learn_product(l, (tutti_matmul)product, row_class, last);
  tutti_product_arrays_destroy(&l->arrays);
  return status;
}

/** Other programs may have measured the same meanwhile; then their times count. */
static tutti_status keep(learner *l) {
  if (l->measured.n == 0) return TUTTI_OK;
  if (l->path[0]) TUTTI_TRY(tutti_product_cache_write(l->path, &l->measured));
  for (int64_t i = 0; i < l->c->known.n; i++) {
    tutti_product_time *time = &l->c->known.list[i];
    const tutti_product_time *kept = tutti_product_times_find(&l->measured, time);
    if (kept) *time = *kept;
  }
  return TUTTI_OK;
}

/** A layer for which there is no memory is not measured. */
static tutti_status learn_all(learner *l) {
  const tutti_products_wanted *wanted = l->c->wanted;
  for (int i = 0; i < wanted->n_layers; i++) {
    l->layer = &wanted->layers[i];
    l->c->last[i] = last_class(wanted, l->layer);
    const tutti_status status = learn_layer(l, l->c->last[i]);
    if (status == TUTTI_ERR_MEMORY)
      l->c->last[i] = -1;
    else
      TUTTI_TRY(status);
  }
  return keep(l);
}

tutti_status tutti_products_learn(const tutti_products_wanted *wanted, tutti_products_chooser *chooser) {
  *chooser = (tutti_products_chooser){.wanted = wanted, .n_threads = tutti_linalg_threads()};
  TUTTI_TRY(TUTTI_NEW(chooser->last, wanted->n_layers));
  list_loops(&chooser->loops);
  learner l = {.c = chooser};
  if (!tutti_product_cache_path(l.path, sizeof l.path)) l.path[0] = '\0';
  const tutti_status status = learn_all(&l);
  if (status == TUTTI_OK) remember(&chooser->known);
  tutti_product_times_clear(&l.cached);
  tutti_product_times_clear(&l.measured);
  return status;
}

void tutti_products_forget(tutti_products_chooser *chooser) {
  tutti_free(chooser->last);
  tutti_product_times_clear(&chooser->known);
}
