#pragma once
/** Measured steps: of all ranks together, part by part, and of each rank alone. */
#include "train/probe.h"
#include "tutti/bench.h"

/** What the measurements share. */
typedef struct {
  const tutti_comm *comm;
  const tutti_comm *alone; // this rank
  const tutti_comm *node;  // the ranks of this node
  const tutti_config *config;
  tutti_probe *probe;
  int n_leaves; // of the reducer `tree`
  double round_s;
  int rounds;
} tutti_bench_setup;

/** Local.  Whether a step of so many samples is one that training takes, see tutti_layers_single_group. */
bool tutti_bench_is_possible(const tutti_bench_setup *setup, int64_t batch_size);

/** Collective.  Steps of one batch size, and their products, in turn.
 * @return what tutti_probe_prepare and tutti_probe_steps return */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_step(const tutti_bench_setup *setup, int64_t batch_size,
                                      tutti_reduce_kind reduce, tutti_bench_step *step);

/** Collective.  Each rank alone, all at the same time: its median round, and its fastest one. */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_shard(const tutti_bench_setup *setup, int64_t rows, tutti_bench_shard *shard,
                                       tutti_bench_shard *fastest);

/** Collective.  Operations a second of one core (rank 0's, while the others wait), and of all ranks with
 * their threads together. */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_peak(const tutti_bench_setup *setup, double *one, double *all);
