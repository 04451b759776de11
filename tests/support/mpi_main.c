#include "support/mpi_main.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "support/check.h"

enum { NOTE_BYTES = 4096, MAX_TESTS = 64 };

static char notes[NOTE_BYTES]; // what did not hold on this rank in the running test
static const tutti_comm *world;

bool mpi_expect(bool condition, const char *what, const char *file, int line, const char *format, ...) {
  if (condition) return true;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  tutti_text_append(notes, sizeof notes, "%s:%d: rank %d: %s does not hold: %s\n", file, line,
                    tutti_log_rank(), what, text);
  return false;
}

bool mpi_expect_status(tutti_status status, tutti_status expected, const char *part, const char *what,
                       const char *file, int line) {
  const char *text = status ? tutti_fail_text() : "";
  return mpi_expect(status == expected, what, file, line, "gave %d (%s), expected %d (%s): %s", status,
                    tutti_status_sentence(status), expected, tutti_status_sentence(expected), text) &&
         mpi_expect(strstr(text, part) != NULL, what, file, line, "text '%s', expected '%s' in it", text,
                    part);
}

/** Collective.  Whether the test went well on all ranks; where not, rank 0 gets the notes of the lowest rank
 * that has some.  Plain MPI, for it judges the code that stands on it. */
static bool all_well(void) {
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int speaker = notes[0] ? rank : size;
  MPI_Allreduce(MPI_IN_PLACE, &speaker, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (speaker == size) return true;
  MPI_Bcast(notes, NOTE_BYTES, MPI_CHAR, speaker, MPI_COMM_WORLD);
  return false;
}

/** Collective. */
static bool run(const mpi_test *test) {
  const int64_t live = tutti_alloc_live();
  notes[0] = '\0';
  test->run(world);
  EXPECT(tutti_alloc_live() == live, "%lld allocations more than before",
         (long long)(tutti_alloc_live() - live));
  return all_well();
}

static void run_under_cmocka(void **state) {
  if (run(*state)) return;
  print_error("%s", notes);
  fail();
}

static int run_on_root(const char *group, const mpi_test *tests, int n_tests) {
  struct CMUnitTest list[MAX_TESTS];
  for (int i = 0; i < n_tests; i++) {
    // cmocka takes the state without const; run_under_cmocka only reads it.
    const struct CMUnitTest one = {tests[i].name, run_under_cmocka, NULL, NULL, (void *)(uintptr_t)&tests[i]};
    list[i] = one;
  }
  return _cmocka_run_group_tests(group, list, (size_t)n_tests, NULL, NULL);
}

static int run_elsewhere(const mpi_test *tests, int n_tests) {
  int n_failed = 0;
  for (int i = 0; i < n_tests; i++) n_failed += !run(&tests[i]);
  return n_failed;
}

int mpi_main(const char *group, const mpi_test *tests, int n_tests) {
  tutti_comm *comm = NULL;
  const char *threads = getenv("TUTTI_TEST_MPI_THREADS");
  const bool funneled = threads && strcmp(threads, "funneled") == 0;
  int provided = 0;
  // The program asks for several threads, too.
  MPI_Init_thread(NULL, NULL, funneled ? MPI_THREAD_FUNNELED : MPI_THREAD_MULTIPLE, &provided);
  if (n_tests > MAX_TESTS || tutti_comm_create_world(&comm) != TUTTI_OK) {
    print_error("%d tests of at most %d; %s\n", n_tests, MAX_TESTS, tutti_fail_text());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  world = comm;
  const int n_failed =
      tutti_comm_rank(comm) == 0 ? run_on_root(group, tests, n_tests) : run_elsewhere(tests, n_tests);
  tutti_comm_destroy(&comm);
  MPI_Finalize();
  const int leaked = tutti_alloc_live() != 0;
  if (leaked) print_error("%lld allocations are still live\n", (long long)tutti_alloc_live());
  return n_failed || leaked;
}
