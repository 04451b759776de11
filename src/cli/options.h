#pragma once
/** Arguments of a command: positional ones, and options `--name=value` by getopt_long.  Local. */
#include "tutti/config.h"
#include "tutti/train.h"

/** An option that a command takes besides the keys of a config. */
typedef struct {
  const char *name;
  const char **value; // where its text goes (borrowed from argv); untouched where it is not given
} tutti_option;

typedef struct {
  const char *const *positional; // borrowed from argv
  int n_positional;
  tutti_override *overrides; // [n_overrides] keys given as --section.key=VALUE, in their order; owned
  int n_overrides;
  char *key_names; // what the overrides' names point into; owned
} tutti_arguments;

/** @param[in] options  [n_options]
 * @param[in] prefix    which keys of the config are taken: "" all, "data." one section, NULL none
 * @return ERR_USAGE an unknown option (with the nearest known one), a value that is missing, more or fewer
 * positional arguments than [min, max] */
TUTTI_NODISCARD
tutti_status tutti_arguments_parse(int argc, char **argv, const tutti_option *options, int n_options,
                                   const char *prefix, int min_positional, int max_positional,
                                   tutti_arguments *arguments);
/** The value of an option --NAME=yes|no; NULL, where it was not given, is no.  @return ERR_USAGE */
TUTTI_NODISCARD
tutti_status tutti_option_switch(const char *name, const char *text, bool *on);

void tutti_arguments_clear(tutti_arguments *arguments);

/** Local.  Which weights of a checkpoint the option --weights asks for; NULL: it was not given. */
TUTTI_NODISCARD
tutti_status tutti_weights_parse(const char *text, tutti_weights *weights);

#define TUTTI_WEIGHTS_HELP                                                                                   \
  "--weights=average takes the average that optimizer.ema_momentum keeps; the default are the last\n"        \
  "weights, but in a best.h5 by an ema_ monitor the average, of which --weights=last takes the others."
