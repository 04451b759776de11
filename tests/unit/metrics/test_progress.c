#define _XOPEN_SOURCE 700 // posix_openpt
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/check.h"
#include "tutti/metrics.h"

static const tutti_metrics_row row = {.epoch = 3,
                                      .loss = 0.06871,
                                      .metric = 0.97938,
                                      .val_loss = 0.0801,
                                      .val_metric = 0.9762,
                                      .learning_rate = 0.001,
                                      .samples_per_second = 161000};

// --- not a terminal

/** What a progress writes for one row. */
static void epoch_line(const tutti_metrics_row *shown, double total_epochs, char *text, size_t bytes) {
  FILE *stream = fmemopen(text, bytes, "w");
  assert_non_null(stream);
  tutti_progress *progress = NULL;
  CHECK_OK(tutti_metrics_progress_create(stream, "accuracy", total_epochs, 100, &progress));
  tutti_metrics_progress_step(progress, 3, 61, 0.0687, 0.9794);
  tutti_metrics_progress_epoch(progress, shown);
  tutti_metrics_progress_destroy(&progress);
  assert_null(progress);
  fclose(stream);
}

static void a_file_gets_one_line_per_epoch(void **state) {
  (void)state;
  char text[512];
  epoch_line(&row, 5, text, sizeof text);
  assert_string_equal(text, "epoch 3/5  loss 0.0687  accuracy 0.9794  val_loss 0.0801  val_accuracy 0.9762  "
                            "samples/s 161000  lr 0.001\n");
}

static void what_was_not_measured_is_left_out(void **state) {
  (void)state;
  char text[512];
  tutti_metrics_row shown = row;
  shown.val_loss = shown.val_metric = shown.samples_per_second = NAN;
  epoch_line(&shown, NAN, text, sizeof text);
  assert_string_equal(text, "epoch 3  loss 0.0687  accuracy 0.9794  lr 0.001\n");
}

static void budgets_need_not_be_whole_epochs(void **state) {
  (void)state;
  char text[512];
  epoch_line(&row, 3.25, text, sizeof text);
  assert_memory_equal(text, "epoch 3/4  loss", 15);
  epoch_line(&row, 1.0 / 21, text, sizeof text);
  assert_memory_equal(text, "epoch 3/1  loss", 15);
  epoch_line(&row, 4294967295, text, sizeof text);
  assert_memory_equal(text, "epoch 3/4294967295  loss", 24);
}

static void small_and_large_values_keep_their_digits(void **state) {
  (void)state;
  char text[512];
  tutti_metrics_row shown = row;
  shown.loss = 1.25e-7;
  shown.metric = 0;
  shown.val_loss = 1.5e9;
  shown.val_metric = INFINITY;
  epoch_line(&shown, 5, text, sizeof text);
  assert_string_equal(text,
                      "epoch 3/5  loss 1.250e-07  accuracy 0.0000  val_loss 1.500e+09  val_accuracy inf  "
                      "samples/s 161000  lr 0.001\n");
}

static void destroy_accepts_nothing(void **state) {
  (void)state;
  tutti_progress *progress = NULL;
  tutti_metrics_progress_destroy(&progress);
}

// --- a terminal

typedef struct {
  int master;
  FILE *stream;
} terminal;

static terminal terminal_open(unsigned short width) {
  const struct winsize size = {.ws_row = 24, .ws_col = width};
  terminal t = {.master = posix_openpt(O_RDWR | O_NOCTTY)};
  assert_true(t.master >= 0);
  assert_int_equal(grantpt(t.master), 0);
  assert_int_equal(unlockpt(t.master), 0);
  const int slave = open(ptsname(t.master), O_RDWR | O_NOCTTY);
  assert_true(slave >= 0);
  assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
  struct termios mode;
  assert_int_equal(tcgetattr(slave, &mode), 0);
  mode.c_oflag &= ~(tcflag_t)OPOST; // bytes arrive as they were written
  assert_int_equal(tcsetattr(slave, TCSANOW, &mode), 0);
  assert_int_equal(fcntl(t.master, F_SETFL, O_NONBLOCK), 0);
  t.stream = fdopen(slave, "w");
  assert_non_null(t.stream);
  return t;
}

/** What has been written since the last time. */
static const char *terminal_read(const terminal *t) {
  static char text[4096];
  size_t n = 0;
  fflush(t->stream);
  for (ssize_t got; n < sizeof text - 1 && (got = read(t->master, text + n, sizeof text - 1 - n)) > 0;)
    n += (size_t)got;
  text[n] = '\0';
  return text;
}

static void terminal_close(terminal *t) {
  fclose(t->stream);
  close(t->master);
}

static void wait_for_the_next_drawing(void) {
  const struct timespec pause = {0, 110 * 1000 * 1000};
  nanosleep(&pause, NULL);
}

/** The first drawing of epoch 3 at 61 of 100 steps, on a terminal of that width. */
static void check_bar(unsigned short width, const char *expected) {
  terminal t = terminal_open(width);
  tutti_progress *progress = NULL;
  CHECK_OK(tutti_metrics_progress_create(t.stream, "accuracy", 5, 100, &progress));
  tutti_metrics_progress_step(progress, 3, 61, 0.0687, 0.9794);
  assert_string_equal(terminal_read(&t), expected);
  tutti_metrics_progress_destroy(&progress);
  assert_string_equal(terminal_read(&t), "\n"); // the bar stays, and what follows has a line of its own
  terminal_close(&t);
}

static void the_bar_fits_the_terminal(void **state) {
  (void)state;
  check_bar(120, "\repoch 3/5 [==================>           ] 61%  loss 0.0687  accuracy 0.9794\033[K");
  check_bar(70, "\repoch 3/5 [============>       ] 61%  loss 0.0687  accuracy 0.9794\033[K");
  check_bar(52, "\repoch 3/5 [===> ] 61%  loss 0.0687  accuracy 0.9794\033[K");
  check_bar(51, "\repoch 3/5 61%  loss 0.0687  accuracy 0.9794\033[K");
  check_bar(40, "\repoch 3/5 61%  loss 0.0687\033[K");
  check_bar(10, "\repoch 3/5\033[K");
  check_bar(6, "\repoch\033[K");
  check_bar(1, "\r\033[K");
}

static void the_width_falls_back_on_the_environment(void **state) {
  (void)state;
  setenv("COLUMNS", "40", 1);
  check_bar(0, "\repoch 3/5 61%  loss 0.0687\033[K");
  setenv("COLUMNS", "wide", 1);
  check_bar(0, "\repoch 3/5 [==================>           ] 61%  loss 0.0687  accuracy 0.9794\033[K");
  unsetenv("COLUMNS");
}

static void the_bar_tells_the_time_left_and_gives_way_to_the_epoch(void **state) {
  (void)state;
  terminal t = terminal_open(200);
  tutti_progress *progress = NULL;
  CHECK_OK(tutti_metrics_progress_create(t.stream, "accuracy", 5, 11000, &progress));
  const double start = tutti_clock_s();
  tutti_metrics_progress_step(progress, 3, 1, 0.5, NAN);
  for (int64_t step = 2; step < 10; step++)
    tutti_metrics_progress_step(progress, 3, step, 0.5, NAN); // too soon
  assert_string_equal(terminal_read(&t),
                      "\repoch 3/5 [>                             ] 0%  loss 0.5000\033[K");

  wait_for_the_next_drawing();
  tutti_metrics_progress_step(progress, 3, 101, 0.4, NAN); // 100 steps in 0.11 s, 10899 are left
  const char *text = terminal_read(&t), *left = strstr(text, "loss 0.4000  ");
  assert_non_null(left);
  const double seconds = strtod(left + strlen("loss 0.4000  "), NULL);
  assert_true(seconds >= 11 && seconds <= (tutti_clock_s() - start) * 108.99 + 1);
  assert_non_null(strstr(left, " s left\033[K"));

  tutti_metrics_progress_epoch(progress, &row);
  text = terminal_read(&t);
  assert_memory_equal(text, "\r\033[Kepoch 3/5  loss 0.0687  ", 28);
  assert_string_equal(text + strlen(text) - 10, " lr 0.001\n");
  tutti_metrics_progress_destroy(&progress);
  assert_string_equal(terminal_read(&t), "");
  terminal_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_gets_one_line_per_epoch),
      cmocka_unit_test(what_was_not_measured_is_left_out),
      cmocka_unit_test(budgets_need_not_be_whole_epochs),
      cmocka_unit_test(small_and_large_values_keep_their_digits),
      cmocka_unit_test(destroy_accepts_nothing),
      cmocka_unit_test(the_bar_fits_the_terminal),
      cmocka_unit_test(the_width_falls_back_on_the_environment),
      cmocka_unit_test(the_bar_tells_the_time_left_and_gives_way_to_the_epoch),
  };
  return cmocka_run_group_tests_name("metrics.progress", tests, NULL, check_no_leak);
}
