#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/topics_impl.h"
#include "tutti/config.h"

const tutti_command *const tutti_commands[] = {&tutti_command_train,     &tutti_command_eval,
                                               &tutti_command_predict,   &tutti_command_study,
                                               &tutti_command_import,    &tutti_command_info,
                                               &tutti_command_sharpness, &tutti_command_bench,
                                               &tutti_command_doctor,    NULL};

const tutti_command *tutti_command_find(const char *name) {
  for (int i = 0; tutti_commands[i]; i++)
    if (strcmp(tutti_commands[i]->name, name) == 0) return tutti_commands[i];
  return NULL;
}

void tutti_help_print(void) {
  puts("tutti: trains dense neural networks with MPI data parallelism\n");
  for (int i = 0; tutti_commands[i]; i++)
    printf("  tutti %-10s %s\n", tutti_commands[i]->name, tutti_commands[i]->summary);
  puts("\n  tutti COMMAND --help   its arguments");
  for (int i = 0; i < TUTTI_N_CLI_TOPICS; i++)
    printf("  tutti help %-11s %s\n", tutti_cli_topics[i].name, tutti_cli_topics[i].summary);
  puts("  tutti --version\n\n"
       "Several ranks:  mpirun -np 8 tutti train jobs/mnist.yaml");
}

static void print_key(const tutti_key_info *key) {
  printf("  %-19s %s", key->name, key->sentence);
  if (key->fallback[0]) printf(" [%s]", key->fallback);
  printf("\n");
  if (key->allowed[0]) printf("  %-19s   %s\n", "", key->allowed);
}

/** Those of the section `own`, or those of all others. */
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
  puts("\nKeys of a config, each also an option --section.key=VALUE that wins over the file:");
  const char *own = own_section ? own_section : "";
  print_sections(own, true);
  print_sections(own, false);
}

void tutti_help_print_command(const tutti_command *command) {
  printf("usage: tutti %s%s%s\n\n%s\n", command->name, command->arguments[0] ? " " : "", command->arguments,
         command->details);
  if (command->print_more) command->print_more();
  for (const char *const *table = command->tables; table && *table; table++) printf("\n%s\n", *table);
  if (command->shows_keys) print_keys(command->own_section);
}
