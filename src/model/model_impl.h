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

/** What a kind of layer does.  Layers keep nothing of a micro-batch but their output, what backward needs, and the
 * digits of gradients of vectors that float has no room for. */
typedef struct {
  const char *type; // as Keras' summary prints it: "Dense"
  const char *name; // what its names begin with: "dense"
  bool
      in_place; // backward turns dy into dx, which is the same array (or NULL: not wanted); else it writes dx

  /** Set n_out, name the arrays, allocate.  What it allocates, tutti_model_destroy frees. */
  tutti_status (*setup)(tutti_model *model, tutti_layer *layer);

  /** layer->out = the outputs for x[rows, n_in]: layer->y, or x itself where nothing changes. */
  tutti_status (*forward)(tutti_model *model, tutti_layer *layer, const tutti_flow *flow, const float *x);

  /** Gradients of the parameters, and dx[rows, n_in] (NULL: not wanted) from dy[rows, n_out], which is
   * overwritten. */
  tutti_status (*backward)(tutti_model *model, tutti_layer *layer, const tutti_flow *flow, const float *x,
                           float *dy, float *dx);
} tutti_layer_ops;

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

extern const tutti_layer_ops tutti_dense_ops, tutti_activation_ops, tutti_dropout_ops, tutti_batch_norm_ops,
    tutti_gaussian_noise_ops, tutti_gaussian_dropout_ops, tutti_alpha_dropout_ops, tutti_prelu_ops;

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
