#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"
#include "optim/optim_impl.h"

const char *const tutti_optim_names[TUTTI_N_OPTIMS] = {
#define X(code, word) #word,
#include "tutti/rules.def"
};

const char *const tutti_dialect_names[TUTTI_N_DIALECTS] = {"keras", "torch"};
const char *const tutti_decay_exclude_names[TUTTI_N_EXCLUDES] = {"none", "vectors"};
const char *const tutti_lars_form_names[TUTTI_N_LARS_FORMS] = {"classic", "popular", "paper"};

// --- the options that rules take

typedef enum { ABOVE_0, FROM_0, FROM_0_BELOW_1 } range;

static const char *const range_text[] = {"a number above 0", "a number from 0",
                                         "a number from 0 and below 1"};

typedef struct {
  const char *name;
  size_t offset; // of a number in tutti_optim_options
  range allowed;
} option;

#define NUMBER(word, range)                                                                                  \
  { #word, offsetof(tutti_optim_options, word), range }
#define SWITCH(word)                                                                                         \
  { #word, 0, FROM_0 }

static const option taken_options[TUTTI_N_TAKEN] = {
    [TUTTI_TAKES_LEARNING_RATE] = NUMBER(learning_rate, FROM_0),
    [TUTTI_TAKES_MOMENTUM] = NUMBER(momentum, FROM_0_BELOW_1),
    [TUTTI_TAKES_RHO] = NUMBER(rho, FROM_0_BELOW_1),
    [TUTTI_TAKES_BETA_1] = NUMBER(beta_1, FROM_0_BELOW_1),
    [TUTTI_TAKES_BETA_2] = NUMBER(beta_2, FROM_0_BELOW_1),
    [TUTTI_TAKES_EPSILON] = NUMBER(epsilon, FROM_0),
    [TUTTI_TAKES_WEIGHT_DECAY] = NUMBER(weight_decay, FROM_0),
    [TUTTI_TAKES_TRUST_COEFFICIENT] = NUMBER(trust_coefficient, ABOVE_0),
    [TUTTI_TAKES_NESTEROV] = SWITCH(nesterov),
    [TUTTI_TAKES_CENTERED] = SWITCH(centered),
    [TUTTI_TAKES_AMSGRAD] = SWITCH(amsgrad),
    [TUTTI_TAKES_LARS_FORM] = SWITCH(lars_form),
};

const tutti_optim_taken *tutti_optim_find_taken(tutti_optim_rule rule, tutti_optim_option wanted) {
  const tutti_optim_taken *taken = tutti_optim_table_of(rule)->takes;
  while (taken->option != wanted && taken->option != TUTTI_TAKES_NO_MORE) taken++;
  return taken->option == wanted ? taken : NULL;
}

/** "sgd, rmsprop": the rules that take an option. */
static const char *rules_with(tutti_optim_option wanted, char *text, size_t bytes) {
  const char *names[TUTTI_N_OPTIMS];
  int n = 0;
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++)
    if (tutti_optim_find_taken((tutti_optim_rule)rule, wanted)) names[n++] = tutti_optim_names[rule];
  return tutti_text_list(text, bytes, names, n);
}

tutti_optim_options tutti_optim_options_default(void) {
  return (tutti_optim_options){.rule = TUTTI_RMSPROP,
                               .dialect = TUTTI_DIALECT_KERAS,
                               .learning_rate = NAN,
                               .momentum = NAN,
                               .rho = NAN,
                               .beta_1 = NAN,
                               .beta_2 = NAN,
                               .epsilon = NAN,
                               .weight_decay = NAN,
                               .trust_coefficient = NAN};
}

// --- resolve

static bool in_range(double value, range allowed) {
  if (!isfinite(value)) return false;
  switch (allowed) {
  case ABOVE_0:
    return value > 0;
  case FROM_0:
    return value >= 0;
  case FROM_0_BELOW_1:
    return value >= 0 && value < 1;
  }
  return false;
}

/** The value of an option that has been set, and which only some rules take. */
static tutti_status fail_not_taken(const tutti_optim_options *options, tutti_optim_option i,
                                   const char *value) {
  char rules[128];
  TUTTI_FAIL(
      TUTTI_ERR_CONFIG,
      "optimizer.%s is %s, but %s does not take it; it belongs to: %s; remove it or change optimizer.name",
      taken_options[i].name, value, tutti_optim_names[options->rule], rules_with(i, rules, sizeof rules));
}

static tutti_status resolve_number(tutti_optim_options *options, tutti_optim_option i) {
  const option *number = &taken_options[i];
  const tutti_optim_taken *taken = tutti_optim_find_taken(options->rule, i);
  double *value = (double *)((char *)options + number->offset);
  char text[32];
  snprintf(text, sizeof text, "%g", *value);
  if (!taken) return isnan(*value) ? TUTTI_OK : fail_not_taken(options, i, text);
  if (isnan(*value)) *value = options->dialect == TUTTI_DIALECT_KERAS ? taken->keras : taken->torch;
  TUTTI_CHECK(in_range(*value, number->allowed), TUTTI_ERR_CONFIG, "optimizer.%s is %g, expected %s",
              number->name, *value, range_text[number->allowed]);
  return TUTTI_OK;
}

/** How a switch or word has been set; NULL: it has not. */
static const char *switch_value(const tutti_optim_options *options, tutti_optim_option i) {
  const bool switches[TUTTI_N_TAKEN] = {[TUTTI_TAKES_NESTEROV] = options->nesterov,
                                        [TUTTI_TAKES_CENTERED] = options->centered,
                                        [TUTTI_TAKES_AMSGRAD] = options->amsgrad};
  if (i == TUTTI_TAKES_LARS_FORM && options->lars_form != TUTTI_LARS_CLASSIC)
    return tutti_lars_form_names[options->lars_form];
  return switches[i] ? "set" : NULL;
}

static tutti_status check_switches(const tutti_optim_options *options) {
  for (int i = TUTTI_TAKES_NESTEROV; i < TUTTI_N_TAKEN; i++) {
    const tutti_optim_option wanted = (tutti_optim_option)i;
    const char *value = switch_value(options, wanted);
    if (value && !tutti_optim_find_taken(options->rule, wanted))
      return fail_not_taken(options, wanted, value);
  }
  TUTTI_CHECK(
      !options->centered || options->rho > 0, TUTTI_ERR_CONFIG,
      "optimizer.centered is set, but optimizer.rho is 0: the deviation of one gradient from itself is 0; "
      "set a rho above 0, 0.9 for instance, or remove centered");
  TUTTI_CHECK(
      !options->nesterov || options->momentum > 0, TUTTI_ERR_CONFIG,
      "optimizer.nesterov is set, but optimizer.momentum is 0; set a momentum above 0, 0.9 for instance");
  return TUTTI_OK;
}

static tutti_status check_correction(const tutti_optim_options *options) {
  TUTTI_CHECK(
      !options->momentum_correction || tutti_optim_has_rate_inside(options), TUTTI_ERR_CONFIG,
      "optimizer.momentum_correction is set, but this %s has no velocity with the learning rate inside; it "
      "belongs to sgd and rmsprop with dialect keras, and to lars with lars_form classic or paper, where "
      "momentum is above 0; remove it",
      tutti_optim_names[options->rule]);
  return TUTTI_OK;
}

static tutti_status check_clips(const tutti_optim_options *options) {
  static const char *const names[] = {"clipnorm", "global_clipnorm", "clipvalue"};
  const double values[] = {options->clipnorm, options->global_clipnorm, options->clipvalue};
  int first = -1;
  for (int i = 0; i < 3; i++) {
    TUTTI_CHECK(in_range(values[i], FROM_0), TUTTI_ERR_CONFIG,
                "optimizer.%s is %g, expected %s (0: no clipping)", names[i], values[i], range_text[FROM_0]);
    if (values[i] == 0) continue;
    TUTTI_CHECK(first < 0, TUTTI_ERR_CONFIG,
                "optimizer.%s and optimizer.%s are both set; a gradient is clipped one way, "
                "remove one of them",
                names[first], names[i]);
    first = i;
  }
  return TUTTI_OK;
}

tutti_status tutti_optim_resolve(tutti_optim_options *options) {
  tutti_optim_options resolved = *options;
  for (int i = TUTTI_TAKES_NO_MORE + 1; i < TUTTI_TAKES_NESTEROV; i++)
    TUTTI_TRY(resolve_number(&resolved, (tutti_optim_option)i));
  TUTTI_TRY(check_switches(&resolved));
  TUTTI_TRY(check_correction(&resolved));
  TUTTI_TRY(check_clips(&resolved));
  TUTTI_CHECK(in_range(resolved.ema_momentum, FROM_0_BELOW_1), TUTTI_ERR_CONFIG,
              "optimizer.ema_momentum is %g, expected %s (0: no average)", resolved.ema_momentum,
              range_text[FROM_0_BELOW_1]);
  *options = resolved;
  return TUTTI_OK;
}
