/** The rules and their options in words, from the tables: for `tutti help optimizers`, for the help of the keys, and
 * for messages.  The command line, the config and options.c call it. */
#include <string.h>

#include "base/text.h"
#include "optim/optim_impl.h"

const char *const tutti_optim_sentences[TUTTI_N_OPTIMS] = {
#define X(code, word, sentence) sentence,
#include "tutti/rules.def"
};

const char *tutti_optim_rules_with(tutti_optim_option option, char *text, size_t bytes) {
  const char *names[TUTTI_N_OPTIMS];
  int n = 0;
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++)
    if (tutti_optim_find_taken((tutti_optim_rule)rule, option)) names[n++] = tutti_optim_names[rule];
  text[0] = '\0';
  return n == TUTTI_N_OPTIMS ? text : tutti_text_list(text, bytes, names, n);
}

/** Keys that no table mentions belong to all rules. */
const char *tutti_optim_takers(const char *option, char *text, size_t bytes) {
  text[0] = '\0';
  for (int i = TUTTI_TAKES_NO_MORE + 1; i < TUTTI_N_TAKEN; i++)
    if (strcmp(tutti_optim_taken_options[i].name, option) == 0)
      return tutti_optim_rules_with((tutti_optim_option)i, text, bytes);
  return text;
}

const char *tutti_optim_defaults(tutti_optim_rule rule, char *text, size_t bytes) {
  const tutti_optim_taken *taken = tutti_optim_table_of(rule)->takes;
  text[0] = '\0';
  for (int i = 0; taken[i].option != TUTTI_TAKES_NO_MORE; i++) {
    const tutti_option_info *option = &tutti_optim_taken_options[taken[i].option];
    tutti_text_append(text, bytes, "%s%s", i ? ", " : "", option->name);
    if (option->type == TUTTI_OPTION_SWITCH) tutti_text_append(text, bytes, " no");
    if (option->type == TUTTI_OPTION_WORD) tutti_text_append(text, bytes, " %s", option->words[0]);
    if (option->type != TUTTI_OPTION_NUMBER) continue;
    tutti_text_append(text, bytes, " %g", taken[i].keras);
    if (taken[i].torch != taken[i].keras) tutti_text_append(text, bytes, " (torch %g)", taken[i].torch);
  }
  return text;
}
