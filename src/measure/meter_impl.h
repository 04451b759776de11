#pragma once
/** Private to meter.c and readings.c. */
#include "measure/meter.h"
#include "measure/noise.h"

/** Sums of squares of a layer's numbers. */
enum { TUTTI_OF_GRADIENT, TUTTI_OF_WEIGHTS, TUTTI_OF_UPDATE, TUTTI_OF_DISTANCE, TUTTI_N_SQUARES };

/** X(code, name, shown in which of the sets of run.measure, whether rows have its mean).  Those of no set are averaged
 * for others. */
#define TUTTI_READING_LIST(X)                                                                                \
  X(GRAD_NORM, "grad_norm", TUTTI_MEASURE_ALL, true)                                                         \
  X(TRACE, "trace", TUTTI_MEASURE_NOISE, true)                                                               \
  X(GRAD_SQUARED, "grad_squared", TUTTI_MEASURE_NOISE, true)                                                 \
  X(NOISE_SCALE, "noise_scale", TUTTI_MEASURE_NOISE, false)                                                  \
  X(EXAMPLE_TRACE, "example_trace", TUTTI_MEASURE_NOISE, true)                                               \
  X(EXAMPLE_GRAD_SQUARED, "example_grad_squared", TUTTI_MEASURE_NOISE, true)                                 \
  X(EXAMPLE_NOISE_SCALE, "example_noise_scale", TUTTI_MEASURE_NOISE, false)                                  \
  X(DIVERSITY, "diversity", TUTTI_MEASURE_NOISE, true)                                                       \
  X(ADASCALE_VARIANCE, "adascale_variance", TUTTI_MEASURE_NONE, true)                                        \
  X(ADASCALE_SQUARE, "adascale_square", TUTTI_MEASURE_NONE, true)                                            \
  X(ADASCALE_GAIN, "adascale_gain", TUTTI_MEASURE_NOISE, false)                                              \
  X(ADASCALE_STEPS, "adascale_steps", TUTTI_MEASURE_NOISE, false)                                            \
  X(DISTANCE, "distance", TUTTI_MEASURE_NORMS, false)                                                        \
  X(WEIGHT_NORM, "weight_norm", TUTTI_MEASURE_NORMS, false)                                                  \
  X(UPDATE_NORM, "update_norm", TUTTI_MEASURE_NORMS, true)

enum {
#define X(code, name, set, mean) TUTTI_READING_##code,
  TUTTI_READING_LIST(X)
#undef X
      TUTTI_N_READINGS // then three of each layer: norms of gradient, weights, update
};

/** The values of one quantity, as a checkpoint has them. */
typedef struct {
  double last;                                               // measured; NaN: none yet
  double sum[TUTTI_METER_TABLES], count[TUTTI_METER_TABLES]; // measured since the table's last row
  tutti_smoothed average;
} tutti_reading;

typedef struct {
  char name[96];
  int column; // of run->state.rows.more; -1: none
  bool mean;  // of the values since the last row, else the last one
} tutti_quantity;

typedef struct {
  const char *name; // borrowed from the model
  int64_t end;      // of its parameters, which begin where those of the layer before end
} tutti_meter_layer;

struct tutti_meter {
  bool noise, norms, examples; // what is measured
  bool gains;                  // AdaScale wants the noise of every step, for its gain
  double base;                 // samples of AdaScale's reference batch
  bool on;                     // this step is measured
  bool parts;                  // and the gradients of its parts are looked at
  int64_t since;               // and stands for so many, those since the measured one before

  // Of the gradients of leaves.
  double *groups, *squares; // [max(1, own leaves)] of groups and examples of the micro-batch
  float *earlier;           // [n_params] a leaf's sum before this micro-batch; NULL without noise

  // Of parameters: a pass's sums lie in places of their own, one for each block and layer, so that threads need no order.
  tutti_meter_layer *layers; // [n_layers] with parameters
  int n_layers;
  int64_t begin;                     // of this rank's slice
  double (*places)[TUTTI_N_SQUARES]; // of a pass
  double (*sums)[TUTTI_N_SQUARES];   // [n_layers] of the step
  float *before, *start; // [slice] the parameters before this step, and at first; NULL: not wanted

  // What it comes to; on rank 0 alone.
  int n_quantities;
  tutti_quantity *quantities; // [n_quantities]
  tutti_reading *readings;    // [n_quantities]
  const char **names;         // [n_quantities] borrowed from quantities
};

/** Readings (readings.c): which there are, with their columns; what the step's sums come to. */
TUTTI_NODISCARD
tutti_status tutti_readings_create(tutti_run *run, tutti_meter *meter);
void tutti_readings_note(tutti_meter *meter, const tutti_noise_sums *sums);
/** AdaScale's, where the training goes by it. */
void tutti_readings_note_gain(tutti_meter *meter, double gain, double steps);
