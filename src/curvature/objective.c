/** The training loss of a network as a function of its weights: mean over a set of samples, with the penalty; its
 * gradient, and its Hessian times a vector.  The ranks divide blocks of samples among themselves.  Each block is
 * computed in float by the model (model/curvature.c), and all sums over blocks are double.  lanczos.c (through
 * sharpness.c) and sharpness_max.c evaluate it. */
#include "curvature/curvature_impl.h"

#include <string.h>

#include "base/fault.h"

static tutti_status create_local(tutti_curvature_objective *objective) {
  TUTTI_TRY(tutti_model_curvature_create(objective->network->model, &objective->curvature));
  TUTTI_TRY(TUTTI_NEW(objective->params, 2 * objective->n));
  objective->direction = objective->params + objective->n;
  return TUTTI_NEW(objective->sums, objective->n + 1);
}

tutti_status tutti_curvature_objective_create(const tutti_network *network, const tutti_samples *set,
                                              tutti_curvature_objective *objective) {
  *objective =
      (tutti_curvature_objective){.network = network, .set = set, .n = tutti_model_n_params(network->model)};
  return tutti_comm_agree(network->comm, create_local(objective));
}

void tutti_curvature_objective_destroy(tutti_curvature_objective *objective) {
  tutti_model_curvature_destroy(&objective->curvature);
  tutti_free(objective->params);
  tutti_free(objective->sums);
  *objective = (tutti_curvature_objective){0};
}

static void narrow(const double *from, int64_t n, float *to) {
  for (int64_t i = 0; i < n; i++) to[i] = (float)from[i];
}

/** Add samples [first, first + rows) of the set to the sums.
 * @param[in] v  [n] direction; NULL: the loss and its gradient are wanted */
static tutti_status add_block(tutti_curvature_objective *objective, const float *v, int64_t first,
                              int64_t rows, double *loss_sum) {
  const tutti_network *network = objective->network;
  for (int64_t i = 0; i < rows; i++) network->rows[i] = first + i;
  tutti_samples_rows(objective->set, rows, network->rows);
  const tutti_model_curvature_batch batch = {
      .params = objective->params,
      .x = network->x,
      .targets = tutti_network_gather(network, objective->set->which, rows, TUTTI_TO_TRAIN),
      .rows = rows,
      .count = objective->set->n};
  if (v) return tutti_model_curvature_product(objective->curvature, &batch, v, objective->sums);
  return tutti_model_curvature_gradient(objective->curvature, &batch, loss_sum, objective->sums);
}

/** Sum this rank's blocks: n values of the gradient or the product, then the loss.  Local, so that a failure can be
 * agreed on before the ranks sum. */
static tutti_status add_own_blocks(tutti_curvature_objective *objective, const float *v) {
  const tutti_comm *comm = objective->network->comm;
  const int64_t n = objective->set->n, block = objective->network->evaluation_rows;
  const tutti_range own = tutti_shard((tutti_range){.count = (n + block - 1) / block}, 1,
                                      tutti_comm_rank(comm), tutti_comm_size(comm));
  memset(objective->sums, 0, (size_t)(objective->n + 1) * sizeof *objective->sums);
  TUTTI_TRY(tutti_fault("objective"));
  for (int64_t i = own.begin; i < own.begin + own.count; i++) {
    const int64_t left = n - i * block;
    TUTTI_TRY(
        add_block(objective, v, i * block, left < block ? left : block, &objective->sums[objective->n]));
  }
  return TUTTI_OK;
}

static tutti_status sum_blocks(tutti_curvature_objective *objective, const float *v) {
  const tutti_comm *comm = objective->network->comm;
  TUTTI_TRY(tutti_comm_agree(comm, add_own_blocks(objective, v)));
  return tutti_comm_sum(comm, objective->sums, objective->n + 1);
}

tutti_status tutti_curvature_objective_gradient(tutti_curvature_objective *objective, const double *params,
                                                double *value, double *gradient) {
  const tutti_model *model = objective->network->model;
  const int64_t n = objective->n;
  narrow(params, n, objective->params);
  TUTTI_TRY(sum_blocks(objective, NULL));
  *value = objective->sums[n] / (double)objective->set->n + tutti_model_penalty(model, objective->params);
  memset(objective->direction, 0, (size_t)n * sizeof *objective->direction);
  tutti_model_penalty_gradient(model, objective->params, 0, n, objective->direction);
  for (int64_t i = 0; i < n; i++) gradient[i] = objective->sums[i] + objective->direction[i];
  return TUTTI_OK;
}

tutti_status tutti_curvature_objective_product(tutti_curvature_objective *objective, const double *params,
                                               const double *v, double *product) {
  const int64_t n = objective->n;
  narrow(params, n, objective->params);
  narrow(v, n, objective->direction);
  TUTTI_TRY(sum_blocks(objective, objective->direction));
  memcpy(product, objective->sums, (size_t)n * sizeof *product);
  tutti_model_penalty_product(objective->network->model, objective->direction, product);
  return TUTTI_OK;
}
