#pragma once
/** A network in double precision, written from the definitions, without code of src/model: the gradients of the library are
 * compared with central differences of it.  One call passes one whole global batch; groups and noise follow from the pass. */
#include "tutti/model.h"

typedef struct {
  const tutti_layer_spec *layers; // [n_layers]
  int n_layers;
  int64_t n_in;
  tutti_loss loss; // never AUTO
} reference_net;

typedef struct {
  double loss, metric; // sums over the rows
  double kink;         // the smallest distance of an argument from a point without a second derivative
} reference_result;

/** Forward pass of x[rows, n_in].
 * @param[in,out] state    as tutti_model_state; training moves it (NULL: not wanted)
 * @param[out]    outputs  [rows, n_out], or NULL */
reference_result reference_net_run(const reference_net *net, const double *params, double *state,
                                   const tutti_model_pass *pass, const double *x, tutti_targets targets,
                                   int64_t rows, double *outputs);
