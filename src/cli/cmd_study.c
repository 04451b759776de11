#include <stdio.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/config_file.h"
#include "cli/summary_study.h"
#include "tutti/io.h"
#include "tutti/study.h"

/** The report of `tutti info`. */
static tutti_status report(const char *path) {
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_file_open(path, &file));
  const tutti_status status = tutti_summary_study(file, NULL, NULL);
  tutti_file_close(&file);
  return status;
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  tutti_arguments arguments = {0};
  tutti_config config = {0};
  tutti_study_outcome outcome = {0};
  char *text = NULL;
  tutti_status status = tutti_arguments_parse(argc, argv, NULL, 0, "", 0, 1, &arguments);
  TUTTI_TRY_GOTO(done, tutti_agree(comm, status));
  TUTTI_TRY_GOTO(done, tutti_read_config_text(comm, &arguments, &text, &config));
  tutti_config_for_study(&config);
  const tutti_study_source source = {.text = text,
                                     .name = arguments.n_positional > 0 ? arguments.positional[0] : NULL,
                                     .overrides = arguments.overrides,
                                     .n_overrides = arguments.n_overrides};
  TUTTI_TRY_GOTO(done, tutti_study_run(comm, &source, &config, &outcome));
  status = tutti_comm_rank(comm) == 0 ? report(config.study.output) : TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_agree_from(comm, 0, status));
done:
  tutti_config_clear(&config);
  tutti_arguments_clear(&arguments);
  tutti_free(text);
  return status;
}

static const char *const tables[] = {
    "The table, a row a batch size, of its best setting: the least median over seeds of steps to the goal\n"
    "  optimizer.name, ...           first of all, of a study with branches: each has its own rows\n"
    "  batch_size                    samples of a step\n"
    "  steps, samples, seconds       to the goal, medians over seeds, of an even number the later of the\n"
    "                                two in the middle; nan: at most half of the seeds reached it\n"
    "  optimizer.learning_rate, ...  each varied key, of the best setting\n"
    "  trials                        of all settings and seeds; what is none of the following waits\n"
    "  reached, not_reached          the goal within the budget\n"
    "  diverged                      ended by a loss that is not finite\n"
    "  edge                          the first key whose range ends too early: nothing was tried beyond the "
    "best\n"
    "                                setting's value, or one value alone that reached the goal as well, or "
    "the "
    "local\n"
    "                                model goes down to its end: widen it; -: none\n"
    "  effective_lr                  the best learning rate after schedule.scaling, / (1 - momentum); -:\n"
    "                                there is none, or with adascale one of each step\n"
    "  model_steps                   to the goal at the least of the local model, without the search's luck\n"
    "  model_steps_low, model_steps_high  its 95 % interval\n"
    "  claim                         95 %, or why there is no local model: then steps are the best of so "
    "many "
    "trials,\n"
    "                                luck and all\n"
    "  confirm_steps                 with study.confirm: geometric mean of the best setting's fresh seeds; "
    "it has "
    "no part\n"
    "                                in the model, and checks it; confirm_steps_low, confirm_steps_high: its "
    "95 % "
    "interval\n"
    "  confirmed                     how many fresh seeds reached the goal, of how many; disagrees: with the "
    "local model",
    "With study.at_budget the best value of that metric until the budget, and until parts of it, a row each\n"
    "  at_budget                     what is told\n"
    "  batch_size, budget            samples of a step; until then, in the unit of study.budget\n"
    "  value, value_low, value_high  median over seeds of the best setting, of an even number the worse of\n"
    "                                the two in the middle, and their range\n"
    "  at_steps, at_samples          where the median seed had it\n"
    "  trials, diverged              that have a curve; of these, those that diverged before\n"
    "  ended                         seeds of the setting that had ended at the goal before: their value is "
    "of "
    "then",
    "The fit S = S_min + E_min/B of steps S to batch size B; nothing where it is refused; of branches a row "
    "each\n"
    "  n_sizes                batch sizes with steps to the goal\n"
    "  S_min                  steps that no batch size goes below\n"
    "  E_min                  samples that no batch size goes below\n"
    "  B_crit                 E_min/S_min: there both are twice their least\n"
    "  residual               root mean square of log S - log fit\n"
    "  S_min_low, S_min_high  and so on: 95 % intervals from the local model of the steps near the best\n"
    "  perfect_scaling_end    largest batch size with at most 1.2 times the samples of the smallest\n"
    "  largest_useful_batch   smallest batch size with at most 1.05 times the fewest steps\n"
    "  refused, no_interval   why there is no fit, or no interval\n"
    "  no_claim               why the intervals are no 95 %: too few batch sizes have a local model, so they "
    "are\n"
    "                         of the bootstrap over settings and seeds, with the luck of the search in them",
    NULL};

const tutti_command tutti_command_study = {
    .name = "study",
    .arguments = "[CONFIG.yaml] [--section.key=VALUE ...]",
    .summary = "many trainings side by side: steps to a goal at each batch size",
    .details = "Trains the config at each batch size with each setting of the keys that study.vary names, on "
               "groups of\n"
               "study.ranks_per_trial ranks, until study.goal or study.budget, and leaves study.output: "
               "trials, curves, the\n"
               "best setting of each batch size, and the fit S = S_min + E_min/B with the critical batch "
               "size.  Run again, it\n"
               "goes on; several jobs may work on one study at a time; and it may be given more batch "
               "sizes, values,\n"
               "settings or seeds.  What tutti info tells of the file goes to standard output.\n\n"
               "  mpirun -np 8 tutti study jobs/study-mnist.yaml --study.seeds=3",
    .tables = tables,
    .shows_keys = true,
    .own_section = "study",
    .run = run};
