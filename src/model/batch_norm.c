/** Batch normalisation (Ioffe and Szegedy, arXiv 1502.03167) with the statistics of the global batch or of ghost
 * groups (Hoffer et al., arXiv 1705.08741, algorithm 1): y = gamma xhat + beta with xhat = (x - mean) /
 * sqrt(variance + epsilon), both over the samples of one group.  groups.c says which rows belong to which group, and
 * sums over ranks.  In evaluation, and in a frozen layer, the moving statistics take the place of those of the
 * group. */
#include <math.h>

#include "base/clones.h"
#include "linalg/parallel.h"
#include "linalg/reduce.h"
#include "model/groups_impl.h"
#include "model/model_impl.h"

/** The groups that a micro-batch can have rows of are known here; groups over several ranks need reserve. */
static tutti_status setup(tutti_model *model, tutti_layer *layer) {
  TUTTI_TRY(tutti_layer_add_vector(model, layer, "gamma", true, 1));
  TUTTI_TRY(tutti_layer_add_vector(model, layer, "beta", true, 0));
  TUTTI_TRY(tutti_layer_add_vector(model, layer, "moving_mean", false, 0));
  TUTTI_TRY(tutti_layer_add_vector(model, layer, "moving_variance", false, 1));
  return tutti_model_groups_reserve(layer->own, layer->n_out,
                                    tutti_model_groups_of_rows(layer->spec.ghost, model->max_rows), 1);
}

/** Rows of one group, or some columns of them. */
typedef struct {
  const float *x;
  int64_t rows;
  int n;
  const float *stats;  // [2, n] mean, inverse
  const float *gamma;  // [2, n] gamma, beta
  const double *means; // [2, n] of dy xhat and of dy over the group
  double *sums;        // [2, n]
  float *y;            // outputs, or their gradient, which becomes that of the inputs
} group_rows;

/** Let the threads of this rank share the rows. */
static void share_rows(tutti_loop_part part, group_rows g) {
  static const double ns = 0.15; // of an element
  tutti_linalg_parallel(g.rows, 1, ns * g.n, part, &g);
}

/** y = gamma (x - mean) inverse + beta for `rows` samples. */
TUTTI_CLONES static void normalise(const float *restrict x, int64_t rows, int n, const float *restrict stats,
                                   const float *restrict gamma, float *restrict y) {
  const float *mean = stats, *inverse = stats + n, *beta = gamma + n;
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) y[i * n + j] = (x[i * n + j] - mean[j]) * inverse[j] * gamma[j] + beta[j];
}

static void normalise_some(void *context, int64_t begin, int64_t end) {
  const group_rows *g = context;
  const int64_t at = begin * g->n;
  normalise(g->x + at, end - begin, g->n, g->stats, g->gamma, g->y + at);
}

/** Computed in double and rounded once. */
static float inverse_deviation(double variance, double epsilon) {
  return (float)(1 / sqrt(variance + epsilon));
}

/** y from the moving statistics, which backward of a frozen layer finds as those of group 0. */
static void forward_moving(tutti_layer *layer, const tutti_batch_pass *batch, const float *x) {
  const int n = layer->n_out;
  const float *moving = batch->model->state + layer->state;
  float *stats = tutti_model_group_stats(layer->own, 0);
  for (int j = 0; j < n; j++) {
    stats[j] = moving[j];
    stats[n + j] = inverse_deviation(moving[n + j], layer->spec.epsilon);
  }
  share_rows(normalise_some, (group_rows){.x = x,
                                          .rows = batch->rows,
                                          .n = n,
                                          .stats = stats,
                                          .gamma = tutti_layer_weights(batch->model, layer, batch->params),
                                          .y = layer->y});
}

/** The leaf that contains the group.  If several leaves share groups, each rank knows all groups, and nothing is
 * kept apart. */
static int leaf_of_group(const tutti_batch_pass *batch, const tutti_group_span *span, int64_t i) {
  const tutti_model_leaves *leaves = batch->pass->leaves;
  if (!leaves || !leaves->apart || batch->pass->sum) return 0;
  int leaf = 0;
  while (leaves->ends[leaf] <= tutti_model_group_from(span, i)) leaf++;
  return leaves->first + leaf;
}

/** Compute the statistics of group i from its sums, and add their part to the moving statistics: group k of K has
 * the weight (1 - momentum) momentum^(K - 1 - k), as if the groups had come one after another.  A group of one
 * sample does not count: its variance is 0 for any data, and would draw the moving variance, which evaluation
 * divides by, to 0. */
static void finish_group(tutti_layer *layer, const tutti_batch_pass *batch, const tutti_group_span *span,
                         int64_t i) {
  const int n = layer->n_out;
  const tutti_model *model = batch->model;
  const double *sums = tutti_model_group_sums(layer->own, i);
  float *stats = tutti_model_group_stats(layer->own, i);
  double *moving = model->moving + leaf_of_group(batch, span, i) * model->n_moving + layer->state;

  const double count = (double)tutti_model_group_count(span, i), momentum = layer->spec.momentum;
  const int64_t later =
      tutti_model_groups_with_variance(layer->spec.ghost, span->batch) - 1 - (span->first + i);
  const double weight = count > 1 ? (1 - momentum) * pow(momentum, (double)later) : 0;
  for (int j = 0; j < n; j++) {
    const double mean = sums[j] / count;
    double variance = sums[n + j] / count - mean * mean;
    if (variance < 0) variance = 0; // by rounding; NaN stays
    stats[j] = (float)mean;
    stats[n + j] = inverse_deviation(variance, layer->spec.epsilon);
    moving[j] += weight * mean;
    moving[n + j] += weight * variance;
  }
}

/** First the sums of all groups, over ranks if they share groups, then the outputs group by group. */
static tutti_status forward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x) {
  if (!batch->pass->training || layer->spec.frozen) {
    forward_moving(layer, batch, x);
    return TUTTI_OK;
  }
  const int n = layer->n_out;
  const tutti_groups *groups = layer->own;
  const tutti_group_span span = tutti_model_group_span_of(layer->spec.ghost, batch->pass, batch->rows);
  // This check fails on all ranks alike, before any of them sums.
  TUTTI_CHECK(span.n <= groups->capacity, TUTTI_ERR_INTERNAL,
              "%s: memory for %lld groups, the global batch has %lld", layer->name,
              (long long)groups->capacity, (long long)span.n);

  tutti_model_groups_clear(groups, &span, batch->pass);
  for (tutti_group_cell cell = {0}; tutti_model_group_next(&span, batch->pass, &cell);) {
    double *sums = tutti_model_group_cell_sums(groups, batch->pass, &cell);
    tutti_linalg_column_moments(x + cell.from * n, cell.to - cell.from, n, sums, sums + n);
    sums[2 * n] = (double)(cell.to - cell.from);
  }
  TUTTI_TRY(tutti_model_groups_sum(groups, &span, batch->pass));
  for (int64_t i = 0; i < span.n; i++) {
    const int64_t from = tutti_model_group_from(&span, i), rows = tutti_model_group_to(&span, i) - from;
    finish_group(layer, batch, &span, i);
    share_rows(normalise_some, (group_rows){.x = x + from * n,
                                            .rows = rows,
                                            .n = n,
                                            .stats = tutti_model_group_stats(groups, i),
                                            .gamma = batch->params + layer->offset,
                                            .y = layer->y + from * n});
  }
  return TUTTI_OK;
}

/** sums[2, n] += sums of dy xhat and of dy over the rows: the gradients of gamma and beta. */
TUTTI_CLONES static void gradient_sums(const float *restrict x, const float *restrict dy, int64_t rows, int n,
                                       const float *restrict stats, int begin, int end,
                                       double *restrict sums) {
  const float *mean = stats, *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++) {
    for (int j = begin; j < end; j++) {
      const double d = dy[i * n + j];
      sums[j] += d * (double)((x[i * n + j] - mean[j]) * inverse[j]);
      sums[n + j] += d;
    }
  }
}

static void add_some_columns(void *context, int64_t begin, int64_t end) {
  const group_rows *g = context;
  gradient_sums(g->x, g->y, g->rows, g->n, g->stats, (int)begin, (int)end, g->sums);
}

static void share_columns(group_rows g) {
  static const double ns = 0.2; // of an element
  tutti_linalg_parallel_columns(g.rows, g.n, ns, add_some_columns, &g);
}

/** dx = gamma inverse (dy - mean of dy - xhat mean of dy xhat); means[2, n] of dy xhat and of dy over the group. */
TUTTI_CLONES static void gradient_by_input(const float *restrict x, int64_t rows, int n,
                                           const float *restrict stats, const float *restrict gamma,
                                           const double *restrict means, float *restrict dy) {
  const float *mean = stats, *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++) {
    for (int j = 0; j < n; j++) {
      const float xhat = (x[i * n + j] - mean[j]) * inverse[j];
      dy[i * n + j] = gamma[j] * inverse[j] * (dy[i * n + j] - (float)means[n + j] - xhat * (float)means[j]);
    }
  }
}

static void gradient_of_some(void *context, int64_t begin, int64_t end) {
  const group_rows *g = context;
  const int64_t at = begin * g->n;
  gradient_by_input(g->x + at, end - begin, g->n, g->stats, g->gamma, g->means, g->y + at);
}

/** Gradients of gamma and beta: sums over the rows of the leaf, group after group, so that the cut into
 * micro-batches makes no difference. */
static void gradient_of_piece(const tutti_layer *layer, const tutti_group_span *span,
                              const tutti_batch_pass *batch, int i) {
  const int n = layer->n_out;
  const tutti_leaf_rows leaf = tutti_layer_leaf_rows(batch, i);
  float *grads = tutti_layer_gradient(batch, &leaf, layer->offset, 2 * n);
  double *total = tutti_layer_sums(layer, batch, grads, 2 * n);
  for (tutti_group_cell cell = {0}; tutti_model_group_next(span, batch->pass, &cell);) {
    if (cell.leaf != i) continue;
    const double *sums = tutti_model_group_cell_sums(layer->own, batch->pass, &cell);
    for (int j = 0; j < 2 * n; j++) total[j] += sums[j];
  }
  tutti_layer_round(layer, 2 * n, grads);
  tutti_layer_gradient_done(batch, &leaf, layer->offset, 2 * n);
}

/** dx = gamma inverse dy: the moving statistics do not depend on x. */
static void backward_moving(const tutti_layer *layer, const tutti_batch_pass *batch, float *dy) {
  const int n = layer->n_out;
  const float *inverse = tutti_model_group_stats(layer->own, 0) + n;
  const float *gamma = tutti_layer_weights(batch->model, layer, batch->params);
  for (int64_t i = 0; i < batch->rows; i++)
    for (int j = 0; j < n; j++) dy[i * n + j] *= gamma[j] * inverse[j];
}

/** The gradients of gamma and beta are sums over rows; dx needs the means over the whole group as well. */
static tutti_status backward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x, float *dy,
                             float *dx) {
  if (layer->spec.frozen) {
    backward_moving(layer, batch, dy);
    return TUTTI_OK;
  }
  const int n = layer->n_out;
  const tutti_groups *groups = layer->own;
  const tutti_group_span span = tutti_model_group_span_of(layer->spec.ghost, batch->pass, batch->rows);
  tutti_model_groups_clear(groups, &span, batch->pass);
  for (tutti_group_cell cell = {0}; tutti_model_group_next(&span, batch->pass, &cell);) {
    double *sums = tutti_model_group_cell_sums(groups, batch->pass, &cell);
    share_columns((group_rows){.x = x + cell.from * n,
                               .rows = cell.to - cell.from,
                               .n = n,
                               .stats = tutti_model_group_stats(groups, cell.group),
                               .sums = sums,
                               .y = dy + cell.from * n});
    sums[2 * n] = (double)(cell.to - cell.from);
  }
  for (int i = 0; i < tutti_layer_n_leaves(batch); i++) gradient_of_piece(layer, &span, batch, i);
  if (!dx) return TUTTI_OK; // the same on all ranks: none of them sums
  TUTTI_TRY(tutti_model_groups_sum(groups, &span, batch->pass));
  for (int64_t i = 0; i < span.n; i++) {
    const int64_t from = tutti_model_group_from(&span, i), rows = tutti_model_group_to(&span, i) - from;
    if (rows == 0) continue;
    double *means = tutti_model_group_sums(groups, i);
    const double count = (double)tutti_model_group_count(&span, i);
    for (int j = 0; j < 2 * n; j++) means[j] /= count;
    share_rows(gradient_of_some, (group_rows){.x = x + from * n,
                                              .rows = rows,
                                              .n = n,
                                              .stats = tutti_model_group_stats(groups, i),
                                              .gamma = batch->params + layer->offset,
                                              .means = means,
                                              .y = dy + from * n});
  }
  return TUTTI_OK;
}

/** If ranks share groups, each of them sums all groups of the global batch. */
static tutti_status reserve(tutti_layer *layer, int64_t batch_count, int n_leaves, int64_t leaf_rows) {
  (void)leaf_rows;
  if (layer->spec.frozen) return TUTTI_OK;
  return tutti_model_groups_reserve(layer->own, layer->n_out,
                                    tutti_model_groups_of_batch(layer->spec.ghost, batch_count), n_leaves);
}

static void release(void *own) {
  tutti_model_groups_free(own);
}

// --- with derivatives along a direction: the moving statistics do not depend on it -------------------------------

/** Inverse deviations and means of the last evaluation. */
static const float *statistics(const tutti_layer *layer) {
  return tutti_model_group_stats(layer->own, 0);
}

/** ty = v_gamma xhat + v_beta + gamma inverse tx. */
TUTTI_CLONES static void norm_tangent(const float *x, const float *tx, int64_t rows, int n,
                                      const float *stats, const float *params, const float *v, float *ty) {
  const float *mean = stats, *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) {
      const int64_t k = i * n + j;
      ty[k] = v[j] * (x[k] - mean[j]) * inverse[j] + v[n + j] + (tx ? params[j] * inverse[j] * tx[k] : 0);
    }
}

static void tangent_forward(const tutti_tangent_pass *pass) {
  const tutti_layer *layer = pass->layer;
  norm_tangent(pass->x, pass->tx, pass->rows, layer->n_out, statistics(layer), pass->params, pass->v,
               pass->tangent->ty);
}

/** sums[n] += sum of dy times the derivative of xhat. */
TUTTI_CLONES static void norm_gradient_tangent(const float *restrict tx, const float *restrict dy,
                                               int64_t rows, int n, const float *restrict stats,
                                               double *restrict sums) {
  const float *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) sums[j] += (double)(dy[i * n + j] * tx[i * n + j] * inverse[j]);
}

/** dx = gamma inverse dy in place, tdx = gamma inverse tdy + v inverse dy. */
TUTTI_CLONES static void norm_by_input(int64_t rows, int n, const float *stats, const float *params,
                                       const float *v, float *dy, float *tdy) {
  const float *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) {
      const int64_t k = i * n + j;
      if (tdy) tdy[k] = (params[j] * tdy[k] + v[j] * dy[k]) * inverse[j];
      dy[k] *= params[j] * inverse[j];
    }
}

static void tangent_backward(const tutti_tangent_pass *pass) {
  const tutti_layer *layer = pass->layer;
  const int rows = pass->rows, n = layer->n_out;
  const float *stats = statistics(layer);
  double *sums = tutti_model_tangent_sums(pass, 2 * n);
  gradient_sums(pass->x, pass->tdy ? pass->tdy : pass->dy, rows, n, stats, 0, n, sums);
  if (pass->tdy && pass->tx) norm_gradient_tangent(pass->tx, pass->dy, rows, n, stats, sums);
  tutti_layer_round(layer, 2 * n, pass->grads);
  if (pass->dx) norm_by_input(rows, n, stats, pass->params, pass->v, pass->dy, pass->tdy);
}

const tutti_layer_ops tutti_layer_batch_norm_ops = {
    .type = "BatchNormalization",
    .name = "batch_normalization",
    .example = "batch_norm epsilon=0.1",
    .fields = {{"ghost", "ghost", TUTTI_WORD_COUNT, false, TUTTI_AT(ghost), 0, INT32_MAX,
                "0 for the global batch, or a group of at least 2 samples", .except = 1},
               {"momentum", "momentum", TUTTI_WORD_REAL, false, TUTTI_AT(momentum), 0, TUTTI_BELOW_ONE,
                "a number >= 0 and < 1"},
               {"epsilon", "epsilon", TUTTI_WORD_REAL, false, TUTTI_AT(epsilon), 1e-30, TUTTI_ANY,
                "a number > 0"},
               TUTTI_FIELD_TRAINABLE},
    .usual = {.momentum = 0.99, .epsilon = 1e-3},
    .in_place = true,
    .mixes_samples = true,
    .own_bytes = sizeof(tutti_groups),
    .release = release,
    .setup = setup,
    .reserve = reserve,
    .forward = forward,
    .backward = backward,
    .tangent_forward = tangent_forward,
    .tangent_backward = tangent_backward,
};
