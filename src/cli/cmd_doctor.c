#include <stdio.h>

#include "base/cpu.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "tutti/io.h"
#include "tutti/linalg.h"

static void print_machine(const tutti_comm *comm, const tutti_cpu *cpu) {
  printf("tutti\t%s\n", TUTTI_VERSION);
  printf("mpi\t%s\n", tutti_mpi_version());
  printf("hdf5\t%s\n", tutti_hdf5_version());
  printf("blas\t%s\n", tutti_blas_description());
  printf("blas_threads\t%d\n", tutti_blas_threads());
  printf("cpu\t%s\n", cpu->model);
  printf("vector_units\t%s\n", cpu->avx512 ? "AVX-512" : cpu->avx2_fma ? "AVX2" : "baseline");
  printf("cores\t%d\n", cpu->n_cores);
  printf("ranks\t%d\n", tutti_comm_size(comm));
  printf("nodes\t%d\n", tutti_comm_n_nodes(comm));
}

static void print_ranks(int size, char *const *hosts, char *const *cores) {
  printf("\nrank\thost\tcores\n");
  for (int rank = 0; rank < size; rank++) printf("%d\t%s\t%s\n", rank, hosts[rank], cores[rank]);
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  tutti_arguments arguments;
  TUTTI_TRY(tutti_agree(comm, tutti_arguments_parse(argc, argv, NULL, 0, NULL, 0, 0, &arguments)));
  tutti_arguments_clear(&arguments);
  tutti_cpu cpu;
  tutti_cpu_get(&cpu);
  char **hosts = NULL, **cores = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_gather_texts(comm, 0, tutti_comm_host(comm), &hosts));
  TUTTI_TRY_GOTO(done, tutti_gather_texts(comm, 0, cpu.allowed, &cores));
  if (tutti_comm_rank(comm) != 0) goto done;
  print_machine(comm, &cpu);
  print_ranks(tutti_comm_size(comm), hosts, cores);
  if (tutti_comm_node_size(comm) > cpu.n_cores)
    tutti_log(TUTTI_LOG_WARNING,
              "%d ranks share the %d cores of this node: right for trying, slow for measuring",
              tutti_comm_node_size(comm), cpu.n_cores);
done:
  tutti_texts_free(&hosts, tutti_comm_size(comm));
  tutti_texts_free(&cores, tutti_comm_size(comm));
  return status;
}

const tutti_command tutti_command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "what the preflight sees: cores, binding, threads, BLAS, MPI, HDF5",
    .details = "Under mpirun or srun it shows each rank's host and cores.",
    .run = run};
