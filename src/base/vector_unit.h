#pragma once
/** The vector unit of the processor: which instructions it has, and how it rounds tiny numbers.  Local. */
#include "tutti/base.h"

/** A variable of the environment that holds the vectors of products and random numbers down to those of another
 * processor: "avx512" (as if it were not set), "avx2" or "baseline".  It is read once. */
#define TUTTI_VECTORS "TUTTI_VECTORS"

/** @return ERR_USAGE: the variable has another value, which counts as "avx512" elsewhere */
TUTTI_NODISCARD
tutti_status tutti_cpu_check_vectors(void);

/** Whether code for x86-64-v3, or -v4, may run here: all those extensions that compilers use at that level. */
bool tutti_cpu_has_avx2_fma(void);
bool tutti_cpu_has_avx512(void);

/** Numbers below the smallest normal one become 0 in this thread and in those it starts: where a processor can do that,
 * arithmetic with them is slow, and the averages of optimizers over gradients that stay 0 decay right into them. */
void tutti_cpu_flush_subnormals(void);
