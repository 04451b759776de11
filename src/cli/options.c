#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/** getopt's table: first the command's options, then the keys. */
typedef struct {
  struct option *entries; // [n + 1]
  const char **names;     // [n]
  char *storage;          // the keys' "section.name"
  int n;
} option_table;

enum { KEY_BYTES = 64 };

static void free_table(option_table *table) {
  tutti_free(table->entries);
  tutti_free(table->names);
  tutti_free(table->storage);
}

static void add_entry(option_table *table, const char *name) {
  table->entries[table->n] = (struct option){.name = name, .has_arg = required_argument};
  table->names[table->n++] = name;
}

static tutti_status make_table(const tutti_option *options, int n_options, const char *prefix,
                               option_table *table) {
  const int n_keys = prefix ? tutti_config_n_keys() : 0;
  TUTTI_TRY(TUTTI_NEW(table->entries, n_options + n_keys + 1));
  TUTTI_TRY(TUTTI_NEW(table->names, n_options + n_keys));
  TUTTI_TRY(TUTTI_NEW(table->storage, (int64_t)n_keys * KEY_BYTES));
  for (int i = 0; i < n_options; i++) add_entry(table, options[i].name);
  for (int i = 0; i < n_keys; i++) {
    tutti_key_info key;
    tutti_config_key(i, &key);
    char *name = table->storage + i * KEY_BYTES;
    snprintf(name, KEY_BYTES, "%s.%s", key.section, key.name);
    if (strncmp(name, prefix, strlen(prefix)) == 0) add_entry(table, name);
  }
  return TUTTI_OK;
}

/** What getopt_long did not like: an unknown option, or one without its value. */
static tutti_status explain(const option_table *table, const char *argument, bool missing_value) {
  TUTTI_CHECK(!missing_value, TUTTI_ERR_USAGE, "%s wants a value: %s=VALUE", argument, argument);
  char name[KEY_BYTES + 8];
  const char *start = argument + strspn(argument, "-");
  snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "="), start);
  const char *nearest = tutti_text_nearest(name, table->names, table->n);
  TUTTI_CHECK(!nearest, TUTTI_ERR_USAGE, "unknown option %s; did you mean --%s?", argument, nearest);
  TUTTI_FAIL(TUTTI_ERR_USAGE, "unknown option %s; --help lists the options", argument);
}

static tutti_status parse(int argc, char **argv, const tutti_option *options, int n_options,
                          const option_table *table, tutti_arguments *arguments) {
  opterr = 0;
  optind = 1;
  for (;;) {
    const int at = optind;
    int which = 0;
    const int result = getopt_long(argc, argv, ":", table->entries, &which);
    if (result == -1) break;
    // A leading ':' in the short options makes getopt tell a missing value (':') from an unknown option
    // ('?').
    if (result != 0) return explain(table, argv[optind - 1 > at ? optind - 1 : at], result == ':');
    if (which < n_options)
      *options[which].value = optarg;
    else
      arguments->overrides[arguments->n_overrides++] = (tutti_override){table->names[which], optarg};
  }
  arguments->positional = (const char *const *)(argv + optind);
  arguments->n_positional = argc - optind;
  return TUTTI_OK;
}

tutti_status tutti_arguments_parse(int argc, char **argv, const tutti_option *options, int n_options,
                                   const char *prefix, int min_positional, int max_positional,
                                   tutti_arguments *arguments) {
  *arguments = (tutti_arguments){0};
  option_table table = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, make_table(options, n_options, prefix, &table));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(arguments->overrides, argc));
  TUTTI_TRY_GOTO(done, parse(argc, argv, options, n_options, &table, arguments));
  TUTTI_CHECK_GOTO(done, arguments->n_positional >= min_positional, TUTTI_ERR_USAGE,
                   "%s: an argument is missing; see tutti %s --help", argv[0], argv[0]);
  TUTTI_CHECK_GOTO(done, arguments->n_positional <= max_positional, TUTTI_ERR_USAGE,
                   "%s: '%s' is one argument too many; see tutti %s --help", argv[0],
                   arguments->positional[max_positional], argv[0]);
done:
  free_table(&table);
  if (status != TUTTI_OK) tutti_arguments_clear(arguments);
  return status;
}

void tutti_arguments_clear(tutti_arguments *arguments) {
  tutti_free(arguments->overrides);
  *arguments = (tutti_arguments){0};
}
