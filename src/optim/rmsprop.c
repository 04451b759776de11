/** RMSprop (Tieleman and Hinton 2012): w -= lr g / sqrt(v) with v the mean of g^2.  `centered` divides by the deviation of g instead
 * (Graves 2013), and momentum adds up these directions: with the learning rate inside the velocity in Keras, outside of it in
 * PyTorch. */
#include <math.h>

#include "optim/optim_impl.h"

enum { VELOCITY, MOMENTUM, AVERAGE }; // v, the velocity, mean of g for `centered`

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
TUTTI_INLINE void loop(const tutti_scalars *s, bool momentum, bool centered, int64_t n, float *restrict v,
                       float *restrict m, float *restrict average, float *restrict w,
                       const float *restrict g) {
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

TUTTI_CLONES static void plain(const tutti_scalars *s, int64_t n, float *v, float *w, const float *g) {
  loop(s, false, false, n, v, NULL, NULL, w, g);
}

TUTTI_CLONES static void with_momentum(const tutti_scalars *s, int64_t n, float *v, float *m, float *w,
                                       const float *g) {
  loop(s, true, false, n, v, m, NULL, w, g);
}

TUTTI_CLONES static void centered(const tutti_scalars *s, int64_t n, float *v, float *average, float *w,
                                  const float *g) {
  loop(s, false, true, n, v, NULL, average, w, g);
}

TUTTI_CLONES static void centered_with_momentum(const tutti_scalars *s, int64_t n, float *v, float *m,
                                                float *average, float *w, const float *g) {
  loop(s, true, true, n, v, m, average, w, g);
}

static void update(const tutti_optim_options *options, const tutti_scalars *s, float *const *slots, int64_t n,
                   float *w, const float *g) {
  (void)options;
  float *v = slots[VELOCITY], *m = slots[MOMENTUM], *average = slots[AVERAGE];
  if (m && average)
    centered_with_momentum(s, n, v, m, average, w, g);
  else if (average)
    centered(s, n, v, average, w, g);
  else if (m)
    with_momentum(s, n, v, m, w, g);
  else
    plain(s, n, v, w, g);
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
