#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/show.h"
#include "cli/summary.h"

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

/** Which kind of HDF5 file it is, by what only that kind has. */
static tutti_status summarise(const tutti_file *file, const char *path, int64_t n_show) {
  const bool checkpoint = tutti_file_has(file, "/model/weights"), metrics = tutti_file_has(file, "epochs");
  TUTTI_CHECK(n_show == 0 || !(checkpoint || metrics), TUTTI_ERR_USAGE,
              "--show is for data sets; %s is a %s file", path, checkpoint ? "checkpoint" : "metrics");
  if (checkpoint) return tutti_summary_checkpoint(path);
  if (metrics) return tutti_summary_metrics(file);
  TUTTI_TRY(tutti_summary_dataset(file));
  return n_show > 0 ? show(file, n_show) : TUTTI_OK;
}

static tutti_status info_local(int argc, char **argv) {
  const char *show_text = NULL;
  const tutti_option options[] = {{"show", &show_text}};
  tutti_arguments arguments;
  TUTTI_TRY(tutti_arguments_parse(argc, argv, options, 1, NULL, 1, 1, &arguments));
  const char *path = arguments.positional[0];
  tutti_arguments_clear(&arguments);
  int64_t n_show = 0;
  TUTTI_TRY(parse_show(show_text, &n_show));
  if (ends_with(path, ".yaml") || ends_with(path, ".yml")) {
    TUTTI_CHECK(n_show == 0, TUTTI_ERR_USAGE, "--show is for data sets; %s is a config", path);
    return tutti_summary_config(path);
  }
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_file_open(path, &file));
  const tutti_status status = summarise(file, path, n_show);
  tutti_file_close(&file);
  return status;
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  TUTTI_TRY(tutti_agree_from(comm, 0, tutti_comm_rank(comm) == 0 ? info_local(argc, argv) : TUTTI_OK));
  return TUTTI_OK;
}

const tutti_command tutti_command_info = {
    .name = "info",
    .arguments = "FILE [--show=N]",
    .summary = "what a config, data set, checkpoint or metrics file holds",
    .details = "A config (.yaml): the resolved keys and the layer table.  A data set: its arrays, and with "
               "--show=N its first N\n"
               "samples, drawn.  A checkpoint: where the training stood, its config and layer table.  "
               "metrics.h5: the epochs.",
    .run = run};
