/** Reductions alone, and the numbers of the network that a prediction needs.
 *
 * The time of a message of n bytes is latency + n / bandwidth (Hockney), fitted to sums over two ranks.  The time of a
 * reduction within a node is a constant for each doubling of its ranks, plus a time for each byte.  Called by
 * bench.c. */
#include <math.h>

#include "base/clock.h"
#include "bench/measure_impl.h"
#include "bench/model_impl.h"
#include "bench/reduction_impl.h"
#include "bench/repeat_impl.h"

/** A fast network of today; used if nothing is given and there is no other rank to measure with. */
static const double ASSUMED_LATENCY_S = 1.5e-6, ASSUMED_BANDWIDTH = 12.5e9;

// --- reducers

/** Time one work alone; the slowest of all ranks counts.  Collective over all ranks.
 * @param[out] median_s, least_s  seconds of one time, in the median round and in the shortest one */
static tutti_status time_alone(const tutti_bench_setup *setup, tutti_bench_repeat work, double *median_s,
                               double *least_s) {
  const int rounds = setup->options->rounds;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, TUTTI_NEW(work.seconds, rounds)));
  work.at_once = INT64_MAX;
  TUTTI_TRY_GOTO(done, tutti_bench_repeat_run(setup->comm, setup->options->round_s, rounds, &work, 1));
  TUTTI_TRY_GOTO(done, tutti_comm_max(setup->comm, work.seconds, rounds));
  *median_s = work.seconds[tutti_bench_repeat_median(work.seconds, rounds)];
  *least_s = work.seconds[tutti_bench_repeat_least(work.seconds, rounds)];
done:
  tutti_free(work.seconds);
  return status;
}

/** Time a reduction among the ranks of `comm`.  Collective over all ranks, each with its part; the parts work at the
 * same time. */
static tutti_status measure_reducer(const tutti_bench_setup *setup, const tutti_comm *comm,
                                    tutti_reduce_kind kind, int64_t n_params, tutti_bench_reducer *reducer) {
  tutti_bench_reduction reduction;
  tutti_status status =
      tutti_bench_reduction_create(comm, kind, n_params, (int)setup->config->parallel.leaves, &reduction);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, status));
  const tutti_bench_repeat work = {
      .run = tutti_bench_reduction_run, .context = &reduction, .aside = &reduction.aside};
  reducer->name = tutti_reducer_name(reduction.reducer);
  TUTTI_TRY_GOTO(done, time_alone(setup, work, &reducer->reduce_s, &reducer->reduce_min_s));
done:
  tutti_bench_reduction_destroy(&reduction);
  return status;
}

tutti_status tutti_bench_measure_reducers(const tutti_bench_setup *setup, int64_t n_params,
                                          tutti_bench_reducer *reducers, int *n) {
  static const tutti_reduce_kind kinds[] = {TUTTI_REDUCE_FLAT, TUTTI_REDUCE_SHARED, TUTTI_REDUCE_PIPELINED,
                                            TUTTI_REDUCE_TREE};
  _Static_assert(sizeof kinds / sizeof *kinds <= TUTTI_BENCH_MAX_REDUCERS, "a place for each");
  *n = 0;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    // On a single node it is `shared`.
    if (kinds[i] == TUTTI_REDUCE_PIPELINED && tutti_comm_n_nodes(setup->comm) == 1) continue;
    TUTTI_TRY(measure_reducer(setup, setup->comm, kinds[i], n_params, &reducers[*n]));
    ++*n;
  }
  return TUTTI_OK;
}

// --- the network: the shortest round counts, since noise only adds time

/** Sums over two ranks.  They exchange messages, as each step of any allreduce does. */
typedef struct {
  const tutti_comm *pair; // NULL: this rank only waits
  double *values;
  int64_t n;
} exchange_work;

static tutti_status run_exchanges(void *context, int64_t n) {
  const exchange_work *work = context;
  for (int64_t i = 0; work->pair && i < n; i++) TUTTI_TRY(tutti_comm_sum(work->pair, work->values, work->n));
  return TUTTI_OK;
}

/** Choose sizes from 8 bytes up to that of the gradient, but at least up to 2 MB. */
static void choose_sizes(int64_t n_params, tutti_bench_network *network) {
  const double least = 8, gradient = (double)n_params * sizeof(float),
               most = gradient > 0x1p21 ? gradient : 0x1p21;
  const int n = TUTTI_BENCH_MAX_MESSAGES;
  network->n_messages = n;
  for (int i = 0; i < n; i++) {
    const double bytes = least * pow(most / least, (double)i / (n - 1));
    network->bytes[i] = 8 * round(bytes / 8);
  }
}

static tutti_status measure_messages(const tutti_bench_setup *setup, const tutti_comm *pair,
                                     tutti_bench_network *network) {
  exchange_work work = {.pair = pair};
  double median_s;
  tutti_status status = TUTTI_NEW(work.values, (int64_t)network->bytes[network->n_messages - 1] / 8);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, status));
  for (int i = 0; i < network->n_messages; i++) {
    work.n = (int64_t)network->bytes[i] / 8;
    const tutti_bench_repeat exchange = {.run = run_exchanges, .context = &work};
    TUTTI_TRY_GOTO(done, time_alone(setup, exchange, &median_s, &network->seconds[i]));
  }
done:
  tutti_free(work.values);
  return status;
}

/** Measure between rank 0 and the first rank of node 1, or between ranks 0 and 1 if there is one node. */
static tutti_status measure_link(const tutti_bench_setup *setup, int64_t n_params,
                                 tutti_bench_network *network) {
  const tutti_comm *comm = setup->comm;
  const int rank = tutti_comm_rank(comm);
  const bool several = tutti_comm_n_nodes(comm) > 1;
  const bool second = several ? tutti_comm_node(comm) == 1 && tutti_comm_node_rank(comm) == 0 : rank == 1;
  const bool takes_part = rank == 0 || second;
  tutti_comm *pair = NULL;
  TUTTI_TRY(tutti_comm_split(comm, takes_part ? 0 : 1, &pair));
  choose_sizes(n_params, network);
  const tutti_status status = measure_messages(setup, takes_part ? pair : NULL, network);
  tutti_comm_destroy(&pair);
  if (status != TUTTI_OK) return status;
  network->residual = tutti_bench_fit(network->bytes, network->seconds, network->n_messages, &network->fit);
  return TUTTI_OK;
}

/** Measure the seconds per byte to add one array to another.  They stand for a reduction within a node if no node has
 * several ranks. */
static tutti_status measure_adding(const tutti_bench_setup *setup, int64_t n_params, double *byte_s) {
  float *a = NULL, *b = NULL;
  tutti_status status = TUTTI_NEW(a, n_params);
  if (status == TUTTI_OK) status = TUTTI_NEW(b, n_params);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, status));
  double least = INFINITY;
  for (int round = 0; round < setup->options->rounds; round++) {
    const double start = tutti_clock_s();
    for (int64_t i = 0; i < n_params; i++) a[i] += b[i] + (float)round;
    const double seconds = tutti_clock_s() - start;
    if (seconds < least) least = seconds;
  }
  // The sum depends on each round and is read, so that the compiler cannot leave a round out.
  volatile float kept = a[n_params - 1];
  (void)kept;
  *byte_s = least / ((double)n_params * sizeof(float));
  TUTTI_TRY_GOTO(done, tutti_comm_max(setup->comm, byte_s, 1));
done:
  tutti_free(a);
  tutti_free(b);
  return status;
}

/** Measure the reduction within a node.  That of one number is the time the ranks need to meet; the gradient takes
 * more, in proportion to its bytes. */
static tutti_status measure_node(const tutti_bench_setup *setup, int64_t n_params,
                                 tutti_bench_network *network) {
  double largest = tutti_comm_node_size(setup->comm);
  tutti_bench_reducer empty, full;
  TUTTI_TRY(tutti_comm_max(setup->comm, &largest, 1));
  if (largest == 1) {
    network->barrier_s = network->link.latency_s;
    network->barrier_from = TUTTI_BENCH_ASSUMED;
    return measure_adding(setup, n_params, &network->node_byte_s);
  }
  TUTTI_TRY(measure_reducer(setup, setup->node, TUTTI_REDUCE_AUTO, 1, &empty));
  TUTTI_TRY(measure_reducer(setup, setup->node, TUTTI_REDUCE_AUTO, n_params, &full));
  const double more_s = full.reduce_min_s - empty.reduce_min_s;
  network->barrier_s = empty.reduce_min_s / log2(largest);
  network->barrier_from = TUTTI_BENCH_WITHIN_NODE;
  network->node_byte_s = more_s > 0 ? more_s / ((double)n_params * sizeof(float)) : 0;
  return TUTTI_OK;
}

tutti_status tutti_bench_measure_network(const tutti_bench_setup *setup, int64_t n_params,
                                         tutti_bench_network *network) {
  const tutti_bench_options *options = setup->options;
  tutti_bench_source measured = TUTTI_BENCH_ASSUMED;
  *network = (tutti_bench_network){.fit = {ASSUMED_LATENCY_S, 1 / ASSUMED_BANDWIDTH}};
  if (tutti_comm_size(setup->comm) > 1) {
    TUTTI_TRY(measure_link(setup, n_params, network));
    measured = tutti_comm_n_nodes(setup->comm) > 1 ? TUTTI_BENCH_BETWEEN_NODES : TUTTI_BENCH_WITHIN_NODE;
  }
  const bool given_latency = options->latency_s > 0, given_bandwidth = options->bandwidth > 0;
  network->link.latency_s = given_latency ? options->latency_s : network->fit.latency_s;
  network->link.byte_s = given_bandwidth ? 1 / options->bandwidth : network->fit.byte_s;
  network->latency_from = given_latency ? TUTTI_BENCH_GIVEN : measured;
  network->bandwidth_from = given_bandwidth ? TUTTI_BENCH_GIVEN : measured;
  return measure_node(setup, n_params, network);
}
