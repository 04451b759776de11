#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "study/column.h"
#include "tutti/study.h"

enum { MAX_TRIALS = 999999, MAX_COLUMNS = 16, TEXT_BYTES = 64 }; // a curve is named by six digits

struct tutti_space {
  tutti_column batch;
  tutti_column columns[MAX_COLUMNS]; // [n_columns] the other varied keys
  int n_columns;
  int64_t n_settings, n_seeds, n_trials;
  int64_t *indices; // [n_settings, n_columns] of the columns' values
  int seed_column;  // where train.seed is varied, else -1
  uint64_t first_seed;
  char (*seeds)[TEXT_BYTES]; // [n_seeds]
  char budget[TEXT_BYTES], goal[TEXT_BYTES], evaluate_every[TEXT_BYTES];
  const char *budget_key;
  tutti_trial *trials;       // [n_trials]
  double *values;            // [n_trials, n_columns]
  tutti_override *overrides; // [n_trials, n_overrides]
  int n_overrides;
};

// --- the settings --------------------------------------------------------------------------------

static bool is_batch_size(const tutti_axis *axis) {
  return strcmp(axis->key, "train.batch_size") == 0;
}

/** All values of an axis with all of the others; the last axis changes first. */
static tutti_status make_grid(const tutti_study_options *study, tutti_space *space) {
  space->n_settings = 1;
  for (int64_t i = 0; i < study->n_axes; i++) {
    const tutti_axis *axis = &study->axes[i];
    if (is_batch_size(axis)) continue;
    TUTTI_CHECK(
        tutti_axis_is_discrete(axis), TUTTI_ERR_CONFIG,
        "study.vary.%s: a grid wants points of the range: {from: %g, to: %g, points: N}; or set study.search "
        "to sobol or random",
        axis->key, axis->from, axis->to);
    tutti_column *column = &space->columns[space->n_columns++];
    TUTTI_TRY(tutti_column_create(axis, column));
    TUTTI_CHECK(space->n_settings <= MAX_TRIALS / column->n, TUTTI_ERR_CONFIG,
                "study.vary: the grid has more than %d settings; vary less, or set study.search to sobol",
                MAX_TRIALS);
    space->n_settings *= column->n;
  }
  TUTTI_TRY(TUTTI_NEW(space->indices, space->n_settings * space->n_columns));
  for (int64_t k = 0; k < space->n_settings; k++) {
    int64_t rest = k;
    for (int c = space->n_columns - 1; c >= 0; c--) {
      space->indices[k * space->n_columns + c] = rest % space->columns[c].n;
      rest /= space->columns[c].n;
    }
  }
  return TUTTI_OK;
}

static tutti_status make_batch_sizes(const tutti_config *config, tutti_space *space) {
  char text[TEXT_BYTES], *only = text;
  snprintf(text, sizeof text, "%" PRId64, config->train.batch_size);
  char key[] = "train.batch_size";
  const tutti_axis single = {.key = key, .kind = TUTTI_AXIS_WHOLE, .values = &only, .n_values = 1};
  const tutti_axis *axis = &single;
  for (int64_t i = 0; i < config->study.n_axes; i++)
    if (is_batch_size(&config->study.axes[i])) axis = &config->study.axes[i];
  TUTTI_CHECK(
      tutti_axis_is_discrete(axis), TUTTI_ERR_CONFIG,
      "study.vary.train.batch_size: each batch size is tried with all settings, so the range wants points: "
      "{from: %g, to: %g, points: N}",
      axis->from, axis->to);
  return tutti_column_create(axis, &space->batch);
}

// --- what all trials have in common --------------------------------------------------------------

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
  for (int c = 0; c < space->n_columns; c++)
    if (strcmp(space->columns[c].key, "train.seed") == 0) space->seed_column = c;
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
  const int64_t batch = i / (space->n_settings * space->n_seeds);
  const int64_t *indices;
  *trial = (tutti_trial){.trial = i,
                         .setting = i / space->n_seeds % space->n_settings,
                         .seed_index = i % space->n_seeds,
                         .batch_size = (int64_t)space->batch.values[batch],
                         .values = space->values + i * space->n_columns,
                         .overrides = space->overrides + i * space->n_overrides};
  trial->seed = space->first_seed + (uint64_t)trial->seed_index;
  add_override(trial, "train.batch_size", space->batch.texts[batch]);
  add_override(trial, "train.seed", space->seeds[trial->seed_index]);
  add_override(trial, space->budget_key, space->budget);
  add_override(trial, "train.stop_at", space->goal);
  add_override(trial, "train.evaluate_every", space->evaluate_every);
  indices = space->indices + trial->setting * space->n_columns;
  for (int c = 0; c < space->n_columns; c++) {
    const tutti_column *column = &space->columns[c];
    trial->values[c] = column->values[indices[c]];
    add_override(trial, column->key, column->texts[indices[c]]);
    if (c == space->seed_column) trial->seed = (uint64_t)trial->values[c];
  }
}

static tutti_status make_trials(tutti_space *space) {
  const int64_t n = space->batch.n * space->n_seeds;
  TUTTI_CHECK(n <= MAX_TRIALS && space->n_settings <= MAX_TRIALS / n, TUTTI_ERR_CONFIG,
              "study: %" PRId64 " batch sizes with %" PRId64 " settings and %" PRId64
              " seeds are more than %d trials; vary less",
              space->batch.n, space->n_settings, space->n_seeds, MAX_TRIALS);
  space->n_trials = n * space->n_settings;
  space->n_overrides = 5 + space->n_columns;
  TUTTI_TRY(TUTTI_NEW(space->trials, space->n_trials));
  TUTTI_TRY(TUTTI_NEW(space->values, space->n_trials * space->n_columns));
  TUTTI_TRY(TUTTI_NEW(space->overrides, space->n_trials * space->n_overrides));
  for (int64_t i = 0; i < space->n_trials; i++) set_trial(space, i);
  return TUTTI_OK;
}

tutti_status tutti_space_create(const tutti_config *config, tutti_space **space) {
  tutti_status status = TUTTI_OK;
  tutti_space *new = NULL;
  *space = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(new, 1));
  TUTTI_TRY_GOTO(done, make_batch_sizes(config, new));
  TUTTI_TRY_GOTO(done, make_grid(&config->study, new));
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
  tutti_column_clear(&old->batch);
  for (int c = 0; c < old->n_columns; c++) tutti_column_clear(&old->columns[c]);
  tutti_free(old->indices);
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
  return space->n_columns;
}

const char *tutti_space_varied(const tutti_space *space, int i) {
  TUTTI_ASSERT(i >= 0 && i < space->n_columns);
  return space->columns[i].key;
}

const char *const *tutti_space_choices(const tutti_space *space, int i, int *n) {
  TUTTI_ASSERT(i >= 0 && i < space->n_columns);
  const tutti_column *column = &space->columns[i];
  *n = column->is_choice ? (int)column->n : 0;
  return column->is_choice ? (const char *const *)column->texts : NULL;
}

bool tutti_space_bounds(const tutti_space *space, int i, double *low, double *high) {
  TUTTI_ASSERT(i >= 0 && i < space->n_columns);
  *low = space->columns[i].low;
  *high = space->columns[i].high;
  return !space->columns[i].is_choice;
}
