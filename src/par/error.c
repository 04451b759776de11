/** Errors of MPI as a tutti_status with the name of the call and MPI's own sentence (TUTTI_MPI). */
#include <stdio.h>
#include <string.h>

#include "par/par_impl.h"

tutti_status tutti_par_mpi_fail(int code, const char *call, const char *function, const char *file,
                                int line) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS)
    snprintf(text, sizeof text, "error code %d", code);
  return tutti_fail(TUTTI_ERR_MPI, function, file, line, "%.*s failed: %s", (int)strcspn(call, "("), call,
                    text);
}

const char *tutti_par_mpi_version(void) {
  static _Thread_local char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  if (MPI_Get_library_version(version, &length) != MPI_SUCCESS) return "unknown";
  // Some libraries add lines about their build.
  version[strcspn(version, "\n")] = '\0';
  return version;
}
