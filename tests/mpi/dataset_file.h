#pragma once
/** Data set files for the tests under mpiexec: rank 0 writes, all ranks open. */
#include "support/mpi_main.h"
#include "tutti/data.h"
#include "tutti/io.h"

/** Collective.  A temporary folder, its path known to all ranks; NULL where that failed (then on all
 * ranks). */
char *scratch_make(const tutti_comm *comm);
void scratch_remove(const tutti_comm *comm, char *folder); // Collective.

/** FOLDER/NAME into text, which is returned. */
enum { PATH_BYTES = 1200 };
const char *scratch_path(const char *folder, const char *name, char text[PATH_BYTES]);

typedef struct {
  const char *name;
  tutti_type type;
  int n_dims;
  int64_t dims[3];
  const void *data;
} given_array;

/** Collective.  Rank 0 writes the arrays [n]; class names of the first that is called y_train, where
 * given. */
void put_dataset(const tutti_comm *comm, const char *path, const given_array *arrays, int n,
                 const char *const *classes, int n_classes);

/** The usual names. */
tutti_data_options usual_options(const char *path);

/** Collective.  Open it; NULL where that failed, which is noted. */
tutti_dataset *open_usual(const tutti_comm *comm, const char *path);

/** Local.  Rows 0 ... n-1 as they are gathered are `expected` [n, n_features]. */
void expect_rows(const tutti_dataset *dataset, tutti_rows which, const double *expected, double tolerance);
