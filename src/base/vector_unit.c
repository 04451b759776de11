/** Asks the processor itself (CPUID), so that loops compiled for several levels of x86-64 can choose one when they are
 * called.  Random numbers, matrix products and the measured peak choose by it. */
#include "base/vector_unit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/** What TUTTI_VECTORS allows at most. */
typedef enum { UNREAD, BASELINE, AVX2, ALL, UNKNOWN } level;

static level read_level(void) {
  const char *text = getenv(TUTTI_VECTORS);
  return !text || !text[0] || strcmp(text, "avx512") == 0 ? ALL
         : strcmp(text, "avx2") == 0                      ? AVX2
         : strcmp(text, "baseline") == 0                  ? BASELINE
                                                          : UNKNOWN;
}

/** The environment is read once, because each product asks. */
static level allowed(void) {
  static atomic_int known = UNREAD;
  if (atomic_load_explicit(&known, memory_order_relaxed) == UNREAD) atomic_store(&known, (int)read_level());
  return (level)atomic_load_explicit(&known, memory_order_relaxed);
}

tutti_status tutti_cpu_check_vectors(void) {
  TUTTI_CHECK(allowed() != UNKNOWN, TUTTI_ERR_USAGE, TUTTI_VECTORS "=%s: expected avx512, avx2 or baseline",
              getenv(TUTTI_VECTORS));
  return TUTTI_OK;
}

bool tutti_cpu_has_avx2_fma(void) {
#if defined(__x86_64__)
  return allowed() >= AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

bool tutti_cpu_has_avx512(void) {
#if defined(__x86_64__)
  return allowed() >= ALL && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
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
