#pragma once
/** The cost of a training step on this machine, part by part, and a prediction for other numbers of ranks. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/config.h"
#include "tutti/par.h"

/** Latency, bandwidth and ranks_per_node: 0 means the measured value, or the value of this run. */
typedef struct {
  // [n_batch_sizes] each at least 1, borrowed; none: all of the config's training, then 16, 64, 128, 1024, 8192
  const int64_t *batch_sizes;
  int n_batch_sizes;
  double latency_s, bandwidth; // of the network between nodes; seconds, bytes per second; at least 0
  // At least 0; of the prediction.  There may be more ranks with one thread than cores here: each is assumed to have
  // one.
  int ranks_per_node;
  double round_s; // about the length of a round, which has at least one step; above 0
  int rounds;     // at least 1; the median round counts
} tutti_bench_options;

#define TUTTI_BENCH_OPTIONS_DEFAULT                                                                          \
  { .round_s = 0.05, .rounds = 7 }

/** X(code, name): the parts of a step. */
#define TUTTI_BENCH_PART_LIST(X)                                                                             \
  X(DATA, "data")                                                                                            \
  X(PRODUCTS, "products")                                                                                    \
  X(OTHER, "other_compute")                                                                                  \
  X(WAIT, "wait")                                                                                            \
  X(REDUCE, "reduce")                                                                                        \
  X(UPDATE, "update")                                                                                        \
  X(REST, "not_in_parts")

typedef enum {
#define X(code, name) TUTTI_BENCH_PART_##code,
  TUTTI_BENCH_PART_LIST(X)
#undef X
      TUTTI_BENCH_N_PARTS
} tutti_bench_part;

/** What a part has to move, if nothing were moved twice: computed from shapes. */
typedef struct {
  double bytes;       // read and written by all ranks; 0: nothing, or not known
  double working_set; // bytes of the arrays that one rank moves them from and to, the largest of all ranks
  int memory;         // which of the report's memories has this working set
} tutti_bench_traffic;

/** The measured rate of memory for arrays of so many bytes per rank, see machine/memory_rate.h. */
typedef struct {
  double working_set;
  double rate;   // bytes per second of all ranks with their threads, all at once
  bool in_cache; // the rank's share of the last-level cache holds the arrays
} tutti_bench_memory;

enum { TUTTI_BENCH_MAX_MEMORIES = 16 };

/** A step of one batch size, in seconds.  `step_s` is the median over the rounds.  The parts are those of the median
 * round, but products and the rest of forward and backward are those of rounds of their own, in which each product of a
 * step is timed.  Parts are means over the ranks.  In the reduction, a rank works or waits for a slower one:
 * the shortest time that any rank spends there is REDUCE, what the others spend beyond it is WAIT. */
typedef struct {
  int64_t batch_size;
  int64_t rows;      // samples of the largest shard
  double step_s;     // measured from outside, around the steps of a round
  double step_min_s; // of the shortest round
  // DATA: order of the samples, gathering and scaling them.  PRODUCTS: where they stand in the step.  OTHER: the rest of
  // forward and backward.  WAIT, REDUCE: reduction of the gradient and of the parameters.  UPDATE: of the rank's slice of
  // the parameters.  REST: step_s without all of these; noise can make it negative.
  double part_s[TUTTI_BENCH_N_PARTS];
  tutti_bench_traffic traffic[TUTTI_BENCH_N_PARTS];
  double blas_s; // the same products by the BLAS, alone, in rounds of their own
  double products_min_s, blas_min_s;
  double flops;     // operations of the products of all ranks
  int slowest_rank; // the rank that the others waited for
  // Which of the batch size's predictions is the largest with an efficiency of at least 1/2, and which is the largest
  // that still takes at most nine tenths of the shortest step before it.
  int efficient, useful;
} tutti_bench_step;

/** A step of one rank alone with `rows` samples, while all ranks do the same; the slowest rank counts. */
typedef struct {
  int64_t rows;
  double step_s;   // without any reduction
  double update_s; // part of it: the update of all parameters
} tutti_bench_shard;

/** The reduction of the gradient alone. */
typedef struct {
  const char *name; // "flat" is one MPI_Allreduce; borrowed for good
  double reduce_s, reduce_min_s;
} tutti_bench_reducer;

enum { TUTTI_BENCH_MAX_REDUCERS = 4 };

/** A link of a network in the model of Hockney: a message of n bytes takes latency_s + n * byte_s. */
typedef struct {
  double latency_s;
  double byte_s; // 1 / bandwidth
} tutti_bench_link;

/** X(code, name): the source of a number. */
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
  // Sums over two ranks, and the link that fits them best; n_messages is 0 if there is one rank.
  int n_messages;
  double bytes[TUTTI_BENCH_MAX_MESSAGES], seconds[TUTTI_BENCH_MAX_MESSAGES];
  tutti_bench_link fit;
  double residual; // root of the mean squared relative difference
  // The reduction among the ranks of a node.
  double barrier_s;   // for each doubling of their number
  double node_byte_s; // for each byte of the gradient
  tutti_bench_source barrier_from;
} tutti_bench_network;

/** X(code, name): algorithms of an allreduce among nodes. */
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
  int64_t rows;     // samples of the largest shard
  double work_s;    // data, products and other compute of that shard
  double update_s;  // update of a slice, since the ranks of a node share the parameters
  double node_s;    // reduction among the ranks of a node
  double network_s; // reduction among nodes, by `algorithm`
  tutti_bench_allreduce algorithm;
  double step_s;     // the sum of the four
  double efficiency; // time of one rank / (ranks * step_s)
  double measured_s; // the step of this run if it has this number of ranks, else NAN
} tutti_bench_prediction;

/** A number of ranks on each node of this run and of threads per rank, at batch size layout_batch. */
typedef struct {
  int ranks, threads;
  double step_s; // of the shortest round, or predicted from the shortest rounds of single ranks
  bool measured; // else predicted
} tutti_bench_layout;

/** The report; it owns all arrays. */
typedef struct {
  int ranks, nodes;        // of this run
  int node_ranks, threads; // the largest number on a node; the largest number of a rank
  int cores;               // on which the ranks of a node may run, or what a CPU quota leaves of them
  int ranks_per_node;      // of the prediction
  int64_t n_train, n_params;
  const char *reducer;                                   // of the steps; borrowed for good
  tutti_bench_memory memories[TUTTI_BENCH_MAX_MEMORIES]; // [n_memories] in ascending order of the arrays
  double peak_one, peak_all; // operations per second of one core, and of all ranks with their threads at once
  tutti_bench_step *steps;   // [n_steps]
  tutti_bench_shard *shards, *fastest; // [n_shards] of the ranks' median and of their shortest rounds
  tutti_bench_reducer reducers[TUTTI_BENCH_MAX_REDUCERS];
  tutti_bench_network network;
  tutti_bench_layout *layouts; // [n_layouts]
  int64_t layout_batch;
  int best_layout;
  // Of a cache line between two cores, before and after the measurements; NAN: not measured.  round_trip is a word of
  // machine/round_trip.h that says what they mean; borrowed for good.
  double round_trip_before_s, round_trip_after_s;
  const char *round_trip;
  bool disturbed;   // rounds differ so much that something else was running on the machine
  double best_gain; // factor by which the best layout is faster than this run; 0: unknown
  tutti_bench_prediction
      *predictions; // [n_steps, n_counts]: for each batch size, in ascending order of ranks
  int n_memories, n_steps, n_shards, n_reducers, n_layouts, n_counts;
} tutti_bench_report;

extern const char *const tutti_bench_part_names[TUTTI_BENCH_N_PARTS];
extern const char *const tutti_bench_source_names[TUTTI_BENCH_N_SOURCES];
extern const char *const tutti_bench_allreduce_names[TUTTI_BENCH_N_ALLREDUCES];

/** Measure steps on the data and the network of the config, and predict.  Collective, arguments equal on all ranks.
 * Nothing is written.
 * @param[in]  options  in their ranges
 * @param[out] report   equal on all ranks, the caller's: tutti_bench_clear; empty after a failure
 * @return ERR_USAGE more ranks_per_node with several threads than a node of this run has cores for; ERR_CONFIG a batch
 * size
 *         is larger than the training set; what tutti_train returns */
TUTTI_NODISCARD
tutti_status tutti_bench(const tutti_comm *comm, const tutti_config *config,
                         const tutti_bench_options *options, tutti_bench_report *report);
void tutti_bench_clear(tutti_bench_report *report); // Local.
