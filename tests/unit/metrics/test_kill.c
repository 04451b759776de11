/** Kill a process while it appends to metrics.h5, at any instant: the file opens, and has whole flushes alone. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "support/check.h"
#include "support/folder.h"
#include "tutti/metrics.h"

enum { KILLS = 24, LONGEST_US = 16000, STEPS = 50 };

static const char *const host = "node";
static const tutti_metrics_text texts[] = {{"config", "train: {}\n"}};
static const tutti_metrics_origin origin = {
    .texts = texts, .n_texts = 1, .ranks = 1, .threads = 1, .hosts = &host, .bindings = &host};
static const tutti_metrics_layout layout = {.metric = "accuracy"};

/** Append a row to /epochs and STEPS rows to /steps. */
static tutti_status flush(const char *path, int64_t epoch) {
  tutti_metrics_row rows[STEPS], last;
  for (int i = 0; i < STEPS; i++)
    rows[i] = (tutti_metrics_row){.epoch = epoch, .step = (epoch - 1) * STEPS + i + 1, .loss = 0.5};
  last = rows[STEPS - 1];
  return tutti_metrics_flush(path, false, &layout, &origin, &last, 1, rows, STEPS, NULL);
}

static _Noreturn void append_for_ever(const char *path, int64_t epoch) {
  for (;; epoch++)
    if (flush(path, epoch) != TUTTI_OK) _exit(1);
}

static void append_and_kill(const char *path, int64_t epoch, long after_us) {
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) append_for_ever(path, epoch);
  const struct timespec pause = {0, after_us * 1000};
  nanosleep(&pause, NULL);
  kill(child, SIGKILL);
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFSIGNALED(how)); // not by itself, with a failed flush
}

/** @return number of epochs, after a check that each has its steps, in order */
static int64_t check_rows(const char *path) {
  static const tutti_column column = {"step", TUTTI_I64, 0};
  tutti_file *file = NULL;
  int64_t n = 0, n_steps = 0, *steps = NULL;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_table_rows(file, "/epochs", &n));
  CHECK_OK(tutti_table_rows(file, "/steps", &n_steps));
  assert_int_equal(n_steps, n * STEPS);
  CHECK_OK(TUTTI_NEW(steps, n_steps));
  CHECK_OK(tutti_table_read(file, "/steps", &column, 1, sizeof *steps, 0, n_steps, steps));
  for (int64_t i = 0; i < n_steps; i++) assert_int_equal(steps[i], i + 1);
  tutti_free(steps);
  tutti_file_close(&file);
  return n;
}

static void a_kill_leaves_whole_rows(void **state) {
  const char *path = folder_path(state, "metrics.h5");
  const tutti_stream stream = {.seed = 1, .kind = TUTTI_STREAM_SHUFFLE};
  int64_t epoch = 1;
  int in_mid_flush = 0;
  CHECK_OK(flush(path, epoch));
  for (int i = 0; i < KILLS; i++) {
    uint32_t words[4];
    tutti_random_words(stream, (uint64_t)i, words);
    append_and_kill(path, epoch + 1, (long)(words[0] % LONGEST_US));
    in_mid_flush += folder_count(state) > 1; // its temporary file
    const int64_t found = check_rows(path);
    if (found < epoch)
      fail_msg("kill %d: %lld epochs are left of %lld", i, (long long)found, (long long)epoch);
    epoch = found;
  }
  assert_true(in_mid_flush > 0);
  CHECK_OK(flush(path, epoch + 1));
  assert_int_equal(check_rows(path), epoch + 1);
  assert_int_equal(folder_count(state), 1); // whatever the killed ones left is gone
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(a_kill_leaves_whole_rows)};
  return cmocka_run_group_tests_name("metrics.kill", tests, NULL, check_no_leak);
}
