/** The command line of a command, parsed with getopt_long.
 *
 * Keys of the config are options too, so getopt's table is made from the list of keys.  If an option is unknown, the
 * message names the one that was probably meant.  Called by every command. */
#include "cli/options_impl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"

/** getopt's table: first the rows of the command's options, then the keys. */
typedef struct {
  struct option *entries; // [n + 1]
  const char **names;     // [n]
  int n;
} option_table;

#define VARY "study.vary."
enum { KEY_BYTES = 80, MAX_SECTION_KEYS = 160 };

static void free_table(option_table *table) {
  tutti_free(table->entries);
  tutti_free(table->names);
}

static void add_entry(option_table *table, const char *name, bool is_flag) {
  table->entries[table->n] =
      (struct option){.name = name, .has_arg = is_flag ? no_argument : required_argument};
  table->names[table->n++] = name;
}

/** Number of rows of the options, also of those that only explain. */
static int count_rows(const tutti_command *command) {
  int n = 0;
  while (command->options && (command->options[n].option.name || command->options[n].help.names)) n++;
  return n;
}

/** The command's option of this name; NULL: the name is that of a key. */
static const tutti_cli_option *find_option(const tutti_command *command, const char *name) {
  for (int i = 0; i < count_rows(command); i++) {
    const tutti_cli_option *option = &command->options[i].option;
    if (option->name && strcmp(option->name, name) == 0) return option;
  }
  return NULL;
}

/** @param[out] key_names  memory of the table's names: of each key "study.vary.section.name", which ends with its own
 * name */
static tutti_status make_table(const tutti_command *command, option_table *table, char **key_names) {
  const tutti_cli_option_row *options = command->options;
  const int n_rows = count_rows(command), n_keys = command->takes_keys ? tutti_config_n_keys() : 0;
  TUTTI_TRY(TUTTI_NEW(table->entries, n_rows + 2 * n_keys + 1));
  TUTTI_TRY(TUTTI_NEW(table->names, n_rows + 2 * n_keys));
  TUTTI_TRY(TUTTI_NEW(*key_names, (int64_t)n_keys * KEY_BYTES));
  for (int i = 0; i < n_rows; i++)
    if (options[i].option.name)
      add_entry(table, options[i].option.name, options[i].option.type == TUTTI_CLI_EARLY);
  for (int i = 0; i < n_keys; i++) {
    tutti_key_info key;
    char *name = *key_names + (int64_t)i * KEY_BYTES;
    tutti_config_key(i, &key);
    snprintf(name, KEY_BYTES, VARY "%s.%s", key.section, key.name);
    add_entry(table, name + strlen(VARY), false);
    if (strcmp(key.section, "study") != 0) add_entry(table, name, false);
  }
  return TUTTI_OK;
}

static const char *after_dot(const char *name) {
  const char *dot = strchr(name, '.');
  return dot ? dot + 1 : name;
}

/** The key of this name in any section, since users often leave the section out or write another one. */
static const char *key_of_any_section(const option_table *table, const char *name) {
  for (int i = 0; i < table->n; i++)
    if (strchr(table->names[i], '.') && strcmp(after_dot(table->names[i]), after_dot(name)) == 0)
      return table->names[i];
  return NULL;
}

/** The option that was probably meant by "train.epoch"; NULL: unknown.  If the section is right, only the name of the
 * key is compared. */
static const char *meant(const option_table *table, const char *name) {
  const char *key = key_of_any_section(table, name);
  const char *keys[MAX_SECTION_KEYS];
  const size_t n_section = (size_t)(after_dot(name) - name);
  int n = 0;
  for (int i = 0; i < table->n && n < MAX_SECTION_KEYS; i++)
    if (n_section > 0 && strncmp(table->names[i], name, n_section) == 0)
      keys[n++] = table->names[i] + n_section;
  if (key) return key;
  if (n == 0) return tutti_name_nearest(name, table->names, table->n);
  const char *nearest = tutti_name_nearest(name + n_section, keys, n);
  return nearest ? nearest - n_section : NULL;
}

/** Without a near name, the message leads to the help: a list of all keys would fill the screen. */
static tutti_status fail_unknown(const option_table *table, const char *argument) {
  char name[KEY_BYTES + 8];
  const char *start = argument + strspn(argument, "-");
  snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "="), start);
  const char *nearest = meant(table, name);
  TUTTI_CHECK(!nearest, TUTTI_ERR_USAGE, "unknown option %s; did you mean --%s?", argument, nearest);
  TUTTI_FAIL(TUTTI_ERR_USAGE, "unknown option %s; --help lists the options", argument);
}

/** getopt_long accepts any beginning of a name.  The meaning of a script that relies on it could change with the next
 * key, so the whole name is required. */
static bool is_whole_name(const char *argument, const char *name) {
  const size_t n = strlen(name);
  return strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, name, n) == 0 &&
         (argument[2 + n] == '\0' || argument[2 + n] == '=');
}

/** Run getopt.  Options of the command are read at once; keys are kept in their order, since the last one counts. */
static tutti_status parse(int argc, char **argv, const tutti_command *command, void *values,
                          const option_table *table, tutti_cli_arguments *arguments) {
  opterr = 0;
  optind = 1;
  for (;;) {
    int which = 0;
    // With a leading ':', getopt returns ':' if a value is missing and '?' if an option is unknown.
    const int result = getopt_long(argc, argv, ":", table->entries, &which);
    if (result == -1) break;
    TUTTI_CHECK(result != '?' || !optopt, TUTTI_ERR_USAGE, "unknown option -%c; --help lists the options",
                optopt);
    const char *last = argv[optind - 1];
    TUTTI_CHECK(result != ':', TUTTI_ERR_USAGE, "%s needs a value: %s=VALUE", last, last);
    const char *argument = result == 0 && optarg == last ? argv[optind - 2] : last;
    if (result == '?' || !is_whole_name(argument, table->names[which])) return fail_unknown(table, argument);
    const tutti_cli_option *option = find_option(command, table->names[which]);
    if (option)
      TUTTI_TRY(tutti_cli_option_read(option, optarg, values));
    else
      arguments->overrides[arguments->n_overrides++] = (tutti_override){table->names[which], optarg};
  }
  arguments->positional = (const char *const *)(argv + optind);
  arguments->n_positional = argc - optind;
  return TUTTI_OK;
}

/** Positional arguments are counted last: an unknown option explains more than a missing argument. */
tutti_status tutti_cli_parse(int argc, char **argv, const tutti_command *command, void *values,
                             tutti_cli_arguments *arguments) {
  *arguments = (tutti_cli_arguments){0};
  option_table table = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, make_table(command, &table, &arguments->key_names));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(arguments->overrides, argc));
  TUTTI_TRY_GOTO(done, parse(argc, argv, command, values, &table, arguments));
  TUTTI_CHECK_GOTO(done, arguments->n_positional >= command->min_positional, TUTTI_ERR_USAGE,
                   "%s: an argument is missing: tutti %s %s", argv[0], argv[0], command->arguments);
  TUTTI_CHECK_GOTO(done, arguments->n_positional <= command->max_positional, TUTTI_ERR_USAGE,
                   "%s: '%s' is one argument too many: tutti %s %s", argv[0],
                   arguments->positional[command->max_positional], argv[0], command->arguments);
done:
  free_table(&table);
  if (status != TUTTI_OK) tutti_cli_arguments_clear(arguments);
  return status;
}

void tutti_cli_arguments_clear(tutti_cli_arguments *arguments) {
  tutti_free(arguments->overrides);
  tutti_free(arguments->key_names);
  tutti_free(arguments->text);
  *arguments = (tutti_cli_arguments){0};
}

tutti_status tutti_cli_parse_arguments(const tutti_comm *comm, int argc, char **argv,
                                       const tutti_command *command, void *values,
                                       const char *const **positional) {
  tutti_cli_arguments arguments;
  const tutti_status parsed = tutti_cli_parse(argc, argv, command, values, &arguments);
  *positional = arguments.positional;
  tutti_cli_arguments_clear(&arguments);
  return tutti_comm_agree(comm, parsed);
}
