/** The program.  MPI starts, ends and aborts here, and the message of a failure is printed here.
 *
 * main checks how the ranks were started, finds the command, and runs it on all ranks.  `--help`, `--version` and
 * `--check` work without MPI, so that they work on a login node. */
#include <errno.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/names.h"
#include "base/signals.h"
#include "base/vector_unit.h"
#include "cli/command_impl.h"
#include "cli/guard_impl.h"
#include "cli/options_impl.h"
#include "cli/start_impl.h"
#include "cli/topics_impl.h"
#include "machine/buffers.h"
#include "machine/cpu.h"
#include "machine/kernels.h"
#include "tutti/linalg.h"

static bool is_help(const char *argument) {
  return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/** Whether "help", "--help" or "-h" is in the place of the command. */
static bool asks_for_help(int argc, char **argv) {
  return argc > 1 && (is_help(argv[1]) || strcmp(argv[1], "help") == 0);
}

/** Print help or version, if they are asked for.
 * @param[in] print  false: only find out
 * @return whether they are asked for */
static bool answer(int argc, char **argv, bool print) {
  if (argc > 1 && strcmp(argv[1], "--version") == 0) {
    if (print) puts("tutti " TUTTI_VERSION);
    return true;
  }
  if (asks_for_help(argc, argv) && argc == 2) {
    if (print) tutti_cli_print_help();
    return true;
  }
  const bool about = asks_for_help(argc, argv);
  if (about && tutti_cli_print_topic(argv[2], print)) return true;
  const tutti_command *command = argc > 1 ? tutti_command_find(argv[about ? 2 : 1]) : NULL;
  bool wanted = about;
  for (int i = 2; i < argc; i++) wanted = wanted || is_help(argv[i]);
  if (command && wanted && print) tutti_cli_print_command_help(command);
  return command && wanted;
}

/** Find the command, or fail with the one that was probably meant; --help and --version are candidates too. */
static tutti_status choose_command(int argc, char **argv, const tutti_command **command) {
  TUTTI_CHECK(argc > 1, TUTTI_ERR_USAGE, "no command given; tutti --help lists them");
  const char *given = argv[asks_for_help(argc, argv) ? 2 : 1];
  *command = tutti_command_find(given);
  if (*command) return TUTTI_OK;
  char hint[TUTTI_HINT_BYTES];
  const char *names[TUTTI_N_COMMANDS + 2] = {"--help", "--version"};
  for (int i = 0; i < TUTTI_N_COMMANDS; i++) names[2 + i] = tutti_cli_commands[i]->name;
  TUTTI_FAIL(TUTTI_ERR_USAGE, "unknown command '%s'%s; tutti --help lists the commands", given,
             tutti_name_hint(tutti_name_nearest(given, names, TUTTI_N_COMMANDS + 2), hint));
}

/** The launcher is checked after the command is known, because some commands may be started alone. */
static tutti_status choose(const tutti_comm *comm, const tutti_cli_launcher *by, int argc, char **argv,
                           const tutti_command **command) {
  TUTTI_TRY(choose_command(argc, argv, command));
  TUTTI_TRY(tutti_cpu_check_vectors());
  TUTTI_TRY(tutti_cli_check_launcher(by, comm, *command));
  return TUTTI_OK;
}

/** What all ranks do between the start and the end of MPI. */
static tutti_status run(const tutti_comm *comm, const tutti_cli_launcher *by, int argc, char **argv,
                        int *exit_status) {
  const tutti_command *command = NULL;
  TUTTI_TRY(tutti_cli_check_alike(comm, argc, argv));
  if (answer(argc, argv, tutti_comm_rank(comm) == 0)) return TUTTI_OK;
  TUTTI_TRY(tutti_comm_agree(comm, choose(comm, by, argc, argv, &command)));
  if (command->check && tutti_cli_asks_for_check(argc, argv)) {
    const bool first = tutti_comm_rank(comm) == 0;
    const tutti_status local =
        first ? tutti_cli_check(command, argc - 1, argv + 1, tutti_comm_size(comm)) : TUTTI_OK;
    return tutti_comm_agree_from(comm, 0, local);
  }
  if (command->trains) tutti_signals_catch();
  return command->run(comm, argc - 1, argv + 1, exit_status);
}

/** Print the message of a failure.  All ranks have the same text, so rank 0 prints it; if MPI is broken, each rank
 * prints its own. */
static void report(tutti_status status) {
  if (status == TUTTI_ERR_MPI)
    tutti_log(TUTTI_LOG_ERROR, "%s", tutti_fail_text());
  else
    tutti_log_root(TUTTI_LOG_ERROR, "%s", tutti_fail_text());
  const bool ours = status == TUTTI_ERR_MPI || status == TUTTI_ERR_INTERNAL;
  if (ours && tutti_log_rank() == 0) fprintf(stderr, "%s", tutti_fail_trace());
}

/** Flush standard output, and fail if the results could not be written, for example because the disk is full. */
static tutti_status flush_results(void) {
  const bool written = fflush(stdout) == 0 && !ferror(stdout);
  TUTTI_CHECK(written, TUTTI_ERR_IO, "standard output: cannot write: %s", strerror(errno));
  return TUTTI_OK;
}

/** Help that could not be written is a failure too, for example on a full disk.  If there is little room, the threads of
 * OpenBLAS look for some without end, and the usual way out would wait for them. */
static int end_without_mpi(tutti_status status) {
  if (status == TUTTI_OK) status = flush_results();
  if (status != TUTTI_OK) report(status);
  if (tutti_machine_check_room() != TUTTI_OK) _exit(tutti_status_exit(status));
  return tutti_status_exit(status);
}

/** Ask for kernels that suit the processor better, if the BLAS has not chosen them.
 * @return whether the environment has changed */
static bool ask_for_kernels(void) {
  char taken[TUTTI_MACHINE_KERNELS_NAME];
  const char *wanted = tutti_machine_wanted_kernels(taken);
  return wanted && setenv("OPENBLAS_CORETYPE", wanted, 1) == 0 && setenv(TUTTI_KERNELS_BEFORE, taken, 1) == 0;
}

/** Keep OpenMP from binding threads if there are several ranks.  It knows of one process only, and would bind the
 * threads of all ranks to the same cores.  The launcher binds ranks.
 * @return whether the environment has changed */
static bool leave_binding_to(const tutti_cli_launcher *by) {
  const char *bind = getenv("OMP_PROC_BIND");
  const bool several = by->variable && by->ranks != 1;
  if (!several || !tutti_machine_openmp_binds() || (bind && strcmp(bind, "false") == 0)) return false;
  return setenv("OMP_PROC_BIND", "false", 1) == 0;
}

/** Start the program again if its environment should be another one.  BLAS and OpenMP read the environment when they
 * are loaded, before main.  If the program cannot be started again, it continues as it is. */
static void take_better_environment(const tutti_cli_launcher *by, char **argv) {
  const bool kernels = ask_for_kernels(), binding = leave_binding_to(by);
  if (!kernels && !binding) return;
  tutti_machine_unbind(); // otherwise the program would get the cores of this thread only
  execv("/proc/self/exe", argv);
  if (kernels) unsetenv("OPENBLAS_CORETYPE");
  if (kernels) unsetenv(TUTTI_KERNELS_BEFORE);
}

/** A process that no launcher started is alone.  Open MPI 4 would start a daemon for it, in case that it wants more, and
 * look for fast networks, one of which it measures for a tenth of a second.  Together that takes longer than all else. */
static void start_alone(const tutti_cli_launcher *by) {
  if (by->variable) return;
  (void)setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  (void)setenv("OMPI_MCA_pml", "ob1", 0);
}

/** The job has failed, or has ended before its end.  Rank 0 may still write a checkpoint, for which the others wait
 * while the watchdog looks; only then the time is limited. */
static void end_failed(const tutti_comm *comm, tutti_status status, int exit_status) {
  if (comm && status != TUTTI_ERR_MPI && tutti_comm_barrier(comm) != TUTTI_OK) status = TUTTI_ERR_MPI;
  tutti_cli_end_soon(exit_status);
  if (status != TUTTI_ERR_MPI) return;
  if (comm) tutti_comm_leave_watch(comm);
  MPI_Abort(MPI_COMM_WORLD, exit_status);
}

/** The order matters: what works without MPI comes first, then the environment that MPI and BLAS inherit, then MPI. */
/** One thread calls MPI, unless TUTTI_MPI_THREADS=multiple: then a reducer may send gradients in a thread of its own. */
static int wanted_threads(void) {
  const char *wish = getenv("TUTTI_MPI_THREADS");
  return wish && strcmp(wish, "multiple") == 0 ? MPI_THREAD_MULTIPLE : MPI_THREAD_FUNNELED;
}

int main(int argc, char **argv) {
  tutti_fault_arm();
  const tutti_cli_launcher by = tutti_cli_find_launcher();
  // One rank of several must not leave the others alone in MPI_Init: they may have other arguments.
  if (by.ranks <= 1 && answer(argc, argv, true)) return end_without_mpi(TUTTI_OK);
  const tutti_command *command = argc > 1 ? tutti_command_find(argv[1]) : NULL;
  if (!by.variable && command && command->check && tutti_cli_asks_for_check(argc, argv)) {
    tutti_cli_tell_crashes(NULL);
    return end_without_mpi(tutti_cli_check(command, argc - 1, argv + 1, 0));
  }
  take_better_environment(&by, argv);
  if (tutti_machine_check_room() != TUTTI_OK) {
    tutti_log_set_rank((int)tutti_cli_local_rank(), 1); // one message per host
    // The launcher kills all ranks when the first one has ended, so the one that prints has to be the first.
    if (tutti_cli_local_rank() > 0) (void)sleep(1);
    return end_without_mpi(TUTTI_ERR_MEMORY);
  }
  start_alone(&by);
  // Until it is known how many pay.  The BLAS may have begun with one for each core.
  tutti_linalg_set_threads(1);
  int provided = 0;
  if (MPI_Init_thread(&argc, &argv, wanted_threads(), &provided) != MPI_SUCCESS) {
    fputs("tutti: error: MPI could not be started\n", stderr);
    return tutti_status_exit(TUTTI_ERR_MPI);
  }
  int exit_status = 0;
  tutti_comm *comm = NULL;
  tutti_status status = tutti_comm_create_world(&comm);
  tutti_cli_tell_crashes(comm);
  if (status == TUTTI_OK) status = tutti_cli_watch(comm);
  if (status == TUTTI_OK) status = run(comm, &by, argc, argv, &exit_status);
  if (status == TUTTI_OK) status = tutti_comm_agree_from(comm, 0, flush_results()); // rank 0 alone prints
  if (status != TUTTI_OK) {
    report(status);
    exit_status = tutti_status_exit(status);
  }
  if (exit_status != 0) end_failed(comm, status, exit_status);
  tutti_comm_destroy(&comm);
  MPI_Finalize();
  return exit_status;
}
