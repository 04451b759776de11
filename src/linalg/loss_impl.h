#pragma once
/** What the files of the losses share: loss.c chooses, loss_outputs.c and loss_categorical.c compute.  Their targets
 * have no weights. */
#include "linalg/loss.h"

/** The index of the largest of values[n]; of equal ones, the first. */
static inline int64_t tutti_loss_largest(const float *values, int64_t n) {
  int64_t best = 0;
  for (int64_t j = 1; j < n; j++)
    if (values[j] > values[best]) best = j;
  return best;
}

/** What an output decides for a label of its own: the side of the threshold, which is 0 for logits and for margins. */
static inline bool tutti_loss_says_one(float output) {
  return output > 0;
}

/** The losses[end - begin] and metrics[end - begin] of some parts of a batch, by one of several threads. */
typedef void tutti_loss_part(const void *context, int64_t begin, int64_t end, double *losses,
                             double *metrics);

/** Add losses and metrics of n parts in their order, so that the sums do not depend on the threads.
 * @param[in] unit  parts that one thread has at least
 * @param[in] ns    about the time of a part, in nanoseconds */
void tutti_loss_add_parts(int64_t n, int64_t unit, double ns, tutti_loss_part *part, const void *context,
                          double *loss_sum, double *metric_sum);

/** tutti_loss_rows and tutti_loss_curvature of the losses that are means over the outputs of a sample. */
void tutti_loss_outputs(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                        double scale, double *loss_sum, double *metric_sum, float *dz);
void tutti_loss_outputs_curvature(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows,
                                  int64_t n, double scale, const float *tz, float *out);

/** The same of the categorical cross-entropy. */
void tutti_loss_categorical_crossentropy(const float *z, tutti_targets targets, int64_t rows, int64_t n,
                                         double scale, double *loss_sum, double *metric_sum, float *dz);
void tutti_loss_categorical_crossentropy_curvature(const float *z, tutti_targets targets, int64_t rows,
                                                   int64_t n, double scale, const float *tz, float *out);
