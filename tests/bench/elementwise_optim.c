#include <float.h>
#include <math.h>
#include <stdio.h>

#include "bench/elementwise.h"
#include "support/numbers.h"
#include "support/optim_twin.h"

/** Updates before the comparison. */
enum { CHECKED = 3 };

typedef struct {
  tutti_optim_options options;
  tutti_optim *optim;
  int64_t n, t;
  float *params, *grads;
  double *norms; // [n_norms]
} job;

static tutti_status update(void *context) {
  job *j = context;
  j->t++;
  tutti_optim_begin(j->optim, j->t, j->options.learning_rate, NULL);
  if (tutti_optim_n_norms(j->optim) > 0) {
    tutti_optim_prepare(j->optim, 0, j->n, j->params, j->grads, j->norms);
    tutti_optim_set_ratios(j->optim, j->norms);
  }
  tutti_optim_step(j->optim, 0, j->n, j->params, j->grads);
  return TUTTI_OK;
}

/** A rule of two passes changes the gradient. */
static void fill_grads(job *j) {
  numbers_fill(2, -0.01, 0.01, j->n, j->grads);
}

static void update_twin(const job *j, const double *grads, optim_twin_state *states, double *weights) {
  for (int t = 1; t <= CHECKED; t++)
    optim_twin_array(&j->options, t, j->options.learning_rate, false, j->n, grads, weights, states);
}

static tutti_status check(void *context, double *checksum) {
  job *j = context;
  double *expected = NULL, *grads = NULL;
  optim_twin_state *states = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(expected, j->n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(grads, j->n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(states, j->n));
  for (int64_t i = 0; i < j->n; i++) {
    expected[i] = j->params[i];
    grads[i] = j->grads[i];
  }
  update_twin(j, grads, states, expected);
  for (int t = 1; t <= CHECKED; t++) {
    fill_grads(j);
    TUTTI_TRY_GOTO(done, update(j));
  }
  TUTTI_TRY_GOTO(done, bench_near(tutti_optim_names[j->options.rule], j->params, expected, j->n,
                                  8 * CHECKED * FLT_EPSILON));
  *checksum = bench_checksum(j->params, j->n);
done:
  tutti_free(expected);
  tutti_free(grads);
  tutti_free(states);
  return status;
}

static tutti_status create(job *j) {
  const int64_t offsets[] = {0, j->n};
  TUTTI_TRY(tutti_optim_resolve(&j->options));
  TUTTI_TRY(tutti_optim_create(&j->options, offsets, NULL, 1, &TUTTI_SLICE(0, j->n), &j->optim));
  TUTTI_TRY(TUTTI_NEW(j->params, j->n));
  TUTTI_TRY(TUTTI_NEW(j->grads, j->n));
  numbers_fill(1, -0.1, 0.1, j->n, j->params);
  TUTTI_TRY(TUTTI_NEW(j->norms, tutti_optim_n_norms(j->optim)));
  fill_grads(j);
  return TUTTI_OK;
}

/** Measure a rule; sgd with momentum is a variant of its own. */
static tutti_status run_rule(const bench *b, tutti_optim_rule rule, double momentum, int64_t n) {
  char name[64], shape[32];
  snprintf(name, sizeof name, "%s%s", tutti_optim_names[rule], isnan(momentum) ? "" : " momentum");
  snprintf(shape, sizeof shape, "%lld", (long long)n);
  if (!bench_wants(b, "update", shape)) return TUTTI_OK;
  job j = {.options = tutti_optim_options_default(), .n = n};
  j.options.rule = rule;
  j.options.momentum = momentum;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(b->comm, create(&j)));
  // Gradients are read, parameters and slots read and written; in two passes directions are written and read as well,
  // and parameters read once more.
  const double bytes = ((tutti_optim_n_norms(j.optim) > 0 ? 6 : 3) + 2 * tutti_optim_n_slots(j.optim)) *
                       (double)n * sizeof(float);
  TUTTI_TRY_GOTO(
      done, elementwise_case(b, "update", shape, (double)n, bytes,
                             (bench_variant){.name = name, .run = update, .check = check, .context = &j}));
done:
  tutti_optim_destroy(&j.optim);
  tutti_free(j.params);
  tutti_free(j.grads);
  tutti_free(j.norms);
  return status;
}

tutti_status elementwise_optim(const bench *b) {
  const int64_t lengths[] = {4096, b->is_short ? 1021 : 407050};
  for (int l = 0; l < 2; l++) {
    for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++)
      TUTTI_TRY(run_rule(b, (tutti_optim_rule)rule, NAN, lengths[l]));
    TUTTI_TRY(run_rule(b, TUTTI_SGD, 0.9, lengths[l]));
  }
  return TUTTI_OK;
}
