/** Whether the BLAS has chosen kernels that are too slow for the processor.
 *
 * OpenBLAS chooses by the family and model of the processor.  If the processor is newer than the library, it may choose
 * its oldest kernels, which are several times slower, without a message.  The instructions that a processor has are
 * known without its model, so they can be compared with what the kernels need:
 *
 * - Below AVX2: all names in below_avx2.  Sandybridge and the AMD family from Bulldozer to Steamroller have no AVX2, so
 *   on a processor with AVX2 these names are a mistake.
 * - Below AVX-512: also Haswell, whose kernels do half as much work per instruction.
 * - Right on each processor that they are chosen for: SkylakeX, Cooperlake, SapphireRapids (AVX-512), Excavator (AVX2),
 *   and Zen (AVX2).  Libraries choose Zen only on AMD processors, where AVX-512 came late and in two halves, and
 *   measurements showed no difference.  A name that is not listed here is newer than this list, so its library knows
 *   the processor.
 *
 * The kernels to ask for are SkylakeX with AVX-512, because each OpenBLAS since 2017 has them (Cooperlake and
 * SapphireRapids need more instructions), and Haswell with AVX2. */
#include "machine/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fault.h"
#include "base/vector_unit.h"
#include "linalg/blas.h"
#include "tutti/linalg.h"

static const char *const below_avx2[] = {"Katmai", "Coppermine", "Northwood",    "Prescott",    "Banias",
                                         "Atom",   "Core2",      "Penryn",       "Dunnington",  "Nehalem",
                                         "Athlon", "Opteron",    "Opteron_SSE3", "Barcelona",   "Nano",
                                         "Bobcat", "Bulldozer",  "Piledriver",   "Steamroller", "Sandybridge",
                                         "Generic"}; // BLIS has some of the same names in lower case

const char *tutti_machine_better_kernels(const tutti_machine_cpu *cpu, const char *kernels) {
  bool slow = false;
  for (size_t i = 0; i < sizeof below_avx2 / sizeof below_avx2[0]; i++)
    slow = slow || strcasecmp(kernels, below_avx2[i]) == 0;
  if (cpu->avx512 && (slow || strcasecmp(kernels, "Haswell") == 0)) return "SkylakeX";
  return cpu->avx2_fma && slow ? "Haswell" : NULL;
}

static const char *environment(const char *name) {
  const char *text = getenv(name);
  return text && text[0] ? text : NULL;
}

/** Whether the user, and not this program, has set OPENBLAS_CORETYPE: a restart by `main` also sets the other
 * variable. */
static bool user_has_chosen(void) {
  return environment("OPENBLAS_CORETYPE") && !environment(TUTTI_KERNELS_BEFORE);
}

bool tutti_machine_kernels_are_given(void) {
  return user_has_chosen() || environment(TUTTI_VECTORS);
}

/** The kernels for vectors that are held down by the environment; NULL: those of the processor. */
static const char *kernels_for_held_vectors(const tutti_machine_cpu *cpu) {
  if (!environment(TUTTI_VECTORS) || cpu->avx512) return NULL;
  return cpu->avx2_fma ? "Haswell" : "Nehalem";
}

const char *tutti_machine_wanted_kernels(char taken[TUTTI_MACHINE_KERNELS_NAME]) {
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  if (!blas.dispatches || environment("OPENBLAS_CORETYPE") || environment(TUTTI_KERNELS_BEFORE)) return NULL;
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  // The fault stands for a processor that the library does not know.
  const bool known = tutti_fault("linalg.kernels") == TUTTI_OK;
  snprintf(taken, TUTTI_MACHINE_KERNELS_NAME, "%s", known ? blas.kernels : "Prescott");
  const char *held = kernels_for_held_vectors(&cpu);
  if (held) return strcasecmp(held, taken) == 0 ? NULL : held;
  return tutti_machine_better_kernels(&cpu, taken);
}

const char *tutti_machine_kernels_warning(void) {
  static _Thread_local char text[400];
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  const char *better = tutti_machine_better_kernels(&cpu, blas.first);
  if (!better) return NULL;
  char cure[96] = "link a newer version";
  if (blas.dispatches && user_has_chosen())
    snprintf(cure, sizeof cure, "remove OPENBLAS_CORETYPE from the environment, or set it to %s", better);
  else if (blas.dispatches && !environment("OPENBLAS_CORETYPE"))
    snprintf(cure, sizeof cure, "set OPENBLAS_CORETYPE=%s in the environment", better);
  snprintf(text, sizeof text,
           "%s %s computes with its %s kernels, which leave this processor's %s idle and can be several "
           "times slower: %s",
           blas.name, blas.version, blas.first, cpu.avx512 ? "AVX-512" : "AVX2", cure);
  return text;
}
