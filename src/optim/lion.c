/** Lion (Chen et al., arXiv 2302.06675, algorithm 2): the step is the sign of a mean of momentum and gradient,
 *   w -= lr sign(beta_1 m + (1 - beta_1) g);  m = beta_2 m + (1 - beta_2) g
 * with decoupled weight decay. */
#include "optim/optim_impl.h"

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  (void)t;
  s->rate = (float)lr;
  s->blend_1 = (float)(1 - optim->options.beta_1);
  s->blend_2 = (float)(1 - optim->options.beta_2);
}

TUTTI_CLONES static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n,
                                float *restrict w, const float *restrict g, float *restrict m, float *b,
                                float *c) {
  (void)options, (void)b, (void)c;
  const float rate = s->rate, blend_1 = s->blend_1, blend_2 = s->blend_2;
  for (int64_t i = 0; i < n; i++) {
    const float direction = tutti_optim_blend(blend_1, m[i], g[i]);
    m[i] = tutti_optim_blend(blend_2, m[i], g[i]);
    // 0 and NaN have no sign and stay as they are, so that a broken gradient is seen.
    w[i] -= rate * (direction > 0 ? 1 : direction < 0 ? -1 : direction);
  }
}

// Keras' defaults are those of its own code; with dialect torch they are the paper's.
const tutti_optim_table tutti_optim_lion = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-3, 1e-4},
              {TUTTI_TAKES_BETA_1, 0.9, 0.9},
              {TUTTI_TAKES_BETA_2, 0.99, 0.99},
              {TUTTI_TAKES_WEIGHT_DECAY, 0, 0}},
    .slots = {{"momentum", .quantity = TUTTI_MEAN_GRADIENT}},
    .decoupled_decay = true,
    .scalars = scalars,
    .update = update,
};
