#pragma once
/** The kernels that the BLAS has taken, and whether they suit the processor.  Local. */
#include <stdbool.h>

#include "linalg/blas.h"
#include "machine/cpu.h"

/** Which OpenBLAS kernels are right for this processor where those called `kernels` are too slow for it; NULL
 * where they are right, or not known here.  BLIS' names are known too. */
const char *tutti_machine_better_kernels(const tutti_machine_cpu *cpu, const char *kernels);

enum { TUTTI_MACHINE_KERNELS_NAME = 32 };

/** The value of OPENBLAS_CORETYPE with which this program should be started again, and in `taken` the kernels
 * that the library has taken by itself; NULL where these are right, where the user has chosen, where the
 * library cannot be told, or where it has been told already. */
const char *tutti_machine_wanted_kernels(char taken[TUTTI_MACHINE_KERNELS_NAME]);

/** A sentence for the user about kernels that are too slow, with what to do; NULL where there are none.  Valid
 * until the thread's next call. */
const char *tutti_machine_kernels_warning(void);
