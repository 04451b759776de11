/** Records of tables, with their further columns. */
#include <math.h>
#include <string.h>

#include "tutti/metrics.h"

void tutti_metrics_records_clear(tutti_metrics_records *records) {
  tutti_file_list_free(&records->more_columns, records->n_more);
  tutti_free(records->records);
  *records = (tutti_metrics_records){0};
}

tutti_metrics_layout tutti_metrics_layout_of(const tutti_metrics_records *records, const char *metric) {
  return (tutti_metrics_layout){.metric = metric,
                                .more_columns = (const char *const *)records->more_columns,
                                .n_more = records->n_more};
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

static tutti_status take_columns(tutti_metrics_records *records, const tutti_metrics_layout *layout) {
  TUTTI_TRY(TUTTI_NEW(records->more_columns, layout->n_more));
  for (; records->n_more < layout->n_more; records->n_more++) {
    char *copy = tutti_strdup(layout->more_columns[records->n_more]);
    if (!copy) return TUTTI_ERR_MEMORY;
    records->more_columns[records->n_more] = copy;
  }
  return TUTTI_OK;
}

static tutti_status reserve(tutti_metrics_records *records, int64_t capacity) {
  const size_t bytes = bytes_of(records);
  char *larger = tutti_calloc(capacity, bytes);
  if (!larger) return TUTTI_ERR_MEMORY;
  if (records->n > 0) memcpy(larger, records->records, (size_t)records->n * bytes);
  tutti_free(records->records);
  records->records = larger;
  records->capacity = capacity;
  return TUTTI_OK;
}

tutti_status tutti_metrics_records_append(tutti_metrics_records *records, const tutti_metrics_layout *layout,
                                          const tutti_metrics_row *row, const double *more) {
  if (!records->more_columns) TUTTI_TRY(take_columns(records, layout));
  TUTTI_ASSERT(records->n_more == layout->n_more);
  if (records->n == records->capacity)
    TUTTI_TRY(reserve(records, records->capacity > 0 ? 2 * records->capacity : 64));
  char *record = records->records + (size_t)records->n++ * bytes_of(records);
  memcpy(record, row, sizeof *row);
  if (records->n_more > 0) memcpy(record + sizeof *row, more, (size_t)records->n_more * sizeof *more);
  return TUTTI_OK;
}

// --- in a file -------------------------------------------------------------------------------------------

/** All columns of records of the layout; the array is the caller's (tutti_free). */
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
  TUTTI_TRY(status);
  return TUTTI_OK;
}

static bool is_of_row(const char *name, const char *metric) {
  double unused;
  return strcmp(name, "metric") != 0 && strcmp(name, "val_metric") != 0 &&
         tutti_metrics_value(&(tutti_metrics_row){0}, metric, name, &unused);
}

/** What the table has beside the columns of a row. */
static tutti_status find_columns(const tutti_file *file, const char *table, const char *metric,
                                 tutti_metrics_records *records) {
  char **names = NULL;
  int n = 0;
  TUTTI_TRY(tutti_table_columns(file, table, &names, &n));
  for (int i = 0; i < n; i++) {
    if (is_of_row(names[i], metric))
      tutti_free(names[i]);
    else
      names[records->n_more++] = names[i];
  }
  records->more_columns = names;
  return TUTTI_OK;
}

/** A column that the table lacks has no value, not the value 0. */
static void make_unknown(tutti_metrics_records *records, int64_t n) {
  const tutti_metrics_row row = {.loss = NAN,
                                 .metric = NAN,
                                 .val_loss = NAN,
                                 .val_metric = NAN,
                                 .learning_rate = NAN,
                                 .seconds = NAN,
                                 .samples_per_second = NAN};
  for (int64_t i = 0; i < n; i++) memcpy(records->records + (size_t)i * bytes_of(records), &row, sizeof row);
}

tutti_status tutti_metrics_read(const tutti_file *file, const char *table, const char *metric,
                                tutti_metrics_records *records) {
  tutti_status status = TUTTI_OK;
  tutti_column *columns = NULL;
  int64_t n = 0;
  *records = (tutti_metrics_records){0};
  TUTTI_TRY_GOTO(done, find_columns(file, table, metric, records));
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, table, &n));
  TUTTI_TRY_GOTO(done, reserve(records, n));
  make_unknown(records, n);
  const tutti_metrics_layout layout = tutti_metrics_layout_of(records, metric);
  TUTTI_TRY_GOTO(done, make_columns(&layout, &columns));
  TUTTI_TRY_GOTO(done, tutti_table_read(file, table, columns, tutti_metrics_n_columns(&layout),
                                        tutti_metrics_record_bytes(&layout), 0, n, records->records));
  records->n = n;
done:
  tutti_free(columns);
  if (status != TUTTI_OK) tutti_metrics_records_clear(records);
  return status;
}
