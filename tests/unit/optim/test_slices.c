// The flat buffers are cut anywhere, the ranks' slices differ with their number: the same bits must come out.
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "support/check.h"
#include "tutti/optim.h"

// More than two of the blocks in which an update runs, and no multiple of anything.
enum { N = 2531, STEPS = 4, N_CUTS = 6 };

static const int64_t offsets[] = {0, 1000, 1001, 1500, N};
enum { N_ARRAYS = 4 };

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

/** The weights after STEPS updates by slices between cuts[0 ... n_slices]. */
static void train(const tutti_optim_options *options, const int64_t *cuts, int n_slices, float *w) {
  tutti_optim *optims[N_CUTS] = {0};
  static float g[N];
  random_numbers(0, w);
  for (int k = 0; k < n_slices; k++)
    CHECK_OK(tutti_optim_create(options, offsets, N_ARRAYS, cuts[k], cuts[k + 1], &optims[k]));
  for (int t = 1; t <= STEPS; t++) {
    random_numbers(t, g);
    double sums[N_ARRAYS] = {0}, part[N_ARRAYS];
    const int n_norms = tutti_optim_n_norms(optims[0]);
    for (int k = 0; k < n_slices; k++) {
      tutti_optim_squares(optims[k], g + cuts[k], part);
      for (int i = 0; i < n_norms; i++) sums[i] += part[i];
    }
    for (int k = 0; k < n_slices; k++)
      tutti_optim_step(optims[k], t, 0.01, n_norms ? sums : NULL, w + cuts[k], g + cuts[k]);
  }
  for (int k = 0; k < n_slices; k++) tutti_optim_destroy(&optims[k]);
}

static void check_cuts(tutti_optim_options options, bool exact) {
  static const int64_t whole[] = {0, N}, cuts[] = {0, 7, 1000, 1000, 1030, 2400, N};
  static float w_whole[N], w_cut[N];
  CHECK_OK(tutti_optim_resolve(&options));
  train(&options, whole, 1, w_whole);
  train(&options, cuts, N_CUTS, w_cut);
  for (int i = 0; i < N; i++) CHECK_NEAR(w_cut[i], w_whole[i], exact ? 0 : 1e-6 * fmax(1, fabs(w_whole[i])));
}

static void slices_give_the_bits_of_the_whole(void **state) {
  (void)state;
  for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++) {
    for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++) {
      tutti_optim_options options = tutti_optim_options_default();
      options.dialect = (tutti_dialect)dialect;
      options.rule = (tutti_optim_rule)rule;
      options.weight_decay = 0.01;
      check_cuts(options, true);
      options.centered = rule == TUTTI_RMSPROP;
      options.amsgrad = rule == TUTTI_ADAM || rule == TUTTI_ADAMW;
      if (rule == TUTTI_SGD || rule == TUTTI_RMSPROP) options.momentum = 0.9;
      options.clipvalue = 0.5;
      check_cuts(options, true);
    }
  }
}

static void norms_are_those_of_the_whole(void **state) {
  (void)state;
  tutti_optim_options options = tutti_optim_options_default();
  options.rule = TUTTI_SGD;
  options.learning_rate = 1;
  options.clipnorm = 3;
  check_cuts(options, false); // sums of squares are added in another order
  options.clipnorm = 0;
  options.global_clipnorm = 3;
  check_cuts(options, false);
}

static void an_empty_slice_is_legal(void **state) {
  (void)state;
  tutti_optim_options options = tutti_optim_options_default();
  options.rule = TUTTI_ADAM;
  options.clipnorm = 1;
  tutti_optim *optim = NULL;
  double squares[N_ARRAYS] = {1, 1, 1, 1};
  float none = 5;
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_OK(tutti_optim_create(&options, offsets, N_ARRAYS, N, N, &optim));
  tutti_optim_squares(optim, &none, squares);
  for (int i = 0; i < N_ARRAYS; i++) CHECK_NEAR(squares[i], 0, 0);
  tutti_optim_step(optim, 1, 0.1, squares, &none, &none);
  CHECK_NEAR(none, 5, 0);
  tutti_optim_destroy(&optim);
  tutti_optim_destroy(&optim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slices_give_the_bits_of_the_whole),
      cmocka_unit_test(norms_are_those_of_the_whole),
      cmocka_unit_test(an_empty_slice_is_legal),
  };
  return cmocka_run_group_tests_name("optim.slices", tests, NULL, check_no_leak);
}
