// Duchi, Hazan, Singer 2011: a += g^2; w -= lr g / sqrt(a).  Keras starts the sum at 0.1, PyTorch at 0.
#include <math.h>

#include "optim/optim_impl.h"

enum { ACCUMULATOR };

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  (void)t;
  s->rate = (float)lr;
  tutti_optim_epsilon(&optim->options, s);
}

TUTTI_CLONES static void loop(float rate, float eps_in, float eps_out, int64_t n, float *restrict a,
                              float *restrict w, const float *restrict g) {
  for (int64_t i = 0; i < n; i++) {
    a[i] += g[i] * g[i];
    w[i] -= rate * g[i] / (sqrtf(a[i] + eps_in) + eps_out);
  }
}

static void update(const tutti_optim_options *options, const tutti_scalars *s, float *const *slots, int64_t n,
                   float *w, const float *g) {
  (void)options;
  loop(s->rate, s->eps_in, s->eps_out, n, slots[ACCUMULATOR], w, g);
}

const tutti_optim_ops tutti_optim_adagrad = {{{"accumulator",
                                               NULL,
                                               {[TUTTI_DIALECT_KERAS] = 0.1f, [TUTTI_DIALECT_TORCH] = 0},
                                               "sum of squared gradients",
                                               false}},
                                             scalars,
                                             update,
                                             NULL,
                                             NULL};
