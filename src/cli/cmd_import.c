/** tutti import: convert files of another format to a data set.
 *
 * Each format of formats.def brings its files, options and help; this file parses its command line and calls it. */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "cli/command_impl.h"
#include "cli/options_impl.h"
#include "tutti/data.h"

static int n_options(const tutti_format *format) {
  int n = 0;
  while (n < TUTTI_MAX_FORMAT_OPTIONS && format->options[n].name) n++;
  return n;
}

/** The format decides which options there are, so it is found before the command line is parsed. */
static tutti_status find_format(const char *name, const tutti_format **format) {
  char all[128];
  tutti_text_choice(all, sizeof all, tutti_format_names, TUTTI_N_FORMATS);
  TUTTI_CHECK(name, TUTTI_ERR_USAGE, "import: which format? %s; see tutti import --help", all);
  const int i = tutti_name_find(name, tutti_format_names, TUTTI_N_FORMATS);
  const char *nearest = tutti_name_nearest(name, tutti_format_names, TUTTI_N_FORMATS);
  TUTTI_CHECK(i >= 0, TUTTI_ERR_USAGE, "import: unknown format '%s'; expected %s%s%s%s", name, all,
              nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
  *format = tutti_format_of((tutti_format_code)i);
  return TUTTI_OK;
}

/** An option that is missing has a message of its own here, since getopt knows of no required options. */
static tutti_status check_required(const tutti_format *format, const tutti_import_request *request) {
  for (int i = 0; i < n_options(format); i++)
    TUTTI_CHECK(!format->options[i].required || request->values[i], TUTTI_ERR_USAGE,
                "import: --%s=%s is missing; see tutti import --help", format->options[i].name,
                format->options[i].value);
  TUTTI_CHECK(request->output, TUTTI_ERR_USAGE,
              "import: --output=DATA.h5 is missing; see tutti import --help");
  return TUTTI_OK;
}

/** Build the options of the command from those of the format, parse, and import. */
static tutti_status import_local(int argc, char **argv, tutti_import_result *result) {
  const tutti_format *format = NULL;
  tutti_import_request request = {0};
  tutti_cli_option_row options[TUTTI_MAX_FORMAT_OPTIONS + 2] = {
      {.option = {"output", .offset = offsetof(tutti_import_request, output)}}};
  tutti_cli_arguments arguments;
  TUTTI_TRY(find_format(argc > 1 ? argv[1] : NULL, &format));
  for (int i = 0; i < n_options(format); i++)
    options[i + 1].option =
        (tutti_cli_option){format->options[i].name, .offset = offsetof(tutti_import_request, values) +
                                                              (size_t)i * sizeof *request.values};
  tutti_command command = tutti_command_import;
  command.options = options;
  command.min_positional = 1 + format->min_files;
  command.max_positional = 1 + format->max_files;
  TUTTI_TRY(tutti_cli_parse(argc, argv, &command, &request, &arguments));
  request.files = arguments.positional + 1; // after the format's name
  request.n_files = arguments.n_positional - 1;
  tutti_cli_arguments_clear(&arguments);
  TUTTI_TRY(check_required(format, &request));
  return format->import(&request, result);
}

/** Rank 0 imports, because the output is one file; the others wait for its status. */
static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  tutti_import_result result = {0};
  const bool root = tutti_comm_rank(comm) == 0;
  TUTTI_TRY(tutti_comm_agree_from(comm, 0, root ? import_local(argc, argv, &result) : TUTTI_OK));
  if (!root) return TUTTI_OK;
  printf("train_samples %lld\ntest_samples %lld\nfeatures %lld\n", (long long)result.n_train,
         (long long)result.n_test, (long long)result.n_features);
  if (result.n_validation > 0) printf("validation_samples %lld\n", (long long)result.n_validation);
  if (result.n_classes > 0) printf("classes %d\n", result.n_classes);
  if (result.index_base != TUTTI_INDEX_AUTO)
    printf("index_base %d\n", result.index_base == TUTTI_INDEX_FROM_1);
  return TUTTI_OK;
}

/** Print the usage line of a format; a long one is broken. */
static void print_usage(const char *name, const tutti_format *format) {
  enum { WIDTH = 110, INDENT = 6 };
  int at = printf("  tutti import %s%s%s", name, format->files[0] ? " " : "", format->files);
  for (int i = 0; i <= n_options(format); i++) {
    const bool is_last = i == n_options(format);
    const tutti_format_option *option = &format->options[i];
    char text[96] = "--output=DATA.h5";
    if (!is_last)
      snprintf(text, sizeof text, option->required ? "--%s=%s" : "[--%s=%s]", option->name, option->value);
    if (at + 1 + (int)strlen(text) > WIDTH) at = printf("\n%*s", INDENT, "") - 1;
    at += printf(" %s", text);
  }
  printf("\n");
}

/** First the usage lines of all formats, then what each format expects. */
static void print_formats(void) {
  for (int i = 0; i < TUTTI_N_FORMATS; i++)
    print_usage(tutti_format_names[i], tutti_format_of((tutti_format_code)i));
  for (int i = 0; i < TUTTI_N_FORMATS; i++)
    printf("\n%s: %s\n%s\n", tutti_format_names[i], tutti_format_sentences[i],
           tutti_format_of((tutti_format_code)i)->help);
}

const tutti_command tutti_command_import = {
    .name = "import",
    .arguments = "FORMAT [FILE ...] --output=DATA.h5 ...",
    .summary = "convert files of another format to a data set",
    .details = "Reads files of one of these formats, plain or compressed with gzip, and writes a data set:\n",
    .print_more = print_formats,
    .run = run};
