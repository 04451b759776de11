#include <stdio.h>

#include "study/store.h"

void tutti_curve_name(int64_t trial, char name[TUTTI_CURVE_NAME]) {
  snprintf(name, TUTTI_CURVE_NAME, "/curves/%06lld", (long long)trial);
}

tutti_status tutti_curve_write(tutti_file *file, const tutti_trial_record *record) {
  char name[TUTTI_CURVE_NAME];
  int64_t n = 0;
  tutti_curve_name(record->result.trial, name);
  if (record->curve.n > 0) TUTTI_TRY(tutti_table_rows(file, name, &n));
  if (record->curve.n == 0 || n > 0) return TUTTI_OK;
  const tutti_metrics_layout layout = tutti_metrics_layout_of(&record->curve, record->metric);
  return tutti_metrics_write(file, name, &layout, record->curve.records, record->curve.n);
}

tutti_status tutti_curve_read(const tutti_file *file, tutti_trial_record *record) {
  char name[TUTTI_CURVE_NAME];
  int64_t n = 0;
  tutti_curve_name(record->result.trial, name);
  TUTTI_TRY(tutti_table_rows(file, name, &n));
  return n > 0 ? tutti_metrics_read(file, name, record->metric, &record->curve) : TUTTI_OK;
}

void tutti_trial_record_clear(tutti_trial_record *record) {
  tutti_metrics_records_clear(&record->curve);
  *record = (tutti_trial_record){0};
}
