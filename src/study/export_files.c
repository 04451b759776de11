#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/export_impl.h"
#include "study/json.h"

/** A key as the published data name it: learning_rate, momentum; keys of other sections keep theirs. */
static const char *parameter_name(const char *key) {
  static const char section[] = "optimizer.";
  return strncmp(key, section, sizeof section - 1) == 0 ? key + sizeof section - 1 : key;
}

// --- study.json

/** The values [first, end) of the list. */
static void put_points(const tutti_axis *axis, int first, int end, FILE *out) {
  fprintf(out, "{\"feasible_points\": [");
  for (int i = first; i < end; i++) {
    double number;
    fputs(i > first ? ", " : "", out);
    if (axis->kind != TUTTI_AXIS_CHOICE && tutti_text_real(axis->values[i], &number))
      tutti_json_number(out, number);
    else
      tutti_json_text(out, axis->values[i]);
  }
  fprintf(out, "], \"type\": \"DISCRETE\"}");
}

static void put_range(const tutti_axis *axis, FILE *out) {
  static const char *const scales[TUTTI_N_AXIS_SCALES] = {[TUTTI_AXIS_LOG] = "LOG_SCALE",
                                                          [TUTTI_AXIS_LINEAR] = "LINEAR_SCALE",
                                                          [TUTTI_AXIS_REVERSE_LOG] = "REVERSE_LOG_SCALE"};
  fprintf(out, "{\"max_value\": ");
  tutti_json_number(out, axis->to);
  fprintf(out, ", \"min_value\": ");
  tutti_json_number(out, axis->from);
  fprintf(out, ", \"scale\": \"%s\", \"type\": \"%s\"}", scales[axis->scale],
          axis->kind == TUTTI_AXIS_WHOLE ? "INTEGER" : "DOUBLE");
}

static void put_parameter_configs(const tutti_study_options *study, int branch, FILE *out) {
  const char *before = "";
  for (int64_t i = 0; i < study->n_axes; i++) {
    const tutti_axis *axis = &study->axes[i];
    if (strcmp(axis->key, "train.batch_size") == 0) continue; // each has a file of its own
    if (!tutti_axis_is_of(axis, branch)) continue;
    fprintf(out, "%s\n    ", before);
    tutti_json_text(out, parameter_name(axis->key));
    fprintf(out, ": ");
    if (axis->branches)
      put_points(axis, branch, branch + 1, out);
    else if (axis->n_values > 0)
      put_points(axis, 0, axis->n_values, out);
    else
      put_range(axis, out);
    before = ",";
  }
}

/** The budget in steps, by what trials of this batch size took for theirs; 0, "a budget of another kind", where none
 * of them has run. */
static int64_t budget_steps(const tutti_export *e, int64_t first, int64_t end) {
  const tutti_count budget = e->config.study.budget;
  if (budget.unit == TUTTI_UNIT_STEPS) return (int64_t)budget.value;
  const tutti_setting_trials *settings = e->order.settings, *last = &settings[end - 1];
  for (int64_t i = settings[first].first; i < last->first + last->n; i++) {
    const tutti_trial_result *result = &e->set.results[e->order.order[i]];
    const double done = budget.unit == TUTTI_UNIT_EPOCHS ? result->epochs : result->samples;
    if (result->steps > 0 && done > 0) return (int64_t)llround(budget.value * result->steps / done);
  }
  return 0;
}

void tutti_export_study(const tutti_export *e, int64_t first, int64_t end, FILE *out) {
  fprintf(out, "{\n  \"batch_size\": %lld,\n  \"dataset\": ", (long long)e->order.settings[first].batch_size);
  tutti_json_text(out, e->dataset);
  fprintf(out, ",\n  \"early_stopping\": false,\n  \"model\": ");
  tutti_json_text(out, e->model);
  fprintf(out, ",\n  \"optimizer\": ");
  tutti_json_text(out, e->optimizer);
  fprintf(out, ",\n  \"parameter_configs\": {");
  put_parameter_configs(&e->config.study, e->branch, out);
  fprintf(out, "\n  },\n  \"train_steps\": %lld\n}\n", (long long)budget_steps(e, first, end));
}

// --- metadata.json

void tutti_export_metadata(const tutti_export *e, int64_t trial, FILE *out) {
  static const char *const states[TUTTI_N_TRIAL_STATES] = {[TUTTI_TRIAL_WAITING] = "INCOMPLETE",
                                                           [TUTTI_TRIAL_REACHED] = "COMPLETE",
                                                           [TUTTI_TRIAL_NOT_REACHED] = "COMPLETE",
                                                           [TUTTI_TRIAL_DIVERGED] = "INFEASIBLE"};
  const tutti_trial_set *set = &e->set;
  const tutti_trial_result *result = &set->results[trial];
  fprintf(out, "{\n  \"parameters\": {");
  const char *before = "";
  for (int k = 0; k < set->n_varied; k++) {
    const double value = set->varied[trial * set->n_varied + k];
    if (isnan(value)) continue; // a key of another branch
    fprintf(out, "%s\n    ", before);
    before = ",";
    tutti_json_text(out, parameter_name(set->names[k]));
    fprintf(out, ": ");
    if (set->texts[k] && value >= 0 && value < set->n_texts[k])
      tutti_json_text(out, set->texts[k][(int)value]);
    else
      tutti_json_number(out, value);
  }
  fprintf(out,
          "\n  },\n  \"seed\": %lld,\n  \"status\": \"%s\",\n  \"steps\": %.0f,\n  \"trial_id\": %lld\n}\n",
          (long long)result->seed, states[result->status], isfinite(result->steps) ? result->steps : 0,
          (long long)result->trial);
}

// --- measurements.csv

typedef struct {
  int64_t step;
  double loss, metric, val_loss, val_metric;
} measurement;

/** The metric of a problem that has none but its loss is the loss. */
static bool has_metric(const tutti_export *e) {
  return e->metric[0] && strcmp(e->metric, "loss") != 0;
}

static bool is_accuracy(const tutti_export *e) {
  return strcmp(e->metric, "accuracy") == 0 || strcmp(e->metric, "binary_accuracy") == 0;
}

static void put_header(const tutti_export *e, FILE *out) {
  static const char *const splits[] = {"train", "val", "test"};
  const tutti_loss loss = e->config.model.loss;
  // Left to the last layer, the loss of a classifier is a cross entropy.
  const bool entropy =
      is_accuracy(e) && (loss == TUTTI_LOSS_AUTO || strstr(tutti_loss_names[loss], "crossentropy"));
  fprintf(out, "step");
  for (int i = 0; i < 3; i++) {
    fprintf(out, ",%s/%s", splits[i], entropy ? "cross_entropy_error" : "loss");
    if (has_metric(e)) fprintf(out, ",%s/%s", splits[i], is_accuracy(e) ? "classification_error" : e->metric);
  }
  fputc('\n', out);
}

/** Loss and metric of one split; of an accuracy, the error is what it lacks. */
static void put_split(const tutti_export *e, double loss, double metric, FILE *out) {
  fputc(',', out);
  tutti_csv_number(out, loss);
  if (!has_metric(e)) return;
  fputc(',', out);
  tutti_csv_number(out, is_accuracy(e) ? 1 - metric : metric);
}

static void put_measurement(const tutti_export *e, const measurement *m, double test_loss, double test_metric,
                            FILE *out) {
  fprintf(out, "%lld", (long long)m->step);
  put_split(e, m->loss, m->metric, out);
  put_split(e, m->val_loss, m->val_metric, out);
  put_split(e, test_loss, test_metric, out);
  fputc('\n', out);
}

/** The trial's curve; one that has none gives what was measured at its end. */
static tutti_status read_curve(const tutti_export *e, const tutti_trial_result *result, measurement **rows,
                               int64_t *n) {
  char table[32], val_metric[160];
  snprintf(table, sizeof table, "/curves/%06lld", (long long)result->trial);
  snprintf(val_metric, sizeof val_metric, "val_%s", e->metric);
  const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(measurement, step)},
                                  {"loss", TUTTI_F64, offsetof(measurement, loss)},
                                  {"val_loss", TUTTI_F64, offsetof(measurement, val_loss)},
                                  {e->metric, TUTTI_F64, offsetof(measurement, metric)},
                                  {val_metric, TUTTI_F64, offsetof(measurement, val_metric)}};
  const int n_columns = has_metric(e) ? 5 : 3;
  *n = 0;
  if (tutti_file_has(e->file, table)) TUTTI_TRY(tutti_table_rows(e->file, table, n));
  const int64_t n_there = *n;
  if (n_there == 0 && result->status != TUTTI_TRIAL_WAITING) *n = 1;
  TUTTI_TRY(TUTTI_NEW(*rows, *n));
  const double loss = has_metric(e) ? NAN : result->last_value;
  for (int64_t i = 0; i < *n; i++)
    (*rows)[i] = (measurement){(int64_t)result->steps, loss, NAN, result->val_loss, result->val_metric};
  if (n_there > 0)
    TUTTI_TRY(tutti_table_read(e->file, table, columns, n_columns, sizeof **rows, 0, n_there, *rows));
  return TUTTI_OK;
}

tutti_status tutti_export_measurements(const tutti_export *e, int64_t trial, FILE *out) {
  const tutti_trial_result *result = &e->set.results[trial];
  measurement *rows = NULL;
  int64_t n = 0;
  const tutti_status status = read_curve(e, result, &rows, &n);
  put_header(e, out);
  for (int64_t i = 0; status == TUTTI_OK && i < n; i++) {
    const bool last = i == n - 1;
    put_measurement(e, &rows[i], last ? result->test_loss : NAN, last ? result->test_metric : NAN, out);
  }
  tutti_free(rows);
  TUTTI_TRY(status);
  return TUTTI_OK;
}
