/** The best value of a metric until a budget, at each batch size, and the setting that has it (the other figure of
 * Shallue et al., arXiv 1811.03600).
 *
 * Each trial has a score per part of the budget: the best value of its curve until then, with the sign turned so that
 * less is better.  A setting has the median of its seeds, a batch size the setting with the best median.  `tutti info
 * --budget` asks, and summary.c for study.at_budget. */
#include <math.h>

#include "base/log.h"
#include "fit/evaluations_impl.h"
#include "fit/fit_impl.h"
#include "fit/records_impl.h"

enum { N_PARTS = 4 };
static const double parts[N_PARTS] = {0.125, 0.25, 0.5, 1};

/** The outcome of a trial until a part of the budget. */
typedef struct {
  double score;          // best value, less is better; INFINITY: diverged before; NAN: none
  double steps, samples; // of it
  bool ended;            // at the goal, before the budget
} reading;

typedef struct {
  const tutti_file *file;
  const tutti_trial_set *set;
  const tutti_budget_question *question;
  tutti_evaluation_kind kind;
  bool known;        // some curve has a value
  int64_t n_done;    // trials
  double sign;       // -1: large values are good
  reading *readings; // [n_trials, N_PARTS]
  tutti_trial_order order;
  double *scratch; // [n_trials]
} work;

// --- one trial

/** Return the place of a row of a curve in the unit of the budget. */
static double place_of(const work *w, double steps, double samples, double epochs) {
  if (w->question->budget.unit == TUTTI_UNIT_STEPS) return steps;
  return w->question->budget.unit == TUTTI_UNIT_SAMPLES ? samples : epochs;
}

/** Return how far a row may lie beyond the budget: epochs and samples end within a step, which counts whole. */
static double margin_of(const work *w, const tutti_trial_result *result) {
  const double batch = (double)result->batch_size;
  if (w->question->budget.unit == TUTTI_UNIT_STEPS) return 0;
  return place_of(w, 1, batch, batch * result->epochs / result->samples) * (1 - 1e-9);
}

/** Return the best value of a curve until a part of the budget. */
static reading read_until(const work *w, const tutti_trial_result *result, const tutti_evaluation *rows,
                          int64_t n, double budget) {
  const double margin = margin_of(w, result);
  const bool before = place_of(w, result->steps, result->samples, result->epochs) < budget;
  reading best = {NAN, NAN, NAN, before && result->status == TUTTI_TRIAL_REACHED};
  for (int64_t i = 0; i < n; i++) {
    const double score = w->sign * rows[i].value;
    const double at = place_of(w, (double)rows[i].step, (double)rows[i].samples, rows[i].epochs);
    const bool within = at <= budget + margin;
    if (!within || isnan(score) || score >= best.score) continue;
    best.score = score;
    best.steps = (double)rows[i].step;
    best.samples = (double)rows[i].samples;
  }
  if (before && result->status == TUTTI_TRIAL_DIVERGED) best.score = INFINITY;
  return best;
}

/** Read the curve of trial i once, for all parts of the budget. */
static tutti_status read_trial(work *w, int64_t i) {
  const tutti_trial_result *result = &w->set->results[i];
  tutti_evaluation *rows = NULL;
  int64_t n = 0;
  reading *to = w->readings + i * N_PARTS;
  tutti_status status = TUTTI_OK;
  for (int p = 0; p < N_PARTS; p++) to[p].score = NAN;
  if (result->status == TUTTI_TRIAL_WAITING) return TUTTI_OK;
  status = tutti_fit_evaluations_read(w->file, result, w->question->metric, &w->kind, &rows, &n);
  for (int64_t k = 0; k < n && status == TUTTI_OK; k++) w->known = w->known || !isnan(rows[k].value);
  for (int p = 0; p < N_PARTS && status == TUTTI_OK; p++)
    to[p] = read_until(w, result, rows, n, parts[p] * w->question->budget.value);
  tutti_free(rows);
  return status;
}

// --- one row

static const reading *reading_of(const work *w, int64_t place, int part) {
  return &w->readings[w->order.order[place] * N_PARTS + part];
}

/** Return the median over the seeds of a setting; NAN if a seed has no value. */
static double median_of(const work *w, const tutti_setting_trials *setting, int part) {
  int64_t n = 0;
  for (int64_t i = 0; i < setting->n; i++) {
    const double score = reading_of(w, setting->first + i, part)->score;
    if (!isnan(score)) w->scratch[n++] = score;
  }
  return n == setting->n ? tutti_fit_median_of_seeds(w->scratch, n) : NAN;
}

/** Fill in the best setting of a row: its median seed, the range of its seeds and its values. */
static void fill_setting(const work *w, const tutti_setting_trials *setting, int part, double score,
                         tutti_budget_row *row, double *varied) {
  const tutti_trial_set *set = w->set;
  const int64_t first = w->order.order[setting->first];
  double least = INFINITY, most = -INFINITY;
  row->setting = set->results[first].setting;
  row->value = w->sign * score;
  for (int64_t i = setting->n - 1; i >= 0; i--) {
    const reading *one = reading_of(w, setting->first + i, part);
    row->ended += one->ended;
    if (isfinite(one->score)) least = fmin(least, w->sign * one->score);
    if (isfinite(one->score)) most = fmax(most, w->sign * one->score);
    if (one->score != score) continue;
    row->trial = set->results[w->order.order[setting->first + i]].trial;
    row->steps = one->steps;
    row->samples = one->samples;
  }
  row->value_low = least;
  row->value_high = most;
  for (int k = 0; k < set->n_varied; k++) varied[k] = set->varied[first * set->n_varied + k];
}

/** Fill the row of a batch size, whose settings are [first, end) of the order. */
static void fill_row(const work *w, int64_t first, int64_t end, int part, tutti_budget_row *row,
                     double *varied) {
  const tutti_setting_trials *settings = w->order.settings, *winner = NULL;
  double best = INFINITY;
  *row = (tutti_budget_row){.batch_size = settings[first].batch_size,
                            .budget = parts[part] * w->question->budget.value,
                            .setting = -1,
                            .trial = -1};
  row->value = row->value_low = row->value_high = row->steps = row->samples = NAN;
  for (int k = 0; k < w->set->n_varied; k++) varied[k] = NAN;
  if (w->set->branches > 0) varied[w->set->branches - 1] = settings[first].branch;
  for (int64_t k = first; k < end; k++) {
    for (int64_t i = 0; i < settings[k].n; i++) {
      const double score = reading_of(w, settings[k].first + i, part)->score;
      row->trials += !isnan(score);
      row->diverged += isinf(score) != 0;
    }
    const double score = median_of(w, &settings[k], part);
    if (!(score < best)) continue;
    best = score;
    winner = &settings[k];
  }
  if (winner) fill_setting(w, winner, part, best, row, varied);
}

// --- all

/** Return whether any trial has a value until this part of the budget. */
static bool is_measured(const work *w, int part) {
  for (int64_t i = 0; i < w->set->n_trials; i++)
    if (isfinite(w->readings[i * N_PARTS + part].score)) return true;
  return false;
}

/** Make a row for each batch size and each part of the budget that some trial has a value for. */
static tutti_status make_rows(const work *w, tutti_budget_table *table) {
  const int n_varied = table->n_varied = w->set->n_varied;
  TUTTI_TRY(TUTTI_NEW(table->rows, (int64_t)w->order.n_sizes * N_PARTS));
  TUTTI_TRY(TUTTI_NEW(table->varied, (int64_t)w->order.n_sizes * N_PARTS * n_varied));
  for (int i = 0; i < w->order.n_sizes; i++)
    for (int part = 0; part < N_PARTS; part++) {
      if (!is_measured(w, part)) continue;
      fill_row(w, w->order.sizes[i], w->order.sizes[i + 1], part, &table->rows[table->n_rows],
               table->varied + (int64_t)table->n_rows * n_varied);
      table->n_rows++;
    }
  return TUTTI_OK;
}

static tutti_status read_all(work *w) {
  for (int64_t i = 0; i < w->set->n_trials; i++) {
    TUTTI_TRY(read_trial(w, i));
    w->n_done += w->set->results[i].status != TUTTI_TRIAL_WAITING;
  }
  return TUTTI_OK;
}

static work work_of(const tutti_file *file, const tutti_trial_set *set,
                    const tutti_budget_question *question) {
  return (work){.file = file,
                .set = set,
                .question = question,
                .sign = tutti_config_metric_wants_small(question->metric) ? 1 : -1};
}

/** Make the table.  It has no row if no curve has a value. */
static tutti_status make_table(work *w, tutti_budget_table *table) {
  tutti_status status = TUTTI_OK;
  *table = (tutti_budget_table){0};
  TUTTI_TRY_GOTO(done, tutti_fit_evaluations_find_kind(w->file, w->question->metric, &w->kind));
  TUTTI_TRY_GOTO(done, tutti_fit_trial_order_make(w->set, &w->order));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(w->readings, w->set->n_trials * N_PARTS));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(w->scratch, w->set->n_trials));
  TUTTI_TRY_GOTO(done, read_all(w));
  TUTTI_TRY_GOTO(done, make_rows(w, table));
done:
  if (status != TUTTI_OK) tutti_fit_budget_table_clear(table);
  tutti_fit_trial_order_clear(&w->order);
  tutti_free(w->readings);
  tutti_free(w->scratch);
  return status;
}

static const char *end_of_epochs(const work *w) {
  return w->kind.of_epochs ? " at the end of an epoch" : "";
}

tutti_status tutti_fit_budget_table_create(const tutti_file *file, const tutti_trial_set *set,
                                           const tutti_budget_question *question, tutti_budget_table *table) {
  work w = work_of(file, set, question);
  TUTTI_TRY(make_table(&w, table));
  if (w.known || w.n_done == 0) return TUTTI_OK;
  tutti_fit_budget_table_clear(table);
  TUTTI_FAIL(TUTTI_ERR_USAGE,
             "%s: no curve of this study has a value of %s%s; expected a metric that they have",
             tutti_file_path(file), question->metric, end_of_epochs(&w));
}

void tutti_fit_budget_table_clear(tutti_budget_table *table) {
  tutti_free(table->rows);
  tutti_free(table->varied);
  *table = (tutti_budget_table){0};
}

// --- in the file

#define COLUMN(member) TUTTI_RECORD_COLUMN(tutti_budget_row, member)
static const tutti_column columns[] = {
    COLUMN(batch_size), COLUMN(budget),     COLUMN(setting), COLUMN(trial),   COLUMN(value),
    COLUMN(value_low),  COLUMN(value_high), COLUMN(steps),   COLUMN(samples), COLUMN(trials),
    COLUMN(diverged),   COLUMN(ended),      {NULL}};
static const tutti_record_table records = {TUTTI_AT_BUDGET, columns, false, NULL};

/** Warn, once all trials are done, that no curve has a value. */
static void warn_of_nothing(const work *w) {
  if (w->known || w->n_done < w->set->n_trials) return;
  tutti_log(TUTTI_LOG_WARNING,
            "%s: study.at_budget: no curve of this study has a value of %s%s, so that %s stays empty; choose "
            "a metric that they have with tutti info --metric",
            tutti_file_path(w->file), w->question->metric, end_of_epochs(w), TUTTI_AT_BUDGET);
}

tutti_status tutti_fit_budget_table_write(tutti_file *file, const tutti_trial_set *set) {
  work w = work_of(file, set, &set->asks);
  tutti_budget_table table;
  char budget[64];
  tutti_status status = TUTTI_OK;
  if (!set->asks.metric[0]) return TUTTI_OK;
  tutti_count_print(set->asks.budget, budget, sizeof budget);
  TUTTI_TRY(make_table(&w, &table));
  warn_of_nothing(&w);
  const tutti_records rows = {table.n_rows, table.rows, table.varied, NULL};
  TUTTI_TRY_GOTO(done, tutti_fit_records_write(file, &records, set, &rows));
  TUTTI_TRY_GOTO(done, tutti_file_set_text(file, records.name, "metric", set->asks.metric));
  TUTTI_TRY_GOTO(done, tutti_file_set_text(file, records.name, "budget", budget));
done:
  tutti_fit_budget_table_clear(&table);
  return status;
}

tutti_status tutti_fit_budget_table_read(const tutti_file *file, const tutti_trial_set *set,
                                         tutti_budget_table *table) {
  tutti_records rows;
  *table = (tutti_budget_table){.n_varied = set->n_varied};
  TUTTI_TRY(tutti_fit_records_read(file, &records, set, false, &rows));
  table->rows = rows.heads;
  table->varied = rows.varied;
  const tutti_status status = tutti_to_int(rows.n, "the number of rows", &table->n_rows);
  if (status != TUTTI_OK) tutti_fit_budget_table_clear(table);
  return status;
}
