#include "cli/bench_tables.h"

#include <math.h>
#include <stdio.h>

#include "cli/bench_best.h"
#include "tutti/linalg.h"

static void print_run(const tutti_bench_report *r) {
  printf("ranks\tnodes\tthreads\tcores_of_node\tblas\treducer\tparameters\ttrain_samples\tpeak_core_gflops\t"
         "peak_all_gflops\n");
  printf("%d\t%d\t%d\t%d\t%s\t%s\t%lld\t%lld\t%.1f\t%.1f\n", r->ranks, r->nodes, r->threads, r->cores,
         tutti_blas_description(), r->reducer, (long long)r->n_params, (long long)r->n_train,
         r->peak_one / 1e9, r->peak_all / 1e9);
}

static void print_steps(const tutti_bench_report *r) {
  printf(
      "\nbatch_size\trows\tstep_s\tstep_min_s\tdata_s\tproducts_s\tother_compute_s\twait_s\treduce_s\tupdate_"
      "s\t"
      "products_min_s\tblas_products_s\tblas_products_min_s\tstep_per_blas_products\tsamples_per_s\tgflops\t"
      "peak_share\tslowest_rank\n");
  for (int i = 0; i < r->n_steps; i++) {
    const tutti_bench_step *s = &r->steps[i];
    printf("%lld\t%lld\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.4g\t%.6g\t%.5g\t%"
           ".4f\t"
           "%d\n",
           (long long)s->batch_size, (long long)s->rows, s->step_s, s->step_min_s, s->data_s, s->products_s,
           s->other_s, s->wait_s, s->reduce_s, s->update_s, s->products_min_s, s->blas_s, s->blas_min_s,
           s->step_s / s->blas_s, (double)s->batch_size / s->step_s, s->flops / s->step_s / 1e9,
           s->flops / s->step_s / r->peak_all, s->slowest_rank);
  }
}

static void print_shards(const tutti_bench_report *r) {
  printf("\nalone_rows\talone_step_s\talone_update_s\talone_samples_per_s\n");
  for (int i = 0; i < r->n_shards; i++) {
    const tutti_bench_shard *s = &r->shards[i];
    printf("%lld\t%.6g\t%.6g\t%.6g\n", (long long)s->rows, s->step_s, s->update_s,
           (double)s->rows / s->step_s);
  }
}

static void print_reducers(const tutti_bench_report *r) {
  printf("\nreducer\tranks\tnodes\tnumbers\treduce_s\treduce_min_s\n");
  for (int i = 0; i < r->n_reducers; i++)
    printf("%s\t%d\t%d\t%lld\t%.6g\t%.6g\n", r->reducers[i].name, r->ranks, r->nodes, (long long)r->n_params,
           r->reducers[i].reduce_s, r->reducers[i].reduce_min_s);
}

static void print_network(const tutti_bench_report *r) {
  const tutti_bench_network *n = &r->network;
  printf("\nlatency_s\tlatency_from\tbandwidth_bytes_per_s\tbandwidth_from\tfit_residual\tnode_barrier_s\t"
         "node_barrier_from\tnode_bytes_per_s\n");
  printf("%.6g\t%s\t%.6g\t%s\t%.3g\t%.6g\t%s\t%.6g\n", n->link.latency_s,
         tutti_bench_source_names[n->latency_from], 1 / n->link.byte_s,
         tutti_bench_source_names[n->bandwidth_from], n->n_messages ? n->residual : NAN, n->barrier_s,
         tutti_bench_source_names[n->barrier_from], 1 / n->node_byte_s);
  if (n->n_messages == 0) return;
  printf("\nmessage_bytes\tmeasured_s\tfitted_s\n");
  for (int i = 0; i < n->n_messages; i++)
    printf("%.0f\t%.6g\t%.6g\n", n->bytes[i], n->seconds[i], n->fit.latency_s + n->bytes[i] * n->fit.byte_s);
}

static void print_layouts(const tutti_bench_report *r) {
  printf("\nlayout_batch_size\tranks_per_node\tthreads\tstep_min_s\tbasis\tbest\n");
  for (int i = 0; i < r->n_layouts; i++) {
    const tutti_bench_layout *l = &r->layouts[i];
    printf("%lld\t%d\t%d\t%.6g\t%s\t%s\n", (long long)r->layout_batch, l->ranks, l->threads, l->step_s,
           l->measured ? "measured" : "predicted", i == r->best_layout ? "yes" : "no");
  }
}

/** Whether the ranks of a prediction have the cores that ranks had when they were measured. */
static const char *cores_of(const tutti_bench_report *r, const tutti_bench_prediction *p) {
  const int64_t on_node = p->ranks < r->ranks_per_node ? p->ranks : r->ranks_per_node;
  if (r->node_ranks * r->threads > r->cores) return "shared";
  return on_node * r->threads <= r->cores ? "here" : "assumed";
}

static void print_predictions(const tutti_bench_report *r) {
  for (int i = 0; i < r->n_steps; i++) {
    printf("\nbatch_size\tranks\tthreads\tnodes\tcores\trows\twork_s\tupdate_s\tnode_reduce_s\tnetwork_"
           "s\tallreduce\tpredicted_step_s"
           "\tefficiency\tsamples_per_s\tmeasured_step_s\n");
    for (int k = 0; k < r->n_counts; k++) {
      const tutti_bench_prediction *p = &r->predictions[i * r->n_counts + k];
      printf("%lld\t%lld\t%d\t%lld\t%s\t%lld\t%.6g\t%.6g\t%.6g\t%.6g\t%s\t%.6g\t%.4f\t%.6g\t%.6g\n",
             (long long)p->batch_size, (long long)p->ranks, r->threads, (long long)p->nodes, cores_of(r, p),
             (long long)p->rows, p->work_s, p->update_s, p->node_s, p->network_s,
             p->nodes > 1 ? tutti_bench_allreduce_names[p->algorithm] : "none", p->step_s, p->efficiency,
             (double)p->batch_size / p->step_s, p->measured_s);
    }
  }
}

static void print_useful(const tutti_bench_report *r) {
  printf("\nbatch_size\tefficient_ranks\tthreads\tefficient_step_s\tuseful_ranks\tuseful_step_"
         "s\tspeedup\tefficiency\n");
  for (int i = 0; i < r->n_steps; i++) {
    const tutti_bench_prediction *of_batch = &r->predictions[i * r->n_counts];
    const tutti_bench_prediction *efficient = &of_batch[r->efficient[i]], *useful = &of_batch[r->useful[i]];
    printf("%lld\t%lld\t%d\t%.6g\t%lld\t%.6g\t%.4g\t%.4f\n", (long long)useful->batch_size,
           (long long)efficient->ranks, r->threads, efficient->step_s, (long long)useful->ranks,
           useful->step_s, useful->efficiency * (double)useful->ranks, useful->efficiency);
  }
}

void tutti_bench_print(const tutti_bench_report *report, const tutti_arguments *arguments) {
  print_run(report);
  print_steps(report);
  print_shards(report);
  print_reducers(report);
  print_network(report);
  print_layouts(report);
  tutti_bench_print_best(report, arguments);
  print_predictions(report);
  print_useful(report);
}

// --- what they say of themselves

const char *const tutti_bench_columns[] = {
    "Tables, in their order, and their columns.  A time is that of the median round, with _min_s of the\n"
    "shortest, which tells more on a busy machine.",
    "This run:\n"
    "  ranks, nodes, threads  as it was started; the most threads that any rank has\n"
    "  cores_of_node          the cores that the ranks of a node may run on, as far as a CPU quota leaves "
    "them\n"
    "  blas, reducer          what multiplies and how gradients are summed, parallel.reduce\n"
    "  parameters             numbers that are trained\n"
    "  train_samples          training rows without those held out\n"
    "  peak_core_gflops       a loop of multiply-adds that never leaves the registers, on one core\n"
    "  peak_all_gflops        the same on all ranks with all their threads at once",
    "Steps; from data_s to update_s the parts of step_s, means over the ranks, which add up to it:\n"
    "  batch_size, rows       samples of the step; of its largest shard\n"
    "  step_s, step_min_s     a step\n"
    "  data_s                 order of the samples, gathering and scaling them\n"
    "  products_s             the matrix products of a step's shapes alone, in rounds between those of the "
    "steps\n"
    "  other_compute_s        forward and backward beyond that; a difference, so noise may make it negative\n"
    "  wait_s                 what the ranks spend in the reduction beyond reduce_s, as a rank there waits "
    "for a\n"
    "                         slower one\n"
    "  reduce_s               bringing gradients and parameters together: the least that any rank spends "
    "there\n"
    "  update_s               the optimizer on the rank's slice of the parameters, and summing that slice "
    "over\n"
    "                         the ranks of the node where the reducer leaves it to the update\n"
    "  products_min_s, blas_products_s, blas_products_min_s\n"
    "                         the products again, and by the BLAS, in rounds in between\n"
    "  step_per_blas_products\n"
    "                         step_s / blas_products_s: below 1 where other loops beat the BLAS by more than "
    "all\n"
    "                         the rest of a step takes\n"
    "  samples_per_s, gflops  of the step; operations of the products and nothing else\n"
    "  peak_share             gflops / peak_all_gflops\n"
    "  slowest_rank           the rank that waited least: the others waited for it",
    "Shards, each rank for itself and all at the same time, of the slowest one:\n"
    "  alone_rows             samples of the shard\n"
    "  alone_step_s           a step without any reduction\n"
    "  alone_update_s         its update, of all parameters, while the gradient is in the cache\n"
    "  alone_samples_per_s    alone_rows / alone_step_s",
    "Reducers, each alone, on this run's ranks and nodes:\n"
    "  reducer, numbers       its name; how many numbers it sums\n"
    "  reduce_s, reduce_min_s\n"
    "                         the reduction",
    "Network and node.  Numbers are given; measured_between_nodes, by the fastest sums over two ranks on two "
    "nodes;\n"
    "measured_within_node, where there is one; or assumed, where there is one rank:\n"
    "  latency_s, latency_from, bandwidth_bytes_per_s, bandwidth_from\n"
    "                         of a message between nodes\n"
    "  fit_residual           how far the line of the two is from measured_s: root of the mean square, "
    "relative\n"
    "  node_barrier_s, node_barrier_from\n"
    "                         of a reduction within a node, each time its ranks double\n"
    "  node_bytes_per_s       the same for each byte of the gradient\n"
    "  message_bytes, measured_s, fitted_s\n"
    "                         sums over two ranks, and what latency and bandwidth that fit them best make of "
    "them",
    "Layouts, other ranks and threads on the cores of a node, at the first batch size:\n"
    "  layout_batch_size, ranks_per_node, threads, step_min_s\n"
    "                         a step of so many ranks, each with so many threads\n"
    "  basis                  measured where this run can, else predicted from the shortest rounds\n"
    "  best, best_command     yes for the fastest; how a training is started so\n"
    "  why                    what it gains on this run",
    "Predictions, a table a batch size:\n"
    "  cores                  what each rank is predicted with: here, this node has a core for every "
    "thread;\n"
    "                         assumed, it does not, and each rank is taken to have a core of its own on a "
    "larger\n"
    "                         node; shared, the ranks of this run had to share cores, and so do these\n"
    "  work_s                 data, products and other compute of the shard\n"
    "  node_reduce_s          reduction among the ranks of a node, besides the update_s of a slice\n"
    "  network_s, allreduce   reduction among nodes, and by which algorithm\n"
    "  predicted_step_s       the sum of work_s, update_s, node_reduce_s and network_s\n"
    "  efficiency             time of one rank / (ranks * predicted_step_s)\n"
    "  measured_step_s        step_s of this run, beside its own number of ranks",
    "Ranks that pay, a row a batch size:\n"
    "  efficient_ranks, efficient_step_s\n"
    "                         the largest number with an efficiency of at least 0.5\n"
    "  useful_ranks, useful_step_s\n"
    "                         the largest with a step at least a tenth shorter than with any fewer\n"
    "  speedup                of useful_ranks over one; efficiency is theirs too",
    NULL};
