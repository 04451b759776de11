#pragma once
/** Reductions alone, and the numbers that their prediction needs. */
#include "bench/steps.h"

/** Collective.  The reducers that there are, on n_params parameters.
 * @param[out] reducers  [TUTTI_BENCH_MAX_REDUCERS] of which *n are set */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_reducers(const tutti_bench_setup *setup, int64_t n_params,
                                          tutti_bench_reducer *reducers, int *n);

/** Collective.  The network between nodes, and the reduction within one. */
TUTTI_NODISCARD
tutti_status tutti_bench_measure_network(const tutti_bench_setup *setup, const tutti_bench_options *options,
                                         int64_t n_params, tutti_bench_network *network);
