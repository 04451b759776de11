/** A dense layer, y = activation(x W + b).  The gradients are dW = x' dz and db = sum of dz over the rows, dx = dz
 * W'.  dW is made in parts if the caller wants them, and over many samples it is summed in chains, so that
 * float loses no digits. */
#include <string.h>

#include "base/clock.h"
#include "linalg/activation.h"
#include "linalg/matmul.h"
#include "linalg/reduce.h"
#include "linalg/squares.h"
#include "model/model_impl.h"

enum { PART_ROWS = 256 }; // of a kernel: fewer are not asked for at once

/** Work memory for leaves of more than TUTTI_CHAIN_ROWS samples. */
typedef struct {
  double *links; // [n_in * n_out] owned; sum of the chains of a leaf that are over; or NULL
  float *chain;  // [n_in * n_out] owned; the chain that is under way; or NULL
} chains;

/** The inputs of the activation are kept only for functions whose derivative needs them. */
static tutti_status setup(tutti_model *model, tutti_layer *layer) {
  TUTTI_TRY(tutti_to_int(layer->spec.units, "units of a dense layer", &layer->n_out));
  const tutti_array kernel = {
      .view = {.name = "kernel", .rows = layer->n_in, .cols = layer->n_out, .trainable = true},
      .random = true,
      .initializer = layer->spec.has_initializer ? layer->spec.initializer : model->initializer};
  TUTTI_TRY(tutti_layer_add_array(model, layer, kernel));
  if (layer->spec.bias) TUTTI_TRY(tutti_layer_add_vector(model, layer, "bias", true, 0));
  layer->keeps_values = tutti_activation_needs_input(tutti_layer_activation(layer));
  return TUTTI_OK;
}

/** The bias lies behind the kernel. */
static int64_t bias_offset(const tutti_layer *layer) {
  return layer->offset + (int64_t)layer->n_in * layer->n_out;
}

static double begin_product(const tutti_model *model) {
  return model->product_times ? tutti_clock_s() : 0;
}

static void end_product(const tutti_model *model, double begin) {
  if (!model->product_times) return;
  model->product_times->seconds += tutti_clock_s() - begin;
  model->product_times->n++;
}

static tutti_status forward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x) {
  const float *kernel = tutti_layer_weights(batch->model, layer, batch->params);
  const float *bias = layer->spec.bias ? kernel + (int64_t)layer->n_in * layer->n_out : NULL;
  float *z = layer->kept ? layer->kept : layer->y;
  const double begin = begin_product(batch->model);
  tutti_matmul_forward(batch->model->products, x, kernel, bias, batch->rows, layer->n_in, layer->n_out, z);
  end_product(batch->model, begin);
  tutti_activation_forward(tutti_layer_activation(layer), z, batch->rows, layer->n_out, layer->y);
  return TUTTI_OK;
}

/** Weights of inputs [first, first + count): their gradient for a leaf of a micro-batch. */
typedef struct {
  const float *x, *dy; // of the leaf
  int first, count;
  float *grads;
} kernel_part;

/** sums (+)= x' dy over rows [from, from + rows) of the leaf, for the inputs of `k`. */
static void add_product(const tutti_layer *layer, const tutti_batch_pass *batch, const kernel_part *k,
                        int from, int rows, bool accumulate, float *sums) {
  const double begin = begin_product(batch->model);
  tutti_matmul_weight_gradient_part(batch->model->products, k->x + (int64_t)from * layer->n_in + k->first,
                                    layer->n_in, k->dy + (int64_t)from * layer->n_out, rows, k->count,
                                    layer->n_out, accumulate, sums);
  end_product(batch->model, begin);
}

/** The sum over a leaf of many samples: chains of TUTTI_CHAIN_ROWS samples, independent of the cut into
 * micro-batches, are added in double.  One chain of float over 2^24 like samples would be wrong by 10 %.  The first
 * chain grows in the gradient itself, so that a leaf of one chain costs nothing. */
static void add_chains(const tutti_layer *layer, const tutti_batch_pass *batch, const kernel_part *k,
                       int rows) {
  const tutti_model_pass *pass = batch->pass;
  const int64_t offset = (int64_t)k->first * layer->n_out, n = (int64_t)k->count * layer->n_out;
  const chains *own = layer->own;
  double *links = own->links + offset;
  float *chain = own->chain + offset;
  int64_t at = pass->accumulate ? batch->model->leaf_rows : 0; // samples of the leaf
  for (int from = 0, now; from < rows; from += now, at += now) {
    const int64_t in_chain = at % TUTTI_CHAIN_ROWS, room = TUTTI_CHAIN_ROWS - in_chain;
    now = rows - from < room ? rows - from : (int)room;
    if (at == TUTTI_CHAIN_ROWS) memset(links, 0, (size_t)n * sizeof *links);
    if (at > 0 && in_chain == 0)
      tutti_linalg_column_sums(at == TUTTI_CHAIN_ROWS ? k->grads : chain, 1, n, links);
    const bool is_first = at < TUTTI_CHAIN_ROWS;
    add_product(layer, batch, k, from, now, in_chain > 0 || (is_first && pass->accumulate),
                is_first ? k->grads : chain);
  }
  if (at > TUTTI_CHAIN_ROWS && !pass->goes_on) tutti_linalg_round_sums(links, chain, n, k->grads);
}

/** Gradients of the weights of inputs [first, first + count), leaf by leaf. */
static void kernel_gradient(const tutti_layer *layer, const tutti_batch_pass *batch, const float *x,
                            const float *dy, int first, int count) {
  const int n_in = layer->n_in, n_out = layer->n_out;
  const int64_t begin = layer->offset + (int64_t)first * n_out, n = (int64_t)count * n_out;
  const chains *own = layer->own;
  for (int i = 0; i < tutti_layer_n_leaves(batch); i++) {
    const tutti_leaf_rows leaf = tutti_layer_leaf_rows(batch, i);
    const kernel_part k = {.x = x + (int64_t)leaf.from * n_in,
                           .dy = dy + (int64_t)leaf.from * n_out,
                           .first = first,
                           .count = count,
                           .grads = tutti_layer_gradient(batch, &leaf, begin, n)};
    if (own->links && (leaf.rows > 0 || batch->pass->accumulate))
      add_chains(layer, batch, &k, leaf.rows);
    else
      add_product(layer, batch, &k, 0, leaf.rows, batch->pass->accumulate, k.grads);
    tutti_layer_gradient_done(batch, &leaf, begin, n);
  }
}

/** In parts of almost equal size, so that the reducer finds a part in the cache when it adds it up, or sends it while the
 * next one is computed; the last part first, because backward goes from the end of the flat buffer to its begin.  Each
 * part's product reads and packs all of dy, [rows, n_out], which hardly counts beside the products with PART_ROWS rows of
 * the kernel. */
static void kernel_gradients(const tutti_layer *layer, const tutti_batch_pass *batch, const float *x,
                             const float *dy) {
  const int64_t n = (int64_t)layer->n_in * layer->n_out,
                part = batch->pass->leaves ? batch->pass->leaves->part : 0;
  int64_t n_parts = part > 0 ? n / part : 1;
  if (n_parts > layer->n_in / PART_ROWS) n_parts = layer->n_in / PART_ROWS;
  if (n_parts < 1) n_parts = 1;
  for (int64_t i = n_parts - 1; i >= 0; i--) {
    const int first = (int)(layer->n_in * i / n_parts), end = (int)(layer->n_in * (i + 1) / n_parts);
    kernel_gradient(layer, batch, x, dy, first, end - first);
  }
}

/** db = sum of dz over the rows. */
static void add_bias_rows(const float *unused, const float *dz, int64_t rows, int64_t n, double *sums) {
  (void)unused;
  tutti_linalg_column_sums(dz, rows, n, sums);
}

/** Squared norms of the gradients of rows: the gradient of a row is the outer product of (x, 1) and dy. */
static void add_row_squares(const tutti_layer *layer, const tutti_batch_pass *batch, const float *x,
                            const float *dy) {
  double *squares = batch->model->row_squares[0], *inputs = batch->model->row_squares[1];
  tutti_linalg_row_squares(dy, batch->rows, layer->n_out, squares);
  tutti_linalg_row_squares(x, batch->rows, layer->n_in, inputs);
  for (int i = 0; i < batch->rows; i++) squares[i] *= inputs[i] + (layer->spec.bias ? 1 : 0);
  tutti_layer_add_squares(batch, squares);
}

static tutti_status backward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x, float *dy,
                             float *dx) {
  const int rows = batch->rows, n_in = layer->n_in, n_out = layer->n_out;
  tutti_activation_backward(tutti_layer_activation(layer), layer->kept, layer->y, dy, rows, n_out, dy);
  if (batch->pass->squares && !layer->spec.frozen) add_row_squares(layer, batch, x, dy);
  if (dx) {
    const double begin = begin_product(batch->model);
    tutti_matmul_input_gradient(batch->model->products, dy,
                                tutti_layer_weights(batch->model, layer, batch->params), rows, n_in, n_out,
                                dx);
    end_product(batch->model, begin);
  }
  if (layer->spec.frozen) return TUTTI_OK;
  if (layer->spec.bias)
    tutti_layer_vector_gradients(layer, batch, NULL, dy, bias_offset(layer), n_out, add_bias_rows);
  kernel_gradients(layer, batch, x, dy);
  return TUTTI_OK;
}

/** Memory for chains, if a leaf has more than one. */
static tutti_status reserve(tutti_layer *layer, int64_t batch_count, int n_leaves, int64_t leaf_rows) {
  (void)batch_count, (void)n_leaves;
  chains *own = layer->own;
  if (leaf_rows <= TUTTI_CHAIN_ROWS || layer->spec.frozen || own->links) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(own->links, (int64_t)layer->n_in * layer->n_out));
  return TUTTI_NEW(own->chain, (int64_t)layer->n_in * layer->n_out);
}

static void release(void *own) {
  tutti_free(((chains *)own)->links);
  tutti_free(((chains *)own)->chain);
}

// --- with derivatives along a direction ------------------------------------------------------------------------

/** tz = tx W + x V + v_b. */
static void tangent_forward(const tutti_tangent_pass *pass) {
  const tutti_layer *layer = pass->layer;
  const int rows = pass->rows, n_in = layer->n_in, n_out = layer->n_out;
  tutti_tangent *tangent = pass->tangent;
  const float *bias = layer->spec.bias ? pass->v + (int64_t)n_in * n_out : NULL;
  tutti_matmul_forward(pass->products, pass->x, pass->v, bias, rows, n_in, n_out, tangent->tz);
  if (pass->tx) {
    tutti_matmul_forward(pass->products, pass->tx, pass->params, NULL, rows, n_in, n_out, pass->spare);
    tutti_layer_add(pass->spare, (int64_t)rows * n_out, tangent->tz);
  }
  if (tangent->tz != tangent->ty)
    tutti_activation_backward(tutti_layer_activation(layer), layer->kept, layer->y, tangent->tz, rows, n_out,
                              tangent->ty);
}

/** `last` is the derivative of dz, or dz itself without a direction. */
static void tangent_bias_gradient(const tutti_tangent_pass *pass, const float *last, float *grads) {
  const int n = pass->layer->n_out;
  double *sums = tutti_model_tangent_sums(pass, n);
  tutti_linalg_column_sums(last, pass->rows, n, sums);
  tutti_layer_round(pass->layer, n, grads);
}

/** dW = x' dz and dx = dz W' have the derivatives tx' dz + x' tdz and tdz W' + dz V'. */
static void tangent_backward(const tutti_tangent_pass *pass) {
  const tutti_layer *layer = pass->layer;
  const int rows = pass->rows, n_in = layer->n_in, n_out = layer->n_out;
  tutti_model_tangent_activation(pass, layer->kept, pass->tangent->tz);
  const float *last = pass->tdy ? pass->tdy : pass->dy;
  tutti_matmul_weight_gradient(pass->products, pass->x, last, rows, n_in, n_out, false, pass->grads);
  if (pass->tdy && pass->tx)
    tutti_matmul_weight_gradient(pass->products, pass->tx, pass->dy, rows, n_in, n_out, true, pass->grads);
  if (layer->spec.bias) tangent_bias_gradient(pass, last, pass->grads + (int64_t)n_in * n_out);
  if (!pass->dx) return;
  tutti_matmul_input_gradient(pass->products, pass->dy, pass->params, rows, n_in, n_out, pass->dx);
  if (!pass->tdx) return;
  tutti_matmul_input_gradient(pass->products, pass->tdy, pass->params, rows, n_in, n_out, pass->tdx);
  tutti_matmul_input_gradient(pass->products, pass->dy, pass->v, rows, n_in, n_out, pass->spare);
  tutti_layer_add(pass->spare, (int64_t)rows * n_in, pass->tdx);
}

const tutti_layer_ops tutti_layer_dense_ops = {
    .type = "Dense",
    .name = "dense",
    .example = "dense 4 bias=no",
    .fields = {{NULL, "UNITS", TUTTI_WORD_COUNT, true, TUTTI_AT(units), 1, INT32_MAX,
                "an integer from 1 to 2147483647"},
               {NULL, "ACTIVATION", TUTTI_WORD_ACTIVATION, false, TUTTI_AT(activation), 0, 0, ""},
               {"bias", "bias", TUTTI_WORD_FLAG, false, TUTTI_AT(bias), 0, 0, "yes or no"},
               {"initializer", "initializer", TUTTI_WORD_INITIALIZER, false, TUTTI_AT(initializer), 0, 0, ""},
               {"l1", "l1", TUTTI_WORD_REAL, false, TUTTI_AT(l1), 0, TUTTI_ANY, "a number >= 0"},
               {"l2", "l2", TUTTI_WORD_REAL, false, TUTTI_AT(l2), 0, TUTTI_ANY, "a number >= 0"},
               TUTTI_FIELD_TRAINABLE},
    .usual = {.bias = true},
    .has_activation = true,
    .own_bytes = sizeof(chains),
    .release = release,
    .setup = setup,
    .reserve = reserve,
    .forward = forward,
    .backward = backward,
    .tangent_forward = tangent_forward,
    .tangent_backward = tangent_backward,
};
