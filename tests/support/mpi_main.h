#pragma once
/** Tests under mpiexec.  A test is a function that every rank calls.  An assertion that leaves it on one rank
 * would leave the others waiting, so EXPECT only notes what does not hold; when the function has returned,
 * the ranks agree on the outcome and rank 0, the only one to run cmocka, prints it. */
#include <stdbool.h>

#include "tutti/par.h"

typedef struct {
  const char *name;
  void (*run)(const tutti_comm *comm);
} mpi_test;

#define MPI_TEST(function)                                                                                   \
  { #function, function }

/** What `main` of a test program returns.  Runs the tests over MPI_COMM_WORLD; a test that leaves memory
 * behind fails. */
int mpi_main(const char *group, const mpi_test *tests, int n_tests);

/** Local.  Note it where `condition` does not hold; the printf-like text tells the values.  Gives `condition`
 * back, for tests that cannot go on.  Leave a test early only where all ranks do. */
#define EXPECT(condition, ...) mpi_expect((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)

/** The call succeeds. */
#define EXPECT_OK(call) mpi_expect_status((call), TUTTI_OK, "", #call, __FILE__, __LINE__)

/** The call fails with `code`, and the text holds `part`. */
#define EXPECT_FAILS(call, code, part) mpi_expect_status((call), (code), (part), #call, __FILE__, __LINE__)

bool mpi_expect(bool condition, const char *what, const char *file, int line, const char *format, ...)
    TUTTI_PRINTF(5, 6);
bool mpi_expect_status(tutti_status status, tutti_status expected, const char *part, const char *what,
                       const char *file, int line);
