/** Asks the processor itself (CPUID), so that loops compiled for several levels of x86-64 can choose one when they are
 * called.  Random numbers, matrix products and the measured peak choose by it. */
#include "base/vector_unit.h"

bool tutti_cpu_has_avx2_fma(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

bool tutti_cpu_has_avx512(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd");
#else
  return false;
#endif
}

/** Results (bit 15) and operands (bit 6) of the control register of SSE, which AVX uses, too. */
void tutti_cpu_flush_subnormals(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  const unsigned flush_results = 1u << 15, take_as_zero = 1u << 6;
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | flush_results | take_as_zero);
#endif
}
