/* A list of records of one table, with its further columns: it grows in memory, and is written to and read from a file.
 * A training keeps its rows in such lists, a study the curve of each trial, and `tutti info` reads them. */
#include <math.h>
#include <string.h>

#include "tutti/metrics.h"

void tutti_metrics_records_clear(tutti_metrics_records *records) {
  tutti_texts_clear(&records->more_columns);
  tutti_free(records->records);
  *records = (tutti_metrics_records){0};
}

tutti_metrics_layout tutti_metrics_layout_of(const tutti_metrics_records *records, const char *metric) {
  return (tutti_metrics_layout){.metric = metric,
                                .more_columns = (const char *const *)records->more_columns.list,
                                .n_more = records->more_columns.n};
}

static size_t bytes_of(const tutti_metrics_records *records) {
  const tutti_metrics_layout layout = tutti_metrics_layout_of(records, NULL);
  return tutti_metrics_record_bytes(&layout);
}

const tutti_metrics_row *tutti_metrics_record(const tutti_metrics_records *records, int64_t i) {
  return (const tutti_metrics_row *)(records->records + (size_t)i * bytes_of(records));
}

double tutti_metrics_more(const tutti_metrics_records *records, int64_t i, int k) {
  return ((const double *)(tutti_metrics_record(records, i) + 1))[k];
}

// --- in memory -------------------------------------------------------------------------------------------

tutti_status tutti_metrics_records_add_column(tutti_metrics_records *records, const char *name, int *column) {
  TUTTI_ASSERT(records->capacity == 0);
  *column = records->more_columns.n;
  return tutti_texts_add(&records->more_columns, name);
}

/** A column that nobody fills has no value, which is not the value 0. */
static void set_unknown(const tutti_metrics_records *records, int64_t i) {
  const tutti_metrics_row row = {.loss = NAN,
                                 .metric = NAN,
                                 .val_loss = NAN,
                                 .val_metric = NAN,
                                 .learning_rate = NAN,
                                 .seconds = NAN,
                                 .samples_per_second = NAN};
  char *record = records->records + (size_t)i * bytes_of(records);
  memcpy(record, &row, sizeof row);
  double *more = (double *)(record + sizeof row);
  for (int k = 0; k < records->more_columns.n; k++) more[k] = NAN;
}

tutti_status tutti_metrics_records_reserve(tutti_metrics_records *records, int64_t n) {
  // The old records are copied, not reallocated, so that they are still there if there is no memory.
  const size_t bytes = bytes_of(records);
  char *larger = tutti_calloc(records->n + n, bytes);
  if (!larger) return TUTTI_ERR_MEMORY;
  if (records->n > 0) memcpy(larger, records->records, (size_t)records->n * bytes);
  tutti_free(records->records);
  records->records = larger;
  records->capacity = records->n + n;
  for (int64_t i = records->n; i < records->capacity; i++) set_unknown(records, i);
  return TUTTI_OK;
}

tutti_status tutti_metrics_records_append(tutti_metrics_records *records, const tutti_metrics_layout *layout,
                                          const tutti_metrics_row *row, const double *more) {
  const int n_more = layout->n_more;
  if (records->more_columns.n == 0 && records->capacity == 0) {
    const tutti_status status = tutti_texts_add_all(&records->more_columns, layout->more_columns, n_more);
    if (status != TUTTI_OK)
      tutti_texts_clear(&records->more_columns); // some of the columns are worse than none
    TUTTI_TRY(status);
  }
  TUTTI_ASSERT(records->more_columns.n == n_more);
  // Doubling keeps the cost of a row constant, however long the training is.
  if (records->n == records->capacity)
    TUTTI_TRY(tutti_metrics_records_reserve(records, records->n > 64 ? records->n : 64));
  char *record = records->records + (size_t)records->n++ * bytes_of(records);
  memcpy(record, row, sizeof *row);
  if (n_more > 0) memcpy(record + sizeof *row, more, (size_t)n_more * sizeof *more);
  return TUTTI_OK;
}

// --- in a file -------------------------------------------------------------------------------------------

/** @param[out] columns  of a record; owned by the caller (tutti_free) */
static tutti_status make_columns(const tutti_metrics_layout *layout, tutti_column **columns) {
  TUTTI_TRY(TUTTI_NEW(*columns, tutti_metrics_n_columns(layout)));
  tutti_metrics_layout_columns(layout, *columns);
  return TUTTI_OK;
}

tutti_status tutti_metrics_write(tutti_file *file, const char *table, const tutti_metrics_layout *layout,
                                 const void *records, int64_t n) {
  tutti_column *columns = NULL;
  TUTTI_TRY(make_columns(layout, &columns));
  const tutti_status status = tutti_table_append(file, table, columns, tutti_metrics_n_columns(layout),
                                                 tutti_metrics_record_bytes(layout), records, n);
  tutti_free(columns);
  return status;
}

tutti_status tutti_metrics_write_all(tutti_file *file, const char *table,
                                     const tutti_metrics_records *records, const char *metric) {
  const tutti_metrics_layout layout = tutti_metrics_layout_of(records, metric);
  tutti_column *columns = NULL;
  TUTTI_TRY(make_columns(&layout, &columns));
  const tutti_status status =
      tutti_table_replace(file, table, columns, tutti_metrics_n_columns(&layout),
                          tutti_metrics_record_bytes(&layout), records->records, records->n);
  tutti_free(columns);
  return status;
}

/** "metric" is another name of a column of the row, but in a file it is a column of somebody else. */
static bool is_of_row(const char *name, const char *metric) {
  double unused;
  return strcmp(name, "metric") != 0 && strcmp(name, "val_metric") != 0 &&
         tutti_metrics_value(&(tutti_metrics_row){0}, metric, name, &unused);
}

/** The columns of the table that are not those of a row. */
static tutti_status find_columns(const tutti_file *file, const char *table, const char *metric,
                                 tutti_metrics_records *records) {
  tutti_texts names;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(tutti_table_columns(file, table, &names));
  // An earlier version wrote fewer columns of a row, and a user may have added others: each is found by its name.
  for (int i = 0; i < names.n && status == TUTTI_OK; i++)
    if (!is_of_row(names.list[i], metric)) status = tutti_texts_add(&records->more_columns, names.list[i]);
  tutti_texts_clear(&names);
  return status;
}

tutti_status tutti_metrics_read(const tutti_file *file, const char *table, const char *metric,
                                tutti_metrics_records *records) {
  tutti_status status = TUTTI_OK;
  tutti_column *columns = NULL;
  int64_t n = 0;
  *records = (tutti_metrics_records){0};
  TUTTI_TRY_GOTO(done, find_columns(file, table, metric, records));
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, table, &n));
  TUTTI_TRY_GOTO(done, tutti_metrics_records_reserve(records, n));
  const tutti_metrics_layout layout = tutti_metrics_layout_of(records, metric);
  TUTTI_TRY_GOTO(done, make_columns(&layout, &columns));
  TUTTI_TRY_GOTO(done, tutti_table_read(file, table, columns, tutti_metrics_n_columns(&layout),
                                        tutti_metrics_record_bytes(&layout), 0, n, records->records));
  records->n = n; // only now: after a failure the list is empty
done:
  tutti_free(columns);
  if (status != TUTTI_OK) tutti_metrics_records_clear(records);
  return status;
}
