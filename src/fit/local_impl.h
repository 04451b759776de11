#pragma once
/** A local model of the steps to a goal: near the best setting of each batch size, log steps are a smooth bowl over the
 * varied keys.  Local, and pure.
 *
 * For batch size i and a setting at place x, in the scale of each key,
 *   log S = a_i + g_i' t + sum_jk Q_jk t_j t_k + sum_jkl T_jkl t_j t_k t_l + noise,   t = x - c_i,
 * with a height a_i and a slope g_i of each size, so its own place of the least, and the curvature Q and the skew T of
 * all sizes together.  Least squares takes the settings that the model itself has within RISE of the least (by their
 * place, never by how their own trial went, which would let luck in); c_i is moved to the least until the settings stay
 * the same.  The noise comes from the residuals of all sizes, with n - p degrees of freedom.
 *
 * The height of the least is linear in the parameters to first order, with the terms of the model at the least as its
 * gradient.  In second order the least of an estimated bowl lies too low, by half the trace of H V, with H the second
 * derivatives there and V the covariance of the place of the least: that is added, and half the trace of (H V)^2 is
 * added to the variance. */
#include "tutti/fit.h"

/** Settings of which it is known how many steps they take, by batch size. */
typedef struct {
  int n_sizes, n_keys;
  int64_t *first; // [n_sizes + 1] settings of each size
  double *places; // [n, n_keys] in the scales of the keys, from 0 to 1 over all that was tried
  double *logs;   // [n] log steps
  int64_t *best;  // [n_sizes] setting of which the model's steps are asked; -1: none; NULL: none at all
} tutti_local_points;

typedef struct {
  int n_sizes, n_keys;
  tutti_local_state *states; // [n_sizes]; the rest tells of those that are MADE, and is NAN or 0 elsewhere
  double *logs;              // [n_sizes] log steps at the least
  double *covariance;        // [n_sizes, n_sizes] of logs
  double *places;            // [n_sizes, n_keys] of the least
  double *errors;            // [n_sizes, n_keys] their standard errors
  double *best_logs; // [n_sizes] log steps at the setting points->best; NAN: none, or too far from the least
  double *best_errors; // [n_sizes] their standard errors
  int64_t *used;       // [n_sizes] settings it rests on
  int *
      edges; // [n_sizes] of those that are EDGE: 1 + the first key whose least is at the end of what was tried
  double noise;    // standard deviation of the log steps of a setting
  int64_t freedom; // degrees of freedom of `noise`
} tutti_local_model;

/** A model is made where the noise has at least so many degrees of freedom. */
enum { TUTTI_LOCAL_LEAST_FREEDOM = 5 };

/** The caller owns the model: tutti_local_clear.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_local_make(const tutti_local_points *points, tutti_local_model *model);
void tutti_local_clear(tutti_local_model *model);

/** What has the probability of z standard deviations of a normal distribution in Student's t: of 1 and 2 degrees of freedom
 * exactly, else by the expansion of Abramowitz and Stegun, 26.7.5.  z above 0. */
double tutti_student(double z, int64_t freedom);

/** Half the width of a 95 % interval in standard errors. */
double tutti_student_95(int64_t freedom);
