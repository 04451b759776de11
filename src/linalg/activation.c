/** Forward, backward and second derivative of each activation: three functions that expand the rows of activations.def
 * into one loop per activation.  A switch chooses the loop, so that no element costs a call; TUTTI_CLONES compiles the
 * loops for each kind of vector unit.  The layers of the room model call them. */
#include "linalg/activation.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "base/loops.h"
#include "linalg/constants.h"
#include "linalg/parallel.h"
#include "linalg/softmax_impl.h"
#include "linalg/vector_math.h"

const char *const tutti_activation_names[TUTTI_N_ACTIVATIONS] = {
#define ACTIVATION(code, word, ...) #word,
#define ROW_ACTIVATION(code, word)  #word,
#include "tutti/activations.def"
};

bool tutti_activation_needs_input(tutti_activation kind) {
  enum { INPUT = true, OUTPUT = false };
  static const bool needs[TUTTI_N_ACTIVATIONS] = {
#define ACTIVATION(code, word, from, ...) from,
#define ROW_ACTIVATION(code, word)        OUTPUT,
#include "tutti/activations.def"
  };
  return needs[kind];
}

// --- helpers of the rows: constants in float, and expressions with a step between

#define SELU_SCALE       ((float)TUTTI_SELU_SCALE)
#define SELU_SCALE_ALPHA ((float)(TUTTI_SELU_SCALE * TUTTI_SELU_ALPHA))

TUTTI_INLINE float gelu(float z) {
  float density;
  return z * tutti_normal_cdf(z, &density);
}

TUTTI_INLINE float gelu_slope(float z) {
  float density;
  const float cdf = tutti_normal_cdf(z, &density);
  return cdf + z * density;
}

TUTTI_INLINE float gelu_curvature(float z) {
  float density;
  (void)tutti_normal_cdf(z, &density);
  return density > 0 ? density * (2 - z * z) : 0; // 0 times infinity would be NaN
}

TUTTI_INLINE float silu_slope(float z) {
  const float s = tutti_sigmoid(z);
  return s * (1 + z * (1 - s));
}

TUTTI_INLINE float silu_curvature(float z) {
  const float s = tutti_sigmoid(z), slope = s * tutti_sigmoid(-z);
  return slope > 0 ? slope * (2 + z * (1 - 2 * s)) : 0;
}

// --- loops

/** Run `statement` for each element.  It sees the input and the output of the activation as z and y, which both are
 * `given`: a row names the one that it is given. */
#define EACH(given, statement)                                                                               \
  do {                                                                                                       \
    TUTTI_INDEPENDENT                                                                                        \
    for (int64_t i = 0; i < size; i++) {                                                                     \
      const float z = (given), y = z;                                                                        \
      (void)y;                                                                                               \
      statement;                                                                                             \
    }                                                                                                        \
  } while (0)

TUTTI_CLONES static void forward(tutti_activation kind, const float *in, int64_t rows, int64_t n,
                                 float *out) {
  const int64_t size = rows * n;
  switch (kind) {
#define ACTIVATION(code, word, from, f, ...)                                                                 \
  case TUTTI_##code:                                                                                         \
    EACH(in[i], out[i] = (f));                                                                               \
    break;
#define ROW_ACTIVATION(code, word)                                                                           \
  case TUTTI_##code:                                                                                         \
    tutti_linalg_##word##_forward(in, rows, n, out);                                                         \
    break;
#include "tutti/activations.def"
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}

/** @param[in] from  inputs or outputs, whichever the derivative needs */
TUTTI_CLONES static void backward(tutti_activation kind, const float *from, const float *dy, int64_t rows,
                                  int64_t n, float *dz) {
  const int64_t size = rows * n;
  switch (kind) {
#define ACTIVATION(code, word, given, f, slope, ...)                                                         \
  case TUTTI_##code:                                                                                         \
    EACH(from[i], dz[i] = dy[i] * (slope));                                                                  \
    break;
#define ROW_ACTIVATION(code, word)                                                                           \
  case TUTTI_##code:                                                                                         \
    tutti_linalg_##word##_backward(from, dy, rows, n, dz);                                                   \
    break;
#include "tutti/activations.def"
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}

// --- the rows, shared by the threads of this rank

typedef struct {
  tutti_activation kind;
  const float *from, *dy; // dy: NULL in forward
  int64_t n;
  float *to;
} row_loop;

static void some_rows(void *context, int64_t begin, int64_t end) {
  const row_loop *l = context;
  const int64_t at = begin * l->n;
  if (l->dy)
    backward(l->kind, l->from + at, l->dy + at, end - begin, l->n, l->to + at);
  else
    forward(l->kind, l->from + at, end - begin, l->n, l->to + at);
}

static void share_rows(row_loop l, int64_t rows) {
  const double ns = l.kind == TUTTI_RELU || l.kind == TUTTI_LINEAR ? 0.07 : 0.3; // of an element
  tutti_linalg_parallel(rows, 1, ns * (double)l.n, some_rows, &l);
}

void tutti_activation_forward(tutti_activation kind, const float *in, int64_t rows, int64_t n, float *out) {
  // The loop of `linear` would copy; in place, nothing is to be done.
  if (kind == TUTTI_LINEAR && in == out) return;
  share_rows((row_loop){kind, in, NULL, n, out}, rows);
}

void tutti_activation_backward(tutti_activation kind, const float *in, const float *out, const float *dy,
                               int64_t rows, int64_t n, float *dz) {
  if (kind == TUTTI_LINEAR) {
    if (dz != dy) memcpy(dz, dy, (size_t)(rows * n) * sizeof *dz);
    return;
  }
  share_rows((row_loop){kind, tutti_activation_needs_input(kind) ? in : out, dy, n, dz}, rows);
}

TUTTI_CLONES void tutti_activation_curvature(tutti_activation kind, const float *in, const float *out,
                                             const float *tz, const float *ty, const float *dy, int64_t rows,
                                             int64_t n, float *dz) {
  const int64_t size = rows * n;
  const float *from = tutti_activation_needs_input(kind) ? in : out;
  switch (kind) {
#define STRAIGHT           // adds nothing
#define CURVED(expression) EACH(from[i], dz[i] += (expression)*tz[i] * dy[i])
#define ACTIVATION(code, word, given, f, slope, curvature, twin, kink)                                       \
  case TUTTI_##code:                                                                                         \
    curvature;                                                                                               \
    break;
#define ROW_ACTIVATION(code, word)                                                                           \
  case TUTTI_##code:                                                                                         \
    tutti_linalg_##word##_curvature(out, ty, dy, rows, n, dz);                                               \
    break;
#include "tutti/activations.def"
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}
