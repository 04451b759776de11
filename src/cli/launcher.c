/** Whether a launcher started several processes of which MPI does not know.
 *
 * Each of these processes takes itself for the whole job.  All would train the same network and write the same files,
 * so tutti reads the variables that launchers set.  Called by main.c. */
#include "cli/start_impl.h"

#include <stdlib.h>

#include "base/log.h"

long tutti_cli_number_in(const char *variable) {
  const char *text = getenv(variable);
  return text ? strtol(text, NULL, 10) : 0;
}

/** The size of the job decides, if a variable has it.  Otherwise several ranks on this node, or a rank above 0, show
 * that there are several.  A rank 0 may or may not be alone. */
tutti_cli_launcher tutti_cli_find_launcher(void) {
  static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE",
                                      "JSM_NAMESPACE_SIZE", NULL};
  static const char *const shares[] = {"MPI_LOCALNRANKS", "PALS_LOCAL_SIZE", NULL};
  static const char *const ranks[] = {"PMIX_RANK",   "PMI_RANK",          "MPI_LOCALRANKID",
                                      "PALS_RANKID", "PALS_LOCAL_RANKID", NULL};
  for (int i = 0; sizes[i]; i++)
    if (getenv(sizes[i])) return (tutti_cli_launcher){sizes[i], tutti_cli_number_in(sizes[i])};
  for (int i = 0; shares[i]; i++)
    if (tutti_cli_number_in(shares[i]) > 1)
      return (tutti_cli_launcher){shares[i], tutti_cli_number_in(shares[i])};
  for (int i = 0; ranks[i]; i++)
    if (tutti_cli_number_in(ranks[i]) > 0)
      return (tutti_cli_launcher){ranks[i], tutti_cli_number_in(ranks[i]) + 1};
  for (int i = 0; ranks[i]; i++)
    if (getenv(ranks[i])) return (tutti_cli_launcher){ranks[i], 0};
  return (tutti_cli_launcher){NULL, 0};
}

long tutti_cli_local_rank(void) {
  static const char *const numbers[] = {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "PALS_LOCAL_RANKID",
                                        "SLURM_LOCALID", NULL};
  for (int i = 0; numbers[i]; i++)
    if (getenv(numbers[i])) return tutti_cli_number_in(numbers[i]);
  return 0;
}

/** Look for traces of other processes of this job.  If the launcher of this MPI library says that the job has one rank,
 * that is meant.  A training or a study that is started alone in a job of several tasks is a mistake, too; the other
 * commands are often started so in a batch script. */
static tutti_status check_alone(const tutti_command *command, const tutti_cli_launcher *by) {
  const long n_tasks = tutti_cli_number_in(command->trains ? "SLURM_NTASKS" : "SLURM_STEP_NUM_TASKS");
  TUTTI_CHECK(n_tasks <= 1 || by->ranks == 1, TUTTI_ERR_SYSTEM,
              "Slurm has %ld tasks, but this process is alone in MPI: start it with mpirun, or with srun "
              "--mpi=pmix; if it was started with srun, srun and this MPI library use different protocols "
              "(srun --mpi=list shows those of srun)",
              n_tasks);
  // The launcher of another MPI library started several processes.
  TUTTI_CHECK(by->ranks <= 1, TUTTI_ERR_SYSTEM,
              "%s says that there are at least %ld ranks, but this process is alone in MPI: the launcher "
              "belongs to another MPI library; start tutti with the mpirun of the library it was built with, "
              "which 'tutti doctor' names; if one process alone is meant, unset %s",
              by->variable, by->ranks, by->variable);
  // If there are ranks above 0, these refuse to start, so rank 0 must not train without them.  Under Slurm the size is
  // known.
  const bool unknown = by->variable && by->ranks == 0 && !getenv("SLURM_STEP_NUM_TASKS");
  TUTTI_CHECK(!unknown || !command->trains, TUTTI_ERR_SYSTEM,
              "%s says that a launcher made this process rank 0 of an unknown number of ranks, but it is "
              "alone in MPI: start tutti with the mpirun of the library it was built with, which 'tutti "
              "doctor' names; if one process alone is meant, unset %s",
              by->variable, by->variable);
  return TUTTI_OK;
}

/** Several ranks that know of each other were started in the right way, whatever the environment says. */
tutti_status tutti_cli_check_launcher(const tutti_cli_launcher *by, const tutti_comm *comm,
                                      const tutti_command *command) {
  if (tutti_comm_size(comm) > 1) return TUTTI_OK;
  const tutti_status status = check_alone(command, by);
  if (status == TUTTI_OK || !command->only_warns) return status;
  tutti_log(TUTTI_LOG_WARNING, "%s", tutti_fail_text());
  return TUTTI_OK;
}
