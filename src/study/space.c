#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "study/needs.h"
#include "study/points.h"
#include "tutti/space.h"

enum { TEXT_BYTES = 64 };

struct tutti_space {
  tutti_axis_values batch;
  tutti_points points; // of the other varied keys
  int64_t n_seeds, n_trials;
  int seed_column; // where train.seed is varied, else -1
  uint64_t first_seed;
  char (*seeds)[TEXT_BYTES]; // [n_seeds]
  char budget[TEXT_BYTES], goal[TEXT_BYTES], evaluate_every[TEXT_BYTES];
  const char *budget_key;
  tutti_trial *trials;       // [n_trials]
  double *values;            // [n_trials, n_columns]
  tutti_override *overrides; // [n_trials, n_overrides]
  int n_overrides;
};

// --- what all trials have in common --------------------------------------------------------------

static tutti_status make_batch_sizes(const tutti_config *config, tutti_space *space) {
  char text[TEXT_BYTES], *only = text;
  snprintf(text, sizeof text, "%" PRId64, config->train.batch_size);
  char key[] = "train.batch_size";
  const tutti_axis single = {.key = key, .kind = TUTTI_AXIS_WHOLE, .values = &only, .n_values = 1};
  const tutti_axis *axis = &single;
  for (int64_t i = 0; i < config->study.n_axes; i++)
    if (tutti_axis_is_batch_size(&config->study.axes[i])) axis = &config->study.axes[i];
  TUTTI_CHECK(
      tutti_axis_is_discrete(axis), TUTTI_ERR_CONFIG,
      "study.vary.train.batch_size: each batch size is tried with all settings, so the range wants points: "
      "{from: %g, to: %g, points: N}",
      axis->from, axis->to);
  return tutti_axis_values_create(axis, &space->batch);
}

static const char *budget_key(tutti_unit unit) {
  if (unit == TUTTI_UNIT_EPOCHS) return "train.epochs";
  return unit == TUTTI_UNIT_STEPS ? "train.steps" : "train.samples";
}

static void print_limits(const tutti_study_options *study, tutti_space *space) {
  space->budget_key = budget_key(study->budget.unit);
  snprintf(space->budget, sizeof space->budget, "%.0f", study->budget.value);
  tutti_goal_print(&study->goal, space->goal, sizeof space->goal);
  tutti_count_print(study->evaluate_every, space->evaluate_every, sizeof space->evaluate_every);
}

static tutti_status make_seeds(const tutti_config *config, tutti_space *space) {
  space->n_seeds = config->study.seeds;
  space->first_seed = config->train.seed;
  space->seed_column = -1;
  for (int c = 0; c < space->points.n_columns; c++)
    if (strcmp(space->points.columns[c].key, "train.seed") == 0) space->seed_column = c;
  TUTTI_TRY(TUTTI_NEW(space->seeds, space->n_seeds));
  for (int64_t i = 0; i < space->n_seeds; i++)
    snprintf(space->seeds[i], TEXT_BYTES, "%" PRIu64, space->first_seed + (uint64_t)i);
  return TUTTI_OK;
}

// --- the trials ----------------------------------------------------------------------------------

static void add_override(tutti_trial *trial, const char *key, const char *value) {
  trial->overrides[trial->n_overrides++] = (tutti_override){key, value};
}

static void set_trial(tutti_space *space, int64_t i) {
  tutti_trial *trial = &space->trials[i];
  const int64_t batch = i / (space->points.n * space->n_seeds);
  const int64_t *indices;
  *trial = (tutti_trial){.trial = i,
                         .setting = i / space->n_seeds % space->points.n,
                         .seed_index = i % space->n_seeds,
                         .batch_size = (int64_t)space->batch.values[batch],
                         .values = space->values + i * space->points.n_columns,
                         .overrides = space->overrides + i * space->n_overrides};
  trial->seed = space->first_seed + (uint64_t)trial->seed_index;
  add_override(trial, "train.batch_size", space->batch.texts[batch]);
  add_override(trial, "train.seed", space->seeds[trial->seed_index]);
  add_override(trial, space->budget_key, space->budget);
  add_override(trial, "train.stop_at", space->goal);
  add_override(trial, "train.evaluate_every", space->evaluate_every);
  indices = space->points.indices + trial->setting * space->points.n_columns;
  for (int c = 0; c < space->points.n_columns; c++) {
    const tutti_axis_values *column = &space->points.columns[c];
    trial->values[c] = column->values[indices[c]];
    add_override(trial, column->key, column->texts[indices[c]]);
    if (c == space->seed_column) trial->seed = (uint64_t)trial->values[c];
  }
}

static tutti_status make_trials(tutti_space *space) {
  const int64_t n = space->batch.n * space->n_seeds;
  TUTTI_CHECK(n <= TUTTI_MAX_TRIALS && space->points.n <= TUTTI_MAX_TRIALS / n, TUTTI_ERR_CONFIG,
              "study: %" PRId64 " batch sizes with %" PRId64 " settings and %" PRId64
              " seeds are more than %d trials; vary less",
              space->batch.n, space->points.n, space->n_seeds, TUTTI_MAX_TRIALS);
  space->n_trials = n * space->points.n;
  space->n_overrides = 5 + space->points.n_columns;
  TUTTI_TRY(TUTTI_NEW(space->trials, space->n_trials));
  TUTTI_TRY(TUTTI_NEW(space->values, space->n_trials * space->points.n_columns));
  TUTTI_TRY(TUTTI_NEW(space->overrides, space->n_trials * space->n_overrides));
  for (int64_t i = 0; i < space->n_trials; i++) set_trial(space, i);
  return TUTTI_OK;
}

tutti_status tutti_space_create(const tutti_config *config, tutti_space **space) {
  tutti_status status = TUTTI_OK;
  tutti_space *new = NULL;
  *space = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(new, 1));
  TUTTI_TRY_GOTO(done, tutti_study_needs(config));
  TUTTI_TRY_GOTO(done, make_batch_sizes(config, new));
  TUTTI_TRY_GOTO(done, tutti_points_create(&config->study, config->train.seed, &new->points));
  TUTTI_TRY_GOTO(done, make_seeds(config, new));
  print_limits(&config->study, new);
  TUTTI_TRY_GOTO(done, make_trials(new));
  *space = new;
  new = NULL;
done:
  tutti_space_destroy(&new);
  return status;
}

void tutti_space_destroy(tutti_space **space) {
  tutti_space *old = *space;
  if (!old) return;
  tutti_axis_values_clear(&old->batch);
  tutti_points_clear(&old->points);
  tutti_free(old->seeds);
  tutti_free(old->trials);
  tutti_free(old->values);
  tutti_free(old->overrides);
  tutti_free(old);
  *space = NULL;
}

// --- views ---------------------------------------------------------------------------------------

int64_t tutti_space_n_trials(const tutti_space *space) {
  return space->n_trials;
}

const tutti_trial *tutti_space_trial(const tutti_space *space, int64_t i) {
  TUTTI_ASSERT(i >= 0 && i < space->n_trials);
  return &space->trials[i];
}

int tutti_space_n_varied(const tutti_space *space) {
  return space->points.n_columns;
}

const char *tutti_space_varied(const tutti_space *space, int i) {
  TUTTI_ASSERT(i >= 0 && i < space->points.n_columns);
  return space->points.columns[i].key;
}

const char *const *tutti_space_choices(const tutti_space *space, int i, int *n) {
  TUTTI_ASSERT(i >= 0 && i < space->points.n_columns);
  const tutti_axis_values *column = &space->points.columns[i];
  *n = column->is_choice ? (int)column->n : 0;
  return column->is_choice ? (const char *const *)column->texts : NULL;
}

bool tutti_space_bounds(const tutti_space *space, int i, double *low, double *high) {
  TUTTI_ASSERT(i >= 0 && i < space->points.n_columns);
  *low = space->points.columns[i].low;
  *high = space->points.columns[i].high;
  return !space->points.columns[i].is_choice;
}
