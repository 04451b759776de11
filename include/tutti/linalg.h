#pragma once
/** Dense float kernels: matrix products, activations, softmax and losses.  Local; nothing here allocates.  All
 * matrices are row-major.  Each kernel has a slow twin in double precision in tests/support/linalg_twin.h.  The tests
 * compare the kernel with it. */
#include <stdbool.h>

#include "tutti/base.h"

/** The activations, from the rows of activations.def. */
typedef enum {
#define ACTIVATION(code, word, ...) TUTTI_##code,
#define ROW_ACTIVATION(code, word)  TUTTI_##code,
#include "tutti/activations.def"
  TUTTI_N_ACTIVATIONS
} tutti_activation;

/** The losses, from the rows of losses.def; LOSS_AUTO stands for the one that fits the last layer. */
typedef enum {
  TUTTI_LOSS_AUTO,
#define LOSS(code, word, ...)     TUTTI_##code,
#define ROW_LOSS(code, word, ...) TUTTI_##code,
#include "tutti/losses.def"
  TUTTI_N_LOSSES
} tutti_loss;

/** The targets of samples: either classes or values are set.  Class c stands for the value c if there is one output,
 * and for a row with 1 in column c and 0 elsewhere if there are several. */
typedef struct {
  const int32_t *classes; // [rows], each in [0, n_out); 0 or 1 if n_out is 1
  const float *values;    // [rows, n_out]
  const float *weights;   // [rows] factors of the losses, finite and >= 0; NULL: 1
  // In [0, 1), for losses that take it (tutti_loss_takes_smoothing).  As in Keras, this part of each target is spread
  // evenly over the classes, t (1 - smoothing) + smoothing / n_out, or over the two sides of an output that is a label
  // of its own.
  double smoothing;
  bool one_hot; // binary, hinge: exactly one output of a sample is right, and the metric counts samples
} tutti_targets;

/** The order in which the terms of an element of a product are added.
 * - ANY chooses the fastest loops for the shape, our own or those of the BLAS: as measured (tutti_matmul_by), or by a
 *   rule that depends on the shape alone.
 * - IN_ORDER chooses our own loops.  The bits of an element then depend only on its own factors, not on other rows or
 *   threads.
 * - BY_BLAS chooses the BLAS. */
typedef enum { TUTTI_SUM_ANY, TUTTI_SUM_IN_ORDER, TUTTI_SUM_BY_BLAS } tutti_sum_order;

typedef struct tutti_matmul_choices tutti_matmul_choices;

/** The numbers that products multiply; their sums are always float32. */
typedef enum { TUTTI_COMPUTE_FLOAT32, TUTTI_COMPUTE_BFLOAT16, TUTTI_N_COMPUTES } tutti_compute;

extern const char *const tutti_matmul_computes[TUTTI_N_COMPUTES]; // "float32", "bfloat16"

/** How the products of a network are computed.  All ranks have the same. */
typedef struct {
  tutti_sum_order order;
  tutti_compute compute;
  float *scratch;                      // [tutti_matmul_scratch] borrowed; for bfloat16 alone, else NULL
  const tutti_matmul_choices *choices; // borrowed; NULL: nothing is measured
} tutti_matmul_by;

/** Names in the order of the enums. */
extern const char *const tutti_activation_names[TUTTI_N_ACTIVATIONS];
extern const char *const tutti_loss_names[TUTTI_N_LOSSES];

/** The BLAS as it describes itself, for reports: "OpenBLAS 0.3.21 Zen", "BLIS 0.9.0 skx", and whether this
 * program chose the kernels.  Valid until the thread's next call. */
const char *tutti_blas_description(void);

/** Set the threads of each call, for products and for loops (n < 1 is 1).  If their number changes, measure for a
 * millisecond what it costs to start them; a loop that is done sooner runs on one thread.  Local to the process; not
 * while another thread is in a call. */
void tutti_linalg_set_threads(int n);

/** The number of threads; 1 before it is set, whatever the BLAS started with. */
int tutti_linalg_threads(void);
