/** The matrix products of a step alone, by the BLAS: what the step is compared with.
 *
 * A dense layer has the products z = x w + b forward, dx = dz w^T and dw = x^T dz backward.  The outputs z stand for
 * the gradients dz too, since the time does not depend on the numbers.  Called by steps.c and bench_step. */
#include "bench/products_impl.h"

#include <math.h>

#include <string.h>

#include "base/random.h"
#include "linalg/matmul.h"

typedef struct {
  int n_in, n_out;
  bool has_bias, trains, passes_on; // passes_on: a gradient of its input is needed
  float *x;                         // [max_rows, n_in] input
  float *w, *dw;                    // [n_in, n_out]
  float *bias;                      // [n_out]
  float *z;                         // [max_rows, n_out] output, also used as its gradient
} product_layer;

struct tutti_bench_products {
  tutti_matmul_by by;
  product_layer *layers; // [n_layers]
  int n_layers;
  float *dx; // [max_rows, widest input]
};

/** Make numbers in [-1/2, 1/2), so that no sum of products becomes huge or tiny. */
static tutti_status make_numbers(int64_t n, uint32_t part, float **numbers) {
  TUTTI_TRY(TUTTI_NEW(*numbers, n));
  const tutti_stream stream = {.kind = TUTTI_STREAM_WEIGHTS, .part = part};
  for (int64_t i = 0; i < n; i += 4) {
    uint32_t words[4];
    tutti_random_words(stream, (uint64_t)i, words);
    for (int k = 0; k < 4 && i + k < n; k++)
      (*numbers)[i + k] = (float)(tutti_random_uniform(words[k]) - 0.5);
  }
  return TUTTI_OK;
}

/** Give one dense layer its numbers.  A bias follows its kernel in the list of arrays. */
static tutti_status make_layer(const tutti_model *model, int array, int64_t max_rows, product_layer *layer) {
  const tutti_model_array *kernel = tutti_model_array_at(model, array);
  const int64_t n_in = kernel->rows, n_out = kernel->cols;
  TUTTI_TRY(tutti_to_int(n_in, "inputs of a dense layer", &layer->n_in));
  TUTTI_TRY(tutti_to_int(n_out, "units of a dense layer", &layer->n_out));
  layer->trains = kernel->trainable;
  layer->passes_on = tutti_model_passes_on(model, kernel);
  const tutti_model_array *next =
      array + 1 < tutti_model_n_arrays(model) ? tutti_model_array_at(model, array + 1) : NULL;
  layer->has_bias = next && strcmp(next->name, "bias") == 0 && strcmp(next->layer, kernel->layer) == 0;
  const uint32_t part = (uint32_t)array * 4;
  TUTTI_TRY(make_numbers(max_rows * n_in, part, &layer->x));
  TUTTI_TRY(make_numbers(n_in * n_out, part + 1, &layer->w));
  TUTTI_TRY(make_numbers(n_out, part + 2, &layer->bias));
  TUTTI_TRY(TUTTI_NEW(layer->dw, n_in * n_out));
  return TUTTI_NEW(layer->z, max_rows * n_out);
}

static tutti_status make_layers(const tutti_model *model, int max_rows, tutti_bench_products *products) {
  int widest = 1;
  TUTTI_TRY(TUTTI_NEW(products->layers, tutti_model_n_arrays(model)));
  for (int i = 0; tutti_model_next_kernel(model, &i);) {
    product_layer *layer = &products->layers[products->n_layers++];
    TUTTI_TRY(make_layer(model, i - 1, max_rows, layer));
    if (layer->n_in > widest) widest = layer->n_in;
  }
  return TUTTI_NEW(products->dx, (int64_t)max_rows * widest);
}

tutti_status tutti_bench_products_create(const tutti_model *model, int max_rows,
                                         tutti_bench_products **products) {
  *products = NULL;
  TUTTI_TRY(TUTTI_NEW(*products, 1));
  (*products)->by = tutti_model_products(model);
  const tutti_status status = make_layers(model, max_rows, *products);
  if (status != TUTTI_OK) tutti_bench_products_destroy(products);
  return status;
}

void tutti_bench_products_destroy(tutti_bench_products **products) {
  if (!*products) return;
  for (int i = 0; i < (*products)->n_layers; i++) {
    const product_layer *layer = &(*products)->layers[i];
    float *const owned[] = {layer->x, layer->w, layer->dw, layer->bias, layer->z};
    for (int k = 0; k < 5; k++) tutti_free(owned[k]);
  }
  tutti_free((*products)->layers);
  tutti_free((*products)->dx);
  tutti_free(*products);
  *products = NULL;
}

static void weight_gradient(const product_layer *l, tutti_matmul_by by, int64_t from, int64_t to,
                            bool accumulate) {
  const float *x = l->x + from * l->n_in, *dz = l->z + from * l->n_out;
  tutti_matmul_weight_gradient(by, x, dz, (int)(to - from), l->n_in, l->n_out, accumulate, l->dw);
}

/** Forward and backward have the order of a training, so that the caches see the same arrays at the same times. */
void tutti_bench_products_pass(tutti_bench_products *products, const tutti_probe_micro_batch *pass,
                               bool by_blas) {
  const tutti_matmul_by by = by_blas ? (tutti_matmul_by){.order = TUTTI_SUM_BY_BLAS} : products->by;
  const int rows = pass->rows;
  for (int i = 0; i < products->n_layers; i++) {
    const product_layer *l = &products->layers[i];
    const float *bias = l->has_bias ? l->bias : NULL;
    tutti_matmul_forward(by, l->x, l->w, bias, rows, l->n_in, l->n_out, l->z);
  }
  for (int i = products->n_layers - 1; i >= 0; i--) {
    const product_layer *l = &products->layers[i];
    if (l->passes_on) tutti_matmul_input_gradient(by, l->z, l->w, rows, l->n_in, l->n_out, products->dx);
    for (int k = 0; l->trains && k < pass->n_leaves; k++)
      weight_gradient(l, by, k ? pass->leaf_ends[k - 1] : 0, pass->leaf_ends[k], pass->accumulate);
  }
}

double tutti_bench_products_sum(const tutti_bench_products *products, int64_t rows) {
  double sum = 0;
  for (int i = 0; i < products->n_layers; i++) {
    const product_layer *l = &products->layers[i];
    for (int64_t k = 0; k < rows * l->n_out; k++) sum += fabsf(l->z[k]);
    for (int64_t k = 0; l->trains && k < (int64_t)l->n_in * l->n_out; k++) sum += fabsf(l->dw[k]);
  }
  return sum;
}

double tutti_bench_products_flops(const tutti_bench_products *products, int64_t rows) {
  double flops = 0;
  for (int i = 0; i < products->n_layers; i++) {
    const product_layer *l = &products->layers[i];
    flops += (2.0 + 2 * l->passes_on + 2 * l->trains) * (double)rows * l->n_in * l->n_out;
  }
  return flops;
}

void tutti_bench_products_traffic(const tutti_bench_products *products, const tutti_probe_micro_batch *pass,
                                  tutti_bench_traffic *traffic) {
  const double rows = pass->rows, n_leaves = pass->n_leaves;
  double moved = 0, arrays = 0; // floats
  for (int i = 0; i < products->n_layers; i++) {
    const product_layer *l = &products->layers[i];
    const double kernel = (double)l->n_in * l->n_out, ends = rows * ((double)l->n_in + l->n_out);
    moved += ends + kernel;
    if (l->passes_on) moved += ends + kernel;
    if (l->trains) moved += ends + kernel * (n_leaves + pass->accumulate);
    arrays += ends + kernel * (1 + l->trains * n_leaves);
  }
  traffic->bytes += moved * sizeof(float);
  traffic->working_set = fmax(traffic->working_set, arrays * sizeof(float));
}
