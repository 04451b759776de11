/** The options of the optimizer: defaults of the rule and the dialect, ranges, and combinations that make no sense.
 * optim_options.def lists them, and the tables of the rules say who takes which.  The config calls it when a file is
 * read. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"
#include "optim/optim_impl.h"

/** Numbers that all rules take. */
static const tutti_option_info common_numbers[] = {
#define OPTION_NUMBER(NAME, RANGE, SENTENCE)                                                                 \
  {#NAME, TUTTI_OPTION_NUMBER, offsetof(tutti_optim_options, NAME), TUTTI_RANGE_##RANGE, NULL},
#include "tutti/optim_options.def"
};

tutti_optim_options tutti_optim_options_default(void) {
  return (tutti_optim_options){
      .rule = TUTTI_RMSPROP,
      .dialect = TUTTI_DIALECT_KERAS,
#define RULE_NUMBER(CODE, NAME, RANGE, SENTENCE) .NAME = NAN,
#include "tutti/optim_options.def"
  };
}

// --- ranges

static tutti_status check_range(const tutti_option_info *option, double value) {
  static const char *const texts[] = {
      [TUTTI_RANGE_FROM_0] = "a number from 0",
      [TUTTI_RANGE_ABOVE_0] = "a number above 0",
      [TUTTI_RANGE_FROM_0_BELOW_1] = "a number from 0 and below 1",
  };
  const bool above = option->range == TUTTI_RANGE_ABOVE_0 ? value > 0 : value >= 0;
  const bool below = option->range != TUTTI_RANGE_FROM_0_BELOW_1 || value < 1;
  TUTTI_CHECK(isfinite(value) && above && below, TUTTI_ERR_CONFIG, "optimizer.%s is %g, expected %s",
              option->name, value, texts[option->range]);
  return TUTTI_OK;
}

/** The value of an option that is a number. */
static const double *number_of(const tutti_optim_options *options, const tutti_option_info *option) {
  return (const double *)((const char *)options + option->offset);
}

/** Check the numbers that all rules take. */
static tutti_status check_common(const tutti_optim_options *options) {
  for (size_t i = 0; i < sizeof common_numbers / sizeof common_numbers[0]; i++)
    TUTTI_TRY(check_range(&common_numbers[i], *number_of(options, &common_numbers[i])));
  return TUTTI_OK;
}

// --- options that only some rules take

/** The value of an option as text; NULL: it was not set. */
static const char *set_value(const tutti_optim_options *options, const tutti_option_info *option, char *text,
                             size_t bytes) {
  const char *field = (const char *)options + option->offset;
  if (option->type == TUTTI_OPTION_SWITCH) return *(const bool *)field ? "set" : NULL;
  if (option->type == TUTTI_OPTION_WORD) {
    const int word = *(const int *)field; // an enum
    return word ? option->words[word] : NULL;
  }
  snprintf(text, bytes, "%g", *number_of(options, option));
  return isnan(*number_of(options, option)) ? NULL : text;
}

/** Refuse an option that the rule does not take, or replace NAN by the default of the dialect. */
static tutti_status resolve_option(tutti_optim_options *options, tutti_optim_option i) {
  const tutti_option_info *option = &tutti_optim_taken_options[i];
  const tutti_optim_taken *taken = tutti_optim_find_taken(options->rule, i);
  char text[32], rules[128];
  const char *value = set_value(options, option, text, sizeof text);
  TUTTI_CHECK(
      taken || !value, TUTTI_ERR_CONFIG,
      "optimizer.%s is %s, but %s does not take it; it belongs to: %s; remove it or change optimizer.name",
      option->name, value, tutti_optim_names[options->rule], tutti_optim_rules_with(i, rules, sizeof rules));
  if (!taken || option->type != TUTTI_OPTION_NUMBER) return TUTTI_OK;
  double *number = (double *)((char *)options + option->offset);
  if (!value) *number = options->dialect == TUTTI_DIALECT_KERAS ? taken->keras : taken->torch;
  return check_range(option, *number);
}

// --- combinations

/** Switches without effect are mistakes. */
static tutti_status check_switches(const tutti_optim_options *options) {
  TUTTI_CHECK(
      !options->centered || options->rho > 0, TUTTI_ERR_CONFIG,
      "optimizer.centered is set, but optimizer.rho is 0: the deviation of one gradient from itself is 0; "
      "set a rho above 0, 0.9 for example, or remove centered");
  TUTTI_CHECK(
      !options->nesterov || options->momentum > 0, TUTTI_ERR_CONFIG,
      "optimizer.nesterov is set, but optimizer.momentum is 0; set a momentum above 0, 0.9 for example");
  return TUTTI_OK;
}

/** "sgd with dialect keras, lars": the rules that have a velocity with the learning rate inside. */
static const char *rules_with_rate_inside(char *text, size_t bytes) {
  text[0] = '\0';
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++) {
    if (!tutti_optim_find_taken((tutti_optim_rule)rule, TUTTI_TAKES_MOMENTUM)) continue;
    bool inside[TUTTI_N_DIALECTS];
    for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++) {
      const tutti_optim_options options = {.momentum = 0.9, .dialect = (tutti_dialect)dialect};
      inside[dialect] = tutti_optim_has_rate_inside(tutti_optim_table_of((tutti_optim_rule)rule), &options);
    }
    if (!inside[TUTTI_DIALECT_KERAS]) continue;
    tutti_text_append(text, bytes, "%s%s%s", text[0] ? ", " : "", tutti_optim_names[rule],
                      inside[TUTTI_DIALECT_TORCH] ? "" : " with dialect keras");
  }
  return text;
}

static tutti_status check_correction(const tutti_optim_options *options) {
  const tutti_optim_table *rule = tutti_optim_table_of(options->rule);
  char rules[128];
  TUTTI_CHECK(
      !options->momentum_correction || tutti_optim_has_rate_inside(rule, options), TUTTI_ERR_CONFIG,
      "optimizer.momentum_correction is set, but this %s has no velocity with the learning rate inside; it "
      "belongs to %s (lars_form classic or paper), with a momentum above 0; remove it",
      tutti_optim_names[options->rule], rules_with_rate_inside(rules, sizeof rules));
  return TUTTI_OK;
}

/** At most one way of clipping is set. */
static tutti_status check_clips(const tutti_optim_options *options) {
  static const char *const names[] = {"clipnorm", "global_clipnorm", "clipvalue"};
  const double values[] = {options->clipnorm, options->global_clipnorm, options->clipvalue};
  int first = -1;
  for (int i = 0; i < 3; i++) {
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
  for (int i = TUTTI_TAKES_NO_MORE + 1; i < TUTTI_N_TAKEN; i++)
    TUTTI_TRY(resolve_option(&resolved, (tutti_optim_option)i));
  TUTTI_TRY(check_common(&resolved));
  TUTTI_TRY(check_switches(&resolved));
  TUTTI_TRY(check_correction(&resolved));
  TUTTI_TRY(check_clips(&resolved));
  *options = resolved;
  return TUTTI_OK;
}
