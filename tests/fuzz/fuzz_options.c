/* A command line, one word per line, and the keys in it. */
#include <stdlib.h>
#include <string.h>

#include "cli/options_impl.h"
#include "fuzz.h"

enum { MOST_WORDS = 64 };

/** One option of each type. */
typedef struct {
  const char *name;
  bool is_on;
  int64_t whole;
  int number;
  double tolerance;
  tutti_weights weights;
} option_values;

#define VALUE(member) offsetof(option_values, member)
static const tutti_cli_option_row options[] = {
    {.option = {"name", TUTTI_CLI_TEXT, VALUE(name), .min = 0}},
    {.option = {"on", TUTTI_CLI_SWITCH, VALUE(is_on), .min = 0}},
    {.option = {"flag", TUTTI_CLI_EARLY, 0, .min = 0}},
    {.option = {"whole", TUTTI_CLI_WHOLE, VALUE(whole), .min = 1, .max = INT64_MAX}},
    {.option = {"number", TUTTI_CLI_INT, VALUE(number), .min = -5, .max = 5}},
    {.option = {"tolerance", TUTTI_CLI_POSITIVE, VALUE(tolerance), .min = 0}},
    TUTTI_OPTION_WEIGHTS(VALUE(weights)),
    {.help = {NULL, NULL}}};

static void parse(int argc, char **argv) {
  static const char text[] = "data: {file: d.h5}\nmodel: {layers: [dense 2 softmax]}\n";
  static const tutti_command command = {
      .name = "fuzz", .arguments = "FILE", .options = options, .takes_keys = true, .max_positional = 3};
  option_values values = {.weights = TUTTI_WEIGHTS_OF_FILE};
  tutti_cli_arguments arguments = {0};
  tutti_config config = {0};
  if (tutti_cli_parse(argc, argv, &command, &values, &arguments) == TUTTI_OK)
    (void)(tutti_config_parse(text, "fuzz.yaml", arguments.overrides, arguments.n_overrides, &config) ==
           TUTTI_OK);
  tutti_config_clear(&config);
  tutti_cli_arguments_clear(&arguments);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char command[] = "train", *argv[MOST_WORDS + 2] = {command}, *rest = NULL;
  char *text = fuzz_text(data, n);
  int argc = 1;
  if (!text) return 0;
  for (char *word = strtok_r(text, "\n", &rest); word && argc <= MOST_WORDS;
       word = strtok_r(NULL, "\n", &rest))
    argv[argc++] = word;
  parse(argc, argv);
  free(text);
  fuzz_end();
  return 0;
}
