#pragma once
/** What the files of this room share: a layer, what its kind does, and the model. */
#include "model/groups.h"
#include "tutti/model.h"

typedef struct tutti_layer tutti_layer;

/** One micro-batch on its way through the layers. */
typedef struct {
  const tutti_model_pass *pass;
  const float *params;
  float *grads; // backward
  int rows;
} tutti_flow;

/** The rows of a micro-batch that one leaf has. */
typedef struct {
  int leaf;
  int from, rows;
} tutti_piece;

/** Local.  Pieces of the micro-batch: its leaves, or all of it where they are not told apart. */
int tutti_flow_n_pieces(const tutti_flow *flow);
tutti_piece tutti_flow_piece(const tutti_flow *flow, int i);

/** Local.  Where the piece's gradient goes for parameters [begin, begin + n) of the flat buffer; to be written or, where
 * the pass accumulates, added to; and it is complete.  `settled`: backward reads these parameters no more. */
float *tutti_flow_gradient(const tutti_flow *flow, const tutti_piece *piece, int64_t begin, int64_t n);
void tutti_flow_done(const tutti_flow *flow, const tutti_piece *piece, int64_t begin, int64_t n,
                     bool settled);

/** Local.  Add the pieces' sums of squares[rows] to those of the pass. */
void tutti_flow_add_squares(const tutti_flow *flow, const double *squares);

/** What a word of a layer is.  NO_FLAG: "no" sets it. */
typedef enum {
  TUTTI_WORD_COUNT,
  TUTTI_WORD_REAL,
  TUTTI_WORD_FLAG,
  TUTTI_WORD_NO_FLAG,
  TUTTI_WORD_ACTIVATION,
  TUTTI_WORD_INITIALIZER
} tutti_layer_word;

/** One number or name of a kind of layer, at `at` in tutti_layer_spec.  Without a key it stands by its place, in the order
 * of the table. */
typedef struct {
  const char *key, *label; // label: how messages call it
  tutti_layer_word type;
  bool required;
  size_t at;
  double low, high;  // of a number
  const char *range; // what messages say of it
} tutti_layer_field;

#define TUTTI_AT(member) offsetof(tutti_layer_spec, member)
#define TUTTI_ANY        1e300
#define TUTTI_BELOW_ONE  0.99999999999999988898 // the largest double that is

/** "trainable", of each kind that has weights. */
#define TUTTI_FIELD_TRAINABLE                                                                                \
  { "trainable", "trainable", TUTTI_WORD_NO_FLAG, false, TUTTI_AT(frozen), 0, 0, "yes or no" }

enum { TUTTI_MAX_FIELDS = 8 };

/** Derivatives along a direction of the parameters, of the last forward pass (Pearlmutter 1994): t stands before the
 * derivative of a value. */
typedef struct {
  float *ty; // [max_rows, n_out] of the outputs; owned
  float *
      tz; // [max_rows, n_out] of the inputs of the layer's activation: owned, or ty if these are the layer's own
  const float *out; // [rows, n_out] of what the layer gave on; NULL: 0, no weights before it
} tutti_tangent;

/** A layer in a pass that carries such derivatives, in evaluation.  Forward reads and writes what comes first; backward
 * all. */
typedef struct {
  const tutti_layer *layer;
  tutti_tangent *tangent;
  tutti_sum_order order;
  int rows;
  const float *params, *v; // of the layer; v NULL: no direction, the gradient alone
  const float *x, *tx;     // inputs; tx NULL: 0
  float *spare;            // [max_rows, widest layer]
  float *dy, *tdy;         // gradient by the outputs, and its derivative (NULL without a direction)
  float *dx, *tdx; // by the inputs; NULL: not wanted; the same as dy and tdy if the layer works in place
  float *grads;    // [n_params] of the layer: the gradient, or with a direction its derivative; written
} tutti_tangent_pass;

/** What a kind of layer is and does: one table in one file.  Layers keep nothing of a micro-batch but their output, what
 * backward needs, and the digits of gradients of vectors that float has no room for. */
typedef struct {
  const char *type; // as Keras' summary prints it: "Dense"
  const char *name; // what its names begin with: "dense"
  const char
      *example; // a layer of the kind with dense layers around it, for the tests that go over all kinds

  tutti_layer_field fields[TUTTI_MAX_FIELDS]; // its words; no label: no more
  tutti_layer_spec usual;                     // what they are if they are left out

  bool
      in_place; // backward turns dy into dx, which is the same array (or NULL: not wanted); else it writes dx
  bool has_activation; // ends with spec.activation
  bool is_noise;       // an identity in evaluation
  /** In training a sample's outputs depend on the other samples of its group of spec.ghost samples of the global batch (0:
   * of all of it), if the layer is not frozen; what is left of these in its state moves by momentum. */
  bool mixes_samples;

  /** Set n_out, name the arrays, allocate.  What it allocates, tutti_model_destroy frees. */
  tutti_status (*setup)(tutti_model *model, tutti_layer *layer);

  /** Memory for leaves of leaf_rows samples, n_leaves of a global batch.  NULL: it needs none. */
  tutti_status (*reserve)(tutti_layer *layer, int64_t batch_count, int n_leaves, int64_t leaf_rows);

  /** layer->out = the outputs for x[rows, n_in]: layer->y, or x itself where nothing changes. */
  tutti_status (*forward)(tutti_model *model, tutti_layer *layer, const tutti_flow *flow, const float *x);

  /** Gradients of the parameters, and dx[rows, n_in] (NULL: not wanted) from dy[rows, n_out], which is
   * overwritten. */
  tutti_status (*backward)(tutti_model *model, tutti_layer *layer, const tutti_flow *flow, const float *x,
                           float *dy, float *dx);

  /** The same in evaluation with derivatives along a direction: of y = f(x, w) it is ty = f_x tx + f_w v, and of the
   * gradient dx = f_x' dy it is tdx = f_x' tdy + (d f_x)' dy.  Both NULL: the kind has no second derivatives, and what
   * needs them is refused. */
  void (*tangent_forward)(const tutti_tangent_pass *pass); // sets pass->tangent
  void (*tangent_backward)(const tutti_tangent_pass *pass);
} tutti_layer_ops;

#define X(code, word) extern const tutti_layer_ops tutti_##word##_ops;
#include "tutti/layers.def"

/** Local.  Of a kind of layer. */
const tutti_layer_ops *tutti_layer_ops_of(tutti_layer_kind kind);

struct tutti_layer {
  tutti_layer_spec spec;
  const tutti_layer_ops *ops;
  char name[40];
  int index; // in the model: the part of the stream of its noise
  int n_in, n_out;
  int64_t offset,
      n_params;      // in the flat buffers; of a frozen layer, which has none there, offset is in the state
  int64_t n_weights; // trained or frozen
  int64_t state,
      n_state;         // in the state: what is not trained; of a frozen layer `state` is behind its weights
  bool gives_logits;   // last layer, whose activation the loss contains: it is left out
  const float *out;    // of the last forward
  float *y;            // [max_rows, n_out] owned
  float *kept;         // [max_rows, n_out] owned; dense: inputs of the activation; noise: factors; or NULL
  float *scales;       // [max_rows] owned; a number of each row, of forward for backward; or NULL
  double *sums;        // [TUTTI_MAX_TRAINED * n_out] owned; gradients of vectors, before they were rounded
  double *links;       // [n_in * n_out] owned; dense: sum of the chains of a leaf that are over; or NULL
  float *chain;        // [n_in * n_out] owned; dense: the one that is under way; or NULL
  tutti_groups groups; // batch_norm
};

typedef struct {
  tutti_model_array view;
  bool frozen;   // in the state behind what moves
  uint32_t part; // of the stream of initial weights: the number of the array, whether it is trained or not
  bool random;   // starts by `initializer`, else with `fill`
  tutti_initializer initializer;
  float fill;
} tutti_array;

struct tutti_model {
  tutti_layer *layers; // [n_layers] owned
  int n_layers, first_trained;
  int n_in, max_rows, n_rows; // n_rows: of the last forward
  int64_t leaf_rows;          // that the gradient has, before this micro-batch
  tutti_loss loss;
  double label_smoothing;
  bool one_hot;                     // see tutti_targets
  tutti_sum_order order;            // of the products
  tutti_activation last_activation; // what `predict` puts on logits
  tutti_initializer initializer;
  tutti_array *trained, *states; // owned
  int n_trained, n_states;       // arrays
  uint32_t n_weight_arrays;      // trained or frozen
  int64_t n_params, n_state;     // elements
  int64_t n_moving, n_frozen;    // of the state, in this order
  float *state;                  // [n_state] owned
  int n_leaves;                  // whose sums are kept apart in moving
  double *moving; // [n_leaves][n_moving] owned; what this rank adds to the state at the end of the step
  double *row_squares[2]; // [max_rows] owned; squared norms of rows
  float *delta[2];        // [max_rows, widest layer] owned; gradients by outputs
};

enum {
  TUTTI_MAX_TRAINED = 2,   // arrays of a layer
  TUTTI_CHAIN_ROWS = 4096, // samples of a leaf that one chain of float sums over, see dense.c
};

/** Local.  Where the layer's weights are: in the flat buffer `params`, or in the state where they are frozen. */
static inline const float *tutti_layer_weights(const tutti_model *model, const tutti_layer *layer,
                                               const float *params) {
  return (layer->spec.frozen ? model->state : params) + layer->offset;
}

/** Local.  layer->sums: the gradient of n parameters as it stands, which the piece's rows are to be added to.  Where the
 * pass accumulates, it has the digits that the micro-batch before had to round away: 16384 micro-batches of like samples
 * would lose 1e-4 else.  tutti_layer_round writes it to the gradient. */
double *tutti_layer_sums(const tutti_layer *layer, const tutti_flow *flow, const float *grads, int n);
void tutti_layer_round(const tutti_layer *layer, int n, float *grads);

/** For setup: append an array to the flat buffers (trainable) or to the state.  Of `array` the name, rows,
 * cols, trainable (of a frozen layer: were it not) and how it starts are given; the rest is found here.  @return ERR_CONFIG more elements than
 * can be counted */
TUTTI_NODISCARD
tutti_status tutti_layer_add_array(tutti_model *model, tutti_layer *layer, tutti_array array);

/** For setup: a vector of one element a feature, starting with `fill`. */
TUTTI_NODISCARD
tutti_status tutti_layer_add_vector(tutti_model *model, tutti_layer *layer, const char *name, bool trainable,
                                    float fill);

/** For setup: layer->y, and layer->kept where it is wanted. */
TUTTI_NODISCARD
tutti_status tutti_layer_allocate(const tutti_model *model, tutti_layer *layer, bool kept);

/** Local.  y[n] += x[n]. */
void tutti_layer_add(const float *x, int64_t n, float *y);

// --- passes with derivatives along a direction (tangent.c) ----------------------------------------------------

/** Local.  The activation that a layer applies: none if the loss contains it. */
tutti_activation tutti_layer_activation(const tutti_layer *layer);

/** Local.  From gradients by the outputs of the layer's activation, pass->dy and pass->tdy, to those by its inputs z, in
 * place.
 * @param[in] tz  derivative of z; NULL: 0 */
void tutti_tangent_activation(const tutti_tangent_pass *pass, const float *z, const float *tz);

/** Local.  Zeros, for the gradient of n elements of vectors. */
double *tutti_tangent_sums(const tutti_tangent_pass *pass, int n);
