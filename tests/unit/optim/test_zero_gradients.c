// The rules pass over groups of weights whose gradients are 0.  One element is no group, so updates of single elements
// are the twin that computes everything: the same bits must come out.
#include <math.h>
#include <string.h>

#include "optim/optim_impl.h"
#include "support/check.h"
#include "tutti/optim.h"

enum { N_GROUPS = 8, N = N_GROUPS * TUTTI_GROUP + 5, STEPS = 5 };

static const int64_t offsets[] = {0, N};

/** Each group has another kind of gradient. */
static float gradient(int t, int i) {
  const int k = i % TUTTI_GROUP;
  switch (i / TUTTI_GROUP) {
  case 0:
    return 0;
  case 1:
    return -0.0f;
  case 2:
    return k == 63 ? 0.5f : 0;
  case 3:
    return t == 1 ? 1e-3f * (float)(k - 30) : 0;
  case 4:
    return t == 2 && k == 17 ? 1e30f : 0; // its square is infinite
  case 5:
    return t == 3 && k == 5 ? NAN : 0;
  case 6:
    return k == 0 ? -0.0f : 0;
  default:
    return t % 2 ? 0 : 0.1f;
  }
}

static float weight(int i) {
  return i % 3 ? 0.01f * (float)(i % 7 - 3) : i % 2 ? -0.0f : 0;
}

static void train(const tutti_optim_options *options, int part, float *w) {
  tutti_optim *optim = NULL;
  float g[N];
  CHECK_OK(tutti_optim_create(options, offsets, NULL, 1, &TUTTI_SLICE(0, N), &optim));
  for (int i = 0; i < N; i++) w[i] = weight(i);
  for (int t = 1; t <= STEPS; t++) {
    for (int i = 0; i < N; i++) g[i] = gradient(t, i);
    tutti_optim_begin(optim, t, 0.01, NULL);
    for (int i = 0; i < N; i += part) tutti_optim_step(optim, i, N - i < part ? N - i : part, w + i, g + i);
  }
  tutti_optim_destroy(&optim);
}

/** Bits, but all NaN are one. */
static void same(const float *w, const float *twin, const char *rule) {
  for (int i = 0; i < N; i++)
    if (memcmp(&w[i], &twin[i], sizeof w[i]) != 0 && !(isnan(w[i]) && isnan(twin[i])))
      fail_msg("%s: weight %d is %a, computed alone %a", rule, i, (double)w[i], (double)twin[i]);
}

static void groups_of_zeros_give_the_bits_of_single_elements(void **state) {
  (void)state;
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++)
    for (int form = 0; form < 4; form++) {
      tutti_optim_options options = tutti_optim_options_default();
      options.rule = (tutti_optim_rule)rule;
      options.dialect = form & 1 ? TUTTI_DIALECT_TORCH : TUTTI_DIALECT_KERAS;
      if (form & 2 && tutti_optim_find_taken(options.rule, TUTTI_TAKES_EPSILON)) options.epsilon = 0;
      CHECK_OK(tutti_optim_resolve(&options));
      if (tutti_optim_table_of(options.rule)->prepare)
        continue; // their directions need norms, of every element
      float w[N], twin[N];
      train(&options, N, w);
      train(&options, 1, twin);
      same(w, twin, tutti_optim_names[rule]);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(groups_of_zeros_give_the_bits_of_single_elements)};
  return cmocka_run_group_tests_name("optim.zero_gradients", tests, NULL, check_no_leak);
}
