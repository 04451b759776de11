#include <math.h>

#include "tutti/optim.h"

const char *const tutti_decay_names[TUTTI_N_DECAYS] = {"constant", "step", "exponential", "polynomial",
                                                       "cosine"};
const char *const tutti_scaling_names[TUTTI_N_SCALINGS] = {"none", "linear", "sqrt"};

/** `key` names the count in an error. */
static tutti_status in_steps(tutti_count count, const char *key, int64_t batch_size, double steps_per_epoch,
                             double *steps) {
  TUTTI_CHECK(isfinite(count.value) && count.value >= 0, TUTTI_ERR_CONFIG,
              "schedule.%s is %g, expected a number from 0", key, count.value);
  *steps = count.value;
  if (count.value == 0) return TUTTI_OK;
  TUTTI_CHECK(count.unit != TUTTI_UNIT_SECONDS, TUTTI_ERR_CONFIG,
              "schedule.%s is a time; a learning rate that depends on the clock cannot be repeated, write "
              "steps, epochs or "
              "samples",
              key);
  if (count.unit == TUTTI_UNIT_EPOCHS) *steps *= steps_per_epoch;
  if (count.unit == TUTTI_UNIT_SAMPLES) *steps /= (double)batch_size;
  return TUTTI_OK;
}

static tutti_status milestones_in_steps(const tutti_milestones *counts, int64_t batch_size,
                                        double steps_per_epoch, tutti_milestones *milestones) {
  *milestones = *counts;
  milestones->unit = TUTTI_UNIT_STEPS;
  for (int i = 0; i < counts->n; i++)
    TUTTI_TRY(in_steps((tutti_count){counts->values[i], counts->unit}, "decay_milestones", batch_size,
                       steps_per_epoch, &milestones->values[i]));
  return TUTTI_OK;
}

static tutti_status scale(const tutti_schedule_options *options, double learning_rate, int64_t batch_size,
                          double *peak) {
  *peak = learning_rate;
  if (options->scaling == TUTTI_SCALING_NONE) return TUTTI_OK;
  TUTTI_CHECK(options->base_batch_size > 0, TUTTI_ERR_CONFIG,
              "schedule.scaling is %s, but schedule.base_batch_size is %lld; set the batch size at which "
              "optimizer.learning_rate is meant",
              tutti_scaling_names[options->scaling], (long long)options->base_batch_size);
  const double ratio = (double)batch_size / (double)options->base_batch_size;
  *peak *= options->scaling == TUTTI_SCALING_LINEAR ? ratio : sqrt(ratio);
  return TUTTI_OK;
}

static tutti_status check_decay(const tutti_schedule *s) {
  const char *decay = tutti_decay_names[s->decay];
  if (s->decay == TUTTI_DECAY_STEP || s->decay == TUTTI_DECAY_EXPONENTIAL) {
    TUTTI_CHECK(isfinite(s->rate) && s->rate > 0, TUTTI_ERR_CONFIG,
                "schedule.decay_rate is %g, expected a number above 0 with schedule.decay %s: the factor on "
                "the learning rate",
                s->rate, decay);
    TUTTI_CHECK(s->every > 0 || s->milestones.n > 0, TUTTI_ERR_CONFIG,
                "schedule.decay_every is not set, but schedule.decay is %s; write a count such as 10 epochs",
                decay);
  }
  if (s->decay == TUTTI_DECAY_POLYNOMIAL || s->decay == TUTTI_DECAY_COSINE)
    TUTTI_CHECK(isfinite(s->end) && s->end >= 0, TUTTI_ERR_CONFIG,
                "schedule.decay_end is %g, expected a number from 0: the last learning rate over the first",
                s->end);
  if (s->decay == TUTTI_DECAY_POLYNOMIAL)
    TUTTI_CHECK(isfinite(s->power) && s->power > 0, TUTTI_ERR_CONFIG,
                "schedule.decay_power is %g, expected a number above 0", s->power);
  return TUTTI_OK;
}

tutti_status tutti_schedule_make(const tutti_schedule_options *options, double learning_rate,
                                 int64_t batch_size, double steps_per_epoch, double total_steps,
                                 tutti_schedule *schedule) {
  tutti_schedule s = {.decay = options->decay,
                      .rate = options->decay_rate,
                      .power = options->decay_power,
                      .end = options->decay_end};
  TUTTI_TRY(in_steps(options->warmup, "warmup", batch_size, steps_per_epoch, &s.warmup));
  TUTTI_TRY(in_steps(options->decay_every, "decay_every", batch_size, steps_per_epoch, &s.every));
  TUTTI_TRY(in_steps(options->decay_over, "decay_over", batch_size, steps_per_epoch, &s.over));
  TUTTI_TRY(milestones_in_steps(&options->decay_milestones, batch_size, steps_per_epoch, &s.milestones));
  TUTTI_CHECK(s.warmup <= total_steps, TUTTI_ERR_CONFIG,
              "schedule.warmup is %g steps, longer than the training of %g steps; shorten it or train longer",
              s.warmup, total_steps);
  TUTTI_TRY(scale(options, learning_rate, batch_size, &s.peak));
  s.start = options->scaling == TUTTI_SCALING_NONE ? 0 : learning_rate;
  if (s.over == 0) s.over = total_steps - s.warmup;
  TUTTI_TRY(check_decay(&s));
  *schedule = s;
  return TUTTI_OK;
}

/** By step `now`, t steps after warmup.  Drops fall on whole steps although an interval of 1/3 epoch need not be a
 * double: forgive the last bits. */
static double drops(const tutti_schedule *s, double now, double t) {
  if (s->milestones.n == 0) return floor(t / s->every + 1e-9);
  int n = 0;
  while (n < s->milestones.n && s->milestones.values[n] <= now * (1 + 1e-12)) n++;
  return n;
}

double tutti_schedule_at(const tutti_schedule *s, int64_t step) {
  const double now = (double)step;
  if (now < s->warmup) return s->start + (s->peak - s->start) * fmin((now + 1) / s->warmup, 1);
  const double t = now - s->warmup;
  const double part = t < s->over ? t / s->over : 1;
  switch (s->decay) {
  case TUTTI_DECAY_STEP:
    return s->peak * pow(s->rate, drops(s, now, t));
  case TUTTI_DECAY_EXPONENTIAL:
    return s->peak * pow(s->rate, t / s->every);
  case TUTTI_DECAY_POLYNOMIAL:
    return s->peak * (s->end + (1 - s->end) * pow(1 - part, s->power));
  case TUTTI_DECAY_COSINE:
    return s->peak * (s->end + (1 - s->end) * 0.5 * (1 + cos(acos(-1.0) * part)));
  default:
    return s->peak;
  }
}
