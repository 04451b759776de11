/** Helpers of the layers in a pass that carries derivatives along a direction (Pearlmutter 1994).  The layers'
 * tangent passes call them, and curvature.c the activation. */
#include <string.h>

#include "linalg/activation.h"
#include "model/model_impl.h"

/** The loss contains the activation of a layer that gives logits. */
tutti_activation tutti_layer_activation(const tutti_layer *layer) {
  return layer->ops->has_activation && !layer->gives_logits ? layer->spec.activation : TUTTI_LINEAR;
}

/** dz = f'(z) dy has the derivative f'(z) tdy + f''(z) tz dy. */
void tutti_model_tangent_activation(const tutti_tangent_pass *pass, const float *z, const float *tz) {
  const tutti_activation kind = tutti_layer_activation(pass->layer);
  const float *y = pass->layer->y;
  const int rows = pass->rows, n = pass->layer->n_out;
  if (kind == TUTTI_LINEAR) return;
  if (pass->tdy) {
    tutti_activation_backward(kind, z, y, pass->tdy, rows, n, pass->tdy);
    tutti_activation_curvature(kind, z, y, tz, pass->tangent->ty, pass->dy, rows, n, pass->tdy);
  }
  tutti_activation_backward(kind, z, y, pass->dy, rows, n, pass->dy);
}

double *tutti_model_tangent_sums(const tutti_tangent_pass *pass, int n) {
  double *sums = pass->layer->sums;
  memset(sums, 0, (size_t)n * sizeof *sums);
  return sums;
}
