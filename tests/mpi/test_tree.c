/** `tree` gives the same bits whoever computes the leaves, and they are those of a slow twin that sums all leaves in
 * one binary tree. */
#include <string.h>

#include "base/random.h"
#include "layouts.h"
#include "par/reducer_impl.h"
#include "support/mpi_main.h"
#include "support/numbers.h"

enum { MAX_LEAVES = 64, N = 3 * TUTTI_BLOCK + 100 };
static const int n_leaves_of[] = {1, 2, 3, 5, 7, 64};
enum { N_CASES = sizeof n_leaves_of / sizeof n_leaves_of[0] };

static float leaves[MAX_LEAVES][N]; // what each leaf gives, of very different size, so that order matters
static double tails[MAX_LEAVES];
static float expected[N];

static void make_up(void) {
  for (int leaf = 0; leaf < MAX_LEAVES; leaf++) {
    const float scale = (float)(1 << (leaf * 7 % 13));
    numbers_fill((uint32_t)leaf, -scale, scale, N, leaves[leaf]);
    tails[leaf] = (double)leaves[leaf][0] / 3;
  }
}

/** The twin: the sum over the leaves of [begin, begin + count), a power of two, that are there. */
static float sum_tree(int begin, int count, int n_leaves, int i) {
  if (count == 1) return leaves[begin][i];
  const float left = sum_tree(begin, count / 2, n_leaves, i);
  if (begin + count / 2 >= n_leaves) return left;
  return left + sum_tree(begin + count / 2, count / 2, n_leaves, i);
}

static void sum_twin(int n_leaves) {
  int count = 1;
  while (count < n_leaves) count *= 2;
  for (int i = 0; i < N; i++) expected[i] = sum_tree(0, count, n_leaves, i);
}

/** All own leaves, in regions that come one after another. */
static void give(tutti_reducer *reducer, int region) {
  const tutti_par_leaves own = tutti_reducer_own_leaves(reducer);
  for (int begin = 0; begin < N; begin += region) {
    const int n = N - begin < region ? N - begin : region;
    for (int leaf = own.first; leaf < own.first + own.count; leaf++) {
      float *place = tutti_reducer_leaf(reducer, leaf);
      memcpy(place + begin, leaves[leaf] + begin, (size_t)n * sizeof(float));
      tutti_reducer_leaf_done(reducer, leaf, begin, n);
    }
  }
}

static void check_step(const tutti_comm *comm, tutti_reducer *reducer, int region, const char *where) {
  double tail[MAX_LEAVES][TUTTI_N_TAIL] = {{0}};
  int n_wrong = 0;
  const int n_leaves = tutti_reducer_n_leaves(reducer);
  const tutti_par_leaves own = tutti_reducer_own_leaves(reducer);
  const tutti_slice_range slice = tutti_reducer_slice(reducer)->ranges[0]; // its only one
  give(reducer, region);
  for (int row = 0; row < own.count; row++) tail[row][TUTTI_TAIL_LOSS] = tails[own.first + row];
  EXPECT_OK(tutti_reducer_reduce(reducer, tail));
  for (int64_t at = slice.begin; at < slice.end; at += TUTTI_BLOCK) {
    const int64_t n = slice.end - at < TUTTI_BLOCK ? slice.end - at : TUTTI_BLOCK;
    const float *sums = tutti_reducer_gradient(reducer, at, n);
    for (int64_t i = 0; i < n; i++) n_wrong += memcmp(&sums[i], &expected[at + i], sizeof *sums) != 0;
  }
  EXPECT(n_wrong == 0, "%d leaves, %s: %d of %lld", n_leaves, where, n_wrong,
         (long long)(slice.end - slice.begin));
  // By all ranks at once, and by one rank alone.
  double bits[2] = {tail[0][TUTTI_TAIL_LOSS], -tail[0][TUTTI_TAIL_LOSS]};
  EXPECT_OK(tutti_comm_max(comm, bits, 2));
  EXPECT(bits[0] == -bits[1], "%d leaves, %s: losses from %.17g to %.17g", n_leaves, where, -bits[1],
         bits[0]);
  EXPECT_OK(tutti_reducer_publish(reducer));
}

static double loss_alone(int n_leaves) {
  double tail[MAX_LEAVES][TUTTI_N_TAIL] = {{0}};
  tutti_comm *self = NULL;
  tutti_reducer *reducer = NULL;
  EXPECT_OK(tutti_comm_create_from(MPI_COMM_SELF, 1, &self));
  EXPECT_OK(tutti_reducer_create(self, TUTTI_REDUCE_TREE, 1, n_leaves, &reducer));
  for (int leaf = 0; leaf < n_leaves; leaf++) tail[leaf][TUTTI_TAIL_LOSS] = tails[leaf];
  EXPECT_OK(tutti_reducer_reduce(reducer, tail));
  tutti_reducer_destroy(&reducer);
  tutti_comm_destroy(&self);
  return tail[0][TUTTI_TAIL_LOSS];
}

static void check_layout(const tutti_comm *comm, const char *where) {
  static const int regions[] = {N, 1000, 64};
  for (int c = 0; c < N_CASES; c++) {
    tutti_reducer *reducer = NULL;
    if (!EXPECT_OK(tutti_reducer_create(comm, TUTTI_REDUCE_TREE, N, n_leaves_of[c], &reducer))) continue;
    sum_twin(n_leaves_of[c]);
    for (int r = 0; r < 3; r++) {
      reducer->piece = r == 1 ? 500 : TUTTI_PIECE;
      check_step(comm, reducer, regions[r], where);
    }
    tutti_reducer_destroy(&reducer);
  }
}

static void sums_are_those_of_one_tree(const tutti_comm *comm) {
  (void)comm;
  make_up();
  for (int l = 0; l < N_LAYOUTS; l++) {
    tutti_comm *several = NULL;
    if (EXPECT_OK(layout_create(&layouts[l], &several))) check_layout(several, layouts[l].name);
    tutti_comm_destroy(&several);
  }
}

static void tails_do_not_depend_on_ranks(const tutti_comm *comm) {
  make_up();
  for (int c = 0; c < N_CASES; c++) {
    const int n_leaves = n_leaves_of[c];
    double tail[MAX_LEAVES][TUTTI_N_TAIL] = {{0}};
    tutti_reducer *reducer = NULL;
    const double alone = loss_alone(n_leaves);
    if (!EXPECT_OK(tutti_reducer_create(comm, TUTTI_REDUCE_TREE, 1, n_leaves, &reducer))) continue;
    const tutti_par_leaves own = tutti_reducer_own_leaves(reducer);
    for (int row = 0; row < own.count; row++) tail[row][TUTTI_TAIL_LOSS] = tails[own.first + row];
    EXPECT_OK(tutti_reducer_reduce(reducer, tail));
    EXPECT(tail[0][TUTTI_TAIL_LOSS] == alone, "%d leaves: %.17g, alone %.17g", n_leaves,
           tail[0][TUTTI_TAIL_LOSS], alone);
    EXPECT_OK(tutti_reducer_publish(reducer));
    tutti_reducer_destroy(&reducer);
  }
}

/** Each leaf has one owner, and the owners come in the order of their nodes. */
static void check_owners(const tutti_comm *comm, int n_leaves, const char *where) {
  tutti_reducer *reducer = NULL;
  double owned[MAX_LEAVES] = {0}, nodes[MAX_LEAVES] = {0};
  if (!EXPECT_OK(tutti_reducer_create(comm, TUTTI_REDUCE_TREE, 1, n_leaves, &reducer))) return;
  const tutti_par_leaves own = tutti_reducer_own_leaves(reducer);
  for (int leaf = own.first; leaf < own.first + own.count; leaf++) {
    owned[leaf] = 1;
    nodes[leaf] = tutti_comm_node(comm);
  }
  EXPECT_OK(tutti_comm_sum(comm, owned, n_leaves));
  EXPECT_OK(tutti_comm_sum(comm, nodes, n_leaves));
  for (int leaf = 0; leaf < n_leaves; leaf++) {
    EXPECT(owned[leaf] == 1, "%s: leaf %d of %d has %g owners", where, leaf, n_leaves, owned[leaf]);
    EXPECT(leaf == 0 || nodes[leaf] >= nodes[leaf - 1], "%s: leaf %d of %d", where, leaf, n_leaves);
  }
  tutti_reducer_destroy(&reducer);
}

static void leaves_are_owned_once_and_in_order(const tutti_comm *comm) {
  (void)comm;
  for (int l = 0; l < N_LAYOUTS; l++) {
    tutti_comm *several = NULL;
    if (!EXPECT_OK(layout_create(&layouts[l], &several))) return;
    for (int c = 0; c < N_CASES; c++) check_owners(several, n_leaves_of[c], layouts[l].name);
    tutti_comm_destroy(&several);
  }
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(sums_are_those_of_one_tree),
      MPI_TEST(tails_do_not_depend_on_ranks),
      MPI_TEST(leaves_are_owned_once_and_in_order),
  };
  return mpi_main("tree", tests, sizeof tests / sizeof *tests);
}
