/** What a training step costs, beside its matrix products alone. */
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "bench/endless.h"
#include "bench/products_impl.h"
#include "support/numbers.h"
#include "support/reference_net.h"
#include "train/train_impl.h"

static tutti_status step(void *context) {
  tutti_train_step_result result;
  return endless_step(context, &result);
}

// --- verify

/** The first batch, and the weights, in double. */
typedef struct {
  int64_t *ids;
  float *x;
  double *wide_x, *params;
  int32_t *classes;
} first_batch;

static tutti_status gather_first(const tutti_run *run, first_batch *f) {
  const int64_t n = run->plan.epoch.batch, n_in = tutti_dataset_n_features(run->dataset),
                n_params = tutti_model_n_params(run->network.model);
  TUTTI_TRY(TUTTI_NEW(f->ids, n));
  TUTTI_TRY(TUTTI_NEW(f->x, n * n_in));
  TUTTI_TRY(TUTTI_NEW(f->wide_x, n * n_in));
  TUTTI_TRY(TUTTI_NEW(f->params, n_params));
  TUTTI_TRY(TUTTI_NEW(f->classes, n));
  const tutti_permutation order =
      tutti_permutation_make(run->samples.train.n, run->config->train.seed, TUTTI_STREAM_SHUFFLE, 0);
  for (int64_t i = 0; i < n; i++) f->ids[i] = tutti_permutation_at(&order, i);
  tutti_samples_rows(&run->samples.train, n, f->ids);
  tutti_dataset_gather(run->dataset, TUTTI_ROWS_TRAIN, f->ids, n, f->x);
  tutti_dataset_gather_classes(run->dataset, TUTTI_ROWS_TRAIN, f->ids, n, f->classes);
  numbers_widen(f->x, n * n_in, f->wide_x);
  numbers_widen(tutti_reducer_params(run->reducer), n_params, f->params);
  return TUTTI_OK;
}

/** The loss that the first step has to give, by a network in double. */
static tutti_status expect(const tutti_run *run, double *loss) {
  const int64_t n = run->plan.epoch.batch;
  first_batch f = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, gather_first(run, &f));
  const reference_net net = {.layers = run->config->model.layers,
                             .n_layers = (int)run->config->model.n_layers,
                             .n_in = tutti_dataset_n_features(run->dataset),
                             .loss = tutti_model_loss_kind(run->network.model)};
  const tutti_model_pass pass = {.training = true, .seed = run->config->train.seed, .batch_count = n};
  *loss =
      reference_net_run(&net, f.params, NULL, &pass, f.wide_x, (tutti_targets){.classes = f.classes}, n, NULL)
          .loss;
done:
  tutti_free(f.ids);
  tutti_free(f.x);
  tutti_free(f.wide_x);
  tutti_free(f.params);
  tutti_free(f.classes);
  return status;
}

/** Collective. */
static tutti_status check_step(void *context, double *checksum) {
  tutti_run *run = context;
  double expected = 0;
  const tutti_status local = run->rank == 0 ? expect(run, &expected) : TUTTI_OK;
  TUTTI_TRY(tutti_comm_agree_from(run->comm, 0, local));
  tutti_train_step_result result;
  TUTTI_TRY(tutti_train_step(run, NULL, &result));
  *checksum = result.loss;
  TUTTI_CHECK(result.samples == (double)run->plan.epoch.batch, TUTTI_ERR_INTERNAL,
              "a step of %.9g samples, not %lld", result.samples, (long long)run->plan.epoch.batch);
  TUTTI_CHECK(run->rank > 0 || fabs(result.loss - expected) <= 1e-5 * expected, TUTTI_ERR_INTERNAL,
              "the loss of the first batch is %.9g, expected %.9g", result.loss, expected);
  return TUTTI_OK;
}

// --- the cases

/** The products of the largest part of a batch, by the BLAS: the same baseline on all ranks. */
typedef struct {
  tutti_bench_products *products;
  int64_t rows;
} product_work;

static tutti_status multiply(product_work *work, bool by_blas) {
  const tutti_probe_micro_batch pass = {.rows = (int)work->rows, .n_leaves = 1, .leaf_ends = &work->rows};
  tutti_bench_products_pass(work->products, &pass, by_blas);
  return TUTTI_OK;
}

static tutti_status run_products(void *context) {
  return multiply(context, true);
}

/** The BLAS against the products of a training. */
static tutti_status check_products(void *context, double *checksum) {
  product_work *work = context;
  TUTTI_TRY(multiply(work, false));
  const double expected = tutti_bench_products_sum(work->products, work->rows);
  TUTTI_TRY(multiply(work, true));
  *checksum = tutti_bench_products_sum(work->products, work->rows);
  TUTTI_CHECK(fabs(*checksum - expected) <= 1e-5 * expected, TUTTI_ERR_INTERNAL,
              "products alone: the results add up to %.9g, expected %.9g", *checksum, expected);
  return TUTTI_OK;
}

static tutti_status create_products(const tutti_run *run, product_work *work) {
  int rows = 0;
  work->rows = tutti_shard_largest(run->plan.epoch.batch, 1, run->size);
  TUTTI_TRY(tutti_to_int(work->rows, "samples", &rows));
  return tutti_bench_products_create(run->network.model, rows, &work->products);
}

static tutti_status measure(const bench *b, tutti_run *run, const char *shape) {
  product_work products = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(b->comm, create_products(run, &products)));
  const double samples = (double)run->plan.epoch.batch,
               flops = tutti_bench_products_flops(products.products, run->plan.epoch.batch);
  const bench_variant variants[] = {
      {.name = "products", .run = run_products, .check = check_products, .context = &products},
      {.name = tutti_reducer_name(run->reducer), .run = step, .check = check_step, .context = run}};
  TUTTI_TRY_GOTO(done, bench_run(b, &(bench_case){"step", shape, samples, flops, "GFLOP/s", variants, 2}));
done:
  tutti_bench_products_destroy(&products.products);
  return status;
}

static tutti_status run_batch(const bench *b, const char *file, int64_t batch, const char *shape) {
  return endless_train(b, file, batch, shape, measure);
}

static tutti_status run_all(const bench *b) {
  static const int64_t batches[] = {16, 64, 128, 1024, 8192}, short_batches[] = {1, 2, 7, 32, 100};
  return endless_batches(b, "step", b->is_short ? short_batches : batches, 5, run_batch);
}

int main(int argc, char **argv) {
  return bench_main(
      argc, argv,
      &(bench_program){
          .name = "bench_step",
          .question =
              "How long does a training step take, compared with its matrix products?  The baseline is the\n"
              "products of the largest shard by the BLAS.  The other row, which has the name of the reducer, "
              "is\n"
              "the whole step: gather, forward, loss, backward, reduction, update.  The shape is the global "
              "batch.\n"
              "  --layers='dense 512 relu, dense 10 softmax'  --optimizer=rmsprop  --reduce=auto\n"
              "  --file=DATA.h5  data with classes; by default they are made up, with 784 features like "
              "pixels",
          .options = (const char *const[]){ENDLESS_OPTIONS, "file", NULL}},
      run_all);
}
