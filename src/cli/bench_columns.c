/** What the columns of `tutti bench` mean: text for its help.  bench_tables.c prints the tables. */
#include <stddef.h>

#include "cli/bench_tables_impl.h"

// The first title is an introduction to all tables, so it has no columns.
static const tutti_help_row none[] = {{NULL, NULL}};

// A column that several tables have is explained in the first of them.
static const tutti_help_row run[] = {
    {"ranks, nodes, threads", "of this run; threads is the largest number of any rank"},
    {"cores_of_node", "cores on which the ranks of a node may run, or what a CPU quota leaves of them"},
    {"blas, reducer", "library of the matrix products; method that sums the gradients (parallel.reduce)"},
    {"parameters", "number of trained parameters"},
    {"train_samples", "number of training rows, without those held out"},
    {"peak_core_gflops", "speed of one core in a loop of multiply-adds that stays in the registers"},
    {"peak_all_gflops", "the same speed, on all ranks with all their threads at once"},
    {NULL, NULL}};

static const tutti_help_row round_trip[] = {
    {"round_trip_before_s, round_trip_after_s",
     "time in which a cache line goes to another core and back, for the slowest pair of cores that work "
     "together, before and after the measurements; nan if it is not measured"},
    {"round_trip",
     "normal; slow: more than 2e-7 s between cores that share a cache; changed: by more than a factor of "
     "two; cores_without_a_common_cache: no limit is known; one_thread, more_threads_than_cores, "
     "interrupted: why it is not measured"},
    {NULL, NULL}};

static const tutti_help_row steps[] = {
    {"batch_size, rows", "samples of the step; samples of its largest shard"},
    {"step_s, step_min_s", "time of a step"},
    {"data_s", "choosing, gathering and scaling the samples"},
    {"products_s", "the matrix products: each one is timed where it stands in the step, in rounds of "
                   "their own between the rounds of steps"},
    {"other_compute_s", "the rest of the forward and backward pass in the same rounds: activations and their "
                        "gradients, loss, biases, normalisation, noise"},
    {"wait_s", "time in the reduction beyond reduce_s: a rank waits there for a slower one"},
    {"reduce_s", "reduction of gradients and parameters: the shortest time that any rank spends in it"},
    {"update_s", "update of the rank's slice of the parameters; with some reducers it includes the sum of "
                 "this slice over the ranks of the node"},
    {"not_in_parts_s",
     "step_s without these parts: mostly what the steps differed from those whose products were timed; "
     "noise can make it negative"},
    {"products_min_s, blas_products_s, blas_products_min_s",
     "shortest round of the products; the same products alone by the BLAS, in rounds of their own"},
    {"step_per_blas_products", "step_s / blas_products_s; it is below 1 if our products save more time than "
                               "all other parts of a step take"},
    {"samples_per_s, gflops", "speed of a step; gflops counts the operations of the matrix products only"},
    {"peak_share", "gflops / peak_all_gflops"},
    {"slowest_rank", "rank that waited least; the other ranks waited for it"},
    {NULL, NULL}};

static const tutti_help_row memories[] = {
    {"memory_set_bytes, memory_bytes_per_s",
     "bytes of the arrays of a rank; bytes that all ranks with all their threads read and write in a second"},
    {"memory", "cache if a rank's share of the last cache holds the arrays, otherwise memory"},
    {NULL, NULL}};

static const tutti_help_row parts[] = {
    {"part, part_s, share", "a part of the step, as above; its time; this time / step_s"},
    {"bytes",
     "what the part has to read and write on all ranks, from the shapes of its arrays, if nothing "
     "is moved twice: samples in the data set and gathered; factors and results of products; outputs "
     "of layers and their gradients; gradients, parameters and the optimizer's state in the update.  "
     "0: nothing, or not known"},
    {"working_set_bytes", "size of these arrays on a rank; of the whole data set, if samples are gathered"},
    {"bytes_per_s, memory_share", "bytes / part_s; its share of memory_bytes_per_s for the arrays that are "
                                  "next in size, which column memory names: near 1, only "
                                  "fewer bytes make the part faster"},
    {"peak_share", "gflops / peak_all_gflops; both are those of the part alone"},
    {NULL, NULL}};

static const tutti_help_row shards[] = {
    {"alone_rows", "samples of the shard"},
    {"alone_step_s", "time of a step without a reduction"},
    {"alone_update_s", "part of it: the update of all parameters, while the gradient is in the cache"},
    {"alone_samples_per_s", "alone_rows / alone_step_s"},
    {NULL, NULL}};

static const tutti_help_row reducers[] = {{"reducer, numbers", "its name; how many numbers it sums"},
                                          {"reduce_s, reduce_min_s", "time of a reduction"},
                                          {NULL, NULL}};

static const tutti_help_row network[] = {
    {"latency_s, latency_from, bandwidth_bytes_per_s, bandwidth_from", "of a message between nodes"},
    {"fit_residual", "root mean square of the relative differences between fitted_s and measured_s"},
    {"node_barrier_s, node_barrier_from",
     "time of a reduction within a node, for each doubling of its ranks"},
    {"node_bytes_per_s", "bytes of the gradient that such a reduction sums in a second"},
    {"message_bytes, measured_s, fitted_s",
     "sums over two ranks: their size, their time, and their time by the fitted latency and bandwidth"},
    {NULL, NULL}};

static const tutti_help_row layouts[] = {
    {"layout_batch_size, ranks_per_node, threads, step_min_s",
     "time of a step with this number of ranks per node and of threads per rank"},
    {"basis", "measured if this run can measure the layout, otherwise predicted from the shortest rounds"},
    {"best, best_command", "yes for the fastest layout; the command that starts a training in it"},
    {"why", "how much faster it is than this run"},
    {NULL, NULL}};

static const tutti_help_row predictions[] = {
    {"cores", "here: this node has a core for every thread of the prediction.  assumed: it does not, so the "
              "prediction is for a larger node with a core for each rank.  shared: the ranks of this run "
              "shared cores, and so do the predicted ranks"},
    {"work_s", "data, products and other compute of the shard"},
    {"node_reduce_s", "reduction among the ranks of a node, without update_s"},
    {"network_s, allreduce", "reduction among the nodes; its algorithm"},
    {"predicted_step_s", "work_s + update_s + node_reduce_s + network_s"},
    {"efficiency", "time of one rank / (ranks * predicted_step_s)"},
    {"measured_step_s", "step_s of this run, in the row with its number of ranks"},
    {NULL, NULL}};

static const tutti_help_row useful[] = {
    {"efficient_ranks, efficient_step_s", "largest number of ranks with an efficiency of at least 0.5"},
    {"useful_ranks, useful_step_s",
     "largest number of ranks whose step is at least a tenth shorter than with any smaller number"},
    {"speedup, efficiency", "of useful_ranks ranks over one rank"},
    {NULL, NULL}};

const tutti_help_table tutti_cli_bench_columns[] = {
    {"Tables and their columns, in the order in which they are printed.  Times are those of the median "
     "round; in columns that end in _min_s, those of the shortest round, which are more reliable on a busy "
     "machine.",
     none},
    {"This run:", run},
    {"Round trip between cores.  Figures of several ranks or threads depend on it:", round_trip},
    {"Steps.  The columns from data_s to update_s are means over the ranks, and add up to step_s with "
     "not_in_parts_s:",
     steps},
    {"Memory.  y += s x on arrays of several sizes, all ranks at once:", memories},
    {"Parts of the steps, and the memory that they move:", parts},
    {"Shards.  Each rank works alone, all at the same time; the times are those of the slowest rank:",
     shards},
    {"Reducers, each alone, on the ranks and nodes of this run:", reducers},
    {"Network and node.  A number is given as an option, or measured_between_nodes by the fastest sums over "
     "two ranks on two nodes, or measured_within_node if there is one node, or assumed if there is one rank:",
     network},
    {"Layouts.  Other numbers of ranks and threads on the cores of a node, at the first batch size:",
     layouts},
    {"Predictions, one table per batch size:", predictions},
    {"Useful numbers of ranks, one row per batch size:", useful},
    {NULL, NULL}};
