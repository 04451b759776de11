/* The columns of a row, and of a record with further columns.  All that writes, reads or shows tables takes them from
 * here, so that each name and type is written once. */
#include <string.h>

#include "base/text.h"
#include "tutti/metrics.h"

enum { METRIC = 4, VAL_METRIC = 6 }; // their places among the columns

void tutti_metrics_columns(const char *metric, tutti_column columns[TUTTI_METRICS_COLUMNS]) {
  // A column borrows its name, but no caller owns this one.
  static _Thread_local char val_metric[TUTTI_METRIC_NAME];
  val_metric[0] = '\0';
  tutti_text_append(val_metric, sizeof val_metric, "val_%s", metric);
  const tutti_column all[TUTTI_METRICS_COLUMNS] = {
      {"epoch", TUTTI_I64, offsetof(tutti_metrics_row, epoch)},
      {"step", TUTTI_I64, offsetof(tutti_metrics_row, step)},
      {"samples", TUTTI_I64, offsetof(tutti_metrics_row, samples)},
      {"loss", TUTTI_F64, offsetof(tutti_metrics_row, loss)},
      {metric, TUTTI_F64, offsetof(tutti_metrics_row, metric)},
      {"val_loss", TUTTI_F64, offsetof(tutti_metrics_row, val_loss)},
      {val_metric, TUTTI_F64, offsetof(tutti_metrics_row, val_metric)},
      {"learning_rate", TUTTI_F64, offsetof(tutti_metrics_row, learning_rate)},
      {"batch_size", TUTTI_I64, offsetof(tutti_metrics_row, batch_size)},
      {"seconds", TUTTI_F64, offsetof(tutti_metrics_row, seconds)},
      {"samples_per_second", TUTTI_F64, offsetof(tutti_metrics_row, samples_per_second)},
  };
  memcpy(columns, all, sizeof all);
}

// A record has no padding: all columns are of eight bytes, so those of a row end where the further ones begin.
int tutti_metrics_n_columns(const tutti_metrics_layout *layout) {
  return TUTTI_METRICS_COLUMNS + layout->n_more;
}

size_t tutti_metrics_record_bytes(const tutti_metrics_layout *layout) {
  return sizeof(tutti_metrics_row) + (size_t)layout->n_more * sizeof(double);
}

void tutti_metrics_layout_columns(const tutti_metrics_layout *layout, tutti_column *columns) {
  tutti_metrics_columns(layout->metric, columns);
  for (int i = 0; i < layout->n_more; i++)
    columns[TUTTI_METRICS_COLUMNS + i] = (tutti_column){
        layout->more_columns[i], TUTTI_F64, sizeof(tutti_metrics_row) + (size_t)i * sizeof(double)};
}

/** A member of the row by its offset; memcpy is free of alignment and type rules. */
static double value_at(const tutti_metrics_row *row, const tutti_column *column) {
  const char *at = (const char *)row + column->offset;
  if (column->type == TUTTI_F64) {
    double value;
    memcpy(&value, at, sizeof value);
    return value;
  }
  int64_t count;
  memcpy(&count, at, sizeof count);
  return (double)count;
}

/** The place of "metric" and "val_metric" among the columns, else -1. */
static int alias(const char *name) {
  if (strcmp(name, "metric") == 0) return METRIC;
  return strcmp(name, "val_metric") == 0 ? VAL_METRIC : -1;
}

bool tutti_metrics_value(const tutti_metrics_row *row, const char *metric, const char *name, double *value) {
  tutti_column columns[TUTTI_METRICS_COLUMNS];
  tutti_metrics_columns(metric, columns);
  int found = alias(name);
  for (int i = 0; i < TUTTI_METRICS_COLUMNS && found < 0; i++)
    if (strcmp(columns[i].name, name) == 0) found = i;
  if (found >= 0) *value = value_at(row, &columns[found]);
  return found >= 0;
}
