/** tutti study: run the trials of a study, and print the report of its file.  The trials are in the room study. */
#include <stdio.h>

#include "cli/command_impl.h"
#include "cli/guard_impl.h"
#include "cli/options_impl.h"
#include "cli/summary_impl.h"
#include "tutti/io.h"
#include "tutti/study.h"

/** Print the report of `tutti info`. */
static tutti_status report(const char *path) {
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_file_open(path, &file));
  const tutti_status status = tutti_cli_print_study(file, NULL, NULL);
  tutti_file_close(&file);
  return status;
}

/** The trials parse the text of the config again, each with its own overrides. */
static tutti_study_source source_of(const tutti_cli_arguments *arguments) {
  return (tutti_study_source){.text = arguments->text,
                              .name = arguments->n_positional > 0 ? arguments->positional[0] : NULL,
                              .overrides = arguments->overrides,
                              .n_overrides = arguments->n_overrides};
}

static tutti_status check(const tutti_cli_arguments *arguments, tutti_config *config, int n_ranks) {
  const tutti_study_source source = source_of(arguments);
  int64_t n_trials = 0;
  tutti_config_for_study(config);
  TUTTI_TRY(tutti_study_check(&source, config, n_ranks, &n_trials));
  printf("output %s\ntrials %lld\n", config->study.output, (long long)n_trials);
  return TUTTI_OK;
}

/** All ranks leave together, after rank 0 has printed the report. */
static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  tutti_cli_arguments arguments = {0};
  tutti_config config = {0};
  tutti_study_outcome outcome = {0};
  tutti_status status = tutti_cli_parse(argc, argv, &tutti_command_study, NULL, &arguments);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  TUTTI_TRY_GOTO(done, tutti_cli_read_config(comm, &arguments, &config));
  tutti_config_for_study(&config);
  const tutti_study_source source = source_of(&arguments);
  tutti_cli_guard(comm, &config);
  TUTTI_TRY_GOTO(done, tutti_study_run(comm, &source, &config, &outcome));
  if (outcome.interrupted) *exit_status = TUTTI_EXIT_INTERRUPTED;
  if (outcome.interrupted) goto done;
  status = tutti_comm_rank(comm) == 0 ? report(config.study.output) : TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
done:
  tutti_config_clear(&config);
  tutti_cli_arguments_clear(&arguments);
  return status;
}

// The tables and columns have the order in which study_tables.c prints them.
static const tutti_help_row best_columns[] = {
    {"optimizer.name, ...", "only in a study with branches: the branch; each branch has rows of its own"},
    {"batch_size", "samples per step"},
    {"steps, samples, seconds",
     "median over the seeds until the goal; of an even number of seeds, the larger one of the two middle "
     "values; nan: half of the seeds or more did not reach the goal"},
    {"optimizer.learning_rate, ...", "value of each varied key in the best setting"},
    {"trials", "total number; those in none of the next three columns are pending"},
    {"reached, not_reached", "trials that reached the goal within the budget, and trials that did not"},
    {"diverged", "trials that ended because their loss was not finite"},
    {"edge", "first key whose range should be wider; -: none.  Its best value is the largest or smallest "
             "that was tried, or only one value beyond it was tried and reached the goal too, or the local "
             "model falls toward this end of the range"},
    {"effective_lr", "best learning rate after schedule.scaling, divided by (1 - momentum); -: there is no "
                     "such value, or adascale has another one in each step"},
    {"model_steps",
     "steps to the goal at the minimum of the local model, which removes the luck of the search"},
    {"model_steps_low, model_steps_high", "95 % interval of model_steps"},
    {"claim", "95 %, or the reason why there is no local model; without it, steps is the best of many trials "
              "and includes their luck"},
    {"confirm_steps", "with study.confirm: geometric mean of the steps of the best setting's new seeds.  The "
                      "local model does not use these seeds, so they check it"},
    {"confirm_steps_low, confirm_steps_high", "95 % interval of confirm_steps"},
    {"confirmed", "number of new seeds that reached the goal, and of all new seeds; disagrees: the local "
                  "model predicts other steps"},
    {NULL, NULL}};

// A value at a budget needs no goal, so a study may have this table alone.
static const tutti_help_row budget_columns[] = {
    {"at_budget", "metric and budget of the table"},
    {"batch_size, budget", "samples per step; length of the training, in the unit of study.budget"},
    {"value, value_low, value_high", "median and range over the seeds of the best setting; of an even number "
                                     "of seeds, the worse one of the two middle values"},
    {"at_steps, at_samples", "when the median seed had this value"},
    {"trials, diverged", "trials that have a curve; those of them that diverged before the budget"},
    {"ended", "seeds of the best setting that had stopped at the goal before the budget; their value is the "
              "one at the goal"},
    {NULL, NULL}};

// In a study without branches, these are names of lines and not of columns.
static const tutti_help_row fit_columns[] = {
    {"n_sizes", "number of batch sizes with steps to the goal"},
    {"S_min", "smallest number of steps, at very large batches"},
    {"E_min", "smallest number of samples, at very small batches"},
    {"B_crit", "critical batch size, E_min/S_min: steps and samples are both twice their smallest number"},
    {"residual", "root mean square of log S - log fit"},
    {"S_min_low, S_min_high",
     "95 % interval of S_min, from the local models of the steps; E_min and B_crit have intervals, too"},
    {"perfect_scaling_end",
     "largest batch size that needs at most 1.2 times the samples of the smallest one"},
    {"largest_useful_batch", "smallest batch size that needs at most 1.05 times the fewest steps"},
    {"refused, no_interval", "reason why there is no fit, or no interval"},
    {"no_claim",
     "reason why the intervals are not 95 % intervals.  Too few batch sizes have a local model, so the "
     "intervals are those of a bootstrap over settings and seeds, and include the luck of the search"},
    {NULL, NULL}};

static const tutti_help_table tables[] = {
    {"Best settings, one row per batch size.  The best setting has the smallest median of steps to the goal.",
     best_columns},
    {"With study.at_budget: the best value of this metric within the budget and within parts of it, one row "
     "each.",
     budget_columns},
    {"Fit S = S_min + E_min/B of the steps S to the batch size B.  If it is refused, it has no values.  In a "
     "study with branches, each branch has one row.",
     fit_columns},
    {NULL, NULL}};

static const tutti_cli_option_row options[] = {TUTTI_OPTION_CHECK, {.help = {NULL, NULL}}};

const tutti_command tutti_command_study = {
    .name = "study",
    .arguments = "[CONFIG.yaml] [--check] [--section.key=VALUE ...]",
    .options = options,
    .check = check,
    .summary = "train at many batch sizes and settings, and find the steps to a goal",
    .details = "Trains the network of a config at each batch size with each setting of the keys in "
               "study.vary.  Groups of study.ranks_per_trial ranks train side by side, each trial until "
               "study.goal or study.budget.  The file study.output gets the trials and their curves, the "
               "best setting of each batch size, and the fit S = S_min + E_min/B with the critical batch "
               "size.  At the end, the command prints the report of tutti info.\n\n"
               "If the command runs again, it continues the study.  A signal such as SIGUSR1, and the end of "
               "run.time_limit, end it early with exit status 75.  Long trials keep a checkpoint, from which "
               "a later job continues them.  Several jobs may work on one study at the same time.  A study "
               "may get more batch sizes, values, settings or seeds later.",
    .examples = "  mpirun -np 8 tutti study jobs/study-mnist.yaml --study.seeds=3",
    .tables = tables,
    .shows_keys = true,
    .takes_keys = true,
    .max_positional = 1,
    .own_section = "study",
    .trains = true,
    .run = run};
