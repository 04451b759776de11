#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/keys_impl.h"
#include "config/settings_impl.h"

enum { SHOWN_BYTES = 128 };

static const char *last_part(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/** Compare part i of a key; one may have fewer parts. */
static bool part_differs(const tutti_key *key, const tutti_config *a, const tutti_config *b, int64_t i,
                         char value_a[SHOWN_BYTES], char value_b[SHOWN_BYTES]) {
  char buffer_a[TUTTI_VALUE_BYTES], buffer_b[TUTTI_VALUE_BYTES];
  const char *text_a =
      i < tutti_value_n_parts(key, a) ? tutti_value_part(key, a, i, buffer_a) : "no such layer";
  const char *text_b =
      i < tutti_value_n_parts(key, b) ? tutti_value_part(key, b, i, buffer_b) : "no such layer";
  const bool by_name = key->effect == TUTTI_EFFECT_BY_FILE_NAME;
  if (strcmp(by_name ? last_part(text_a) : text_a, by_name ? last_part(text_b) : text_b) == 0) return false;
  snprintf(value_a, SHOWN_BYTES, "%s", text_a);
  snprintf(value_b, SHOWN_BYTES, "%s", text_b);
  return true;
}

static bool key_differs(const tutti_key *key, const tutti_config *a, const tutti_config *b,
                        char value_a[SHOWN_BYTES], char value_b[SHOWN_BYTES]) {
  const int64_t n_a = tutti_value_n_parts(key, a), n_b = tutti_value_n_parts(key, b);
  for (int64_t i = 0; i < n_a || i < n_b; i++)
    if (part_differs(key, a, b, i, value_a, value_b)) return true;
  return false;
}

/** The key of the budget that `config` has. */
static const tutti_key *budget_key(const tutti_config *config) {
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_key_at(i);
    if (key->type == TUTTI_KEY_BUDGET && !tutti_key_idle(key, config)) return key;
  }
  return NULL;
}

const char *tutti_config_difference(const tutti_config *a, const tutti_config *b, char value_a[SHOWN_BYTES],
                                    char value_b[SHOWN_BYTES]) {
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_key_at(i);
    if (key->effect != TUTTI_EFFECT_NONE && key_differs(key, a, b, value_a, value_b)) return key->path;
  }
  // The learning rate of each step depends on the budget here; both have the same decay by now.
  const tutti_count budget_a = a->train.budget, budget_b = b->train.budget;
  if (!tutti_decays_to_the_end(a)) return NULL;
  if (budget_a.unit == budget_b.unit && budget_a.value == budget_b.value) return NULL;
  tutti_count_print(budget_a, value_a, SHOWN_BYTES);
  tutti_count_print(budget_b, value_b, SHOWN_BYTES);
  return budget_key(b)->path;
}

// --- studies -------------------------------------------------------------------------------------

/** "optimizer.name: [sgd, adam]", cut. */
static void print_axis(const tutti_axis *axis, char text[SHOWN_BYTES]) {
  char *line = NULL;
  size_t bytes = 0;
  FILE *out = open_memstream(&line, &bytes);
  if (out) {
    fprintf(out, "%s:", axis->key);
    tutti_axis_write(axis, 0, out);
    fclose(out);
  }
  snprintf(text, SHOWN_BYTES, "%s", line ? line : "");
  free(line);
  for (char *end = text; *end; end++)
    if (*end == '\n') *end = end[1] ? ' ' : '\0';
}

static bool axis_differs(const tutti_axis *a, const tutti_axis *b) {
  if (strcmp(a->key, b->key) != 0 || a->n_values != b->n_values) return true;
  if (a->branches != b->branches || a->branch != b->branch) return true;
  for (int i = 0; i < a->n_values; i++)
    if (strcmp(a->values[i], b->values[i]) != 0) return true;
  if (a->n_values > 0) return false;
  return a->from != b->from || a->to != b->to || a->points != b->points || a->scale != b->scale;
}

static bool axes_differ(const tutti_study_options *a, const tutti_study_options *b, char value_a[SHOWN_BYTES],
                        char value_b[SHOWN_BYTES]) {
  const tutti_axis *branches_a = tutti_study_branches(a), *branches_b = tutti_study_branches(b);
  const tutti_axis *differ_a = NULL, *differ_b = NULL;
  snprintf(value_a, SHOWN_BYTES, "%lld keys", (long long)a->n_axes);
  snprintf(value_b, SHOWN_BYTES, "%lld", (long long)b->n_axes);
  for (int64_t i = 0; i < a->n_axes && a->n_axes == b->n_axes && !differ_a; i++)
    if (axis_differs(&a->axes[i], &b->axes[i])) {
      differ_a = &a->axes[i];
      differ_b = &b->axes[i];
    }
  // Another branch brings other keys.
  if (branches_a && branches_b && axis_differs(branches_a, branches_b)) {
    differ_a = branches_a;
    differ_b = branches_b;
  }
  if (!differ_a) return a->n_axes != b->n_axes;
  print_axis(differ_a, value_a);
  print_axis(differ_b, value_b);
  return true;
}

/** Who computes the trials, and where they go, makes no other ones. */
static bool makes_trials(const tutti_key *key) {
  return strcmp(key->section, "study") == 0 && strcmp(key->name, "ranks_per_trial") != 0 &&
         strcmp(key->name, "output") != 0;
}

/** Which trials there are, and not what one of them is. */
static bool is_extent(const tutti_key *key) {
  return key->type == TUTTI_KEY_AXES || strcmp(key->name, "trials") == 0 || strcmp(key->name, "seeds") == 0;
}

static const char *section_difference(const tutti_config *a, const tutti_config *b, bool extent,
                                      char value_a[SHOWN_BYTES], char value_b[SHOWN_BYTES]) {
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_key_at(i);
    if (!makes_trials(key) || is_extent(key) != extent) continue;
    const bool differs = key->type == TUTTI_KEY_AXES ? axes_differ(&a->study, &b->study, value_a, value_b)
                                                     : key_differs(key, a, b, value_a, value_b);
    if (differs) return key->path;
  }
  return NULL;
}

/** The axis from number *i on that the branch alone varies; NULL: there is none left. */
static const tutti_axis *next_own(const tutti_study_options *study, int branch, int64_t *i) {
  while (*i < study->n_axes && study->axes[*i].branch != branch) ++*i;
  return *i < study->n_axes ? &study->axes[(*i)++] : NULL;
}

/** Does a branch vary the same keys in the same order here and there? */
static bool have_same_keys(const tutti_study_options *a, int branch_a, const tutti_study_options *b,
                           int branch_b) {
  int64_t i = 0, k = 0;
  const tutti_axis *x, *y;
  do {
    x = next_own(a, branch_a, &i);
    y = next_own(b, branch_b, &k);
    if (x && y && (strcmp(x->key, y->key) != 0 || x->branches != y->branches)) return false;
  } while (x && y);
  return !x && !y;
}

/** Branches of one alone are no matter. */
static bool have_same_axes(const tutti_study_options *a, const tutti_study_options *b) {
  const tutti_axis *branches_a = tutti_study_branches(a), *branches_b = tutti_study_branches(b);
  if (!have_same_keys(a, TUTTI_EVERY_BRANCH, b, TUTTI_EVERY_BRANCH)) return false;
  for (int i = 0; branches_a && i < branches_a->n_values; i++)
    for (int k = 0; k < branches_b->n_values; k++)
      if (strcmp(branches_a->values[i], branches_b->values[k]) == 0 && !have_same_keys(a, i, b, k))
        return false;
  return true;
}

const char *tutti_config_study_difference(const tutti_config *a, const tutti_config *b,
                                          char value_a[SHOWN_BYTES], char value_b[SHOWN_BYTES],
                                          bool *extent) {
  *extent = false;
  const char *key = section_difference(a, b, false, value_a, value_b);
  if (!key) key = tutti_config_difference(a, b, value_a, value_b);
  if (key) return key;
  key = section_difference(a, b, true, value_a, value_b);
  *extent = key && have_same_axes(&a->study, &b->study);
  return key;
}
