/** Rows that are kept for the tables, and their further columns. */
#include <math.h>
#include <string.h>

#include "run/run.h"

// --- columns ---------------------------------------------------------------------------------------------

tutti_status tutti_rows_add_column(tutti_run *run, const char *name, int *column) {
  const int n = run->state.rows.layout.n_more;
  char **names = NULL;
  double *more = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(names, n + 1));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(more, n + 1));
  char *copy = tutti_strdup(name);
  if (!copy) {
    status = TUTTI_ERR_MEMORY;
    goto done;
  }
  for (int i = 0; i <= n; i++) {
    names[i] = i < n ? run->state.rows.more_names[i] : copy;
    more[i] = i < n ? run->state.rows.more[i] : NAN;
  }
  tutti_free(run->state.rows.more_names);
  tutti_free(run->state.rows.more);
  run->state.rows.more_names = names;
  run->state.rows.more = more;
  run->state.rows.layout.more_columns = (const char *const *)names;
  run->state.rows.layout.n_more = n + 1;
  *column = n;
  return TUTTI_OK;
done:
  tutti_free(names);
  tutti_free(more);
  return status;
}

void tutti_rows_clear_columns(tutti_run *run) {
  for (int i = 0; i < run->state.rows.layout.n_more; i++) tutti_free(run->state.rows.more_names[i]);
  tutti_free(run->state.rows.more_names);
  tutti_free(run->state.rows.more);
  run->state.rows.more_names = NULL;
  run->state.rows.more = NULL;
  run->state.rows.layout = (tutti_metrics_layout){.metric = run->state.rows.layout.metric};
}

// --- rows ------------------------------------------------------------------------------------------------

static char *record_at(const tutti_run *run, const tutti_rows_list *list, int64_t i) {
  return list->records + (size_t)i * tutti_metrics_record_bytes(&run->state.rows.layout);
}

const tutti_metrics_row *tutti_rows_get(const tutti_run *run, const tutti_rows_list *list, int64_t i) {
  return (const tutti_metrics_row *)record_at(run, list, i);
}

static void no_more(const tutti_run *run, char *record) {
  double *more = (double *)(record + sizeof(tutti_metrics_row));
  for (int i = 0; i < run->state.rows.layout.n_more; i++) more[i] = NAN;
}

tutti_status tutti_rows_reserve(const tutti_run *run, tutti_rows_list *list, int64_t n) {
  const size_t bytes = tutti_metrics_record_bytes(&run->state.rows.layout);
  char *records = tutti_calloc(list->n + n, bytes);
  if (!records) return TUTTI_ERR_MEMORY;
  if (list->n) memcpy(records, list->records, (size_t)list->n * bytes);
  tutti_free(list->records);
  list->records = records;
  list->capacity = list->n + n;
  for (int64_t i = list->n; i < list->capacity; i++) no_more(run, record_at(run, list, i));
  return TUTTI_OK;
}

void tutti_rows_append(tutti_run *run, tutti_rows_list *list, const tutti_metrics_row *row) {
  if (run->fixed.rank != 0 || run->fixed.keeps_no_rows || run->state.deferred != TUTTI_OK) return;
  if (list->n == list->capacity)
    run->state.deferred = tutti_rows_reserve(run, list, list->n > 32 ? list->n : 32);
  if (run->state.deferred != TUTTI_OK) return;
  char *record = record_at(run, list, list->n++);
  memcpy(record, row, sizeof *row);
  if (run->state.rows.layout.n_more)
    memcpy(record + sizeof *row, run->state.rows.more,
           (size_t)run->state.rows.layout.n_more * sizeof *run->state.rows.more);
}
