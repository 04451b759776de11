/** Adam (Kingma and Ba, arXiv 1412.6980): m and v are means of g and g^2, w -= lr m_hat / (sqrt(v_hat) + eps).
 * AMSGrad (Reddi et al. 2018) divides by the largest v so far.  AdamW (Loshchilov and Hutter, arXiv 1711.05101) is
 * Adam with decoupled weight decay, which decay.c applies before any rule runs.
 *
 * Bias correction is one factor on the rate: with c = sqrt(1 - beta_2^t), m_hat / (sqrt(v_hat) + eps) is c / (1 -
 * beta_1^t) * m / (sqrt(v) + c eps).  That is PyTorch's form; Keras leaves out the c beside epsilon (the paper's
 * "epsilon hat"). */
#include <math.h>

#include "optim/optim_impl.h"

static bool is_amsgrad(const tutti_optim_options *options) {
  return options->amsgrad;
}

static void scalars(tutti_optim *optim, int64_t t, double lr, tutti_scalars *s) {
  const tutti_optim_options *options = &optim->options;
  const double c = sqrt(1 - pow(options->beta_2, (double)t));
  s->blend_1 = (float)(1 - options->beta_1);
  s->blend_2 = (float)(1 - options->beta_2);
  s->rate = (float)(lr * c / (1 - pow(options->beta_1, (double)t)));
  s->eps_out = (float)(options->dialect == TUTTI_DIALECT_KERAS ? options->epsilon : c * options->epsilon);
}

/** One loop with two instances: the flag is a constant after inlining. */
TUTTI_INLINE void loop(const tutti_scalars *s, bool amsgrad, int64_t n, float *restrict w,
                       const float *restrict g, float *restrict m, float *restrict v, float *restrict v_hat) {
  const float rate = s->rate, blend_1 = s->blend_1, blend_2 = s->blend_2, eps = s->eps_out;
  for (int64_t i = 0; i < n; i++) {
    m[i] = tutti_optim_blend(blend_1, m[i], g[i]);
    v[i] = tutti_optim_blend(blend_2, v[i], g[i] * g[i]);
    float divisor = v[i];
    if (amsgrad) divisor = v_hat[i] = v_hat[i] > v[i] ? v_hat[i] : v[i];
    w[i] -= rate * m[i] / (sqrtf(divisor) + eps);
  }
}

/** m, v, and with amsgrad the largest v. */
TUTTI_CLONES static void update(const tutti_optim_options *options, const tutti_scalars *s, int64_t n,
                                float *w, const float *g, float *m, float *v, float *v_hat) {
  (void)options;
  if (v_hat)
    loop(s, true, n, w, g, m, v, v_hat);
  else
    loop(s, false, n, w, g, m, v, NULL);
}

// adam and adamw differ only in the default and the place of weight decay.
#define ADAM(keras_decay, torch_decay)                                                                       \
  .takes = {{TUTTI_TAKES_LEARNING_RATE, 1e-3, 1e-3},                                                         \
            {TUTTI_TAKES_BETA_1, 0.9, 0.9},                                                                  \
            {TUTTI_TAKES_BETA_2, 0.999, 0.999},                                                              \
            {TUTTI_TAKES_EPSILON, 1e-7, 1e-8},                                                               \
            {TUTTI_TAKES_AMSGRAD},                                                                           \
            {TUTTI_TAKES_WEIGHT_DECAY, keras_decay, torch_decay}},                                           \
  .slots = {{"momentum", .quantity = TUTTI_MEAN_GRADIENT},                                                   \
            {"velocity", .quantity = TUTTI_MEAN_SQUARE},                                                     \
            {"velocity_hat", .needed = is_amsgrad, .quantity = "largest mean of squared gradients"}},        \
  .scalars = scalars, .update = update

const tutti_optim_table tutti_optim_adam = {ADAM(0, 0)};

const tutti_optim_table tutti_optim_adamw = {ADAM(4e-3, 1e-2), .decoupled_decay = true};
