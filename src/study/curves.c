/** Curves of trials that are done, in the memory of rank 0 until a merge has written them, so that it does not read the
 * file of each trial again.  The file of the trial is what counts; a curve that is not here is read from it.  run.c and
 * output.c put curves in, merge.c takes them out. */
#include "study/study_impl.h"

/** What all curves together may take. */
enum { MOST_BYTES = 32 << 20 };

/** Give the curve exactly the memory that it needs, because lists grow by doubling. */
static tutti_status copy(tutti_trial_record *record, tutti_trial_record **kept) {
  TUTTI_TRY(tutti_metrics_records_reserve(&record->curve, 0));
  TUTTI_TRY(TUTTI_NEW(*kept, 1));
  **kept = *record;
  record->curve = (tutti_metrics_records){0};
  return TUTTI_OK;
}

void tutti_study_curves_keep(tutti_study *study, tutti_trial_record *record) {
  const tutti_metrics_layout layout = tutti_metrics_layout_of(&record->curve, record->metric);
  const int64_t bytes = record->curve.n * (int64_t)tutti_metrics_record_bytes(&layout);
  if (study->curve_bytes + bytes > MOST_BYTES) study->curves_are_full = true;
  if (record->curve.n == 0 || study->curves_are_full) return;
  if (!study->curves && TUTTI_NEW(study->curves, study->set.n_trials) != TUTTI_OK) return;
  tutti_trial_record **kept = &study->curves[record->result.trial];
  if (!*kept && copy(record, kept) == TUTTI_OK) study->curve_bytes += bytes;
}

const tutti_trial_record *tutti_study_curves_find(const tutti_study *study, int64_t i) {
  return study->curves ? study->curves[i] : NULL;
}

void tutti_study_curves_forget(tutti_study *study) {
  for (int64_t i = 0; study->curves && i < study->set.n_trials; i++) {
    if (study->curves[i]) tutti_trial_record_clear(study->curves[i]);
    tutti_free(study->curves[i]);
  }
  tutti_free(study->curves);
  study->curves = NULL;
  study->curve_bytes = 0;
  study->curves_are_full = false;
}
