/** Stochastic gradient descent with momentum: v = keep v + gain g; w -= rate v.  Keras has the learning rate inside
 * the velocity, with its sign (gain = -lr, rate = -1), so that a velocity keeps the rates of its past; PyTorch has
 * it outside (gain = 1, rate = lr).  Nesterov's form (Sutskever et al. 2013) looks ahead by one more step of the
 * same velocity. */
#include "optim/optim_impl.h"

static bool has_momentum(const tutti_optim_options *options) {
  return options->momentum > 0;
}

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  (void)t;
  s->keep = (float)optim->options.momentum;
  tutti_optim_place_rate(optim, lr, s);
  if (!tutti_optim_has_rate_inside(optim->rule, &optim->options)) return;
  s->gain = -s->gain; // Keras' velocity points downhill
  s->rate = -s->rate;
}

TUTTI_CLONES static void heavy_ball(const tutti_scalars *s, int64_t n, float *restrict w,
                                    const float *restrict g, float *restrict v) {
  const float keep = s->keep, gain = s->gain, rate = s->rate;
  for (int64_t i = 0; i < n; i++) {
    v[i] = keep * v[i] + gain * g[i];
    w[i] -= rate * v[i];
  }
}

TUTTI_CLONES static void nesterov(const tutti_scalars *s, int64_t n, float *restrict w,
                                  const float *restrict g, float *restrict v) {
  const float keep = s->keep, gain = s->gain, rate = s->rate;
  for (int64_t i = 0; i < n; i++) {
    v[i] = keep * v[i] + gain * g[i];
    w[i] -= rate * (keep * v[i] + gain * g[i]);
  }
}

static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n, float *w,
                   const float *g, float *v, float *b, float *c) {
  (void)b, (void)c;
  if (v)
    (options->nesterov ? nesterov : heavy_ball)(s, n, w, g, v);
  else
    tutti_optim_move(s->rate, n, w, g);
}

/** Keras' velocity points downhill. */
static void refine_unit(const tutti_optim_options *options, tutti_unit_of_state *unit) {
  unit->is_negative = options->dialect == TUTTI_DIALECT_KERAS;
}

const tutti_optim_table tutti_optim_sgd = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-2, 1e-3},
              {TUTTI_TAKES_MOMENTUM, 0, 0},
              {TUTTI_TAKES_NESTEROV},
              {TUTTI_TAKES_WEIGHT_DECAY, 0, 0}},
    .slots = {{"momentum", .needed = has_momentum, .quantity = TUTTI_SUM_OF_GRADIENTS, .is_velocity = true,
               .refine = refine_unit}},
    .scalars = scalars,
    .update = update,
};
