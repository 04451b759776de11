#pragma once
/** The formulas of the prediction.  Local, pure. */
#include "tutti/bench.h"

/** Seconds of an allreduce of `bytes` among `nodes` nodes, as in Thakur, Rabenseifner and Gropp,
 * "Optimization of collective communication operations in MPICH", Int. J. High Perform. Comput. Appl. 19(1),
 * 2005, with the time to add numbers up as a part of the time to send them; 0 for one node. */
double tutti_bench_allreduce_s(tutti_bench_allreduce algorithm, tutti_bench_link link, int64_t nodes,
                               double bytes);

/** The algorithm that takes the least time. */
tutti_bench_allreduce tutti_bench_allreduce_best(tutti_bench_link link, int64_t nodes, double bytes);

/** The link that comes nearest to the measured seconds[n] of messages of bytes[n], by the sum of squared
 * relative differences; neither of its numbers is negative.
 * @return the root of the mean squared relative difference */
double tutti_bench_fit(const double *bytes, const double *seconds, int n, tutti_bench_link *link);

/** What a prediction is made of. */
typedef struct {
  const tutti_bench_shard
      *shards;  // [n_shards], at least one, in ascending order of rows; between two it goes straight,
  int n_shards; // beyond the last in proportion to the rows
  double bytes; // of the gradient
  double barrier_s, node_byte_s; // as in tutti_bench_network
  tutti_bench_link network;
  int ranks_per_node;
} tutti_bench_costs;

/** A step of `batch_size` samples on `ranks` ranks.  A node's ranks sum in their shared memory, then the
 * nodes sum by the best allreduce, each rank updates its slice. */
tutti_bench_prediction tutti_bench_predict(const tutti_bench_costs *costs, int64_t batch_size, int64_t ranks);

/** How many times as fast as now_s a step of best_s is: at most what the cores that were idle can add, where
 * `used` of `cores` had a thread.
 * @return 0 where best_s is the shorter one though no core was idle: a reason, but none for a number */
double tutti_bench_gain(double now_s, double best_s, int cores, int used);

/** Which of predictions[n], of one batch size and in ascending order of ranks, is the largest with an
 * efficiency of at least 1/2; and with a step of at most nine tenths of the shortest before it. */
int tutti_bench_most_efficient(const tutti_bench_prediction *predictions, int n);
int tutti_bench_most_useful(const tutti_bench_prediction *predictions, int n);
