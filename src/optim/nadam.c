/** Nadam (Dozat 2016): Adam with Nesterov's look-ahead.  With u_t = beta_1 (1 - 0.96^(p t) / 2) and P_t = u_1 ... u_t
 *   m_hat = u_{t+1} m / (1 - P_{t+1}) + (1 - u_t) g / (1 - P_t);  w -= lr m_hat / (sqrt(v / (1 - beta_2^t)) + eps)
 * where p is 1 in Keras and 0.004 in PyTorch.  The second bias correction is moved to the rates and to epsilon, as in
 * adam.c. */
#include <math.h>

#include "optim/optim_impl.h"

static double u_of(const tutti_optim_options *options, int64_t t) {
  const double p = options->dialect == TUTTI_DIALECT_KERAS ? 1 : 0.004;
  return options->beta_1 * (1 - 0.5 * pow(0.96, p * (double)t));
}

/** P_t, a function of t alone: a resumed run forms it again from the start, with the same bits. */
static double product_to(tutti_optim *optim, int64_t t) {
  if (t < optim->product_t) optim->product_t = 0;
  if (optim->product_t == 0) optim->product = 1;
  while (optim->product_t < t && optim->product > 0)
    optim->product *= u_of(&optim->options, ++optim->product_t);
  optim->product_t = t;
  return optim->product;
}

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  const tutti_optim_options *options = &optim->options;
  const double c = sqrt(1 - pow(options->beta_2, (double)t));
  const double u = u_of(options, t), u_next = u_of(options, t + 1), product = product_to(optim, t);
  s->blend_1 = (float)(1 - options->beta_1);
  s->blend_2 = (float)(1 - options->beta_2);
  s->rate_m = (float)(lr * c * u_next / (1 - product * u_next));
  s->rate_g = (float)(lr * c * (1 - u) / (1 - product));
  s->eps_out = (float)(c * options->epsilon);
}

TUTTI_CLONES static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n,
                                float *restrict w, const float *restrict g, float *restrict m,
                                float *restrict v, float *unused) {
  (void)options, (void)unused;
  const float rate_m = s->rate_m, rate_g = s->rate_g, blend_1 = s->blend_1, blend_2 = s->blend_2,
              eps = s->eps_out;
  for (int64_t i = 0; i < n; i++) {
    m[i] = tutti_optim_blend(blend_1, m[i], g[i]);
    v[i] = tutti_optim_blend(blend_2, v[i], g[i] * g[i]);
    w[i] -= (rate_m * m[i] + rate_g * g[i]) / (sqrtf(v[i]) + eps);
  }
}

const tutti_optim_table tutti_optim_nadam = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-3, 2e-3},
              {TUTTI_TAKES_BETA_1, 0.9, 0.9},
              {TUTTI_TAKES_BETA_2, 0.999, 0.999},
              {TUTTI_TAKES_EPSILON, 1e-7, 1e-8},
              {TUTTI_TAKES_WEIGHT_DECAY, 0, 0}},
    .slots = {{"momentum", .quantity = TUTTI_MEAN_GRADIENT}, {"velocity", .quantity = TUTTI_MEAN_SQUARE}},
    .scalars = scalars,
    .update = update,
};
