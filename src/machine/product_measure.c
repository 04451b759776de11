/** Measures a product of a dense layer by each of the loops that can compute it.
 *
 * The loops take turns, and the quickest product of all turns counts.  Turns go on until enough of them were undisturbed:
 * in a disturbed one the system took a core away from a thread of this process.  So a machine that is busy with other
 * work mostly gives the same choice. */
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "linalg/blas.h"
#include "linalg/matmul.h"
#include "linalg/parallel.h"
#include "machine/product_times_impl.h"

enum { TURNS = 5, FEWEST_TURNS = 2, MOST_TRIES = 25, MOST_LONG_TRIES = 4 };
static const double TURN_S = 50e-6; // a turn repeats a short product for so long
static const double LONG_NS = 5e6;  // a product of so long has fewer turns
static const double MOST_S = 50e-3; // a shape that has taken so long has no further turn
static const double CLEARLY = 1.25; // times longer: further turns would not change who is best

struct tutti_product_arrays {
  float *x, *w, *z, *out; // [rows, n_in], [n_in, n_out], [rows, n_out], [the largest result]
};

/** Numbers of both signs, none of which is 0 or tiny. */
static tutti_status make_numbers(int64_t n, float **numbers) {
  TUTTI_TRY(TUTTI_NEW(*numbers, n));
  for (int64_t i = 0; i < n; i++) (*numbers)[i] = (float)((i * 2654435761U) % 1024) / 512 - 0.999F;
  return TUTTI_OK;
}

static double floats_of_result(double rows, double n_in, double n_out) {
  return fmax(n_in * n_out, rows * fmax(n_in, n_out));
}

double tutti_product_arrays_floats(int rows, int n_in, int n_out) {
  return (double)rows * n_in + (double)n_in * n_out + (double)rows * n_out +
         floats_of_result(rows, n_in, n_out);
}

static tutti_status make_arrays(int64_t rows, int64_t n_in, int64_t n_out, tutti_product_arrays *a) {
  TUTTI_TRY(make_numbers(rows * n_in, &a->x));
  TUTTI_TRY(make_numbers(n_in * n_out, &a->w));
  TUTTI_TRY(make_numbers(rows * n_out, &a->z));
  return make_numbers((int64_t)floats_of_result((double)rows, (double)n_in, (double)n_out), &a->out);
}

tutti_status tutti_product_arrays_create(int most_rows, int n_in, int n_out, tutti_product_arrays **arrays) {
  TUTTI_TRY(TUTTI_NEW(*arrays, 1));
  const tutti_status status = make_arrays(most_rows, n_in, n_out, *arrays);
  if (status != TUTTI_OK) tutti_product_arrays_destroy(arrays);
  return status;
}

void tutti_product_arrays_destroy(tutti_product_arrays **arrays) {
  tutti_product_arrays *a = *arrays;
  if (!a) return;
  tutti_free(a->x);
  tutti_free(a->w);
  tutti_free(a->z);
  tutti_free(a->out);
  tutti_free(a);
  *arrays = NULL;
}

static void multiply(const tutti_product_arrays *a, const tutti_product_shape *s, tutti_matmul_by by) {
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
  return (tutti_matmul_choice){own ? TUTTI_BY_OWN : TUTTI_BY_BLAS, shape->n_threads};
}

/** Write an element of each cache line again, so that this core has the lines alone. */
static void own_lines(float *numbers, int64_t n) {
  enum { LINE = 16 };
  for (int64_t i = 0; i < n; i += LINE) {
    volatile float *one = &numbers[i];
    *one = *one;
  }
}

/** In a step, this thread has just updated weights that fit in the cache of its core, and made the activations: other
 * threads have to ask for them.  Larger ones come from elsewhere anyway. */
static void own_factors(const tutti_product_arrays *a, const tutti_product_shape *s) {
  const int64_t x = (int64_t)s->rows * s->n_in, w = (int64_t)s->n_in * s->n_out,
                z = (int64_t)s->rows * s->n_out;
  if (s->n_threads == 1 || (x + w + z) * (int64_t)sizeof(float) > tutti_linalg_second_cache()) return;
  own_lines(a->x, x);
  own_lines(a->w, w);
  own_lines(a->z, z);
}

/** One turn of these loops.  @return nanoseconds of the quickest product */
static double take_turn(const tutti_product_arrays *a, const tutti_product_shape *s, const char *name) {
  tutti_layer_choices layer = {.n_in = s->n_in, .n_out = s->n_out};
  layer.of[s->product][tutti_matmul_row_class(s->rows)] = take_loops(s, name);
  const tutti_matmul_choices choices = {&layer, 1};
  const tutti_matmul_by by = {.order = TUTTI_SUM_ANY, .choices = &choices};
  double end = tutti_clock_s(), best = INFINITY;
  const double stop = end + TURN_S;
  do {
    own_factors(a, s);
    const double begin = tutti_clock_s();
    multiply(a, s, by);
    end = tutti_clock_s();
    best = fmin(best, end - begin);
  } while (end < stop);
  return fmax(1, 1e9 * best);
}

/** How often the system has taken a core away from a thread of this process. */
static long interruptions(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : 0;
}

static double slowest(const tutti_product_time *time) {
  double ns = 0;
  for (int i = 0; i < time->n; i++) ns = fmax(ns, time->by[i].ns);
  return ns;
}

/** Whether all loops but one are clearly slower than that one. */
static bool is_decided(const tutti_product_time *time) {
  const double least = tutti_product_time_least(time);
  int n_near = 0;
  for (int i = 0; i < time->n; i++) n_near += time->by[i].ns < CLEARLY * least;
  return n_near == 1;
}

static void take_turns(const tutti_product_arrays *a, tutti_product_time *time) {
  const tutti_product_shape *s = &time->shape;
  const double end = tutti_clock_s() + MOST_S;
  int undisturbed = 0;
  // The first turn warms the caches.
  for (int i = 0; i < time->n; i++) time->by[i].ns = take_turn(a, s, time->by[i].name);
  const bool is_long = slowest(time) > LONG_NS;
  const int most = is_long ? MOST_LONG_TRIES : MOST_TRIES, turns = is_long ? FEWEST_TURNS : TURNS;
  for (int tries = 0; tries < most && undisturbed < turns && tutti_clock_s() < end; tries++) {
    const long before = interruptions();
    for (int i = 0; i < time->n; i++)
      time->by[i].ns = fmin(time->by[i].ns, take_turn(a, s, time->by[i].name));
    if (interruptions() == before) undisturbed++;
    if (undisturbed >= FEWEST_TURNS && is_decided(time)) return;
  }
}

/** The cache has whole nanoseconds.  If this program chose by parts of them, the next one would choose otherwise. */
void tutti_product_measure(const tutti_product_arrays *a, tutti_product_time *time) {
  take_turns(a, time);
  for (int i = 0; i < time->n; i++) time->by[i].ns = rint(time->by[i].ns);
}
