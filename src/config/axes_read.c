#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/axes_impl.h"

tutti_place tutti_axis_place(tutti_place whole, tutti_node node) {
  if (whole.origin == TUTTI_FROM_FILE) return (tutti_place){TUTTI_FROM_FILE, node.line, node.column};
  return whole;
}

const char *tutti_axis_where(const tutti_axis_reader *r, tutti_node node, char buffer[TUTTI_PLACE_BYTES]) {
  return tutti_place_print(r->settings, tutti_axis_place(r->place, node), r->subject, buffer);
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
static tutti_status join(const tutti_axis_reader *r, tutti_node list, char **text) {
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
                          tutti_axis_where(r, item, at), i + 1);
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

static tutti_status read_item(const tutti_axis_reader *r, tutti_node item, char **value) {
  tutti_status status = TUTTI_OK;
  tutti_config scratch = {0}; // the key's field alone
  char *joined = NULL, at[TUTTI_PLACE_BYTES];
  const bool list = item.kind == TUTTI_NODE_LIST && r->key->type == TUTTI_KEY_LAYERS;
  TUTTI_CHECK(item.kind == TUTTI_NODE_SCALAR || list, TUTTI_ERR_CONFIG,
              "%s: an item of the list is no single value, as %s has", tutti_axis_where(r, item, at),
              r->key->path);
  if (list) TUTTI_TRY_GOTO(done, join(r, item, &joined));
  status = tutti_value_read(r->key, list ? joined : item.text, &scratch);
  if (status != TUTTI_OK) {
    status = tutti_fail_at(status, r->settings, tutti_axis_place(r->place, item), r->subject);
    goto done;
  }
  TUTTI_TRY_GOTO(done, copy_canonical(r->key, &scratch, value));
done:
  tutti_free(joined);
  tutti_value_free(r->key, &scratch);
  return status;
}

static tutti_status read_list(const tutti_axis_reader *r, tutti_node list, tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(list.n > 0, TUTTI_ERR_CONFIG, "%s: the list is empty; expected values of %s",
              tutti_axis_where(r, list, at), r->key->path);
  TUTTI_TRY(TUTTI_NEW(axis->values, list.n));
  for (int i = 0; i < list.n; i++) {
    const tutti_node item = tutti_yaml_item(r->yaml, list, i);
    TUTTI_TRY(read_item(r, item, &axis->values[i]));
    axis->n_values = i + 1;
    for (int k = 0; k < i; k++)
      TUTTI_CHECK(strcmp(axis->values[k], axis->values[i]) != 0, TUTTI_ERR_CONFIG,
                  "%s: %s stands twice in the list; keep one", tutti_axis_where(r, item, at),
                  axis->values[i]);
  }
  return TUTTI_OK;
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

static tutti_status read_axis(const tutti_axis_reader *r, tutti_node value, tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  *axis = (tutti_axis){.key = tutti_strdup(r->key->path), .kind = kind_of(r->key)};
  if (!axis->key) return TUTTI_ERR_MEMORY;
  if (value.kind == TUTTI_NODE_MAPPING) return tutti_axis_read_range(r, value, axis);
  TUTTI_CHECK(value.kind == TUTTI_NODE_LIST, TUTTI_ERR_CONFIG,
              "%s: expected a list of values, [A, B], or a range, {from: A, to: B, points: N}",
              tutti_axis_where(r, value, at));
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
  tutti_axis_reader r = {.settings = settings, .yaml = yaml, .place = place};
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
    const tutti_place there = tutti_axis_place(place, name);
    tutti_place_print(settings, there, "study.vary", at);
    TUTTI_CHECK(name.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: a key is a name", at);
    TUTTI_CHECK(index_of(study, name.text) == study->n_axes, TUTTI_ERR_CONFIG,
                "%s: %s stands twice; keep one", at, tutti_quote(name.text, quoted));
    TUTTI_TRY(tutti_axis_set(settings, yaml, name.text, value, there, study));
  }
  return TUTTI_OK;
}
