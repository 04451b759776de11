/** The settings of a branch: a grid, or points that a search draws.
 *
 * A grid combines all values of all keys.  A search draws `study.trials` points of the unit cube, one coordinate per
 * key, from Sobol's sequence or at random; each coordinate becomes a place in the range of its key, or an index into
 * its list. A point depends on the seed and its number only, so a larger study.trials keeps the settings that there
 * were. space.c calls this once per branch. */
#include <inttypes.h>
#include <string.h>

#include "base/random.h"
#include "space/space_impl.h"

bool tutti_space_is_batch_size(const tutti_axis *axis) {
  return strcmp(axis->key, "train.batch_size") == 0;
}

/** Return the number of settings of the grid, or TUTTI_SPACE_MOST_TRIALS + 1 if there are more. */
static int64_t count_grid(const tutti_space_settings *settings) {
  int64_t n = 1;
  for (int c = 0; c < settings->n_columns; c++) {
    if (n > TUTTI_SPACE_MOST_TRIALS / settings->columns[c].n) return TUTTI_SPACE_MOST_TRIALS + 1;
    n *= settings->columns[c].n;
  }
  return n;
}

// --- grid ----------------------------------------------------------------------------------------

static tutti_status make_grid(const tutti_axis *const *axes, tutti_space_settings *settings) {
  for (int c = 0; c < settings->n_columns; c++)
    TUTTI_TRY(tutti_space_values_create(axes[c], &settings->columns[c]));
  settings->n = count_grid(settings);
  TUTTI_CHECK(settings->n <= TUTTI_SPACE_MOST_TRIALS, TUTTI_ERR_CONFIG,
              "study.vary: the grid has more than %d settings; vary less, or set study.search to sobol",
              TUTTI_SPACE_MOST_TRIALS);
  TUTTI_TRY(TUTTI_NEW(settings->indices, settings->n * settings->n_columns));
  for (int64_t k = 0; k < settings->n; k++) {
    int64_t rest = k; // the last column changes first
    for (int c = settings->n_columns - 1; c >= 0; c--) {
      settings->indices[k * settings->n_columns + c] = rest % settings->columns[c].n;
      rest /= settings->columns[c].n;
    }
  }
  return TUTTI_OK;
}

// --- drawn points --------------------------------------------------------------------------------

/** Return one coordinate of point i of the search, in (0, 1).  A random shift flips digits of Sobol's sequence, because
 * its first point would be a corner otherwise and all seeds would try the same settings. */
static double coordinate(tutti_search search, uint64_t seed, int dimension, uint32_t i) {
  const bool sobol = search == TUTTI_SEARCH_SOBOL;
  const tutti_stream stream = {
      .seed = seed, .kind = TUTTI_STREAM_STUDY, .part = (uint32_t)dimension, .epoch = sobol};
  uint32_t words[4];
  tutti_random_words(stream, sobol ? 0 : i, words);
  return tutti_random_uniform(sobol ? words[0] ^ tutti_space_sobol(dimension, i) : words[0]);
}

static int64_t choose(double u, int64_t n) {
  const int64_t i = (int64_t)(u * (double)n);
  return i < n ? i : n - 1; // the product may be rounded up
}

static bool all_discrete(const tutti_axis *const *axes, int n) {
  for (int c = 0; c < n; c++)
    if (!tutti_space_is_discrete(axes[c])) return false;
  return true;
}

/** Refuse more settings than there are, because some would be tried twice. */
static tutti_status check_enough(const tutti_study_options *study, int branch,
                                 const tutti_space_settings *settings) {
  const tutti_axis *branches = tutti_config_study_branches(study);
  const int64_t n_grid = count_grid(settings);
  TUTTI_CHECK(settings->n <= n_grid, TUTTI_ERR_CONFIG,
              "study.trials is %" PRId64 ", but the varied keys%s%s have only %" PRId64
              " settings; set study.search to grid to try them all",
              settings->n, branches ? " of " : "", branches ? branches->values[branch] : "", n_grid);
  return TUTTI_OK;
}

/** Pick the first points of the sequence whose settings are distinct.  For columns that are all lists.
 * @param[out] picks  [settings->n] numbers of points */
static tutti_status pick_distinct(const tutti_study_options *study, uint64_t seed,
                                  const tutti_space_settings *settings, uint32_t *picks) {
  const int64_t n_grid = count_grid(settings);
  bool *taken = NULL;
  if (n_grid > TUTTI_SPACE_MOST_TRIALS) return TUTTI_OK; // equal settings are rare among so many
  TUTTI_TRY(TUTTI_NEW(taken, n_grid));
  uint32_t i = 0;
  for (int64_t k = 0; k < settings->n; i++) {
    int64_t place = 0;
    for (int c = 0; c < settings->n_columns; c++)
      place = place * settings->columns[c].n +
              choose(coordinate(study->search, seed, c, i), settings->columns[c].n);
    if (!taken[place]) picks[k++] = i;
    taken[place] = true;
  }
  tutti_free(taken);
  return TUTTI_OK;
}

/** Set one key of all settings: from its list by index, or from its range by place. */
static tutti_status fill_column(const tutti_axis *axis, const double *u, int c,
                                tutti_space_settings *settings) {
  const bool discrete = tutti_space_is_discrete(axis);
  if (!discrete) TUTTI_TRY(tutti_space_values_draw(axis, u, settings->n, &settings->columns[c]));
  for (int64_t k = 0; k < settings->n; k++)
    settings->indices[k * settings->n_columns + c] = discrete ? choose(u[k], settings->columns[c].n) : k;
  return TUTTI_OK;
}

/** Draw the settings of a search. */
static tutti_status draw(const tutti_study_options *study, const tutti_axis *const *axes, int branch,
                         uint64_t seed, tutti_space_settings *settings) {
  tutti_status status = TUTTI_OK;
  uint32_t *picks = NULL;
  double *u = NULL;
  settings->n = settings->n_columns > 0 ? study->trials : 1;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(settings->indices, settings->n * settings->n_columns));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(picks, settings->n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(u, settings->n));
  for (int c = 0; c < settings->n_columns; c++)
    if (tutti_space_is_discrete(axes[c]))
      TUTTI_TRY_GOTO(done, tutti_space_values_create(axes[c], &settings->columns[c]));
  for (int64_t k = 0; k < settings->n; k++) picks[k] = (uint32_t)k;
  if (all_discrete(axes, settings->n_columns)) {
    TUTTI_TRY_GOTO(done, check_enough(study, branch, settings));
    TUTTI_TRY_GOTO(done, pick_distinct(study, seed, settings, picks));
  }
  for (int c = 0; c < settings->n_columns; c++) {
    for (int64_t k = 0; k < settings->n; k++) u[k] = coordinate(study->search, seed, c, picks[k]);
    TUTTI_TRY_GOTO(done, fill_column(axes[c], u, c, settings));
  }
done:
  tutti_free(picks);
  tutti_free(u);
  return status;
}

// --- both ----------------------------------------------------------------------------------------

/** Return whether settings of the branch differ in the key.  The key of the branches itself has one value in each. */
static bool is_column(const tutti_axis *axis, int branch) {
  return !tutti_space_is_batch_size(axis) && !axis->branches && tutti_config_axis_is_of(axis, branch);
}

tutti_status tutti_space_settings_create(const tutti_study_options *study, int branch, uint64_t seed,
                                         tutti_space_settings *settings) {
  tutti_status status = TUTTI_OK;
  const tutti_axis **axes = NULL;
  *settings = (tutti_space_settings){0};
  TUTTI_TRY_GOTO(done, TUTTI_NEW(axes, study->n_axes));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(settings->columns, study->n_axes));
  for (int64_t i = 0; i < study->n_axes; i++)
    if (is_column(&study->axes[i], branch)) axes[settings->n_columns++] = &study->axes[i];
  TUTTI_CHECK_GOTO(done, study->search == TUTTI_SEARCH_GRID || settings->n_columns <= TUTTI_SOBOL_DIMENSIONS,
                   TUTTI_ERR_CONFIG, "study.vary: %d keys are more than the %d that a search draws",
                   settings->n_columns, TUTTI_SOBOL_DIMENSIONS);
  if (study->search == TUTTI_SEARCH_GRID)
    TUTTI_TRY_GOTO(done, make_grid(axes, settings));
  else
    TUTTI_TRY_GOTO(done, draw(study, axes, branch, seed, settings));
done:
  tutti_free(axes);
  if (status != TUTTI_OK) tutti_space_settings_clear(settings);
  return status;
}

void tutti_space_settings_clear(tutti_space_settings *settings) {
  for (int c = 0; c < settings->n_columns; c++) tutti_space_values_clear(&settings->columns[c]);
  tutti_free(settings->columns);
  tutti_free(settings->indices);
  *settings = (tutti_space_settings){0};
}
