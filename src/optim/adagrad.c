/** Adagrad (Duchi, Hazan, Singer 2011): a += g^2; w -= lr g / sqrt(a).  Keras starts the sum at 0.1 and has epsilon
 * inside the root, PyTorch starts it at 0 and has epsilon outside. */
#include <math.h>

#include "optim/optim_impl.h"

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  (void)t;
  s->rate = (float)lr;
  tutti_optim_set_epsilon(&optim->options, s);
}

TUTTI_INLINE void loop(const tutti_scalars *s, int64_t n, float *restrict w, const float *restrict g,
                       float *restrict a) {
  const float rate = s->rate, eps_in = s->eps_in, eps_out = s->eps_out;
  for (int64_t i = 0; i < n; i++) {
    a[i] += g[i] * g[i];
    w[i] -= rate * g[i] / (sqrtf(a[i] + eps_in) + eps_out);
  }
}

/** Weights that stay need no root and no division. */
TUTTI_CLONES static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n,
                                float *w, const float *g, float *a, float *b, float *c) {
  (void)options, (void)b, (void)c;
  int64_t at = 0;
  for (; at + TUTTI_GROUP <= n; at += TUTTI_GROUP)
    if (!tutti_optim_stays(s, g + at, a + at)) loop(s, TUTTI_GROUP, w + at, g + at, a + at);
  loop(s, n - at, w + at, g + at, a + at);
}

const tutti_optim_table tutti_optim_adagrad = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-3, 1e-2},
              {TUTTI_TAKES_EPSILON, 1e-7, 1e-10},
              {TUTTI_TAKES_WEIGHT_DECAY, 0, 0}},
    .slots = {{"accumulator", .initial = {[TUTTI_DIALECT_KERAS] = 0.1f},
               .quantity = "sum of squared gradients"}},
    .scalars = scalars,
    .update = update,
};
