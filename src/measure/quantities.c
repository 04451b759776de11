/* The quantities that a meter measures: which there are, which of them are columns, and their values from the sums of a
 * step.  McCandlish et al. (arXiv 1812.06162) give the noise scale, Johnson et al. (arXiv 2007.05105) AdaScale's gain;
 * noise.c has the formulas.  meter.c calls this after each measured step, the room train before each row. */
#include <math.h>
#include <stdio.h>

#include "measure/meter_impl.h"

enum { PER_LAYER = 3 };

// --- the list --------------------------------------------------------------------------------------------

static bool is_shown(const tutti_meter *meter, int quantity, tutti_measure set) {
  const bool of_examples = quantity >= TUTTI_QUANTITY_EXAMPLE_TRACE && quantity <= TUTTI_QUANTITY_DIVERSITY;
  if (of_examples && !meter->examples) return false;
  return ((set & TUTTI_MEASURE_NOISE) && meter->noise) || ((set & TUTTI_MEASURE_NORMS) && meter->norms);
}

static tutti_status add_quantity(tutti_run *run, tutti_meter *meter, bool shown, bool mean) {
  tutti_quantity *quantity = &meter->quantities[meter->n_quantities];
  quantity->mean = mean;
  quantity->column = -1;
  meter->names[meter->n_quantities] = quantity->name;
  meter->values[meter->n_quantities].last = NAN;
  meter->n_quantities++;
  return shown ? tutti_run_add_column(run, quantity->name, &quantity->column) : TUTTI_OK;
}

/** Each layer has three norms; the distance from the first weights is that of all layers together. */
static tutti_status add_layers(tutti_run *run, tutti_meter *meter) {
  static const char *const norms[PER_LAYER] = {"grad_norm", "weight_norm", "update_norm"};
  static const bool means[PER_LAYER] = {true, false, true};
  for (int i = 0; i < meter->n_layers; i++)
    for (int k = 0; k < PER_LAYER; k++) {
      snprintf(meter->quantities[meter->n_quantities].name, sizeof meter->quantities->name, "%s.%s", norms[k],
               meter->layers[i].name);
      TUTTI_TRY(add_quantity(run, meter, meter->norms, means[k]));
    }
  return TUTTI_OK;
}

tutti_status tutti_meter_create_quantities(tutti_run *run, tutti_meter *meter) {
  static const struct {
    const char *name;
    tutti_measure set;
    bool mean;
  } all[TUTTI_N_QUANTITIES] = {
#define X(code, name, set, mean) {name, set, mean},
      TUTTI_QUANTITY_LIST(X)
#undef X
  };
  const int64_t n = TUTTI_N_QUANTITIES + (int64_t)PER_LAYER * meter->n_layers;
  // The list never grows later: meter->names borrows from its elements.
  TUTTI_TRY(TUTTI_NEW(meter->quantities, n));
  TUTTI_TRY(TUTTI_NEW(meter->values, n));
  TUTTI_TRY(TUTTI_NEW(meter->names, n));
  for (int i = 0; i < TUTTI_N_QUANTITIES; i++) {
    snprintf(meter->quantities[i].name, sizeof meter->quantities[i].name, "%s", all[i].name);
    TUTTI_TRY(add_quantity(run, meter, is_shown(meter, i, all[i].set), all[i].mean));
  }
  return add_layers(run, meter);
}

// --- a step ----------------------------------------------------------------------------------------------

/** Add a value to the sums of all tables.  A value that is not finite is unknown and does not count. */
static void note(tutti_meter *meter, int i, double value) {
  tutti_quantity_values *values = &meter->values[i];
  if (!isfinite(value)) return;
  values->last = value;
  for (int table = 0; table < TUTTI_METER_TABLES; table++) {
    values->sum[table] += value;
    values->count[table] += 1;
  }
}

/** Add a value to the sums and to its average.  @return the average */
static double smooth(tutti_meter *meter, int i, double value, double decay) {
  note(meter, i, value);
  return tutti_measure_smoothed_add(&meter->values[i].average, value, decay);
}

/** Noise scale = trace / grad_squared.  Both are averaged by themselves, because a mean of ratios would be biased. */
static void note_noise(tutti_meter *meter, const tutti_measure_noise_sums *sums, int trace, int squared,
                       int scale) {
  const tutti_measure_noise noise = tutti_measure_noise_estimate(sums);
  const double decay = tutti_measure_noise_decay(sums->batch * (double)meter->since);
  const double numerator = smooth(meter, trace, noise.trace, decay);
  const double denominator = smooth(meter, squared, noise.grad_squared, decay);
  if (isfinite(noise.trace)) note(meter, scale, numerator / denominator);
}

/** The gain that AdaScale would have.  A measured step stands for all steps since the one before, so its gain counts as
 * often. */
static void note_adascale(tutti_meter *meter, const tutti_measure_noise_sums *sums) {
  const double k = sums->batch / meter->base;
  const tutti_measure_adascale one = tutti_measure_adascale_estimate(sums, meter->base);
  const double decay = tutti_measure_adascale_decay(k, (double)meter->since);
  if (!isfinite(one.variance)) return;
  const tutti_measure_adascale smoothed = {
      .variance = smooth(meter, TUTTI_QUANTITY_ADASCALE_VARIANCE, one.variance, decay),
      .square = smooth(meter, TUTTI_QUANTITY_ADASCALE_SQUARE, one.square, decay)};
  const double gain = tutti_measure_adascale_gain(smoothed, k);
  const double before = meter->values[TUTTI_QUANTITY_ADASCALE_STEPS].last;
  note(meter, TUTTI_QUANTITY_ADASCALE_GAIN, gain);
  note(meter, TUTTI_QUANTITY_ADASCALE_STEPS, (isnan(before) ? 0 : before) + gain * (double)meter->since);
}

/** Norms of the layers, and of all of them together. */
static void note_norms(tutti_meter *meter) {
  double all[TUTTI_N_SQUARES] = {0};
  for (int layer = 0; layer < meter->n_layers; layer++) {
    const double *sums = meter->sums[layer];
    const int first = TUTTI_N_QUANTITIES + PER_LAYER * layer;
    for (int i = 0; i < TUTTI_N_SQUARES; i++) all[i] += sums[i];
    note(meter, first, sqrt(sums[TUTTI_OF_GRADIENT]));
    note(meter, first + 1, sqrt(sums[TUTTI_OF_WEIGHTS]));
    note(meter, first + 2, sqrt(sums[TUTTI_OF_UPDATE]));
  }
  note(meter, TUTTI_QUANTITY_WEIGHT_NORM, sqrt(all[TUTTI_OF_WEIGHTS]));
  note(meter, TUTTI_QUANTITY_UPDATE_NORM, sqrt(all[TUTTI_OF_UPDATE]));
  note(meter, TUTTI_QUANTITY_DISTANCE, sqrt(all[TUTTI_OF_DISTANCE]));
}

void tutti_meter_add_step(const tutti_run *run, const tutti_measure_noise_sums *sums) {
  tutti_meter *meter = run->meter;
  note(meter, TUTTI_QUANTITY_GRAD_NORM, sqrt(sums->square));
  if (meter->norms) note_norms(meter);
  if (!meter->noise) return;
  note_noise(meter, sums, TUTTI_QUANTITY_TRACE, TUTTI_QUANTITY_GRAD_SQUARED, TUTTI_QUANTITY_NOISE_SCALE);
  if (meter->gains) { // a training with AdaScale has the gain that it really used
    note(meter, TUTTI_QUANTITY_ADASCALE_GAIN, run->step.gain);
    note(meter, TUTTI_QUANTITY_ADASCALE_STEPS, run->state.at.gained + run->step.gain);
  } else {
    note_adascale(meter, sums);
  }
  if (!meter->examples) return;
  note_noise(meter, sums, TUTTI_QUANTITY_EXAMPLE_TRACE, TUTTI_QUANTITY_EXAMPLE_GRAD_SQUARED,
             TUTTI_QUANTITY_EXAMPLE_NOISE_SCALE);
  note(meter, TUTTI_QUANTITY_DIVERSITY, tutti_measure_noise_diversity(sums));
}

// --- rows and checkpoints --------------------------------------------------------------------------------

void tutti_meter_read(tutti_run *run, tutti_meter_table table) {
  const tutti_meter *meter = run->meter;
  for (int i = 0; meter && i < meter->n_quantities; i++) {
    const tutti_quantity *quantity = &meter->quantities[i];
    const tutti_quantity_values *values = &meter->values[i];
    // Quantities without a column are averages that others are made of.
    if (quantity->column < 0) continue;
    const double count = values->count[table];
    run->state.rows.more[quantity->column] = count == 0       ? NAN
                                             : quantity->mean ? values->sum[table] / count
                                                              : values->last;
  }
}

void tutti_meter_clear(tutti_run *run, tutti_meter_table table) {
  tutti_meter *meter = run->meter;
  for (int i = 0; meter && i < meter->n_quantities; i++)
    meter->values[i].sum[table] = meter->values[i].count[table] = 0;
}

tutti_checkpoint_table tutti_meter_state(const tutti_run *run) {
  // The last two are stored for a trial alone: other observers start with the process.
  static const tutti_column columns[] = {
      {"last", TUTTI_F64, offsetof(tutti_quantity_values, last)},
      {"sum_of_steps", TUTTI_F64, offsetof(tutti_quantity_values, sum[TUTTI_METER_STEPS])},
      {"count_of_steps", TUTTI_F64, offsetof(tutti_quantity_values, count[TUTTI_METER_STEPS])},
      {"sum_of_epochs", TUTTI_F64, offsetof(tutti_quantity_values, sum[TUTTI_METER_EPOCHS])},
      {"count_of_epochs", TUTTI_F64, offsetof(tutti_quantity_values, count[TUTTI_METER_EPOCHS])},
      {"average_sum", TUTTI_F64, offsetof(tutti_quantity_values, average.sum)},
      {"average_weight", TUTTI_F64, offsetof(tutti_quantity_values, average.weight)},
      {"sum_of_observed", TUTTI_F64, offsetof(tutti_quantity_values, sum[TUTTI_METER_OBSERVED])},
      {"count_of_observed", TUTTI_F64, offsetof(tutti_quantity_values, count[TUTTI_METER_OBSERVED])},
  };
  const int n_columns = (int)(sizeof columns / sizeof *columns) - (run->save_every > 0 ? 0 : 2);
  const tutti_meter *meter = run->meter;
  if (!meter) return (tutti_checkpoint_table){.n = 0};
  return (tutti_checkpoint_table){.name = "/measured",
                                  .layout = {columns, n_columns, sizeof(tutti_quantity_values)},
                                  .names = meter->names,
                                  .records = meter->values,
                                  .n = meter->n_quantities};
}
