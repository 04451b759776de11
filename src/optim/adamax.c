/** Adamax (Kingma and Ba, arXiv 1412.6980, section 7.1): Adam with the largest |g|, slowly forgotten, instead of the
 * root of v: u = max(beta_2 u, |g|); w -= lr / (1 - beta_1^t) m / u.  Keras adds epsilon to the denominator, PyTorch
 * to |g|. */
#include <math.h>

#include "optim/optim_impl.h"

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  const tutti_optim_options *options = &optim->options;
  const bool keras = options->dialect == TUTTI_DIALECT_KERAS;
  s->rate = (float)(lr / (1 - pow(options->beta_1, (double)t)));
  s->blend_1 = (float)(1 - options->beta_1);
  s->keep = (float)options->beta_2;
  s->eps_in = (float)(keras ? 0 : options->epsilon);
  s->eps_out = (float)(keras ? options->epsilon : 0);
}

TUTTI_CLONES static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n,
                                float *restrict w, const float *restrict g, float *restrict m,
                                float *restrict u, float *unused) {
  (void)options, (void)unused;
  const float rate = s->rate, blend = s->blend_1, keep = s->keep, eps_in = s->eps_in, eps_out = s->eps_out;
  for (int64_t i = 0; i < n; i++) {
    m[i] = tutti_optim_blend(blend, m[i], g[i]);
    const float old = keep * u[i], now = fabsf(g[i]) + eps_in;
    u[i] = old > now ? old : now;
    w[i] -= rate * m[i] / (u[i] + eps_out);
  }
}

const tutti_optim_table tutti_optim_adamax = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-3, 2e-3},
              {TUTTI_TAKES_BETA_1, 0.9, 0.9},
              {TUTTI_TAKES_BETA_2, 0.999, 0.999},
              {TUTTI_TAKES_EPSILON, 1e-7, 1e-8},
              {TUTTI_TAKES_WEIGHT_DECAY, 0, 0}},
    .slots = {{"m", .quantity = TUTTI_MEAN_GRADIENT}, {"u", .quantity = "largest gradient"}},
    .scalars = scalars,
    .update = update,
};
