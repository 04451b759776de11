#pragma once
/** The formulas of the prediction, and lists of numbers to predict for.  Local, pure. */
#include "tutti/bench.h"

// --- the prediction (model.c) --------------------------------------------------------------------

/** The seconds of an allreduce of `bytes` among `nodes` nodes; 0 for one node.  The formulas are those of Thakur,
 * Rabenseifner and Gropp, "Optimization of collective communication operations in MPICH", Int. J. High Perform. Comput.
 * Appl. 19(1), 2005; the time to add numbers is taken as a part of the time to send them. */
double tutti_bench_allreduce_s(tutti_bench_allreduce algorithm, tutti_bench_link link, int64_t nodes,
                               double bytes);

/** The algorithm that takes the least time. */
tutti_bench_allreduce tutti_bench_allreduce_best(tutti_bench_link link, int64_t nodes, double bytes);

/** Fit a link to the measured seconds[n] of messages of bytes[n], by least squares of the relative differences.
 * Latency and seconds per byte are at least 0.
 * @return the root of the mean squared relative difference */
double tutti_bench_fit(const double *bytes, const double *seconds, int n, tutti_bench_link *link);

/** The measurements that a prediction is made of. */
typedef struct {
  const tutti_bench_shard
      *shards;  // [n_shards], n_shards >= 1, in ascending order of rows; linear in between, and
  int n_shards; // beyond the last one proportional to the rows
  double bytes; // of the gradient
  double barrier_s, node_byte_s; // as in tutti_bench_network
  tutti_bench_link network;
  int ranks_per_node;
} tutti_bench_costs;

/** Predict a step of `batch_size` samples on `ranks` ranks.  The ranks of a node sum in shared memory, then the nodes
 * sum by the best allreduce, and each rank updates its slice. */
tutti_bench_prediction tutti_bench_predict(const tutti_bench_costs *costs, int64_t batch_size, int64_t ranks);

/** The factor by which a step of best_s is faster than one of now_s.  It is at most what idle cores can add, if `used`
 * of `cores` had a thread.
 * @return 0 if best_s is shorter although no core was idle: then there is no reason for such a factor */
double tutti_bench_gain(double now_s, double best_s, int cores, int used);

/** The index in predictions[n], of one batch size and in ascending order of ranks, of the last one with an efficiency
 * of at least 1/2; of the last one whose step takes at most nine tenths of the shortest step before it. */
int tutti_bench_most_efficient(const tutti_bench_prediction *predictions, int n);
int tutti_bench_most_useful(const tutti_bench_prediction *predictions, int n);

// --- numbers to try (counts.c) -------------------------------------------------------------------

enum { TUTTI_BENCH_MAX_COUNTS = 48 };

/** Numbers of ranks, threads or samples: ascending, each once. */
typedef struct {
  int64_t values[TUTTI_BENCH_MAX_COUNTS];
  int n;
} tutti_bench_counts;

/** Insert a number, unless the list has it or is full. */
void tutti_bench_counts_add(tutti_bench_counts *counts, int64_t value);

/** 1, 2, 4, ... up to `most`. */
tutti_bench_counts tutti_bench_counts_powers(int64_t most);
