#pragma once
/** How a node's cores can be divided among ranks and threads. */
#include "bench/model.h"
#include "bench/steps.h"

/** Collective, after report->steps, shards and network.  Fills in the layouts, of the first batch size. Other
 * layouts than this run's are predicted, but a run of one rank measures itself with other threads. */
TUTTI_NODISCARD
tutti_status tutti_bench_compare_layouts(const tutti_bench_setup *setup, const tutti_bench_costs *costs,
                                         tutti_bench_report *report);
