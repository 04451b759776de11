/** Growth of the batch instead of a decay of the learning rate (Smith et al., arXiv 1711.00489).  The k-th growth is
 * a function of the options and of k alone, so that a resumed run finds the same batches.  The stages of a
 * training's plan are made of it. */
#include <math.h>

#include "base/arithmetic.h"
#include "tutti/schedule.h"

const char *const tutti_optim_batch_growth_names[TUTTI_N_BATCH_GROWTHS] = {"none", "step", "geometric"};

/** Doubles cannot count beyond this: a growth that is later never comes. */
static const double NEVER = 0x1p53;

/** Milestones and intervals have units of their own. */
static tutti_unit unit_of(const tutti_schedule_options *options) {
  return options->batch_growth == TUTTI_GROWTH_STEP ? options->batch_milestones.unit
                                                    : options->batch_every.unit;
}

/** Check the options of the chosen kind of growth. */
static tutti_status check(const tutti_schedule_options *options, int64_t batch_size) {
  const bool by_step = options->batch_growth == TUTTI_GROWTH_STEP;
  TUTTI_CHECK(isfinite(options->batch_factor) && options->batch_factor > 1, TUTTI_ERR_CONFIG,
              "schedule.batch_factor is %g, expected a number above 1: the factor on the batch size",
              options->batch_factor);
  TUTTI_CHECK(
      !by_step || options->batch_milestones.n > 0, TUTTI_ERR_CONFIG,
      "schedule.batch_milestones is not set, but schedule.batch_growth is step; write when the batch grows, "
      "for example '60, 120, 160 epochs'");
  TUTTI_CHECK(
      by_step || options->batch_every.value > 0, TUTTI_ERR_CONFIG,
      "schedule.batch_every is not set, but schedule.batch_growth is geometric; write a count such as 10 "
      "epochs");
  TUTTI_CHECK(
      unit_of(options) != TUTTI_UNIT_SECONDS, TUTTI_ERR_CONFIG,
      "schedule.batch_%s is a time; a batch size that depends on the clock cannot be repeated; write steps, "
      "epochs or samples",
      by_step ? "milestones" : "every");
  TUTTI_CHECK(
      options->batch_max == 0 || options->batch_max >= batch_size, TUTTI_ERR_CONFIG,
      "schedule.batch_max is %lld, expected at least train.batch_size, %lld, from which the batch grows",
      (long long)options->batch_max, (long long)batch_size);
  return TUTTI_OK;
}

tutti_status tutti_optim_growth_make(const tutti_schedule_options *options, int64_t batch_size, int64_t n,
                                     int64_t most, tutti_growth *growth) {
  const int64_t first = tutti_min64(batch_size, most);
  tutti_growth g = {.kind = options->batch_growth, .first = first, .most = first};
  if (g.kind != TUTTI_GROWTH_NONE) {
    TUTTI_TRY(check(options, batch_size));
    const double times = unit_of(options) == TUTTI_UNIT_EPOCHS ? (double)n : 1;
    g.unit = unit_of(options);
    g.most = options->batch_max > 0 ? tutti_min64(options->batch_max, most) : n > first ? n : first;
    g.factor = options->batch_factor;
    g.every = options->batch_every.value * times;
    g.milestones = options->batch_milestones;
    for (int i = 0; i < g.milestones.n; i++) g.milestones.values[i] *= times;
  }
  *growth = g;
  return TUTTI_OK;
}

int64_t tutti_optim_growth_at(const tutti_growth *growth, int64_t k) {
  TUTTI_ASSERT(k >= 1);
  double at = NEVER;
  if (growth->kind == TUTTI_GROWTH_GEOMETRIC) at = growth->every * (double)k;
  if (growth->kind == TUTTI_GROWTH_STEP && k <= growth->milestones.n) at = growth->milestones.values[k - 1];
  if (at >= NEVER) return INT64_MAX;
  // A part of an epoch may be whole but for the last bits; those of a whole number change nothing.
  const double place = ceil(at * (1 - 0x1p-50));
  return place > 1 ? (int64_t)place : 1;
}

int64_t tutti_optim_growth_count(const tutti_growth *growth, int64_t done) {
  int64_t k = growth->kind == TUTTI_GROWTH_GEOMETRIC ? (int64_t)((double)done / growth->every) : 0;
  while (k > 0 && tutti_optim_growth_at(growth, k) > done) k--;
  while (tutti_optim_growth_at(growth, k + 1) <= done) k++;
  return k;
}

/** By products alone, which all machines round alike: a batch size must not depend on whose pow it is. */
int64_t tutti_optim_growth_batch(const tutti_growth *growth, int64_t k) {
  double size = (double)growth->first;
  for (int64_t i = 0; i < k && size < (double)growth->most; i++) size *= growth->factor;
  return size < (double)growth->most ? (int64_t)floor(size + 0.5) : growth->most;
}

double tutti_optim_growth_rate(const tutti_growth *growth, int64_t k) {
  if (growth->kind == TUTTI_GROWTH_NONE || tutti_optim_growth_batch(growth, k) < growth->most) return 1;
  return fmin(1, (double)growth->most / (double)growth->first * pow(growth->factor, -(double)k));
}
