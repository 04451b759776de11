#include "bench/chain.h"

#include <float.h>
#include <math.h>

#include "linalg/matmul_blas.h"

static tutti_status make_link(int rows, int n_in, int n_out, chain_link *link) {
  *link = (chain_link){.n_in = n_in, .n_out = n_out};
  const int64_t n_weights = (int64_t)n_in * n_out, n_outputs = (int64_t)rows * n_out;
  TUTTI_TRY(TUTTI_NEW(link->w, n_weights));
  TUTTI_TRY(TUTTI_NEW(link->dw, n_weights));
  TUTTI_TRY(TUTTI_NEW(link->z, n_outputs));
  TUTTI_TRY(TUTTI_NEW(link->dz, n_outputs));
  for (int64_t i = 0; i < n_weights; i++) link->w[i] = 1 / (float)n_in;
  return TUTTI_OK;
}

tutti_status chain_make(int rows, int n_in, const int *units, int n, chain *c) {
  *c = (chain){.rows = rows};
  TUTTI_TRY(TUTTI_NEW(c->x, (int64_t)rows * n_in));
  TUTTI_TRY(TUTTI_NEW(c->links, n));
  c->n = n;
  for (int l = 0; l < n; l++) TUTTI_TRY(make_link(rows, l > 0 ? units[l - 1] : n_in, units[l], &c->links[l]));
  const chain_link *last = &c->links[n - 1];
  for (int64_t i = 0; i < (int64_t)rows * n_in; i++) c->x[i] = 1;
  for (int64_t i = 0; i < (int64_t)rows * last->n_out; i++) last->dz[i] = 1;
  return TUTTI_OK;
}

void chain_clear(chain *c) {
  for (int l = 0; l < c->n; l++) {
    tutti_free(c->links[l].w);
    tutti_free(c->links[l].dw);
    tutti_free(c->links[l].z);
    tutti_free(c->links[l].dz);
  }
  tutti_free(c->links);
  tutti_free(c->x);
  *c = (chain){0};
}

double chain_work(const chain *c) {
  double work = 0; // nobody asks for the gradient by the features
  for (int l = 0; l < c->n; l++) work += (l > 0 ? 6.0 : 4.0) * c->links[l].n_in * c->links[l].n_out;
  return work;
}

tutti_status chain_run(void *context) {
  const chain *c = context;
  for (int l = 0; l < c->n; l++) {
    const chain_link *link = &c->links[l];
    tutti_blas_forward(l > 0 ? link[-1].z : c->x, link->w, NULL, c->rows, link->n_in, link->n_out, link->z);
  }
  for (int l = c->n - 1; l >= 0; l--) {
    const chain_link *link = &c->links[l];
    tutti_blas_weight_gradient(l > 0 ? link[-1].z : c->x, link->dz, c->rows, link->n_in, link->n_out, false,
                               link->dw);
    if (l > 0) tutti_blas_input_gradient(link->dz, link->w, c->rows, link->n_in, link->n_out, link[-1].dz);
  }
  return TUTTI_OK;
}

/** Adds to the checksum. */
static tutti_status check_all(const char *what, int layer, const float *values, int64_t n, double expected,
                              double *checksum) {
  for (int64_t i = 0; i < n; i++) {
    TUTTI_CHECK(fabs(values[i] - expected) <= 1e-3 * expected, TUTTI_ERR_INTERNAL,
                "products alone: element %lld of %s of layer %d is %.9g, expected %.9g", (long long)i, what,
                layer, (double)values[i], expected);
    *checksum += values[i];
  }
  return TUTTI_OK;
}

tutti_status chain_check(void *context, double *checksum) {
  const chain *c = context;
  TUTTI_TRY(chain_run(context));
  double dz = 1;
  for (int l = c->n - 1; l >= 0; l--) {
    const chain_link *link = &c->links[l];
    const int64_t n_outputs = (int64_t)c->rows * link->n_out;
    TUTTI_TRY(check_all("outputs", l, link->z, n_outputs, 1, checksum));
    TUTTI_TRY(check_all("gradients", l, link->dz, n_outputs, dz, checksum));
    TUTTI_TRY(check_all("weights' gradients", l, link->dw, (int64_t)link->n_in * link->n_out, c->rows * dz,
                        checksum));
    dz *= (double)link->n_out / link->n_in;
  }
  return TUTTI_OK;
}
