#include "study/points.h"

#include <inttypes.h>
#include <string.h>

#include "base/random.h"
#include "study/sobol.h"

bool tutti_axis_is_batch_size(const tutti_axis *axis) {
  return strcmp(axis->key, "train.batch_size") == 0;
}

/** How many settings the columns have, all with all; at most TUTTI_MAX_TRIALS + 1. */
static int64_t count_grid(const tutti_points *points) {
  int64_t n = 1;
  for (int c = 0; c < points->n_columns; c++) {
    if (n > TUTTI_MAX_TRIALS / points->columns[c].n) return TUTTI_MAX_TRIALS + 1;
    n *= points->columns[c].n;
  }
  return n;
}

// --- grid ----------------------------------------------------------------------------------------

static tutti_status make_grid(const tutti_axis *const *axes, tutti_points *points) {
  for (int c = 0; c < points->n_columns; c++)
    TUTTI_TRY(tutti_axis_values_create(axes[c], &points->columns[c]));
  points->n = count_grid(points);
  TUTTI_CHECK(points->n <= TUTTI_MAX_TRIALS, TUTTI_ERR_CONFIG,
              "study.vary: the grid has more than %d settings; vary less, or set study.search to sobol",
              TUTTI_MAX_TRIALS);
  TUTTI_TRY(TUTTI_NEW(points->indices, points->n * points->n_columns));
  for (int64_t k = 0; k < points->n; k++) {
    int64_t rest = k; // the last column changes first
    for (int c = points->n_columns - 1; c >= 0; c--) {
      points->indices[k * points->n_columns + c] = rest % points->columns[c].n;
      rest /= points->columns[c].n;
    }
  }
  return TUTTI_OK;
}

// --- drawn points --------------------------------------------------------------------------------

/** Coordinate `dimension` of point i of the search, in (0, 1).  The Sobol sequence is shifted digit by digit: its first
 * point is a corner else, and studies of two seeds try other settings. */
static double coordinate(tutti_search search, uint64_t seed, int dimension, uint32_t i) {
  const bool sobol = search == TUTTI_SEARCH_SOBOL;
  const tutti_stream stream = {
      .seed = seed, .kind = TUTTI_STREAM_STUDY, .part = (uint32_t)dimension, .epoch = sobol};
  uint32_t words[4];
  tutti_random_words(stream, sobol ? 0 : i, words);
  return tutti_random_uniform(sobol ? words[0] ^ tutti_sobol(dimension, i) : words[0]);
}

static int64_t choose(double u, int64_t n) {
  const int64_t i = (int64_t)(u * (double)n);
  return i < n ? i : n - 1; // the product may be rounded up
}

static bool all_discrete(const tutti_axis *const *axes, int n) {
  for (int c = 0; c < n; c++)
    if (!tutti_axis_is_discrete(axes[c])) return false;
  return true;
}

/** More settings than there are would be the same ones again. */
static tutti_status check_enough(const tutti_study_options *study, int branch, const tutti_points *points) {
  const tutti_axis *branches = tutti_study_branches(study);
  const int64_t n_grid = count_grid(points);
  TUTTI_CHECK(points->n <= n_grid, TUTTI_ERR_CONFIG,
              "study.trials is %" PRId64 ", but the varied keys%s%s have only %" PRId64
              " settings; set study.search to grid to try them all",
              points->n, branches ? " of " : "", branches ? branches->values[branch] : "", n_grid);
  return TUTTI_OK;
}

/** Which points of the sequence become settings: the first ones that have values of their own, where all the columns
 * are lists.  picks[n] */
static tutti_status pick_distinct(const tutti_study_options *study, uint64_t seed, const tutti_points *points,
                                  uint32_t *picks) {
  const int64_t n_grid = count_grid(points);
  bool *taken = NULL;
  if (n_grid > TUTTI_MAX_TRIALS) return TUTTI_OK; // so many that two alike are rare
  TUTTI_TRY(TUTTI_NEW(taken, n_grid));
  uint32_t i = 0;
  for (int64_t k = 0; k < points->n; i++) {
    int64_t place = 0;
    for (int c = 0; c < points->n_columns; c++)
      place =
          place * points->columns[c].n + choose(coordinate(study->search, seed, c, i), points->columns[c].n);
    if (!taken[place]) picks[k++] = i;
    taken[place] = true;
  }
  tutti_free(taken);
  return TUTTI_OK;
}

static tutti_status fill_column(const tutti_axis *axis, const double *u, int c, tutti_points *points) {
  const bool discrete = tutti_axis_is_discrete(axis);
  if (!discrete) TUTTI_TRY(tutti_axis_values_draw(axis, u, points->n, &points->columns[c]));
  for (int64_t k = 0; k < points->n; k++)
    points->indices[k * points->n_columns + c] = discrete ? choose(u[k], points->columns[c].n) : k;
  return TUTTI_OK;
}

static tutti_status draw(const tutti_study_options *study, const tutti_axis *const *axes, int branch,
                         uint64_t seed, tutti_points *points) {
  tutti_status status = TUTTI_OK;
  uint32_t *picks = NULL;
  double *u = NULL;
  points->n = points->n_columns > 0 ? study->trials : 1;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(points->indices, points->n * points->n_columns));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(picks, points->n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(u, points->n));
  for (int c = 0; c < points->n_columns; c++)
    if (tutti_axis_is_discrete(axes[c]))
      TUTTI_TRY_GOTO(done, tutti_axis_values_create(axes[c], &points->columns[c]));
  for (int64_t k = 0; k < points->n; k++) picks[k] = (uint32_t)k;
  if (all_discrete(axes, points->n_columns)) {
    TUTTI_TRY_GOTO(done, check_enough(study, branch, points));
    TUTTI_TRY_GOTO(done, pick_distinct(study, seed, points, picks));
  }
  for (int c = 0; c < points->n_columns; c++) {
    for (int64_t k = 0; k < points->n; k++) u[k] = coordinate(study->search, seed, c, picks[k]);
    TUTTI_TRY_GOTO(done, fill_column(axes[c], u, c, points));
  }
done:
  tutti_free(picks);
  tutti_free(u);
  return status;
}

// --- both ----------------------------------------------------------------------------------------

/** The batch size is none of the settings, and the key of the branches is the same for all of these. */
static bool is_column(const tutti_axis *axis, int branch) {
  return !tutti_axis_is_batch_size(axis) && !axis->branches && tutti_axis_is_of(axis, branch);
}

tutti_status tutti_points_create(const tutti_study_options *study, int branch, uint64_t seed,
                                 tutti_points *points) {
  tutti_status status = TUTTI_OK;
  const tutti_axis **axes = NULL;
  *points = (tutti_points){0};
  TUTTI_TRY_GOTO(done, TUTTI_NEW(axes, study->n_axes));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(points->columns, study->n_axes));
  for (int64_t i = 0; i < study->n_axes; i++)
    if (is_column(&study->axes[i], branch)) axes[points->n_columns++] = &study->axes[i];
  TUTTI_CHECK_GOTO(done, study->search == TUTTI_SEARCH_GRID || points->n_columns <= TUTTI_SOBOL_DIMENSIONS,
                   TUTTI_ERR_CONFIG, "study.vary: %d keys are more than the %d that a search draws",
                   points->n_columns, TUTTI_SOBOL_DIMENSIONS);
  if (study->search == TUTTI_SEARCH_GRID)
    TUTTI_TRY_GOTO(done, make_grid(axes, points));
  else
    TUTTI_TRY_GOTO(done, draw(study, axes, branch, seed, points));
done:
  tutti_free(axes);
  if (status != TUTTI_OK) tutti_points_clear(points);
  return status;
}

void tutti_points_clear(tutti_points *points) {
  for (int c = 0; c < points->n_columns; c++) tutti_axis_values_clear(&points->columns[c]);
  tutti_free(points->columns);
  tutti_free(points->indices);
  *points = (tutti_points){0};
}
