#pragma once
/** Losses and metrics, summed over samples in double.  Local.
 *
 * The cross-entropies take logits: softmax (categorical) or sigmoid (binary) is part of them, so that a
 * probability that underflows costs a finite loss.  The others take outputs.  All but the categorical one are
 * means over the outputs of a sample, as in Keras; huber has delta 1; hinge takes labels 0 for -1. */
#include "tutti/linalg.h"

/** The activation that the loss contains and that has to be the last of the network; LINEAR: none. */
tutti_activation tutti_loss_activation(tutti_loss loss);

/** The loss that `auto` stands for: the one that contains the last activation of the network, else the mean squared
 * error. */
tutti_loss tutti_loss_for(tutti_activation last);

/** Whether the metric is an accuracy: the largest output is the right class (categorical, or targets.one_hot), or an
 * output lies on the right side of its threshold, averaged over the outputs (binary, hinge).  Else the metric is the
 * mean absolute error. */
bool tutti_loss_is_classification(tutti_loss loss);

/** Whether targets may be smoothed, as for the cross-entropies.  The metric always compares with the targets as they
 * are. */
bool tutti_loss_takes_smoothing(tutti_loss loss);

/** The least possible mean loss over n outputs: 0, or the entropy of smoothed targets. */
double tutti_loss_least(tutti_loss loss, int64_t n, double smoothing);

/** The number of decisions for one sample with n outputs: 1, its class, if the outputs compete for one class; else
 * n, each 0 or 1. */
int64_t tutti_loss_n_decisions(tutti_loss loss, int64_t n);

/** classes[rows, n_decisions] for z[rows, n], as the metric sees them. */
void tutti_loss_decide(tutti_loss loss, const float *z, int64_t rows, int64_t n, int32_t *classes);

/** Add the losses, times the targets' weights, and the metrics, which have none, of z[rows, n] to *loss_sum and
 * *metric_sum.
 * @param[out] dz  [rows, n] scale * the gradient of each sample's loss by z; NULL: not wanted */
void tutti_loss_rows(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                     double scale, double *loss_sum, double *metric_sum, float *dz);

/** The derivative along tz of the gradient that tutti_loss_rows gives: out[rows, n] = scale d^2 loss / dz^2 tz.  At
 * a kink it is taken from the side from which the gradient is taken. */
void tutti_loss_curvature(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                          double scale, const float *tz, float *out);
