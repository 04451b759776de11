#pragma once
/** A local model of the steps to a goal: near the best setting of each batch size, log steps are a smooth bowl over the
 * varied keys (Box and Wilson, JRSS B 13, 1951).  Local, and pure.
 *
 * For batch size i and a setting at place x, in the scale of each key,
 *   log S = a_i + g_i' t + sum_jk Q_jk t_j t_k + sum_jkl T_jkl t_j t_k t_l + noise,   t = x - c_i.
 * Each size has its own height a_i and slope g_i, and so its own place of the minimum; all sizes share the curvature Q
 * and the skew T.  Least squares takes the settings for which the model itself is within RISE of the minimum.  Their
 * place decides, never the outcome of their own trials, which would let luck in.  c_i moves to the minimum until the
 * settings do not change. The noise comes from the residuals of all sizes, with n - p degrees of freedom.
 *
 * To first order the height of the minimum is linear in the parameters, with the terms of the model at the minimum as
 * its gradient.  In second order the minimum of an estimated bowl is too low, by half the trace of H V, with H the
 * second derivatives there and V the covariance of its place (M. J. Box, JRSS B 33, 1971).  That is added, and half the
 * trace of (H V)^2 is added to the variance. */
#include "tutti/fit.h"

/** The settings that reached the goal, by batch size. */
typedef struct {
  int n_sizes, n_keys;
  int64_t *first; // [n_sizes + 1] settings of each size
  double *places; // [n, n_keys] in the scales of the keys, from 0 to 1 over all that was tried
  double *logs;   // [n] log steps
  int64_t *best; // [n_sizes] setting at which the steps of the model are wanted; -1: none; NULL: none for all
} tutti_local_points;

typedef struct {
  int n_sizes, n_keys;
  tutti_local_state *states; // [n_sizes] sizes that are not MADE have NAN or 0 below
  double *logs;              // [n_sizes] log steps at the minimum
  double *covariance;        // [n_sizes, n_sizes] of logs
  double *places;            // [n_sizes, n_keys] of the minimum
  double *errors;            // [n_sizes, n_keys] their standard errors
  double
      *best_logs; // [n_sizes] log steps at the setting points->best; NAN: none, or too far from the minimum
  double *best_errors; // [n_sizes] their standard errors
  int64_t *used;       // [n_sizes] number of settings that it uses
  int *edges;      // [n_sizes] of EDGE sizes: 1 + the first key whose minimum is at the end of what was tried
  tutti_pool pool; // owns the arrays
  double noise;    // standard deviation of the log steps of a setting
  int64_t freedom; // degrees of freedom of `noise`
} tutti_local_model;

/** Least degrees of freedom of the noise for which a model is made. */
enum { TUTTI_LOCAL_LEAST_FREEDOM = 5 };

/** Make the model.
 * @param[out] model  owned by the caller: tutti_fit_local_clear
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_local_make(const tutti_local_points *points, tutti_local_model *model);
void tutti_fit_local_clear(tutti_local_model *model); // Frees what the model owns; zeroes it.

/** Return the quantile of Student's t that has the probability of z > 0 in a normal distribution (student.c). */
double tutti_fit_student(double z, int64_t freedom);

/** Return half the width of a 95 % interval in standard errors. */
double tutti_fit_student_95(int64_t freedom);
