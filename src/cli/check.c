/** --check of train and study: read the config and let the command check it.  main.c calls this before MPI starts, so
 * that it works on a login node, or on rank 0 if a launcher has started several ranks. */
#include <string.h>

#include "cli/options_impl.h"
#include "cli/start_impl.h"

bool tutti_cli_asks_for_check(int argc, char **argv) {
  for (int i = 2; i < argc; i++)
    if (strcmp(argv[i], "--check") == 0) return true;
  return false;
}

/** The tasks of the job in whose script the check runs; 0: unknown. */
static int n_tasks(void) {
  const long n = tutti_cli_number_in("SLURM_NTASKS");
  return n > 0 && n <= INT32_MAX ? (int)n : 0;
}

tutti_status tutti_cli_check(const tutti_command *command, int argc, char **argv, int n_ranks) {
  tutti_cli_arguments arguments = {0};
  tutti_config config = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_cli_parse(argc, argv, command, NULL, &arguments));
  TUTTI_TRY_GOTO(done, tutti_cli_read_config_alone(&arguments, &config));
  TUTTI_TRY_GOTO(done, command->check(&arguments, &config, n_ranks > 0 ? n_ranks : n_tasks()));
done:
  tutti_config_clear(&config);
  tutti_cli_arguments_clear(&arguments);
  return status;
}
