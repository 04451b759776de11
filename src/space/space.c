/** The trials of a study, from its config: each batch size with each setting and each seed.
 *
 * Trial i is batch size i / (n_settings n_seeds), setting i / n_seeds mod n_settings, seed i mod n_seeds.  A trial
 * differs from the study's config by a list of overrides, as if they were given on the command line;
 * tutti_space_trial_config applies them.  `tutti study` makes the space first and computes its trials then. */
#include "tutti/space.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "space/space_impl.h"

enum { TEXT_BYTES = 64 };

struct tutti_space {
  tutti_pool pool; // owns the arrays
  tutti_space_values batch;
  int n_branches;
  tutti_space_settings *settings; // [n_branches] of the other varied keys
  tutti_space_columns columns;
  int64_t n_settings, n_seeds, n_trials;
  uint64_t first_seed;
  char (*seeds)[TEXT_BYTES]; // [n_seeds]
  char budget[TEXT_BYTES], goal[TEXT_BYTES], evaluate_every[TEXT_BYTES], train_rows[TEXT_BYTES];
  const char *budget_key;
  tutti_trial *trials;       // [n_trials]
  double *values;            // [n_trials, n_columns]
  tutti_override *overrides; // [n_trials, n_overrides]
  int n_overrides;
};

// --- texts that all trials share --------------------------------------------------------------

/** List the batch sizes; train.batch_size alone if the study does not vary it. */
static tutti_status make_batch_sizes(const tutti_config *config, tutti_space *space) {
  char text[TEXT_BYTES], *only = text;
  snprintf(text, sizeof text, "%" PRId64, config->train.batch_size);
  char key[] = "train.batch_size";
  const tutti_axis single = {.key = key, .kind = TUTTI_AXIS_WHOLE, .values = &only, .n_values = 1};
  const tutti_axis *axis = &single;
  for (int64_t i = 0; i < config->study.n_axes; i++)
    if (tutti_space_is_batch_size(&config->study.axes[i])) axis = &config->study.axes[i];
  TUTTI_CHECK(
      tutti_space_is_discrete(axis), TUTTI_ERR_CONFIG,
      "study.vary.train.batch_size: each batch size is tried with all settings, so the range needs points: "
      "{from: %g, to: %g, points: N}",
      axis->from, axis->to);
  return tutti_space_values_create(axis, &space->batch);
}

static const char *budget_key(tutti_unit unit) {
  if (unit == TUTTI_UNIT_EPOCHS) return "train.epochs";
  return unit == TUTTI_UNIT_STEPS ? "train.steps" : "train.samples";
}

/** Print the texts of overrides that all trials share. */
static void print_limits(const tutti_study_options *study, tutti_space *space) {
  space->budget_key = budget_key(study->budget.unit);
  snprintf(space->budget, sizeof space->budget, "%.0f", study->budget.value);
  tutti_config_goal_print(&study->goal, space->goal, sizeof space->goal);
  tutti_count_print(study->evaluate_every, space->evaluate_every, sizeof space->evaluate_every);
  snprintf(space->train_rows, sizeof space->train_rows, "%" PRId64, study->train_rows);
}

static tutti_status make_seeds(const tutti_config *config, tutti_space *space) {
  space->n_seeds = config->study.seeds;
  space->first_seed = config->train.seed;
  TUTTI_TRY(TUTTI_POOL_NEW(&space->pool, space->seeds, space->n_seeds));
  for (int64_t i = 0; i < space->n_seeds; i++)
    snprintf(space->seeds[i], TEXT_BYTES, "%" PRIu64, space->first_seed + (uint64_t)i);
  return TUTTI_OK;
}

// --- the settings --------------------------------------------------------------------------------

/** Make the settings of one branch after the other.  A study without branches has one branch. */
static tutti_status make_settings(const tutti_config *config, tutti_space *space) {
  const tutti_axis *branches = tutti_config_study_branches(&config->study);
  const int n = branches ? branches->n_values : 1;
  TUTTI_TRY(TUTTI_POOL_NEW(&space->pool, space->settings, n));
  while (space->n_branches < n) {
    const int b = space->n_branches++;
    TUTTI_TRY(tutti_space_settings_create(&config->study, b, config->train.seed, &space->settings[b]));
    space->n_settings += space->settings[b].n;
  }
  return tutti_space_columns_create(&config->study, space->settings, n, &space->columns);
}

/** Return the branch of a setting.
 * @param[in,out] setting  number among the settings of all branches; becomes its number within the branch */
static int find_branch(const tutti_space *space, int64_t *setting) {
  int b = 0;
  while (*setting >= space->settings[b].n) *setting -= space->settings[b++].n;
  return b;
}

// --- the trials ----------------------------------------------------------------------------------

/** The order of the overrides of a trial.  Those in the middle are the same for all trials. */
enum { FIRST_SHARED = 2, FIRST_VARIED = 6 };

static void add_override(tutti_trial *trial, const char *key, const char *value) {
  trial->overrides[trial->n_overrides++] = (tutti_override){key, value};
}

/** Give the trial setting k of its branch. */
static void set_values(const tutti_space *space, int64_t k, tutti_trial *trial) {
  const tutti_space_columns *columns = &space->columns;
  const tutti_space_settings *settings = &space->settings[trial->branch];
  for (int c = 0; c < columns->n; c++) trial->values[c] = NAN;
  if (columns->branch >= 0) {
    const tutti_space_column *column = &columns->list[columns->branch];
    trial->values[columns->branch] = trial->branch;
    add_override(trial, column->key, column->texts.list[trial->branch]);
  }
  for (int p = 0; p < settings->n_columns; p++) {
    const tutti_space_values *own = &settings->columns[p];
    const int64_t index = settings->indices[k * settings->n_columns + p];
    const int c = tutti_space_columns_find(columns, own->key);
    trial->values[c] = tutti_space_column_value(&columns->list[c], own, index);
    add_override(trial, own->key, own->texts.list[index]);
    if (strcmp(own->key, "train.seed") == 0) trial->seed = (uint64_t)own->values[index];
  }
}

/** Make trial i from its number. */
static void set_trial(tutti_space *space, int64_t i) {
  tutti_trial *trial = &space->trials[i];
  const int64_t batch = i / (space->n_settings * space->n_seeds);
  int64_t setting = i / space->n_seeds % space->n_settings;
  *trial = (tutti_trial){.trial = i,
                         .setting = setting,
                         .seed_index = i % space->n_seeds,
                         .batch_size = (int64_t)space->batch.values[batch],
                         .values = space->values + i * space->columns.n,
                         .overrides = space->overrides + i * space->n_overrides};
  trial->branch = find_branch(space, &setting);
  trial->seed = space->first_seed + (uint64_t)trial->seed_index;
  add_override(trial, "train.batch_size", space->batch.texts.list[batch]);
  add_override(trial, "train.seed", space->seeds[trial->seed_index]);
  add_override(trial, space->budget_key, space->budget);
  add_override(trial, "train.stop_at", space->goal);
  add_override(trial, "train.evaluate_every", space->evaluate_every);
  add_override(trial, "train.train_rows", space->train_rows);
  set_values(space, setting, trial);
}

static tutti_status make_trials(tutti_space *space) {
  const int64_t n = space->batch.n * space->n_seeds;
  TUTTI_CHECK(n <= TUTTI_SPACE_MOST_TRIALS && space->n_settings <= TUTTI_SPACE_MOST_TRIALS / n,
              TUTTI_ERR_CONFIG,
              "study: %" PRId64 " batch sizes with %" PRId64 " settings and %" PRId64
              " seeds are more than %d trials; vary less",
              space->batch.n, space->n_settings, space->n_seeds, TUTTI_SPACE_MOST_TRIALS);
  space->n_trials = n * space->n_settings;
  space->n_overrides = FIRST_VARIED + space->columns.n;
  TUTTI_TRY(TUTTI_POOL_NEW(&space->pool, space->trials, space->n_trials));
  TUTTI_TRY(TUTTI_POOL_NEW(&space->pool, space->values, space->n_trials * space->columns.n));
  TUTTI_TRY(TUTTI_POOL_NEW(&space->pool, space->overrides, space->n_trials * space->n_overrides));
  for (int64_t i = 0; i < space->n_trials; i++) set_trial(space, i);
  return TUTTI_OK;
}

tutti_status tutti_space_create(const tutti_config *config, tutti_space **space) {
  tutti_status status = TUTTI_OK;
  tutti_space *new = NULL;
  *space = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(new, 1));
  TUTTI_TRY_GOTO(done, tutti_space_check_requirements(config));
  TUTTI_TRY_GOTO(done, make_batch_sizes(config, new));
  TUTTI_TRY_GOTO(done, make_settings(config, new));
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
  tutti_space_values_clear(&old->batch);
  for (int b = 0; b < old->n_branches; b++) tutti_space_settings_clear(&old->settings[b]);
  tutti_space_columns_clear(&old->columns);
  tutti_pool_clear(&old->pool);
  tutti_free(old);
  *space = NULL;
}

// --- the identity of a trial ------------------------------------------------------------------

static uint64_t hash_pair(const char *key, const char *value) {
  const uint64_t of_key = tutti_hash(0, key, (int64_t)strlen(key));
  return tutti_hash(of_key, value, (int64_t)strlen(value));
}

const tutti_trial *tutti_space_find(const tutti_space *space, int64_t batch_size, int64_t setting) {
  int64_t b = 0;
  while (b < space->batch.n && (int64_t)space->batch.values[b] != batch_size) b++;
  if (b == space->batch.n || setting < 0 || setting >= space->n_settings) return NULL;
  return &space->trials[(b * space->n_settings + setting) * space->n_seeds];
}

// A sum does not depend on the order of the keys in study.vary, and lets the seed be replaced.
uint64_t tutti_space_hash(const tutti_space *space, int64_t batch_size, int64_t setting, int64_t seed) {
  char text[TEXT_BYTES];
  uint64_t sum = 0;
  const tutti_trial *like = tutti_space_find(space, batch_size, setting);
  if (!like) return 0;
  for (int i = 0; i < like->n_overrides; i++)
    if ((i < FIRST_SHARED || i >= FIRST_VARIED) && strcmp(like->overrides[i].key, "train.seed") != 0)
      sum += hash_pair(like->overrides[i].key, like->overrides[i].value);
  snprintf(text, sizeof text, "%" PRId64, seed);
  return sum + hash_pair("train.seed", text);
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
  return space->columns.n;
}

static const tutti_space_column *column_at(const tutti_space *space, int i) {
  TUTTI_ASSERT(i >= 0 && i < space->columns.n);
  return &space->columns.list[i];
}

const char *tutti_space_varied(const tutti_space *space, int i) {
  return column_at(space, i)->key;
}

const char *const *tutti_space_choices(const tutti_space *space, int i, int *n) {
  const tutti_space_column *column = column_at(space, i);
  *n = column->texts.n;
  return column->is_choice ? (const char *const *)column->texts.list : NULL;
}

int tutti_space_branches(const tutti_space *space) {
  return space->columns.branch;
}
