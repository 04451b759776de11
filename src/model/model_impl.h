#pragma once
/** Declarations that the files of this room share: a layer, the table of its kind, the model, and helpers of layers.
 *
 * Shapes: x[rows, n_in] and y[rows, n_out] row-major, kernels [n_in, n_out].  All functions are local. */
#include "base/clones.h"
#include "tutti/model.h"

typedef struct tutti_layer tutti_layer;

// --- a pass of a micro-batch (batch_pass.c) --------------------------------------------------------------

/** One micro-batch on its way through the layers. */
typedef struct {
  tutti_model *model;
  const tutti_model_pass *pass;
  const float *params;
  float *grads; // backward; not used if pass->leaves says where gradients go
  int rows;
} tutti_batch_pass;

/** The rows of a micro-batch that belong to one leaf. */
typedef struct {
  int index; // of the leaf
  int from, rows;
} tutti_leaf_rows;

/** Number of leaves of the micro-batch; 1 if they are not kept apart. */
int tutti_layer_n_leaves(const tutti_batch_pass *batch);
tutti_leaf_rows tutti_layer_leaf_rows(const tutti_batch_pass *batch, int i);

/** The place of the leaf's gradient of parameters [begin, begin + n) of the flat buffer.  The layer writes it or, if
 * the pass accumulates, adds to it; then it calls tutti_layer_gradient_done. */
float *tutti_layer_gradient(const tutti_batch_pass *batch, const tutti_leaf_rows *leaf, int64_t begin,
                            int64_t n);
void tutti_layer_gradient_done(const tutti_batch_pass *batch, const tutti_leaf_rows *leaf, int64_t begin,
                               int64_t n);

/** Add the sums over each leaf of squares[rows] to those of the pass. */
void tutti_layer_add_squares(const tutti_batch_pass *batch, const double *squares);

/** y[n] += x[n]. */
void tutti_layer_add(const float *x, int64_t n, float *y);

// --- the words of a layer (layer_words.c) ----------------------------------------------------------------

/** Type of a word.  NO_FLAG: "no" sets the field. */
typedef enum {
  TUTTI_WORD_COUNT,
  TUTTI_WORD_REAL,
  TUTTI_WORD_FLAG,
  TUTTI_WORD_NO_FLAG,
  TUTTI_WORD_ACTIVATION,
  TUTTI_WORD_INITIALIZER
} tutti_layer_word;

/** One number or name of a kind of layer, at `at` in tutti_layer_spec.  A field without a key is known by its place
 * among the words, in the order of the table. */
typedef struct {
  const char *key, *label; // label: the name in messages and in help
  tutti_layer_word type;
  bool required;
  size_t at;
  double low, high;  // of a number
  const char *range; // the same in words
  int64_t except;    // a count between low and high that is refused; 0: none
} tutti_layer_field;

#define TUTTI_AT(member) offsetof(tutti_layer_spec, member)
#define TUTTI_ANY        1e300
#define TUTTI_BELOW_ONE  0.99999999999999988898 // the largest double below 1

/** The field "trainable" of each kind that has weights. */
#define TUTTI_FIELD_TRAINABLE                                                                                \
  { "trainable", "trainable", TUTTI_WORD_NO_FLAG, false, TUTTI_AT(frozen), 0, 0, "yes or no", 0 }

enum { TUTTI_MAX_FIELDS = 8 };

// --- derivatives along a direction (tangent.c) -----------------------------------------------------------

/** Derivatives of a layer's values along a direction of the parameters, in the last forward pass (Pearlmutter 1994):
 * a `t` before the name of a value stands for its derivative. */
typedef struct {
  float *ty; // [max_rows, n_out] of the outputs; owned
  float
      *tz; // [max_rows, n_out] of the inputs of the activation: owned, or ty if the layer has no other inputs
  const float *out; // [rows, n_out] of the values that the layer passed on; NULL: 0, no weights before it
} tutti_tangent;

/** A layer in a pass that carries such derivatives, in evaluation.  Forward uses the members up to `spare`; backward
 * all. */
typedef struct {
  const tutti_layer *layer;
  tutti_tangent *tangent;
  tutti_matmul_by products;
  int rows;
  const float *params, *v; // of the layer; v NULL: no direction, the gradient alone
  const float *x, *tx;     // inputs; tx NULL: 0
  float *spare;            // [max_rows, widest layer]
  float *dy, *tdy;         // gradient by the outputs, and its derivative (NULL without a direction)
  float *dx, *tdx;         // by the inputs; NULL: not needed; equal to dy and tdy if the layer works in place
  float *grads; // [n_params] of the layer: the gradient, or with a direction its derivative; written
} tutti_tangent_pass;

// --- a kind of layer (kinds.c) ---------------------------------------------------------------------------

/** A kind of layer: one table in one file.  A layer keeps nothing of a micro-batch but its output, the numbers that
 * backward needs, and the digits of gradients of vectors that float cannot hold. */
typedef struct {
  const char *type;    // as Keras' summary prints it: "Dense"
  const char *name;    // the beginning of the layers' names: "dense"
  const char *example; // words of a layer that fits between dense layers, for tests that go over all kinds

  tutti_layer_field fields[TUTTI_MAX_FIELDS]; // a field without a label ends them
  tutti_layer_spec usual;                     // defaults

  bool
      in_place; // backward turns dy into dx, which is the same array (or NULL: not needed); else it writes dx
  bool has_activation; // ends with spec.activation
  /** In training, the outputs of a sample depend on the other samples of its group of spec.ghost samples of the
   * global batch (0: of the whole batch), if the layer is not frozen; its state moves with spec.momentum towards
   * that of the groups. */
  bool mixes_samples;
  /** Whether in evaluation its outputs lie between the least and the largest of its inputs.  NULL: they do not. */
  bool (*keeps_range)(const tutti_layer_spec *spec);

  size_t own_bytes;           // size of layer->own, the kind's own struct, which starts as zeros
  void (*release)(void *own); // frees the memory that the struct owns; NULL: none

  bool keeps_values; // layer->kept is allocated; setup may change its mind

  /** Set n_out, if it is not n_in, add the arrays, and allocate what the kind alone needs.  NULL: nothing of these. */
  tutti_status (*setup)(tutti_model *model, tutti_layer *layer);

  /** Allocate memory for leaves of leaf_rows samples, n_leaves of a global batch.  NULL: the layer needs none. */
  tutti_status (*reserve)(tutti_layer *layer, int64_t batch_count, int n_leaves, int64_t leaf_rows);

  /** Write the outputs for x[rows, n_in] to layer->y; or set layer->out, which is layer->y before the call, to x if
   * nothing changes. */
  tutti_status (*forward)(tutti_layer *layer, const tutti_batch_pass *batch, const float *x);

  /** The gradients of the parameters, and dx[rows, n_in] (NULL: not needed) from dy[rows, n_out], which is
   * overwritten. */
  tutti_status (*backward)(tutti_layer *layer, const tutti_batch_pass *batch, const float *x, float *dy,
                           float *dx);

  /** The same in evaluation with derivatives along a direction: ty = f_x tx + f_w v for y = f(x, w), and tdx = f_x'
   * tdy + (d f_x)' dy for the gradient dx = f_x' dy.  Forward writes ty, or sets tangent->out, which is ty before.
   * Both NULL: the kind has no second derivatives, and a request for them fails. */
  void (*tangent_forward)(const tutti_tangent_pass *pass);
  void (*tangent_backward)(const tutti_tangent_pass *pass);
} tutti_layer_ops;

#define X(code, word, sentence) extern const tutti_layer_ops tutti_layer_##word##_ops;
#include "tutti/layers.def"

const tutti_layer_ops *tutti_layer_ops_of(tutti_layer_kind kind);

// --- a layer and the model -------------------------------------------------------------------------------

struct tutti_layer {
  tutti_layer_spec spec;
  const tutti_layer_ops *ops;
  char name[40];
  int index; // in the model: the part of the stream of its noise
  int n_in, n_out;
  int64_t offset,
      n_params;      // in the flat buffers; a frozen layer has nothing there: its offset is in the state
  int64_t n_weights; // trained or frozen
  int64_t state,
      n_state; // in the state: arrays that are not trained; of a frozen layer `state` is behind its weights
  bool gives_logits; // last layer whose activation is part of the loss: it is left out
  bool keeps_values; // has `kept`
  const float *out;  // of the last forward
  float *y;          // [max_rows, n_out] owned
  float *kept;       // [max_rows, n_out] owned; values of forward that backward needs; or NULL
  double *sums;      // [TUTTI_MAX_TRAINED * n_out] owned; gradients of vectors before they were rounded
  void *own;         // [ops->own_bytes] owned; or NULL
};

typedef struct {
  tutti_model_array view;
  bool frozen;   // in the state, behind the moving arrays
  uint32_t part; // of the stream of initial weights: the number of the array, whether it is trained or not
  bool random;   // starts by `initializer`, else with `fill`
  tutti_initializer initializer;
  float fill;
} tutti_array;

struct tutti_model {
  tutti_layer *layers; // [n_layers] owned
  int n_layers, first_trained;
  int n_in, max_rows, n_rows; // n_rows: of the last forward
  int64_t leaf_rows;          // samples in the gradient before this micro-batch
  tutti_loss loss;
  double label_smoothing;
  bool one_hot; // see tutti_targets
  tutti_matmul_by products;
  tutti_model_product_times *product_times; // borrowed; or NULL
  tutti_activation last_activation;         // applied to logits by `predict`
  tutti_initializer initializer;
  tutti_array *trained, *states; // owned
  int n_trained, n_states;       // arrays
  uint32_t n_weight_arrays;      // trained or frozen
  int64_t n_params, n_state;     // elements
  int64_t n_moving, n_frozen;    // elements of the state, in this order
  float *state;                  // [n_state] owned
  int n_leaves;                  // whose sums are kept apart in `moving`
  double *moving; // [n_leaves][n_moving] owned; added to the state by this rank at the end of the step
  double *row_squares[2]; // [max_rows] owned; squared norms of rows
  float *delta[2];        // [max_rows, widest layer] owned; gradients by outputs
};

enum {
  TUTTI_MAX_TRAINED = 2,   // arrays of a layer
  TUTTI_CHAIN_ROWS = 4096, // samples of a leaf that one chain of float sums over, see dense.c
};

/** The layer's weights: in the flat buffer `params`, or in the state if they are frozen. */
static inline const float *tutti_layer_weights(const tutti_model *model, const tutti_layer *layer,
                                               const float *params) {
  return (layer->spec.frozen ? model->state : params) + layer->offset;
}

static inline bool tutti_layer_mixes_samples(const tutti_layer *layer) {
  return layer->ops->mixes_samples && !layer->spec.frozen;
}

// --- sums with more digits than float (batch_pass.c) -----------------------------------------------------

/** layer->sums: the gradient of n parameters so far, to which the layer adds the rows of a leaf.  If the pass
 * accumulates, it has the digits that the micro-batch before had to round away: without them 16384 micro-batches of
 * like samples would lose 1e-4.  tutti_layer_round writes it to the gradient. */
double *tutti_layer_sums(const tutti_layer *layer, const tutti_batch_pass *batch, const float *grads, int n);
void tutti_layer_round(const tutti_layer *layer, int n, float *grads);

/** Add sums over rows of numbers that x[rows, n] and dy[rows, n] give to sums. */
typedef void (*tutti_layer_add_rows)(const float *x, const float *dy, int64_t rows, int64_t n, double *sums);

/** Gradients of the layer's vectors [n] at `begin` of the flat buffer, for each leaf.
 * @param[in] count     elements of all the vectors
 * @param[in] add_rows  adds the gradients to sums[count] */
void tutti_layer_vector_gradients(const tutti_layer *layer, const tutti_batch_pass *batch, const float *x,
                                  const float *dy, int64_t begin, int count, tutti_layer_add_rows add_rows);

// --- for setup (layer.c) ---------------------------------------------------------------------------------

/** Append an array to the flat buffers (trainable) or to the state.
 * @param[in] array  with name, rows, cols, trainable (for a frozen layer: as if it were not) and start; the rest is
 *                   set here
 * @return ERR_CONFIG more elements than can be counted */
TUTTI_NODISCARD
tutti_status tutti_layer_add_array(tutti_model *model, tutti_layer *layer, tutti_array array);

/** Append a vector of one element per feature that starts with `fill`. */
TUTTI_NODISCARD
tutti_status tutti_layer_add_vector(tutti_model *model, tutti_layer *layer, const char *name, bool trainable,
                                    float fill);

// --- for tangent passes (tangent.c) ----------------------------------------------------------------------

/** The activation that a layer applies: none if it is part of the loss. */
tutti_activation tutti_layer_activation(const tutti_layer *layer);

/** Turn gradients by the outputs of the layer's activation, pass->dy and pass->tdy, into those by its inputs z, in
 * place.
 * @param[in] tz  derivative of z; NULL: 0 */
void tutti_model_tangent_activation(const tutti_tangent_pass *pass, const float *z, const float *tz);

/** n zeros, for the gradient of vectors. */
double *tutti_model_tangent_sums(const tutti_tangent_pass *pass, int n);
