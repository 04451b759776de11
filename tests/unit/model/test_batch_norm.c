/** Statistics of batch_norm over groups that lie on several ranks: ranks are threads here, each with its own
 * model. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "fixture.h"
#include "support/numbers.h"

enum { ROWS = 21, N_IN = 3, STEPS = 3, MAX_RANKS = 3, MAX_SUMS = 4096 };

static const char *const global_words =
    "batch_norm,dense 5,batch_norm momentum=0.5,activation tanh,dense 3 softmax";
static const char *const ghost_words = "dense 5,batch_norm ghost=6 momentum=0.5,activation tanh,dense "
                                       "4,batch_norm ghost=4 momentum=0.9,dense 3 softmax";

/** A sum over threads, with all its participants between two barriers. */
typedef struct {
  pthread_barrier_t barrier;
  pthread_mutex_t lock;
  double total[MAX_SUMS];
} meeting;

static tutti_status sum_over_ranks(void *context, double *values, int64_t n) {
  meeting *m = context;
  if (n > MAX_SUMS) return TUTTI_ERR_INTERNAL;
  if (pthread_barrier_wait(&m->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
    memset(m->total, 0, sizeof m->total);
  pthread_barrier_wait(&m->barrier);
  pthread_mutex_lock(&m->lock);
  for (int64_t i = 0; i < n; i++) m->total[i] += values[i];
  pthread_mutex_unlock(&m->lock);
  pthread_barrier_wait(&m->barrier);
  memcpy(values, m->total, (size_t)n * sizeof *values);
  return TUTTI_OK;
}

typedef struct {
  fixture f;
  meeting *m; // NULL: alone
  int64_t first, rows;
  double loss, metric;
  float outputs[STEPS][ROWS * 3], grads[STEPS][200];
  tutti_status status;
} rank_work;

/** Steps over the same batch, the last one short: some of its rows are left out. */
static int64_t batch_of(int step) {
  return step == STEPS - 1 ? ROWS - 5 : ROWS;
}

static tutti_status run_steps(rank_work *r) {
  fixture *f = &r->f;
  for (int step = 0; step < STEPS; step++) {
    const int64_t count = batch_of(step), end = r->first + r->rows < count ? r->first + r->rows : count;
    const int64_t rows = end > r->first ? end - r->first : 0;
    tutti_model_pass pass = fixture_pass(f);
    pass.batch_count = count;
    pass.sum = r->m ? sum_over_ranks : NULL;
    pass.context = r->m;
    TUTTI_TRY(fixture_step(f, pass, r->first, rows, &r->loss, &r->metric));
    tutti_model_predict(f->model, rows, r->outputs[step]);
    memcpy(r->grads[step], f->grads, (size_t)f->n_params * sizeof(float));
    TUTTI_TRY(tutti_model_merge_state(f->model, count, NULL, NULL)); // each rank knows all groups
  }
  return TUTTI_OK;
}

static void *rank_main(void *argument) {
  rank_work *r = argument;
  r->status = run_steps(r);
  return NULL;
}

static rank_work alone, ranks[MAX_RANKS];

static void run_ranks(const char *words, const int *cuts, int size) {
  static meeting m;
  pthread_t threads[MAX_RANKS];
  pthread_barrier_init(&m.barrier, NULL, (unsigned)size);
  pthread_mutex_init(&m.lock, NULL);
  for (int i = 0; i < size; i++) {
    ranks[i] = (rank_work){.m = &m, .first = cuts[i], .rows = cuts[i + 1] - cuts[i]};
    fixture_make(&ranks[i].f, words, TUTTI_LOSS_AUTO, N_IN, ROWS, 2);
    CHECK_OK(tutti_model_reserve(ranks[i].f.model, ROWS, 1, ROWS));
  }
  for (int i = 0; i < size; i++) pthread_create(&threads[i], NULL, rank_main, &ranks[i]);
  for (int i = 0; i < size; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < size; i++) CHECK_OK(ranks[i].status);
  pthread_barrier_destroy(&m.barrier);
  pthread_mutex_destroy(&m.lock);
}

static void compare_steps(int size) {
  const fixture *f = &alone.f;
  for (int step = 0; step < STEPS; step++) {
    const double norm = fixture_norm(alone.grads[step], f->n_params);
    for (int64_t k = 0; k < f->n_params; k++) {
      double sum = 0;
      for (int i = 0; i < size; i++) sum += ranks[i].grads[step][k];
      CHECK_NEAR(sum, alone.grads[step][k], 2e-6 * norm);
    }
    for (int i = 0; i < size; i++)
      for (int64_t k = ranks[i].first * 3; k < (ranks[i].first + ranks[i].rows) * 3 && k < batch_of(step) * 3;
           k++)
        CHECK_NEAR(ranks[i].outputs[step][k - ranks[i].first * 3], alone.outputs[step][k], 1e-6);
  }
}

static void compare(const char *words, const int *cuts, int size) {
  alone = (rank_work){.rows = ROWS};
  fixture_make(&alone.f, words, TUTTI_LOSS_AUTO, N_IN, ROWS, 2);
  CHECK_OK(run_steps(&alone));
  run_ranks(words, cuts, size);
  compare_steps(size);
  double loss = 0, metric = 0;
  for (int i = 0; i < size; i++) {
    loss += ranks[i].loss;
    metric += ranks[i].metric;
    for (int64_t k = 0; k < tutti_model_n_state(alone.f.model); k++)
      CHECK_CLOSE(tutti_model_state(ranks[i].f.model)[k], tutti_model_state(alone.f.model)[k], 1e-6, 1);
  }
  CHECK_CLOSE(loss, alone.loss, 1e-6, 1);
  assert_true(metric == alone.metric);
  for (int i = 0; i < size; i++) fixture_free(&ranks[i].f);
  fixture_free(&alone.f);
}

static void ranks_share_groups(void **state) {
  (void)state;
  const struct {
    int size, cuts[MAX_RANKS + 1];
  } cases[] = {{1, {0, 21}},        {2, {0, 11, 21}},     {2, {0, 21, 21}},
               {3, {0, 7, 14, 21}}, {3, {0, 13, 13, 21}}, {3, {0, 1, 20, 21}}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    compare(global_words, cases[i].cuts, cases[i].size);
    compare(ghost_words, cases[i].cuts, cases[i].size);
  }
}

/** One group after another, as Hoffer et al. 2017 have it; and as the double network does it. */
static void moving_statistics_run_over_the_groups_in_order(void **state) {
  (void)state;
  const char *const cases[] = {global_words, ghost_words};
  for (int k = 0; k < 2; k++) {
    fixture f;
    double params[200], x[ROWS * N_IN], expected[64], loss = 0, metric = 0;
    fixture_make(&f, cases[k], TUTTI_LOSS_AUTO, N_IN, ROWS, 2);
    const tutti_model_pass pass = fixture_pass(&f);
    const reference_net net = fixture_reference(&f);
    numbers_widen(f.params, f.n_params, params);
    numbers_widen(f.x, ROWS * N_IN, x);
    numbers_widen(tutti_model_state(f.model), tutti_model_n_state(f.model), expected);
    for (int step = 0; step < 3; step++) {
      CHECK_OK(fixture_step(&f, pass, 0, ROWS, &loss, &metric));
      CHECK_OK(tutti_model_merge_state(f.model, ROWS, NULL, NULL));
      reference_net_run(&net, params, expected, &pass, x, fixture_targets(&f, 0), ROWS, NULL);
    }
    for (int64_t i = 0; i < tutti_model_n_state(f.model); i++)
      CHECK_CLOSE(tutti_model_state(f.model)[i], expected[i], 1e-6, 1);
    fixture_free(&f);
  }
}

/** The state after one step over the first `rows` samples, which are the global batch. */
static void state_after(const char *words, int64_t rows, float *values) {
  fixture f;
  double loss = 0, metric = 0;
  fixture_make(&f, words, TUTTI_LOSS_AUTO, N_IN, ROWS, 2);
  tutti_model_pass pass = fixture_pass(&f);
  pass.batch_count = rows;
  if (rows > 0) CHECK_OK(fixture_step(&f, pass, 0, rows, &loss, &metric));
  if (rows > 0) CHECK_OK(tutti_model_merge_state(f.model, rows, NULL, NULL));
  memcpy(values, tutti_model_state(f.model), (size_t)tutti_model_n_state(f.model) * sizeof *values);
  fixture_free(&f);
}

/** It has no variance: with or without it, the moving statistics are the same. */
static void a_group_of_one_sample_moves_nothing(void **state) {
  (void)state;
  const struct {
    const char *words;
    int64_t with, without;
  } cases[] = {{"dense 2,batch_norm ghost=4 momentum=0.5,dense 2", 21, 20},
               {"dense 2,batch_norm ghost=20 momentum=0.5,dense 2", 21, 20},
               {"dense 2,batch_norm ghost=4 momentum=0.5,dense 2", 1, 0},
               {"dense 2,batch_norm momentum=0.5,dense 2", 1, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    float with[4], without[4];
    state_after(cases[i].words, cases[i].with, with);
    state_after(cases[i].words, cases[i].without, without);
    for (int k = 0; k < 4; k++) CHECK_CLOSE(with[k], without[k], 1e-6, 1);
  }
}

static void groups_of_one_sample_are_found(void **state) {
  (void)state;
  const struct {
    const char *words;
    int64_t batch;
    bool single;
  } cases[] = {{"dense 2", 1, false},
               {"dense 2,batch_norm", 1, true},
               {"dense 2,batch_norm", 2, false},
               {"dense 2,batch_norm ghost=7", 50, true},
               {"dense 2,batch_norm ghost=7", 49, false},
               {"dense 2,batch_norm ghost=7", 51, false},
               {"dense 2,batch_norm ghost=7", 1, true},
               {"dense 2,batch_norm ghost=8,batch_norm ghost=7", 50, true},
               {"dense 2,batch_norm ghost=2", INT64_MAX, true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fixture f;
    fixture_make(&f, cases[i].words, TUTTI_LOSS_AUTO, N_IN, 4, 2);
    assert_true(tutti_model_layers_single_group(f.layers, f.n_layers, cases[i].batch) == cases[i].single);
    fixture_free(&f);
  }
}

static void a_micro_batch_that_cuts_a_group_is_refused(void **state) {
  (void)state;
  fixture f;
  double loss = 0, metric = 0;
  fixture_make(&f, "dense 2,batch_norm ghost=4,dense 2", TUTTI_LOSS_AUTO, N_IN, ROWS, 2);
  CHECK_FAILS(fixture_step(&f, fixture_pass(&f), 0, 6, &loss, &metric), TUTTI_ERR_INTERNAL,
              "2 of the 4 samples of group 1 are in one micro-batch");
  CHECK_OK(fixture_step(&f, fixture_pass(&f), 4, 8, &loss, &metric));
  CHECK_OK(fixture_step(&f, fixture_pass(&f), 20, 1, &loss, &metric)); // the last group is short
  CHECK_FAILS(fixture_step(&f, fixture_pass(&f), 19, 2, &loss, &metric), TUTTI_ERR_INTERNAL,
              "1 of the 4 samples of group 4");
  fixture_free(&f);
}

static tutti_status sum_that_fails(void *context, double *values, int64_t n) {
  (void)values, (void)n;
  int *left = context;
  return (*left)-- > 0 ? TUTTI_OK : TUTTI_ERR_MPI;
}

static void what_the_sum_returns_goes_up(void **state) {
  (void)state;
  fixture f;
  double loss = 0, metric = 0;
  fixture_make(&f, "dense 2,batch_norm,dense 2", TUTTI_LOSS_AUTO, N_IN, ROWS, 2);
  tutti_model_pass pass = fixture_pass(&f);
  int left = 0;
  pass.sum = sum_that_fails;
  pass.context = &left;
  CHECK_FAILS(fixture_step(&f, pass, 0, ROWS, &loss, &metric), TUTTI_ERR_MPI, NULL);
  left = 1; // forward passes
  CHECK_FAILS(fixture_step(&f, pass, 0, ROWS, &loss, &metric), TUTTI_ERR_MPI, NULL);
  left = 0;
  CHECK_FAILS(tutti_model_merge_state(f.model, ROWS, sum_that_fails, &left), TUTTI_ERR_MPI, NULL);
  left = 2; // each layer sums once a direction
  CHECK_OK(fixture_step(&f, pass, 0, ROWS, &loss, &metric));
  assert_int_equal(left, 0);
  fixture_free(&f);
}

static void groups_that_nobody_reserved_are_refused_before_any_sum(void **state) {
  (void)state;
  fixture f;
  double loss = 0, metric = 0;
  int left = 0;
  fixture_make(&f, "dense 2,batch_norm ghost=2,dense 2", TUTTI_LOSS_AUTO, N_IN, 4, 2);
  tutti_model_pass pass = fixture_pass(&f);
  pass.batch_count = 100;
  pass.sum = sum_that_fails;
  pass.context = &left;
  CHECK_FAILS(fixture_step(&f, pass, 0, 4, &loss, &metric), TUTTI_ERR_INTERNAL, "the global batch has 50");
  assert_int_equal(left, 0);
  CHECK_OK(tutti_model_reserve(f.model, 100, 1, 100));
  left = 2;
  CHECK_OK(fixture_step(&f, pass, 0, 4, &loss, &metric));
  fixture_free(&f);
}

static void samples_that_stay_together(void **state) {
  (void)state;
  const struct {
    const char *words;
    int64_t batch, group;
  } cases[] = {{"dense 2", 100, 1},
               {"dense 2,batch_norm", 100, 100},
               {"dense 2,batch_norm ghost=8", 100, 8},
               {"dense 2,batch_norm ghost=8", 6, 6},
               {"dense 2,batch_norm ghost=8,batch_norm ghost=12", 100, 24},
               {"dense 2,batch_norm ghost=8,batch_norm ghost=12", 24, 24},
               {"dense 2,batch_norm ghost=8,batch_norm ghost=12", 20, 20},
               {"dense 2,batch_norm ghost=2147483647,batch_norm ghost=2147483646,batch_norm ghost=2147483645",
                INT64_MAX, INT64_MAX},
               {"dense 2,batch_norm ghost=8,batch_norm", 100, 100}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fixture f;
    fixture_make(&f, cases[i].words, TUTTI_LOSS_AUTO, N_IN, 4, 2);
    assert_int_equal(tutti_model_layers_group(f.layers, f.n_layers, cases[i].batch), cases[i].group);
    fixture_free(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranks_share_groups),
      cmocka_unit_test(moving_statistics_run_over_the_groups_in_order),
      cmocka_unit_test(a_group_of_one_sample_moves_nothing),
      cmocka_unit_test(groups_of_one_sample_are_found),
      cmocka_unit_test(a_micro_batch_that_cuts_a_group_is_refused),
      cmocka_unit_test(what_the_sum_returns_goes_up),
      cmocka_unit_test(groups_that_nobody_reserved_are_refused_before_any_sum),
      cmocka_unit_test(samples_that_stay_together),
  };
  return cmocka_run_group_tests_name("model.batch_norm", tests, NULL, check_no_leak);
}
