/* Draws the test rows of an import: the rows with the smallest random words.  The word of a row depends on the seed
 * and the row alone, so the same file and seed give the same test rows everywhere.  The import of CSV calls it. */
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "data/import_impl.h"

/** A row and its random word. */
typedef struct {
  uint32_t word;
  int64_t row;
} ticket;

/** Inside each part the rows keep the order of the file. */
static int by_row(const void *a, const void *b) {
  const ticket *x = a, *y = b;
  return (x->row > y->row) - (x->row < y->row);
}

static int by_word(const void *a, const void *b) {
  const ticket *x = a, *y = b;
  return x->word != y->word ? (x->word > y->word) - (x->word < y->word) : by_row(a, b);
}

tutti_status tutti_import_split(int64_t n, double fraction, uint64_t seed, int64_t *order, int64_t *n_test) {
  TUTTI_CHECK(fraction >= 0 && fraction < 1, TUTTI_ERR_USAGE,
              "test_fraction is %g, expected a number >= 0 and < 1", fraction);
  *n_test = llround((double)n * fraction);
  TUTTI_CHECK(*n_test < n, TUTTI_ERR_USAGE, "test_fraction %g leaves none of the %lld rows for training",
              fraction, (long long)n);
  const tutti_stream stream = {.seed = seed, .kind = TUTTI_STREAM_IMPORT};
  ticket *tickets = NULL;
  TUTTI_TRY(TUTTI_NEW(tickets, n));
  for (int64_t row = 0; row < n; row++) {
    tickets[row].row = row;
    tutti_random_fill(stream, (uint64_t)row, 1, &tickets[row].word);
  }
  const int64_t n_train = n - *n_test;
  qsort(tickets, (size_t)n, sizeof *tickets, by_word);
  qsort(tickets, (size_t)*n_test, sizeof *tickets, by_row);
  qsort(tickets + *n_test, (size_t)n_train, sizeof *tickets, by_row);
  for (int64_t i = 0; i < n; i++) order[(i + n_train) % n] = tickets[i].row;
  tutti_free(tickets);
  return TUTTI_OK;
}
