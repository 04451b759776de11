/** Ways to divide the cores of a node among ranks and threads, and the fastest of them.
 *
 * This run's own layout is measured.  The others are predicted from single ranks with as many threads, since a run
 * cannot start other ranks.  Called by bench.c. */
#include "bench/measure_impl.h"

#include "tutti/linalg.h"

/** The samples of the largest shard if each node has `ranks` ranks. */
static int samples_of_rank(const tutti_bench_report *report, int ranks) {
  const int64_t all = (int64_t)ranks * report->nodes;
  return (int)((report->layout_batch + all - 1) / all);
}

static bool is_this_run(const tutti_bench_report *report, int ranks, int threads) {
  return ranks * report->nodes == report->ranks && threads == report->threads;
}

/** Measure a rank alone with another number of threads. */
static tutti_status measure_threads(const tutti_bench_setup *setup, int threads, int64_t rows,
                                    tutti_bench_shard *fastest) {
  tutti_bench_shard median;
  const int before = tutti_linalg_threads();
  tutti_linalg_set_threads(threads);
  const tutti_status status = tutti_bench_measure_shard(setup, rows, &median, fastest);
  tutti_linalg_set_threads(before);
  return status;
}

/** Find the time of a layout from what is known already; only other numbers of threads cost a measurement. */
static tutti_status time_layout(const tutti_bench_setup *setup, const tutti_bench_costs *costs,
                                const tutti_bench_report *report, tutti_bench_layout *layout) {
  tutti_bench_costs own = *costs;
  tutti_bench_shard shard;
  own.shards = report->fastest;
  own.ranks_per_node = layout->ranks;
  layout->measured = true;
  if (is_this_run(report, layout->ranks, layout->threads)) {
    layout->step_s = report->steps[0].step_min_s;
    return TUTTI_OK;
  }
  if (layout->threads != report->threads) {
    const int64_t rows = samples_of_rank(report, layout->ranks);
    TUTTI_TRY(measure_threads(setup, layout->threads, rows, &shard));
    own.shards = &shard;
    own.n_shards = 1;
  }
  // In a run of one rank, the rank alone is the whole run.
  layout->measured = report->ranks == 1 && layout->ranks == 1;
  layout->step_s =
      tutti_bench_predict(&own, report->layout_batch, (int64_t)layout->ranks * report->nodes).step_s;
  return TUTTI_OK;
}

/** Whether a layout is compared.  Those with this run's threads cost no measurement; of the others, only those that
 * leave no core idle are worth one.  A layout is left out if a rank alone cannot take so few samples, because of
 * batch_norm. */
static bool is_worth_trying(const tutti_bench_setup *setup, const tutti_bench_report *report, int ranks,
                            int threads) {
  if (is_this_run(report, ranks, threads)) return true;
  if (ranks * threads > report->cores) return false;
  if (threads == report->threads) return true;
  return report->ranks == 1 && tutti_bench_is_possible(setup, samples_of_rank(report, ranks)) &&
         (ranks == 1 || ranks == report->cores / threads);
}

tutti_status tutti_bench_compare_layouts(const tutti_bench_setup *setup, const tutti_bench_costs *costs,
                                         tutti_bench_report *report) {
  tutti_bench_counts counts = tutti_bench_counts_powers(report->cores);
  tutti_bench_counts_add(&counts, report->cores);
  tutti_bench_counts_add(&counts, report->node_ranks);
  tutti_bench_counts_add(&counts, report->threads);
  TUTTI_TRY(tutti_comm_agree(setup->comm, TUTTI_NEW(report->layouts, (int64_t)counts.n * counts.n)));
  for (int i = 0; i < counts.n * counts.n; i++) {
    tutti_bench_layout *layout = &report->layouts[report->n_layouts];
    *layout = (tutti_bench_layout){.ranks = (int)counts.values[i / counts.n],
                                   .threads = (int)counts.values[i % counts.n]};
    if (!is_worth_trying(setup, report, layout->ranks, layout->threads)) continue;
    TUTTI_TRY(time_layout(setup, costs, report, layout));
    if (layout->step_s < report->layouts[report->best_layout].step_s) report->best_layout = report->n_layouts;
    report->n_layouts++;
  }
  if (!report->disturbed)
    report->best_gain =
        tutti_bench_gain(report->steps[0].step_min_s, report->layouts[report->best_layout].step_s,
                         report->cores, report->node_ranks * report->threads);
  return TUTTI_OK;
}
