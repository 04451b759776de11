// The flat buffers are cut at any block, the ranks' slices differ with their number: the same bits must come
// out.
#include "base/random.h"
#include "support/check.h"
#include "tutti/optim.h"

// Some blocks, and no multiple of anything.
enum { N = 5 * TUTTI_BLOCK + 411, STEPS = 4, MAX_SLICES = 5 };

// Several arrays in a block, several blocks in an array, an empty one, and one that ends with a block.
static const int64_t offsets[] = {0, 1000, 1001, 1001, 1500, 2 * TUTTI_BLOCK, 5000, N};
enum { N_ARRAYS = 7 };
static const bool plain[N_ARRAYS] = {false, true, false, true, false, false, true};

static void random_numbers(int t, float *x) {
  for (int i = 0; i < N; i++) {
    uint32_t words[4];
    double normal[2];
    tutti_random_words((tutti_stream){.seed = 1, .kind = TUTTI_STREAM_NOISE, .epoch = (uint32_t)t},
                       (uint64_t)i, words);
    tutti_random_normal(words[0], words[1], normal);
    x[i] = (float)normal[0];
  }
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/** Those of one slice, added to those of the others, which are 0 there. */
static void add_own(int64_t n, const double *own, double *sums) {
  for (int64_t i = 0; i < n; i++) {
    assert_true(sums[i] == 0 || own[i] == 0);
    sums[i] += own[i];
  }
}

/** The first part of a slice, at most `part` elements; or the part behind elements [at, at + *count), which is empty
 * behind the last one. */
static int64_t next_part(const tutti_slice *slice, int64_t at, int64_t part, int64_t *count) {
  int64_t from = at + *count;
  for (int r = 0; r < slice->n_ranges; r++) {
    const tutti_slice_range *range = &slice->ranges[r];
    if (from >= range->end || range->begin == range->end) continue;
    if (from < range->begin) from = range->begin;
    *count = least(range->end - from, part);
    return from;
  }
  *count = 0;
  return from;
}

#define FOR_PARTS(slice, part, at, count)                                                                    \
  for (int64_t count = 0, at = next_part(slice, 0, part, &count); count > 0;                                 \
       at = next_part(slice, at, part, &count))

/** pieces[n_pieces] of the whole gradient: those of each slice, formed in parts of `part` elements, added. */
static void sum_pieces(tutti_optim *const *optims, const tutti_slice *slices, int n_slices, int64_t part,
                       const float *g, double *pieces) {
  static double own[N];
  const int64_t n = tutti_optim_n_pieces(optims[0]);
  assert_true(n < N);
  for (int64_t i = 0; i < n; i++) pieces[i] = 0;
  for (int k = 0; k < n_slices; k++) {
    for (int64_t i = 0; i < n; i++) own[i] = 0;
    FOR_PARTS(&slices[k], part, at, count) tutti_optim_squares(optims[k], at, count, g + at, own);
    add_own(n, own, pieces);
  }
}

/** The first pass of a rule that scales arrays: gradients become directions, in parts. */
static void prepare(tutti_optim *const *optims, const tutti_slice *slices, int n_slices, int64_t part,
                    float *w, float *g) {
  static double own[N], norms[N];
  const int64_t n = tutti_optim_n_norms(optims[0]);
  assert_true(n < N);
  if (n == 0) return;
  for (int64_t i = 0; i < n; i++) norms[i] = 0;
  for (int k = 0; k < n_slices; k++) {
    for (int64_t i = 0; i < n; i++) own[i] = 0;
    FOR_PARTS(&slices[k], part, at, count)
    tutti_optim_prepare(optims[k], at, count, w + at, g + at, own);
    add_own(n, own, norms);
  }
  for (int k = 0; k < n_slices; k++) tutti_optim_set_ratios(optims[k], norms);
}

/** The weights after STEPS updates by slices, each in parts. */
static void train(const tutti_optim_options *options, const tutti_slice *slices, int n_slices,
                  int64_t n_blocks, int64_t part, float *w) {
  tutti_optim *optims[MAX_SLICES] = {0};
  static float g[N];
  static double pieces[N];
  random_numbers(0, w);
  for (int k = 0; k < n_slices; k++)
    CHECK_OK(tutti_optim_create(options, offsets, plain, N_ARRAYS, &slices[k], &optims[k]));
  for (int t = 1; t <= STEPS; t++) {
    random_numbers(t, g);
    sum_pieces(optims, slices, n_slices, n_blocks * TUTTI_BLOCK, g, pieces);
    for (int k = 0; k < n_slices; k++)
      tutti_optim_begin(optims[k], t, 0.01, tutti_optim_n_pieces(optims[k]) ? pieces : NULL);
    prepare(optims, slices, n_slices, n_blocks * TUTTI_BLOCK, w, g);
    for (int k = 0; k < n_slices; k++)
      FOR_PARTS(&slices[k], part, at, count) tutti_optim_step(optims[k], at, count, w + at, g + at);
  }
  for (int k = 0; k < n_slices; k++) tutti_optim_destroy(&optims[k]);
}

static void check_cuts(tutti_optim_options options) {
  enum { B = TUTTI_BLOCK };
  static const tutti_slice_range ranges[] = {{0, B, 0}, {3 * B, 4 * B, B}, {5 * B, N, 2 * B}},
                                 others[] = {{B, B, 0}, {B, 3 * B, 0}, {4 * B, 5 * B, 2 * B}};
  const tutti_slice whole = TUTTI_SLICE(0, N),
                    cut[] = {TUTTI_SLICE(0, B), TUTTI_SLICE(B, B), TUTTI_SLICE(B, 3 * B),
                             TUTTI_SLICE(3 * B, 5 * B), TUTTI_SLICE(5 * B, N)},
                    scattered[] = {{ranges, 3, N - 3 * B}, {others, 3, 3 * B}};
  static float w_whole[N], w_cut[N];
  CHECK_OK(tutti_optim_resolve(&options));
  train(&options, &whole, 1, 6, N, w_whole);
  train(&options, cut, 5, 1, 700, w_cut);
  for (int i = 0; i < N; i++) CHECK_NEAR(w_cut[i], w_whole[i], 0);
  train(&options, scattered, 2, 1, 700, w_cut);
  for (int i = 0; i < N; i++) CHECK_NEAR(w_cut[i], w_whole[i], 0);
}

static void slices_give_the_bits_of_the_whole(void **state) {
  (void)state;
  for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++) {
    for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++) {
      tutti_optim_options options = tutti_optim_options_default();
      options.dialect = (tutti_dialect)dialect;
      options.rule = (tutti_optim_rule)rule;
      options.weight_decay = 0.01;
      check_cuts(options);
      options.decay_exclude = TUTTI_EXCLUDE_VECTORS;
      check_cuts(options);
      options.centered = rule == TUTTI_RMSPROP;
      options.amsgrad = rule == TUTTI_ADAM || rule == TUTTI_ADAMW;
      if (rule == TUTTI_SGD || rule == TUTTI_RMSPROP) options.momentum = 0.9;
      options.clipvalue = 0.5;
      check_cuts(options);
    }
  }
}

static void norms_are_the_same_bits_for_all_slices(void **state) {
  (void)state;
  tutti_optim_options options = tutti_optim_options_default();
  options.rule = TUTTI_SGD;
  options.learning_rate = 1;
  options.clipnorm = 3;
  check_cuts(options);
  options.clipnorm = 0;
  options.global_clipnorm = 3;
  options.dialect = TUTTI_DIALECT_TORCH;
  options.weight_decay = 0.01;
  check_cuts(options);
  for (int form = 0; form < TUTTI_N_LARS_FORMS; form++) {
    options.rule = TUTTI_LARS;
    options.lars_form = (tutti_lars_form)form;
    check_cuts(options);
  }
}

/** A whole buffer of ones: the squares of a piece are its elements, in the order of the buffer. */
static void pieces_are_blocks_cut_by_arrays(void **state) {
  (void)state;
  static const double expected[] = {1000, 1, 23, 476, 548, 1024, 1024, 904, 120, 411};
  enum { N_PIECES = sizeof expected / sizeof expected[0] };
  tutti_optim_options options = tutti_optim_options_default();
  tutti_optim *optim = NULL;
  static float g[N];
  double pieces[N_PIECES] = {0};
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_OK(tutti_optim_create(&options, offsets, NULL, N_ARRAYS, &TUTTI_SLICE(0, N), &optim));
  assert_int_equal(tutti_optim_n_pieces(optim), 0);
  tutti_optim_destroy(&optim);
  options.clipnorm = 1;
  CHECK_OK(tutti_optim_create(&options, offsets, NULL, N_ARRAYS, &TUTTI_SLICE(0, N), &optim));
  assert_int_equal(tutti_optim_n_pieces(optim), N_PIECES);
  for (int i = 0; i < N; i++) g[i] = 1;
  tutti_optim_squares(optim, 0, N, g, pieces);
  for (int i = 0; i < N_PIECES; i++) CHECK_NEAR(pieces[i], expected[i], 0);
  tutti_optim_destroy(&optim);
}

static void an_empty_slice_is_legal(void **state) {
  (void)state;
  tutti_optim_options options = tutti_optim_options_default();
  options.rule = TUTTI_ADAM;
  options.clipnorm = 1;
  tutti_optim *optim = NULL;
  double pieces[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const int64_t n_pieces = sizeof pieces / sizeof pieces[0];
  float none = 5;
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_OK(tutti_optim_create(&options, offsets, NULL, N_ARRAYS, &TUTTI_SLICE(N, N), &optim));
  assert_int_equal(tutti_optim_n_pieces(optim), n_pieces);
  tutti_optim_squares(optim, 0, 0, &none, pieces);
  for (int i = 0; i < n_pieces; i++) CHECK_NEAR(pieces[i], 1, 0);
  tutti_optim_begin(optim, 1, 0.1, pieces);
  tutti_optim_step(optim, 0, 0, &none, &none);
  CHECK_NEAR(none, 5, 0);
  tutti_optim_destroy(&optim);
  tutti_optim_destroy(&optim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slices_give_the_bits_of_the_whole),
      cmocka_unit_test(norms_are_the_same_bits_for_all_slices),
      cmocka_unit_test(pieces_are_blocks_cut_by_arrays),
      cmocka_unit_test(an_empty_slice_is_legal),
  };
  return cmocka_run_group_tests_name("optim.slices", tests, NULL, check_no_leak);
}
