/** Adadelta (Zeiler, arXiv 1212.5701): the step is g sqrt(d + eps) / sqrt(a + eps), where a is the mean of g^2 and d
 * the mean of squared past steps.  Both dialects have epsilon inside the roots; only their defaults differ. */
#include <math.h>

#include "optim/optim_impl.h"

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  (void)t;
  s->rate = (float)lr;
  s->blend_2 = (float)(1 - optim->options.rho);
  s->eps_in = (float)optim->options.epsilon;
}

TUTTI_CLONES static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n,
                                float *restrict w, const float *restrict g, float *restrict a,
                                float *restrict d, float *unused) {
  (void)options, (void)unused;
  const float rate = s->rate, blend = s->blend_2, eps = s->eps_in;
  for (int64_t i = 0; i < n; i++) {
    a[i] = tutti_optim_blend(blend, a[i], g[i] * g[i]);
    const float step = sqrtf((d[i] + eps) / (a[i] + eps)) * g[i];
    d[i] = tutti_optim_blend(blend, d[i], step * step);
    w[i] -= rate * step;
  }
}

const tutti_optim_table tutti_optim_adadelta = {
    .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-3, 1},
              {TUTTI_TAKES_RHO, 0.95, 0.9},
              {TUTTI_TAKES_EPSILON, 1e-7, 1e-6},
              {TUTTI_TAKES_WEIGHT_DECAY, 0, 0}},
    .slots = {{"accumulated_grad", .quantity = TUTTI_MEAN_SQUARE},
              {"accumulated_delta_var", .quantity = "mean of squared steps"}},
    .scalars = scalars,
    .update = update,
};
