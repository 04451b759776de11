/** The record of one trial: its row before it runs, and its curve in the file of a trial or of a study. */
#include <math.h>

#include "fit/trial_set.h"
#include "study/study_impl.h"

tutti_trial_result tutti_trial_waiting(const tutti_trial *trial) {
  return (tutti_trial_result){.trial = trial->trial,
                              .setting = trial->setting,
                              .seed = (int64_t)trial->seed,
                              .batch_size = trial->batch_size,
                              .goal_step = NAN,
                              .goal_samples = NAN,
                              .goal_epoch = NAN,
                              .goal_seconds = NAN,
                              .epochs = NAN,
                              .best_value = NAN,
                              .best_step = NAN,
                              .last_value = NAN,
                              .val_loss = NAN,
                              .val_metric = NAN,
                              .test_loss = NAN,
                              .test_metric = NAN,
                              .group = -1,
                              .started = NAN,
                              .ended = NAN};
}

void tutti_study_take(tutti_study *study, int64_t i, const tutti_trial_result *result) {
  tutti_trial_result *to = &study->set.results[i];
  const int64_t setting = to->setting;
  *to = *result;
  to->trial = i;
  to->setting = setting;
}

tutti_status tutti_study_curve_write(tutti_file *file, const tutti_trial_record *record) {
  char name[TUTTI_CURVE_NAME];
  tutti_fit_trial_curve_name(record->result.trial, name);
  if (record->curve.n == 0 || tutti_file_has(file, name)) return TUTTI_OK;
  return tutti_metrics_write_all(file, name, &record->curve, record->metric);
}

tutti_status tutti_study_curve_read(const tutti_file *file, tutti_trial_record *record) {
  char name[TUTTI_CURVE_NAME];
  int64_t n = 0;
  tutti_fit_trial_curve_name(record->result.trial, name);
  TUTTI_TRY(tutti_table_rows(file, name, &n));
  return n > 0 ? tutti_metrics_read(file, name, record->metric, &record->curve) : TUTTI_OK;
}

void tutti_trial_record_clear(tutti_trial_record *record) {
  tutti_metrics_records_clear(&record->curve);
  *record = (tutti_trial_record){0};
}
