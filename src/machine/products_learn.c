/** Learns how long the products of a network take on this machine.  Rank 0 calls it.
 *
 * A layer is learned in passes.  Each one asks for all that a choice depends on, and measures what nobody knows.  What it
 * has measured goes into the cache, and the next pass asks the cache again: another program may have measured the same
 * meanwhile, its times then count, and they may make the choice ask for more.  The last pass measures nothing, so this
 * program and all later ones choose by the same times. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "machine/products_impl.h"

/** Arrays for a measurement take at most 256 MB. */
static const double MOST_FLOATS = 1 << 26;

/** Operations of a product that is measured: some milliseconds.  Up to TUTTI_PRODUCTS_MANY_ROWS all are measured. */
static const double MOST_WORK = 1e9;

/** Whoever waits for longer is told why. */
static const double LONG_S = 0.5;

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
  double began_s; // to measure; 0: not yet
} learner;

/** A product of a layer, with the rows of a class. */
typedef struct {
  learner *l;
  tutti_matmul product;
  int row_class, last;
  tutti_status status;
} question;

tutti_product_time tutti_products_like(const tutti_products_chooser *chooser,
                                       const tutti_products_layer *layer, tutti_matmul product, int row_class,
                                       int n_threads) {
  tutti_product_time like = chooser->loops;
  like.shape = (tutti_product_shape){product, 1 << row_class, layer->n_in, layer->n_out, n_threads};
  return like;
}

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

// --- a time --------------------------------------------------------------------------------------------------------

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
  time = tutti_product_times_find(&l->cached, like);
  return time ? time : tutti_product_times_find(&l->measured, like);
}

static void tell_if_long(learner *l) {
  const double now = tutti_clock_s();
  if (l->began_s == 0) l->began_s = now;
  if (now - l->began_s > LONG_S)
    tutti_log_once(TUTTI_LOG_INFO,
                   "measures who computes matrix products fastest, once for each shape on this "
                   "machine; for wide layers that takes some seconds");
}

static tutti_status measure(learner *l, int most_rows, tutti_product_time *time) {
  if (!l->arrays)
    TUTTI_TRY(tutti_product_arrays_create(most_rows, l->layer->n_in, l->layer->n_out, &l->arrays));
  tell_if_long(l);
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

static const tutti_product_time *time_of(void *context, int n_threads) {
  question *q = context;
  const tutti_product_times *known = &q->l->c->known;
  tutti_product_time time = tutti_products_like(q->l->c, q->l->layer, q->product, q->row_class, n_threads);
  const tutti_product_time *found = tutti_product_times_find(known, &time);
  if (found) return found;
  q->status = know(q->l, 1 << q->last, &time);
  return q->status == TUTTI_OK ? &known->list[known->n - 1] : NULL;
}

// --- a layer -------------------------------------------------------------------------------------------------------

/** Ask for all that the choice depends on, whichever kernels the BLAS will have. */
static tutti_status learn_product(learner *l, tutti_matmul product, int row_class, int last) {
  question q = {l, product, row_class, last, TUTTI_OK};
  for (int i = 0; i < l->c->loops.n && q.status == TUTTI_OK; i++) {
    tutti_matmul_choice unused;
    const char *kernels = l->c->loops.by[i].name;
    if (l->c->wanted->by == TUTTI_SUM_ANY && strcmp(kernels, TUTTI_OWN_LOOPS) == 0) continue;
    (void)tutti_products_fastest(
        &(tutti_products_question){l->c->wanted->by, kernels, l->c->n_threads, time_of, &q}, &unused);
  }
  return q.status;
}

static tutti_status learn_all_products(learner *l, int last) {
  tutti_status status = TUTTI_OK;
  for (int row_class = 0; row_class <= last && status == TUTTI_OK; row_class++)
    for (int product = 0; product < TUTTI_N_MATMULS && status == TUTTI_OK; product++)
      if (l->layer->n[product] > 0) status = learn_product(l, (tutti_matmul)product, row_class, last);
  return status;
}

/** A job that is killed later has measured this layer. */
static tutti_status keep(learner *l) {
  if (!l->path[0]) {
    tutti_log_once(
        TUTTI_LOG_INFO,
        "neither XDG_CACHE_HOME nor HOME names a folder, so it is not kept how long matrix products "
        "take: the next training measures again, and may choose otherwise.  Set one of them");
    return TUTTI_OK;
  }
  TUTTI_TRY(tutti_product_cache_write(l->path, &l->measured));
  tutti_product_times_clear(&l->cached);
  l->has_read = false;
  return TUTTI_OK;
}

static tutti_status learn_layer(learner *l, int last) {
  tutti_status status = TUTTI_OK;
  const int64_t n_known = l->c->known.n;
  for (int64_t n_before = -1; status == TUTTI_OK && l->measured.n > n_before;) {
    n_before = l->measured.n;
    l->c->known.n = n_known;
    status = learn_all_products(l, last);
    if (status == TUTTI_OK && l->measured.n > n_before) status = keep(l);
  }
  tutti_product_arrays_destroy(&l->arrays);
  return status;
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
  return TUTTI_OK;
}

tutti_status tutti_products_learn(const tutti_products_wanted *wanted, tutti_products_chooser *chooser) {
  *chooser = (tutti_products_chooser){.wanted = wanted, .n_threads = tutti_linalg_threads()};
  TUTTI_TRY(TUTTI_NEW(chooser->last, wanted->n_layers));
  tutti_products_list_loops(wanted->by, &chooser->loops);
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
