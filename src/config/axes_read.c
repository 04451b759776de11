#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/axes_impl.h"

/** One axis on its way: where it stands, for messages. */
typedef struct {
  const tutti_settings *settings;
  const tutti_yaml *yaml;
  const tutti_key *key;
  tutti_place place;
  char subject[128]; // "study.vary.train.batch_size"
} reader;

/** Parts of a file's value have places of their own, those of an option share its. */
static tutti_place place_of(tutti_place whole, tutti_node node) {
  if (whole.origin == TUTTI_FROM_FILE) return (tutti_place){TUTTI_FROM_FILE, node.line, node.column};
  return whole;
}

static const char *where(const reader *r, tutti_node node, char buffer[TUTTI_PLACE_BYTES]) {
  return tutti_place_print(r->settings, place_of(r->place, node), r->subject, buffer);
}

// --- a list --------------------------------------------------------------------------------------

/** The parts of the key's value, as tutti_value_read takes them together. */
static void print_parts(const tutti_key *key, const tutti_config *config, FILE *out) {
  char buffer[TUTTI_VALUE_BYTES];
  for (int64_t i = 0; i < tutti_value_n_parts(key, config); i++)
    fprintf(out, "%s%s", i > 0 ? ", " : "", tutti_value_part(key, config, i, buffer));
}

/** A value as the key prints it, quoted for YAML: equal values have equal texts. */
static tutti_status copy_canonical(const tutti_key *key, const tutti_config *config, char **value) {
  char *text = NULL, *quoted = NULL;
  size_t bytes;
  *value = NULL;
  FILE *out = open_memstream(&text, &bytes);
  TUTTI_CHECK(out, TUTTI_ERR_MEMORY, "no memory to read the config");
  print_parts(key, config, out);
  bool whole = fclose(out) == 0;
  out = whole ? open_memstream(&quoted, &bytes) : NULL;
  if (out) {
    tutti_quote_yaml(text, out);
    whole = fclose(out) == 0;
  }
  if (out && whole) *value = tutti_strdup(quoted);
  free(text);
  free(quoted);
  TUTTI_CHECK(*value, TUTTI_ERR_MEMORY, "no memory to read the config");
  return TUTTI_OK;
}

/** Layers may be a list in the list: joined by commas they are one text. */
static tutti_status join(const reader *r, tutti_node list, char **text) {
  char *joined = NULL, at[TUTTI_PLACE_BYTES];
  size_t bytes;
  FILE *out = open_memstream(&joined, &bytes);
  TUTTI_CHECK(out, TUTTI_ERR_MEMORY, "no memory to read the config");
  tutti_status status = TUTTI_OK;
  for (int i = 0; i < list.n && status == TUTTI_OK; i++) {
    const tutti_node item = tutti_yaml_item(r->yaml, list, i);
    if (item.kind != TUTTI_NODE_SCALAR)
      status = tutti_fail(TUTTI_ERR_CONFIG, __func__, __FILE__, __LINE__,
                          "%s: layer %d is no line of words; expected one such as 'dense 512 relu'",
                          where(r, item, at), i + 1);
    else
      fprintf(out, "%s%s", i > 0 ? ", " : "", item.text);
  }
  const bool whole = fclose(out) == 0;
  *text = status == TUTTI_OK && whole ? tutti_strdup(joined) : NULL;
  free(joined);
  TUTTI_TRY(status);
  TUTTI_CHECK(*text, TUTTI_ERR_MEMORY, "no memory to read the config");
  return TUTTI_OK;
}

static tutti_status read_item(const reader *r, tutti_node item, char **value) {
  tutti_status status = TUTTI_OK;
  tutti_config scratch = {0}; // the key's field alone
  char *joined = NULL, at[TUTTI_PLACE_BYTES];
  const bool layers = item.kind == TUTTI_NODE_LIST && r->key->type == TUTTI_KEY_LAYERS;
  TUTTI_CHECK(item.kind == TUTTI_NODE_SCALAR || layers, TUTTI_ERR_CONFIG,
              "%s: an item of the list is no value of %s", where(r, item, at), r->key->path);
  if (layers) TUTTI_TRY_GOTO(done, join(r, item, &joined));
  status = tutti_value_read(r->key, layers ? joined : item.text, &scratch);
  if (status != TUTTI_OK) {
    status = tutti_fail_at(status, r->settings, place_of(r->place, item), r->subject);
    goto done;
  }
  TUTTI_TRY_GOTO(done, copy_canonical(r->key, &scratch, value));
done:
  tutti_free(joined);
  tutti_value_free(r->key, &scratch);
  return status;
}

static tutti_status read_list(const reader *r, tutti_node list, tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(list.n > 0, TUTTI_ERR_CONFIG, "%s: the list is empty; expected values of %s",
              where(r, list, at), r->key->path);
  TUTTI_TRY(TUTTI_NEW(axis->values, list.n));
  for (int i = 0; i < list.n; i++) {
    const tutti_node item = tutti_yaml_item(r->yaml, list, i);
    TUTTI_TRY(read_item(r, item, &axis->values[i]));
    axis->n_values = i + 1;
    for (int k = 0; k < i; k++)
      TUTTI_CHECK(strcmp(axis->values[k], axis->values[i]) != 0, TUTTI_ERR_CONFIG,
                  "%s: %s stands twice in the list; keep one", where(r, item, at), axis->values[i]);
  }
  return TUTTI_OK;
}

// --- a range -------------------------------------------------------------------------------------

enum { FROM, TO, POINTS, SCALE, N_WORDS };
static const char *const words[N_WORDS] = {"from", "to", "points", "scale"};

static tutti_status find_words(const reader *r, tutti_node mapping, tutti_node found[N_WORDS],
                               bool given[N_WORDS]) {
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  for (int i = 0; i < mapping.n; i++) {
    tutti_node name, value;
    tutti_yaml_pair(r->yaml, mapping, i, &name, &value);
    int word = 0;
    while (word < N_WORDS && strcmp(name.text, words[word]) != 0) word++;
    const char *nearest = word == N_WORDS ? tutti_text_nearest(name.text, words, N_WORDS) : NULL;
    TUTTI_CHECK(word < N_WORDS, TUTTI_ERR_CONFIG,
                "%s: a range has no %s%s%s%s; expected from, to, and where wanted points and scale",
                where(r, name, at), tutti_quote(name.text, quoted), nearest ? " (did you mean " : "",
                nearest ? nearest : "", nearest ? "?)" : "");
    TUTTI_CHECK(!given[word], TUTTI_ERR_CONFIG, "%s: %s is given twice; keep one", where(r, name, at),
                words[word]);
    TUTTI_CHECK(value.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: %s is no single value",
                where(r, value, at), words[word]);
    given[word] = true;
    found[word] = value;
  }
  for (int word = FROM; word <= TO; word++)
    TUTTI_CHECK(given[word], TUTTI_ERR_CONFIG, "%s: the range lacks '%s'; write {from: A, to: B, points: N}",
                where(r, mapping, at), words[word]);
  return TUTTI_OK;
}

/** An end of the range is itself a value of the key. */
static tutti_status read_end(const reader *r, tutti_node node, double *end) {
  tutti_config scratch = {0};
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  const tutti_status status = tutti_value_read(r->key, node.text, &scratch);
  if (status != TUTTI_OK) return tutti_fail_at(status, r->settings, place_of(r->place, node), r->subject);
  TUTTI_CHECK(tutti_text_real(node.text, end), TUTTI_ERR_CONFIG, "%s: %s is no number, and no end of a range",
              where(r, node, at), tutti_quote(node.text, quoted));
  return TUTTI_OK;
}

static tutti_status read_scale(const reader *r, tutti_node node, tutti_axis_scale *scale) {
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES], list[64];
  for (int i = 0; i < TUTTI_N_AXIS_SCALES; i++)
    if (strcmp(node.text, tutti_axis_scale_names[i]) == 0) {
      *scale = (tutti_axis_scale)i;
      return TUTTI_OK;
    }
  const char *nearest = tutti_text_nearest(node.text, tutti_axis_scale_names, TUTTI_N_AXIS_SCALES);
  TUTTI_FAIL(TUTTI_ERR_CONFIG, "%s: there is no scale %s%s%s%s; expected %s", where(r, node, at),
             tutti_quote(node.text, quoted), nearest ? " (did you mean " : "", nearest ? nearest : "",
             nearest ? "?)" : "",
             tutti_text_list(list, sizeof list, tutti_axis_scale_names, TUTTI_N_AXIS_SCALES));
}

static tutti_status check_range(const reader *r, tutti_node range, const tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(axis->from < axis->to, TUTTI_ERR_CONFIG,
              "%s: the range ends at %g, which is not above its begin, %g; for one value write a list, [%g]",
              where(r, range, at), axis->to, axis->from, axis->from);
  TUTTI_CHECK(axis->scale != TUTTI_AXIS_LOG || axis->from > 0, TUTTI_ERR_CONFIG,
              "%s: a range in log scale begins above 0, not at %g; begin higher, or add 'scale: linear'",
              where(r, range, at), axis->from);
  TUTTI_CHECK(axis->scale != TUTTI_AXIS_REVERSE_LOG || axis->to < 1, TUTTI_ERR_CONFIG,
              "%s: a range in reverse_log scale, log(1 - value), ends below 1, not at %g",
              where(r, range, at), axis->to);
  TUTTI_CHECK(axis->scale != TUTTI_AXIS_REVERSE_LOG || axis->kind == TUTTI_AXIS_REAL, TUTTI_ERR_CONFIG,
              "%s: reverse_log is for values below 1, such as momentum", where(r, range, at));
  return TUTTI_OK;
}

static tutti_status read_range(const reader *r, tutti_node mapping, tutti_axis *axis) {
  enum { MAX_POINTS = 10000 };
  tutti_node found[N_WORDS];
  bool given[N_WORDS] = {false};
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  TUTTI_CHECK(axis->kind != TUTTI_AXIS_CHOICE, TUTTI_ERR_CONFIG,
              "%s: a range is of numbers, which %s is not; write a list of its values, [A, B]",
              where(r, mapping, at), r->key->path);
  TUTTI_TRY(find_words(r, mapping, found, given));
  TUTTI_TRY(read_end(r, found[FROM], &axis->from));
  TUTTI_TRY(read_end(r, found[TO], &axis->to));
  if (given[SCALE]) TUTTI_TRY(read_scale(r, found[SCALE], &axis->scale));
  if (given[POINTS])
    TUTTI_CHECK(tutti_text_integer(found[POINTS].text, &axis->points) && axis->points >= 2 &&
                    axis->points <= MAX_POINTS,
                TUTTI_ERR_CONFIG, "%s: %s points; expected a whole number from 2 to %d",
                where(r, found[POINTS], at), tutti_quote(found[POINTS].text, quoted), MAX_POINTS);
  return check_range(r, mapping, axis);
}

// --- the axes ------------------------------------------------------------------------------------

static tutti_axis_kind kind_of(const tutti_key *key) {
  if (key->type == TUTTI_KEY_WHOLE) return TUTTI_AXIS_WHOLE;
  return key->type == TUTTI_KEY_REAL ? TUTTI_AXIS_REAL : TUTTI_AXIS_CHOICE;
}

/** A word such as `auto` among the numbers makes all of them choices. */
static tutti_axis_kind kind_of_list(const tutti_axis *axis) {
  double number;
  for (int i = 0; i < axis->n_values; i++)
    if (!tutti_text_real(axis->values[i], &number)) return TUTTI_AXIS_CHOICE;
  return axis->kind;
}

static tutti_status read_axis(const reader *r, tutti_node value, tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  *axis = (tutti_axis){.key = tutti_strdup(r->key->path), .kind = kind_of(r->key)};
  if (!axis->key) return TUTTI_ERR_MEMORY;
  if (value.kind == TUTTI_NODE_MAPPING) return read_range(r, value, axis);
  TUTTI_CHECK(value.kind == TUTTI_NODE_LIST, TUTTI_ERR_CONFIG,
              "%s: expected a list of values, [A, B], or a range, {from: A, to: B, points: N}",
              where(r, value, at));
  TUTTI_TRY(read_list(r, value, axis));
  axis->kind = kind_of_list(axis);
  return TUTTI_OK;
}

static tutti_status find_key(const tutti_settings *settings, const char *path, tutti_place place,
                             const char *subject, const tutti_key **key) {
  char at[TUTTI_PLACE_BYTES];
  int i;
  const tutti_status status = tutti_key_of_path(path, &i);
  if (status != TUTTI_OK) return tutti_fail_at(status, settings, place, subject);
  *key = tutti_key_at(i);
  TUTTI_CHECK(tutti_key_varies(*key), TUTTI_ERR_CONFIG,
              "%s: %s is the same for all trials; a study varies what makes another training: keys of model, "
              "optimizer, "
              "schedule and train, such as train.batch_size and optimizer.learning_rate",
              tutti_place_print(settings, place, subject, at), (*key)->path);
  return TUTTI_OK;
}

static int64_t index_of(const tutti_study_options *study, const char *path) {
  int64_t i = 0;
  while (i < study->n_axes && strcmp(study->axes[i].key, path) != 0) i++;
  return i;
}

static tutti_status grow(tutti_study_options *study) {
  tutti_axis *axes = NULL;
  if (study->axes) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(axes, TUTTI_MAX_AXES));
  study->axes = axes;
  return TUTTI_OK;
}

tutti_status tutti_axis_set(tutti_settings *settings, const tutti_yaml *yaml, const char *path,
                            tutti_node value, tutti_place place, tutti_study_options *study) {
  tutti_status status = TUTTI_OK;
  tutti_axis axis = {0};
  reader r = {.settings = settings, .yaml = yaml, .place = place};
  char at[TUTTI_PLACE_BYTES];
  snprintf(r.subject, sizeof r.subject, "study.vary.%.100s", path);
  TUTTI_TRY_GOTO(done, find_key(settings, path, place, r.subject, &r.key));
  TUTTI_TRY_GOTO(done, read_axis(&r, value, &axis));
  TUTTI_TRY_GOTO(done, grow(study));
  const int64_t i = index_of(study, path);
  TUTTI_CHECK_GOTO(done, i < TUTTI_MAX_AXES, TUTTI_ERR_CONFIG, "%s: more than %d varied keys",
                   tutti_place_print(settings, place, r.subject, at), TUTTI_MAX_AXES);
  if (i == study->n_axes)
    study->n_axes++;
  else
    tutti_axis_clear(&study->axes[i]);
  study->axes[i] = axis;
  settings->axes[i] = place;
  axis = (tutti_axis){0};
done:
  tutti_axis_clear(&axis);
  return status;
}

tutti_status tutti_axes_read(tutti_settings *settings, const tutti_yaml *yaml, tutti_node mapping,
                             tutti_place place, tutti_study_options *study) {
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  tutti_axes_clear(study);
  for (int i = 0; i < mapping.n; i++) {
    tutti_node name, value;
    tutti_yaml_pair(yaml, mapping, i, &name, &value);
    const tutti_place there = place_of(place, name);
    tutti_place_print(settings, there, "study.vary", at);
    TUTTI_CHECK(name.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: a key is a name", at);
    TUTTI_CHECK(index_of(study, name.text) == study->n_axes, TUTTI_ERR_CONFIG,
                "%s: %s stands twice; keep one", at, tutti_quote(name.text, quoted));
    TUTTI_TRY(tutti_axis_set(settings, yaml, name.text, value, there, study));
  }
  return TUTTI_OK;
}
