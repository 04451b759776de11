#include "bench/network.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "bench/model.h"
#include "bench/repeat.h"

/** Of a fast network today, where nothing is given and there is no other rank to measure with. */
static const double ASSUMED_LATENCY_S = 1.5e-6, ASSUMED_BANDWIDTH = 12.5e9;

// --- reducers

/** One kind of reducer, for tutti_repeat_run.  The clock of a round also sees the gradients being written, so
 * the reduction has a clock of its own. */
typedef struct {
  const tutti_comm *comm;
  tutti_reducer *reducer;
  int64_t n;
  double (*tail)[TUTTI_N_TAIL]; // [max(1, own leaves)]
  double in_reduction;          // seconds of the last run
  double *seconds;              // [rounds] receives those of one reduction
  double *unused;               // [rounds]
} reduce_work;

/** The gradients that backward would leave. */
static double write_leaves(const reduce_work *work) {
  int first = 0, count = 0;
  double seconds = 0;
  tutti_reducer_own_leaves(work->reducer, &first, &count);
  for (int leaf = first; leaf < first + count; leaf++) {
    float *gradient = tutti_reducer_leaf(work->reducer, leaf);
    for (int64_t i = 0; i < work->n; i++) gradient[i] = 1;
    const double start = tutti_clock_s();
    tutti_reducer_leaf_done(work->reducer, leaf, 0, work->n);
    seconds += tutti_clock_s() - start;
  }
  return seconds;
}

/** Ask for the sums of the slice, as the update does. */
static void read_slice(const reduce_work *work) {
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(work->reducer, &begin, &end);
  for (int64_t at = begin; at < end; at += TUTTI_BLOCK)
    tutti_reducer_gradient(work->reducer, at, end - at < TUTTI_BLOCK ? end - at : TUTTI_BLOCK);
}

static tutti_status run_reductions(void *context, int64_t n) {
  reduce_work *work = context;
  work->in_reduction = 0;
  for (int64_t i = 0; i < n; i++) {
    work->in_reduction += write_leaves(work);
    TUTTI_TRY(tutti_barrier(work->comm));
    const double start = tutti_clock_s();
    TUTTI_TRY(tutti_reducer_reduce(work->reducer, work->tail));
    read_slice(work);
    TUTTI_TRY(tutti_reducer_publish(work->reducer));
    work->in_reduction += tutti_clock_s() - start;
  }
  return TUTTI_OK;
}

static tutti_status note_reductions(void *context, int64_t n, int round, double share) {
  reduce_work *work = context;
  if (round >= 0) work->seconds[round] += share * work->in_reduction / (double)n;
  return TUTTI_OK;
}

static tutti_status make_reduction(reduce_work *work, int rounds) {
  int first = 0, count = 0;
  tutti_reducer_own_leaves(work->reducer, &first, &count);
  TUTTI_TRY(TUTTI_NEW(work->tail, count > 1 ? count : 1));
  TUTTI_TRY(TUTTI_NEW(work->seconds, rounds));
  return TUTTI_NEW(work->unused, rounds);
}

/** Collective.  Seconds of a reduction among the ranks of `comm`, of the slowest rank in all; the parts of
 * the ranks work at the same time. */
static tutti_status measure_reducer(const tutti_bench_setup *setup, const tutti_comm *comm,
                                    tutti_reduce_kind kind, int64_t n_params, double *median_s, double *min_s,
                                    const char **name) {
  reduce_work work = {.comm = comm, .n = n_params};
  tutti_status status = tutti_reducer_create(comm, kind, n_params, setup->n_leaves, &work.reducer);
  if (status == TUTTI_OK) status = make_reduction(&work, setup->rounds);
  TUTTI_TRY_GOTO(done, tutti_agree(setup->comm, status));
  tutti_repeat repeat = {.run = run_reductions,
                         .note = note_reductions,
                         .context = &work,
                         .at_once = 1 << 20,
                         .seconds = work.unused};
  TUTTI_TRY_GOTO(done, tutti_repeat_run(setup->comm, setup->round_s, setup->rounds, &repeat, 1));
  TUTTI_TRY_GOTO(done, tutti_max(setup->comm, work.seconds, setup->rounds));
  *median_s = work.seconds[tutti_repeat_median(work.seconds, setup->rounds)];
  *min_s = work.seconds[tutti_repeat_least(work.seconds, setup->rounds)];
  *name = tutti_reducer_name(work.reducer);
done:
  tutti_free(work.tail);
  tutti_free(work.seconds);
  tutti_free(work.unused);
  tutti_reducer_destroy(&work.reducer);
  return status;
}

tutti_status tutti_bench_measure_reducers(const tutti_bench_setup *setup, int64_t n_params,
                                          tutti_bench_reducer *reducers, int *n) {
  static const tutti_reduce_kind kinds[] = {TUTTI_REDUCE_FLAT, TUTTI_REDUCE_SHARED, TUTTI_REDUCE_TREE};
  *n = 0;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++, ++*n)
    TUTTI_TRY(measure_reducer(setup, setup->comm, kinds[i], n_params, &reducers[i].reduce_s,
                              &reducers[i].reduce_min_s, &reducers[i].name));
  return TUTTI_OK;
}

// --- the network: of properties of the machine the fastest round tells most

/** Sums over two ranks: an exchange of messages, which is a step of any allreduce. */
typedef struct {
  const tutti_comm *pair; // NULL: this rank looks on
  double *values;
  int64_t n;
} exchange_work;

static tutti_status run_exchanges(void *context, int64_t n) {
  const exchange_work *work = context;
  for (int64_t i = 0; work->pair && i < n; i++) TUTTI_TRY(tutti_sum(work->pair, work->values, work->n));
  return TUTTI_OK;
}

/** Sizes up to that of the gradient or, where that is small, some 2 MB. */
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
  double *seconds = NULL;
  tutti_status status = TUTTI_NEW(work.values, (int64_t)network->bytes[network->n_messages - 1] / 8);
  if (status == TUTTI_OK) status = TUTTI_NEW(seconds, setup->rounds);
  TUTTI_TRY_GOTO(done, tutti_agree(setup->comm, status));
  for (int i = 0; i < network->n_messages; i++) {
    work.n = (int64_t)network->bytes[i] / 8;
    tutti_repeat repeat = {.run = run_exchanges, .context = &work, .at_once = 1 << 20, .seconds = seconds};
    TUTTI_TRY_GOTO(done, tutti_repeat_run(setup->comm, setup->round_s, setup->rounds, &repeat, 1));
    TUTTI_TRY_GOTO(done, tutti_max(setup->comm, seconds, setup->rounds));
    network->seconds[i] = seconds[tutti_repeat_least(seconds, setup->rounds)];
  }
done:
  tutti_free(work.values);
  tutti_free(seconds);
  return status;
}

/** Rank 0 and the first rank of node 1, or rank 1 where there is one node. */
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

/** Seconds a byte to add one array to another, where no ranks share the work that could be measured. */
static tutti_status measure_adding(const tutti_bench_setup *setup, int64_t n_params, double *byte_s) {
  float *a = NULL, *b = NULL;
  tutti_status status = TUTTI_NEW(a, n_params);
  if (status == TUTTI_OK) status = TUTTI_NEW(b, n_params);
  TUTTI_TRY_GOTO(done, tutti_agree(setup->comm, status));
  double least = INFINITY;
  for (int round = 0; round < setup->rounds; round++) {
    const double start = tutti_clock_s();
    for (int64_t i = 0; i < n_params; i++) a[i] += b[i] + (float)round;
    const double seconds = tutti_clock_s() - start;
    if (seconds < least) least = seconds;
  }
  // The sum is a number that depends on each round: no compiler may leave them out.
  volatile float kept = a[n_params - 1];
  (void)kept;
  *byte_s = least / ((double)n_params * sizeof(float));
  TUTTI_TRY_GOTO(done, tutti_max(setup->comm, byte_s, 1));
done:
  tutti_free(a);
  tutti_free(b);
  return status;
}

/** A reduction of next to nothing is what the ranks of a node need to meet; what the gradient takes beyond
 * that is in proportion to its bytes. */
static tutti_status measure_node(const tutti_bench_setup *setup, int64_t n_params,
                                 tutti_bench_network *network) {
  double largest = tutti_comm_node_size(setup->comm), empty_s = 0, full_s = 0, median_s = 0;
  const char *name = NULL;
  TUTTI_TRY(tutti_max(setup->comm, &largest, 1));
  if (largest == 1) {
    network->barrier_s = network->link.latency_s;
    network->barrier_from = TUTTI_BENCH_ASSUMED;
    return measure_adding(setup, n_params, &network->node_byte_s);
  }
  TUTTI_TRY(measure_reducer(setup, setup->node, TUTTI_REDUCE_AUTO, 1, &median_s, &empty_s, &name));
  TUTTI_TRY(measure_reducer(setup, setup->node, TUTTI_REDUCE_AUTO, n_params, &median_s, &full_s, &name));
  network->barrier_s = empty_s / log2(largest);
  network->barrier_from = TUTTI_BENCH_WITHIN_NODE;
  network->node_byte_s = full_s > empty_s ? (full_s - empty_s) / ((double)n_params * sizeof(float)) : 0;
  return TUTTI_OK;
}

tutti_status tutti_bench_measure_network(const tutti_bench_setup *setup, const tutti_bench_options *options,
                                         int64_t n_params, tutti_bench_network *network) {
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
