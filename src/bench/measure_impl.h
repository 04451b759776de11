#pragma once
/** The measurements of `tutti bench`, one section for each file, in the order in which bench.c calls them. */
#include "bench/model_impl.h"
#include "bench/products_impl.h"
#include "train/probe.h"
#include "tutti/bench.h"

/** What the measurements share; borrowed. */
typedef struct {
  const tutti_comm *comm;
  const tutti_comm *alone; // this rank
  const tutti_comm *node;  // the ranks of this node
  const tutti_config *config;
  tutti_probe *probe;
  const tutti_bench_options *options;
} tutti_bench_setup;

// --- steps (steps.c) -----------------------------------------------------------------------------

/** Whether a training takes steps of this many samples, see tutti_model_layers_single_group.  Local. */
bool tutti_bench_is_possible(const tutti_bench_setup *setup, int64_t batch_size);

/** Measure steps of one batch size, steps whose products are timed, and the products by the BLAS, in turn.  Collective.
 * @return as tutti_train_probe_prepare and tutti_train_probe_steps */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_step(const tutti_bench_setup *setup, int64_t batch_size,
                                      tutti_reduce_kind reduce, tutti_bench_step *step);

/** Measure steps of each rank alone, all at the same time.  Collective.
 * @param[out] shard    the median round
 * @param[out] fastest  the shortest round */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_shard(const tutti_bench_setup *setup, int64_t rows, tutti_bench_shard *shard,
                                       tutti_bench_shard *fastest);

/** Measure the arithmetic units.  Collective.
 * @param[out] one  operations per second of one core of rank 0, while the others wait
 * @param[out] all  operations per second of all ranks with all their threads */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_peak(const tutti_bench_setup *setup, double *one, double *all);

// --- memory (memory.c, traffic.c) ----------------------------------------------------------------

/** Measure the rate of memory for arrays of several sizes.  Collective.
 * @param[out] memories  [TUTTI_BENCH_MAX_MEMORIES], *n of them are set
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_memory(const tutti_bench_setup *setup, tutti_bench_memory *memories, int *n);

/** Count what the parts of the prepared step have to move.  Collective.
 * @param[out] step  its traffic */
TUTTI_NODISCARD
tutti_status tutti_bench_count_traffic(const tutti_bench_setup *setup, const tutti_bench_products *products,
                                       tutti_bench_step *step);

// --- reducers and network (network.c) ------------------------------------------------------------

/** Measure all reducers on n_params parameters.  Collective.
 * @param[out] reducers  [TUTTI_BENCH_MAX_REDUCERS], *n of them are set */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_reducers(const tutti_bench_setup *setup, int64_t n_params,
                                          tutti_bench_reducer *reducers, int *n);

/** Measure the network between nodes, and the reduction within a node.  Collective. */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_network(const tutti_bench_setup *setup, int64_t n_params,
                                         tutti_bench_network *network);

// --- layouts (layouts.c) -------------------------------------------------------------------------

/** Compare ways to divide the cores of a node among ranks and threads, at the first batch size.  Collective, after the
 * steps, shards and the network of the report are measured.  Layouts other than this run's are predicted; but a run of
 * one rank measures itself with other numbers of threads. */
TUTTI_NODISCARD
tutti_status tutti_bench_compare_layouts(const tutti_bench_setup *setup, const tutti_bench_costs *costs,
                                         tutti_bench_report *report);
