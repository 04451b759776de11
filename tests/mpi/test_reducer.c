#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "par/par_impl.h"
#include "support/mpi_main.h"

static tutti_reducer *create(const tutti_comm *comm, int64_t n) {
  tutti_reducer *reducer = NULL;
  EXPECT_OK(tutti_reducer_create(comm, TUTTI_REDUCE_FLAT, n, 1, &reducer));
  return reducer;
}

/** A small integer, so that sums over ranks are exact whatever their order. */
static float gradient(int rank, int step, int64_t i) {
  return (float)((rank + 1) * (i % 17 - 8) + step);
}

static float gradient_sum(int size, int step, int64_t i) {
  float sum = 0;
  for (int rank = 0; rank < size; rank++) sum += gradient(rank, step, i);
  return sum;
}

static void check_step(const tutti_comm *comm, tutti_reducer *reducer, int64_t n, int step) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  float *grads = tutti_reducer_leaf(reducer, rank);
  for (int64_t i = 0; i < n; i++) grads[i] = gradient(rank, step, i);
  double tail[1][TUTTI_N_TAIL] = {{0}};
  tail[0][TUTTI_TAIL_SAMPLES] = rank + 1;
  EXPECT_OK(tutti_reducer_reduce(reducer, tail));
  int64_t begin = -1, end = -1, n_wrong = 0;
  tutti_reducer_slice(reducer, &begin, &end);
  EXPECT(0 <= begin && begin <= end && end <= n, "[%lld, %lld)", (long long)begin, (long long)end);
  const float *sums = tutti_reducer_gradient(reducer, begin, end - begin);
  for (int64_t i = begin; i < end; i++) n_wrong += sums[i - begin] != gradient_sum(size, step, i);
  EXPECT(n_wrong == 0, "%lld of %lld sums, step %d", (long long)n_wrong, (long long)n, step);
  EXPECT_OK(tutti_reducer_publish(reducer));
  EXPECT(tail[0][TUTTI_TAIL_SAMPLES] == 0.5 * size * (size + 1), "%g", tail[0][TUTTI_TAIL_SAMPLES]);
}

static void gradients_sum_exactly(const tutti_comm *comm) {
  const int64_t lengths[] = {0, 1, 2, 7, 64, 10001};
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
    tutti_reducer *reducer = create(comm, lengths[l]);
    if (!reducer) return;
    for (int step = 0; step < 3; step++) check_step(comm, reducer, lengths[l], step);
    tutti_reducer_destroy(&reducer);
    EXPECT(reducer == NULL, "the handle is left");
    tutti_reducer_destroy(&reducer);
  }
}

static void rank_without_samples_gives_zeros(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm);
  tutti_reducer *reducer = create(comm, 5);
  if (!reducer) return;
  float *grads = tutti_reducer_leaf(reducer, rank);
  for (int i = 0; i < 5; i++) grads[i] = rank == 0 ? 0.1f * (float)i : 0;
  double tail[1][TUTTI_N_TAIL] = {{0}};
  if (rank == 0) tail[0][TUTTI_TAIL_LOSS] = 0.3;
  EXPECT_OK(tutti_reducer_reduce(reducer, tail));
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(reducer, &begin, &end);
  const float *sums = tutti_reducer_gradient(reducer, begin, end - begin);
  for (int64_t i = begin; i < end; i++)
    EXPECT(sums[i - begin] == 0.1f * (float)i, "%g at %d", (double)sums[i - begin], (int)i);
  EXPECT(tail[0][TUTTI_TAIL_LOSS] == 0.3, "%.17g", tail[0][TUTTI_TAIL_LOSS]);
  EXPECT_OK(tutti_reducer_publish(reducer));
  tutti_reducer_destroy(&reducer);
}

/** Counts that a float cannot hold, next to a loss that a float would round. */
static void tail_is_exact(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  tutti_reducer *reducer = create(comm, 3);
  if (!reducer) return;
  const double large = 0x1p50 + 1;
  double tail[1][TUTTI_N_TAIL] = {{0}};
  tail[0][TUTTI_TAIL_FAILED] = rank == size - 1;
  tail[0][TUTTI_TAIL_SAMPLES] = large + rank;
  tail[0][TUTTI_TAIL_LOSS] = rank % 2 ? -0.1 : 0.1;
  tail[0][TUTTI_TAIL_METRIC] = -16777217;
  EXPECT_OK(tutti_reducer_reduce(reducer, tail));
  const double samples = size * large + 0.5 * size * (size - 1);
  EXPECT(tail[0][TUTTI_TAIL_FAILED] == 1, "%g", tail[0][TUTTI_TAIL_FAILED]);
  EXPECT(tail[0][TUTTI_TAIL_SAMPLES] == samples, "%.17g, expected %.17g", tail[0][TUTTI_TAIL_SAMPLES],
         samples);
  EXPECT(tail[0][TUTTI_TAIL_LOSS] == (size % 2 ? 0.1 : 0), "%.17g", tail[0][TUTTI_TAIL_LOSS]);
  EXPECT(tail[0][TUTTI_TAIL_METRIC] == -16777217.0 * size, "%.17g", tail[0][TUTTI_TAIL_METRIC]);
  tutti_reducer_destroy(&reducer);
}

static void nan_of_one_rank_is_seen_by_all(const tutti_comm *comm) {
  const double bad[] = {NAN, INFINITY, -INFINITY};
  tutti_reducer *reducer = create(comm, 3);
  if (!reducer) return;
  for (int i = 0; i < 3; i++) {
    double tail[1][TUTTI_N_TAIL] = {{[TUTTI_TAIL_SAMPLES] = 1}};
    tail[0][TUTTI_TAIL_LOSS] = tutti_comm_rank(comm) == tutti_comm_size(comm) - 1 ? bad[i] : 1;
    EXPECT_OK(tutti_reducer_reduce(reducer, tail));
    EXPECT(isnan(tail[0][TUTTI_TAIL_LOSS]), "%g", tail[0][TUTTI_TAIL_LOSS]);
    EXPECT(tail[0][TUTTI_TAIL_SAMPLES] == tutti_comm_size(comm), "%g", tail[0][TUTTI_TAIL_SAMPLES]);
  }
  tutti_reducer_destroy(&reducer);
}

static void parameters_are_whole_after_publish(const tutti_comm *comm) {
  enum { N = 100 };
  tutti_reducer *reducer = create(comm, N);
  if (!reducer) return;
  float *params = tutti_reducer_params(reducer);
  for (int i = 0; i < N; i++) EXPECT(params[i] == 0, "%g at %d in the beginning", (double)params[i], i);
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(reducer, &begin, &end);
  double tail[1][TUTTI_N_TAIL] = {{0}}, squares[2] = {0, 1};
  EXPECT_OK(tutti_reducer_reduce(reducer, tail));
  for (int64_t i = begin; i < end; i++) params[i] = (float)(3 * i);
  EXPECT_OK(tutti_reducer_publish(reducer));
  for (int i = 0; i < N; i++) EXPECT(params[i] == (float)(3 * i), "%g at %d", (double)params[i], i);

  for (int64_t i = begin; i < end; i++) squares[0] += (double)params[i] * params[i];
  const double fraction = (double)(end - begin) / N;
  squares[1] = fraction;
  EXPECT_OK(tutti_reducer_sum_slices(reducer, squares, 2));
  EXPECT(squares[0] == 9.0 * 99 * 100 * 199 / 6, "%.17g", squares[0]);
  EXPECT(fabs(squares[1] - 1) < 1e-12, "slices cover %.17g of the parameters", squares[1]);
  tutti_reducer_destroy(&reducer);
}

static void state_goes_to_the_root_and_back(const tutti_comm *comm) {
  enum { N = 37 };
  const bool is_root = tutti_comm_rank(comm) == 0;
  tutti_reducer *reducer = create(comm, N);
  if (!reducer) return;
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(reducer, &begin, &end);
  float slice[N] = {0}, whole[N] = {0};
  for (int64_t i = begin; i < end; i++) slice[i - begin] = (float)(i * i);
  EXPECT_OK(tutti_reducer_gather(reducer, slice, is_root ? whole : NULL));
  for (int i = 0; i < N && is_root; i++) EXPECT(whole[i] == (float)(i * i), "%g at %d", (double)whole[i], i);

  for (int i = 0; i < N; i++) whole[i] += 1;
  EXPECT_OK(tutti_reducer_scatter(reducer, is_root ? whole : NULL, slice));
  for (int64_t i = begin; i < end; i++)
    EXPECT(slice[i - begin] == (float)(i * i + 1), "%g at %lld", (double)slice[i - begin], (long long)i);
  tutti_reducer_destroy(&reducer);
}

static void auto_is_a_real_reducer(const tutti_comm *comm) {
  tutti_reducer *reducer = NULL;
  if (!EXPECT_OK(tutti_reducer_create(comm, TUTTI_REDUCE_AUTO, 10, 1, &reducer))) return;
  EXPECT(strcmp(tutti_reducer_name(reducer), "flat") == 0, "'%s'", tutti_reducer_name(reducer));
  check_step(comm, reducer, 10, 0);
  tutti_reducer_destroy(&reducer);
}

/** As for a gradient of more than 2^31 floats, with smaller pieces. */
static void long_gradients_go_in_pieces(const tutti_comm *comm) {
  enum { N = 100 };
  const int pieces[] = {1, 7, 50, 99, 100, TUTTI_PIECE};
  for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
    float values[N + 1];
    for (int i = 0; i <= N; i++) values[i] = gradient(tutti_comm_rank(comm), 1, i);
    EXPECT_OK(tutti_sum_floats(comm, values, N, pieces[p]));
    int n_wrong = 0;
    for (int i = 0; i < N; i++) n_wrong += values[i] != gradient_sum(tutti_comm_size(comm), 1, i);
    EXPECT(n_wrong == 0, "%d sums in pieces of %d", n_wrong, pieces[p]);
    EXPECT(values[N] == gradient(tutti_comm_rank(comm), 1, N), "one value too many");
  }
}

static void failure_on_one_rank_is_everybodys(const tutti_comm *comm) {
  char fault[32];
  snprintf(fault, sizeof fault, "reducer:%d:1", tutti_comm_size(comm) - 1);
  setenv("TUTTI_FAULT", fault, 1);
  tutti_reducer *reducer = NULL;
  EXPECT_FAILS(tutti_reducer_create(comm, TUTTI_REDUCE_FLAT, 10, 1, &reducer), TUTTI_ERR_INTERNAL,
               "fault injected at reducer");
  unsetenv("TUTTI_FAULT");
  EXPECT(reducer == NULL, "a reducer of a failed call");
  EXPECT_FAILS(tutti_reducer_create(comm, TUTTI_REDUCE_FLAT, INT64_C(1) << 62, 1, &reducer), TUTTI_ERR_MEMORY,
               "no memory for");
  EXPECT(reducer == NULL, "a reducer of a failed call");
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(gradients_sum_exactly),
      MPI_TEST(rank_without_samples_gives_zeros),
      MPI_TEST(tail_is_exact),
      MPI_TEST(nan_of_one_rank_is_seen_by_all),
      MPI_TEST(parameters_are_whole_after_publish),
      MPI_TEST(state_goes_to_the_root_and_back),
      MPI_TEST(auto_is_a_real_reducer),
      MPI_TEST(long_gradients_go_in_pieces),
      MPI_TEST(failure_on_one_rank_is_everybodys),
  };
  return mpi_main("reducer", tests, sizeof tests / sizeof *tests);
}
