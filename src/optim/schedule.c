/** The learning rate of each update: a linear warmup, then a decay by steps, exponential, polynomial, cosine or
 * plateau.  It is a function of progress alone, so that a resumed run continues with the same rates.  Counts keep
 * their units; a warmup in another unit than the decay is converted by the lengths of the training.  The training's
 * plan calls it. */
#include <math.h>
#include <stdio.h>

#include "tutti/schedule.h"

const char *const tutti_optim_decay_names[TUTTI_N_DECAYS] = {"constant",   "step",   "exponential",
                                                             "polynomial", "cosine", "plateau"};
const char *const tutti_optim_scaling_names[TUTTI_N_SCALINGS] = {"none", "linear", "sqrt", "adascale"};

/** Relative rounding error of counts in fractions of an epoch. */
static const double ROUNDING = 1e-12;

double tutti_optim_extent_in(const tutti_extent *extent, tutti_unit unit) {
  if (unit == TUTTI_UNIT_STEPS) return extent->steps;
  return unit == TUTTI_UNIT_EPOCHS ? extent->epochs : extent->samples;
}

/** @param[in] expected  the range in words */
static tutti_status check_number(const char *key, double value, bool fits, const char *expected) {
  TUTTI_CHECK(isfinite(value) && fits, TUTTI_ERR_CONFIG, "schedule.%s is %g, expected %s", key, value,
              expected);
  return TUTTI_OK;
}

/** @param[in] key  name of the count in messages */
static tutti_status check_count(tutti_count count, const char *key) {
  TUTTI_TRY(check_number(key, count.value, count.value >= 0, "a number from 0"));
  TUTTI_CHECK(count.value == 0 || count.unit != TUTTI_UNIT_SECONDS, TUTTI_ERR_CONFIG,
              "schedule.%s is a time; a learning rate that depends on the clock cannot be repeated; write "
              "steps, epochs or samples",
              key);
  return TUTTI_OK;
}

static tutti_status check_counts(const tutti_schedule_options *options) {
  const tutti_milestones *milestones = &options->decay_milestones;
  TUTTI_TRY(check_count(options->warmup, "warmup"));
  TUTTI_TRY(check_count(options->decay_every, "decay_every"));
  TUTTI_TRY(check_count(options->decay_over, "decay_over"));
  for (int i = 0; i < milestones->n; i++)
    TUTTI_TRY(check_count((tutti_count){milestones->values[i], milestones->unit}, "decay_milestones"));
  return TUTTI_OK;
}

/** Nobody would see the full rate of a warmup that is longer than the training. */
static tutti_status check_warmup(tutti_count warmup, const tutti_extent *total) {
  const double longest = warmup.value > 0 ? tutti_optim_extent_in(total, warmup.unit) : 0;
  if (warmup.value <= longest * (1 + ROUNDING)) return TUTTI_OK;
  char wanted[64], most[64];
  tutti_count_print(warmup, wanted, sizeof wanted);
  tutti_count_print((tutti_count){longest, warmup.unit}, most, sizeof most);
  TUTTI_FAIL(TUTTI_ERR_CONFIG,
             "schedule.warmup is %s, longer than the training of %s; shorten it or train longer", wanted,
             most);
}

/** Convert a place of the training from one unit to another.  Before and after a change of batches or data the ratio
 * of the units differs, so each side has its own. */
static double convert(double place, const tutti_course *course, tutti_unit of, tutti_unit unit) {
  if (place == 0 || of == unit) return place;
  const double change = tutti_optim_extent_in(&course->earlier, of),
               there = tutti_optim_extent_in(&course->earlier, unit);
  if (change > 0 && place <= change * (1 + ROUNDING)) return place / change * there;
  const double rest = tutti_optim_extent_in(&course->total, of) - change;
  if (rest <= 0) return there;
  return there + (place - change) / rest * (tutti_optim_extent_in(&course->total, unit) - there);
}

/** The warmup without the part before the begin of the training: a run that continues with fewer, larger steps does
 * not have that part. */
static tutti_count warmup_inside(tutti_count warmup, double from) {
  return (tutti_count){fmax(warmup.value + fmin(from, 0), 0), warmup.unit};
}

/** The length of the warmup inside the training, in another unit. */
static double warmup_in(const tutti_schedule *s, const tutti_course *course, tutti_unit unit) {
  const tutti_count inside = warmup_inside(s->options.warmup, s->warmup_from);
  const double begin = fmax(s->warmup_from, 0);
  if (inside.value == 0 || inside.unit == unit) return inside.value;
  return convert(begin + inside.value, course, inside.unit, unit) - convert(begin, course, inside.unit, unit);
}

/** LINEAR keeps the step per sample, SQRT the variance of the weights' increments. */
double tutti_optim_scaling_factor(tutti_scaling scaling, double base_batch_size, double batch_size) {
  if (scaling == TUTTI_SCALING_NONE || scaling == TUTTI_SCALING_ADASCALE) return 1;
  const double ratio = batch_size / base_batch_size;
  return scaling == TUTTI_SCALING_LINEAR ? ratio : sqrt(ratio);
}

static tutti_status scale(const tutti_schedule_options *options, double learning_rate, int64_t batch_size,
                          double *peak) {
  TUTTI_CHECK(options->scaling == TUTTI_SCALING_NONE || options->base_batch_size > 0, TUTTI_ERR_CONFIG,
              "schedule.scaling is %s, but schedule.base_batch_size is %lld; set the batch size that "
              "optimizer.learning_rate is meant for",
              tutti_optim_scaling_names[options->scaling], (long long)options->base_batch_size);
  *peak = learning_rate *
          tutti_optim_scaling_factor(options->scaling, (double)options->base_batch_size, (double)batch_size);
  return TUTTI_OK;
}

/** The factor that lowers the rate. */
static tutti_status check_rate(const tutti_schedule_options *options) {
  const bool plateau = options->decay == TUTTI_DECAY_PLATEAU;
  char expected[128];
  snprintf(expected, sizeof expected,
           "a number above 0%s with schedule.decay %s: the factor on the learning rate",
           plateau ? " and below 1" : "", tutti_optim_decay_names[options->decay]);
  return check_number("decay_rate", options->decay_rate,
                      options->decay_rate > 0 && (!plateau || options->decay_rate < 1), expected);
}

static tutti_status check_plateau(const tutti_schedule_options *options) {
  TUTTI_CHECK(options->decay_patience >= 0, TUTTI_ERR_CONFIG,
              "schedule.decay_patience is %lld, expected a count from 0", (long long)options->decay_patience);
  TUTTI_CHECK(options->decay_cooldown >= 0, TUTTI_ERR_CONFIG,
              "schedule.decay_cooldown is %lld, expected a count from 0", (long long)options->decay_cooldown);
  TUTTI_TRY(check_number("decay_min", options->decay_min, options->decay_min >= 0,
                         "a number from 0: the least learning rate"));
  return check_number("decay_delta", options->decay_delta, options->decay_delta >= 0,
                      "a number from 0: a better value is better by more than it");
}

/** Check the numbers that the chosen decay uses. */
static tutti_status check_decay(const tutti_schedule_options *options) {
  switch (options->decay) {
  case TUTTI_DECAY_STEP:
  case TUTTI_DECAY_EXPONENTIAL:
    TUTTI_TRY(check_rate(options));
    TUTTI_CHECK(options->decay_every.value > 0 || options->decay_milestones.n > 0, TUTTI_ERR_CONFIG,
                "schedule.decay_every is not set, but schedule.decay is %s; write a count such as 10 epochs",
                tutti_optim_decay_names[options->decay]);
    return TUTTI_OK;
  case TUTTI_DECAY_PLATEAU:
    TUTTI_TRY(check_rate(options));
    return check_plateau(options);
  case TUTTI_DECAY_POLYNOMIAL:
  case TUTTI_DECAY_COSINE:
    TUTTI_TRY(check_number("decay_end", options->decay_end, options->decay_end >= 0,
                           "a number from 0: the last learning rate over the first"));
    if (options->decay == TUTTI_DECAY_COSINE) return TUTTI_OK;
    return check_number("decay_power", options->decay_power, options->decay_power > 0, "a number above 0");
  default:
    return TUTTI_OK;
  }
}

tutti_status tutti_schedule_make(const tutti_schedule_options *options, double learning_rate,
                                 int64_t batch_size, const tutti_course *course, tutti_unit unit,
                                 tutti_schedule *schedule) {
  tutti_schedule s = {.options = *options, .warmup_from = course->warmup_from};
  tutti_count *over = &s.options.decay_over;
  TUTTI_TRY(check_counts(options));
  TUTTI_TRY(check_warmup(warmup_inside(options->warmup, s.warmup_from), &course->total));
  TUTTI_TRY(scale(options, learning_rate, batch_size, &s.peak));
  const bool scaled = options->scaling == TUTTI_SCALING_LINEAR || options->scaling == TUTTI_SCALING_SQRT;
  s.start = scaled ? learning_rate : 0;
  if (over->value == 0)
    *over = (tutti_count){tutti_optim_extent_in(&course->total, unit) - warmup_in(&s, course, unit), unit};
  s.warmup_every = warmup_in(&s, course, options->decay_every.unit);
  s.warmup_over = warmup_in(&s, course, over->unit);
  TUTTI_ASSERT(isfinite(over->value) && isfinite(s.warmup_every) && isfinite(s.warmup_over));
  TUTTI_TRY(check_decay(options));
  *schedule = s;
  return TUTTI_OK;
}

/** The number of drops so far.  An interval of 1/3 epoch is not a double, and drops must come after whole steps all
 * the same: the comparison allows for the last bits. */
static double drops(const tutti_schedule *s, const tutti_extent *now) {
  const tutti_milestones *milestones = &s->options.decay_milestones;
  if (milestones->n == 0)
    return floor((tutti_optim_extent_in(now, s->options.decay_every.unit) - s->warmup_every) /
                     s->options.decay_every.value +
                 1e-9);
  const double done = tutti_optim_extent_in(now, milestones->unit);
  int n = 0;
  while (n < milestones->n && milestones->values[n] <= done * (1 + ROUNDING)) n++;
  return n;
}

/** The share of the decay that is done, in [0, 1]. */
static double part_done(const tutti_schedule *s, const tutti_extent *now) {
  const double t = fmax(tutti_optim_extent_in(now, s->options.decay_over.unit) - s->warmup_over, 0);
  return t < s->options.decay_over.value ? t / s->options.decay_over.value : 1;
}

bool tutti_schedule_is_warming(const tutti_schedule *s, const tutti_extent *done) {
  const double end = s->warmup_from + s->options.warmup.value;
  return s->options.warmup.value > 0 &&
         tutti_optim_extent_in(done, s->options.warmup.unit) < end * (1 - ROUNDING);
}

/** The rate without warmup. */
static double decayed(const tutti_schedule *s, const tutti_extent *before) {
  const double end = s->options.decay_end;
  switch (s->options.decay) {
  case TUTTI_DECAY_STEP:
    return s->peak * pow(s->options.decay_rate, fmax(drops(s, before), 0));
  case TUTTI_DECAY_EXPONENTIAL:
    return s->peak *
           pow(s->options.decay_rate,
               fmax(tutti_optim_extent_in(before, s->options.decay_every.unit) - s->warmup_every, 0) /
                   s->options.decay_every.value);
  case TUTTI_DECAY_POLYNOMIAL:
    return s->peak * (end + (1 - end) * pow(1 - part_done(s, before), s->options.decay_power));
  case TUTTI_DECAY_COSINE:
    return s->peak * (end + (1 - end) * 0.5 * (1 + cos(acos(-1.0) * part_done(s, before))));
  case TUTTI_DECAY_PLATEAU:
    return tutti_optim_plateau_rate(s, s->drops);
  default:
    return s->peak;
  }
}

double tutti_schedule_at(const tutti_schedule *s, const tutti_extent *before, const tutti_extent *after) {
  if (!tutti_schedule_is_warming(s, before)) return decayed(s, before);
  // A warmup in the middle of a training rises to a rate that has fallen already, from a start that has fallen as much.
  const double top = s->warmup_from > 0 ? decayed(s, before) : s->peak;
  const double start = s->start > 0 ? s->start * (top / s->peak) : 0;
  const double done = tutti_optim_extent_in(after, s->options.warmup.unit) - s->warmup_from;
  return start + (top - start) * fmin(done / s->options.warmup.value, 1);
}
