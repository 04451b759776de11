/** RMSprop (Tieleman and Hinton 2012): w -= lr g / sqrt(v) with v the mean of g^2.  `centered` divides by the
 * deviation of g instead (Graves 2013), and momentum adds up these directions: with the learning rate inside the
 * velocity in Keras, outside of it in PyTorch. */
#include <math.h>

#include "optim/optim_impl.h"

static bool has_momentum(const tutti_optim_options *options) {
  return options->momentum > 0;
}

static bool is_centered(const tutti_optim_options *options) {
  return options->centered;
}

/** Without momentum the rate is outside, as in PyTorch. */
static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  (void)t;
  s->blend_2 = (float)(1 - optim->options.rho);
  s->keep = (float)optim->options.momentum;
  tutti_optim_place_rate(optim, lr, s);
  tutti_optim_set_epsilon(&optim->options, s);
}

/** One loop with four instances: the flags are constants after inlining. */
TUTTI_INLINE void loop(const tutti_scalars *s, bool momentum, bool centered, int64_t n, float *restrict w,
                       const float *restrict g, float *restrict v, float *restrict m,
                       float *restrict average) {
  const float blend = s->blend_2, keep = s->keep, gain = s->gain, rate = s->rate, eps_in = s->eps_in,
              eps_out = s->eps_out;
  for (int64_t i = 0; i < n; i++) {
    v[i] = tutti_optim_blend(blend, v[i], g[i] * g[i]);
    float spread = v[i];
    if (centered) {
      average[i] = tutti_optim_blend(blend, average[i], g[i]);
      const float variance = v[i] - average[i] * average[i];
      spread = variance < 0 ? 0 : variance; // negative by rounding; a NaN stays
    }
    const float direction = gain * g[i] / (sqrtf(spread + eps_in) + eps_out);
    if (momentum) {
      m[i] = keep * m[i] + direction;
      w[i] -= rate * m[i];
    } else {
      w[i] -= rate * direction;
    }
  }
}

/** The loop without momentum and mean gradient.  Roots and divisions are its time, and weights that stay need
 * none. */
TUTTI_INLINE void plain_loop(const tutti_scalars *s, int64_t n, float *restrict w, const float *restrict g,
                             float *restrict v) {
  const float blend = s->blend_2;
  int64_t at = 0;
  for (; at + TUTTI_GROUP <= n; at += TUTTI_GROUP)
    if (tutti_optim_stays(s, g + at, v + at))
      for (int64_t i = at; i < at + TUTTI_GROUP; i++) v[i] = tutti_optim_blend(blend, v[i], 0);
    else
      loop(s, false, false, TUTTI_GROUP, w + at, g + at, v + at, NULL, NULL);
  loop(s, false, false, n - at, w + at, g + at, v + at, NULL, NULL);
}

/** v, the velocity, and for `centered` the mean of g. */
TUTTI_CLONES static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n,
                                float *w, const float *g, float *v, float *m, float *average) {
  (void)options;
  if (m && average)
    loop(s, true, true, n, w, g, v, m, average);
  else if (average)
    loop(s, false, true, n, w, g, v, NULL, average);
  else if (m)
    loop(s, true, false, n, w, g, v, m, NULL);
  else
    plain_loop(s, n, w, g, v);
}

const tutti_optim_table tutti_optim_rmsprop = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-3, 1e-2},
              {TUTTI_TAKES_RHO, 0.9, 0.99},
              {TUTTI_TAKES_MOMENTUM, 0, 0},
              {TUTTI_TAKES_CENTERED},
              {TUTTI_TAKES_EPSILON, 1e-7, 1e-8},
              {TUTTI_TAKES_WEIGHT_DECAY, 0, 0}},
    .slots = {{"velocity", .quantity = TUTTI_MEAN_SQUARE},
              {"momentum", .needed = has_momentum, .quantity = "sum of gradients / root of their mean square",
               .is_velocity = true},
              {"average_gradient", .needed = is_centered, .quantity = TUTTI_MEAN_GRADIENT}},
    .scalars = scalars,
    .update = update,
};
