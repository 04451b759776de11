/** Measures a product of a dense layer by each of the loops that can compute it.
 *
 * The loops take turns, and the quickest product of all turns counts.  A turn in which the system took a core away from a
 * thread of this process does not count, so that a machine which is busy with other work gives the same choice. */
#define _GNU_SOURCE // fmin
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "linalg/blas.h"
#include "linalg/matmul.h"
#include "machine/product_times_impl.h"

enum { TURNS = 5, FEWEST_TURNS = 2, MOST_TRIES = 25 };
static const double TURN_S = 50e-6; // a turn repeats a short product for so long
static const double CLEARLY = 1.25; // times longer: further turns would not change who is best

/** The arrays of one layer. */
typedef struct {
  const tutti_product_shape *shape;
  float *x, *w, *z, *out; // [rows, n_in], [n_in, n_out], [rows, n_out], [the largest result]
} arrays;

/** Numbers of both signs that are far from 0, so that no sum becomes so small that the processor is slow. */
static tutti_status make_numbers(int64_t n, float **numbers) {
  TUTTI_TRY(TUTTI_NEW(*numbers, n));
  for (int64_t i = 0; i < n; i++) (*numbers)[i] = (float)((i * 2654435761U) % 1024) / 512 - 0.999F;
  return TUTTI_OK;
}

static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static tutti_status make_arrays(const tutti_product_shape *shape, arrays *a) {
  const int64_t rows = shape->rows, n_in = shape->n_in, n_out = shape->n_out;
  *a = (arrays){.shape = shape};
  TUTTI_TRY(make_numbers(rows * n_in, &a->x));
  TUTTI_TRY(make_numbers(n_in * n_out, &a->w));
  TUTTI_TRY(make_numbers(rows * n_out, &a->z));
  return make_numbers(larger(n_in * n_out, larger(rows * n_in, rows * n_out)), &a->out);
}

static void free_arrays(arrays *a) {
  tutti_free(a->x);
  tutti_free(a->w);
  tutti_free(a->z);
  tutti_free(a->out);
}

static void multiply(const arrays *a, tutti_matmul_by by) {
  const tutti_product_shape *s = a->shape;
  switch (s->product) {
  case TUTTI_MATMUL_FORWARD:
    tutti_matmul_forward(by, a->x, a->w, NULL, s->rows, s->n_in, s->n_out, a->out);
    break;
  case TUTTI_MATMUL_WEIGHT_GRADIENT:
    tutti_matmul_weight_gradient(by, a->x, a->z, s->rows, s->n_in, s->n_out, false, a->out);
    break;
  default:
    tutti_matmul_input_gradient(by, a->z, a->w, s->rows, s->n_in, s->n_out, a->out);
  }
}

static tutti_matmul_choice take_loops(const tutti_product_shape *shape, const char *name) {
  const bool own = strcmp(name, TUTTI_OWN_LOOPS) == 0;
  if (!own) (void)tutti_blas_take_kernels(name); // it did so before
  return (tutti_matmul_choice){!own, shape->n_threads};
}

/** One turn of these loops.  @return nanoseconds of the quickest product */
static double take_turn(const arrays *a, const char *name) {
  const tutti_product_shape *s = a->shape;
  tutti_layer_choices layer = {.n_in = s->n_in, .n_out = s->n_out};
  layer.of[s->product][tutti_matmul_row_class(s->rows)] = take_loops(s, name);
  const tutti_matmul_choices choices = {&layer, 1};
  const tutti_matmul_by by = {.order = TUTTI_SUM_ANY, .choices = &choices};
  double begin = tutti_clock_s(), best = INFINITY;
  const double stop = begin + TURN_S;
  do {
    multiply(a, by);
    const double end = tutti_clock_s();
    best = fmin(best, end - begin);
    begin = end;
  } while (begin < stop);
  return fmax(1, 1e9 * best);
}

/** How often the system has taken a core away from a thread of this process. */
static long interruptions(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : 0;
}

static bool is_decided(const tutti_product_time *time) {
  int best = 0;
  for (int i = 1; i < time->n; i++)
    if (time->by[i].ns < time->by[best].ns) best = i;
  for (int i = 0; i < time->n; i++)
    if (i != best && time->by[i].ns < CLEARLY * time->by[best].ns) return false;
  return true;
}

/** Let each of the loops take undisturbed turns.  The first one warms the caches. */
static void take_turns(const arrays *a, tutti_product_time *time) {
  for (int i = 0; i < time->n; i++) time->by[i].ns = take_turn(a, time->by[i].name);
  int undisturbed = 0;
  for (int tries = 0; tries < MOST_TRIES && undisturbed < TURNS; tries++) {
    const long before = interruptions();
    double ns[TUTTI_PRODUCT_MAX_LOOPS];
    for (int i = 0; i < time->n; i++) ns[i] = take_turn(a, time->by[i].name);
    if (interruptions() == before) undisturbed++;
    for (int i = 0; i < time->n; i++) time->by[i].ns = fmin(time->by[i].ns, ns[i]);
    if (undisturbed >= FEWEST_TURNS && is_decided(time)) return;
  }
}

tutti_status tutti_product_measure(tutti_product_time *time) {
  arrays a;
  const tutti_status status = make_arrays(&time->shape, &a);
  if (status == TUTTI_OK) take_turns(&a, time);
  free_arrays(&a);
  return status;
}
