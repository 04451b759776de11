#pragma once
/** What the files of the curvature share: one layer of a pass that carries, beside each value, its derivative along a
 * direction of the parameters (Pearlmutter 1994).  Private to this room. */
#include "model/model_impl.h"

/** Derivatives along the direction, of the last forward pass. */
typedef struct {
  float *ty; // [max_rows, n_out] of the outputs; owned
  float *tz; // [max_rows, n_out] of the inputs of a dense layer's activation: owned, or ty where it has none
  const float *out; // [rows, n_out] of what the layer gave on; NULL: 0, no weights before it
} tutti_tangent;

/** A layer in a pass.  Forward reads and writes what comes first; backward all. */
typedef struct {
  const tutti_layer *layer;
  tutti_tangent *tangent;
  tutti_sum_order order;
  int rows;
  const float *params, *v; // of the layer; v NULL: no direction, the gradient alone
  const float *x, *tx;     // inputs; tx NULL: 0
  float *spare;            // [max_rows, widest layer]
  float *dy, *tdy;         // gradient by the outputs, and its derivative (NULL without a direction)
  float *dx, *tdx; // by the inputs; NULL: not wanted; the same as dy and tdy unless the layer is dense
  float *grads;    // [n_params] of the layer: the gradient, or with a direction its derivative; written
} tutti_bend;

typedef struct {
  void (*forward)(const tutti_bend *bend); // sets bend->tangent
  void (*backward)(const tutti_bend *bend);
} tutti_bend_ops;

/** Local.  Of each kind of layer, as it is in evaluation; NULL: of this one there are no second derivatives. */
const tutti_bend_ops *tutti_bend_ops_of(tutti_layer_kind kind);

/** Local.  The activation that a dense or activation layer applies: none where the loss contains it. */
tutti_activation tutti_bend_activation(const tutti_layer *layer);
