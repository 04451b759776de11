/** Units of the state.  A velocity contains the learning rate or not, points uphill or downhill, contains lars'
 * ratios or not: the same array of the same name has one meaning or another by dialect, lars_form and
 * momentum_correction.  The saver writes the unit into a checkpoint, and a resumed run converts the state by it. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "optim/optim_impl.h"

static tutti_unit_of_state unit_of(const tutti_optim_options *options, const tutti_optim_table *rule,
                                   const tutti_slot_spec *spec) {
  tutti_unit_of_state unit = {.quantity = spec->quantity};
  unit.is_velocity = spec->is_velocity;
  if (!spec->is_velocity) return unit;
  unit.has_rate = tutti_optim_keeps_rate(rule, options);
  if (spec->refine) spec->refine(options, &unit);
  return unit;
}

tutti_unit_of_state tutti_optim_unit(const tutti_optim_options *options, const char *slot) {
  const tutti_optim_table *rule = tutti_optim_table_of(options->rule);
  const tutti_slot_spec *specs = rule->slots;
  for (int i = 0; i < TUTTI_MAX_SLOTS; i++)
    if (tutti_optim_needs(options, &specs[i]) && strcmp(specs[i].name, slot) == 0)
      return unit_of(options, rule, &specs[i]);
  const bool is_average = options->ema_momentum > 0 && strcmp(slot, "average") == 0;
  return (tutti_unit_of_state){.quantity = is_average ? "mean of weights" : NULL};
}

void tutti_optim_unit_text(const tutti_unit_of_state *unit, char *text, size_t bytes) {
  static const char *const factors[2][2] = {{"", " * -1"}, {" * learning_rate", " * -learning_rate"}};
  text[0] = '\0';
  tutti_text_append(text, bytes, "%s%s", unit->quantity ? unit->quantity : "nothing",
                    factors[unit->has_rate][unit->is_negative]);
}

bool tutti_optim_unit_factor(const tutti_unit_of_state *from, const tutti_unit_of_state *to, double lr,
                             double *factor) {
  if (!from->quantity || !to->quantity || strcmp(from->quantity, to->quantity) != 0) return false;
  *factor = from->is_negative == to->is_negative ? 1 : -1;
  if (from->has_rate == to->has_rate) return true;
  *factor *= to->has_rate ? lr : 1 / lr;
  return lr > 0 && isfinite(lr) && isfinite(*factor);
}
