/** Differences between two configs: which keys make another training, or other trials of a study.
 *
 * Values are compared as texts, so each type is compared in the same way.  Called by resume, by studies that continue,
 * and to compare the files of several ranks. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/keys_impl.h"
#include "config/origins_impl.h"

enum { SHOWN_BYTES = sizeof((tutti_difference *)0)->then };

/** Add a difference.  There are fewer keys than places, so the list cannot be full. */
static void add(tutti_differences *found, const char *key, tutti_difference one) {
  TUTTI_ASSERT(found->n < TUTTI_MAX_DIFFERENCES);
  one.key = key;
  found->list[found->n++] = one;
}

/** The last n parts of a path; all of it if n is 0, or if there are no more. */
static const char *last_parts(const char *path, int n) {
  const char *from = path + strlen(path);
  if (n == 0) return path;
  while (from > path && (from[-1] != '/' || --n > 0)) from--;
  return from;
}

/** Print "optimizer.name: [sgd, adam]", cut to the size of the text. */
static void print_axis(const tutti_axis *axis, char text[SHOWN_BYTES]) {
  tutti_config_stream stream;
  char *line = NULL;
  if (tutti_config_stream_open(&stream) == TUTTI_OK) {
    fprintf(stream.out, "%s:", axis->key);
    tutti_config_axis_write(axis, 0, stream.out);
    if (tutti_config_stream_close(&stream, TUTTI_OK, &line) != TUTTI_OK) line = NULL;
  }
  snprintf(text, SHOWN_BYTES, "%s", line ? line : "");
  tutti_free(line);
  for (char *end = text; *end; end++)
    if (*end == '\n') *end = end[1] ? ' ' : '\0';
}

/** Values are compared in their normal form; a list and a range of the same values differ. */
static bool axis_differs(const tutti_axis *a, const tutti_axis *b) {
  if (strcmp(a->key, b->key) != 0 || a->n_values != b->n_values) return true;
  if (a->branches != b->branches || a->branch != b->branch) return true;
  for (int i = 0; i < a->n_values; i++)
    if (strcmp(a->values[i], b->values[i]) != 0) return true;
  if (a->n_values > 0) return false;
  return a->from != b->from || a->to != b->to || a->points != b->points || a->scale != b->scale;
}

/** Find the axis that a message should show; without one, the numbers of axes differ. */
static bool axes_differ(const tutti_study_options *a, const tutti_study_options *b, tutti_difference *one) {
  const tutti_axis *differ_a = tutti_config_study_branches(a), *differ_b = tutti_config_study_branches(b);
  snprintf(one->then, SHOWN_BYTES, "%lld keys", (long long)a->n_axes);
  snprintf(one->now, SHOWN_BYTES, "%lld", (long long)b->n_axes);
  // Another branch has other keys; then the branches are the difference.
  if (!differ_a || !differ_b || !axis_differs(differ_a, differ_b)) differ_a = NULL;
  for (int64_t i = 0; i < a->n_axes && a->n_axes == b->n_axes && !differ_a; i++)
    if (axis_differs(&a->axes[i], &b->axes[i])) {
      differ_a = &a->axes[i];
      differ_b = &b->axes[i];
    }
  if (!differ_a) return a->n_axes != b->n_axes;
  print_axis(differ_a, one->then);
  print_axis(differ_b, one->now);
  return true;
}

/** Whether a value differs.
 * @param[in] n_names  number of last parts of a path that are compared; 0: all */
static bool value_differs(const tutti_key *key, int n_names, const tutti_config *a, const tutti_config *b,
                          tutti_difference *one) {
  char buffer_a[TUTTI_VALUE_BYTES], buffer_b[TUTTI_VALUE_BYTES];
  const int64_t n_a = tutti_config_value_n_parts(key, a), n_b = tutti_config_value_n_parts(key, b);
  if (key->type == TUTTI_KEY_AXES) return axes_differ(&a->study, &b->study, one);
  for (int64_t i = 0; i < n_a || i < n_b; i++) {
    const char *text_a = i < n_a ? tutti_config_value_part(key, a, i, buffer_a) : "no such layer";
    const char *text_b = i < n_b ? tutti_config_value_part(key, b, i, buffer_b) : "no such layer";
    if (strcmp(last_parts(text_a, n_names), last_parts(text_b, n_names)) == 0) continue;
    snprintf(one->then, SHOWN_BYTES, "%s", text_a);
    snprintf(one->now, SHOWN_BYTES, "%s", text_b);
    return true;
  }
  return false;
}

/** The effect of the key says how much of a path counts. */
static bool key_differs(const tutti_key *key, const tutti_config *a, const tutti_config *b,
                        tutti_difference *one) {
  const int n_names = key->effect == TUTTI_EFFECT_BY_FILE_NAME ? 1
                      : key->effect == TUTTI_EFFECT_BY_RUN     ? 2
                                                               : 0;
  return value_differs(key, n_names, a, b, one);
}

/** The key of the budget that the config uses. */
static const tutti_key *budget_key(const tutti_config *config) {
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    if (key->type == TUTTI_KEY_BUDGET && !tutti_config_key_unused(key, config)) return key;
  }
  return NULL;
}

/** Budgets matter if the learning rate falls until the end: then each step has another rate. */
static void compare_budgets(const tutti_config *a, const tutti_config *b, tutti_differences *found) {
  const tutti_count budget_a = a->train.budget, budget_b = b->train.budget;
  if (!tutti_config_decays_to_the_end(a) || !tutti_config_decays_to_the_end(b)) return;
  if (budget_a.unit == budget_b.unit && budget_a.value == budget_b.value) return;
  tutti_difference one = {
      .note = "schedule.decay lasts until this end, so each step would have another learning rate"};
  tutti_count_print(budget_a, one.then, SHOWN_BYTES);
  tutti_count_print(budget_b, one.now, SHOWN_BYTES);
  add(found, budget_key(b)->path, one);
}

void tutti_config_differences(const tutti_config *a, const tutti_config *b, tutti_differences *found) {
  tutti_difference one = {0};
  found->n = 0;
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    if (key->effect != TUTTI_EFFECT_NONE && key_differs(key, a, b, &one)) add(found, key->path, one);
  }
  compare_budgets(a, b, found);
}

bool tutti_config_differences_have(const tutti_differences *found, const char *key) {
  for (int i = 0; i < found->n; i++)
    if (strcmp(found->list[i].key, key) == 0) return true;
  return false;
}

/** Values are shown for the first keys only, so that the message stays readable. */
void tutti_config_differences_text(const tutti_differences *found, char *text, size_t bytes) {
  enum { WITH_VALUES = 4 };
  text[0] = '\0';
  for (int i = 0; i < found->n; i++) {
    const tutti_difference *one = &found->list[i];
    if (i > 0) tutti_text_append(text, bytes, i == WITH_VALUES ? "; these differ too: " : ", ");
    tutti_text_append(text, bytes, "%s", one->key);
    if (i < WITH_VALUES) tutti_text_append(text, bytes, " was %s there and is %s now", one->then, one->now);
    if (one->note) tutti_text_append(text, bytes, " (%s)", one->note);
  }
}

// --- studies -------------------------------------------------------------------------------------

/** Whether the key changes the trials.  The ranks, the file, the confirmation and the tables do not. */
static bool makes_trials(const tutti_key *key) {
  return strcmp(key->section, "study") == 0 && strcmp(key->name, "ranks_per_trial") != 0 &&
         strcmp(key->name, "output") != 0 && strcmp(key->name, "confirm") != 0 &&
         strcmp(key->name, "at_budget") != 0;
}

/** Whether the key decides which trials there are, and not what a trial is. */
static bool is_extent(const tutti_key *key) {
  return key->type == TUTTI_KEY_AXES || strcmp(key->name, "trials") == 0 || strcmp(key->name, "seeds") == 0;
}

/** Add the differences of the keys of the section study, either of those that only extend it or of the others. */
static void section_differences(const tutti_config *a, const tutti_config *b, bool extent,
                                tutti_differences *found) {
  tutti_difference one = {0};
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    if (!makes_trials(key) || is_extent(key) != extent) continue;
    if (key_differs(key, a, b, &one)) add(found, key->path, one);
  }
}

/** The next axis, from number *i on, that only this branch varies; NULL: there are no more. */
static const tutti_axis *next_own(const tutti_study_options *study, int branch, int64_t *i) {
  while (*i < study->n_axes && study->axes[*i].branch != branch) ++*i;
  return *i < study->n_axes ? &study->axes[(*i)++] : NULL;
}

/** Whether both branches vary the same keys in the same order. */
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

/** Whether both studies vary the same keys.  A branch that only one of them has does not count. */
static bool have_same_axes(const tutti_study_options *a, const tutti_study_options *b) {
  const tutti_axis *branches_a = tutti_config_study_branches(a), *branches_b = tutti_config_study_branches(b);
  if (!have_same_keys(a, TUTTI_EVERY_BRANCH, b, TUTTI_EVERY_BRANCH)) return false;
  for (int i = 0; branches_a && i < branches_a->n_values; i++)
    for (int k = 0; k < branches_b->n_values; k++)
      if (strcmp(branches_a->values[i], branches_b->values[k]) == 0 && !have_same_keys(a, i, b, k))
        return false;
  return true;
}

/** What a trial is comes before which trials there are, so that the important difference is the first one. */
bool tutti_config_study_differences(const tutti_config *a, const tutti_config *b, tutti_differences *found) {
  tutti_config_differences(a, b, found);
  section_differences(a, b, false, found);
  const int n = found->n;
  section_differences(a, b, true, found);
  return n == 0 && found->n > 0 && have_same_axes(&a->study, &b->study);
}

// --- ranks ---------------------------------------------------------------------------------------

bool tutti_config_any_difference(const tutti_config *a, const tutti_config *b, tutti_difference *first) {
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    first->key = key->path;
    if (value_differs(key, 0, a, b, first)) return true;
  }
  return false;
}
