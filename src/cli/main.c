/** The program: MPI starts, ends and aborts here, and the one message of a failure is printed here. */
#include <errno.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/names.h"
#include "base/text.h"
#include "cli/alike.h"
#include "cli/cli.h"
#include "cli/launcher.h"
#include "cli/topics_impl.h"
#include "machine/cpu.h"
#include "machine/kernels.h"

static bool is_help(const char *argument) {
  return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/** "help", "--help" or "-h" in the place of the command. */
static bool asks_for_help(int argc, char **argv) {
  return argc > 1 && (is_help(argv[1]) || strcmp(argv[1], "help") == 0);
}

/** What needs no MPI, so that it works on a login node: help and version.
 * @return true where that was all */
static bool answer(int argc, char **argv, bool print) {
  if (argc > 1 && strcmp(argv[1], "--version") == 0) {
    if (print) puts("tutti " TUTTI_VERSION);
    return true;
  }
  if (asks_for_help(argc, argv) && argc == 2) {
    if (print) tutti_help_print();
    return true;
  }
  const bool about = asks_for_help(argc, argv);
  if (about && tutti_cli_print_topic(argv[2], print)) return true;
  const tutti_command *command = argc > 1 ? tutti_command_find(argv[about ? 2 : 1]) : NULL;
  bool wanted = about;
  for (int i = 2; i < argc; i++) wanted = wanted || is_help(argv[i]);
  if (command && wanted && print) tutti_help_print_command(command);
  return command && wanted;
}

static tutti_status choose_command(int argc, char **argv, const tutti_command **command) {
  TUTTI_CHECK(argc > 1, TUTTI_ERR_USAGE, "no command given; tutti --help lists them");
  const char *given = argv[asks_for_help(argc, argv) ? 2 : 1];
  *command = tutti_command_find(given);
  if (*command) return TUTTI_OK;
  const char *names[16] = {"--help", "--version"};
  int n = 2;
  for (int i = 0; tutti_commands[i]; i++) names[n++] = tutti_commands[i]->name;
  char hint[TUTTI_HINT_BYTES];
  TUTTI_FAIL(TUTTI_ERR_USAGE, "unknown command '%s'%s; tutti --help lists the commands", given,
             tutti_name_hint(tutti_name_nearest(given, names, n), hint));
}

static tutti_status choose(const tutti_comm *comm, const tutti_launcher *by, int argc, char **argv,
                           const tutti_command **command) {
  TUTTI_TRY(choose_command(argc, argv, command));
  TUTTI_TRY(tutti_launcher_check(by, comm, *command));
  return TUTTI_OK;
}

static tutti_status run(const tutti_comm *comm, const tutti_launcher *by, int argc, char **argv,
                        int *exit_status) {
  const tutti_command *command = NULL;
  TUTTI_TRY(tutti_check_alike(comm, argc, argv));
  if (answer(argc, argv, tutti_comm_rank(comm) == 0)) return TUTTI_OK;
  TUTTI_TRY(tutti_agree(comm, choose(comm, by, argc, argv, &command)));
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

/** Results that did not reach a full disk are no results. */
static tutti_status flush_results(void) {
  const bool written = fflush(stdout) == 0 && !ferror(stdout);
  TUTTI_CHECK(written, TUTTI_ERR_IO, "standard output: cannot write: %s", strerror(errno));
  return TUTTI_OK;
}

static int end_without_mpi(void) {
  const tutti_status status = flush_results();
  if (status != TUTTI_OK) report(status);
  return tutti_status_exit(status);
}

/** Of kernels that suit the processor better, where BLAS has not taken them.
 * @return whether the environment now asks for them */
static bool ask_for_kernels(void) {
  char taken[TUTTI_KERNELS_NAME];
  const char *wanted = tutti_kernels_wanted(taken);
  return wanted && setenv("OPENBLAS_CORETYPE", wanted, 1) == 0 && setenv(TUTTI_KERNELS_BEFORE, taken, 1) == 0;
}

/** OpenMP knows of one process alone: it would bind the threads of all ranks to the same cores.  Where there are
 * several ranks, binding them is the launcher's.
 * @return whether the environment now says so */
static bool leave_binding_to(const tutti_launcher *by) {
  const char *bind = getenv("OMP_PROC_BIND");
  const bool several = by->variable && by->ranks != 1;
  if (!several || !tutti_cpu_openmp_binds() || (bind && strcmp(bind, "false") == 0)) return false;
  return setenv("OMP_PROC_BIND", "false", 1) == 0;
}

/** BLAS and OpenMP read their environment while they are loaded, before main: for another one the program has to start
 * again.  Where that is not possible it goes on as it is. */
static void take_better_environment(const tutti_launcher *by, char **argv) {
  const bool kernels = ask_for_kernels(), binding = leave_binding_to(by);
  if (!kernels && !binding) return;
  tutti_cpu_unbind(); // or the cores of this thread would be all that the program is given
  execv("/proc/self/exe", argv);
  if (kernels) unsetenv("OPENBLAS_CORETYPE");
  if (kernels) unsetenv(TUTTI_KERNELS_BEFORE);
}

int main(int argc, char **argv) {
  const tutti_launcher by = tutti_launcher_find();
  // One rank of several must not leave the others, which may be asked for something else, alone in MPI_Init.
  if (by.ranks <= 1 && answer(argc, argv, true)) return end_without_mpi();
  take_better_environment(&by, argv);
  int provided = 0; // BLAS may have threads of its own; MPI is called by this one alone
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    fputs("tutti: error: MPI could not be started\n", stderr);
    return tutti_status_exit(TUTTI_ERR_MPI);
  }
  int exit_status = 0;
  tutti_comm *comm = NULL;
  tutti_status status = tutti_comm_create_world(&comm);
  if (status == TUTTI_OK) status = run(comm, &by, argc, argv, &exit_status);
  if (status == TUTTI_OK) status = flush_results();
  if (status != TUTTI_OK) {
    report(status);
    exit_status = tutti_status_exit(status);
    if (status == TUTTI_ERR_MPI) MPI_Abort(MPI_COMM_WORLD, exit_status);
  }
  tutti_comm_destroy(&comm);
  MPI_Finalize();
  return exit_status;
}
