#pragma once
/** Slow twins of the loops in double, straight from the definitions, with which the tests compare.  Local. */
#include "tutti/linalg.h"

/** z[rows, n_out] = x[rows, n_in] w[n_in, n_out] + bias[n_out] (NULL: none). */
void tutti_linalg_reference_forward(const double *x, const double *w, const double *bias, int64_t rows,
                                    int64_t n_in, int64_t n_out, double *z);

/** dw[n_in, n_out] += x^T dz. */
void tutti_linalg_reference_weight_gradient(const double *x, const double *dz, int64_t rows, int64_t n_in,
                                            int64_t n_out, double *dw);

/** dx[rows, n_in] = dz w^T. */
void tutti_linalg_reference_input_gradient(const double *dz, const double *w, int64_t rows, int64_t n_in,
                                           int64_t n_out, double *dx);

/** sums[n] = sum over the rows of x[rows, n]; dy[rows, n] (NULL: none): of x dy where x is not above 0. */
void tutti_linalg_reference_column_sums(const float *x, const float *dy, int64_t rows, int64_t n,
                                        double *sums);

/** y[rows, n] = activation of z[rows, n]; y may be z. */
void tutti_linalg_reference_activation(tutti_activation kind, const double *z, int64_t rows, int64_t n,
                                       double *y);

/** How far z is from the nearest point at which a derivative of the activation jumps. */
double tutti_linalg_reference_activation_kink(tutti_activation kind, double z);

/** Sums over the rows of y[rows, n], the outputs after the last activation: probabilities for the cross-entropies. */
double tutti_linalg_reference_loss(tutti_loss loss, const double *y, tutti_targets targets, int64_t rows,
                                   int64_t n);
double tutti_linalg_reference_metric(tutti_loss loss, const double *y, tutti_targets targets, int64_t rows,
                                     int64_t n);

/** How far output y is from the nearest point at which a derivative of the loss for the target t jumps. */
double tutti_linalg_reference_loss_kink(tutti_loss loss, double y, double t);
