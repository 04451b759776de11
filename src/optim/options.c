#include <math.h>
#include <stddef.h>

#include "base/text.h"
#include "optim/optim_impl.h"

const char *const tutti_optim_names[TUTTI_N_OPTIMS] = {
#define X(code, name) name,
    TUTTI_OPTIM_LIST(X)
#undef X
};

const char *const tutti_dialect_names[TUTTI_N_DIALECTS] = {"keras", "torch"};
const char *const tutti_decay_exclude_names[TUTTI_N_EXCLUDES] = {"none", "vectors"};
const char *const tutti_lars_form_names[TUTTI_N_LARS_FORMS] = {"classic", "popular", "paper"};

// --- the numbers, and what each rule takes

typedef enum { ABOVE_0, FROM_0, FROM_0_BELOW_1 } range;

static const char *const range_text[] = {"a number above 0", "a number from 0",
                                         "a number from 0 and below 1"};

typedef struct {
  const char *name;
  size_t offset; // in tutti_optim_options
  range allowed;
} number;

enum { LEARNING_RATE, MOMENTUM, RHO, BETA_1, BETA_2, EPSILON, WEIGHT_DECAY, TRUST_COEFFICIENT, N_NUMBERS };

static const number numbers[N_NUMBERS] = {
    {"learning_rate", offsetof(tutti_optim_options, learning_rate), FROM_0},
    {"momentum", offsetof(tutti_optim_options, momentum), FROM_0_BELOW_1},
    {"rho", offsetof(tutti_optim_options, rho), FROM_0_BELOW_1},
    {"beta_1", offsetof(tutti_optim_options, beta_1), FROM_0_BELOW_1},
    {"beta_2", offsetof(tutti_optim_options, beta_2), FROM_0_BELOW_1},
    {"epsilon", offsetof(tutti_optim_options, epsilon), FROM_0},
    {"weight_decay", offsetof(tutti_optim_options, weight_decay), FROM_0},
    {"trust_coefficient", offsetof(tutti_optim_options, trust_coefficient), ABOVE_0},
};

#define NONE NAN // the rule does not take it

// clang-format off
static const double defaults[TUTTI_N_DIALECTS][TUTTI_N_OPTIMS][N_NUMBERS] = {
    [TUTTI_DIALECT_KERAS] = {
        //                  learning_rate momentum  rho   beta_1 beta_2 epsilon  weight_decay  trust_coefficient
        [TUTTI_SGD]      = {1e-2,         0,        NONE, NONE, NONE,  NONE,    0,            NONE},
        [TUTTI_ADAGRAD]  = {1e-3,         NONE,     NONE, NONE, NONE,  1e-7,    0,            NONE},
        [TUTTI_ADADELTA] = {1e-3,         NONE,     0.95, NONE, NONE,  1e-7,    0,            NONE},
        [TUTTI_RMSPROP]  = {1e-3,         0,        0.9,  NONE, NONE,  1e-7,    0,            NONE},
        [TUTTI_ADAM]     = {1e-3,         NONE,     NONE, 0.9,  0.999, 1e-7,    0,            NONE},
        [TUTTI_ADAMW]    = {1e-3,         NONE,     NONE, 0.9,  0.999, 1e-7,    4e-3,         NONE},
        [TUTTI_ADAMAX]   = {1e-3,         NONE,     NONE, 0.9,  0.999, 1e-7,    0,            NONE},
        [TUTTI_NADAM]    = {1e-3,         NONE,     NONE, 0.9,  0.999, 1e-7,    0,            NONE},
        [TUTTI_LARS]     = {1,            0.9,      NONE, NONE, NONE,  NONE,    1e-4,         1e-3},
        [TUTTI_LAMB]     = {1e-3,         NONE,     NONE, 0.9,  0.999, 1e-7,    0,            NONE},
    },
    [TUTTI_DIALECT_TORCH] = {
        [TUTTI_SGD]      = {1e-3,         0,        NONE, NONE, NONE,  NONE,    0,            NONE},
        [TUTTI_ADAGRAD]  = {1e-2,         NONE,     NONE, NONE, NONE,  1e-10,   0,            NONE},
        [TUTTI_ADADELTA] = {1,            NONE,     0.9,  NONE, NONE,  1e-6,    0,            NONE},
        [TUTTI_RMSPROP]  = {1e-2,         0,        0.99, NONE, NONE,  1e-8,    0,            NONE},
        [TUTTI_ADAM]     = {1e-3,         NONE,     NONE, 0.9,  0.999, 1e-8,    0,            NONE},
        [TUTTI_ADAMW]    = {1e-3,         NONE,     NONE, 0.9,  0.999, 1e-8,    1e-2,         NONE},
        [TUTTI_ADAMAX]   = {2e-3,         NONE,     NONE, 0.9,  0.999, 1e-8,    0,            NONE},
        [TUTTI_NADAM]    = {2e-3,         NONE,     NONE, 0.9,  0.999, 1e-8,    0,            NONE},
        [TUTTI_LARS]     = {1,            0.9,      NONE, NONE, NONE,  NONE,    1e-4,         1e-3},
        [TUTTI_LAMB]     = {1e-3,         NONE,     NONE, 0.9,  0.999, 1e-6,    1e-2,         NONE},
    },
};
// clang-format on

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

/** "sgd, rmsprop": the rules of a dialect that take number i. */
static const char *rules_with(tutti_dialect dialect, int i, char *text, size_t bytes) {
  const char *names[TUTTI_N_OPTIMS];
  int n = 0;
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++)
    if (!isnan(defaults[dialect][rule][i])) names[n++] = tutti_optim_names[rule];
  return tutti_text_list(text, bytes, names, n);
}

static tutti_status resolve_number(tutti_optim_options *options, int i) {
  const double fallback = defaults[options->dialect][options->rule][i];
  double *value = (double *)((char *)options + numbers[i].offset);
  char rules[128];
  TUTTI_CHECK(
      isnan(*value) || !isnan(fallback), TUTTI_ERR_CONFIG,
      "optimizer.%s is %g, but %s does not take it; it belongs to: %s; remove it or change optimizer.name",
      numbers[i].name, *value, tutti_optim_names[options->rule],
      rules_with(options->dialect, i, rules, sizeof rules));
  if (isnan(*value)) *value = fallback;
  TUTTI_CHECK(isnan(fallback) || in_range(*value, numbers[i].allowed), TUTTI_ERR_CONFIG,
              "optimizer.%s is %g, expected %s", numbers[i].name, *value, range_text[numbers[i].allowed]);
  return TUTTI_OK;
}

static tutti_status check_flags(const tutti_optim_options *options) {
  const char *rule = tutti_optim_names[options->rule];
  TUTTI_CHECK(!options->nesterov || options->rule == TUTTI_SGD, TUTTI_ERR_CONFIG,
              "optimizer.nesterov is set, but %s does not take it; it belongs to: sgd; remove it or change "
              "optimizer.name",
              rule);
  TUTTI_CHECK(
      !options->centered || options->rule == TUTTI_RMSPROP, TUTTI_ERR_CONFIG,
      "optimizer.centered is set, but %s does not take it; it belongs to: rmsprop; remove it or change "
      "optimizer.name",
      rule);
  TUTTI_CHECK(
      !options->amsgrad || options->rule == TUTTI_ADAM || options->rule == TUTTI_ADAMW, TUTTI_ERR_CONFIG,
      "optimizer.amsgrad is set, but %s does not take it; it belongs to: adam, adamw; remove it or change "
      "optimizer.name",
      rule);
  TUTTI_CHECK(options->lars_form == TUTTI_LARS_CLASSIC || options->rule == TUTTI_LARS, TUTTI_ERR_CONFIG,
              "optimizer.lars_form is %s, but %s does not take it; it belongs to: lars; remove it or change "
              "optimizer.name",
              tutti_lars_form_names[options->lars_form], rule);
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
  for (int i = 0; i < N_NUMBERS; i++) TUTTI_TRY(resolve_number(&resolved, i));
  TUTTI_TRY(check_flags(&resolved));
  TUTTI_TRY(check_correction(&resolved));
  TUTTI_TRY(check_clips(&resolved));
  TUTTI_CHECK(in_range(resolved.ema_momentum, FROM_0_BELOW_1), TUTTI_ERR_CONFIG,
              "optimizer.ema_momentum is %g, expected %s (0: no average)", resolved.ema_momentum,
              range_text[FROM_0_BELOW_1]);
  *options = resolved;
  return TUTTI_OK;
}
