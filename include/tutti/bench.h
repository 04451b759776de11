#pragma once
/** What a training step costs here, part by part, and what it would cost on other numbers of ranks. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/config.h"
#include "tutti/par.h"

/** A number stands for "as measured" or "as this run is" where it is 0. */
typedef struct {
  const int64_t *
      batch_sizes; // [n_batch_sizes] borrowed; none: all of the config's training, then 16, 64, 128, 1024, 8192
  int n_batch_sizes;
  double latency_s, bandwidth; // of the network between nodes; seconds, bytes a second
  // Of the prediction.  Ranks with one thread may be more than the cores here, each is then assumed to have one.
  int ranks_per_node;
  double round_s; // a round takes about so long, or one step
  int rounds;     // of which the median counts
} tutti_bench_options;

#define TUTTI_BENCH_OPTIONS_DEFAULT                                                                          \
  { .round_s = 0.05, .rounds = 7 }

/** A step of one batch size, in seconds.  `step_s` is the median of the rounds' mean steps and its parts are
 * those of that round: they add up.  Parts are means over the ranks.  A rank inside the reduction either
 * works or waits for a slower one: in each step the least that any rank spends there is reduce_s, what the
 * others spend beyond it is wait_s. */
typedef struct {
  int64_t batch_size;
  int64_t rows;      // of the largest shard
  double step_s;     // from outside: the clock around the steps of a round
  double step_min_s; // of the shortest round
  double data_s;     // order of the samples, gathering and scaling them
  double
      products_s; // matrix products of this shape alone, by the same functions, in rounds between the steps'
  double other_s; // forward and backward beyond them
  double wait_s, reduce_s; // reduction of the gradient, and of the parameters that other ranks have updated
  double update_s;         // of the rank's slice of the parameters
  double blas_s;           // the same products alone, as the BLAS does them
  double products_min_s, blas_min_s;
  double flops;     // of the products of all ranks, and of nothing else
  int slowest_rank; // the one that the others waited for
} tutti_bench_step;

/** A rank alone, on `rows` samples a step; of the slowest rank, while all do the same. */
typedef struct {
  int64_t rows;
  double step_s;   // without any reduction
  double update_s; // part of it: the update of all parameters
} tutti_bench_shard;

/** Reduction of the gradient as a step does it, alone. */
typedef struct {
  const char *name; // "flat" is one MPI_Allreduce; borrowed for good
  double reduce_s, reduce_min_s;
} tutti_bench_reducer;

enum { TUTTI_BENCH_MAX_REDUCERS = 4 };

/** A network as the model of Hockney has it: a message of n bytes takes latency_s + n * byte_s. */
typedef struct {
  double latency_s;
  double byte_s; // 1 / bandwidth
} tutti_bench_link;

/** X(code, name): where a number comes from. */
#define TUTTI_BENCH_SOURCE_LIST(X)                                                                           \
  X(GIVEN, "given")                                                                                          \
  X(BETWEEN_NODES, "measured_between_nodes")                                                                 \
  X(WITHIN_NODE, "measured_within_node")                                                                     \
  X(ASSUMED, "assumed")

typedef enum {
#define X(code, name) TUTTI_BENCH_##code,
  TUTTI_BENCH_SOURCE_LIST(X)
#undef X
      TUTTI_BENCH_N_SOURCES
} tutti_bench_source;

enum { TUTTI_BENCH_MAX_MESSAGES = 9 };

typedef struct {
  tutti_bench_link link;
  tutti_bench_source latency_from, bandwidth_from;
  // Sums over two ranks, and the link that comes nearest to them; n_messages is 0 where there is one rank.
  int n_messages;
  double bytes[TUTTI_BENCH_MAX_MESSAGES], seconds[TUTTI_BENCH_MAX_MESSAGES];
  tutti_bench_link fit;
  double residual; // root of the mean squared relative difference
  // The reduction among the ranks of a node.
  double barrier_s;   // each time their number doubles
  double node_byte_s; // each byte of the gradient
  tutti_bench_source barrier_from;
} tutti_bench_network;

/** X(code, name): how the sum of equal messages of all nodes gets to all of them. */
#define TUTTI_BENCH_ALLREDUCE_LIST(X)                                                                        \
  X(RECURSIVE_DOUBLING, "recursive_doubling")                                                                \
  X(RABENSEIFNER, "rabenseifner")                                                                            \
  X(RING, "ring")

typedef enum {
#define X(code, name) TUTTI_BENCH_##code,
  TUTTI_BENCH_ALLREDUCE_LIST(X)
#undef X
      TUTTI_BENCH_N_ALLREDUCES
} tutti_bench_allreduce;

typedef struct {
  int64_t batch_size, ranks, nodes;
  int64_t rows;     // of the largest shard
  double work_s;    // data, products and other compute of that shard
  double update_s;  // of a slice: the ranks of a node share the parameters
  double node_s;    // reduction among the ranks of a node
  double network_s; // and among nodes, by `algorithm`
  tutti_bench_allreduce algorithm;
  double step_s;     // the sum of the four
  double efficiency; // time of one rank / (ranks * step_s)
  double measured_s; // the step of this run, where it has as many ranks; else NAN
} tutti_bench_prediction;

/** So many ranks on each of this run's nodes, each with so many threads, at batch size layout_batch. */
typedef struct {
  int ranks, threads;
  double step_s; // of the shortest round, or predicted from the ranks' shortest rounds alone
  bool measured; // else predicted
} tutti_bench_layout;

/** All arrays are owned. */
typedef struct {
  int ranks, nodes;        // of this run
  int node_ranks, threads; // the most on a node; the most of a rank
  int cores;               // that the ranks of a node may run on, as far as a CPU quota leaves them
  int ranks_per_node;      // of the prediction
  int64_t n_train, n_params;
  const char *reducer;       // of the steps; borrowed for good
  double peak_one, peak_all; // operations a second of one core, and of all ranks with their threads at once
  tutti_bench_step *steps;   // [n_steps]
  tutti_bench_shard *shards, *fastest; // [n_shards] of the ranks' median and of their shortest rounds
  tutti_bench_reducer reducers[TUTTI_BENCH_MAX_REDUCERS];
  tutti_bench_network network;
  tutti_bench_layout *layouts; // [n_layouts]
  int64_t layout_batch;
  int best_layout;
  bool disturbed;   // rounds differ so much that something else was at work on the machine
  double best_gain; // times as fast as this run; 0: no claim
  tutti_bench_prediction
      *predictions; // [n_steps, n_counts]: for each batch size, in ascending order of ranks
  // [n_steps] which of a batch size's predictions is the largest with an efficiency of at least 1/2, and
  // which is the largest that still takes at most nine tenths of the shortest step before it.
  int *efficient, *useful;
  int n_steps, n_shards, n_reducers, n_layouts, n_counts;
} tutti_bench_report;

extern const char *const tutti_bench_source_names[TUTTI_BENCH_N_SOURCES];
extern const char *const tutti_bench_allreduce_names[TUTTI_BENCH_N_ALLREDUCES];

/** Collective, arguments equal on all ranks.  Measure on the config's data and network; nothing is written.
 * @return ERR_USAGE an option out of its range, or more ranks_per_node, with several threads, than a node of this
 * run has cores for; what tutti_train returns; the report is then empty.  Else it is the same on all ranks, and
 * the caller's: tutti_bench_clear. */
TUTTI_NODISCARD
tutti_status tutti_bench(const tutti_comm *comm, const tutti_config *config,
                         const tutti_bench_options *options, tutti_bench_report *report);
void tutti_bench_clear(tutti_bench_report *report); // Local.
