#pragma once
/** A dense network: one flat parameter buffer, one flat gradient buffer, forward, backward, loss.  Local and
 * without MPI; where batch normalisation needs sums over ranks, the caller hands in a function for them.
 *
 * Samples are rows: x[rows, n_in] row-major, kernels [n_in, n_out] as in Keras, z = x W + b. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/linalg.h"

// --- what a network is made of ---------------------------------------------------------------------------

typedef enum {
#define X(code, word, sentence) TUTTI_LAYER_##code,
#include "tutti/layers.def"
  TUTTI_N_LAYER_KINDS
} tutti_layer_kind;

extern const char *const tutti_layer_kind_names[TUTTI_N_LAYER_KINDS];
extern const char *const tutti_layer_sentences[TUTTI_N_LAYER_KINDS]; // for people: what it is, and its paper

/** X(code, name as in a config): Keras' initializers, with its scales and its truncation. */
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

extern const char *const tutti_initializer_names[TUTTI_N_INITIALIZERS];

/** One layer, as its words in a config say.  A number that its kind does not have is 0. */
typedef struct {
  tutti_layer_kind kind;
  int64_t units;                 // dense
  tutti_activation activation;   // dense, activation
  bool bias;                     // dense
  bool has_initializer;          // dense: false takes the model's
  tutti_initializer initializer; // dense
  double l1, l2;                 // dense: penalty l1 sum|w| + l2 sum w^2 on the kernel
  double rate;                   // the dropouts
  double stddev;                 // gaussian_noise
  int64_t ghost;                 // batch_norm: samples of a group, 0 = the global batch
  double momentum, epsilon;      // batch_norm
  bool frozen; // with weights: they stay as they are, and batch_norm takes its moving statistics
} tutti_layer_spec;

/** Local.  Read the words of one layer, "dense 512 relu bias=no l2=1e-4" (the words: docs/reference.md,
 * "Layers").
 * @return ERR_CONFIG: an unknown word (with the nearest known one), a number out of its range */
TUTTI_NODISCARD
tutti_status tutti_layer_parse(const char *text, tutti_layer_spec *spec);

/** Local.  Write it as tutti_layer_parse reads it; only what differs from the default is written. */
void tutti_layer_print(const tutti_layer_spec *spec, char *text, size_t bytes);

/** Local.  "dropout RATE", "batch_norm [ghost=0] [momentum=0.99]": the words of a kind of layer, with defaults.  @return text */
const char *tutti_layer_usage(tutti_layer_kind kind, char *text, size_t bytes);

/** Local.  "RATE: a number >= 0 and < 1": the ranges of these words.  @return text */
const char *tutti_layer_ranges(tutti_layer_kind kind, char *text, size_t bytes);

/** Local.  Whether layers of this kind end with spec.activation. */
bool tutti_layer_has_activation(const tutti_layer_spec *spec);

/** Local.  Whether in evaluation its outputs lie between the least and the largest of its inputs: it has neither weights
 * nor a function. */
bool tutti_layer_keeps_range(const tutti_layer_spec *spec);

/** Local.  Samples of the global batch that have to stay in one micro-batch, and begin at a multiple of it: 1
 * without batch_norm, else its ghost group (the least common multiple of several), at most batch_count. */
int64_t tutti_layers_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count);

/** Local.  Whether a batch_norm has a group of one sample in a global batch of this size: the last group,
 * short of its others.  One sample has no variance; its outputs are beta, whatever the sample, and the moving
 * statistics pass it over. */
bool tutti_layers_single_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count);

typedef struct {
  const tutti_layer_spec *layers; // [n_layers], borrowed during create
  int n_layers;
  tutti_loss loss; // AUTO: softmax -> categorical, sigmoid -> binary cross-entropy, else mean squared error
  double label_smoothing; // of the targets, see tutti_targets: in training and in evaluation, as in Keras
  tutti_initializer initializer;
  tutti_sum_order order; // of the matrix products
} tutti_model_options;

// --- the network -----------------------------------------------------------------------------------------

typedef struct tutti_model tutti_model;

/** Local.  Layers, offsets, and work memory for micro-batches of up to max_rows samples; nothing is allocated
 * later.
 * @param[in] n_in  features of a sample
 * @return ERR_CONFIG no layer, none with weights, a cross-entropy without its softmax or sigmoid at the end,
 * softmax over one unit, label smoothing for a loss that has none; ERR_DATA no features; ERR_MEMORY.  The caller owns the model. */
TUTTI_NODISCARD
tutti_status tutti_model_create(const tutti_model_options *options, int64_t n_in, int64_t max_rows,
                                tutti_model **model);
void tutti_model_destroy(tutti_model **model); // Local.  Accepts NULL inside; nulls the handle.

int64_t tutti_model_n_out(const tutti_model *model);         // Local.
int64_t tutti_model_n_params(const tutti_model *model);      // Local.  Trainable ones, in the flat buffers.
tutti_loss tutti_model_loss_kind(const tutti_model *model);  // Local.  Never AUTO.
tutti_sum_order tutti_model_order(const tutti_model *model); // Local.  Of the matrix products.

/** Local.  Whether the metric is an accuracy (cross-entropies, hinge); else it is the mean absolute error. */
bool tutti_model_is_classifier(const tutti_model *model);

/** Local.  "accuracy": samples whose largest output is the right one, or whose one output lies on the right side;
 * "binary_accuracy": the part of several outputs that do, where each is a label of its own; "mean_absolute_error". */
const char *tutti_model_metric_name(const tutti_model *model);

/** Local.  Whether each row of the targets has a single 1, so that sigmoids (hinge) are counted as classes are: a new
 * model takes each output for a label of its own.  No matter for a model whose loss has no such labels. */
void tutti_model_set_one_hot(tutti_model *model, bool one_hot);

/** One named array of the network.  Kernels are [rows, cols] = [n_in, n_out]; vectors have rows 0. */
typedef struct {
  const char *layer; // "dense_1", borrowed
  const char *name;  // "kernel", "bias", "gamma", "beta", "alpha", "moving_mean", "moving_variance"
  int64_t offset;    // in the flat parameter buffer, or in the state where it is not trainable
  int64_t rows, cols, n;
  bool trainable;
} tutti_model_array;

/** Local.  Trainable arrays first, in the order of the flat buffers; then the state's. */
int tutti_model_n_arrays(const tutti_model *model);
const tutti_model_array *tutti_model_array_at(const tutti_model *model, int i);

/** Local.  What is not trained: the moving statistics of batch normalisation, and all arrays of frozen layers, [n_state]
 * floats.  Owned by the model. */
float *tutti_model_state(tutti_model *model);
int64_t tutti_model_n_state(const tutti_model *model);

/** For the table that Keras' summary() prints. */
typedef struct {
  const char *name; // "dense_1"
  const char *type; // "Dense"
  int64_t n_out, n_trainable, n_other;
} tutti_layer_info;

int tutti_model_n_layers(const tutti_model *model);                              // Local.
void tutti_model_layer(const tutti_model *model, int i, tutti_layer_info *info); // Local.

/** Local.  Initial weights and state: functions of (seed, array, element) alone.  params[n_params]. */
void tutti_model_init(tutti_model *model, uint64_t seed, float *params);

// --- one micro-batch -------------------------------------------------------------------------------------

/** Adds up values[n] over all ranks, in place. */
typedef tutti_status (*tutti_model_sum)(void *context, double *values, int64_t n);

/** Leaves are parts of the global batch whose sums are kept apart, so that no bit depends on which rank has which of
 * them: each leaf's gradient goes to an array of its own, and sums of batch_norm that lie on several leaves are sums
 * of the leaves' sums, in their order.  A micro-batch has several leaves, or a part of one. */
typedef struct {
  int first, count;    // of the micro-batch
  bool apart;          // false: one leaf a rank, whose sums with other ranks' need no order
  const int64_t *ends; // [count] the row behind each leaf's last
  /** Elements that a layer asks for at once, at least, if it can choose; 0: all of an array.  Small parts are still in
   * the cache after they were written, but each costs a product that reads all of the layer's output gradients. */
  int64_t part;
  /** Where elements [begin, begin + n) of the leaf's gradient go. */
  float *(*gradient)(void *context, int leaf, int64_t begin, int64_t n);
  /** They are complete, before others are asked for.  `settled`: the pass reads these parameters no more. */
  void (*done)(void *context, int leaf, int64_t begin, int64_t n, bool settled);
  void *context;
} tutti_model_leaves;

/** Which samples these are.  Rows of a micro-batch stand one after another in the epoch's order. */
typedef struct {
  bool training;   // noise layers are on, batch_norm takes statistics of the batch
  bool accumulate; // backward adds to the gradient; else it writes it
  bool goes_on;    // the next pass accumulates, and nobody reads the gradient before
  uint64_t seed;   // of the run
  uint32_t epoch;
  int64_t position;    // of row 0, in the epoch
  int64_t batch_begin; // of the global batch's first sample, in the epoch
  int64_t batch_count; // samples of the global batch: the loss gradient is divided by it
  tutti_model_sum sum; // for groups of batch_norm that lie on several ranks; NULL where each lies on one
  void *context;       // of sum
  const tutti_model_leaves *leaves; // NULL: they are not told apart
  double *squares;                  // [leaves, or 1] see tutti_model_backward; NULL: not wanted
} tutti_model_pass;

/** Local; collective through pass->sum where that is set and there is batch_norm (then also with rows = 0).
 * x[rows, n_in] is borrowed until backward is done.  Where pass->sum is set, ranks pass the micro-batches of
 * a step in the same number, and those that share a group have its rows in the same one.
 * @return what pass->sum returned; ERR_INTERNAL a micro-batch cuts through a group, or more groups than
 * reserved */
TUTTI_NODISCARD
tutti_status tutti_model_forward(tutti_model *model, const float *params, const tutti_model_pass *pass,
                                 const float *x, int64_t rows);

/** Local, after forward.  Adds the rows' losses and metrics (correct predictions, or absolute errors averaged
 * over the outputs) to the sums, and prepares the gradient that backward starts with when pass->training. */
void tutti_model_loss(tutti_model *model, const tutti_model_pass *pass, tutti_targets targets, int64_t rows,
                      double *loss_sum, double *metric_sum);

/** The same for rows [from, to) of the micro-batch, whose targets are targets[0, to - from). */
void tutti_model_loss_part(tutti_model *model, const tutti_model_pass *pass, tutti_targets targets,
                           int64_t from, int64_t to, double *loss_sum, double *metric_sum);

/** As forward.  After loss: grads[n_params] get (pass->accumulate: are added) the sums over the rows of the
 * gradient of loss / batch_count.  With rows = 0 they get zeros (nothing is added).
 *
 * pass->squares: to each leaf's is added the sum over its rows of the squared norm of that row's gradient, where
 * tutti_model_has_examples.  For a dense layer z = a W + b it is |dz|^2 (|a|^2 + 1): no gradient of a single row is
 * ever formed (Goodfellow, "Efficient per-example gradient computations", arXiv 1510.01799).
 * @param[out] grads  not used where pass->leaves says where gradients go */
TUTTI_NODISCARD
tutti_status tutti_model_backward(tutti_model *model, const float *params, const tutti_model_pass *pass,
                                  const float *x, int64_t rows, float *grads);

/** Local.  Whether the gradient of a row is its own: with batch_norm it depends on the others of its group. */
bool tutti_model_has_examples(const tutti_model *model);

/** Local, after forward.  out[rows, n_out]: the last layer's activations (probabilities where it is softmax
 * or sigmoid). */
void tutti_model_predict(const tutti_model *model, int64_t rows, float *out);

/** Local.  Numbers that a classifier decides for a sample: 1, its class, with categorical_crossentropy;
 * n_out, each 0 or 1, with binary_crossentropy and hinge, whose outputs are labels of their own.  Else 0. */
int64_t tutti_model_n_decisions(const tutti_model *model);

/** Local, after forward, of a classifier.  classes[rows, n_decisions]: the decisions that its accuracy
 * counts, or of one-hot rows and sigmoids (hinge) those of each output. */
void tutti_model_decide(const tutti_model *model, int64_t rows, int32_t *classes);

/** Local.  Memory for groups of batch_norm that lie on several ranks, for global batches of up to batch_count
 * samples, and for n_leaves leaves whose sums are kept apart (1: none are).  Before the loop, where pass->sum or
 * more than one leaf will be; the same on all ranks.  Create has seen to groups that lie on one rank.
 * @param[in] leaf_rows  samples of the largest leaf: where they are many, sums over them get digits beyond float
 * @return ERR_MEMORY; the model is then only good for destroying */
TUTTI_NODISCARD
tutti_status tutti_model_reserve(tutti_model *model, int64_t batch_count, int n_leaves, int64_t leaf_rows);

/** Local; collective through `sum` where that is set.  Once after the micro-batches of a step: brings the
 * moving statistics of batch_norm forward over all groups of the global batch, in their order; a group of one
 * sample is left out.  Nothing without batch_norm.
 * @param[in] sum  NULL on one rank, and where the passes had one: then each rank knows all groups */
TUTTI_NODISCARD
tutti_status tutti_model_merge_state(tutti_model *model, int64_t batch_count, tutti_model_sum sum,
                                     void *context);

// --- penalties and diagnosis -----------------------------------------------------------------------------

double tutti_model_penalty(const tutti_model *model,
                           const float *params); // Local.  l1 and l2 terms of the loss.

/** Local.  grads[end - begin] += gradient of the penalty for the slice [begin, end) of the flat buffer;
 * params and grads point at the slice. */
void tutti_model_penalty_gradient(const tutti_model *model, const float *params, int64_t begin, int64_t end,
                                  float *grads);

/** Local.  The first layer, in forward order, whose weights or last outputs (of `rows` samples) are not
 * finite; -1: none. */
int tutti_model_first_nonfinite(const tutti_model *model, const float *params, int64_t rows);

/** Local, after forward.  Where a loss is beyond all bounds though every output is finite: the first layer
 * with the largest absolute output (of `rows` samples), which goes to *largest; NaN counts as infinity.
 * @return -1, and 0 in *largest: no rows, or no output but zeros */
int tutti_model_largest_layer(const tutti_model *model, int64_t rows, double *largest);

// --- curvature of the trained network's loss -----------------------------------------------------------------

/** Memory for gradients and exact products with the Hessian of an evaluation's loss: layers of noise are off, and
 * batch_norm takes the moving statistics, which do not depend on the weights. */
typedef struct tutti_curvature tutti_curvature;

/** Local.  For micro-batches of as many rows as the model takes.  `model` is borrowed, and a call below replaces what
 * its last forward left.  @return ERR_MEMORY; ERR_CONFIG a layer has no second derivatives.  The caller owns the result. */
TUTTI_NODISCARD
tutti_status tutti_curvature_create(tutti_model *model, tutti_curvature **curvature);
void tutti_curvature_destroy(tutti_curvature **curvature); // Local.  Accepts NULL inside; nulls the handle.

/** A micro-batch and the point; all borrowed. */
typedef struct {
  const float *params; // [n_params]
  const float *x;      // [rows, n_in]
  tutti_targets targets;
  int64_t rows;  // at most the model's; 0: there is nothing to add
  int64_t count; // samples of the whole set: the loss is their mean
} tutti_curvature_batch;

/** Local.  *loss_sum += the rows' losses, grads[n_params] += the gradient of their sum / count; without the penalty. */
TUTTI_NODISCARD
tutti_status tutti_curvature_gradient(tutti_curvature *curvature, const tutti_curvature_batch *batch,
                                      double *loss_sum, double *grads);

/** Local.  product[n_params] += H v (Pearlmutter 1994), with H the Hessian of the rows' losses / count, without the
 * penalty.  At a kink the derivatives are those of the side that the gradient is taken from: relu and its like have
 * second derivative 0. */
TUTTI_NODISCARD
tutti_status tutti_curvature_product(tutti_curvature *curvature, const tutti_curvature_batch *batch,
                                     const float *v, double *product);

/** Local.  product[n_params] += the penalty's Hessian times v: 2 l2 v on kernels; l1 has none. */
void tutti_model_penalty_product(const tutti_model *model, const float *v, double *product);
