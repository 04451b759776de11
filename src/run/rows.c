/* The rows of the tables that a training keeps, and their further columns, such as measurements and evaluations of
 * other samples.  The rooms that measure add columns; the loop of the training appends rows. */
#include <math.h>
#include <string.h>

#include "run/run.h"

tutti_status tutti_run_add_column(tutti_run *run, const char *name, int *column) {
  tutti_run_rows *rows = &run->state.rows;
  // Columns are added one by one while a run is built, so the array is simply copied each time.
  const int n = rows->layout.n_more;
  double *more = NULL;
  TUTTI_TRY(TUTTI_NEW(more, n + 1));
  if (n > 0) memcpy(more, rows->more, (size_t)n * sizeof *more);
  more[n] = NAN;
  tutti_free(rows->more);
  rows->more = more;
  TUTTI_TRY(tutti_metrics_records_add_column(&rows->history, name, column));
  rows->layout = tutti_metrics_layout_of(&rows->history, rows->layout.metric);
  return TUTTI_OK;
}

void tutti_run_clear_rows(tutti_run *run) {
  tutti_run_rows *rows = &run->state.rows;
  tutti_metrics_records_clear(&rows->history);
  tutti_metrics_records_clear(&rows->steps);
  tutti_free(rows->more);
  *rows = (tutti_run_rows){0};
}

static void append(tutti_run *run, tutti_metrics_records *list, const tutti_metrics_row *row) {
  if (run->rank != 0 || run->state.deferred != TUTTI_OK) return;
  run->state.deferred =
      tutti_metrics_records_append(list, &run->state.rows.layout, row, run->state.rows.more);
}

void tutti_run_keep_row(tutti_run *run, tutti_metrics_records *list, const tutti_metrics_row *row) {
  if (!run->keeps_no_rows) append(run, list, row);
}

void tutti_run_keep_observed(tutti_run *run, const tutti_metrics_row *row) {
  if (run->save_every > 0) append(run, &run->state.rows.history, row);
}
