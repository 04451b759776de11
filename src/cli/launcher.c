#include "cli/launcher.h"

#include <stdlib.h>

#include "base/log.h"

static long number_in(const char *variable) {
  const char *text = getenv(variable);
  return text ? strtol(text, NULL, 10) : 0;
}

/** The size of the job decides, this MPI library's first; else the node's share of it, or a rank above 0, shows that
 * there are several.  A rank 0 may be alone or not. */
tutti_launcher tutti_launcher_find(void) {
  static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE",
                                      "JSM_NAMESPACE_SIZE", NULL};
  static const char *const shares[] = {"MPI_LOCALNRANKS", "PALS_LOCAL_SIZE", NULL};
  static const char *const ranks[] = {"PMIX_RANK",   "PMI_RANK",          "MPI_LOCALRANKID",
                                      "PALS_RANKID", "PALS_LOCAL_RANKID", NULL};
  for (int i = 0; sizes[i]; i++)
    if (getenv(sizes[i])) return (tutti_launcher){sizes[i], number_in(sizes[i])};
  for (int i = 0; shares[i]; i++)
    if (number_in(shares[i]) > 1) return (tutti_launcher){shares[i], number_in(shares[i])};
  for (int i = 0; ranks[i]; i++)
    if (number_in(ranks[i]) > 0) return (tutti_launcher){ranks[i], number_in(ranks[i]) + 1};
  for (int i = 0; ranks[i]; i++)
    if (getenv(ranks[i])) return (tutti_launcher){ranks[i], 0};
  return (tutti_launcher){NULL, 0};
}

static bool trains(const tutti_command *command) {
  return command == &tutti_command_train || command == &tutti_command_study;
}

/** Slurm started several tasks, but MPI knows of one: each would train alone and write the same files.  A
 * launcher that MPI listens to says how many ranks there are, so one rank alone can be meant.  A training
 * or a study that is started alone in a job of several tasks is a mistake too; other commands are at home in a
 * batch script. */
static tutti_status check_slurm(const tutti_command *command, const tutti_launcher *by) {
  const long n_tasks = number_in(trains(command) ? "SLURM_NTASKS" : "SLURM_STEP_NUM_TASKS");
  TUTTI_CHECK(n_tasks <= 1 || by->ranks == 1, TUTTI_ERR_SYSTEM,
              "Slurm has %ld tasks, but this process is alone in MPI: start it with mpirun, or with srun "
              "--mpi=pmix; where it was started with srun, that and this MPI library do not speak the same "
              "protocol (srun --mpi=list shows what there is)",
              n_tasks);
  return TUTTI_OK;
}

/** The launcher of another MPI library started several processes, each of which takes itself for the whole job. */
static tutti_status check_foreign(const tutti_launcher *by) {
  TUTTI_CHECK(
      by->ranks <= 1, TUTTI_ERR_SYSTEM,
      "%s tells of at least %ld ranks, but this process is alone in MPI: the launcher belongs to another "
      "MPI library; start tutti with the mpirun of the library it was built with, which 'tutti doctor' "
      "names; where one process alone is meant, unset %s",
      by->variable, by->ranks, by->variable);
  return TUTTI_OK;
}

/** Ranks above 0 of the same job refuse, so the first does not train without them.  Slurm, which was asked before,
 * tells the size too. */
static tutti_status check_untold(const tutti_command *command, const tutti_launcher *by) {
  const bool untold = by->variable && by->ranks == 0 && !getenv("SLURM_STEP_NUM_TASKS");
  TUTTI_CHECK(
      !untold || !trains(command), TUTTI_ERR_SYSTEM,
      "%s says that a launcher made this process rank 0, not of how many, and it is alone in MPI: start "
      "tutti with the mpirun of the library it was built with, which 'tutti doctor' names; where one "
      "process alone is meant, unset %s",
      by->variable, by->variable);
  return TUTTI_OK;
}

static tutti_status check_alone(const tutti_command *command, const tutti_launcher *by) {
  TUTTI_TRY(check_slurm(command, by));
  TUTTI_TRY(check_foreign(by));
  TUTTI_TRY(check_untold(command, by));
  return TUTTI_OK;
}

tutti_status tutti_launcher_check(const tutti_launcher *by, const tutti_comm *comm,
                                  const tutti_command *command) {
  if (tutti_comm_size(comm) > 1) return TUTTI_OK;
  const tutti_status status = check_alone(command, by);
  if (status == TUTTI_OK || command != &tutti_command_doctor) return status;
  tutti_log(TUTTI_LOG_WARNING, "%s", tutti_fail_text());
  return TUTTI_OK;
}
