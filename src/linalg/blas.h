#pragma once
/** The BLAS library itself: its name, its version, its kernels and its threads.  Local. */
#include <stdbool.h>

/** Set in the environment, beside OPENBLAS_CORETYPE, of a program that was started again for better kernels:
 * the ones that the library had taken by itself. */
#define TUTTI_KERNELS_BEFORE "TUTTI_KERNELS_BEFORE"

/** What it says of itself; "" where it does not. */
typedef struct {
  char name[96];       // "OpenBLAS"; of an unknown library its file
  char version[32];    // "0.3.21"
  const char *kernels; // "SkylakeX"
  bool dispatches;     // OPENBLAS_CORETYPE chooses them
} tutti_blas_facts;

void tutti_blas_get(tutti_blas_facts *facts);

/** Threads of one call of the BLAS from now on, where the library lets itself be told. */
void tutti_blas_set_threads(int n);

/** What it says of them; 1 where it cannot say. */
int tutti_blas_threads(void);
