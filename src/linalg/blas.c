#include "linalg/blas_impl.h"

#include <stdio.h>

#include "tutti/linalg.h"

// What no standard BLAS interface has, the libraries offer under names of their own.  Weak references are
// null where the library linked is another one, so that any CBLAS links and runs.
extern char *openblas_get_config(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern void openblas_set_num_threads(int n) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));
extern void MKL_Get_Version_String(char *text, int bytes) __attribute__((weak));
extern void MKL_Set_Num_Threads(int n) __attribute__((weak));
extern int MKL_Get_Max_Threads(void) __attribute__((weak));
extern const char *bli_info_get_version_str(void) __attribute__((weak));
extern void bli_thread_set_num_threads(int64_t n) __attribute__((weak));
extern int64_t bli_thread_get_num_threads(void) __attribute__((weak));

const char *tutti_blas_description(void) {
  static _Thread_local char text[160];
  if (openblas_get_config && openblas_get_corename) {
    // The configuration begins "OpenBLAS 0.3.21 " and goes on with build options.
    char version[32] = "";
    sscanf(openblas_get_config(), "OpenBLAS %31s", version);
    snprintf(text, sizeof text, "OpenBLAS %s %s", version, openblas_get_corename());
    return text;
  }
  if (MKL_Get_Version_String) {
    MKL_Get_Version_String(text, sizeof text);
    return text;
  }
  if (bli_info_get_version_str) {
    snprintf(text, sizeof text, "BLIS %s", bli_info_get_version_str());
    return text;
  }
  return "unknown BLAS";
}

void tutti_blas_set_threads(int n) {
  if (openblas_set_num_threads)
    openblas_set_num_threads(n);
  else if (MKL_Set_Num_Threads)
    MKL_Set_Num_Threads(n);
  else if (bli_thread_set_num_threads)
    bli_thread_set_num_threads(n);
}

int tutti_blas_threads(void) {
  if (openblas_get_num_threads) return openblas_get_num_threads();
  if (MKL_Get_Max_Threads) return MKL_Get_Max_Threads();
  // BLIS says -1 until a number is set.
  const int64_t n = bli_thread_get_num_threads ? bli_thread_get_num_threads() : 1;
  return n > 1 ? (int)n : 1;
}
