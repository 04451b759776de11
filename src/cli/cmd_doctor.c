/** tutti doctor: what a training would find on this machine.  It runs the same preflight, and prints one row for each
 * rank. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command_impl.h"
#include "cli/options_impl.h"
#include "machine/cpu.h"
#include "machine/preflight.h"
#include "machine/quota.h"
#include "machine/round_trip.h"
#include "tutti/io.h"
#include "tutti/linalg.h"

/** Print the variables that decide about threads and kernels, whoever has set them. */
static void print_environment(void) {
  static const char *const names[] = {
      "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",   "BLIS_NUM_THREADS",  "BLIS_ARCH_TYPE",
      "OMP_NUM_THREADS",   "OMP_PROC_BIND",        "OMP_PLACES",        "GOMP_CPU_AFFINITY", "KMP_AFFINITY",
      "OMP_WAIT_POLICY",   "SLURM_CPUS_PER_TASK",  "SLURM_CPUS_ON_NODE"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (getenv(names[i])) printf("environment\t%s=%s\n", names[i], getenv(names[i]));
}

/** Print what all ranks share.  Each line is a name, a tab and a value, so that scripts can read it. */
static void print_machine(const tutti_comm *comm, const tutti_machine_cpu *cpu) {
  printf("tutti\t%s\n", TUTTI_VERSION);
  printf("mpi\t%s\n", tutti_par_mpi_version());
  printf("hdf5\t%s\n", tutti_io_hdf5_version());
  printf("blas\t%s\n", tutti_blas_description());
  printf("cpu\t%s\n", cpu->model);
  printf("vector_units\t%s\n", cpu->avx512 ? "AVX-512" : cpu->avx2_fma ? "AVX2" : "baseline");
  printf("processors\t%d\n", cpu->n_cpus);
  const double quota = tutti_machine_quota("");
  if (quota > 0) printf("cpu_quota\t%.3g\n", quota);
  printf("ranks\t%d\n", tutti_comm_size(comm));
  printf("nodes\t%d\n", tutti_comm_n_nodes(comm));
  print_environment();
}

/** Print the round trip between cores, if there are several threads, and a note if figures would suffer.  It is no
 * warning, because nothing is wrong with the job. */
static void print_round_trip(const tutti_round_trip *trip) {
  char text[400];
  const tutti_round_trip_word word = tutti_round_trip_judge(trip, NULL);
  if (word == TUTTI_ROUND_TRIP_ALONE) return;
  printf("round_trip\t%s\n", tutti_round_trip_names[word]);
  if (trip->slowest_s > 0) printf("round_trip_ns\t%.0f\n", trip->slowest_s * 1e9);
  if (tutti_round_trip_warning(trip, NULL, text, sizeof text)) printf("note\t%s\n", text);
}

/** Each rank describes itself, because binding and threads can differ from rank to rank; rank 0 prints all rows. */
static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  const char *const *given = NULL; // in argv
  TUTTI_TRY(tutti_cli_parse_arguments(comm, argc, argv, &tutti_command_doctor, NULL, &given));
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  tutti_machine_threads threads;
  TUTTI_TRY(tutti_machine_preflight(comm, 0, &threads));
  tutti_round_trip trip;
  TUTTI_TRY(tutti_round_trip_measure(comm, &trip));
  char line[1024]; // the row of this rank, without its number
  int cores[TUTTI_MACHINE_MAX_CPUS];
  tutti_texts lines = {0};
  snprintf(line, sizeof line, "%s\t%s\t%d\t%d\t%s\t%s", tutti_comm_host(comm), cpu.allowed,
           tutti_machine_cores(cores), threads.n, threads.why, tutti_blas_description());
  TUTTI_TRY(tutti_comm_gather_texts(comm, 0, line, &lines));
  if (tutti_comm_rank(comm) == 0) {
    print_machine(comm, &cpu);
    print_round_trip(&trip);
    printf("\nrank\thost\tprocessors\tcores\tthreads\twhy\tblas\n");
    for (int rank = 0; rank < tutti_comm_size(comm); rank++) printf("%d\t%s\n", rank, lines.list[rank]);
  }
  tutti_texts_clear(&lines);
  return TUTTI_OK;
}

const tutti_command tutti_command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "check cores, binding, threads and libraries of each rank",
    .details =
        "Prints the versions of the libraries, the processor, and one row for each rank of mpirun or "
        "srun: its host, the processors (hardware threads) on which it may run, the number of cores "
        "they belong to, the number of threads that a training would use, the reason for this number, "
        "and the BLAS with its kernels.  If there are several ranks or threads, and a core "
        "for each of them, it prints in round_trip_ns the nanoseconds in which a cache line goes to another "
        "core and back, between the slowest pair, and in round_trip whether that is normal.\n\n"
        "Like a training, it warns if ranks share cores, if there are more threads than cores, if "
        "there is a CPU quota, or if the kernels are slow, and it says what to do.  A note "
        "follows if the round trip is slow, since figures of several cores are then not those of other days.",
    .only_warns = true,
    .run = run};
