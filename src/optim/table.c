/** The lists of this room: the update rules of rules.def with their tables, and the options of optim_options.def.
 * This file lies above the rules, none of which calls it; the optimizer, the options, the units of the state and the
 * help look rules up here. */
#include <stddef.h>

#include "optim/optim_impl.h"

const char *const tutti_optim_dialect_names[TUTTI_N_DIALECTS] = {"keras", "torch"};
const char *const tutti_optim_decay_exclude_names[TUTTI_N_EXCLUDES] = {"none", "vectors"};
const char *const tutti_optim_lars_form_names[TUTTI_N_LARS_FORMS] = {"classic", "popular", "paper"};

const char *const tutti_optim_names[TUTTI_N_OPTIMS] = {
#define X(code, word, sentence) #word,
#include "tutti/rules.def"
};

const tutti_optim_table *tutti_optim_table_of(tutti_optim_rule rule) {
  static const tutti_optim_table *const tables[TUTTI_N_OPTIMS] = {
#define X(code, word, sentence) [TUTTI_##code] = &tutti_optim_##word,
#include "tutti/rules.def"
  };
  return tables[rule];
}

const tutti_optim_taken *tutti_optim_find_taken(tutti_optim_rule rule, tutti_optim_option wanted) {
  const tutti_optim_taken *taken = tutti_optim_table_of(rule)->takes;
  while (taken->option != wanted && taken->option != TUTTI_TAKES_NO_MORE) taken++;
  return taken->option == wanted ? taken : NULL;
}

#define ENTRY(NAME, TYPE) #NAME, TUTTI_OPTION_##TYPE, offsetof(tutti_optim_options, NAME)

const tutti_option_info tutti_optim_taken_options[TUTTI_N_TAKEN] = {
#define RULE_NUMBER(CODE, NAME, RANGE, SENTENCE)                                                             \
  [TUTTI_TAKES_##CODE] = {ENTRY(NAME, NUMBER), TUTTI_RANGE_##RANGE, NULL},
#define RULE_SWITCH(CODE, NAME, SENTENCE) [TUTTI_TAKES_##CODE] = {.name = ENTRY(NAME, SWITCH)},
#define RULE_WORD(CODE, NAME, NAMES, FALLBACK, SENTENCE)                                                     \
  [TUTTI_TAKES_##CODE] = {ENTRY(NAME, WORD), TUTTI_RANGE_FROM_0, NAMES},
#include "tutti/optim_options.def"
};
