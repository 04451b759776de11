#pragma once
/** The meter's struct, and how its files share the work: meter.c and layer_squares.c sum during a step, quantities.c
 * turns the sums into the columns of rows, gain.c uses the noise for AdaScale. */
#include "measure/meter.h"
#include "measure/noise_impl.h"

/** Sums of squares that are kept for each layer. */
enum { TUTTI_OF_GRADIENT, TUTTI_OF_WEIGHTS, TUTTI_OF_UPDATE, TUTTI_OF_DISTANCE, TUTTI_N_SQUARES };

/** X(code, name, value of run.measure that shows it, rows have its mean instead of its last value).  A quantity that no
 * value shows is only averaged, for others.  Those from EXAMPLE_TRACE to DIVERSITY need the gradients of single
 * examples. */
#define TUTTI_QUANTITY_LIST(X)                                                                               \
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
#define X(code, name, set, mean) TUTTI_QUANTITY_##code,
  TUTTI_QUANTITY_LIST(X)
#undef X
      TUTTI_N_QUANTITIES // after these come three for each layer: the norms of gradient, weights and update
};

/** The values of one quantity, as a checkpoint has them. */
typedef struct {
  double last;                      // the last measured value; NaN: none yet
  double sum[TUTTI_METER_TABLES];   // of the values since the last row of a table
  double count[TUTTI_METER_TABLES]; // of these values
  tutti_checkpoint_smoothed average;
} tutti_quantity_values;

typedef struct {
  char name[96];
  int column; // of run->state.rows.more; -1: it is not shown
  bool mean;  // rows have the mean of the values since the last row, else the last value
} tutti_quantity;

typedef struct {
  const char *name; // borrowed from the model
  int64_t end;      // of its parameters; they begin at the end of the layer before
} tutti_meter_layer;

struct tutti_meter {
  bool noise, norms; // run.measure
  bool examples;     // noise is that of single examples, else that of ghost groups of batch_norm
  bool gains;        // AdaScale needs the noise of every step
  double base;       // samples of AdaScale's reference batch
  bool on;           // this step is measured
  bool parts;        // in this step the gradients of leaves are looked at
  int64_t since;     // steps since the measured step before, for which this one stands

  // Gradients of leaves.
  double *groups;  // [max(1, own leaves)] squared norm of the micro-batch's gradient in each of its leaves
  double *squares; // [max(1, own leaves)] sum of the squared norms of its examples' gradients
  float *earlier;  // [n_params] a leaf's sum before this micro-batch; NULL: no ghost groups are measured

  // Parameters.  Each block and layer of a pass has a place of its own for its sums, so that the threads need no order.
  tutti_meter_layer *layers; // [n_layers] the layers with parameters
  int n_layers;
  double (*places)[TUTTI_N_SQUARES]; // [blocks of the slice + n_layers] of a pass
  double (*sums)[TUTTI_N_SQUARES];   // [n_layers] of the step
  float *before;                     // [slice] the parameters before this step; NULL: not needed
  float *start;                      // [slice] the first parameters; NULL: not needed

  // The results; only rank 0 fills them.
  int n_quantities;
  tutti_quantity *quantities;    // [n_quantities]
  tutti_quantity_values *values; // [n_quantities]
  const char **names;            // [n_quantities] borrowed from quantities
};

/** Local.  Whether this step is measured. */
static inline bool tutti_meter_is_on(const tutti_run *run) {
  return run->meter && run->meter->on;
}

/** Local, between the reduction and an update.  The sums of the step's noise, for a gradient whose |g|^2 is `square`.
 * @param[in] tail  [TUTTI_N_TAIL] reduced */
tutti_measure_noise_sums tutti_meter_noise(const tutti_run *run, const double *tail, double square);

/** Local, quantities.c.  Make the list of quantities, with their columns.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_meter_create_quantities(tutti_run *run, tutti_meter *meter);

/** Local.  Add the sums of a measured step to the quantities of run->meter. */
void tutti_meter_add_step(const tutti_run *run, const tutti_measure_noise_sums *sums);
