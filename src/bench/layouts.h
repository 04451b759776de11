#pragma once
/** How a node's cores can be divided among ranks and threads. */
#include "bench/model.h"
#include "bench/steps.h"

/** Collective, after report->steps, shards and network.  Fills in the layouts, of batch size report->steps[0].
 * Layouts of one rank are measured where this run is one, others that it is not are predicted. */
TUTTI_NODISCARD
tutti_status tutti_bench_compare_layouts(const tutti_bench_setup *setup, const tutti_bench_costs *costs,
                                         tutti_bench_report *report);
