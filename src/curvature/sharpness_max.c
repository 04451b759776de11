/** How far the loss rises in a small box around given weights (Keskar et al. 2017, "On large-batch training for deep
 * learning", arXiv 1609.04836, metric 2.1).  The maximum is searched for by ten iterations of L-BFGS-B on the
 * negative loss, as in the paper.
 *
 * The search is serial and needs about 30 vectors, so that only rank 0 runs it.  All ranks evaluate: before each
 * evaluation rank 0 sends 1 and the point, and after the last one 0.  A failure of an evaluation is agreed on, so
 * all ranks leave; a failure of the search itself is known to rank 0 alone, which still sends the 0.  Called by
 * sharpness.c. */
#include "curvature/curvature_impl.h"

#include <math.h>

#include "base/fault.h"
#include "curvature/lbfgsb_impl.h"

enum { ITERATIONS = 10 }; // of L-BFGS-B, as in the paper

typedef struct {
  const tutti_curvature_sharpness_problem *problem;
  const tutti_comm *comm;
  int64_t n;              // variables
  double *y;              // [n] point that all ranks evaluate at
  double *rise;           // [n] gradient by y
  double *params, *grads; // [weights] the point, and with a subspace the gradient by the weights
  double *upper;          // [n] bounds of y
  double *lower;          // [n] on rank 0 alone
  bool failed;            // an evaluation failed, on all ranks alike
} search;

static tutti_status allocate(search *s) {
  const int64_t n_params = s->problem->objective->n;
  TUTTI_TRY(TUTTI_NEW(s->y, s->n));
  TUTTI_TRY(TUTTI_NEW(s->rise, s->n));
  TUTTI_TRY(TUTTI_NEW(s->params, n_params));
  TUTTI_TRY(TUTTI_NEW(s->grads, n_params));
  TUTTI_TRY(TUTTI_NEW(s->upper, s->n));
  return tutti_comm_rank(s->comm) == 0 ? TUTTI_NEW(s->lower, s->n) : TUTTI_OK;
}

static void release(search *s) {
  double *const owned[] = {s->y, s->rise, s->params, s->grads, s->lower, s->upper};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
}

// --- evaluations ---------------------------------------------------------------------------------------------

/** Collective.  The loss and its gradient by y, at the y of rank 0.  With a subspace the gradient is A' times that
 * by the weights. */
static tutti_status evaluate_all(search *s, double *loss) {
  const tutti_curvature_sharpness_problem *problem = s->problem;
  const int64_t n_params = problem->objective->n;
  TUTTI_TRY(tutti_comm_bcast(s->comm, 0, s->y, s->n * (int64_t)sizeof *s->y));
  const double *moved = s->y;
  if (problem->subspace) {
    TUTTI_TRY(tutti_curvature_subspace_apply(problem->subspace, s->y, s->params));
    moved = s->params;
  }
  for (int64_t i = 0; i < n_params; i++) s->params[i] = problem->center[i] + moved[i];
  if (!problem->subspace)
    return tutti_curvature_objective_gradient(problem->objective, s->params, loss, s->rise);
  TUTTI_TRY(tutti_curvature_objective_gradient(problem->objective, s->params, loss, s->grads));
  return tutti_curvature_subspace_apply_transposed(problem->subspace, s->grads, s->rise);
}

/** Collective.  Rank 0 sends whether there is one more evaluation. */
static tutti_status share(const search *s, int *more) {
  return tutti_comm_bcast(s->comm, 0, more, sizeof *more);
}

/** On rank 0, for L-BFGS-B, which minimizes: the value is the negative loss.  `failed` is set while all ranks
 * evaluate: if the function returns early, it says that the other ranks have left too. */
static tutti_status evaluate(void *context, const double *y, double *value, double *gradient) {
  search *s = context;
  int more = 1;
  TUTTI_TRY(tutti_fault("sharpness_max"));
  s->failed = true;
  TUTTI_TRY(share(s, &more));
  for (int64_t i = 0; i < s->n; i++) s->y[i] = y[i];
  double loss;
  TUTTI_TRY(evaluate_all(s, &loss));
  s->failed = false;
  *value = -loss;
  for (int64_t i = 0; i < s->n; i++) gradient[i] = -s->rise[i];
  return TUTTI_OK;
}

/** Rank 0: the search. */
static tutti_status lead(search *s, double *highest) {
  const tutti_curvature_lbfgsb_problem descent = {.n = s->n,
                                                  .lower = s->lower,
                                                  .upper = s->upper,
                                                  .iterations = ITERATIONS,
                                                  .evaluate = evaluate,
                                                  .context = s};
  double *y = NULL, value = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(y, s->n));
  TUTTI_TRY_GOTO(done, tutti_curvature_lbfgsb_minimize(&descent, y, &value));
done:
  tutti_free(y);
  *highest = -value;
  if (s->failed) return status; // the others have left
  int more = 0;
  const tutti_status sent = share(s, &more);
  return status == TUTTI_OK ? sent : status;
}

/** The other ranks: evaluate until rank 0 is done. */
static tutti_status follow(search *s) {
  for (;;) {
    int more = 0;
    double loss;
    TUTTI_TRY(share(s, &more));
    if (!more) return TUTTI_OK;
    s->failed = true;
    TUTTI_TRY(evaluate_all(s, &loss));
    s->failed = false;
  }
}

// --- the box -------------------------------------------------------------------------------------------------

/** Collective.  |y_i| <= epsilon (|(A+ x)_i| + 1): the 1 gives a weight that is 0 some room too. */
static tutti_status make_box(search *s, double epsilon) {
  const tutti_curvature_sharpness_problem *problem = s->problem;
  if (problem->subspace) {
    TUTTI_TRY(tutti_curvature_subspace_solve(problem->subspace, problem->center, s->upper));
  } else {
    for (int64_t i = 0; i < s->n; i++) s->upper[i] = problem->center[i];
  }
  for (int64_t i = 0; i < s->n; i++) {
    s->upper[i] = epsilon * (fabs(s->upper[i]) + 1);
    if (s->lower) s->lower[i] = -s->upper[i];
  }
  return TUTTI_OK;
}

static tutti_status climb(search *s, double epsilon, double *highest) {
  TUTTI_TRY(tutti_comm_agree(s->comm, allocate(s)));
  TUTTI_TRY(make_box(s, epsilon));
  const tutti_status status = tutti_comm_rank(s->comm) == 0 ? lead(s, highest) : follow(s);
  if (s->failed) return status;
  TUTTI_TRY(tutti_comm_agree_from(s->comm, 0, status));
  return tutti_comm_bcast(s->comm, 0, highest, sizeof *highest);
}

tutti_status tutti_curvature_sharpness_max(const tutti_curvature_sharpness_problem *problem, double epsilon,
                                           double *sharpness) {
  search s = {.problem = problem,
              .comm = problem->objective->network->comm,
              .n = problem->subspace ? problem->subspace->p : problem->objective->n};
  double highest = 0;
  const tutti_status status = climb(&s, epsilon, &highest);
  release(&s);
  *sharpness = 100 * (highest - problem->loss) / (1 + problem->loss);
  return status;
}
