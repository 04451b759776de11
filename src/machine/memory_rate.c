/** The rate of memory and caches, with which `tutti bench` compares the parts of a step. */
#include "machine/memory_rate.h"

#include <math.h>

#include "base/clock.h"
#include "base/clones.h"
#include "linalg/parallel.h"

typedef struct {
  float *x, *y;
  int64_t passes;
} arrays_of_passes;

/** So small that rounding takes it away, however many passes there are. */
static const float FACTOR = 1e-20F;

TUTTI_CLONES static void add(const float *restrict x, float factor, int64_t n, float *restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] += factor * x[i];
}

static void pass(void *context, int64_t begin, int64_t end) {
  const arrays_of_passes *a = context;
  for (int64_t k = 0; k < a->passes; k++) add(a->x + begin, FACTOR, end - begin, a->y + begin);
}

static double time_passes(const arrays_of_passes *arrays, int64_t n, int n_threads) {
  const double start = tutti_clock_s();
  tutti_linalg_parallel_by(n_threads, n, 1, pass, (void *)arrays);
  return tutti_clock_s() - start;
}

double tutti_machine_memory_rate(float *arrays, int64_t n, int n_threads, double seconds) {
  arrays_of_passes a = {.x = arrays, .y = arrays + n, .passes = 1};
  // The first passes bring the arrays into the caches, and tell how many fill the time.
  double taken = time_passes(&a, n, n_threads);
  for (; taken < seconds / 8; taken = time_passes(&a, n, n_threads)) a.passes *= 4;
  a.passes = (int64_t)ceil((double)a.passes * seconds / taken);
  taken = time_passes(&a, n, n_threads);
  return 3.0 * (double)n * sizeof(float) * (double)a.passes / taken;
}
