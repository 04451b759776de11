#include <stdio.h>
#include <string.h>

#include "study/store.h"

enum { NAME_BYTES = 32 };

static void make_name(int64_t trial, char name[NAME_BYTES]) {
  snprintf(name, NAME_BYTES, "/curves/%06lld", (long long)trial);
}

tutti_status tutti_curve_write(tutti_file *file, const tutti_trial_record *record) {
  char name[NAME_BYTES];
  tutti_column columns[TUTTI_METRICS_COLUMNS];
  int64_t n = 0;
  make_name(record->result.trial, name);
  if (record->n_curve > 0) TUTTI_TRY(tutti_table_rows(file, name, &n));
  if (record->n_curve == 0 || n > 0) return TUTTI_OK;
  tutti_metrics_columns(record->metric, columns);
  return tutti_table_append(file, name, columns, TUTTI_METRICS_COLUMNS, sizeof *record->curve, record->curve,
                            record->n_curve);
}

tutti_status tutti_curve_read(const tutti_file *file, tutti_trial_record *record) {
  char name[NAME_BYTES];
  tutti_column columns[TUTTI_METRICS_COLUMNS];
  int64_t n = 0;
  make_name(record->result.trial, name);
  TUTTI_TRY(tutti_table_rows(file, name, &n));
  if (n == 0) return TUTTI_OK;
  tutti_metrics_columns(record->metric, columns);
  TUTTI_TRY(TUTTI_NEW(record->curve, n));
  record->n_curve = record->capacity = n;
  return tutti_table_read(file, name, columns, TUTTI_METRICS_COLUMNS, sizeof *record->curve, 0, n,
                          record->curve);
}

tutti_status tutti_trial_record_append(tutti_trial_record *record, const tutti_metrics_row *row) {
  if (record->n_curve == record->capacity) {
    tutti_metrics_row *larger = NULL;
    const int64_t capacity = record->capacity ? 2 * record->capacity : 64;
    TUTTI_TRY(TUTTI_NEW(larger, capacity));
    if (record->n_curve) memcpy(larger, record->curve, (size_t)record->n_curve * sizeof *larger);
    tutti_free(record->curve);
    record->curve = larger;
    record->capacity = capacity;
  }
  record->curve[record->n_curve++] = *row;
  return TUTTI_OK;
}

void tutti_trial_record_clear(tutti_trial_record *record) {
  tutti_free(record->curve);
  *record = (tutti_trial_record){0};
}
