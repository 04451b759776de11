#pragma once
/** The BLAS library itself: its name, its version, its kernels and its threads.  Local. */
#include <stdbool.h>

/** Set in the environment, beside OPENBLAS_CORETYPE, of a program that was started again for better kernels:
 * the ones that the library had taken by itself. */
#define TUTTI_KERNELS_BEFORE "TUTTI_KERNELS_BEFORE"

/** What the library says about itself; "" if it says nothing. */
typedef struct {
  char name[96];       // "OpenBLAS"; of an unknown library its file
  char version[32];    // "0.3.21"
  const char *kernels; // "SkylakeX"
  const char *first;   // those before tutti_blas_take_kernels took others
  bool dispatches;     // OPENBLAS_CORETYPE chooses them
} tutti_blas_facts;

void tutti_blas_get(tutti_blas_facts *facts);

/** Let OpenBLAS compute with other kernels from now on, for the whole process.  Not while another thread is in a call of the
 * BLAS.  OpenBLAS reads the name from the environment, which is changed during the call: no other thread may read or change
 * the environment then, be it ours or one that MPI has started.  The environment stays as it is if the library has these
 * kernels already.
 * @param[in] kernels  a name for OPENBLAS_CORETYPE, of kernels that the processor can run
 * @return whether it computes with them: a library may be another one, or may lack them; it then has its first ones */
bool tutti_blas_take_kernels(const char *kernels);

/** Set the threads of each call of the BLAS, if the library has a function for it. */
void tutti_blas_set_threads(int n);

/** The number of threads as the library says; 1 if it does not. */
int tutti_blas_threads(void);
