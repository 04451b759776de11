/** Lamb (You et al., arXiv 1904.00962), with the identity as its phi: w -= lr |w| / |u| u with u = m_hat /
 * (sqrt(v_hat) + eps) + decay w.  Keras has the decay outside of u, before the update, as in all its rules.  The
 * bias corrections are moved to one factor and to epsilon, as in adam.c. */
#include <math.h>

#include "optim/optim_impl.h"

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  const tutti_optim_options *options = &optim->options;
  const double c = sqrt(1 - pow(options->beta_2, (double)t));
  s->blend_1 = (float)(1 - options->beta_1);
  s->blend_2 = (float)(1 - options->beta_2);
  s->gain = (float)(c / (1 - pow(options->beta_1, (double)t)));
  s->eps_out = (float)(c * options->epsilon);
  s->rate = (float)lr;
}

/** g becomes u. */
TUTTI_CLONES static void prepare(const tutti_optim_options *options, const tutti_scalars *s, int64_t n,
                                 const float *restrict w, float *restrict g, float *restrict m,
                                 float *restrict v, float *unused) {
  (void)options, (void)unused;
  const float gain = s->gain, blend_1 = s->blend_1, blend_2 = s->blend_2, eps = s->eps_out, decay = s->decay;
  for (int64_t i = 0; i < n; i++) {
    m[i] = tutti_optim_blend(blend_1, m[i], g[i]);
    v[i] = tutti_optim_blend(blend_2, v[i], g[i] * g[i]);
    g[i] = gain * m[i] / (sqrtf(v[i]) + eps) + decay * w[i];
  }
}

static double ratio(const tutti_optim_options *options, double w, double d) {
  (void)options;
  return w / d;
}

static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n, float *w,
                   const float *u, float *a, float *b, float *c) {
  (void)options, (void)a, (void)b, (void)c;
  tutti_optim_move(s->rate * s->ratio, n, w, u);
}

static bool decays_inside(const tutti_optim_options *options) {
  return options->dialect == TUTTI_DIALECT_TORCH;
}

const tutti_optim_table tutti_optim_lamb = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-3, 1e-3},
              {TUTTI_TAKES_BETA_1, 0.9, 0.9},
              {TUTTI_TAKES_BETA_2, 0.999, 0.999},
              {TUTTI_TAKES_EPSILON, 1e-7, 1e-6},
              {TUTTI_TAKES_WEIGHT_DECAY, 0, 1e-2}},
    .slots = {{"momentum", .quantity = TUTTI_MEAN_GRADIENT}, {"velocity", .quantity = TUTTI_MEAN_SQUARE}},
    .decays_inside = decays_inside,
    .scalars = scalars,
    .update = update,
    .prepare = prepare,
    .ratio = ratio,
};
