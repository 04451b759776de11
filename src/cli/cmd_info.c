#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/show.h"
#include "cli/summary.h"
#include "cli/summary_study.h"
#include "tutti/fit.h"

static bool ends_with(const char *text, const char *end) {
  const size_t n = strlen(text), n_end = strlen(end);
  return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/** @param[out] n  0 where nothing is to be shown */
static tutti_status parse_show(const char *text, int64_t *n) {
  *n = 0;
  TUTTI_CHECK(!text || (tutti_text_integer(text, n) && *n > 0), TUTTI_ERR_USAGE,
              "--show=%s: expected a whole number from 1", text);
  return TUTTI_OK;
}

static tutti_status show(const tutti_file *file, int64_t n) {
  const char *x = tutti_file_has(file, "x_train") ? "x_train" : "x_test";
  const char *y = tutti_file_has(file, "x_train") ? "y_train" : "y_test";
  printf("\n");
  return tutti_show_samples(file, x, y, n);
}

typedef enum { DATASET, CHECKPOINT, METRICS, STUDY, CONFIG } file_kind;

/** Which kind of HDF5 file it is, by what only that kind has. */
static file_kind kind_of(const tutti_file *file) {
  if (tutti_file_has(file, "/model/weights")) return CHECKPOINT;
  if (tutti_file_has(file, "epochs")) return METRICS;
  return tutti_is_study(file) ? STUDY : DATASET;
}

/** What is asked for beyond the summary. */
typedef struct {
  int64_t n_show;  // 0: no samples
  tutti_goal goal; // no metric: the study's own
  bool at_budget;  // the best values at a budget are asked for
  tutti_budget_question question;
} extras;

static tutti_status check_extras(extras extra, const char *path, file_kind kind) {
  static const char *const names[] = {"data set", "checkpoint file", "metrics file", "study", "config"};
  TUTTI_CHECK(extra.n_show == 0 || kind == DATASET, TUTTI_ERR_USAGE, "--show is for data sets; %s is a %s",
              path, names[kind]);
  TUTTI_CHECK(!extra.goal.metric[0] || kind == STUDY, TUTTI_ERR_USAGE, "--goal is for studies; %s is a %s",
              path, names[kind]);
  TUTTI_CHECK(!extra.at_budget || kind == STUDY, TUTTI_ERR_USAGE,
              "--budget and --metric are for studies; %s is a %s", path, names[kind]);
  TUTTI_CHECK(
      !extra.at_budget || !extra.goal.metric[0], TUTTI_ERR_USAGE,
      "--goal asks for the steps to a goal, --budget and --metric for the value at a budget: leave one "
      "of them away");
  return TUTTI_OK;
}

static tutti_status summarise_dataset(const tutti_file *file, int64_t n_show) {
  TUTTI_TRY(tutti_summary_dataset(file));
  return n_show > 0 ? show(file, n_show) : TUTTI_OK;
}

static tutti_status summarise(const tutti_file *file, const char *path, extras extra) {
  const file_kind kind = kind_of(file);
  TUTTI_TRY(check_extras(extra, path, kind));
  if (kind == CHECKPOINT) return tutti_summary_checkpoint(path);
  if (kind == METRICS) return tutti_summary_metrics(file);
  return kind == STUDY ? tutti_summary_study(file, extra.goal.metric[0] ? &extra.goal : NULL,
                                             extra.at_budget ? &extra.question : NULL)
                       : summarise_dataset(file, extra.n_show);
}

/** Nothing is asked where neither is given. */
static tutti_status parse_question(const char *budget, const char *metric, extras *extra) {
  const unsigned units = TUTTI_UNIT_EPOCHS | TUTTI_UNIT_STEPS | TUTTI_UNIT_SAMPLES;
  tutti_budget_question *question = &extra->question;
  extra->at_budget = budget || metric;
  if (metric) snprintf(question->metric, sizeof question->metric, "%s", metric);
  if (budget && tutti_count_parse(budget, units, TUTTI_UNIT_EPOCHS, &question->budget) == TUTTI_OK &&
      question->budget.value > 0)
    return TUTTI_OK;
  TUTTI_CHECK(!budget, TUTTI_ERR_USAGE,
              "--budget=%s: expected a count above 0 of epochs, steps or samples, '5 epochs' for instance",
              budget);
  return TUTTI_OK;
}

/** Of a file other than a config, the one key that says how it is read. */
static tutti_status read_keys(const tutti_arguments *arguments, bool *external) {
  for (int i = 0; i < arguments->n_overrides; i++) {
    const tutti_override *key = &arguments->overrides[i];
    TUTTI_CHECK(strcmp(key->key, "data.external") == 0, TUTTI_ERR_USAGE,
                "--%s is a key of a config, and %s is none: leave it away, or name a config", key->key,
                arguments->positional[0]);
    TUTTI_TRY(tutti_option_switch(key->key, key->value, external));
  }
  return TUTTI_OK;
}

static tutti_status info_of_file(const tutti_arguments *arguments, extras extra) {
  const char *path = arguments->positional[0];
  tutti_file *file = NULL;
  bool external = false;
  TUTTI_TRY(read_keys(arguments, &external));
  TUTTI_TRY(tutti_file_open(path, &file));
  if (external) tutti_file_allow_external(file);
  const tutti_status status = summarise(file, path, extra);
  tutti_file_close(&file);
  return status;
}

static tutti_status info_of_config(const tutti_arguments *arguments, extras extra) {
  TUTTI_TRY(check_extras(extra, arguments->positional[0], CONFIG));
  return tutti_summary_config(arguments->positional[0], arguments->overrides, arguments->n_overrides);
}

static bool is_config(const char *path) {
  return ends_with(path, ".yaml") || ends_with(path, ".yml");
}

static tutti_status info_local(int argc, char **argv) {
  const char *show_text = NULL, *goal_text = "", *budget = NULL, *metric = NULL, *export_into = NULL;
  extras extra = {0};
  const tutti_option options[] = {{"show", &show_text},
                                  {"export", &export_into},
                                  {"goal", &goal_text},
                                  {"budget", &budget},
                                  {"metric", &metric}};
  tutti_arguments arguments = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_arguments_parse(argc, argv, options, 5, "", 1, 1, &arguments));
  TUTTI_CHECK_GOTO(
      done, !export_into, TUTTI_ERR_USAGE,
      "--export: a tool of its own writes the layout of the published data: tools/export_study %s %s",
      arguments.positional[0], export_into);
  TUTTI_TRY_GOTO(done, parse_show(show_text, &extra.n_show));
  TUTTI_TRY_GOTO(done, tutti_goal_parse(goal_text, &extra.goal));
  TUTTI_TRY_GOTO(done, parse_question(budget, metric, &extra));
  status = is_config(arguments.positional[0]) ? info_of_config(&arguments, extra)
                                              : info_of_file(&arguments, extra);
done:
  tutti_arguments_clear(&arguments);
  return status;
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  TUTTI_TRY(tutti_agree_from(comm, 0, tutti_comm_rank(comm) == 0 ? info_local(argc, argv) : TUTTI_OK));
  return TUTTI_OK;
}

const tutti_command tutti_command_info = {
    .name = "info",
    .arguments = "FILE [--section.key=VALUE ...] [--show=N] [--goal=GOAL] [--budget=COUNT] [--metric=NAME] "
                 "[--data.external=yes]",
    .summary = "what a config, data set, checkpoint, metrics file or study holds",
    .details =
        "A config (.yaml): the resolved keys, with those of the options, and the layer table.  A data set: "
        "its arrays, and with "
        "--show=N its first N\n"
        "samples, drawn; --data.external=yes lets it lead to files outside of its folder.  A checkpoint: "
        "where "
        "the\ntraining stood, its config and layer table.  metrics.h5: the epochs,\n"
        "what was measured in them, and the norms that each layer had last.\n"
        "A study: the best setting of each batch size, and the fit of S = S_min + E_min / B.  "
        "--goal='val_accuracy >= 0.95'\n"
        "judges the trials by an earlier goal than the study's own, from their curves: as the critical batch "
        "size "
        "depends on\nthe goal.  --budget='5 epochs' --metric=val_loss, or one of them, tells instead the "
        "best "
        "value of each batch\nsize until that budget, and until a half, a quarter and an eighth of it, from "
        "the "
        "curves; else the study's own.",
    .run = run};
