/** Sums over nodes that nobody waits for: the numbers, the bits, and several sums at the same time.  Each rank stands for a
 * node. */
#include <string.h>

#include "base/random.h"
#include "par/exchange_impl.h"
#include "support/mpi_main.h"
#include "support/numbers.h"

enum { MOST = 1000, N_SUMS = 7, AT_ONCE = 3 };
static const int lengths[] = {0, 1, 2, 7, 64, 999, MOST};
_Static_assert(sizeof lengths / sizeof lengths[0] == N_SUMS, "a length for each sum");

static float values[N_SUMS][MOST + 1], expected[N_SUMS][MOST];

/** Of very different size, so that another order of the additions has other bits. */
static void fill(int rank, int sum, float *x) {
  const float scale = (float)(1 << (rank * 7 % 13));
  numbers_fill((uint32_t)(rank * N_SUMS + sum), -scale, scale, MOST, x);
}

/** The slow twin: from the last node to the first one. */
static void sum_twin(int size, int sum) {
  float x[MOST];
  fill(size - 1, sum, expected[sum]);
  for (int rank = size - 2; rank >= 0; rank--) {
    fill(rank, sum, x);
    for (int i = 0; i < MOST; i++) expected[sum][i] = x[i] + expected[sum][i];
  }
}

static void advance_until(tutti_exchange *exchange, const atomic_int *left, int most) {
  bool moved = false;
  while (atomic_load(left) > most)
    if (!EXPECT_OK(tutti_par_exchange_advance(exchange, &moved))) return;
}

static void exchange_all(const tutti_comm *comm, tutti_exchange *exchange, atomic_int *left) {
  bool moved = false;
  for (int sum = 0; sum < N_SUMS; sum++) {
    while (!tutti_par_exchange_has_room(exchange))
      if (!EXPECT_OK(tutti_par_exchange_advance(exchange, &moved))) return;
    EXPECT_OK(tutti_par_exchange_start(exchange, comm->all, values[sum], lengths[sum], sum, left));
  }
}

static void check_sums(int round) {
  for (int sum = 0; sum < N_SUMS; sum++) {
    const int n = lengths[sum];
    EXPECT(memcmp(values[sum], expected[sum], (size_t)n * sizeof(float)) == 0, "sum of %d values, round %d",
           n, round);
    EXPECT(values[sum][n] == -3, "a value behind the %d of a sum has changed", n);
  }
}

static void sums_have_the_bits_of_one_order(const tutti_comm *comm) {
  tutti_exchange *exchange = NULL;
  if (comm->size < 2) return;
  if (!EXPECT_OK(tutti_comm_agree(comm, tutti_par_exchange_create(comm->size, MOST, AT_ONCE, &exchange))))
    return;
  for (int sum = 0; sum < N_SUMS; sum++) sum_twin(comm->size, sum);
  for (int round = 0; round < 3; round++) {
    atomic_int left = N_SUMS;
    for (int sum = 0; sum < N_SUMS; sum++) {
      fill(comm->rank, sum, values[sum]);
      values[sum][lengths[sum]] = -3;
    }
    exchange_all(comm, exchange, &left);
    advance_until(exchange, &left, 0);
    EXPECT(tutti_par_exchange_is_idle(exchange), "all sums are there");
    check_sums(round);
  }
  tutti_par_exchange_destroy(&exchange);
}

/** Ranks may start sums in another order than others, as far as their room goes. */
static void order_does_not_matter(const tutti_comm *comm) {
  tutti_exchange *exchange = NULL;
  if (comm->size < 2) return;
  if (!EXPECT_OK(tutti_comm_agree(comm, tutti_par_exchange_create(comm->size, MOST, 2, &exchange)))) return;
  for (int round = 0; round < 20; round++) {
    atomic_int left = 2;
    float two[2][MOST];
    for (int i = 0; i < MOST; i++)
      two[0][i] = (float)(comm->rank + i), two[1][i] = (float)(round - comm->rank);
    for (int k = 0; k < 2; k++) {
      const int sum = (k + comm->rank) % 2;
      EXPECT_OK(tutti_par_exchange_start(exchange, comm->all, two[sum], MOST, sum, &left));
    }
    advance_until(exchange, &left, 0);
    const float ranks = (float)(comm->size * (comm->size - 1) / 2), size = (float)comm->size;
    int n_wrong = 0;
    for (int i = 0; i < MOST; i++)
      n_wrong += two[0][i] != ranks + size * (float)i || two[1][i] != size * (float)round - ranks;
    EXPECT(n_wrong == 0, "%d of %d, round %d", n_wrong, MOST, round);
  }
  tutti_par_exchange_destroy(&exchange);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(sums_have_the_bits_of_one_order),
      MPI_TEST(order_does_not_matter),
  };
  return mpi_main("exchange", tests, sizeof tests / sizeof *tests);
}
