/** What a study's file, or that of one of its trials, holds, as text to compare:
 *
 *   e2e_trials rows FILE      a line for each trial that is done: number, what came of it, by all its digits
 *   e2e_trials confirm FILE   the same of those that run the best settings again
 *   e2e_trials times FILE     number, and when it began
 *   e2e_trials curves FILE    a line for each row of each curve
 *   e2e_trials columns FILE   for each curve, its columns beside those of a row, each with how many numbers it has
 *
 *   e2e_trials measured FILE  a line for each row of each curve: its numbers in these columns
 *
 *   e2e_trials hold FILE I    takes claim I of a study's claims, says so, and hangs */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tutti/fit.h"
#include "tutti/metrics.h"

static void print_row(const tutti_trial_result *t) {
  printf("%lld %s %lld %lld %.0f %.0f %.0f %.17g %.17g %.17g %.17g %.17g %.17g\n", (long long)t->trial,
         tutti_fit_trial_state_names[t->status], (long long)t->batch_size, (long long)t->seed, t->steps,
         t->samples, t->goal_step, t->best_value, t->last_value, t->val_loss, t->val_metric, t->test_loss,
         t->test_metric);
}

static tutti_status print_curve(const tutti_file *file, const tutti_trial_result *t) {
  enum { MAX = 1000 };
  static tutti_metrics_row rows[MAX];
  const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(tutti_metrics_row, step)},
                                  {"epoch", TUTTI_I64, offsetof(tutti_metrics_row, epoch)},
                                  {"loss", TUTTI_F64, offsetof(tutti_metrics_row, loss)},
                                  {"val_loss", TUTTI_F64, offsetof(tutti_metrics_row, val_loss)},
                                  {"val_accuracy", TUTTI_F64, offsetof(tutti_metrics_row, val_metric)}};
  char name[32];
  int64_t n = 0;
  snprintf(name, sizeof name, "/curves/%06lld", (long long)t->trial);
  if (!tutti_file_has(file, name)) return TUTTI_OK;
  TUTTI_TRY(tutti_table_rows(file, name, &n));
  if (n > MAX) n = MAX;
  TUTTI_TRY(tutti_table_read(file, name, columns, 5, sizeof *rows, 0, n, rows));
  for (int64_t i = 0; i < n; i++)
    printf("%lld %lld %lld %.17g %.17g %.17g\n", (long long)t->trial, (long long)rows[i].step,
           (long long)rows[i].epoch, rows[i].loss, rows[i].val_loss, rows[i].val_metric);
  return TUTTI_OK;
}

static tutti_status print_columns(const tutti_file *file, const tutti_trial_result *t) {
  tutti_metrics_records records;
  char name[32];
  snprintf(name, sizeof name, "/curves/%06lld", (long long)t->trial);
  if (!tutti_file_has(file, name)) return TUTTI_OK;
  TUTTI_TRY(tutti_metrics_read(file, name, "accuracy", &records));
  for (int k = 0; k < records.more_columns.n; k++) {
    int64_t n_numbers = 0;
    for (int64_t i = 0; i < records.n; i++) n_numbers += isfinite(tutti_metrics_more(&records, i, k)) != 0;
    printf("%lld %s %lld of %lld\n", (long long)t->trial, records.more_columns.list[k], (long long)n_numbers,
           (long long)records.n);
  }
  tutti_metrics_records_clear(&records);
  return TUTTI_OK;
}

static tutti_status print_measured(const tutti_file *file, const tutti_trial_result *t) {
  tutti_metrics_records records;
  char name[32];
  snprintf(name, sizeof name, "/curves/%06lld", (long long)t->trial);
  if (!tutti_file_has(file, name)) return TUTTI_OK;
  TUTTI_TRY(tutti_metrics_read(file, name, "accuracy", &records));
  for (int64_t i = 0; i < records.n; i++) {
    printf("%lld", (long long)t->trial);
    for (int k = 0; k < records.more_columns.n; k++) printf(" %.17g", tutti_metrics_more(&records, i, k));
    printf("\n");
  }
  tutti_metrics_records_clear(&records);
  return TUTTI_OK;
}

static tutti_status print(const char *what, const char *path) {
  tutti_file *file = NULL;
  tutti_trial_set set = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(path, &file));
  TUTTI_TRY_GOTO(done, tutti_fit_trial_set_read(file, &set));
  for (int64_t i = 0; i < set.n_trials; i++) {
    const tutti_trial_result *trial = &set.results[i];
    if (trial->status == TUTTI_TRIAL_WAITING) continue;
    if (strcmp(what, "rows") == 0) print_row(trial);
    if (strcmp(what, "times") == 0) printf("%lld %.17g\n", (long long)trial->trial, trial->started);
    if (strcmp(what, "columns") == 0) TUTTI_TRY_GOTO(done, print_columns(file, trial));
    if (strcmp(what, "measured") == 0) TUTTI_TRY_GOTO(done, print_measured(file, trial));
    if (strcmp(what, "curves") == 0) TUTTI_TRY_GOTO(done, print_curve(file, trial));
  }
  for (int64_t i = 0; i < set.n_confirm && strcmp(what, "confirm") == 0; i++) print_row(&set.confirm[i]);
done:
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
  return status;
}

static tutti_status hold(const char *path, int64_t i) {
  tutti_claims *claims = NULL;
  bool taken = false;
  TUTTI_TRY(tutti_io_claims_open(path, true, &claims));
  TUTTI_TRY(tutti_io_claims_take(claims, i, &taken));
  puts(taken ? "held" : "taken by another process");
  fflush(stdout);
  for (;;) pause();
}

int main(int argc, char **argv) {
  const bool holds = argc == 4 && strcmp(argv[1], "hold") == 0;
  const tutti_status status = holds       ? hold(argv[2], strtoll(argv[3], NULL, 10))
                              : argc == 3 ? print(argv[1], argv[2])
                                          : TUTTI_ERR_USAGE;
  if (status != TUTTI_OK) fprintf(stderr, "%s\n", tutti_fail_text());
  return tutti_status_exit(status);
}
