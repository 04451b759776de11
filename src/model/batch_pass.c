/** Helpers of the layers in a pass of a micro-batch: the rows of each leaf, the place of a leaf's gradient, and sums
 * with more digits than float has.  All layers call them; the passes themselves are in model.c. */
#include "base/clones.h"
#include "model/model_impl.h"

int tutti_layer_n_leaves(const tutti_batch_pass *batch) {
  return batch->pass->leaves ? batch->pass->leaves->count : 1;
}

/** The rows of leaf i begin where those of leaf i - 1 end. */
tutti_leaf_rows tutti_layer_leaf_rows(const tutti_batch_pass *batch, int i) {
  const tutti_model_leaves *leaves = batch->pass->leaves;
  if (!leaves) return (tutti_leaf_rows){.rows = batch->rows};
  const int from = i ? (int)leaves->ends[i - 1] : 0;
  return (tutti_leaf_rows){.index = leaves->first + i, .from = from, .rows = (int)leaves->ends[i] - from};
}

/** Without leaves, gradients go to the one buffer of the pass. */
float *tutti_layer_gradient(const tutti_batch_pass *batch, const tutti_leaf_rows *leaf, int64_t begin,
                            int64_t n) {
  const tutti_model_leaves *leaves = batch->pass->leaves;
  return leaves ? leaves->gradient(leaves->context, leaf->index, begin, n) : batch->grads + begin;
}

void tutti_layer_gradient_done(const tutti_batch_pass *batch, const tutti_leaf_rows *leaf, int64_t begin,
                               int64_t n) {
  const tutti_model_leaves *leaves = batch->pass->leaves;
  if (leaves) leaves->done(leaves->context, leaf->index, begin, n);
}

/** One number per leaf, so that the sums do not depend on the ranks. */
void tutti_layer_add_squares(const tutti_batch_pass *batch, const double *squares) {
  for (int i = 0; i < tutti_layer_n_leaves(batch); i++) {
    const tutti_leaf_rows leaf = tutti_layer_leaf_rows(batch, i);
    double sum = 0;
    for (int row = leaf.from; row < leaf.from + leaf.rows; row++) sum += squares[row];
    batch->pass->squares[i] += sum;
  }
}

// --- sums ------------------------------------------------------------------------------------------------

/** A sum continues if the gradient is what it was rounded to; else it begins with the gradient. */
double *tutti_layer_sums(const tutti_layer *layer, const tutti_batch_pass *batch, const float *grads, int n) {
  double *sums = layer->sums;
  for (int j = 0; j < n; j++) {
    if (!batch->pass->accumulate)
      sums[j] = 0;
    else if ((float)sums[j] != grads[j])
      sums[j] = grads[j];
  }
  return sums;
}

void tutti_layer_round(const tutti_layer *layer, int n, float *grads) {
  for (int j = 0; j < n; j++) grads[j] = (float)layer->sums[j];
}

/** Rows of x and dy are as long as the outputs of the layer, which has as many inputs; or x is NULL. */
void tutti_layer_vector_gradients(const tutti_layer *layer, const tutti_batch_pass *batch, const float *x,
                                  const float *dy, int64_t begin, int count, tutti_layer_add_rows add_rows) {
  for (int i = 0; i < tutti_layer_n_leaves(batch); i++) {
    const tutti_leaf_rows leaf = tutti_layer_leaf_rows(batch, i);
    const int64_t first = (int64_t)leaf.from * layer->n_out;
    float *grads = tutti_layer_gradient(batch, &leaf, begin, count);
    double *sums = tutti_layer_sums(layer, batch, grads, count);
    add_rows(x ? x + first : NULL, dy + first, leaf.rows, layer->n_out, sums);
    tutti_layer_round(layer, count, grads);
    tutti_layer_gradient_done(batch, &leaf, begin, count);
  }
}

TUTTI_CLONES void tutti_layer_add(const float *restrict x, int64_t n, float *restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] += x[i];
}
