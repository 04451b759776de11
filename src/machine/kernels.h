#pragma once
/** The kernels that the BLAS has chosen, and whether they suit the processor.  Local. */
#include <stdbool.h>

#include "linalg/blas.h"
#include "machine/cpu.h"

/** Better OpenBLAS kernels for a processor.
 * @param[in] kernels  name of the chosen kernels, in OpenBLAS or BLIS
 * @return a name for OPENBLAS_CORETYPE; NULL if the chosen kernels are right, or not known here */
const char *tutti_machine_better_kernels(const tutti_machine_cpu *cpu, const char *kernels);

enum { TUTTI_MACHINE_KERNELS_NAME = 32 };

/** Whether the user has chosen the kernels of the BLAS, by OPENBLAS_CORETYPE or TUTTI_VECTORS. */
bool tutti_machine_kernels_are_given(void);

/** The value of OPENBLAS_CORETYPE that this program should be started again with.
 * @param[out] taken  kernels that the library has chosen by itself
 * @return NULL if these are right, if the user has chosen, if this BLAS does not read the variable, or if the program
 * has been started again already */
const char *tutti_machine_wanted_kernels(char taken[TUTTI_MACHINE_KERNELS_NAME]);

/** A sentence for the user about kernels that are too slow, with what to do.  Valid until the next call in this thread.
 * @return NULL if the kernels suit the processor */
const char *tutti_machine_kernels_warning(void);
