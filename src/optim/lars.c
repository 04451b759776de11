/** Lars, layer-wise adaptive rate scaling (You, Gitman and Ginsburg, arXiv 1708.03888; `paper` is its algorithm 1).
 * With q = g + decay w and the trust coefficient eta, per array:
 *   paper:    r = eta |w| / (|g| + decay |w|);  v = mu v + lr r q;  w -= v
 *   classic:  r = eta |w| / |q|;                v = mu v + lr r q;  w -= v
 *   popular:  v = mu v + q;  r = eta |w| / |v|;                     w -= lr r v */
#include "optim/optim_impl.h"

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  (void)t;
  s->keep = (float)optim->options.momentum;
  tutti_optim_place_rate(optim, lr, s);
}

TUTTI_CLONES static void push(float keep, float decay, int64_t n, float *restrict v, const float *restrict w,
                              float *restrict g) {
  for (int64_t i = 0; i < n; i++) g[i] = v[i] = keep * v[i] + (g[i] + decay * w[i]);
}

/** The array whose norm is taken: g of paper, q of classic, v of popular. */
static void prepare(const tutti_optim_options *options, const tutti_scalars *s, int64_t n, const float *w,
                    float *g, float *v, float *b, float *c) {
  (void)b, (void)c;
  if (options->lars_form == TUTTI_LARS_CLASSIC && s->decay > 0) tutti_optim_add_decay(s->decay, n, w, g);
  if (options->lars_form == TUTTI_LARS_POPULAR) push(s->keep, s->decay, n, v, w, g);
}

static double ratio(const tutti_optim_options *options, double w, double d) {
  const bool apart = options->lars_form == TUTTI_LARS_PAPER;
  return options->trust_coefficient * w / (apart ? d + options->weight_decay * w : d);
}

TUTTI_CLONES static void heavy_ball(float keep, float gain, float rate, float decay, int64_t n,
                                    float *restrict v, float *restrict w, const float *restrict g) {
  for (int64_t i = 0; i < n; i++) {
    v[i] = keep * v[i] + gain * (g[i] + decay * w[i]);
    w[i] -= rate * v[i];
  }
}

static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n, float *w,
                   const float *g, float *v, float *b, float *c) {
  (void)b, (void)c;
  if (options->lars_form == TUTTI_LARS_POPULAR) {
    tutti_optim_move(s->rate * s->ratio, n, w, g);
    return;
  }
  const float decay = options->lars_form == TUTTI_LARS_PAPER ? s->decay : 0; // g of classic contains it
  heavy_ball(s->keep, s->gain * s->ratio, s->rate, decay, n, v, w, g);
}

static bool has_rate_inside(const tutti_optim_options *options) {
  return options->lars_form != TUTTI_LARS_POPULAR;
}

static bool decays_inside(const tutti_optim_options *options) {
  (void)options;
  return true;
}

/** Only the popular form has the ratio outside of the velocity. */
static void refine_unit(const tutti_optim_options *options, tutti_unit_of_state *unit) {
  if (options->lars_form == TUTTI_LARS_POPULAR) unit->quantity = TUTTI_SUM_OF_GRADIENTS;
}

const tutti_optim_table tutti_optim_lars = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1, 1},
              {TUTTI_TAKES_MOMENTUM, 0.9, 0.9},
              {TUTTI_TAKES_TRUST_COEFFICIENT, 1e-3, 1e-3},
              {TUTTI_TAKES_LARS_FORM},
              {TUTTI_TAKES_WEIGHT_DECAY, 1e-4, 1e-4}},
    .slots = {{"momentum", .quantity = "sum of gradients * trust ratio", .is_velocity = true,
               .refine = refine_unit}},
    .has_rate_inside = has_rate_inside,
    .decays_inside = decays_inside,
    .scalars = scalars,
    .update = update,
    .prepare = prepare,
    .ratio = ratio,
};
