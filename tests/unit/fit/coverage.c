/** How often the intervals of a fit hold the truth: studies are made up from a truth that is known, with the noise and the
 * luck of a search.
 *
 *   fit_coverage --short      few studies of the cheap cells; fails below 0.80
 *   fit_coverage [STUDIES]    all cells, of so many studies each (300); fails where one is not within 0.90 to 0.99
 *
 * Both fail where fresh seeds of the best settings disagree with the model in more than a tenth of the studies, since
 * nothing is wrong with any.
 *
 * The truth is S = 100 + 20000 / B at batch sizes 16 to 4096; log steps rise from there as a bowl over log rate, or over
 * log rate and the logarithm of 1 - momentum; a trial's noise is log-normal, and a rate too high diverges. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "fit/fit_impl.h"
#include "support/check.h"
#include "support/trials.h"

enum { N_SIZES = 9, SMALLEST = 16, N_DRAWS = 400, N_FRESH = 5 };
static const double MOST_ALARMS = 0.1; // part of the studies
static const double truth[TUTTI_N_FIT_NUMBERS] = {100, 20000, 200};

typedef struct {
  int n_keys, n_settings, n_seeds;
  double noise;
  bool skewed;
} cell;

/** Two numbers of a study, which depend on `part` and `i` alone. */
static void draw_two(uint64_t study, uint32_t part, uint64_t i, double uniform[2], double normal[2]) {
  uint32_t words[4];
  tutti_random_words((tutti_stream){.seed = study, .kind = 99, .part = part}, i, words);
  for (int k = 0; k < 2; k++) uniform[k] = tutti_random_uniform(words[k]);
  tutti_random_normal(words[2], words[3], normal);
}

/** Even settings: a step of a lattice in two keys (Roberts' R2), a part of the range in one. */
static void place_of(const cell *c, uint64_t study, int setting, double u[2]) {
  double shift[2], own[2], normal[2];
  draw_two(study, 1, 0, shift, normal);
  draw_two(study, 2, (uint64_t)setting, own, normal);
  if (c->n_keys == 1) {
    u[0] = (setting + shift[0]) / c->n_settings;
    u[1] = 0;
    return;
  }
  u[0] = fmod(shift[0] + setting * 0.7548776662466927, 1);
  u[1] = fmod(shift[1] + setting * 0.5698402909980532, 1);
}

/** What log steps rise by; INFINITY: the trial diverges. */
static double rise_of(const cell *c, double batch, double rate, double momentum) {
  const double star = 0.6 * batch / (batch + 150) + 0.02, other = log((1 - momentum) / 0.1);
  const double z = log(rate / star) - (c->n_keys == 2 ? other : 0);
  if (z > log(3)) return INFINITY;
  return (c->skewed ? 0.5 * (exp(z) - 1 - z) : 0.5 * z * z) + (c->n_keys == 2 ? 0.25 * other * other : 0);
}

static void add_trial(const cell *c, uint64_t study, int size, int setting, tutti_trial_set *set) {
  const double batch = ldexp(SMALLEST, size);
  double u[2], uniform[2], normal[2];
  place_of(c, study, setting, u);
  const double values[2] = {0.02 * pow(100, u[0]), 1 - 0.5 * pow(0.02, u[1])};
  const double rise = rise_of(c, batch, values[0], values[1]);
  for (int seed = 0; seed < c->n_seeds; seed++) {
    draw_two(study, 3, (uint64_t)set->n_trials, uniform, normal);
    const double steps = (truth[0] + truth[1] / batch) * exp(rise + c->noise * normal[0]);
    trials_add(set, (int64_t)batch, setting, rise < 3 ? TUTTI_TRIAL_REACHED : TUTTI_TRIAL_NOT_REACHED, steps,
               values);
  }
}

static tutti_trial_set make_study(const cell *c, uint64_t study) {
  static const char *const names[] = {"optimizer.learning_rate", "optimizer.momentum"};
  tutti_trial_set set = trials_begin((int64_t)N_SIZES * c->n_settings * c->n_seeds, c->n_keys, names);
  CHECK_OK(TUTTI_NEW(set.scales, 2));
  set.scales[1] = TUTTI_AXIS_REVERSE_LOG;
  for (int size = 0; size < N_SIZES; size++)
    for (int setting = 0; setting < c->n_settings; setting++) add_trial(c, study, size, setting, &set);
  return set;
}

/** The best settings once more, as study.confirm runs them. */
static void add_fresh(const cell *c, uint64_t study, const tutti_best_table *best, tutti_trial_set *set) {
  CHECK_OK(TUTTI_NEW(set->confirm, (int64_t)best->n_rows * N_FRESH));
  for (int i = 0; i < best->n_rows * N_FRESH; i++) {
    const tutti_best *row = &best->rows[i % best->n_rows];
    const double *values = best->varied + (int64_t)(i % best->n_rows) * best->n_varied;
    const double batch = (double)row->batch_size;
    double uniform[2], normal[2];
    draw_two(study, 4, (uint64_t)i, uniform, normal);
    const double rise = rise_of(c, batch, values[0], c->n_keys == 2 ? values[1] : 0);
    set->confirm[i] =
        (tutti_trial_result){.batch_size = row->batch_size,
                             .setting = row->setting,
                             .status = row->setting < 0 ? TUTTI_TRIAL_WAITING : TUTTI_TRIAL_REACHED,
                             .goal_step = (truth[0] + truth[1] / batch) * exp(rise + c->noise * normal[0])};
  }
  set->n_confirm = (int64_t)best->n_rows * N_FRESH;
}

static bool has_disagreement(const tutti_best_table *best) {
  bool found = false;
  for (int i = 0; i < best->n_rows; i++) found = found || best->rows[i].confirm_disagrees;
  return found;
}

/** Of one estimator in one cell. */
typedef struct {
  int n, held[TUTTI_N_FIT_NUMBERS];
  int claimed;
  int disagreed;  // with fresh seeds, though nothing is wrong
  double *values; // [TUTTI_N_FIT_NUMBERS, n_studies]
} tally;

static void count(const tutti_fit *fit, int n_studies, tally *t) {
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
    t->held[k] += fit->low[k] <= truth[k] && truth[k] <= fit->high[k];
    t->values[k * n_studies + t->n] = isnan(fit->value[k]) ? INFINITY : fit->value[k];
  }
  t->n++;
  t->claimed += fit->no_claim[0] == '\0' && fit->refused[0] == '\0';
}

static void run_cell(const cell *c, int n_studies, tally *model, tally *search) {
  for (int s = 0; s < n_studies; s++) {
    tutti_trial_set set = make_study(c, (uint64_t)s);
    tutti_best_table best;
    tutti_fit fit;
    CHECK_OK(tutti_fit_best_table_create(&set, &best));
    add_fresh(c, (uint64_t)s, &best, &set);
    tutti_fit_best_table_clear(&best);
    CHECK_OK(tutti_fit_best_table_create(&set, &best));
    model->disagreed += has_disagreement(&best);
    CHECK_OK(tutti_fit_study(&set, &best, 0, (uint64_t)s, N_DRAWS, NULL, &fit));
    count(&fit, n_studies, model);
    if (search) {
      CHECK_OK(tutti_fit_search(&set, &best, 0, (uint64_t)s, N_DRAWS, NULL, &fit));
      count(&fit, n_studies, search);
    }
    tutti_fit_best_table_clear(&best);
    tutti_fit_trial_set_clear(&set);
  }
}

static void print_tally(tally *t, int n_studies) {
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) printf("  %.2f", t->held[k] / (double)t->n);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
    tutti_fit_sort_reals(t->values + k * n_studies, t->n);
    printf(" %6.0f", t->values[k * n_studies + t->n / 2]);
  }
}

/** @return whether the model's coverage lies within low and high */
static bool show_cell(const cell *c, int n_studies, bool beside, double low, double high) {
  tally model = {0}, search = {0};
  bool good = true;
  CHECK_OK(TUTTI_NEW(model.values, (int64_t)n_studies * TUTTI_N_FIT_NUMBERS));
  CHECK_OK(TUTTI_NEW(search.values, (int64_t)n_studies * TUTTI_N_FIT_NUMBERS));
  run_cell(c, n_studies, &model, beside ? &search : NULL);
  printf("%d %-9s %3d x %d  %.1f |", c->n_keys, c->skewed ? "skewed" : "symmetric", c->n_settings, c->n_seeds,
         c->noise);
  print_tally(&model, n_studies);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++)
    good = good && model.held[k] >= low * n_studies && model.held[k] <= high * n_studies;
  good = good && model.disagreed <= MOST_ALARMS * n_studies;
  printf("  %4.2f  %4.2f |", model.claimed / (double)n_studies, model.disagreed / (double)n_studies);
  if (beside) print_tally(&search, n_studies);
  puts(good ? "" : "   <- not as claimed");
  fflush(stdout);
  tutti_free(model.values);
  tutti_free(search.values);
  return good;
}

static bool show_all(int n_studies) {
  bool good = true;
  for (int i = 0; i < 16; i++) {
    const cell c = {.n_keys = 1 + i / 8,
                    .skewed = i / 4 % 2,
                    .n_settings = i / 2 % 2 ? 100 : 30,
                    .n_seeds = 1,
                    .noise = i % 2 ? 0.2 : 0.1};
    good = show_cell(&c, n_studies, true, 0.90, 0.99) && good;
  }
  return good;
}

int main(int argc, char **argv) {
  const bool is_short = argc == 2 && strcmp(argv[1], "--short") == 0;
  const cell cheap[] = {
      {1, 30, 1, 0.1, false}, {1, 30, 1, 0.2, true}, {2, 30, 1, 0.1, false}, {1, 30, 2, 0.2, false}};
  bool good = true;
  puts("keys, bowl, settings x seeds, noise | the local model: coverage of S_min E_min B_crit, medians, part "
       "with a "
       "claim, part with a false alarm of study.confirm | best of the search with the bootstrap: the same");
  for (int i = 0; i < 4 && is_short; i++) good = show_cell(&cheap[i], 40, false, 0.80, 1) && good;
  if (!is_short) good = show_all(argc == 2 ? atoi(argv[1]) : 300);
  return good ? 0 : 1;
}
