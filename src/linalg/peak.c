/** The largest rate of multiplications and additions, measured on registers.  The file is compiled with contraction
 * (see CMakeLists.txt), so that a * b + c is one operation if the processor has it.  tutti bench compares products
 * with it. */
#include "linalg/peak.h"

#include "base/clock.h"
#include "base/vector_unit.h"

/** Adds up after `n` rounds, so that no compiler leaves them out; the round's factor and term come from
 * memory for the same reason.  The accumulators tend to term / (1 - factor). */
typedef float (*peak_loop)(long n, const float *factor_term);

/** Independent accumulators: the latency of an operation times those that begin in a cycle is at most 12 on
 * what there is today, and they have to fit into the registers with factor and term. */
enum { N_ACCUMULATORS = 12 };

#define PEAK_LOOP(name, target, bytes)                                                                       \
  target static float name(long n, const float *factor_term) {                                               \
    typedef float vector __attribute__((vector_size(bytes)));                                                \
    const vector factor = factor_term[0] - (vector){0}, term = factor_term[1] - (vector){0};                 \
    vector sums[N_ACCUMULATORS];                                                                             \
    for (int k = 0; k < N_ACCUMULATORS; k++) sums[k] = term;                                                 \
    for (long i = 0; i < n; i++) {                                                                           \
      _Pragma("GCC unroll 12") for (int k = 0; k < N_ACCUMULATORS; k++) sums[k] = sums[k] * factor + term;   \
    }                                                                                                        \
    vector all = term;                                                                                       \
    for (int k = 0; k < N_ACCUMULATORS; k++) all += sums[k];                                                 \
    return all[0];                                                                                           \
  }

PEAK_LOOP(loop_of_4, , 16)
#if defined(__x86_64__)
PEAK_LOOP(loop_of_8, __attribute__((target("avx2,fma"))), 32)
PEAK_LOOP(loop_of_16, __attribute__((target("avx512f"))), 64)
#endif

static peak_loop choose(int *n_lanes) {
#if defined(__x86_64__)
  const bool avx2 = tutti_cpu_has_avx2_fma(), avx512 = tutti_cpu_has_avx512();
  *n_lanes = avx512 ? 16 : avx2 ? 8 : 4;
  return avx512 ? loop_of_16 : avx2 ? loop_of_8 : loop_of_4;
#else
  *n_lanes = 4;
  return loop_of_4;
#endif
}

static double flops_of_one(peak_loop loop, int n_lanes, double seconds) {
  enum { ROUNDS = 20000 }; // some 50 us between two looks at the clock
  static const volatile float numbers[2] = {0.5f, 1.0f};
  const float factor_term[2] = {numbers[0], numbers[1]};
  volatile float result = 0;
  const double start = tutti_clock_s();
  double now = start, n_operations = 0;
  while (now - start < seconds) {
    result = loop(ROUNDS, factor_term);
    n_operations += 2.0 * ROUNDS * N_ACCUMULATORS * n_lanes;
    now = tutti_clock_s();
  }
  (void)result;
  return now > start ? n_operations / (now - start) : 0;
}

double tutti_linalg_peak_flops(int n_threads, double seconds) {
  int n_lanes = 1;
  const peak_loop loop = choose(&n_lanes);
  double flops = 0;
#pragma omp parallel num_threads(n_threads) reduction(+ : flops)
  flops += flops_of_one(loop, n_lanes, seconds);
  (void)n_threads;
  return flops;
}
