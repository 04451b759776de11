/** The list of commands, and the help.
 *
 * This file stands above the commands: it names each of them, and none of them calls it.  Keys and columns are lists,
 * so their help follows from the lists; here it is broken into lines of WIDTH characters.  Called by main.c. */
#include <stdio.h>
#include <string.h>

#include "cli/command_impl.h"
#include "cli/topics_impl.h"
#include "tutti/config.h"

enum { WIDTH = 110, USAGE_INDENT = 8, KEY_INDENT = 22, ROW_INDENT = 26 };

// --- the commands --------------------------------------------------------------------------------

const tutti_command *const tutti_cli_commands[TUTTI_N_COMMANDS] = {
#define X(code, word) &tutti_command_##word,
#include "cli/commands.def"
};

const tutti_command *tutti_command_find(const char *name) {
  for (int i = 0; i < TUTTI_N_COMMANDS; i++)
    if (strcmp(tutti_cli_commands[i]->name, name) == 0) return tutti_cli_commands[i];
  return NULL;
}

void tutti_cli_print_help(void) {
  puts("tutti trains dense neural networks with MPI data parallelism.\n");
  for (int i = 0; i < TUTTI_N_COMMANDS; i++)
    printf("  tutti %-10s %s\n", tutti_cli_commands[i]->name, tutti_cli_commands[i]->summary);
  puts("\n"
       "  tutti COMMAND --help   arguments and options of a command");
  for (int i = 0; i < TUTTI_N_CLI_TOPICS; i++)
    printf("  tutti help %-11s %s\n", tutti_cli_topics[i].name, tutti_cli_topics[i].summary);
  puts("  tutti --version\n"
       "\n"
       "To use several ranks:  mpirun -np 8 tutti train jobs/mnist.yaml");
}

// --- the help of a command -----------------------------------------------------------------------

/** Print a text whose lines have at most WIDTH characters.
 * @param[in] column  number of characters that the line has already
 * @param[in] indent  number of blanks before each further line */
static void print_wrapped(const char *text, int column, int indent) {
  while (*text) {
    const int blanks = (int)strspn(text, " "), letters = (int)strcspn(text + blanks, " \n");
    if (*text == '\n' || column + blanks + letters > WIDTH) {
      putchar('\n');
      column = 0;
    }
    if (*text == '\n') {
      text++;
      continue;
    }
    column += printf("%*s%.*s", column > 0 ? blanks : indent, "", letters, text + blanks);
    text += blanks + letters;
  }
  putchar('\n');
}

/** Print names, and their text in the second column: on the same line if two blanks fit between them. */
static void print_row(const tutti_help_row *row) {
  const int blanks = ROW_INDENT - printf("  %s", row->names);
  print_wrapped(row->text, blanks < 2 ? WIDTH : printf("%*s", blanks, "") + ROW_INDENT - blanks, ROW_INDENT);
}

/** The allowed values have a line of their own: they are as long as the sentence. */
static void print_key(const tutti_key_info *key) {
  char text[512];
  snprintf(text, sizeof text, key->fallback[0] ? "%s [%s]" : "%s", key->sentence, key->fallback);
  print_wrapped(text, printf("  %-*s ", KEY_INDENT - 3, key->name), KEY_INDENT);
  if (key->allowed[0]) print_wrapped(key->allowed, printf("%*s", KEY_INDENT + 2, ""), KEY_INDENT + 2);
}

/** Print the keys of the section `own`, or those of all other sections. */
static void print_sections(const char *own, bool is_own) {
  const char *section = "";
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    tutti_key_info key;
    tutti_config_key(i, &key);
    if ((strcmp(key.section, own) == 0) != is_own) continue;
    if (strcmp(section, key.section) != 0) printf("\n%s:\n", key.section);
    section = key.section;
    print_key(&key);
  }
}

static void print_keys(const char *own_section) {
  const char *own = own_section ? own_section : "";
  puts("\nKeys of a config, each with its [default] and its allowed values.  A key is also an option,\n"
       "--section.key=VALUE, which overrides the file.");
  print_sections(own, true);
  print_sections(own, false);
}

/** Usage, purpose and options come first.  The keys of a config are the longest part, so they are the last one. */
void tutti_cli_print_command_help(const tutti_command *command) {
  const int column = printf("usage: tutti %s%s", command->name, command->arguments[0] ? " " : "");
  print_wrapped(command->arguments, column, USAGE_INDENT);
  putchar('\n');
  print_wrapped(command->details, 0, 0);
  if (command->options) putchar('\n');
  for (const tutti_cli_option_row *row = command->options; row && row->help.names; row++)
    print_row(&row->help);
  if (command->print_more) command->print_more();
  if (command->examples) printf("\nFor example:\n%s\n", command->examples);
  for (const tutti_help_table *table = command->tables; table && table->title; table++) {
    putchar('\n');
    print_wrapped(table->title, 0, 0);
    for (const tutti_help_row *row = table->rows; row->names; row++) print_row(row);
  }
  if (command->shows_keys) print_keys(command->own_section);
}
