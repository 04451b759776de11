/* metrics.h5: appends rows to /epochs and /steps, replaces /timing and the attributes, and removes rows that a resumed
 * run computes again.  The saver of a training calls it on rank 0. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "tutti/metrics.h"

enum { FORMAT = 1 };

/** A phase is an index into the attribute "phases", because columns are numbers. */
static const tutti_column timing_columns[] = {
    {"phase", TUTTI_I64, offsetof(tutti_timing_row, phase)},
    {"min", TUTTI_F64, offsetof(tutti_timing_row, min)},
    {"mean", TUTTI_F64, offsetof(tutti_timing_row, mean)},
    {"max", TUTTI_F64, offsetof(tutti_timing_row, max)},
    {"rank_of_max", TUTTI_I64, offsetof(tutti_timing_row, rank_of_max)},
};

/** Whether the attribute has exactly these texts.  HDF5 does not reuse the space of an old text after the file was
 * closed.  So a text that has not changed is not written again, and the file grows only by its rows. */
static bool has_texts(const tutti_file *file, const char *object, const char *name, const char *const *texts,
                      int n) {
  tutti_texts there;
  if (!tutti_file_has_attribute(file, object, name)) return false;
  if (tutti_file_get_texts(file, object, name, &there) != TUTTI_OK) return false;
  bool same = there.n == n;
  for (int i = 0; i < n && same; i++) same = strcmp(there.list[i], texts[i]) == 0;
  tutti_texts_clear(&there);
  return same;
}

/** A version, a host or a model of processor may change from one start of the run to the next: the file tells the
 * last. */
static tutti_status write_text(tutti_file *file, const char *name, const char *text) {
  if (has_texts(file, "/", name, &text, 1)) return TUTTI_OK;
  return tutti_file_set_text(file, "/", name, text);
}

static tutti_status write_texts(tutti_file *file, const char *object, const char *name,
                                const char *const *texts, int n) {
  if (!texts || has_texts(file, object, name, texts, n)) return TUTTI_OK;
  return tutti_file_set_texts(file, object, name, texts, n);
}

/** /timing has the sums since the last start, so its rows are replaced. */
static tutti_status write_timing(tutti_file *file, const tutti_timing_row rows[TUTTI_N_TIMINGS]) {
  const int n_columns = sizeof timing_columns / sizeof timing_columns[0];
  // The table is emptied, not removed, because HDF5 would not reuse its space.
  if (tutti_file_has(file, "/timing")) TUTTI_TRY(tutti_table_truncate(file, "/timing", 0));
  TUTTI_TRY(
      tutti_table_append(file, "/timing", timing_columns, n_columns, sizeof rows[0], rows, TUTTI_N_TIMINGS));
  return write_texts(file, "/timing", "phases", tutti_metrics_phase_names, TUTTI_N_TIMINGS);
}

static tutti_status write_origin(tutti_file *file, const tutti_metrics_origin *origin) {
  TUTTI_TRY(tutti_file_set_integer(file, "/", "format", FORMAT));
  for (int i = 0; i < origin->n_texts; i++)
    TUTTI_TRY(write_text(file, origin->texts[i].name, origin->texts[i].text));
  TUTTI_TRY(tutti_file_set_integer(file, "/", "ranks", origin->ranks));
  TUTTI_TRY(tutti_file_set_integer(file, "/", "threads", origin->threads));
  TUTTI_TRY(write_texts(file, "/", "hosts", origin->hosts, origin->ranks));
  return write_texts(file, "/", "bindings", origin->bindings, origin->ranks);
}

/** The text of the failure says what is wrong with the file.  Add what it means for the run, and what to do. */
static tutti_status explain(tutti_status status, const char *path) {
  if (status != TUTTI_ERR_DATA) return status;
  char text[1024];
  snprintf(text, sizeof text,
           "%s; so no rows can be added to the metrics in %s.  Move that file away and resume the run: the "
           "rows of the epochs are also in the table /history of its checkpoint",
           tutti_fail_text(), path);
  tutti_fail_set_text(text);
  return status;
}

/** An attribute of the table for each column whose name does not explain it. */
static tutti_status describe(tutti_file *file, const char *table) {
  static const struct {
    const char *column, *text;
  } notes[] = {
      {"loss", "mean over the training samples since the row before, while the weights move"},
      {"seconds", "of training since the run began, all resumes together, without evaluation and saving"},
      {"samples_per_second", "since the row before, without evaluation and saving"},
  };
  for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
    if (!tutti_file_has_attribute(file, table, notes[i].column))
      TUTTI_TRY(tutti_file_set_text(file, table, notes[i].column, notes[i].text));
  return TUTTI_OK;
}

tutti_status tutti_metrics_flush(const char *path, bool replace, const tutti_metrics_layout *layout,
                                 const tutti_metrics_origin *origin, const void *epochs, int64_t n_epochs,
                                 const void *steps, int64_t n_steps,
                                 const tutti_timing_row timing[TUTTI_N_TIMINGS]) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, replace ? tutti_file_create(path, &file) : tutti_file_update(path, &file));
  TUTTI_TRY_GOTO(done, tutti_metrics_write(file, "/epochs", layout, epochs, n_epochs));
  TUTTI_TRY_GOTO(done, tutti_metrics_write(file, "/steps", layout, steps, n_steps));
  TUTTI_TRY_GOTO(done, describe(file, "/epochs"));
  TUTTI_TRY_GOTO(done, describe(file, "/steps"));
  // All of this goes to a copy of the file: until the commit, readers see the old one.
  if (timing) TUTTI_TRY_GOTO(done, write_timing(file, timing));
  TUTTI_TRY_GOTO(done, write_origin(file, origin));
  TUTTI_TRY_GOTO(done, write_text(file, "metric", layout->metric));
  TUTTI_TRY_GOTO(done, tutti_fault("metrics.flush"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return explain(status, path);
}

/** The number of rows of /steps up to `step`; rows are in order of step.
 * @param[in,out] n  first the number of all rows */
static tutti_status count_until(const tutti_file *file, int64_t step, int64_t *n) {
  const tutti_column column = {"step", TUTTI_I64, 0};
  int64_t *steps = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(steps, *n));
  TUTTI_TRY_GOTO(done, tutti_table_read(file, "/steps", &column, 1, sizeof *steps, 0, *n, steps));
  // From the end, because a kill leaves few rows behind a checkpoint.
  while (*n > 0 && steps[*n - 1] > step) --*n;
done:
  tutti_free(steps);
  return status;
}

/** Remove the rows that the resumed run will compute again. */
static tutti_status rewind_tables(tutti_file *file, const tutti_metrics_layout *layout, int64_t n_epochs,
                                  int64_t step) {
  int64_t n = 0, n_steps = 0;
  // Appending nothing makes sure that the tables exist and have the columns that later flushes write.
  TUTTI_TRY(tutti_metrics_write(file, "/epochs", layout, NULL, 0));
  TUTTI_TRY(tutti_metrics_write(file, "/steps", layout, NULL, 0));
  TUTTI_TRY(tutti_table_rows(file, "/epochs", &n));
  if (n > n_epochs) TUTTI_TRY(tutti_table_truncate(file, "/epochs", n_epochs));
  TUTTI_TRY(tutti_table_rows(file, "/steps", &n_steps));
  TUTTI_TRY(count_until(file, step, &n_steps));
  return tutti_table_truncate(file, "/steps", n_steps);
}

tutti_status tutti_metrics_rewind(const char *path, const tutti_metrics_layout *layout, int64_t n_epochs,
                                  int64_t step) {
  // A user may have moved the file away; the next flush makes a new one.
  if (access(path, F_OK) != 0 && errno == ENOENT) return TUTTI_OK;
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_update(path, &file));
  TUTTI_TRY_GOTO(done, rewind_tables(file, layout, n_epochs, step));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return explain(status, path);
}

tutti_status tutti_metrics_add_rollback(const char *path, const tutti_rollback_row *row) {
  static const tutti_column columns[] = {
      {"step", TUTTI_I64, offsetof(tutti_rollback_row, step)},
      {"to_step", TUTTI_I64, offsetof(tutti_rollback_row, to_step)},
      {"rate_factor", TUTTI_F64, offsetof(tutti_rollback_row, rate_factor)}};
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_update(path, &file));
  TUTTI_TRY_GOTO(done, tutti_table_append(file, "/rollbacks", columns, 3, sizeof *row, row, 1));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return explain(status, path);
}
