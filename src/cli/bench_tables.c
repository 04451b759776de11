/** The tables of `tutti bench`: a line of column names, then rows, all separated by tabs.  bench_columns.c explains
 * each column.  Called by cmd_bench.c. */
#include "cli/bench_tables_impl.h"

#include <math.h>
#include <stdio.h>

#include "tutti/linalg.h"

/** One row about this run and the machine: a later reader must know what the other tables are about. */
static void print_run(const tutti_bench_report *r) {
  printf("ranks\tnodes\tthreads\tcores_of_node\tblas\treducer\tparameters\ttrain_samples\tpeak_core_"
         "gflops\tpeak_all_gflops\n");
  printf("%d\t%d\t%d\t%d\t%s\t%s\t%lld\t%lld\t%.1f\t%.1f\n", r->ranks, r->nodes, r->threads, r->cores,
         tutti_blas_description(), r->reducer, (long long)r->n_params, (long long)r->n_train,
         r->peak_one / 1e9, r->peak_all / 1e9);
}

/** Between which round trips all of this was measured: if they are slow or differ, figures of several ranks or threads are
 * not those of other days. */
static void print_round_trip(const tutti_bench_report *r) {
  printf("\nround_trip_before_s\tround_trip_after_s\tround_trip\n%.3g\t%.3g\t%s\n", r->round_trip_before_s,
         r->round_trip_after_s, r->round_trip);
}

/** One row per batch size.  Speeds and shares follow from the times, so they are computed here and not kept. */
static void print_steps(const tutti_bench_report *r) {
  printf("\nbatch_size\trows\tstep_s\tstep_min_s\tdata_s\tproducts_s\tother_compute_s\twait_s\treduce_"
         "s\tupdate_s\tnot_in_parts_s\tproducts_min_s\tblas_products_s\tblas_products_min_s\tstep_per_blas_"
         "products\tsamples_"
         "per_s\tgflops\tpeak_share\tslowest_rank\n");
  for (int i = 0; i < r->n_steps; i++) {
    const tutti_bench_step *s = &r->steps[i];
    printf("%lld\t%lld\t%.6g\t%.6g", (long long)s->batch_size, (long long)s->rows, s->step_s, s->step_min_s);
    for (int part = 0; part < TUTTI_BENCH_N_PARTS; part++) printf("\t%.6g", s->part_s[part]);
    printf("\t%.6g\t%.6g\t%.6g\t%.4g\t%.6g\t%.5g\t%.4f\t%d\n", s->products_min_s, s->blas_s, s->blas_min_s,
           s->step_s / s->blas_s, (double)s->batch_size / s->step_s, s->flops / s->step_s / 1e9,
           s->flops / s->step_s / r->peak_all, s->slowest_rank);
  }
}

/** The rates with which the parts of a step are compared. */
static void print_memories(const tutti_bench_report *r) {
  printf("\nmemory_set_bytes\tmemory_bytes_per_s\tmemory\n");
  for (int i = 0; i < r->n_memories; i++)
    printf("%.0f\t%.4g\t%s\n", r->memories[i].working_set, r->memories[i].rate,
           r->memories[i].in_cache ? "cache" : "memory");
}

/** One row of a part.  A part that moves nothing, or nobody knows what, has no rate. */
static void print_part(const tutti_bench_report *r, const tutti_bench_step *s, int part) {
  const tutti_bench_traffic *traffic = &s->traffic[part];
  const double seconds = s->part_s[part], rate = traffic->bytes > 0 ? traffic->bytes / seconds : NAN,
               flops = part == TUTTI_BENCH_PART_PRODUCTS ? s->flops / seconds : NAN;
  const tutti_bench_memory *memory = &r->memories[traffic->memory];
  printf("%lld\t%s\t%.6g\t%.4f\t%.0f\t%.0f\t%.4g\t%s\t%.4f\t%.5g\t%.4f\n", (long long)s->batch_size,
         tutti_bench_part_names[part], seconds, seconds / s->step_s, traffic->bytes, traffic->working_set,
         rate, traffic->bytes > 0 ? memory->in_cache ? "cache" : "memory" : "none", rate / memory->rate,
         flops / 1e9, flops / r->peak_all);
}

static void print_parts(const tutti_bench_report *r) {
  printf("\nbatch_size\tpart\tpart_s\tshare\tbytes\tworking_set_bytes\tbytes_per_s\tmemory\tmemory_share\t"
         "gflops\tpeak_share\n");
  for (int i = 0; i < r->n_steps * TUTTI_BENCH_N_PARTS; i++)
    print_part(r, &r->steps[i / TUTTI_BENCH_N_PARTS], i % TUTTI_BENCH_N_PARTS);
}

/** One row per shard: the predictions below are made of these times, so a reader can check them. */
static void print_shards(const tutti_bench_report *r) {
  printf("\nalone_rows\talone_step_s\talone_update_s\talone_samples_per_s\n");
  for (int i = 0; i < r->n_shards; i++) {
    const tutti_bench_shard *s = &r->shards[i];
    printf("%lld\t%.6g\t%.6g\t%.6g\n", (long long)s->rows, s->step_s, s->update_s,
           (double)s->rows / s->step_s);
  }
}

/** All methods are printed, also those that this run does not use, since the choice is worth a comparison. */
static void print_reducers(const tutti_bench_report *r) {
  printf("\nreducer\tranks\tnodes\tnumbers\treduce_s\treduce_min_s\n");
  for (int i = 0; i < r->n_reducers; i++)
    printf("%s\t%d\t%d\t%lld\t%.6g\t%.6g\n", r->reducers[i].name, r->ranks, r->nodes, (long long)r->n_params,
           r->reducers[i].reduce_s, r->reducers[i].reduce_min_s);
}

/** The numbers of the network with their source, since a given or assumed number says nothing about this machine.
 * The messages follow only if there are several ranks to measure with. */
static void print_network(const tutti_bench_report *r) {
  const tutti_bench_network *n = &r->network;
  printf("\nlatency_s\tlatency_from\tbandwidth_bytes_per_s\tbandwidth_from\tfit_residual\tnode_barrier_"
         "s\tnode_barrier_from\tnode_bytes_per_s\n");
  printf("%.6g\t%s\t%.6g\t%s\t%.3g\t%.6g\t%s\t%.6g\n", n->link.latency_s,
         tutti_bench_source_names[n->latency_from], 1 / n->link.byte_s,
         tutti_bench_source_names[n->bandwidth_from], n->n_messages ? n->residual : NAN, n->barrier_s,
         tutti_bench_source_names[n->barrier_from], 1 / n->node_byte_s);
  if (n->n_messages == 0) return;
  printf("\nmessage_bytes\tmeasured_s\tfitted_s\n");
  for (int i = 0; i < n->n_messages; i++)
    printf("%.0f\t%.6g\t%.6g\n", n->bytes[i], n->seconds[i], n->fit.latency_s + n->bytes[i] * n->fit.byte_s);
}

/** One row per layout of ranks and threads that was compared at the first batch size. */
static void print_layouts(const tutti_bench_report *r) {
  printf("\nlayout_batch_size\tranks_per_node\tthreads\tstep_min_s\tbasis\tbest\n");
  for (int i = 0; i < r->n_layouts; i++) {
    const tutti_bench_layout *l = &r->layouts[i];
    printf("%lld\t%d\t%d\t%.6g\t%s\t%s\n", (long long)r->layout_batch, l->ranks, l->threads, l->step_s,
           l->measured ? "measured" : "predicted", i == r->best_layout ? "yes" : "no");
  }
}

/** Whether each rank of a prediction has as many cores as a measured rank had. */
static const char *cores_of(const tutti_bench_report *r, const tutti_bench_prediction *p) {
  const int64_t on_node = p->ranks < r->ranks_per_node ? p->ranks : r->ranks_per_node;
  if (r->node_ranks * r->threads > r->cores) return "shared";
  return on_node * r->threads <= r->cores ? "here" : "assumed";
}

/** One table per batch size, because a reader compares the rank counts of one batch size with each other. */
static void print_predictions(const tutti_bench_report *r) {
  for (int i = 0; i < r->n_steps; i++) {
    printf("\nbatch_size\tranks\tthreads\tnodes\tcores\trows\twork_s\tupdate_s\tnode_reduce_s\tnetwork_"
           "s\tallreduce\tpredicted_step_s\tefficiency\tsamples_per_s\tmeasured_step_s\n");
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

/** The two answers for each batch size: how many ranks are efficient, and beyond how many it hardly gets faster. */
static void print_useful(const tutti_bench_report *r) {
  printf("\nbatch_size\tefficient_ranks\tthreads\tefficient_step_s\tuseful_ranks\tuseful_step_"
         "s\tspeedup\tefficiency\n");
  for (int i = 0; i < r->n_steps; i++) {
    const tutti_bench_prediction *of_batch = &r->predictions[i * r->n_counts];
    const tutti_bench_prediction *efficient = &of_batch[r->steps[i].efficient],
                                 *useful = &of_batch[r->steps[i].useful];
    printf("%lld\t%lld\t%d\t%.6g\t%lld\t%.6g\t%.4g\t%.4f\n", (long long)useful->batch_size,
           (long long)efficient->ranks, r->threads, efficient->step_s, (long long)useful->ranks,
           useful->step_s, useful->efficiency * (double)useful->ranks, useful->efficiency);
  }
}

void tutti_cli_print_bench(const tutti_bench_report *report, const tutti_cli_arguments *arguments) {
  print_run(report);
  print_round_trip(report);
  print_steps(report);
  print_memories(report);
  print_parts(report);
  print_shards(report);
  print_reducers(report);
  print_network(report);
  print_layouts(report);
  tutti_cli_print_best_command(report, arguments);
  print_predictions(report);
  print_useful(report);
}
