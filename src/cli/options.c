#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "cli/cli.h"

/** getopt's table: first the command's options, then the keys. */
typedef struct {
  struct option *entries; // [n + 1]
  const char **names;     // [n]
  int n;
} option_table;

enum { KEY_BYTES = 80, MAX_SECTION_KEYS = 160 };

static void free_table(option_table *table) {
  tutti_free(table->entries);
  tutti_free(table->names);
}

static void add_entry(option_table *table, const char *name) {
  table->entries[table->n] = (struct option){.name = name, .has_arg = required_argument};
  table->names[table->n++] = name;
}

static void add_key(option_table *table, const char *format, const tutti_key_info *key, const char *prefix,
                    char name[KEY_BYTES]) {
  snprintf(name, KEY_BYTES, format, key->section, key->name);
  if (strncmp(name, prefix, strlen(prefix)) == 0) add_entry(table, name);
}

/** @param[out] key_names  where the table keeps the keys' "section.name", then the varied ones */
static tutti_status make_table(const tutti_option *options, int n_options, const char *prefix,
                               option_table *table, char **key_names) {
  const int n_keys = prefix ? tutti_config_n_keys() : 0;
  TUTTI_TRY(TUTTI_NEW(table->entries, n_options + 2 * n_keys + 1));
  TUTTI_TRY(TUTTI_NEW(table->names, n_options + 2 * n_keys));
  TUTTI_TRY(TUTTI_NEW(*key_names, (int64_t)2 * n_keys * KEY_BYTES));
  for (int i = 0; i < n_options; i++) add_entry(table, options[i].name);
  for (int i = 0; i < n_keys; i++) {
    tutti_key_info key;
    char *name = *key_names + (int64_t)2 * i * KEY_BYTES;
    tutti_config_key(i, &key);
    add_key(table, "%s.%s", &key, prefix, name);
    if (strcmp(key.section, "study") != 0) add_key(table, "study.vary.%s.%s", &key, prefix, name + KEY_BYTES);
  }
  return TUTTI_OK;
}

static const char *after_dot(const char *name) {
  const char *dot = strchr(name, '.');
  return dot ? dot + 1 : name;
}

/** The key that is called so in any section: people leave the section out, or take another. */
static const char *key_of_any_section(const option_table *table, const char *name) {
  for (int i = 0; i < table->n; i++)
    if (strchr(table->names[i], '.') && strcmp(after_dot(table->names[i]), after_dot(name)) == 0)
      return table->names[i];
  return NULL;
}

/** What was meant by "train.epoch", or NULL.  The letters of a section that is right do not count. */
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

static tutti_status fail_unknown(const option_table *table, const char *argument) {
  char name[KEY_BYTES + 8];
  const char *start = argument + strspn(argument, "-");
  snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "="), start);
  const char *nearest = meant(table, name);
  TUTTI_CHECK(!nearest, TUTTI_ERR_USAGE, "unknown option %s; did you mean --%s?", argument, nearest);
  TUTTI_FAIL(TUTTI_ERR_USAGE, "unknown option %s; --help lists the options", argument);
}

/** getopt_long takes any beginning of a name for the name.  A script that relies on it would change its
 * meaning with the next key, so the name has to be whole. */
static bool is_whole_name(const char *argument, const char *name) {
  const size_t n = strlen(name);
  return strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, name, n) == 0 &&
         (argument[2 + n] == '\0' || argument[2 + n] == '=');
}

static tutti_status parse(int argc, char **argv, const tutti_option *options, int n_options,
                          const option_table *table, tutti_arguments *arguments) {
  opterr = 0;
  optind = 1;
  for (;;) {
    int which = 0;
    // A leading ':' makes getopt tell a missing value (':') from an unknown option ('?').
    const int result = getopt_long(argc, argv, ":", table->entries, &which);
    if (result == -1) break;
    TUTTI_CHECK(result != '?' || !optopt, TUTTI_ERR_USAGE, "unknown option -%c; --help lists the options",
                optopt);
    const char *last = argv[optind - 1];
    TUTTI_CHECK(result != ':', TUTTI_ERR_USAGE, "%s wants a value: %s=VALUE", last, last);
    const char *argument = result == 0 && optarg == last ? argv[optind - 2] : last;
    if (result == '?' || !is_whole_name(argument, table->names[which])) return fail_unknown(table, argument);
    if (which < n_options)
      *options[which].value = optarg;
    else
      arguments->overrides[arguments->n_overrides++] = (tutti_override){table->names[which], optarg};
  }
  arguments->positional = (const char *const *)(argv + optind);
  arguments->n_positional = argc - optind;
  return TUTTI_OK;
}

/** How the command is called, for a message. */
static const char *arguments_of(const char *name) {
  const tutti_command *command = tutti_command_find(name);
  return command ? command->arguments : "";
}

tutti_status tutti_arguments_parse(int argc, char **argv, const tutti_option *options, int n_options,
                                   const char *prefix, int min_positional, int max_positional,
                                   tutti_arguments *arguments) {
  *arguments = (tutti_arguments){0};
  option_table table = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, make_table(options, n_options, prefix, &table, &arguments->key_names));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(arguments->overrides, argc));
  TUTTI_TRY_GOTO(done, parse(argc, argv, options, n_options, &table, arguments));
  TUTTI_CHECK_GOTO(done, arguments->n_positional >= min_positional, TUTTI_ERR_USAGE,
                   "%s: an argument is missing: tutti %s %s", argv[0], argv[0], arguments_of(argv[0]));
  TUTTI_CHECK_GOTO(done, arguments->n_positional <= max_positional, TUTTI_ERR_USAGE,
                   "%s: '%s' is one argument too many: tutti %s %s", argv[0],
                   arguments->positional[max_positional], argv[0], arguments_of(argv[0]));
done:
  free_table(&table);
  if (status != TUTTI_OK) tutti_arguments_clear(arguments);
  return status;
}

tutti_status tutti_option_switch(const char *name, const char *text, bool *on) {
  *on = text && strcmp(text, "yes") == 0;
  TUTTI_CHECK(!text || *on || strcmp(text, "no") == 0, TUTTI_ERR_USAGE, "--%s=%s: expected yes or no", name,
              text);
  return TUTTI_OK;
}

tutti_status tutti_weights_parse(const char *text, tutti_weights *weights) {
  *weights = TUTTI_WEIGHTS_OF_FILE;
  if (!text) return TUTTI_OK;
  const bool is_average = strcmp(text, "average") == 0;
  TUTTI_CHECK(is_average || strcmp(text, "last") == 0, TUTTI_ERR_USAGE,
              "--weights=%s: expected last or average", text);
  *weights = is_average ? TUTTI_WEIGHTS_AVERAGE : TUTTI_WEIGHTS_LAST;
  return TUTTI_OK;
}

void tutti_arguments_clear(tutti_arguments *arguments) {
  tutti_free(arguments->overrides);
  tutti_free(arguments->key_names);
  *arguments = (tutti_arguments){0};
}
