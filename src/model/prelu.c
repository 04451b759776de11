/** A rectifier with a slope, y = x above 0, else alpha x, with one trained alpha per feature (He et al., arXiv
 * 1502.01852). dalpha_j is the sum of dy_j x_j over the rows with x_j <= 0. */
#include "base/clones.h"
#include "linalg/parallel.h"
#include "linalg/reduce.h"
#include "model/model_impl.h"

static tutti_status setup(tutti_model *model, tutti_layer *layer) {
  return tutti_layer_add_vector(model, layer, "alpha", true, 0);
}

TUTTI_CLONES static void forward_rows(const float *restrict x, int64_t rows, int n,
                                      const float *restrict alpha, float *restrict y) {
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) y[i * n + j] = x[i * n + j] > 0 ? x[i * n + j] : alpha[j] * x[i * n + j];
}

/** dx = dy above 0, else alpha dy, in place. */
TUTTI_CLONES static void input_gradient(const float *restrict x, int64_t rows, int n,
                                        const float *restrict alpha, float *restrict dy) {
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) dy[i * n + j] *= x[i * n + j] > 0 ? 1 : alpha[j];
}

/** The rows of a micro-batch, which the threads of this rank share. */
typedef struct {
  const float *x;
  int n;
  const float *alpha;
  float *y; // outputs, or their gradient, which becomes that of the inputs
} row_loop;

static void forward_some(void *context, int64_t begin, int64_t end) {
  const row_loop *l = context;
  forward_rows(l->x + begin * l->n, end - begin, l->n, l->alpha, l->y + begin * l->n);
}

static void gradient_of_some(void *context, int64_t begin, int64_t end) {
  const row_loop *l = context;
  input_gradient(l->x + begin * l->n, end - begin, l->n, l->alpha, l->y + begin * l->n);
}

static void share_rows(tutti_loop_part part, const tutti_layer *layer, const tutti_batch_pass *batch,
                       const float *x, float *y) {
  static const double ns = 0.1; // of an element
  row_loop l = {x, layer->n_out, tutti_layer_weights(batch->model, layer, batch->params), y};
  tutti_linalg_parallel(batch->rows, 1, ns * l.n, part, &l);
}

/** The gradient of alpha_j by one row is dy_j x_j if x_j is not above 0, else 0. */
TUTTI_CLONES static void alpha_squares(const float *restrict x, const float *restrict dy, int64_t rows, int n,
                                       double *restrict squares) {
  for (int64_t i = 0; i < rows; i++) {
    double sum = 0;
    for (int j = 0; j < n; j++) {
      const float d = x[i * n + j] > 0 ? 0 : dy[i * n + j] * x[i * n + j];
      sum += (double)d * d;
    }
    squares[i] = sum;
  }
}

static tutti_status forward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x) {
  share_rows(forward_some, layer, batch, x, layer->y);
  return TUTTI_OK;
}

/** Sums over the rows of each leaf, before input_gradient overwrites dy. */
static void alpha_gradients(const tutti_layer *layer, const tutti_batch_pass *batch, const float *x,
                            const float *dy) {
  double *squares = batch->model->row_squares[0];
  if (batch->pass->squares) {
    alpha_squares(x, dy, batch->rows, layer->n_out, squares);
    tutti_layer_add_squares(batch, squares);
  }
  tutti_layer_vector_gradients(layer, batch, x, dy, layer->offset, layer->n_out,
                               tutti_linalg_column_sums_below);
}

static tutti_status backward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x, float *dy,
                             float *dx) {
  if (!layer->spec.frozen) alpha_gradients(layer, batch, x, dy);
  if (dx) share_rows(gradient_of_some, layer, batch, x, dx);
  return TUTTI_OK;
}

/** ty = tx above 0, else alpha tx + v x. */
static void tangent_forward(const tutti_tangent_pass *pass) {
  const int n = pass->layer->n_out;
  const float *x = pass->x, *tx = pass->tx;
  float *ty = pass->tangent->ty;
  for (int64_t k = 0; k < (int64_t)pass->rows * n; k++) {
    const float along = tx ? tx[k] : 0;
    ty[k] = x[k] > 0 ? along : pass->params[k % n] * along + pass->v[k % n] * x[k];
  }
}

/** Derivatives of dalpha and dx; without a direction, dalpha and dx. */
static void tangent_backward(const tutti_tangent_pass *pass) {
  const int n = pass->layer->n_out;
  const float *x = pass->x, *alpha = pass->params;
  float *dy = pass->dy, *tdy = pass->tdy;
  double *sums = tutti_model_tangent_sums(pass, n);
  for (int64_t k = 0; k < (int64_t)pass->rows * n; k++) {
    const int64_t j = k % n;
    if (x[k] > 0) continue;
    sums[j] += (double)((tdy ? tdy[k] : dy[k]) * x[k]);
    if (tdy && pass->tx) sums[j] += (double)(dy[k] * pass->tx[k]);
    if (tdy) tdy[k] = alpha[j] * tdy[k] + pass->v[j] * dy[k];
    dy[k] *= alpha[j];
  }
  tutti_layer_round(pass->layer, n, pass->grads);
}

const tutti_layer_ops tutti_layer_prelu_ops = {
    .type = "PReLU",
    .name = "p_re_lu",
    .example = "prelu",
    .fields = {TUTTI_FIELD_TRAINABLE},
    .in_place = true,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .tangent_forward = tangent_forward,
    .tangent_backward = tangent_backward,
};
