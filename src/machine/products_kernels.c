/** The kernels of the BLAS that products are chosen from: those that it has taken by itself, and on some processors a
 * second set. */
#include <stdio.h>
#include <string.h>

#include "linalg/blas.h"
#include "machine/cpu.h"
#include "machine/products_impl.h"

/** On some processors with AVX-512 the kernels for AVX2 are faster. */
static const char narrower[] = "Haswell";

const char *tutti_products_first_kernels(char name[TUTTI_MACHINE_KERNELS_NAME]) {
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  snprintf(name, TUTTI_MACHINE_KERNELS_NAME, "%s", blas.first[0] ? blas.first : "blas");
  for (char *c = name; *c; c++)
    if (*c == ' ') *c = '_'; // a word of a line
  return name;
}

static bool are_first(const char *kernels) {
  char first[TUTTI_MACHINE_KERNELS_NAME];
  return strcmp(kernels, tutti_products_first_kernels(first)) == 0;
}

bool tutti_products_allow(const char *kernels) {
  if (are_first(kernels)) return true;
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  return !tutti_machine_kernels_are_given() && cpu.avx512 && cpu.avx2_fma && strcmp(kernels, narrower) == 0;
}

bool tutti_products_take_kernels(const char *kernels) {
  tutti_blas_facts blas;
  tutti_blas_get(&blas);
  return tutti_products_allow(kernels) && tutti_blas_take_kernels(are_first(kernels) ? blas.first : kernels);
}

/** Whether the BLAS has the narrower kernels.  To find out takes them for a moment, which is longer than a small step, so
 * it is done once. */
static bool has_narrower(const char *first) {
  static bool asked, has;
  if (!asked) has = tutti_products_take_kernels(narrower) && tutti_products_take_kernels(first);
  asked = true;
  return has;
}

static void add(tutti_product_time *loops, const char *name) {
  snprintf(loops->by[loops->n++].name, sizeof loops->by[0].name, "%s", name);
}

void tutti_products_list_loops(tutti_sum_order by, tutti_product_time *loops) {
  char first[TUTTI_MACHINE_KERNELS_NAME];
  tutti_products_first_kernels(first);
  *loops = (tutti_product_time){.n = 0};
  if (by != TUTTI_SUM_BY_BLAS) add(loops, TUTTI_OWN_LOOPS);
  if (by == TUTTI_SUM_IN_ORDER) return;
  add(loops, first);
  if (strcmp(first, narrower) != 0 && tutti_products_allow(narrower) && has_narrower(first))
    add(loops, narrower);
}
