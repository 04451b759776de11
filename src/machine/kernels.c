/** OpenBLAS looks at the processor's family and model.  One that is younger than the library may get the oldest
 * kernels that there are, several times slower, and nothing says so.  What the processor can do is known
 * without its model, so that much can be compared:
 *
 * - Below AVX2: all names in below_avx2.  Bulldozer and its successors up to Steamroller have no AVX2 and
 *   Sandybridge neither, so on a processor that has it these names are a mistake.
 * - Below AVX-512: also Haswell, whose kernels do half the work in an instruction.
 * - Right on any processor: SkylakeX, Cooperlake, SapphireRapids (AVX-512); Excavator, which is taken only where it
 *   is meant, and has AVX2; and Zen, although it is AVX2: libraries take it on AMD alone, where AVX-512 came late
 *   and in two halves, so that the two were measured to be equal.  A name that is not known here is younger
 *   than this list, and belongs to a library that knows the processor.
 *
 * SkylakeX is the one to ask for with AVX-512, since Cooperlake and SapphireRapids want more than that, and
 * every OpenBLAS since 2017 has it; Haswell the one with AVX2. */
#include "machine/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fault.h"
#include "linalg/blas.h"
#include "tutti/linalg.h"

static const char *const below_avx2[] =
    {
        "Katmai",       "Coppermine",  "Northwood",  "Prescott", "Banias",    "Atom",
        "Core2",        "Penryn",      "Dunnington", "Nehalem",  "Athlon",    "Opteron",
        "Opteron_SSE3", "Barcelona",   "Nano",       "Bobcat",   "Bulldozer", "Piledriver",
        "Steamroller",  "Sandybridge", "Generic"}; // and the names in BLIS: generic, penryn, sandybridge, bulldozer, piledriver, steamroller
static const char *const below_avx512[] = {"Haswell"};

static bool is_among(const char *name, const char *const *names, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcasecmp(name, names[i]) == 0) return true;
  return false;
}

const char *tutti_machine_better_kernels(const tutti_machine_cpu *cpu, const char *kernels) {
  const bool slow = is_among(kernels, below_avx2, sizeof below_avx2 / sizeof below_avx2[0]);
  if (cpu->avx512 && (slow || is_among(kernels, below_avx512, sizeof below_avx512 / sizeof below_avx512[0])))
    return "SkylakeX";
  return cpu->avx2_fma && slow ? "Haswell" : NULL;
}

static const char *environment(const char *name) {
  const char *text = getenv(name);
  return text && text[0] ? text : NULL;
}

/** Whether the environment, and not this program, names the kernels. */
static bool user_has_chosen(void) {
  return environment("OPENBLAS_CORETYPE") && !environment(TUTTI_KERNELS_BEFORE);
}

const char *tutti_machine_wanted_kernels(char taken[TUTTI_MACHINE_KERNELS_NAME]) {
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  if (!blas.dispatches || environment("OPENBLAS_CORETYPE") || environment(TUTTI_KERNELS_BEFORE)) return NULL;
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  // With the fault any processor is one that the library does not know.
  const bool known = tutti_fault("linalg.kernels") == TUTTI_OK;
  snprintf(taken, TUTTI_MACHINE_KERNELS_NAME, "%s", known ? blas.kernels : "Prescott");
  return tutti_machine_better_kernels(&cpu, taken);
}

const char *tutti_machine_kernels_warning(void) {
  static _Thread_local char text[400];
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  const char *better = tutti_machine_better_kernels(&cpu, blas.kernels);
  if (!better) return NULL;
  char cure[96] = "link a newer one";
  if (blas.dispatches && user_has_chosen())
    snprintf(cure, sizeof cure, "take OPENBLAS_CORETYPE out of the environment, or make it %s", better);
  else if (blas.dispatches && !environment("OPENBLAS_CORETYPE"))
    snprintf(cure, sizeof cure, "set OPENBLAS_CORETYPE=%s in the environment", better);
  snprintf(
      text, sizeof text,
      "%s %s computes with its %s kernels, which leave this processor's %s idle and can be several times "
      "slower: %s",
      blas.name, blas.version, blas.kernels, cpu.avx512 ? "AVX-512" : "AVX2", cure);
  return text;
}
