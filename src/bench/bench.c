/** The order of the measurements, and the predictions from them. */
#include <math.h>

#include "base/cpu.h"
#include "base/log.h"
#include "bench/counts.h"
#include "bench/layouts.h"
#include "bench/network.h"
#include "tutti/linalg.h"

enum { MAX_RANKS = 4096, MAX_ROWS = 8192 };

/** Whether a step of so many samples is one that training takes, see tutti_layers_single_group. */
static bool is_possible(const tutti_config *config, int64_t batch_size) {
  return !tutti_layers_single_group(config->model.layers, (int)config->model.n_layers, batch_size);
}

// --- what to measure

static tutti_status check_options(const tutti_bench_options *options) {
  for (int i = 0; i < options->n_batch_sizes; i++)
    TUTTI_CHECK(options->batch_sizes[i] >= 1, TUTTI_ERR_USAGE,
                "batch_sizes: %lld is no batch size, they begin at 1", (long long)options->batch_sizes[i]);
  TUTTI_CHECK(options->latency_s >= 0 && options->bandwidth >= 0, TUTTI_ERR_USAGE,
              "latency and bandwidth are above 0");
  TUTTI_CHECK(options->ranks_per_node >= 0, TUTTI_ERR_USAGE, "ranks_per_node is at least 1");
  TUTTI_CHECK(options->round_s > 0 && options->rounds >= 1, TUTTI_ERR_USAGE,
              "rounds are at least 1, and take some time");
  return TUTTI_OK;
}

/** The batch sizes of the report: as they are given, or the config's and then the usual ones that the data
 * has samples for. */
static tutti_status choose_batches(const tutti_config *config, const tutti_bench_options *options,
                                   tutti_bench_report *report) {
  static const int64_t usual[] = {16, 64, 128, 1024, 8192};
  const int n_usual = (int)(sizeof usual / sizeof *usual), given = options->n_batch_sizes;
  TUTTI_TRY(TUTTI_NEW(report->steps, given ? given : n_usual + 1));
  for (int i = 0; i < given; i++) {
    TUTTI_CHECK(options->batch_sizes[i] <= report->n_train, TUTTI_ERR_CONFIG,
                "batch size %lld is more than the %lld training samples", (long long)options->batch_sizes[i],
                (long long)report->n_train);
    report->steps[report->n_steps++].batch_size = options->batch_sizes[i];
  }
  if (given) return TUTTI_OK;
  const int64_t own = config->train.batch_size < report->n_train ? config->train.batch_size : report->n_train;
  report->steps[report->n_steps++].batch_size = own;
  for (int i = 0; i < n_usual; i++)
    if (usual[i] != own && usual[i] <= report->n_train && is_possible(config, usual[i]))
      report->steps[report->n_steps++].batch_size = usual[i];
  return TUTTI_OK;
}

/** Ratio of the median and the shortest round beyond which something else was at work. */
static const double DISTURBED = 1.25;

static tutti_status measure_steps(const tutti_bench_setup *setup, const tutti_config *config,
                                  tutti_bench_report *report) {
  for (int i = 0; i < report->n_steps; i++) {
    const int64_t batch_size = report->steps[i].batch_size;
    tutti_log_root(TUTTI_LOG_INFO, "steps of %lld samples", (long long)batch_size);
    TUTTI_TRY(tutti_bench_measure_step(setup, batch_size, config->parallel.reduce, &report->steps[i]));
    const double ratio = report->steps[i].step_s / report->steps[i].step_min_s;
    if (ratio > DISTURBED)
      tutti_log_root(
          TUTTI_LOG_WARNING,
          "the median round took %.2f times as long as the shortest: is something else running here?", ratio);
    if (i > 0) continue;
    report->n_params = tutti_model_n_params(tutti_probe_model(setup->probe));
    report->reducer = tutti_probe_reducer(setup->probe);
  }
  return TUTTI_OK;
}

/** Powers of two, and the shards of the batch sizes, which then need no interpolation where the run is
 * predicted that was measured. */
static tutti_status measure_shards(const tutti_bench_setup *setup, const tutti_config *config,
                                   tutti_bench_report *report) {
  const int64_t most = report->n_train < MAX_ROWS ? report->n_train : MAX_ROWS;
  tutti_counts rows = {.n = 0}, powers = tutti_counts_powers(most);
  for (int i = 0; i < powers.n; i++)
    if (is_possible(config, powers.values[i])) tutti_counts_add(&rows, powers.values[i]);
  for (int i = 0; i < report->n_steps; i++)
    if (is_possible(config, report->steps[i].rows)) tutti_counts_add(&rows, report->steps[i].rows);
  TUTTI_TRY(tutti_agree(setup->comm, TUTTI_NEW(report->shards, rows.n)));
  tutti_log_root(TUTTI_LOG_INFO, "shards of up to %lld samples", (long long)rows.values[rows.n - 1]);
  for (; report->n_shards < rows.n; report->n_shards++)
    TUTTI_TRY(
        tutti_bench_measure_shard(setup, rows.values[report->n_shards], &report->shards[report->n_shards]));
  return TUTTI_OK;
}

/** The cores that the ranks of a node may use: together, where each may use only some. */
static tutti_status count_cores(const tutti_comm *comm, int *n_cores) {
  tutti_cpu cpu;
  tutti_cpu_get(&cpu);
  double most = cpu.n_allowed, together = (double)cpu.n_allowed * tutti_comm_node_size(comm);
  if (together > cpu.n_cpus) together = cpu.n_cpus;
  if (together > most) most = together;
  TUTTI_TRY(tutti_max(comm, &most, 1));
  *n_cores = (int)most;
  return TUTTI_OK;
}

// --- what follows

static tutti_status predict(const tutti_bench_setup *setup, const tutti_bench_costs *costs,
                            tutti_bench_report *report) {
  tutti_counts counts = tutti_counts_powers(MAX_RANKS);
  tutti_counts_add(&counts, report->ranks);
  tutti_status status = TUTTI_NEW(report->predictions, (int64_t)report->n_steps * counts.n);
  if (status == TUTTI_OK) status = TUTTI_NEW(report->efficient, report->n_steps);
  if (status == TUTTI_OK) status = TUTTI_NEW(report->useful, report->n_steps);
  TUTTI_TRY(tutti_agree(setup->comm, status));
  report->n_counts = counts.n;
  for (int i = 0; i < report->n_steps; i++) {
    tutti_bench_prediction *of_batch = &report->predictions[i * counts.n];
    for (int k = 0; k < counts.n; k++) {
      of_batch[k] = tutti_bench_predict(costs, report->steps[i].batch_size, counts.values[k]);
      if (counts.values[k] == report->ranks && report->ranks_per_node == report->node_ranks)
        of_batch[k].measured_s = report->steps[i].step_s;
    }
    report->efficient[i] = tutti_bench_most_efficient(of_batch, counts.n);
    report->useful[i] = tutti_bench_most_useful(of_batch, counts.n);
  }
  return TUTTI_OK;
}

static tutti_status measure(const tutti_bench_setup *setup, const tutti_config *config,
                            const tutti_bench_options *options, tutti_bench_report *report) {
  report->n_train = tutti_probe_n_train(setup->probe);
  TUTTI_TRY(tutti_agree(setup->comm, choose_batches(config, options, report)));
  TUTTI_TRY(count_cores(setup->comm, &report->cores));
  TUTTI_TRY(tutti_bench_measure_peak(setup, &report->peak_one, &report->peak_all));
  TUTTI_TRY(measure_steps(setup, config, report));
  TUTTI_TRY(measure_shards(setup, config, report));
  tutti_log_root(TUTTI_LOG_INFO, "reductions of %lld numbers", (long long)report->n_params);
  TUTTI_TRY(tutti_bench_measure_reducers(setup, report->n_params, report->reducers, &report->n_reducers));
  TUTTI_TRY(tutti_bench_measure_network(setup, options, report->n_params, &report->network));
  const tutti_bench_costs costs = {.shards = report->shards,
                                   .n_shards = report->n_shards,
                                   .bytes = (double)report->n_params * sizeof(float),
                                   .barrier_s = report->network.barrier_s,
                                   .node_byte_s = report->network.node_byte_s,
                                   .network = report->network.link,
                                   .ranks_per_node = report->ranks_per_node};
  report->layout_batch = report->steps[0].batch_size;
  tutti_log_root(TUTTI_LOG_INFO, "ranks and threads on %d core%s", report->cores,
                 report->cores > 1 ? "s" : "");
  TUTTI_TRY(tutti_bench_compare_layouts(setup, &costs, report));
  return predict(setup, &costs, report);
}

tutti_status tutti_bench(const tutti_comm *comm, const tutti_config *config,
                         const tutti_bench_options *options, tutti_bench_report *report) {
  tutti_comm *alone = NULL, *node = NULL;
  tutti_probe *probe = NULL;
  tutti_status status = TUTTI_OK;
  double largest[2] = {tutti_comm_node_size(comm), 1};
  *report = (tutti_bench_report){.ranks = tutti_comm_size(comm), .nodes = tutti_comm_n_nodes(comm)};
  TUTTI_TRY_GOTO(done, tutti_agree(comm, check_options(options)));
  TUTTI_TRY_GOTO(done, tutti_probe_create(comm, config, &probe));
  largest[1] = tutti_linalg_threads();
  TUTTI_TRY_GOTO(done, tutti_max(comm, largest, 2));
  report->node_ranks = (int)largest[0];
  report->threads = (int)largest[1];
  report->ranks_per_node = options->ranks_per_node > 0 ? options->ranks_per_node : report->node_ranks;
  TUTTI_TRY_GOTO(done, tutti_comm_split(comm, tutti_comm_rank(comm), &alone));
  TUTTI_TRY_GOTO(done, tutti_comm_split(comm, tutti_comm_node(comm), &node));
  const tutti_bench_setup setup = {.comm = comm,
                                   .alone = alone,
                                   .node = node,
                                   .probe = probe,
                                   .n_leaves = (int)config->parallel.leaves,
                                   .round_s = options->round_s,
                                   .rounds = options->rounds};
  TUTTI_TRY_GOTO(done, measure(&setup, config, options, report));
done:
  tutti_probe_destroy(&probe);
  tutti_comm_destroy(&alone);
  tutti_comm_destroy(&node);
  if (status != TUTTI_OK) tutti_bench_clear(report);
  return status;
}

void tutti_bench_clear(tutti_bench_report *report) {
  tutti_free(report->steps);
  tutti_free(report->shards);
  tutti_free(report->layouts);
  tutti_free(report->predictions);
  tutti_free(report->efficient);
  tutti_free(report->useful);
  *report = (tutti_bench_report){0};
}
