/** The prediction of a step on another number of ranks, from measured parts.
 *
 * A step takes the work of the largest shard, the update of a slice, the reduction within a node and the allreduce
 * between nodes.  Each part is measured alone or follows from a measured link.  Called by bench.c and layouts.c; pure
 * functions. */
#include "bench/model_impl.h"

#include <math.h>

const char *const tutti_bench_allreduce_names[TUTTI_BENCH_N_ALLREDUCES] = {
#define X(code, name) name,
    TUTTI_BENCH_ALLREDUCE_LIST(X)
#undef X
};

const char *const tutti_bench_source_names[TUTTI_BENCH_N_SOURCES] = {
#define X(code, name) name,
    TUTTI_BENCH_SOURCE_LIST(X)
#undef X
};

/** The largest power of two that is at most n, and its logarithm. */
static int64_t power_below(int64_t n, int *log2_of_it) {
  int64_t power = 1;
  *log2_of_it = 0;
  while (power <= n / 2) {
    power *= 2;
    ++*log2_of_it;
  }
  return power;
}

double tutti_bench_allreduce_s(tutti_bench_allreduce algorithm, tutti_bench_link link, int64_t nodes,
                               double bytes) {
  if (nodes <= 1) return 0;
  int steps = 0;
  const int64_t power = power_below(nodes, &steps);
  const double whole = link.latency_s + bytes * link.byte_s; // one message with all of it
  if (algorithm == TUTTI_BENCH_RING)
    return 2 * (double)(nodes - 1) * (link.latency_s + bytes / (double)nodes * link.byte_s);
  // Nodes beyond a power of two give their data to a neighbour first, and get the sum from it at the end.
  const double fold = nodes > power ? 2 * whole : 0;
  if (algorithm == TUTTI_BENCH_RECURSIVE_DOUBLING) return fold + steps * whole;
  // A reduce-scatter by halves, then an allgather by doubling.
  const double part = (double)(power - 1) / (double)power;
  return fold + 2 * (steps * link.latency_s + part * bytes * link.byte_s);
}

tutti_bench_allreduce tutti_bench_allreduce_best(tutti_bench_link link, int64_t nodes, double bytes) {
  tutti_bench_allreduce best = 0;
  for (int i = 1; i < TUTTI_BENCH_N_ALLREDUCES; i++)
    if (tutti_bench_allreduce_s((tutti_bench_allreduce)i, link, nodes, bytes) <
        tutti_bench_allreduce_s(best, link, nodes, bytes))
      best = (tutti_bench_allreduce)i;
  return best;
}

/** Mean square of the relative differences. */
static double error_of(const double *bytes, const double *seconds, int n, tutti_bench_link link) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    const double difference = (link.latency_s + bytes[i] * link.byte_s) / seconds[i] - 1;
    sum += difference * difference / n;
  }
  return sum;
}

/** Least squares of latency * u + byte_s * v ~ 1 with u = 1 / seconds and v = bytes / seconds, by the normal equations.
 *  If a number of the free minimum is negative, the best fit without negative numbers is on the edge: one of the two is
 * 0. */
double tutti_bench_fit(const double *bytes, const double *seconds, int n, tutti_bench_link *link) {
  double uu = 0, uv = 0, vv = 0, u1 = 0, v1 = 0;
  for (int i = 0; i < n; i++) {
    const double u = 1 / seconds[i], v = bytes[i] / seconds[i];
    uu += u * u;
    uv += u * v;
    vv += v * v;
    u1 += u;
    v1 += v;
  }
  const double determinant = uu * vv - uv * uv;
  const tutti_bench_link both = {(u1 * vv - v1 * uv) / determinant, (uu * v1 - uv * u1) / determinant};
  const tutti_bench_link latency = {.latency_s = u1 / uu}, bandwidth = {.byte_s = vv > 0 ? v1 / vv : 0};
  *link = error_of(bytes, seconds, n, bandwidth) < error_of(bytes, seconds, n, latency) ? bandwidth : latency;
  if (determinant > 1e-12 * uu * vv && both.latency_s >= 0 && both.byte_s >= 0) *link = both;
  return sqrt(error_of(bytes, seconds, n, *link));
}

/** The cost of a shard of `rows` samples, interpolated.  Only the work depends on the rows, the update does not. */
static tutti_bench_shard shard_at(const tutti_bench_shard *shards, int n, int64_t rows) {
  const tutti_bench_shard *last = &shards[n - 1];
  if (rows <= shards[0].rows) return shards[0];
  if (rows >= last->rows) {
    const double work_s = (last->step_s - last->update_s) * (double)rows / (double)last->rows;
    return (tutti_bench_shard){rows, work_s + last->update_s, last->update_s};
  }
  int i = 1;
  while (shards[i].rows < rows) i++;
  const tutti_bench_shard *a = &shards[i - 1], *b = &shards[i];
  const double t = (double)(rows - a->rows) / (double)(b->rows - a->rows);
  return (tutti_bench_shard){rows, a->step_s + t * (b->step_s - a->step_s),
                             a->update_s + t * (b->update_s - a->update_s)};
}

static int64_t ceiling(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

tutti_bench_prediction tutti_bench_predict(const tutti_bench_costs *costs, int64_t batch_size,
                                           int64_t ranks) {
  const int64_t on_node = ranks < costs->ranks_per_node ? ranks : costs->ranks_per_node;
  tutti_bench_prediction p = {.batch_size = batch_size,
                              .ranks = ranks,
                              .nodes = ceiling(ranks, costs->ranks_per_node),
                              .rows = ceiling(batch_size, ranks),
                              .measured_s = NAN};
  const tutti_bench_shard shard = shard_at(costs->shards, costs->n_shards, p.rows),
                          whole = shard_at(costs->shards, costs->n_shards, batch_size);
  p.work_s = shard.step_s - shard.update_s;
  p.update_s = shard.update_s / (double)on_node;
  if (on_node > 1) p.node_s = log2((double)on_node) * costs->barrier_s + costs->bytes * costs->node_byte_s;
  p.algorithm = tutti_bench_allreduce_best(costs->network, p.nodes, costs->bytes);
  p.network_s = tutti_bench_allreduce_s(p.algorithm, costs->network, p.nodes, costs->bytes);
  p.step_s = p.work_s + p.update_s + p.node_s + p.network_s;
  p.efficiency = whole.step_s / ((double)ranks * p.step_s);
  return p;
}

double tutti_bench_gain(double now_s, double best_s, int cores, int used) {
  const double ratio = now_s / best_s, most = (double)cores / used;
  if (ratio <= 1) return ratio;
  if (most <= 1) return 0;
  return ratio < most ? ratio : most;
}

int tutti_bench_most_efficient(const tutti_bench_prediction *predictions, int n) {
  int efficient = 0;
  for (int i = 1; i < n; i++)
    if (predictions[i].efficiency >= 0.5) efficient = i;
  return efficient;
}

int tutti_bench_most_useful(const tutti_bench_prediction *predictions, int n) {
  int useful = 0;
  double shortest = predictions[0].step_s;
  for (int i = 1; i < n; i++) {
    if (predictions[i].step_s <= 0.9 * shortest) useful = i;
    if (predictions[i].step_s < shortest) shortest = predictions[i].step_s;
  }
  return useful;
}
