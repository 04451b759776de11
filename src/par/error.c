/** Errors of MPI as a tutti_status with the name of the call and MPI's own sentence (TUTTI_MPI). */
#include <stdio.h>
#include <string.h>

#include "par/par_impl.h"

const char *tutti_par_mpi_text(int code, char text[MPI_MAX_ERROR_STRING]) {
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS)
    snprintf(text, MPI_MAX_ERROR_STRING, "error code %d", code);
  return text;
}

tutti_status tutti_par_mpi_fail(int code, const char *call, const char *function, const char *file,
                                int line) {
  char text[MPI_MAX_ERROR_STRING];
  return tutti_fail(TUTTI_ERR_MPI, function, file, line, "%.*s failed: %s", (int)strcspn(call, "("), call,
                    tutti_par_mpi_text(code, text));
}

const char *tutti_par_mpi_version(void) {
  static _Thread_local char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  if (MPI_Get_library_version(version, &length) != MPI_SUCCESS) return "unknown";
  version[strcspn(version, "\n")] = '\0';
  return version;
}
