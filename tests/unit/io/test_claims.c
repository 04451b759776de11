/* Claims that processes share out. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holder.h"
#include "support/check.h"
#include "support/folder.h"
#include "tutti/io.h"

/** For a process of its own. */
static bool take_for_good(const char *path, int64_t i) {
  tutti_claims *claims = NULL;
  bool taken = false;
  return tutti_io_claims_open(path, true, &claims) == TUTTI_OK &&
         tutti_io_claims_take(claims, i, &taken) == TUTTI_OK && taken;
}

static bool share_for_good(const char *path, int64_t i) {
  tutti_claims *claims = NULL;
  bool taken = false;
  return tutti_io_claims_open(path, true, &claims) == TUTTI_OK &&
         tutti_io_claims_share(claims, i, &taken) == TUTTI_OK && taken;
}

static bool take(tutti_claims *claims, int64_t i) {
  bool taken = false;
  CHECK_OK(tutti_io_claims_take(claims, i, &taken));
  return taken;
}

static void a_claim_is_one_process_s_until_it_dies(void **state) {
  const char *path = folder_path(state, "claims");
  tutti_claims *claims = NULL;
  const pid_t holder = holder_start(take_for_good, path, 1000);
  CHECK_OK(tutti_io_claims_open(path, true, &claims));
  assert_false(take(claims, 1000));
  assert_true(tutti_io_claims_work(claims));
  assert_true(tutti_io_claims_held(claims, 1000));
  assert_true(take(claims, 999));
  assert_true(take(claims, 1001));
  assert_false(tutti_io_claims_held(claims, 1001)); // by another process, that is
  holder_kill(holder);
  assert_false(tutti_io_claims_held(claims, 1000));
  assert_true(take(claims, 1000));
  tutti_io_claims_close(&claims);
  assert_null(claims);
}

static void a_claim_is_given_back(void **state) {
  const char *path = folder_path(state, "claims");
  tutti_claims *claims = NULL;
  CHECK_OK(tutti_io_claims_open(path, true, &claims));
  assert_true(take(claims, 0));
  assert_true(take(claims, 1));
  tutti_io_claims_give_back(claims, 0);
  const pid_t holder = holder_start(take_for_good, path, 0); // gets it
  assert_false(take(claims, 0));
  holder_kill(holder);
  bool taken = false;
  CHECK_OK(tutti_io_claims_take(claims, 0, &taken)); // that of the dead is free
  assert_true(taken);
  tutti_io_claims_close(&claims);
}

static bool share(tutti_claims *claims, int64_t i) {
  bool taken = false;
  CHECK_OK(tutti_io_claims_share(claims, i, &taken));
  return taken;
}

static void a_claim_that_is_shared_is_nobody_s_alone(void **state) {
  const char *path = folder_path(state, "claims");
  tutti_claims *claims = NULL;
  const pid_t first = holder_start(share_for_good, path, 2);
  const pid_t second = holder_start(share_for_good, path, 2);
  CHECK_OK(tutti_io_claims_open(path, true, &claims));
  assert_true(tutti_io_claims_held(claims, 2));
  assert_false(take(claims, 2));
  assert_true(share(claims, 2));
  holder_kill(first);
  assert_true(tutti_io_claims_held(claims, 2));
  holder_kill(second);
  assert_false(tutti_io_claims_held(claims, 2));
  assert_true(take(claims, 2));
  tutti_io_claims_give_back(claims, 2);
  const pid_t alone = holder_start(take_for_good, path, 2);
  assert_false(share(claims, 2));
  holder_kill(alone);
  tutti_io_claims_close(&claims);
}

static void a_file_that_goes_away_is_noticed(void **state) {
  const char *path = folder_path(state, "claims");
  tutti_claims *claims = NULL, *other = NULL;
  CHECK_OK(tutti_io_claims_open(path, false, &claims)); // there is none
  assert_false(tutti_io_claims_current(claims));
  assert_false(take(claims, 0));
  assert_false(tutti_io_claims_held(claims, 0));
  tutti_io_claims_give_back(claims, 0);
  tutti_io_claims_close(&claims);

  CHECK_OK(tutti_io_claims_open(path, true, &claims));
  assert_true(tutti_io_claims_current(claims));
  assert_int_equal(unlink(path), 0);
  assert_false(tutti_io_claims_current(claims));
  CHECK_OK(tutti_io_claims_open(path, true, &other)); // another file of that name
  assert_false(tutti_io_claims_current(claims));
  assert_true(tutti_io_claims_current(other));
  tutti_io_claims_close(&other);
  tutti_io_claims_close(&claims);
}

static void without_locks_everybody_gets_everything(void **state) {
  tutti_claims *claims = NULL;
  CHECK_OK(tutti_io_claims_open(folder_path(state, "claims"), true, &claims));
  holder_fcntl_error = ENOLCK;
  assert_true(take(claims, 3));
  assert_false(tutti_io_claims_held(claims, 3));
  holder_fcntl_error = EIO;
  bool taken = true;
  CHECK_FAILS(tutti_io_claims_take(claims, 3, &taken), TUTTI_ERR_CREATE, "claims: cannot lock: ");
  assert_false(taken);
  holder_fcntl_error = 0;
  tutti_io_claims_close(&claims);
}

static void a_place_that_cannot_be_written_is_told(void **state) {
  tutti_claims *claims = NULL;
  CHECK_FAILS(tutti_io_claims_open(folder_path(state, "no/claims"), true, &claims), TUTTI_ERR_CREATE,
              "no/claims: cannot create: No such file");
  assert_null(claims);
}

/** With and without making it. */
static void claims_are_on_a_file_of_their_own(void **state) {
  const char *path = folder_path(state, "claims"), *victim = folder_path(state, "victim");
  tutti_claims *claims = NULL;
  folder_put(victim, "x", 1);
  for (int create = 0; create < 2; create++) {
    assert_int_equal(symlink(victim, path), 0);
    CHECK_FAILS(tutti_io_claims_open(path, create, &claims), TUTTI_ERR_CREATE,
                "claims: is a link: remove it");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(link(victim, path), 0);
    CHECK_FAILS(tutti_io_claims_open(path, create, &claims), TUTTI_ERR_CREATE, "is a second name of a file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    CHECK_FAILS(tutti_io_claims_open(path, create, &claims), TUTTI_ERR_CREATE, "is not a regular file");
    assert_int_equal(unlink(path), 0);
    assert_null(claims);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_claim_is_one_process_s_until_it_dies),   TEST(a_claim_is_given_back),
      TEST(a_claim_that_is_shared_is_nobody_s_alone), TEST(a_file_that_goes_away_is_noticed),
      TEST(without_locks_everybody_gets_everything),  TEST(a_place_that_cannot_be_written_is_told),
      TEST(claims_are_on_a_file_of_their_own),
  };
  return cmocka_run_group_tests_name("io.claims", tests, NULL, check_no_leak);
}
