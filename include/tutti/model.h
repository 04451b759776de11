#pragma once
/** A dense network: layers on one flat parameter buffer and one flat gradient buffer, with forward pass, loss and backward
 * pass.  All functions are local and free of MPI; if batch normalisation needs sums over ranks, the caller passes a function
 * that computes them.
 *
 * Samples are rows: x[rows, n_in] row-major, kernels [n_in, n_out] as in Keras, z = x W + b. */
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
extern const char *const tutti_layer_sentences[TUTTI_N_LAYER_KINDS]; // for people: what it is, and its paper

/** Keras' initializers, with its scales and its truncation: X(code, name as in a config). */
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
  bool has_initializer;          // dense; false: the model's is used
  tutti_initializer initializer; // dense
  double l1, l2;                 // dense: penalty l1 sum|w| + l2 sum w^2 on the kernel
  double rate;                   // the dropouts
  double stddev;                 // gaussian_noise
  int64_t ghost;                 // batch_norm: samples of a group, 0 = the global batch
  double momentum, epsilon;      // batch_norm
  bool frozen; // kinds with weights: the weights do not change, and batch_norm uses its moving statistics
} tutti_layer_spec;

/** Local.  Read the words of one layer, such as "dense 512 relu bias=no l2=1e-4".
 * @return ERR_CONFIG: an unknown word (with the nearest known one), a number out of its range */
TUTTI_NODISCARD
tutti_status tutti_layer_parse(const char *text, tutti_layer_spec *spec);

/** Local.  Write a layer as tutti_layer_parse reads it, without the words that are defaults.
 * @param[out] text  [bytes] cut if it does not fit */
void tutti_layer_print(const tutti_layer_spec *spec, char *text, size_t bytes);

/** Local.  "dropout RATE", "batch_norm [ghost=0] [momentum=0.99]": the words of a kind of layer, with defaults.  @return text */
const char *tutti_layer_usage(tutti_layer_kind kind, char *text, size_t bytes);

/** Local.  "RATE: a number >= 0 and < 1": the ranges of these words.  @return text */
const char *tutti_layer_ranges(tutti_layer_kind kind, char *text, size_t bytes);

/** Local.  Whether layers of this kind end with spec->activation. */
bool tutti_layer_has_activation(const tutti_layer_spec *spec);

/** Local.  Whether in evaluation the outputs of the layer lie between the least and the largest of its inputs, as those of
 * dropout do: it has neither weights nor a function. */
bool tutti_layer_keeps_range(const tutti_layer_spec *spec);

/** Local.  The size of the groups of samples that a micro-batch must not cut.  Groups begin at multiples of it in the global
 * batch.
 * @return 1 without batch_norm, else the size of its ghost groups (of several layers: the least common multiple), at most
 * batch_count */
int64_t tutti_model_layers_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count);

/** Local.  Whether the last group of a batch_norm has a single sample in a global batch of this size.  One sample has no
 * variance: its outputs are beta, whatever the sample is, and the moving statistics ignore it. */
bool tutti_model_layers_single_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count);

typedef struct {
  const tutti_layer_spec *layers; // [n_layers], borrowed during create
  int n_layers;
  tutti_loss loss; // AUTO: softmax -> categorical, sigmoid -> binary cross-entropy, else mean squared error
  double label_smoothing; // see tutti_targets; in training and in evaluation, as in Keras
  tutti_initializer initializer;
  tutti_sum_order order; // of the matrix products
} tutti_model_options;

// --- the network -----------------------------------------------------------------------------------------

typedef struct tutti_model tutti_model;

/** Local.  Create the layers, the offsets of their arrays, and work memory for micro-batches of up to max_rows samples.
 * Later calls allocate nothing, except for tutti_model_reserve.
 * @param[in]  n_in   features of a sample
 * @param[out] model  owned by the caller
 * @return ERR_CONFIG no layer, no weights to train, a cross-entropy without its softmax or sigmoid at the end, softmax over
 * one unit, label smoothing for a loss without labels; ERR_DATA no features; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_model_create(const tutti_model_options *options, int64_t n_in, int64_t max_rows,
                                tutti_model **model);
void tutti_model_destroy(tutti_model **model); // Local.  Accepts NULL inside; nulls the handle.

int64_t tutti_model_n_out(const tutti_model *model);         // Local.
int64_t tutti_model_n_params(const tutti_model *model);      // Local.  Elements of the flat buffers.
tutti_loss tutti_model_loss_kind(const tutti_model *model);  // Local.  Never AUTO.
tutti_sum_order tutti_model_order(const tutti_model *model); // Local.  Of the matrix products.

/** Local.  Whether the metric is an accuracy (cross-entropies, hinge); else it is the mean absolute error. */
bool tutti_model_is_classifier(const tutti_model *model);

/** Local.  The name of the metric.
 * "accuracy": samples whose largest output is the right one, or whose only output lies on the right side.
 * "binary_accuracy": the share of outputs on the right side, if each of several outputs is a label of its own.
 * "mean_absolute_error": for the other losses. */
const char *tutti_model_metric_name(const tutti_model *model);

/** Local.  Say whether each row of the targets has a single 1: then the metric counts several sigmoids (or hinge outputs) as
 * it counts classes.  A new model takes each output for a label of its own.  Losses without such labels ignore it. */
void tutti_model_set_one_hot(tutti_model *model, bool one_hot);

/** One named array of the network.  Kernels are [rows, cols] = [n_in, n_out]; vectors have rows 0. */
typedef struct {
  const char *layer; // "dense_1", borrowed
  const char *name;  // "kernel", "bias", "gamma", "beta", "alpha", "moving_mean", "moving_variance"
  int64_t offset;    // in the flat parameter buffer, or in the state if it is not trainable
  int64_t rows, cols, n;
  bool trainable;
} tutti_model_array;

/** Local.  The arrays: trainable ones first, in the order of the flat buffers, then those of the state. */
int tutti_model_n_arrays(const tutti_model *model);
const tutti_model_array *tutti_model_array_at(const tutti_model *model, int i);

/** Local.  [n_state] numbers that are not trained: the moving statistics of batch normalisation, and all arrays of frozen
 * layers.  Owned by the model. */
float *tutti_model_state(tutti_model *model);
int64_t tutti_model_n_state(const tutti_model *model);

/** A row of the table that Keras' summary() prints. */
typedef struct {
  const char *name; // "dense_1"
  const char *type; // "Dense"
  int64_t n_out, n_trainable, n_other;
} tutti_layer_info;

int tutti_model_n_layers(const tutti_model *model);                              // Local.
void tutti_model_layer(const tutti_model *model, int i, tutti_layer_info *info); // Local.

/** Local.  Set initial weights and state.  Each number is a function of (seed, array, element) alone.
 * @param[out] params  [n_params] */
void tutti_model_init(tutti_model *model, uint64_t seed, float *params);

// --- one micro-batch -------------------------------------------------------------------------------------

/** Add up values[n] over all ranks, in place. */
typedef tutti_status (*tutti_model_sum)(void *context, double *values, int64_t n);

/** Leaves: parts of the global batch whose sums are kept apart, so that no bit depends on which rank has which leaf.  The
 * gradient of each leaf goes to an array of its own, and sums of batch_norm over several leaves add the sums of the leaves in
 * their order.  A micro-batch contains several leaves, or a part of one. */
typedef struct {
  int first, count;    // of the micro-batch
  bool apart;          // false: one leaf per rank, whose sums are added to those of other ranks in any order
  const int64_t *ends; // [count] the row behind each leaf's last row
  /** Elements that a layer asks for at once, at least, if it can choose; 0: all of an array.  Small parts are still in
   * the cache after they were written, but each costs a product that reads all of the layer's output gradients. */
  int64_t part;
  /** @return the place for elements [begin, begin + n) of the leaf's gradient */
  float *(*gradient)(void *context, int leaf, int64_t begin, int64_t n);
  /** These elements are complete.  Called before others are asked for.
   * @param[in] settled  the pass does not read these parameters any more */
  void (*done)(void *context, int leaf, int64_t begin, int64_t n, bool settled);
  void *context;
} tutti_model_leaves;

/** The samples of a micro-batch, and how they pass.  Its rows are consecutive in the order of the epoch. */
typedef struct {
  bool training;   // layers of noise are on, batch_norm uses statistics of the batch
  bool accumulate; // backward adds to the gradient; else it writes it
  bool goes_on;    // the next pass accumulates, and nobody reads the gradient before
  uint64_t seed;   // of the run
  uint32_t epoch;
  int64_t position;    // of row 0, in the epoch
  int64_t batch_begin; // of the first sample of the global batch, in the epoch
  int64_t batch_count; // samples of the global batch: the loss gradient is divided by it
  tutti_model_sum
      sum;       // for groups of batch_norm that lie on several ranks; NULL: each group lies on one rank
  void *context; // of sum
  const tutti_model_leaves *leaves; // NULL: leaves are not kept apart
  double *squares;                  // [leaves, or 1] see tutti_model_backward; NULL: not needed
} tutti_model_pass;

/** Pass a micro-batch forward.  Local; with pass->sum and a batch_norm collective (then also with rows = 0).  With pass->sum,
 * all ranks pass the same number of micro-batches per step, and the rows of a group are in the same one on each rank.
 * @param[in] x  [rows, n_in] borrowed until backward is done
 * @return the failure of pass->sum; ERR_INTERNAL a micro-batch cuts a group, or there are more groups than reserved */
TUTTI_NODISCARD
tutti_status tutti_model_forward(tutti_model *model, const float *params, const tutti_model_pass *pass,
                                 const float *x, int64_t rows);

/** Local, after forward.  Add the losses and metrics of the rows to the sums; if pass->training, prepare the gradient that
 * backward starts with.
 * @param[in,out] metric_sum  right predictions, or absolute errors averaged over the outputs */
void tutti_model_loss(tutti_model *model, const tutti_model_pass *pass, tutti_targets targets, int64_t rows,
                      double *loss_sum, double *metric_sum);

/** Local.  The same for rows [from, to) of the micro-batch.
 * @param[in] targets  of these rows */
void tutti_model_loss_part(tutti_model *model, const tutti_model_pass *pass, tutti_targets targets,
                           int64_t from, int64_t to, double *loss_sum, double *metric_sum);

/** Pass a micro-batch backward, after forward and loss; collective as forward is.  grads[n_params] become the sums over the
 * rows of the gradient of loss / batch_count; with pass->accumulate these are added.  rows = 0 gives zeros (adds nothing).
 *
 * pass->squares: the sum over the rows of the squared norm of each row's own gradient is added for each leaf, if
 * tutti_model_has_examples.  For a dense layer z = a W + b it is |dz|^2 (|a|^2 + 1): no gradient of a single row is
 * formed (Goodfellow, "Efficient per-example gradient computations", arXiv 1510.01799).
 * @param[in]  x      [rows, n_in] as in forward
 * @param[out] grads  not used with pass->leaves, which says where gradients go */
TUTTI_NODISCARD
tutti_status tutti_model_backward(tutti_model *model, const float *params, const tutti_model_pass *pass,
                                  const float *x, int64_t rows, float *grads);

/** Local.  Whether each row has a gradient of its own: with batch_norm it depends on the other rows of its group. */
bool tutti_model_has_examples(const tutti_model *model);

/** Local, after forward.
 * @param[out] out  [rows, n_out] activations of the last layer: probabilities if it is softmax or sigmoid */
void tutti_model_predict(const tutti_model *model, int64_t rows, float *out);

/** Local.  Numbers that a classifier decides for a sample: 1, its class, with categorical_crossentropy;
 * n_out, each 0 or 1, with binary_crossentropy and hinge, whose outputs are labels of their own.  Else 0. */
int64_t tutti_model_n_decisions(const tutti_model *model);

/** Local, after forward, for a classifier.
 * @param[out] classes  [rows, n_decisions] the decisions that the accuracy counts; for one-hot rows and sigmoids (hinge) the
 *                      decision of each output */
void tutti_model_decide(const tutti_model *model, int64_t rows, int32_t *classes);

/** Local.  Allocate memory for groups of batch_norm that lie on several ranks, for global batches of up to batch_count
 * samples, and for leaves whose sums are kept apart.  Call it before the loop if pass->sum or more than one leaf will be
 * used, with the same arguments on all ranks.
 * @param[in] n_leaves   1: they are not kept apart
 * @param[in] leaf_rows  samples of the largest leaf: sums over many samples get more digits than float has
 * @return ERR_MEMORY; the model can then only be destroyed */
TUTTI_NODISCARD
tutti_status tutti_model_reserve(tutti_model *model, int64_t batch_count, int n_leaves, int64_t leaf_rows);

/** Move the moving statistics of batch_norm over all groups of the global batch, in their order, without groups of one
 * sample.  Call it once after the micro-batches of a step; without batch_norm it does nothing.  Local; with `sum` collective.
 * @param[in] sum  NULL on one rank, and if the passes had one: then each rank knows all groups */
TUTTI_NODISCARD
tutti_status tutti_model_merge_state(tutti_model *model, int64_t batch_count, tutti_model_sum sum,
                                     void *context);

// --- penalties and diagnosis -----------------------------------------------------------------------------

/** Local.  The l1 and l2 terms of the loss. */
double tutti_model_penalty(const tutti_model *model, const float *params);

/** Local.  grads += gradient of the penalty, for elements [begin, end) of the flat buffer.
 * @param[in]     params  [end - begin] these elements
 * @param[in,out] grads   [end - begin] */
void tutti_model_penalty_gradient(const tutti_model *model, const float *params, int64_t begin, int64_t end,
                                  float *grads);

/** Local.  The first layer, in forward order, with weights or last outputs (of `rows` samples) that are not finite.
 * @return -1: there is none */
int tutti_model_first_nonfinite(const tutti_model *model, const float *params, int64_t rows);

/** Local, after forward.  The first layer with the largest absolute output (of `rows` samples), for a loss that is too large
 * although every output is finite.  NaN counts as infinity.
 * @param[out] largest  that output
 * @return -1, and 0 in *largest: no rows, or all outputs are zeros */
int tutti_model_largest_layer(const tutti_model *model, int64_t rows, double *largest);

// --- curvature of the trained network's loss -----------------------------------------------------------------

/** Work memory for gradients and exact products with the Hessian of the loss in evaluation: layers of noise are off, and
 * batch_norm uses the moving statistics, which do not depend on the weights. */
typedef struct tutti_model_curvature tutti_model_curvature;

/** Local.  For micro-batches of as many rows as the model takes.
 * @param[in]  model      borrowed; the calls below replace the results of its last forward
 * @param[out] curvature  owned by the caller
 * @return ERR_MEMORY; ERR_CONFIG a layer has no second derivatives */
TUTTI_NODISCARD
tutti_status tutti_model_curvature_create(tutti_model *model, tutti_model_curvature **curvature);
/** Local.  Accepts NULL inside; nulls the handle. */
void tutti_model_curvature_destroy(tutti_model_curvature **curvature);

/** A micro-batch and the point; all borrowed. */
typedef struct {
  const float *params; // [n_params]
  const float *x;      // [rows, n_in]
  tutti_targets targets;
  int64_t rows;  // at most the model's; 0: nothing is added
  int64_t count; // samples of the whole set: the loss is their mean
} tutti_model_curvature_batch;

/** Local.  *loss_sum += the rows' losses, grads[n_params] += the gradient of their sum / count; without the penalty. */
TUTTI_NODISCARD
tutti_status tutti_model_curvature_gradient(tutti_model_curvature *curvature,
                                            const tutti_model_curvature_batch *batch, double *loss_sum,
                                            double *grads);

/** Local.  product[n_params] += H v (Pearlmutter 1994), with H the Hessian of the rows' losses / count, without the
 * penalty.  At a kink the derivatives are those of the side that the gradient belongs to: relu and similar functions have
 * second derivative 0. */
TUTTI_NODISCARD
tutti_status tutti_model_curvature_product(tutti_model_curvature *curvature,
                                           const tutti_model_curvature_batch *batch, const float *v,
                                           double *product);

/** Local.  product[n_params] += the Hessian of the penalty times v: 2 l2 v for kernels; l1 has none. */
void tutti_model_penalty_product(const tutti_model *model, const float *v, double *product);
