/** `tutti bench`: the order of the measurements, and the predictions from them.
 *
 * Steps of all ranks show what this run costs, and shards of single ranks what a rank costs alone.  With the reductions
 * and the network, these give the time of a step on any number of ranks (model.c).  Called by cmd_bench.c. */
#include <math.h>

#include "base/log.h"
#include "bench/measure_impl.h"
#include "bench/traffic_impl.h"
#include "machine/cpu.h"
#include "machine/fewer_ranks.h"
#include "machine/quota.h"
#include "machine/round_trip.h"
#include "run/plan.h"
#include "tutti/linalg.h"

enum { MAX_RANKS = 4096, MAX_ROWS = 8192 };

// --- what to measure

/** The options are those of a caller that has checked them, see tutti/bench.h. */
static void assert_options(const tutti_bench_options *options) {
  for (int i = 0; i < options->n_batch_sizes; i++) TUTTI_ASSERT(options->batch_sizes[i] >= 1);
  TUTTI_ASSERT(options->latency_s >= 0 && options->bandwidth >= 0 && options->ranks_per_node >= 0);
  TUTTI_ASSERT(options->round_s > 0 && options->rounds >= 1);
  (void)options;
}

/** Take the batch sizes of the user.  One that is too large is an error, since leaving it out would go unnoticed. */
static tutti_status take_batches(const tutti_bench_options *options, tutti_bench_report *report) {
  TUTTI_TRY(TUTTI_NEW(report->steps, options->n_batch_sizes));
  for (int i = 0; i < options->n_batch_sizes; i++) {
    TUTTI_CHECK(options->batch_sizes[i] <= report->n_train, TUTTI_ERR_CONFIG,
                "batch size %lld is larger than the %lld training samples",
                (long long)options->batch_sizes[i], (long long)report->n_train);
    report->steps[report->n_steps++].batch_size = options->batch_sizes[i];
  }
  return TUTTI_OK;
}

/** Add a batch size, of no more samples than there are, and each once. */
static void add_batch(tutti_bench_report *report, int64_t batch_size) {
  const int64_t size = batch_size < report->n_train ? batch_size : report->n_train;
  for (int i = 0; i < report->n_steps; i++)
    if (report->steps[i].batch_size == size) return;
  report->steps[report->n_steps++].batch_size = size;
}

/** Choose the batch sizes of the report: the given ones; else those of the config's training, and then the usual ones
 * for which there are enough samples. */
static tutti_status choose_batches(const tutti_bench_setup *setup, tutti_bench_report *report) {
  static const int64_t usual[] = {16, 64, 128, 1024, 8192};
  const int n_usual = (int)(sizeof usual / sizeof *usual);
  if (setup->options->n_batch_sizes > 0) return take_batches(setup->options, report);
  tutti_plan plan;
  TUTTI_TRY(tutti_plan_make(setup->config, report->n_train, report->ranks, &plan));
  const tutti_stages *stages = &plan.stages;
  TUTTI_TRY(TUTTI_NEW(report->steps, stages->n_stages + n_usual));
  for (int i = 0; i < stages->n_stages; i++)
    if (i == 0 || stages->stages[i].at < plan.total_steps) add_batch(report, stages->stages[i].batch);
  for (int i = 0; i < n_usual; i++)
    if (usual[i] <= report->n_train && tutti_bench_is_possible(setup, usual[i])) add_batch(report, usual[i]);
  return TUTTI_OK;
}

/** If the median round takes more than this times the shortest one, something else was running. */
static const double DISTURBED = 1.25;

/** Find the memory with which each part of a step is compared. */
static void choose_memories(const tutti_bench_report *report, tutti_bench_step *step) {
  for (int part = 0; part < TUTTI_BENCH_N_PARTS; part++)
    step->traffic[part].memory =
        tutti_bench_memory_for(report->memories, report->n_memories, step->traffic[part].working_set);
}

static tutti_status measure_steps(const tutti_bench_setup *setup, tutti_bench_report *report) {
  for (int i = 0; i < report->n_steps; i++) {
    const int64_t batch_size = report->steps[i].batch_size;
    tutti_log_root(TUTTI_LOG_INFO, "steps of %lld samples", (long long)batch_size);
    TUTTI_TRY(tutti_bench_measure_step(setup, batch_size, setup->config->parallel.reduce, &report->steps[i]));
    choose_memories(report, &report->steps[i]);
    const double ratio = report->steps[i].step_s / report->steps[i].step_min_s;
    if (ratio > DISTURBED) {
      report->disturbed = true;
      tutti_log_root(
          TUTTI_LOG_WARNING,
          "the median round took %.2f times as long as the shortest: is something else running here?", ratio);
    }
    if (i > 0) continue;
    const tutti_run *run = tutti_train_probe_run(setup->probe);
    report->n_params = tutti_model_n_params(run->network.model);
    report->reducer = tutti_reducer_name(run->reducer);
  }
  return TUTTI_OK;
}

/** Predictions are made of the median rounds of the shards, so they are no better than these. */
static void warn_of_shards(const tutti_bench_report *report) {
  double worst = 1;
  for (int i = 0; i < report->n_shards; i++)
    worst = fmax(worst, report->shards[i].step_s / report->fastest[i].step_s);
  if (worst > DISTURBED)
    tutti_log_root(TUTTI_LOG_WARNING,
                   "predictions may be too slow, since other programs seem to run here: the median round of "
                   "a shard took up to %.2f times as long as its shortest",
                   worst);
}

/** Measure shards of 1, 2, 4, ... samples, and those of the batch sizes, so that the prediction of this run needs no
 * interpolation. */
static tutti_status measure_shards(const tutti_bench_setup *setup, tutti_bench_report *report) {
  const int64_t most = report->n_train < MAX_ROWS ? report->n_train : MAX_ROWS;
  tutti_bench_counts rows = {.n = 0}, powers = tutti_bench_counts_powers(most);
  for (int i = 0; i < powers.n; i++)
    if (tutti_bench_is_possible(setup, powers.values[i])) tutti_bench_counts_add(&rows, powers.values[i]);
  for (int i = 0; i < report->n_steps; i++)
    if (tutti_bench_is_possible(setup, report->steps[i].rows))
      tutti_bench_counts_add(&rows, report->steps[i].rows);
  tutti_status status = TUTTI_NEW(report->shards, rows.n);
  if (status == TUTTI_OK) status = TUTTI_NEW(report->fastest, rows.n);
  TUTTI_TRY(tutti_comm_agree(setup->comm, status));
  tutti_log_root(TUTTI_LOG_INFO, "shards of up to %lld samples", (long long)rows.values[rows.n - 1]);
  for (; report->n_shards < rows.n; report->n_shards++)
    TUTTI_TRY(tutti_bench_measure_shard(setup, rows.values[report->n_shards],
                                        &report->shards[report->n_shards],
                                        &report->fastest[report->n_shards]));
  warn_of_shards(report);
  return TUTTI_OK;
}

/** Count the cores on which any rank of a node may run, or what a CPU quota leaves of them, on the node with the
 * most. */
static tutti_status count_cores(const tutti_bench_setup *setup, int *n_cores) {
  int own[TUTTI_MACHINE_MAX_CPUS];
  double *used = NULL, together = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, TUTTI_NEW(used, TUTTI_MACHINE_MAX_CPUS)));
  const int n = tutti_machine_cores(own);
  for (int i = 0; i < n; i++) used[own[i]] = 1;
  TUTTI_TRY_GOTO(done, tutti_comm_max(setup->node, used, TUTTI_MACHINE_MAX_CPUS));
  for (int i = 0; i < TUTTI_MACHINE_MAX_CPUS; i++) together += used[i];
  const double quota = tutti_machine_quota("");
  if (quota > 0 && quota < together) together = quota > 1 ? floor(quota) : 1;
  TUTTI_TRY_GOTO(done, tutti_comm_max(setup->comm, &together, 1));
  *n_cores = (int)together;
done:
  tutti_free(used);
  return status;
}

/** Check that the predicted ranks can be predicted.  More ranks than in this run need as many cores each.  A larger
 * node has these cores, but how much ranks with several threads slow each other down there cannot be measured here. */
static tutti_status check_ranks_per_node(const tutti_bench_report *report) {
  TUTTI_CHECK(
      report->threads == 1 || report->ranks_per_node <= report->node_ranks ||
          (int64_t)report->ranks_per_node * report->threads <= report->cores,
      TUTTI_ERR_USAGE,
      "ranks_per_node: %d ranks with %d threads each are more than the %d core%s of this node; measure with "
      "parallel.threads=1 to predict for a node with a core for each rank, or ask for at most %d",
      report->ranks_per_node, report->threads, report->cores, report->cores > 1 ? "s" : "",
      report->cores / report->threads > report->node_ranks ? report->cores / report->threads
                                                           : report->node_ranks);
  return TUTTI_OK;
}

// --- what follows

/** Predict all batch sizes on 1, 2, 4, ... ranks, and on the ranks of this run, where the prediction can be checked. */
static tutti_status predict(const tutti_bench_setup *setup, const tutti_bench_costs *costs,
                            tutti_bench_report *report) {
  tutti_bench_counts counts = tutti_bench_counts_powers(MAX_RANKS);
  tutti_bench_counts_add(&counts, report->ranks);
  tutti_status status = TUTTI_NEW(report->predictions, (int64_t)report->n_steps * counts.n);
  TUTTI_TRY(tutti_comm_agree(setup->comm, status));
  report->n_counts = counts.n;
  for (int i = 0; i < report->n_steps; i++) {
    tutti_bench_prediction *of_batch = &report->predictions[i * counts.n];
    for (int k = 0; k < counts.n; k++) {
      of_batch[k] = tutti_bench_predict(costs, report->steps[i].batch_size, counts.values[k]);
      if (counts.values[k] == report->ranks && report->ranks_per_node == report->node_ranks)
        of_batch[k].measured_s = report->steps[i].step_s;
    }
    report->steps[i].efficient = tutti_bench_most_efficient(of_batch, counts.n);
    report->steps[i].useful = tutti_bench_most_useful(of_batch, counts.n);
  }
  return TUTTI_OK;
}

/** The prediction with the shortest step of those with fewer ranks than this run; NULL: this run has one. */
static const tutti_bench_prediction *best_of_fewer(const tutti_bench_report *report, int i) {
  const tutti_bench_prediction *of_batch = &report->predictions[i * report->n_counts], *best = NULL;
  for (int k = 0; k < report->n_counts && of_batch[k].ranks < report->ranks; k++)
    if (!best || of_batch[k].step_s < best->step_s) best = &of_batch[k];
  return best;
}

/** Say for each batch size if fewer ranks are faster, unless rounds were disturbed.  With `tree`, the steps keep leaves
 * apart and the shards of the predictions do not, so fewer ranks would seem to be faster than they are. */
static void hint_fewer_ranks(const tutti_config *config, const tutti_bench_report *report) {
  char text[400];
  if (report->disturbed || config->parallel.reduce == TUTTI_REDUCE_TREE) return;
  for (int i = 0; i < report->n_steps; i++) {
    const tutti_bench_prediction *best = best_of_fewer(report, i);
    const tutti_machine_step step = {
        .ranks = report->ranks, .batch_size = report->steps[i].batch_size, .step_s = report->steps[i].step_s};
    if (best && tutti_machine_is_slower(&step, best->step_s))
      tutti_log_root(
          TUTTI_LOG_INFO, "%s",
          tutti_machine_fewer_ranks_text(&step, (int)best->ranks, best->step_s, text, sizeof text));
  }
}

/** Measure everything in the order in which the parts need each other. */
static tutti_status measure_all(const tutti_bench_setup *setup, tutti_bench_report *report) {
  report->n_train = tutti_train_probe_run(setup->probe)->samples.train.n;
  TUTTI_TRY(tutti_comm_agree(setup->comm, choose_batches(setup, report)));
  TUTTI_TRY(count_cores(setup, &report->cores));
  TUTTI_TRY(check_ranks_per_node(report));
  TUTTI_TRY(tutti_bench_measure_peak(setup, &report->peak_one, &report->peak_all));
  TUTTI_TRY(tutti_bench_measure_memory(setup, report->memories, &report->n_memories));
  TUTTI_TRY(measure_steps(setup, report));
  TUTTI_TRY(measure_shards(setup, report));
  tutti_log_root(TUTTI_LOG_INFO, "reductions of %lld numbers", (long long)report->n_params);
  TUTTI_TRY(tutti_bench_measure_reducers(setup, report->n_params, report->reducers, &report->n_reducers));
  TUTTI_TRY(tutti_bench_measure_network(setup, report->n_params, &report->network));
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
  TUTTI_TRY(predict(setup, &costs, report));
  hint_fewer_ranks(setup->config, report);
  return TUTTI_OK;
}

/** Measure everything between two looks at the round trip between cores, on which the reductions depend. */
static tutti_status measure(const tutti_bench_setup *setup, tutti_bench_report *report) {
  tutti_round_trip before, after;
  char text[400];
  TUTTI_TRY(tutti_round_trip_measure(setup->comm, &before));
  TUTTI_TRY(measure_all(setup, report));
  TUTTI_TRY(tutti_round_trip_measure(setup->comm, &after));
  report->round_trip_before_s = before.slowest_s > 0 ? before.slowest_s : NAN;
  report->round_trip_after_s = after.slowest_s > 0 ? after.slowest_s : NAN;
  report->round_trip = tutti_round_trip_names[tutti_round_trip_judge(&before, &after)];
  if (tutti_round_trip_warning(&before, &after, text, sizeof text))
    tutti_log_root(TUTTI_LOG_WARNING, "%s", text);
  return TUTTI_OK;
}

tutti_status tutti_bench(const tutti_comm *comm, const tutti_config *config,
                         const tutti_bench_options *options, tutti_bench_report *report) {
  tutti_comm *alone = NULL, *node = NULL;
  tutti_probe *probe = NULL;
  tutti_status status = TUTTI_OK;
  double largest[2] = {tutti_comm_node_size(comm), 1};
  assert_options(options);
  *report = (tutti_bench_report){.ranks = tutti_comm_size(comm), .nodes = tutti_comm_n_nodes(comm)};
  TUTTI_TRY_GOTO(done, tutti_train_probe_create(comm, config, &probe));
  largest[1] = tutti_linalg_threads();
  TUTTI_TRY_GOTO(done, tutti_comm_max(comm, largest, 2));
  report->node_ranks = (int)largest[0];
  report->threads = (int)largest[1];
  report->ranks_per_node = options->ranks_per_node > 0 ? options->ranks_per_node : report->node_ranks;
  TUTTI_TRY_GOTO(done, tutti_comm_split(comm, tutti_comm_rank(comm), &alone));
  TUTTI_TRY_GOTO(done, tutti_comm_split(comm, tutti_comm_node(comm), &node));
  const tutti_bench_setup setup = {
      .comm = comm, .alone = alone, .node = node, .config = config, .probe = probe, .options = options};
  TUTTI_TRY_GOTO(done, measure(&setup, report));
done:
  tutti_train_probe_destroy(&probe);
  tutti_comm_destroy(&alone);
  tutti_comm_destroy(&node);
  if (status != TUTTI_OK) tutti_bench_clear(report);
  return status;
}

void tutti_bench_clear(tutti_bench_report *report) {
  tutti_free(report->steps);
  tutti_free(report->shards);
  tutti_free(report->fastest);
  tutti_free(report->layouts);
  tutti_free(report->predictions);
  *report = (tutti_bench_report){0};
}
