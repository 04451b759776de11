/** Decay by plateau: the rate falls by a factor after a number of evaluations without a better value, as
 * ReduceLROnPlateau of Keras and of PyTorch does it.  The two differ in what counts as better, in cooldown, and in
 * the last evaluation of the patience.  The training calls it after each evaluation; schedule.c reads the rate. */
#include <math.h>

#include "tutti/schedule.h"

/** PyTorch leaves out a fall of the rate by less than this. */
static const double TORCH_LEAST = 1e-8;

double tutti_optim_plateau_rate(const tutti_schedule *s, double drops) {
  return drops > 0 ? fmax(s->peak * pow(s->options.decay_rate, drops), fmin(s->options.decay_min, s->peak))
                   : s->peak;
}

/** Whether a value is better than the best: in Keras by more than delta, in PyTorch by more than delta times the
 * best. */
static bool is_better(const tutti_schedule *s, bool large_is_good, double value, double best) {
  if (isnan(best)) return true;
  const double by =
      s->dialect == TUTTI_DIALECT_KERAS ? s->options.decay_delta : s->options.decay_delta * best;
  return large_is_good ? value > best + by : value < best - by;
}

/** Count an evaluation.  Keras counts the one that ends a cooldown, PyTorch does not.
 * @return whether patience lasts */
static bool waits_on(const tutti_schedule *s, bool better, tutti_plateau *plateau) {
  const bool keras = s->dialect == TUTTI_DIALECT_KERAS, cooling = plateau->cooling > 0;
  if (cooling) plateau->cooling--;
  if (better || (cooling && (!keras || plateau->cooling > 0))) {
    plateau->waited = 0;
    return true;
  }
  plateau->waited = keras && cooling ? 1 : plateau->waited + 1;
  return keras ? plateau->waited < (double)s->options.decay_patience
               : plateau->waited <= (double)s->options.decay_patience;
}

bool tutti_optim_plateau_see(const tutti_schedule *s, bool large_is_good, double value,
                             tutti_plateau *plateau) {
  const bool better = is_better(s, large_is_good, value, plateau->best);
  const double least = s->dialect == TUTTI_DIALECT_KERAS ? 0 : TORCH_LEAST;
  if (better) plateau->best = value;
  if (waits_on(s, better, plateau)) return false;
  plateau->waited = 0;
  const double now = tutti_optim_plateau_rate(s, plateau->drops);
  if (!(now - tutti_optim_plateau_rate(s, plateau->drops + 1) > least)) return false;
  plateau->cooling = (double)s->options.decay_cooldown;
  plateau->drops++;
  return true;
}
