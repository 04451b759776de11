/* The meter of a run, and what it sums during backward: squared norms of the gradients of single examples, or of ghost
 * groups of batch_norm, for the noise of the gradient.  train/gradients.c calls this with each part of a gradient while
 * it is in a cache.  layer_squares.c sums over layers, quantities.c makes the columns. */
#include "measure/meter.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "linalg/squares.h"
#include "measure/meter_impl.h"
#include "run/stages.h"

// --- create and destroy ----------------------------------------------------------------------------------

/** Whether the next step is measured, and how many steps it stands for.  If run.measure_every is a number, its
 * multiples are measured.  Otherwise the first step is measured, and from there on each `every`-th one, which depends
 * on the current batch size.  Multiples would be a bad choice there: if they lie a whole number of epochs apart, each
 * of them could be the short last batch of an epoch. */
static bool is_due(const tutti_run *run, int64_t *since) {
  const int64_t given = (int64_t)run->config->run.measure_every.value, step = run->state.at.step;
  if (given > 0) {
    *since = given;
    return (step + 1) % given == 0;
  }
  const int64_t every =
      tutti_measure_noise_every(tutti_stages_batch(&run->plan.stages, tutti_run_position(run).at));
  *since = step == 0 ? 1 : every;
  return step % every == 0;
}

static tutti_status list_layers(const tutti_model *model, tutti_meter *meter) {
  TUTTI_TRY(TUTTI_NEW(meter->layers, tutti_model_n_layers(model)));
  for (int i = 0; i < tutti_model_n_arrays(model); i++) {
    const tutti_model_array *array = tutti_model_array_at(model, i);
    if (!array->trainable) break;
    if (meter->n_layers == 0 || strcmp(meter->layers[meter->n_layers - 1].name, array->layer) != 0)
      meter->layers[meter->n_layers++].name = array->layer;
    meter->layers[meter->n_layers - 1].end = array->offset + array->n;
  }
  return TUTTI_OK;
}

static tutti_status allocate(const tutti_run *run, tutti_meter *meter) {
  const int rows = tutti_reducer_own_leaves(run->reducer).tail_rows;
  const tutti_slice *own = tutti_reducer_slice(run->reducer);
  const bool two_passes =
      tutti_optim_n_pieces(run->optim) > 0 || tutti_optim_n_norms(run->optim) > 0 || meter->gains;
  TUTTI_TRY(TUTTI_NEW(meter->groups, rows));
  TUTTI_TRY(TUTTI_NEW(meter->squares, rows));
  if ((meter->noise || meter->gains) && !meter->examples)
    TUTTI_TRY(TUTTI_NEW(meter->earlier, tutti_model_n_params(run->network.model)));
  if (meter->norms && two_passes) TUTTI_TRY(TUTTI_NEW(meter->before, own->n));
  if (meter->norms) TUTTI_TRY(TUTTI_NEW(meter->start, own->n));
  TUTTI_TRY(TUTTI_NEW(meter->places, own->n / TUTTI_BLOCK + 1 + meter->n_layers));
  return TUTTI_NEW(meter->sums, meter->n_layers);
}

/** Whether each micro-batch is one ghost group of batch_norm, so that the parts of the gradient are the same for all
 * numbers of ranks and leaves.  A micro-batch that shares its statistics with others is not an independent part. */
static bool has_parts(const tutti_run *run, int64_t batch) {
  const tutti_plan *plan = &run->plan;
  const int64_t grain = tutti_plan_grain(run->config, batch);
  return grain < batch && plan->micro_rows == grain && !tutti_plan_shares_groups(run->config, plan, batch);
}

/** Warn if the noise cannot be measured; refuse AdaScale, which depends on it. */
static tutti_status check_parts(const tutti_run *run) {
  static const char wanted[] =
      "with batch_norm it is that of ghost groups, each of which must be a micro-batch of its own, of one "
      "rank and with reduce=tree of one leaf; set ghost= to a part of the batch, set fewer parallel.leaves, "
      "and leave train.micro_batch_size at auto";
  if (has_parts(run, run->plan.stages.stages[0].batch)) return TUTTI_OK;
  TUTTI_CHECK(!run->meter->gains, TUTTI_ERR_CONFIG,
              "schedule.scaling: adascale needs the noise of the gradient, and %s", wanted);
  tutti_log_once(TUTTI_LOG_WARNING, "run.measure: the noise of the gradient will not be known: %s", wanted);
  return TUTTI_OK;
}

tutti_status tutti_meter_create(tutti_run *run) {
  const tutti_measure measure = run->config->run.measure;
  const tutti_model *model = run->network.model;
  const bool seen = measure != TUTTI_MEASURE_NONE && (!run->keeps_no_rows || run->observer);
  const bool gains = run->plan.base > 0;
  if (!seen && !gains) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(run->meter, 1));
  tutti_meter *meter = run->meter;
  meter->gains = gains;
  meter->noise = seen && (measure & TUTTI_MEASURE_NOISE);
  meter->norms = seen && (measure & TUTTI_MEASURE_NORMS);
  meter->examples = (meter->noise || gains) && tutti_model_has_examples(model);
  const int64_t base = run->config->schedule.base_batch_size;
  meter->base = base > 0 ? (double)base : 1;
  if ((gains || meter->noise) && !meter->examples) TUTTI_TRY(check_parts(run));
  TUTTI_TRY(list_layers(model, meter));
  TUTTI_TRY(allocate(run, meter));
  return tutti_meter_create_quantities(run, meter);
}

void tutti_meter_destroy(tutti_meter **handle) {
  tutti_meter *meter = *handle;
  if (!meter) return;
  void *const owned[] = {meter->groups,     meter->squares, meter->earlier, meter->layers,
                         meter->places,     meter->sums,    meter->before,  meter->start,
                         meter->quantities, meter->values,  meter->names};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
  tutti_free(meter);
  *handle = NULL;
}

bool tutti_meter_keeps_start(const tutti_run *run) {
  return run->meter && run->meter->norms;
}

tutti_status tutti_meter_start(tutti_run *run, const float *weights) {
  if (!tutti_meter_keeps_start(run)) return TUTTI_OK;
  return tutti_reducer_scatter(run->reducer, weights, run->meter->start);
}

void tutti_meter_forget_start(tutti_run *run) {
  const tutti_slice *own = tutti_reducer_slice(run->reducer);
  // Distances become NaN, and a value that is not finite is not recorded.
  for (int64_t i = 0; i < own->n; i++) run->meter->start[i] = NAN;
}

// --- gradients of leaves ---------------------------------------------------------------------------------

/** Whether the noise of this step is measured. */
static bool sees_noise(const tutti_meter *meter) {
  return meter->gains || (meter->on && meter->noise);
}

void tutti_meter_begin_step(tutti_run *run) {
  tutti_meter *meter = run->meter;
  if (!meter) return;
  meter->on = (meter->noise || meter->norms) && is_due(run, &meter->since);
  meter->parts = sees_noise(meter) && !meter->examples &&
                 has_parts(run, tutti_plan_batch(&run->plan, tutti_run_position(run)).count);
  memset(meter->sums, 0, (size_t)meter->n_layers * sizeof *meter->sums);
}

double *tutti_meter_examples(tutti_run *run, int n) {
  tutti_meter *meter = run->meter;
  if (!meter || !sees_noise(meter)) return NULL;
  memset(meter->groups, 0, (size_t)n * sizeof *meter->groups);
  memset(meter->squares, 0, (size_t)n * sizeof *meter->squares);
  return meter->examples ? meter->squares : NULL;
}

bool tutti_meter_sees_leaves(const tutti_run *run) {
  return run->meter && run->meter->parts;
}

void tutti_meter_leaf(tutti_run *run, const tutti_micro_batch *micro_batch, int leaf, int64_t begin,
                      int64_t n, const float *grads) {
  if (!tutti_meter_sees_leaves(run)) return;
  // The leaf's buffer has the sum up to here, so the micro-batch's own gradient is the difference to the sum before.
  float *earlier = run->meter->earlier + begin;
  run->meter->groups[leaf - micro_batch->leaf] += micro_batch->begins
                                                      ? tutti_linalg_squares(grads, n)
                                                      : tutti_linalg_squares_of_difference(grads, earlier, n);
  if (!micro_batch->ends) memcpy(earlier, grads, (size_t)n * sizeof *grads);
}

void tutti_meter_micro_batch(tutti_run *run, const tutti_micro_batch *micro_batch, int64_t batch_count,
                             double (*tail)[TUTTI_N_TAIL]) {
  const tutti_meter *meter = run->meter;
  if (!meter || !sees_noise(meter)) return;
  // The loss is divided by the global batch B, so the buffers have sums of gradients / B.  The mean gradient of a group
  // of b samples is B / b times its sum; the estimate needs b times its square: B^2 / b times the square of the sum.
  const double scale = (double)batch_count * (double)batch_count;
  for (int i = 0; i < micro_batch->n_leaves; i++) {
    const int64_t rows = run->step.leaf_ends[i] - (i ? run->step.leaf_ends[i - 1] : 0);
    if (rows == 0) continue;
    tail[i][TUTTI_TAIL_GROUPS] += meter->parts;
    tail[i][TUTTI_TAIL_GROUP_SQUARES] += scale * meter->groups[i] / (double)rows;
    tail[i][TUTTI_TAIL_EXAMPLE_SQUARES] += scale * meter->squares[i];
  }
}

// --- the end of a step -----------------------------------------------------------------------------------

/** tutti_measure_noise_sums.mixed: the batch takes `first` samples from the current epoch, `whole` times all n, and the
 * rest from one more epoch. */
static double mixed(const tutti_run *run) {
  const tutti_range batch = tutti_plan_batch(&run->plan, tutti_run_position(run));
  const double n = (double)run->samples.train.n, count = (double)batch.count;
  const double first = fmin(n - (double)batch.begin, count), whole = floor((count - first) / n),
               rest = count - first - whole * n;
  return count * count - (first * first + whole * n * n + rest * rest);
}

tutti_measure_noise_sums tutti_meter_noise(const tutti_run *run, const double *tail, double square) {
  const bool examples = run->meter->examples;
  return (tutti_measure_noise_sums){
      .groups = tail[examples ? TUTTI_TAIL_SAMPLES : TUTTI_TAIL_GROUPS],
      .squares = tail[examples ? TUTTI_TAIL_EXAMPLE_SQUARES : TUTTI_TAIL_GROUP_SQUARES],
      .batch = tail[TUTTI_TAIL_SAMPLES],
      .square = square,
      .population = (double)run->samples.train.n,
      .mixed = mixed(run)};
}

tutti_status tutti_meter_end_step(tutti_run *run, const double *tail) {
  if (!tutti_meter_is_on(run)) return TUTTI_OK;
  tutti_meter *meter = run->meter;
  TUTTI_TRY(
      tutti_reducer_sum_slices(run->reducer, meter->sums[0], (int64_t)meter->n_layers * TUTTI_N_SQUARES));
  // The sums are the same on all ranks, but only rank 0 has rows.
  if (run->rank != 0) return TUTTI_OK;
  double square = 0;
  for (int i = 0; i < meter->n_layers; i++) square += meter->sums[i][TUTTI_OF_GRADIENT];
  const tutti_measure_noise_sums sums = tutti_meter_noise(run, tail, square);
  tutti_meter_add_step(run, &sums);
  return TUTTI_OK;
}
