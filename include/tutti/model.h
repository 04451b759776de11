#pragma once
/** A dense network: layers on one flat parameter buffer and one flat gradient buffer, with forward pass, loss and
 * backward pass.  The code does not use MPI.  If batch normalisation needs sums over ranks, the caller passes a
 * function that computes them.  A function that calls it is then collective; all other functions are local.
 *
 * Samples are rows: x[rows, n_in] is row-major, kernels are [n_in, n_out] as in Keras, and z = x W + b. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/linalg.h"

// --- layers ---------------------------------------------------------------------------------------------

typedef enum {
#define X(code, word, sentence) TUTTI_LAYER_##code,
#include "tutti/layers.def"
  TUTTI_N_LAYER_KINDS
} tutti_layer_kind;

extern const char *const tutti_layer_kind_names[TUTTI_N_LAYER_KINDS];
extern const char *const tutti_layer_sentences[TUTTI_N_LAYER_KINDS]; // one for each kind, with its paper

/** The initializers of Keras, with the scales and the truncation that Keras uses: X(code, name in a config). */
#define TUTTI_INITIALIZER_LIST(X)                                                                            \
  X(INIT_GLOROT_UNIFORM, "glorot_uniform")                                                                   \
  X(INIT_GLOROT_NORMAL, "glorot_normal")                                                                     \
  X(INIT_HE_UNIFORM, "he_uniform")                                                                           \
  X(INIT_HE_NORMAL, "he_normal")                                                                             \
  X(INIT_LECUN_UNIFORM, "lecun_uniform")                                                                     \
  X(INIT_LECUN_NORMAL, "lecun_normal")

typedef enum {
#define X(code, name) TUTTI_##code,
  TUTTI_INITIALIZER_LIST(X)
#undef X
      TUTTI_N_INITIALIZERS
} tutti_initializer;

extern const char *const tutti_model_initializer_names[TUTTI_N_INITIALIZERS];

/** One layer, as the words of a config describe it.  Members that its kind does not use are 0. */
typedef struct {
  tutti_layer_kind kind;
  int64_t units;                 // dense
  tutti_activation activation;   // dense, activation
  bool bias;                     // dense
  bool has_initializer;          // dense; false: the initializer of the model is used
  tutti_initializer initializer; // dense
  double l1, l2;                 // dense: penalty l1 sum|w| + l2 sum w^2 on the kernel
  double rate;                   // the dropouts
  double stddev;                 // gaussian_noise
  int64_t ghost;                 // batch_norm: samples of a group, 0 = the global batch
  double momentum, epsilon;      // batch_norm
  bool frozen; // kinds with weights: the weights do not change, and batch_norm uses its moving statistics
} tutti_layer_spec;

/** Local.  Read the words of one layer, such as "dense 512 relu bias=no l2=1e-4".
 * @return ERR_CONFIG: an unknown word (the message names the nearest known one), or a number out of its range */
TUTTI_NODISCARD
tutti_status tutti_layer_parse(const char *text, tutti_layer_spec *spec);

/** Local.  Write the words of a layer, without those that are defaults.  tutti_layer_parse can read the text.
 * @param[out] text  [bytes] The text is cut if it does not fit. */
void tutti_layer_print(const tutti_layer_spec *spec, char *text, size_t bytes);

/** Local.  Write the words that a kind of layer takes, with their defaults: "batch_norm [ghost=0] [momentum=0.99]".
 * @param[out] text  [bytes] The text is cut if it does not fit.
 * @return text */
const char *tutti_layer_usage(tutti_layer_kind kind, char *text, size_t bytes);

/** Local.  Write the ranges of the words that a kind of layer takes: "RATE: a number >= 0 and < 1".
 * @param[out] text  [bytes] The text is cut if it does not fit; it is empty if no word has a range.
 * @return text */
const char *tutti_layer_ranges(tutti_layer_kind kind, char *text, size_t bytes);

/** Local.  Return true if layers of this kind end with spec->activation. */
bool tutti_layer_has_activation(const tutti_layer_spec *spec);

/** Local.  Return true if, in evaluation, all outputs of the layer lie between its smallest and its largest input.
 * This holds for layers without weights and without a function, such as dropout. */
bool tutti_layer_keeps_range(const tutti_layer_spec *spec);

/** Local.  Return the size of the groups of samples that a micro-batch must not cut.  Each group begins at a
 * multiple of this size in the global batch.
 * @param[in] layers  [n_layers]
 * @return 1 without batch_norm; else the size of its ghost groups, at most batch_count.  If several layers have
 * groups, it is the least common multiple of their sizes. */
int64_t tutti_model_layers_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count);

/** Local.  Return true if the last group of a batch_norm has a single sample in a global batch of this size.  One
 * sample has no variance: its outputs are beta, whatever the sample is, and the moving statistics ignore it.
 * @param[in] layers  [n_layers] */
bool tutti_model_layers_single_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count);

typedef struct {
  const tutti_layer_spec *layers; // [n_layers], borrowed during create
  int n_layers;
  tutti_loss loss; // AUTO: softmax -> categorical, sigmoid -> binary cross-entropy, else mean squared error
  double label_smoothing;        // see tutti_targets; it acts in training and in evaluation, as in Keras
  tutti_initializer initializer; // for dense layers that do not name one
  tutti_sum_order order;         // order of the sums in matrix products
  tutti_compute compute;         // numbers that matrix products multiply
} tutti_model_options;

// --- the network -----------------------------------------------------------------------------------------

typedef struct tutti_model tutti_model;

/** Local.  Create the layers, the offsets of their arrays, and work memory for micro-batches of up to max_rows
 * samples.  Later calls allocate nothing, except for tutti_model_reserve.
 * @param[in]  n_in   number of features of a sample
 * @param[out] model  owned by the caller
 * @return ERR_CONFIG: there is no layer, there are no weights to train, the network ends without the softmax or
 * sigmoid that its cross-entropy needs, a softmax has only one unit, label smoothing is used with a loss that has
 * no labels, or this processor has no products of bfloat16; ERR_DATA: there are no features; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_model_create(const tutti_model_options *options, int64_t n_in, int64_t max_rows,
                                tutti_model **model);
void tutti_model_destroy(tutti_model **model); // Local.  Accepts NULL inside; nulls the handle.

int64_t tutti_model_n_out(const tutti_model *model);        // Local.  Number of outputs per sample.
int64_t tutti_model_n_params(const tutti_model *model);     // Local.  Number of elements of each flat buffer.
tutti_loss tutti_model_loss_kind(const tutti_model *model); // Local.  The loss; never AUTO.
tutti_matmul_by tutti_model_products(const tutti_model *model); // Local.  How matrix products are computed.

/** What the matrix products of a network have taken.  Each one costs two readings of the clock, of which about one lies
 * within its seconds. */
typedef struct {
  double seconds;
  int64_t n; // products
} tutti_model_product_times;

/** Local.  Let the products of later passes of training add to *times.
 * @param[in] times  borrowed until the next call; NULL: no product is timed */
void tutti_model_time_products(tutti_model *model, tutti_model_product_times *times);

/** Local.  Say who computes the matrix products from now on.
 * @param[in] choices  borrowed until the model is destroyed or the next call; NULL: nothing is measured */
void tutti_model_choose_products(tutti_model *model, const tutti_matmul_choices *choices);

/** Local.  Return true if the metric is an accuracy (cross-entropies, hinge).  Otherwise it is the mean absolute
 * error. */
bool tutti_model_is_classifier(const tutti_model *model);

/** Local.  Return the name of the metric; borrowed.
 * "accuracy" is the share of samples with a right decision.  With several outputs, the largest one decides.  With
 * one output, its side decides.
 * "binary_accuracy" is the share of outputs on the right side, if each of several outputs is a label of its own.
 * "mean_absolute_error" is the metric of all other losses. */
const char *tutti_model_metric_name(const tutti_model *model);

/** Local.  Tell the model whether each row of the targets has a single 1.  If so, the metric counts several sigmoids
 * (or hinge outputs) as one decision for a class.  A new model takes each output for a label of its own.  Losses
 * without such labels ignore this call. */
void tutti_model_set_one_hot(tutti_model *model, bool one_hot);

/** One named array of the network.  Kernels are [rows, cols] = [n_in, n_out]; vectors have rows 0. */
typedef struct {
  const char *layer;     // name of the layer, such as "dense_1"; borrowed
  const char *name;      // "kernel", "bias", "gamma", "beta", "alpha", "moving_mean", "moving_variance"
  int64_t offset;        // offset in the flat parameter buffer, or in the state if the array is not trainable
  int64_t rows, cols, n; // n is the number of elements
  bool trainable;
} tutti_model_array;

/** Local.  Return the number of arrays, and array i.  Trainable arrays come first, in the order of the flat buffers;
 * the arrays of the state follow.  The model owns them. */
int tutti_model_n_arrays(const tutti_model *model);
const tutti_model_array *tutti_model_array_at(const tutti_model *model, int i);

/** Local.  The kernel of the next dense layer: weights that take part in matrix products.
 * @param[in,out] i  the array from which on it is looked for; on return the one behind it
 * @return NULL: there is no more */
const tutti_model_array *tutti_model_next_kernel(const tutti_model *model, int *i);

/** Local.  Whether the gradient of the inputs of this array's layer is needed: a layer before it is trained. */
bool tutti_model_passes_on(const tutti_model *model, const tutti_model_array *array);

/** Local.  Return the state, and its length.  The state holds [n_state] numbers that are not trained: the moving
 * statistics of batch normalisation, and all arrays of frozen layers.  The model owns it. */
float *tutti_model_state(tutti_model *model);
int64_t tutti_model_n_state(const tutti_model *model);

/** A row of the table that Keras' summary() prints. */
typedef struct {
  const char *name;                    // such as "dense_1"; borrowed from the model
  const char *type;                    // such as "Dense"
  int64_t n_out, n_trainable, n_other; // outputs per sample, trainable weights, other weights
  tutti_layer_kind kind;
  bool has_function; // an activation that is neither the identity nor a part of the loss
  bool trains_bias;
} tutti_layer_info;

/** Local.  Return the number of layers, and describe layer i. */
int tutti_model_n_layers(const tutti_model *model);
void tutti_model_layer(const tutti_model *model, int i, tutti_layer_info *info);

/** Local.  Set the initial weights and the initial state.  Each number depends only on seed, array and element.
 * @param[out] params  [n_params] */
void tutti_model_init(tutti_model *model, uint64_t seed, float *params);

// --- one micro-batch -------------------------------------------------------------------------------------

/** Add up values[n] over all ranks, in place.  The functions below pass on its failure. */
typedef tutti_status (*tutti_model_sum)(void *context, double *values, int64_t n);

/** The leaves of a micro-batch.  Leaves are parts of the global batch whose sums are kept apart, so that no bit
 * depends on which rank has which leaf.  The gradient of each leaf goes to an array of its own.  If a sum of
 * batch_norm needs several leaves, it adds the sums of the leaves in their order.  A micro-batch contains several
 * leaves, or a part of one leaf. */
typedef struct {
  int first, count;    // the micro-batch contains the leaves [first, first + count)
  bool apart;          // false: each rank has one leaf, and the sums of the ranks may be added in any order
  const int64_t *ends; // [count] leaf i ends before row ends[i] of the micro-batch
  /** The least number of elements that a layer asks for at once, if the layer can choose; 0: it asks for whole
   * arrays.  After they are written, small parts are still in the cache.  But each part costs a product that reads
   * all output gradients of the layer. */
  int64_t part;
  /** @return the memory for elements [begin, begin + n) of the gradient of the leaf */
  float *(*gradient)(void *context, int leaf, int64_t begin, int64_t n);
  /** Called when these elements are complete, before the layer asks for others. */
  void (*done)(void *context, int leaf, int64_t begin, int64_t n);
  void *context; // passed to gradient and done
} tutti_model_leaves;

/** One pass: which samples the micro-batch has, and what the pass does with them.  The rows of a micro-batch are
 * consecutive in the order of the epoch. */
typedef struct {
  bool training;   // layers of noise are on, batch_norm uses statistics of the batch
  bool accumulate; // backward adds to the gradient; otherwise it overwrites the gradient
  bool goes_on;    // the next pass accumulates, and nobody reads the gradient before that pass
  uint64_t seed;   // seed of the run
  uint32_t epoch;
  int64_t position;    // number of row 0 in the order of the epoch
  int64_t batch_begin; // number of the first sample of the global batch in the order of the epoch
  int64_t batch_count; // number of samples of the global batch; the loss gradient is divided by it
  tutti_model_sum sum; // NULL: no group of batch_norm lies on several ranks
  void *context;       // passed to sum
  const tutti_model_leaves *leaves; // NULL: leaves are not kept apart
  double *squares; // [leaves->count], [1] without leaves; see tutti_model_backward; NULL: not needed
} tutti_model_pass;

/** Pass a micro-batch forward.  Local; collective if pass->sum is set and there is a batch_norm.  In the collective
 * case:
 * - Each rank calls it, even if it has no rows (rows = 0).
 * - All ranks pass the same number of micro-batches per step.
 * - If a group lies on several ranks, its rows are in the micro-batch of the same number on each of them.
 * @param[in] params  [n_params]
 * @param[in] x       [rows, n_in] borrowed until backward is done
 * @return the failure of pass->sum; ERR_INTERNAL: a micro-batch cuts a group, or there are more groups than reserved */
TUTTI_NODISCARD
tutti_status tutti_model_forward(tutti_model *model, const float *params, const tutti_model_pass *pass,
                                 const float *x, int64_t rows);

/** Local, after forward.  Add the losses and the metrics of all rows to the two sums.  If pass->training is set,
 * also prepare the gradient that backward starts with.
 * @param[in]     targets     of these rows
 * @param[in,out] metric_sum  counts right predictions, or adds the absolute error of each row, averaged over its
 *                            outputs */
void tutti_model_loss(tutti_model *model, const tutti_model_pass *pass, tutti_targets targets, int64_t rows,
                      double *loss_sum, double *metric_sum);

/** Local, after forward.  Do the same as tutti_model_loss, for rows [from, to) of the micro-batch only.
 * @param[in] targets  of these rows: the first target belongs to row `from` */
void tutti_model_loss_part(tutti_model *model, const tutti_model_pass *pass, tutti_targets targets,
                           int64_t from, int64_t to, double *loss_sum, double *metric_sum);

/** Pass a micro-batch backward, after forward and loss.  It is collective if forward is.  It writes the gradient of
 * the sum of the rows' losses / batch_count to grads.  With pass->accumulate it adds this gradient to grads
 * instead.  If rows = 0, the gradient is zero.
 *
 * If pass->squares is set, and tutti_model_has_examples is true, squares[i] increases by the sum of |g|^2 over the
 * rows of the i-th leaf of the micro-batch; g is the gradient of one row.  A dense layer z = a W + b adds |dz|^2
 * (|a|^2 + 1) for each row, so no gradient of a single row is formed (Goodfellow, "Efficient per-example gradient
 * computations", arXiv 1510.01799).
 * @param[in]     params  [n_params]
 * @param[in]     x       [rows, n_in] as in forward
 * @param[in,out] grads   [n_params]; not used with pass->leaves, which gives other memory
 * @return as tutti_model_forward */
TUTTI_NODISCARD
tutti_status tutti_model_backward(tutti_model *model, const float *params, const tutti_model_pass *pass,
                                  const float *x, int64_t rows, float *grads);

/** Local.  Return true if each row has a gradient of its own.  This is false with batch_norm, because the outputs of
 * a row depend on the other rows of its group. */
bool tutti_model_has_examples(const tutti_model *model);

/** Local, after forward.  Copy the outputs of the network.  They are probabilities if the last layer is softmax or
 * sigmoid.
 * @param[out] out  [rows, n_out] */
void tutti_model_predict(const tutti_model *model, int64_t rows, float *out);

/** Local.  Return how many numbers a classifier decides for a sample.
 * @return 1 with categorical_crossentropy: the class.  n_out with binary_crossentropy and hinge, whose outputs are
 * labels of their own: 0 or 1 for each output.  0 for a model that is not a classifier. */
int64_t tutti_model_n_decisions(const tutti_model *model);

/** Local, after forward, for a classifier.  Write the decisions that the accuracy counts.  If the outputs are
 * sigmoids (or hinge outputs) and the targets are one-hot, write the decision of each output instead.
 * @param[out] classes  [rows, n_decisions] */
void tutti_model_decide(const tutti_model *model, int64_t rows, int32_t *classes);

/** Local.  Allocate memory for groups of batch_norm that lie on several ranks, and for leaves whose sums are kept
 * apart.  Call it before the first step if a pass will have a sum or more than one leaf.  The arguments have to be
 * equal on all ranks.
 * @param[in] batch_count  the largest number of samples of a global batch
 * @param[in] n_leaves     1: the sums of leaves are not kept apart
 * @param[in] leaf_rows    samples of the largest leaf; sums over many samples get more digits than float has
 * @return ERR_MEMORY; the model can then only be destroyed */
TUTTI_NODISCARD
tutti_status tutti_model_reserve(tutti_model *model, int64_t batch_count, int n_leaves, int64_t leaf_rows);

/** Update the moving statistics of batch_norm with all groups of the global batch, in their order.  Groups of one
 * sample are left out.  Call it once per step, after the last micro-batch.  Without batch_norm it does nothing.
 * Local; collective if `sum` is set.
 * @param[in] batch_count  number of samples of the global batch
 * @param[in] sum          NULL on one rank.  NULL also if the passes had a sum, because each rank then knows all
 *                         groups.
 * @param[in] context      passed to sum
 * @return the failure of sum */
TUTTI_NODISCARD
tutti_status tutti_model_merge_state(tutti_model *model, int64_t batch_count, tutti_model_sum sum,
                                     void *context);

// --- penalties and diagnosis -----------------------------------------------------------------------------

/** Local.  Return the sum of the l1 and l2 terms of the loss.
 * @param[in] params  [n_params] */
double tutti_model_penalty(const tutti_model *model, const float *params);

/** Local.  Add the gradient of the penalty for elements [begin, end) of the flat buffer.
 * @param[in]     params  [end - begin] these elements
 * @param[in,out] grads   [end - begin] */
void tutti_model_penalty_gradient(const tutti_model *model, const float *params, int64_t begin, int64_t end,
                                  float *grads);

/** Local, after forward.  Find the first layer, in forward order, that has weights or outputs that are not finite.
 * @param[in] params  [n_params]
 * @param[in] rows    number of samples whose outputs are checked
 * @return the number of the layer, from 0; -1: there is none */
int tutti_model_first_nonfinite(const tutti_model *model, const float *params, int64_t rows);

/** Local, after forward.  Find the first layer that has the largest absolute output.  It helps to explain a loss
 * that is too large although every output is finite.  NaN counts as infinity.
 * @param[in]  rows     number of samples whose outputs are checked
 * @param[out] largest  that output; 0 if the result is -1
 * @return the number of the layer, from 0; -1: there are no rows, or all outputs are zeros */
int tutti_model_largest_layer(const tutti_model *model, int64_t rows, double *largest);

// --- curvature of the trained network's loss -----------------------------------------------------------------

/** Work memory for gradients of the loss, and for exact products with its Hessian.  The loss is that of evaluation:
 * layers of noise are off, and batch_norm uses the moving statistics, which do not depend on the weights. */
typedef struct tutti_model_curvature tutti_model_curvature;

/** Local.  Create the work memory for micro-batches of as many rows as the model takes.
 * @param[in]  model      borrowed; the calls below replace the results of its last forward
 * @param[out] curvature  owned by the caller
 * @return ERR_MEMORY; ERR_CONFIG: a layer has no second derivatives */
TUTTI_NODISCARD
tutti_status tutti_model_curvature_create(tutti_model *model, tutti_model_curvature **curvature);
/** Local.  Accepts NULL inside; nulls the handle. */
void tutti_model_curvature_destroy(tutti_model_curvature **curvature);

/** A micro-batch, and the weights at which derivatives are computed.  All pointers are borrowed. */
typedef struct {
  const float *params; // [n_params]
  const float *x;      // [rows, n_in]
  tutti_targets targets;
  int64_t rows;  // at most max_rows of the model; 0: nothing is added
  int64_t count; // number of samples of the whole set, because the loss is their mean
} tutti_model_curvature_batch;

/** Local.  Add the losses of the rows to *loss_sum, and the gradient of their sum / count to grads.  The penalty is
 * not included.
 * @param[in,out] grads  [n_params]
 * @return the failure of the forward pass */
TUTTI_NODISCARD
tutti_status tutti_model_curvature_gradient(tutti_model_curvature *curvature,
                                            const tutti_model_curvature_batch *batch, double *loss_sum,
                                            double *grads);

/** Local.  Add H v to product (Pearlmutter 1994).  H is the Hessian of the sum of the rows' losses / count, without
 * the penalty.  At a kink, H belongs to the same side of the kink as the gradient does.  So the second derivative of
 * relu and of similar functions is 0.
 * @param[in]     v        [n_params]
 * @param[in,out] product  [n_params]
 * @return the failure of the forward pass */
TUTTI_NODISCARD
tutti_status tutti_model_curvature_product(tutti_model_curvature *curvature,
                                           const tutti_model_curvature_batch *batch, const float *v,
                                           double *product);

/** Local.  Add the product of v and the Hessian of the penalty.  It is 2 l2 v for kernels; l1 adds nothing.
 * @param[in]     v        [n_params]
 * @param[in,out] product  [n_params] */
void tutti_model_penalty_product(const tutti_model *model, const float *v, double *product);
