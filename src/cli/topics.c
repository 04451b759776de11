/** `tutti help optimizers` and `tutti help layers`: the lists of the rooms optim and model, printed from their tables,
 * so that a new rule or layer is in the help at once.  Called by main.c. */
#include "cli/topics_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tutti/model.h"
#include "tutti/optim.h"

enum { TEXT_BYTES = 1024 };

/** One paragraph per rule. */
static void print_optimizers(void) {
  char text[TEXT_BYTES];
  puts("The update rules that optimizer.name can choose.  Below each rule are the options that it takes, "
       "with their\n"
       "defaults; dialect torch has the defaults in parentheses.  `tutti train --help` describes the "
       "options.");
  for (int i = 0; i < TUTTI_N_OPTIMS; i++)
    printf("\n%s\n  %s\n  %s\n", tutti_optim_names[i], tutti_optim_sentences[i],
           tutti_optim_defaults((tutti_optim_rule)i, text, sizeof text));
}

/** One paragraph per layer, then the words that several layers take. */
static void print_layers(void) {
  char text[TEXT_BYTES];
  puts("The layers that model.layers can contain.  Words in brackets may be left out; they are shown with "
       "their\n"
       "defaults.  trainable=no freezes the weights of a layer.");
  for (int i = 0; i < TUTTI_N_LAYER_KINDS; i++) {
    printf("\n%s\n", tutti_layer_usage((tutti_layer_kind)i, text, sizeof text));
    printf("  %s\n", tutti_layer_sentences[i]);
    if (tutti_layer_ranges((tutti_layer_kind)i, text, sizeof text)[0]) printf("  %s\n", text);
  }
  printf("\nActivations: %s\n",
         tutti_text_list(text, sizeof text, tutti_activation_names, TUTTI_N_ACTIVATIONS));
  printf("Initializers: %s\n",
         tutti_text_list(text, sizeof text, tutti_model_initializer_names, TUTTI_N_INITIALIZERS));
}

const tutti_cli_topic tutti_cli_topics[TUTTI_N_CLI_TOPICS] = {
    {"optimizers", "the update rules, their options and defaults", print_optimizers},
    {"layers", "the layers, their words and defaults", print_layers},
};

bool tutti_cli_print_topic(const char *name, bool print) {
  for (int i = 0; i < TUTTI_N_CLI_TOPICS; i++) {
    if (strcmp(tutti_cli_topics[i].name, name) != 0) continue;
    if (print) tutti_cli_topics[i].print();
    return true;
  }
  return false;
}
