#include "curvature/curvature_impl.h"

#include <math.h>

#include "base/fault.h"
#include "curvature/lbfgsb_impl.h"

enum { ITERATIONS = 10 }; // of L-BFGS-B, as the paper's numbers have it

typedef struct {
  const tutti_curvature_sharpness_problem *ascent;
  const tutti_comm *comm;
  int64_t n;              // variables
  double *y;              // [n] where all evaluate
  double *rise;           // [n] gradient by y
  double *params, *grads; // [weights]; with a subspace `grads` are not the variables'
  double *lower, *upper;  // [n] on rank 0 alone
  bool failed;            // an evaluation, on all ranks alike
} search;

static tutti_status allocate(search *s) {
  const int64_t n_params = s->ascent->objective->n;
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

/** Collective: loss and its gradient by y, at rank 0's y. */
static tutti_status evaluate_all(search *s, double *loss) {
  const tutti_curvature_sharpness_problem *ascent = s->ascent;
  const int64_t n_params = ascent->objective->n;
  TUTTI_TRY(tutti_bcast(s->comm, 0, s->y, s->n * (int64_t)sizeof *s->y));
  const double *moved = s->y;
  if (ascent->subspace) {
    TUTTI_TRY(tutti_curvature_subspace_apply(ascent->subspace, s->y, s->params));
    moved = s->params;
  }
  for (int64_t i = 0; i < n_params; i++) s->params[i] = ascent->center[i] + moved[i];
  if (!ascent->subspace)
    return tutti_curvature_objective_gradient(ascent->objective, s->params, loss, s->rise);
  TUTTI_TRY(tutti_curvature_objective_gradient(ascent->objective, s->params, loss, s->grads));
  return tutti_curvature_subspace_apply_transposed(ascent->subspace, s->grads, s->rise);
}

/** Collective.  What rank 0 tells the others before each evaluation, and after the last. */
static tutti_status tell(const search *s, int *more) {
  return tutti_bcast(s->comm, 0, more, sizeof *more);
}

/** On rank 0: the way up is the way down of the loss's negative. */
static tutti_status evaluate(void *context, const double *y, double *value, double *gradient) {
  search *s = context;
  int more = 1;
  TUTTI_TRY(tutti_fault("ascent"));
  s->failed = true;
  TUTTI_TRY(tell(s, &more));
  for (int64_t i = 0; i < s->n; i++) s->y[i] = y[i];
  double loss;
  TUTTI_TRY(evaluate_all(s, &loss));
  s->failed = false;
  *value = -loss;
  for (int64_t i = 0; i < s->n; i++) gradient[i] = -s->rise[i];
  return TUTTI_OK;
}

static tutti_status lead(search *s, double *highest) {
  const tutti_curvature_lbfgsb_problem problem = {.n = s->n,
                                                  .lower = s->lower,
                                                  .upper = s->upper,
                                                  .iterations = ITERATIONS,
                                                  .evaluate = evaluate,
                                                  .context = s};
  double *y = NULL, value = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(y, s->n));
  TUTTI_TRY_GOTO(done, tutti_curvature_lbfgsb_minimize(&problem, y, &value));
done:
  tutti_free(y);
  *highest = -value;
  if (s->failed) return status; // the others know
  int more = 0;
  const tutti_status told = tell(s, &more);
  return status == TUTTI_OK ? told : status;
}

static tutti_status follow(search *s) {
  for (;;) {
    int more = 0;
    double loss;
    TUTTI_TRY(tell(s, &more));
    if (!more) return TUTTI_OK;
    s->failed = true;
    TUTTI_TRY(evaluate_all(s, &loss));
    s->failed = false;
  }
}

// --- the box -------------------------------------------------------------------------------------------------

/** Collective. */
static tutti_status make_box(search *s, double epsilon) {
  const tutti_curvature_sharpness_problem *ascent = s->ascent;
  if (ascent->subspace) {
    TUTTI_TRY(tutti_curvature_subspace_solve(ascent->subspace, ascent->center, s->upper));
  } else {
    for (int64_t i = 0; i < s->n; i++) s->upper[i] = ascent->center[i];
  }
  for (int64_t i = 0; i < s->n; i++) {
    s->upper[i] = epsilon * (fabs(s->upper[i]) + 1);
    if (s->lower) s->lower[i] = -s->upper[i];
  }
  return TUTTI_OK;
}

static tutti_status climb(search *s, double epsilon, double *highest) {
  TUTTI_TRY(tutti_agree(s->comm, allocate(s)));
  TUTTI_TRY(make_box(s, epsilon));
  const tutti_status status = tutti_comm_rank(s->comm) == 0 ? lead(s, highest) : follow(s);
  if (s->failed) return status;
  TUTTI_TRY(tutti_agree_from(s->comm, 0, status));
  return tutti_bcast(s->comm, 0, highest, sizeof *highest);
}

tutti_status tutti_curvature_sharpness_max(const tutti_curvature_sharpness_problem *ascent, double epsilon,
                                           double *sharpness) {
  search s = {.ascent = ascent,
              .comm = ascent->objective->network->comm,
              .n = ascent->subspace ? ascent->subspace->p : ascent->objective->n};
  double highest = 0;
  const tutti_status status = climb(&s, epsilon, &highest);
  release(&s);
  *sharpness = 100 * (highest - ascent->loss) / (1 + ascent->loss);
  return status;
}
