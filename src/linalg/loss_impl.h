#pragma once
/** What the files of the losses share. */
#include "linalg/loss.h"

/** The targets of row i alone, without its weight. */
tutti_targets tutti_targets_of_row(tutti_targets targets, int64_t i, int64_t n);

/** The largest of values[n], the first of several. */
int64_t tutti_loss_largest(const float *values, int64_t n);

/** tutti_loss_rows of the categorical cross-entropy. */
void tutti_loss_categorical(const float *z, tutti_targets targets, int64_t rows, int64_t n, double scale,
                            double *loss_sum, double *metric_sum, float *dz);
