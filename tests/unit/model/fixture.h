#pragma once
/** A network with parameters, a batch of samples and a gradient buffer, for tests. */
#include "support/check.h"
#include "support/reference_net.h"

enum { MAX_LAYERS = 8, MAX_SAMPLES = 64 };

typedef struct {
  tutti_layer_spec layers[MAX_LAYERS];
  int n_layers;
  int64_t n_in, n_out, n_params, rows;
  tutti_model *model;
  float *params, *grads; // [n_params]
  float *x;              // [rows, n_in]
  float *values;         // [rows, n_out]
  int32_t *classes;      // [rows], for categorical_crossentropy
  bool by_value;         // categorical_crossentropy takes `values` all the same
  double label_smoothing;
} fixture;

/** Layers as words separated by commas.  Parameters and samples are random; `part` tells draws apart. */
void fixture_make(fixture *f, const char *layers, tutti_loss loss, int64_t n_in, int64_t rows, uint32_t part);
void fixture_make_smoothed(fixture *f, const char *layers, tutti_loss loss, double label_smoothing,
                           int64_t n_in, int64_t rows, uint32_t part);
void fixture_free(fixture *f);

/** New random parameters (no zeros, unlike initial biases) and samples. */
void fixture_draw(fixture *f, uint32_t part);

/** Of rows `first` on. */
tutti_targets fixture_targets(const fixture *f, int64_t first);

/** A training pass over the whole batch, somewhere in an epoch. */
tutti_model_pass fixture_pass(const fixture *f);

/** Forward, loss and backward of rows [first, first + n) with `pass` moved there; grads as the pass says. */
tutti_status fixture_step(fixture *f, tutti_model_pass pass, int64_t first, int64_t n, double *loss,
                          double *metric);

/** In double: a result at perturbed parameters. */
reference_net fixture_reference(const fixture *f);

/** Call `check` with small networks of each loss, named or left to the last layer. */
void fixture_each_loss(void (*check)(const char *layers, tutti_loss loss));

double fixture_norm(const float *values, int64_t n);
