/** The program: MPI starts, ends and aborts here, and the one message of a failure is printed here. */
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"

static const tutti_command *find_command(const char *name) {
  for (int i = 0; tutti_commands[i]; i++)
    if (strcmp(tutti_commands[i]->name, name) == 0) return tutti_commands[i];
  return NULL;
}

static bool is_help(const char *argument) {
  return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/** What needs no MPI, so that it works on a login node and prints once a process: help and version.
 * @return true where that was all */
static bool answer_without_mpi(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--version") == 0) {
    puts("tutti " TUTTI_VERSION);
    return true;
  }
  if (argc > 1 && (is_help(argv[1]) || strcmp(argv[1], "help") == 0)) {
    const tutti_command *command = argc > 2 ? find_command(argv[2]) : NULL;
    if (command)
      tutti_help_print_command(command);
    else
      tutti_help_print();
    return true;
  }
  const tutti_command *command = argc > 1 ? find_command(argv[1]) : NULL;
  for (int i = 2; command && i < argc; i++) {
    if (!is_help(argv[i])) continue;
    tutti_help_print_command(command);
    return true;
  }
  return false;
}

static tutti_status choose_command(int argc, char **argv, const tutti_command **command) {
  TUTTI_CHECK(argc > 1, TUTTI_ERR_USAGE, "no command given; tutti --help lists them");
  *command = find_command(argv[1]);
  if (*command) return TUTTI_OK;
  const char *names[16];
  int n = 0;
  while (tutti_commands[n]) {
    names[n] = tutti_commands[n]->name;
    n++;
  }
  const char *nearest = tutti_text_nearest(argv[1], names, n);
  TUTTI_CHECK(!nearest, TUTTI_ERR_USAGE, "unknown command '%s'; did you mean '%s'?", argv[1], nearest);
  TUTTI_FAIL(TUTTI_ERR_USAGE, "unknown command '%s'; tutti --help lists them", argv[1]);
}

/** Slurm started several tasks, but MPI knows of one: each would train alone and write the same files. */
static tutti_status check_launcher(const tutti_comm *comm, bool launched_by_mpi) {
  const char *text = getenv("SLURM_NTASKS");
  const long n_tasks = text ? strtol(text, NULL, 10) : 1;
  TUTTI_CHECK(n_tasks <= 1 || launched_by_mpi || tutti_comm_size(comm) > 1, TUTTI_ERR_SYSTEM,
              "Slurm has %ld tasks, but this process is alone in MPI: srun and this MPI library do not speak "
              "the same "
              "protocol; use srun --mpi=pmix (srun --mpi=list shows what there is), or mpirun inside sbatch",
              n_tasks);
  return TUTTI_OK;
}

static tutti_status run(const tutti_comm *comm, bool launched_by_mpi, int argc, char **argv,
                        int *exit_status) {
  const tutti_command *command = NULL;
  TUTTI_TRY(choose_command(argc, argv, &command));
  TUTTI_TRY(check_launcher(comm, launched_by_mpi));
  return command->run(comm, argc - 1, argv + 1, exit_status);
}

/** The one message.  All ranks hold the same text, so rank 0 speaks; with a broken MPI each speaks for
 * itself. */
static void report(tutti_status status) {
  if (status == TUTTI_ERR_MPI)
    tutti_log(TUTTI_LOG_ERROR, "%s", tutti_fail_text());
  else
    tutti_log_root(TUTTI_LOG_ERROR, "%s", tutti_fail_text());
  const bool ours = status == TUTTI_ERR_MPI || status == TUTTI_ERR_INTERNAL;
  if (ours && tutti_log_rank() == 0) fprintf(stderr, "%s", tutti_fail_trace());
}

int main(int argc, char **argv) {
  if (answer_without_mpi(argc, argv)) return 0;
  const bool launched_by_mpi = getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMI_SIZE");
  if (MPI_Init(&argc, &argv) != MPI_SUCCESS) {
    fputs("tutti: error: MPI could not be started\n", stderr);
    return tutti_status_exit(TUTTI_ERR_MPI);
  }
  int exit_status = 0;
  tutti_comm *comm = NULL;
  tutti_status status = tutti_comm_create_world(&comm);
  if (status == TUTTI_OK) status = run(comm, launched_by_mpi, argc, argv, &exit_status);
  if (status != TUTTI_OK) {
    report(status);
    exit_status = tutti_status_exit(status);
    if (status == TUTTI_ERR_MPI) MPI_Abort(MPI_COMM_WORLD, exit_status);
  }
  fflush(NULL);
  tutti_comm_destroy(&comm);
  MPI_Finalize();
  return exit_status;
}
