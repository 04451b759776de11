/** Steps of the training, part by part, and the matrix products of the same shapes by the BLAS.
 *
 * Three works take turns (repeat.c): steps, steps in which each product is timed, and the products by the BLAS.  The
 * readings of the clock make a step of few samples longer, so its time is that of the plain steps.  Their median round
 * gives the parts, and the median round of the others divides forward and backward into products and the rest.
 * In each step, the shortest time that a rank spends in the reduction is the reduction itself; what other ranks spend
 * beyond it is waiting.  Called by bench.c and layouts.c. */
#include <math.h>

#include "base/clock.h"
#include "bench/measure_impl.h"
#include "bench/products_impl.h"
#include "bench/repeat_impl.h"
#include "linalg/peak.h"
#include "tutti/linalg.h"

/** Most steps of a run; their parts are kept until the clock stops. */
enum { STEPS_AT_ONCE = 2048 };

/** Means over the steps of a round. */
typedef struct {
  double phases[TUTTI_N_PHASES]; // on this rank
  double least_reduce;           // smallest of all ranks, step by step
  double products, n_products;   // if they are timed: seconds, how many
} round_parts;

/** Steps among the ranks of `comm`, for tutti_bench_repeat_run. */
typedef struct {
  tutti_probe *probe;
  const tutti_comm *comm;
  bool times_products;
  tutti_model_product_times products; // of the last run
  double (*phases)[TUTTI_N_PHASES];   // [STEPS_AT_ONCE]
  double *reduce;                     // [STEPS_AT_ONCE]
  double *seconds;                    // [rounds] of a step
  round_parts *rounds;                // [rounds]
} step_work;

static void free_steps(step_work *work) {
  tutti_free(work->phases);
  tutti_free(work->reduce);
  tutti_free(work->seconds);
  tutti_free(work->rounds);
}

/** Get memory before the clock starts, since an allocation would count as a part of a step. */
static tutti_status make_steps(const tutti_bench_setup *setup, const tutti_comm *comm, step_work *work) {
  *work = (step_work){.probe = setup->probe, .comm = comm};
  TUTTI_TRY(TUTTI_NEW(work->phases, STEPS_AT_ONCE));
  TUTTI_TRY(TUTTI_NEW(work->reduce, STEPS_AT_ONCE));
  TUTTI_TRY(TUTTI_NEW(work->seconds, setup->options->rounds));
  return TUTTI_NEW(work->rounds, setup->options->rounds);
}

static tutti_status run_steps(void *context, int64_t n) {
  step_work *work = context;
  tutti_model *model = tutti_train_probe_run(work->probe)->network.model;
  work->products = (tutti_model_product_times){0};
  if (work->times_products) tutti_model_time_products(model, &work->products);
  const tutti_status status = tutti_train_probe_steps(work->probe, n, work->phases);
  tutti_model_time_products(model, NULL);
  return status;
}

/** Keep the parts.  In each step, the others waited for the rank that spends the least time in the reduction. */
static tutti_status note_steps(void *context, int64_t n, int round, double share) {
  const step_work *work = context;
  for (int64_t i = 0; i < n; i++) work->reduce[i] = work->phases[i][TUTTI_PHASE_REDUCE];
  TUTTI_TRY(tutti_comm_min(work->comm, work->reduce, n));
  if (round < 0) return TUTTI_OK;
  round_parts *parts = &work->rounds[round];
  const double weight = share / (double)n;
  for (int64_t i = 0; i < n; i++) {
    for (int k = 0; k < TUTTI_N_PHASES; k++) parts->phases[k] += work->phases[i][k] * weight;
    parts->least_reduce += work->reduce[i] * weight;
  }
  parts->products += work->products.seconds * weight;
  parts->n_products += (double)work->products.n * weight;
  return TUTTI_OK;
}

static tutti_bench_repeat repeat_steps(step_work *work) {
  return (tutti_bench_repeat){.run = run_steps,
                              .note = note_steps,
                              .context = work,
                              .at_once = STEPS_AT_ONCE,
                              .seconds = work->seconds};
}

/** The products of this rank's part of a step by the BLAS, for tutti_bench_repeat_run. */
typedef struct {
  const tutti_probe *probe;
  tutti_bench_products *products;
  int64_t rows;    // of all passes
  int largest;     // rows of a pass
  double *seconds; // [rounds]
} product_work;

static void free_products(product_work *work) {
  tutti_bench_products_destroy(&work->products);
  tutti_free(work->seconds);
}

static void count_rows(void *context, const tutti_probe_micro_batch *pass) {
  product_work *work = context;
  work->rows += pass->rows;
  if (pass->rows > work->largest) work->largest = pass->rows;
}

static tutti_status make_products(const tutti_bench_setup *setup, product_work *work) {
  *work = (product_work){.probe = setup->probe};
  tutti_train_probe_visit_micro_batches(setup->probe, count_rows, work);
  TUTTI_TRY(TUTTI_NEW(work->seconds, setup->options->rounds));
  return tutti_bench_products_create(tutti_train_probe_run(setup->probe)->network.model, work->largest,
                                     &work->products);
}

static void multiply(void *context, const tutti_probe_micro_batch *pass) {
  tutti_bench_products_pass(((product_work *)context)->products, pass, true);
}

static tutti_status run_products(void *context, int64_t n) {
  product_work *work = context;
  for (int64_t i = 0; i < n; i++) tutti_train_probe_visit_micro_batches(work->probe, multiply, work);
  return TUTTI_OK;
}

static tutti_bench_repeat repeat_products(product_work *work) {
  return (tutti_bench_repeat){
      .run = run_products, .context = work, .at_once = INT64_MAX, .seconds = work->seconds};
}

// --- from the rounds of the ranks to one row

/** Replace each of values[n] by its mean over the ranks. */
static tutti_status mean_over_ranks(const tutti_comm *comm, double *values, int64_t n) {
  TUTTI_TRY(tutti_comm_sum(comm, values, n));
  for (int64_t i = 0; i < n; i++) values[i] /= tutti_comm_size(comm);
  return TUTTI_OK;
}

/** Find the rank with the smallest value. */
static tutti_status rank_of_least(const tutti_comm *comm, double value, int *rank) {
  double least = value, first;
  TUTTI_TRY(tutti_comm_min(comm, &least, 1));
  first = value == least ? tutti_comm_rank(comm) : tutti_comm_size(comm);
  TUTTI_TRY(tutti_comm_min(comm, &first, 1));
  *rank = (int)first;
  return TUTTI_OK;
}

/** Take the parts of the median round, whose rank of least reduction is the slowest rank. */
static tutti_status summarise_steps(const tutti_bench_setup *setup, step_work *work, tutti_bench_step *step) {
  const tutti_comm *comm = setup->comm;
  TUTTI_TRY(mean_over_ranks(comm, work->seconds, setup->options->rounds));
  const int median = tutti_bench_repeat_median(work->seconds, setup->options->rounds);
  step->step_s = work->seconds[median];
  step->step_min_s = work->seconds[tutti_bench_repeat_least(work->seconds, setup->options->rounds)];
  round_parts *parts = &work->rounds[median];
  TUTTI_TRY(rank_of_least(comm, parts->phases[TUTTI_PHASE_REDUCE], &step->slowest_rank));
  TUTTI_TRY(mean_over_ranks(comm, parts->phases, TUTTI_N_PHASES));
  step->part_s[TUTTI_BENCH_PART_DATA] = parts->phases[TUTTI_PHASE_DATA];
  step->part_s[TUTTI_BENCH_PART_UPDATE] = parts->phases[TUTTI_PHASE_UPDATE];
  step->part_s[TUTTI_BENCH_PART_REDUCE] = parts->least_reduce;
  step->part_s[TUTTI_BENCH_PART_WAIT] = parts->phases[TUTTI_PHASE_REDUCE] - parts->least_reduce;
  return TUTTI_OK;
}

/** The seconds of one reading of the clock: of the shortest of some bursts, since a burst may be interrupted. */
static double clock_reading_s(void) {
  enum { BURSTS = 20, READINGS = 100 };
  double least = INFINITY;
  for (int burst = 0; burst < BURSTS; burst++) {
    const double start = tutti_clock_s();
    for (int i = 1; i < READINGS; i++) (void)tutti_clock_s();
    least = fmin(least, (tutti_clock_s() - start) / READINGS);
  }
  return least;
}

/** Divide forward and backward as in the median round of the steps with timed products.  Of the two readings of the
 * clock for a product, one is within its time and one beside it. */
static tutti_status summarise_timed(const tutti_bench_setup *setup, step_work *work, tutti_bench_step *step) {
  const int n = setup->options->rounds;
  const double reading_s = clock_reading_s();
  TUTTI_TRY(mean_over_ranks(setup->comm, work->seconds, n));
  for (int i = 0; i < n; i++) {
    round_parts *parts = &work->rounds[i];
    const double readings_s = parts->n_products * reading_s;
    double split[] = {parts->products - readings_s,
                      parts->phases[TUTTI_PHASE_COMPUTE] - parts->products - readings_s};
    TUTTI_TRY(mean_over_ranks(setup->comm, split, 2));
    if (i == 0 || split[0] < step->products_min_s) step->products_min_s = split[0];
    if (i != tutti_bench_repeat_median(work->seconds, n)) continue;
    step->part_s[TUTTI_BENCH_PART_PRODUCTS] = split[0];
    step->part_s[TUTTI_BENCH_PART_OTHER] = split[1];
  }
  double *rest = &step->part_s[TUTTI_BENCH_PART_REST];
  *rest = step->step_s;
  for (int part = 0; part < TUTTI_BENCH_PART_REST; part++) *rest -= step->part_s[part];
  return TUTTI_OK;
}

static tutti_status summarise_products(const tutti_bench_setup *setup, product_work *work,
                                       tutti_bench_step *step) {
  const int n = setup->options->rounds;
  TUTTI_TRY(mean_over_ranks(setup->comm, work->seconds, n));
  step->blas_s = work->seconds[tutti_bench_repeat_median(work->seconds, n)];
  step->blas_min_s = work->seconds[tutti_bench_repeat_least(work->seconds, n)];
  step->flops = tutti_bench_products_flops(work->products, work->rows);
  return tutti_comm_sum(setup->comm, &step->flops, 1);
}

/** Take one round of each rank alone; the slowest rank counts. */
static tutti_status summarise_shard(const tutti_bench_setup *setup, const step_work *work, int round,
                                    int64_t rows, tutti_bench_shard *shard) {
  const double update_s = work->rounds[round].phases[TUTTI_PHASE_UPDATE];
  double slowest[2] = {work->seconds[round] - update_s, update_s};
  TUTTI_TRY(tutti_comm_max(setup->comm, slowest, 2));
  *shard = (tutti_bench_shard){.rows = rows, .step_s = slowest[0] + slowest[1], .update_s = slowest[1]};
  return TUTTI_OK;
}

bool tutti_bench_is_possible(const tutti_bench_setup *setup, int64_t batch_size) {
  const tutti_config *config = setup->config;
  return !tutti_model_layers_single_group(config->model.layers, (int)config->model.n_layers, batch_size);
}

tutti_status tutti_bench_measure_step(const tutti_bench_setup *setup, int64_t batch_size,
                                      tutti_reduce_kind reduce, tutti_bench_step *step) {
  step_work steps = {0}, timed = {0};
  product_work products = {0};
  *step = (tutti_bench_step){.batch_size = batch_size};
  tutti_status status = tutti_train_probe_prepare(setup->probe, setup->comm, batch_size, reduce);
  if (status != TUTTI_OK) goto done;
  status = make_steps(setup, setup->comm, &steps);
  if (status == TUTTI_OK) status = make_steps(setup, setup->comm, &timed);
  if (status == TUTTI_OK) status = make_products(setup, &products);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, status));
  TUTTI_TRY_GOTO(done, tutti_train_probe_settle(setup->probe));
  timed.times_products = true;
  tutti_bench_repeat works[] = {repeat_steps(&steps), repeat_steps(&timed), repeat_products(&products)};
  TUTTI_TRY_GOTO(
      done, tutti_bench_repeat_run(setup->comm, setup->options->round_s, setup->options->rounds, works, 3));
  double largest_shard = (double)products.rows;
  TUTTI_TRY_GOTO(done, tutti_comm_max(setup->comm, &largest_shard, 1));
  step->rows = (int64_t)largest_shard;
  TUTTI_TRY_GOTO(done, summarise_steps(setup, &steps, step));
  TUTTI_TRY_GOTO(done, summarise_timed(setup, &timed, step));
  TUTTI_TRY_GOTO(done, summarise_products(setup, &products, step));
  TUTTI_TRY_GOTO(done, tutti_bench_count_traffic(setup, products.products, step));
done:
  free_products(&products);
  free_steps(&timed);
  free_steps(&steps);
  return status;
}

tutti_status tutti_bench_measure_shard(const tutti_bench_setup *setup, int64_t rows, tutti_bench_shard *shard,
                                       tutti_bench_shard *fastest) {
  step_work steps = {0};
  // A rank alone has nothing to reduce, and `tree` would cut its few samples into all the leaves.
  tutti_status status = tutti_train_probe_prepare(setup->probe, setup->alone, rows, TUTTI_REDUCE_AUTO);
  if (status != TUTTI_OK) goto done;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, make_steps(setup, setup->alone, &steps)));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(setup->comm, tutti_train_probe_settle(setup->probe)));
  tutti_bench_repeat work = repeat_steps(&steps);
  TUTTI_TRY_GOTO(
      done, tutti_bench_repeat_run(setup->comm, setup->options->round_s, setup->options->rounds, &work, 1));
  const int median = tutti_bench_repeat_median(steps.seconds, setup->options->rounds),
            least = tutti_bench_repeat_least(steps.seconds, setup->options->rounds);
  TUTTI_TRY_GOTO(done, summarise_shard(setup, &steps, median, rows, shard));
  TUTTI_TRY_GOTO(done, summarise_shard(setup, &steps, least, rows, fastest));
done:
  free_steps(&steps);
  return status;
}

/** The best of all rounds counts, since other programs can only slow the arithmetic units down. */
tutti_status tutti_bench_measure_peak(const tutti_bench_setup *setup, double *one, double *all) {
  *one = *all = 0;
  for (int round = 0; round < setup->options->rounds; round++) {
    TUTTI_TRY(tutti_comm_barrier(setup->comm));
    double now = tutti_comm_rank(setup->comm) == 0 ? tutti_linalg_peak_flops(1, setup->options->round_s) : 0;
    TUTTI_TRY(tutti_comm_max(setup->comm, &now, 1));
    if (now > *one) *one = now;
    TUTTI_TRY(tutti_comm_barrier(setup->comm));
    now = tutti_linalg_peak_flops(tutti_linalg_threads(), setup->options->round_s);
    TUTTI_TRY(tutti_comm_sum(setup->comm, &now, 1));
    if (now > *all) *all = now;
  }
  return TUTTI_OK;
}
