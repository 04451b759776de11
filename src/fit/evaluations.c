/** The curve of a trial as evaluations of one metric, each with the epochs until then.
 *
 * A mean over the samples of an epoch counts at the end of the epoch only.  Where epochs end follows from the rows, or
 * from the samples of an epoch.  regoal.c and at_budget.c read curves with this. */
#include "fit/evaluations_impl.h"

#include <math.h>
#include <string.h>

#include "fit/trial_set.h"

/** Read a curve; it has no row if the file has none. */
static tutti_status read_curve(const tutti_file *file, const char *name, const char *metric,
                               tutti_evaluation **rows, int64_t *n) {
  const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(tutti_evaluation, step)},
                                  {"epoch", TUTTI_I64, offsetof(tutti_evaluation, epoch)},
                                  {"samples", TUTTI_I64, offsetof(tutti_evaluation, samples)},
                                  {"seconds", TUTTI_F64, offsetof(tutti_evaluation, seconds)},
                                  {metric, TUTTI_F64, offsetof(tutti_evaluation, value)}};
  TUTTI_TRY(tutti_table_rows(file, name, n));
  if (*n == 0) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*rows, *n));
  for (int64_t i = 0; i < *n; i++) (*rows)[i].value = NAN; // for a curve without this column
  return tutti_table_read(file, name, columns, 5, sizeof **rows, 0, *n, *rows);
}

/** Return whether an epoch ends with row i.  If rows need not be at such ends, the row must have the samples of whole
 * epochs.  Epochs have equal samples, unless the batch grows and the rest of an epoch is dropped. */
static bool ends_epoch(const tutti_trial_result *result, const tutti_evaluation_kind *kind,
                       const tutti_evaluation *rows, int64_t n, int64_t i) {
  const bool is_last =
      i + 1 < n ? rows[i + 1].epoch > rows[i].epoch : result->epochs >= (double)rows[i].epoch;
  const double n_train = result->samples / result->epochs;
  if (!is_last || kind->at_ends || !(n_train >= 1)) return is_last;
  return rows[i].samples >= rows[i].epoch * llround(n_train);
}

/** A point of a training. */
typedef struct {
  double samples, epochs;
} extent;

/** Return the next end of an epoch that the curve shows from row i on, or the end of the training. */
static extent next_end(const tutti_trial_result *result, const tutti_evaluation_kind *kind,
                       const tutti_evaluation *rows, int64_t n, int64_t i) {
  for (; kind->at_ends && kind->drops && i < n; i++)
    if (ends_epoch(result, kind, rows, n, i)) return (extent){(double)rows[i].samples, (double)rows[i].epoch};
  return (extent){result->samples, result->epochs};
}

/** Set the epochs of each row, in proportion to the samples between two ends of epochs. */
static void count_epochs(const tutti_trial_result *result, const tutti_evaluation_kind *kind,
                         tutti_evaluation *rows, int64_t n) {
  extent from = {0, 0}, to = next_end(result, kind, rows, n, 0);
  for (int64_t i = 0; i < n; i++) {
    const double samples = (double)rows[i].samples;
    if (samples > to.samples) {
      from = to;
      to = next_end(result, kind, rows, n, i);
    }
    rows[i].epochs =
        from.epochs + (to.epochs - from.epochs) * (samples - from.samples) / (to.samples - from.samples);
  }
}

tutti_status tutti_fit_evaluations_read(const tutti_file *file, const tutti_trial_result *result,
                                        const char *metric, const tutti_evaluation_kind *kind,
                                        tutti_evaluation **rows, int64_t *n) {
  char name[TUTTI_CURVE_NAME];
  tutti_fit_trial_curve_name(result->trial, name);
  TUTTI_TRY(read_curve(file, name, metric, rows, n));
  count_epochs(result, kind, *rows, *n);
  for (int64_t i = 0; i < *n && kind->of_epochs; i++)
    if (!ends_epoch(result, kind, *rows, *n, i)) (*rows)[i].value = NAN;
  return TUTTI_OK;
}

// --- the kind of a metric

/** Return whether evaluations of this frequency come at ends of epochs. */
static bool is_at_ends(tutti_count every) {
  const double epochs = every.value, parts = 1 / every.value;
  if (every.unit != TUTTI_UNIT_EPOCHS || every.value <= 0) return false;
  return epochs == floor(epochs) || fabs(parts - round(parts)) < 1e-9;
}

static bool varies(const tutti_study_options *study, const char *key) {
  for (int64_t i = 0; i < study->n_axes; i++)
    if (strcmp(study->axes[i].key, key) == 0) return true;
  return false;
}

/** Find out from the study's config where evaluations lie, and whether epochs have equal samples. */
static tutti_status find_ends(const tutti_file *file, tutti_evaluation_kind *kind) {
  tutti_config config;
  if (!tutti_file_has_attribute(file, "/", "config")) return TUTTI_OK;
  TUTTI_TRY(tutti_fit_config_read(file, &config));
  kind->at_ends = is_at_ends(config.study.evaluate_every);
  kind->drops = config.train.last_batch == TUTTI_LAST_DROP && !varies(&config.study, "train.last_batch");
  tutti_config_clear(&config);
  return TUTTI_OK;
}

tutti_status tutti_fit_evaluations_find_kind(const tutti_file *file, const char *metric,
                                             tutti_evaluation_kind *kind) {
  char *own = NULL;
  *kind = (tutti_evaluation_kind){.of_epochs = strcmp(metric, "loss") == 0};
  TUTTI_TRY(find_ends(file, kind));
  if (kind->of_epochs || !tutti_file_has_attribute(file, "/", "metric")) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_text(file, "/", "metric", &own));
  kind->of_epochs = strcmp(metric, own) == 0;
  tutti_free(own);
  return TUTTI_OK;
}
