#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "study/study_impl.h"
#include "support/check.h"
#include "support/folder.h"
#include "support/space.h"

enum { N_TRIALS = 8 };

/** Trials 0 to 7 in that order, of batch size 64; this group is at trial 2. */
typedef struct {
  tutti_trial_result results[N_TRIALS];
  int64_t order[N_TRIALS];
  tutti_config config;
  tutti_study study;
} twins;

static const char config[] =
    STUDY "  vary: {train.batch_size: [64], optimizer.learning_rate: [1, 2, 3, 4, 5, 6, 7, 8]}\n";

static twins *make_study(twins *t) {
  *t = (twins){
      .study = {
          .config = &t->config, .n_searched = N_TRIALS, .at_trial = 2, .at_step = 1200, .at_value = 0.9375}};
  CHECK_OK(tutti_config_parse(config, NULL, NULL, 0, &t->config));
  CHECK_OK(tutti_space_create(&t->config, &t->study.space));
  for (int64_t i = 0; i < N_TRIALS; i++) {
    t->results[i].batch_size = 64;
    t->results[i].setting = i;
    t->order[i] = i;
  }
  t->study.set = (tutti_trial_set){.n_trials = N_TRIALS, .results = t->results};
  t->study.order = t->order;
  return t;
}

/** Another process that takes the claims to trials 3 to 7 and keeps them. */
static pid_t start_other(const tutti_study *study, const char *path) {
  int ready[2];
  char byte = 0;
  assert_int_equal(pipe(ready), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    tutti_claims *claims = NULL;
    bool taken = true;
    if (tutti_io_claims_open(path, true, &claims) != TUTTI_OK) _exit(1);
    for (int64_t i = 3; i < N_TRIALS && taken; i++)
      if (tutti_io_claims_take(claims, tutti_study_store_claim(tutti_study_hash(study, i)), &taken) !=
          TUTTI_OK)
        _exit(1);
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  return pid;
}

static void expect_under_way(const tutti_study *study, const char *expected) {
  char text[512];
  tutti_study_print_under_way(study, text, sizeof text);
  assert_string_equal(text, expected);
}

static void the_log_says_what_the_groups_are_at(void **state) {
  const char *path = folder_path(state, "claims");
  twins t;
  tutti_study *study = &make_study(&t)->study;
  const char *const own = "; under way: 2 (batch_size 64, step 1200, val_accuracy 0.9375)";
  expect_under_way(study, own);
  const pid_t other = start_other(study, path);
  CHECK_OK(tutti_io_claims_open(path, true, &study->store.claims));
  study->claims_reach = true;
  t.results[3].status = TUTTI_TRIAL_REACHED;
  char all[512];
  snprintf(all, sizeof all, "%s, 4 (batch_size 64), 5 (batch_size 64), 6 (batch_size 64) and 1 more", own);
  expect_under_way(study, all);
  study->at_trial = -1;
  study->at_value = NAN;
  for (int i = 5; i < N_TRIALS; i++) t.results[i].status = TUTTI_TRIAL_REACHED;
  expect_under_way(study, "; under way: 4 (batch_size 64)");
  assert_int_equal(kill(other, SIGKILL), 0);
  assert_int_equal(waitpid(other, NULL, 0), other);
  expect_under_way(study, "");
  tutti_io_claims_close(&study->store.claims);
  tutti_space_destroy(&study->space);
  tutti_config_clear(&t.config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_log_says_what_the_groups_are_at, folder_make, folder_remove)};
  return cmocka_run_group_tests_name("study.progress", tests, NULL, check_no_leak);
}
