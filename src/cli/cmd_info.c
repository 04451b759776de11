/** tutti info: print what a file contains.  The kind of the file decides which summary is printed and which options are
 * allowed.  Rank 0 does all the work. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command_impl.h"
#include "cli/options_impl.h"
#include "cli/summary_impl.h"
#include "tutti/study.h"

/** Print the arrays of a data set, and draw its first samples if they are asked for. */
static tutti_status summarise_dataset(const tutti_file *file, int64_t n_show) {
  const bool has_train = tutti_file_has(file, "x_train");
  TUTTI_TRY(tutti_cli_print_dataset(file));
  if (n_show == 0) return TUTTI_OK;
  printf("\n");
  return tutti_cli_print_samples(file, has_train ? "x_train" : "x_test", has_train ? "y_train" : "y_test",
                                 n_show);
}

typedef enum { DATASET, CHECKPOINT, METRICS, STUDY, CONFIG } file_kind;

/** The kind of an HDF5 file, by an object that only this kind has. */
static file_kind kind_of(const tutti_file *file) {
  if (tutti_file_has(file, "/model/weights")) return CHECKPOINT;
  if (tutti_file_has(file, "epochs")) return METRICS;
  return tutti_cli_is_study(file) ? STUDY : DATASET;
}

/** What the options ask for beyond the summary. */
typedef struct {
  int64_t n_show;                                   // samples to draw
  const char *goal_text, *budget, *metric, *export; // texts of options
  tutti_goal goal;                                  // without a metric: the goal of the study
  bool at_budget;                                   // print the best values at a budget
  tutti_budget_question question;
} extras;

/** An option that does not fit the kind of file would have no effect, so it is refused. */
static tutti_status check_extras(extras extra, const char *path, file_kind kind) {
  static const char *const names[] = {"data set", "checkpoint file", "metrics file", "study", "config"};
  TUTTI_CHECK(extra.n_show == 0 || kind == DATASET, TUTTI_ERR_USAGE, "--show is for data sets; %s is a %s",
              path, names[kind]);
  TUTTI_CHECK(!extra.goal.metric[0] || kind == STUDY, TUTTI_ERR_USAGE, "--goal is for studies; %s is a %s",
              path, names[kind]);
  TUTTI_CHECK(!extra.at_budget || kind == STUDY, TUTTI_ERR_USAGE,
              "--budget and --metric are for studies; %s is a %s", path, names[kind]);
  TUTTI_CHECK(!extra.at_budget || !extra.goal.metric[0], TUTTI_ERR_USAGE,
              "--goal prints the steps to a goal, --budget and --metric print the value at a budget; leave "
              "one of them out");
  return TUTTI_OK;
}

/** Print the summary of an HDF5 file of any kind. */
static tutti_status summarise(const tutti_file *file, const char *path, extras extra) {
  const file_kind kind = kind_of(file);
  TUTTI_TRY(check_extras(extra, path, kind));
  if (kind == CHECKPOINT) return tutti_cli_print_checkpoint(path);
  if (kind == METRICS) return tutti_cli_print_metrics(file);
  return kind == STUDY ? tutti_cli_print_study(file, extra.goal.metric[0] ? &extra.goal : NULL,
                                               extra.at_budget ? &extra.question : NULL)
                       : summarise_dataset(file, extra.n_show);
}

/** Read --budget and --metric.  Without both, no table at a budget is printed. */
static tutti_status parse_question(extras *extra) {
  const unsigned units = TUTTI_UNIT_EPOCHS | TUTTI_UNIT_STEPS | TUTTI_UNIT_SAMPLES;
  const char *budget = extra->budget, *metric = extra->metric;
  tutti_budget_question *question = &extra->question;
  extra->at_budget = budget || metric;
  if (metric) snprintf(question->metric, sizeof question->metric, "%s", metric);
  const bool is_count =
      budget && tutti_count_parse(budget, units, TUTTI_UNIT_EPOCHS, &question->budget) == TUTTI_OK;
  TUTTI_CHECK(!budget || (is_count && question->budget.value > 0), TUTTI_ERR_USAGE,
              "--budget=%s: expected a count above 0 of epochs, steps or samples, for example '5 epochs'",
              budget);
  return TUTTI_OK;
}

/** A file other than a config takes two keys only, which say what the file may do. */
static tutti_status read_keys(const tutti_cli_arguments *arguments, tutti_trust *trust) {
  bool external = false, plugins = false;
  for (int i = 0; i < arguments->n_overrides; i++) {
    const tutti_override *key = &arguments->overrides[i];
    const bool about_plugins = strcmp(key->key, "data.plugins") == 0;
    TUTTI_CHECK(about_plugins || strcmp(key->key, "data.external") == 0, TUTTI_ERR_USAGE,
                "--%s is a key of a config, and %s is not a config: leave the key out, or name a config",
                key->key, arguments->positional[0]);
    const tutti_cli_option option = {.name = key->key, .type = TUTTI_CLI_SWITCH};
    TUTTI_TRY(tutti_cli_option_read(&option, key->value, about_plugins ? &plugins : &external));
  }
  *trust = tutti_trust_of(external, plugins);
  return TUTTI_OK;
}

static bool is_config(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/** The name decides whether the file is a config, since a YAML file with a mistake must not be opened as HDF5. */
static tutti_status summarise_path(const tutti_cli_arguments *arguments, extras extra) {
  const char *path = arguments->positional[0];
  tutti_file *file = NULL;
  tutti_trust trust = 0;
  if (is_config(path)) {
    TUTTI_TRY(check_extras(extra, path, CONFIG));
    return tutti_cli_print_config(path, arguments->overrides, arguments->n_overrides);
  }
  TUTTI_TRY(read_keys(arguments, &trust));
  TUTTI_TRY(tutti_file_open(path, &file));
  tutti_file_trust(file, trust);
  const tutti_status status = summarise(file, path, extra);
  tutti_file_close(&file);
  return status;
}

/** The work of rank 0.  The option --export is known only for a message that names the tool. */
static tutti_status info_local(int argc, char **argv) {
  extras extra = {.goal_text = ""};
  tutti_cli_arguments arguments = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_cli_parse(argc, argv, &tutti_command_info, &extra, &arguments));
  TUTTI_CHECK_GOTO(done, !extra.export, TUTTI_ERR_USAGE,
                   "--export: use the tool for the layout of the published data: tools/export_study %s %s",
                   arguments.positional[0], extra.export);
  TUTTI_TRY_GOTO(done, tutti_config_goal_parse(extra.goal_text, &extra.goal));
  TUTTI_TRY_GOTO(done, parse_question(&extra));
  status = summarise_path(&arguments, extra);
done:
  tutti_cli_arguments_clear(&arguments);
  return status;
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  TUTTI_TRY(tutti_comm_agree_from(comm, 0, tutti_comm_rank(comm) == 0 ? info_local(argc, argv) : TUTTI_OK));
  return TUTTI_OK;
}

// The first rows are no options: they say what the summary of each kind of file has.
static const tutti_cli_option_row options[] = {
    {.help = {"config (.yaml)",
              "all keys with their values, including those of the options, and the table of layers"}},
    {.help = {"data set", "names, shapes and types of the arrays"}},
    {.help = {"checkpoint", "the state of the training, its config, and the table of layers"}},
    {.help = {"metrics.h5", "all epochs and their measurements, and the last norms of each layer"}},
    {.help = {"study", "the best setting of each batch size, and the fit S = S_min + E_min/B; tutti study "
                       "--help explains the columns\n"}},
    {.help = {"--section.key=VALUE", "config: this value overrides the one of the file"}},
    {{"--show=N", "data set: draw the first N samples"},
     {"show", TUTTI_CLI_WHOLE, offsetof(extras, n_show), .min = 1, .max = INT64_MAX}},
    {.help = {"--data.external=yes", "data set: allow it to refer to files outside of its own folder [no]"}},
    {.help = {"--data.plugins=yes", "data set: let HDF5 load the filters that it names, from the folders of "
                                    "HDF5_PLUGIN_PATH [no]"}},
    {{"--goal=GOAL",
      "study: use this easier goal, which the trials reached earlier, for example 'val_accuracy >= 0.95'.  "
      "The curves of the trials show when they reached it.  The critical batch size depends on the goal"},
     {"goal", TUTTI_CLI_TEXT, .offset = offsetof(extras, goal_text)}},
    {{"--budget=COUNT, --metric=NAME",
      "study: print the best value of this metric at each batch size within this budget, and within a half, "
      "a quarter and an eighth of it, from the curves of the trials.  One of the two options is enough; the "
      "other value is then the study's own"},
     {"budget", TUTTI_CLI_TEXT, .offset = offsetof(extras, budget)}},
    {.option = {"metric", .offset = offsetof(extras, metric)}},
    {.option = {"export", .offset = offsetof(extras, export)}}, // only for a message
    {.help = {NULL, NULL}}};

const tutti_command tutti_command_info = {
    .name = "info",
    .arguments = "FILE [--section.key=VALUE ...] [--show=N] [--goal=GOAL] [--budget=COUNT] [--metric=NAME] "
                 "[--data.external=yes] [--data.plugins=yes]",
    .summary = "print what a config, data set, checkpoint, metrics file or study contains",
    .details = "Prints a summary of a file.  The contents depend on the kind of the file:",
    .options = options,
    .takes_keys = true,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
