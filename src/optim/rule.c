/** Helpers of the update rules.  The dialects differ in the place of epsilon, sqrt(v + eps) in Keras and sqrt(v) +
 * eps in PyTorch, and in the place of the learning rate, inside the velocity in Keras (v = mu v + lr g; w -= v) and
 * outside of it in PyTorch (v = mu v + g; w -= lr v).  The files of the rules call them, and the optimizer, which
 * lies above. */
#include "optim/optim_impl.h"

void tutti_optim_set_epsilon(const tutti_optim_options *options, tutti_scalars *scalars) {
  const bool keras = options->dialect == TUTTI_DIALECT_KERAS;
  scalars->eps_in = (float)(keras ? options->epsilon : 0);
  scalars->eps_out = (float)(keras ? 0 : options->epsilon);
}

bool tutti_optim_has_rate_inside(const tutti_optim_table *rule, const tutti_optim_options *options) {
  if (!(options->momentum > 0)) return false; // NAN: the rule has none
  return rule->has_rate_inside ? rule->has_rate_inside(options) : options->dialect == TUTTI_DIALECT_KERAS;
}

bool tutti_optim_keeps_rate(const tutti_optim_table *rule, const tutti_optim_options *options) {
  return tutti_optim_has_rate_inside(rule, options) && !options->momentum_correction;
}

void tutti_optim_place_rate(const tutti_optim *optim, double lr, tutti_scalars *scalars) {
  const bool inside = tutti_optim_keeps_rate(optim->rule, &optim->options);
  scalars->gain = (float)(inside ? lr : 1);
  scalars->rate = (float)(inside ? 1 : lr);
}

bool tutti_optim_needs(const tutti_optim_options *options, const tutti_slot_spec *spec) {
  return spec->name && (!spec->needed || spec->needed(options));
}

bool tutti_optim_decays_inside(const tutti_optim_table *rule, const tutti_optim_options *options) {
  return rule->decays_inside && rule->decays_inside(options);
}

TUTTI_CLONES void tutti_optim_move(float rate, int64_t n, float *restrict w, const float *restrict d) {
  for (int64_t i = 0; i < n; i++) w[i] -= rate * d[i];
}

TUTTI_CLONES void tutti_optim_add_decay(float decay, int64_t n, const float *restrict w, float *restrict g) {
  for (int64_t i = 0; i < n; i++) g[i] += decay * w[i];
}
