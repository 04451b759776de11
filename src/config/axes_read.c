/** The axes of a study, from a mapping of keys. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/axes_impl.h"

// --- places --------------------------------------------------------------------------------------

tutti_place tutti_axis_place(tutti_place whole, tutti_node node) {
  if (whole.origin == TUTTI_FROM_FILE) return (tutti_place){TUTTI_FROM_FILE, node.line, node.column};
  return whole;
}

const char *tutti_axis_where(const tutti_axis_reader *r, tutti_node node, char buffer[TUTTI_PLACE_BYTES]) {
  return tutti_place_print(r->origins, tutti_axis_place(r->place, node), r->subject, buffer);
}

const char *tutti_axis_subject(const tutti_axis *parent, int branch, const char *key,
                               char buffer[TUTTI_SUBJECT_BYTES]) {
  const char *choice = parent && branch >= 0 ? parent->values[branch] : "";
  snprintf(buffer, TUTTI_SUBJECT_BYTES, "study.vary.%.60s%s%.60s%s%.80s", choice[0] ? parent->key : "",
           choice[0] ? "." : "", choice, choice[0] ? "." : "", key);
  return buffer;
}

// --- one axis ------------------------------------------------------------------------------------

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

static tutti_status read_values(const tutti_axis_reader *r, tutti_node value, tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  const bool mapping = value.kind == TUTTI_NODE_MAPPING;
  if (mapping && (axis->kind != TUTTI_AXIS_CHOICE || tutti_axis_is_range(r->yaml, value)))
    return tutti_axis_read_range(r, value, axis);
  if (mapping) return tutti_branches_read_names(r, value, axis);
  TUTTI_CHECK(value.kind == TUTTI_NODE_LIST, TUTTI_ERR_CONFIG,
              "%s: expected a list of values, [A, B], or a range, {from: A, to: B, points: N}",
              tutti_axis_where(r, value, at));
  TUTTI_TRY(tutti_axis_read_list(r, value, axis));
  axis->kind = kind_of_list(axis);
  return TUTTI_OK;
}

static tutti_status append(const tutti_axis_reader *r, tutti_axis *axis) {
  tutti_study_options *study = r->study;
  char at[TUTTI_PLACE_BYTES];
  if (!study->axes) TUTTI_TRY(TUTTI_NEW(study->axes, TUTTI_MAX_AXES));
  TUTTI_CHECK(study->n_axes < TUTTI_MAX_AXES, TUTTI_ERR_CONFIG, "%s: more than %d varied keys",
              tutti_place_print(r->origins, r->place, r->subject, at), TUTTI_MAX_AXES);
  r->origins->axes[study->n_axes] = r->place;
  study->axes[study->n_axes++] = *axis;
  *axis = (tutti_axis){0};
  return TUTTI_OK;
}

tutti_status tutti_axis_read(const tutti_axis_reader *r, tutti_node value) {
  tutti_status status = TUTTI_OK;
  tutti_axis axis = {.key = tutti_strdup(r->key->path), .kind = kind_of(r->key), .branch = r->branch};
  TUTTI_CHECK_GOTO(done, axis.key, TUTTI_ERR_MEMORY, "no memory to read the config");
  TUTTI_TRY_GOTO(done, read_values(r, value, &axis));
  const bool branches = axis.branches;
  TUTTI_TRY_GOTO(done, append(r, &axis));
  if (branches) TUTTI_TRY_GOTO(done, tutti_branches_read_axes(r, value));
done:
  tutti_axis_clear(&axis);
  return status;
}

tutti_status tutti_axis_find_key(tutti_axis_reader *r, const char *path) {
  char at[TUTTI_PLACE_BYTES];
  int i;
  const tutti_status status = tutti_key_of_path(path, &i);
  if (status != TUTTI_OK) return tutti_fail_at(status, r->origins, r->place, r->subject);
  r->key = tutti_key_at(i);
  TUTTI_CHECK(tutti_key_varies(r->key), TUTTI_ERR_CONFIG,
              "%s: %s is the same for all trials; a study varies what makes another training: keys of model, "
              "optimizer, "
              "schedule and train, such as train.batch_size and optimizer.learning_rate",
              tutti_place_print(r->origins, r->place, r->subject, at), r->key->path);
  return TUTTI_OK;
}

// --- all of them ---------------------------------------------------------------------------------

/** Of what all branches vary. */
static int64_t index_of(const tutti_study_options *study, const char *path) {
  int64_t i = 0;
  while (i < study->n_axes &&
         (study->axes[i].branch != TUTTI_EVERY_BRANCH || strcmp(study->axes[i].key, path) != 0))
    i++;
  return i;
}

/** Remove axis i with its branches' own. */
static void remove_axis(tutti_origins *origins, tutti_study_options *study, int64_t i) {
  int64_t end = i;
  do tutti_axis_clear(&study->axes[end++]);
  while (end < study->n_axes && study->axes[end].branch != TUTTI_EVERY_BRANCH);
  const size_t rest = (size_t)(study->n_axes - end);
  memmove(&study->axes[i], &study->axes[end], rest * sizeof *study->axes);
  memmove(&origins->axes[i], &origins->axes[end], rest * sizeof *origins->axes);
  study->n_axes -= end - i;
}

/** The axes from `first` on go before axis i. */
static void move_up(tutti_origins *origins, tutti_study_options *study, int64_t first, int64_t i) {
  for (; first < study->n_axes; first++, i++) {
    const tutti_axis axis = study->axes[first];
    const tutti_place place = origins->axes[first];
    const size_t between = (size_t)(first - i);
    memmove(&study->axes[i + 1], &study->axes[i], between * sizeof axis);
    memmove(&origins->axes[i + 1], &origins->axes[i], between * sizeof place);
    study->axes[i] = axis;
    origins->axes[i] = place;
  }
}

tutti_status tutti_axis_set(tutti_origins *origins, const tutti_yaml *yaml, const char *path,
                            tutti_node value, tutti_place place, tutti_study_options *study) {
  tutti_axis_reader r = {
      .origins = origins, .yaml = yaml, .study = study, .place = place, .branch = TUTTI_EVERY_BRANCH};
  tutti_axis_subject(NULL, 0, path, r.subject);
  TUTTI_TRY(tutti_axis_find_key(&r, path));
  const int64_t i = index_of(study, path);
  if (i < study->n_axes) remove_axis(origins, study, i);
  const int64_t first = study->n_axes;
  TUTTI_TRY(tutti_axis_read(&r, value));
  move_up(origins, study, first, i);
  return TUTTI_OK;
}

tutti_status tutti_axes_read(tutti_origins *origins, const tutti_yaml *yaml, tutti_node mapping,
                             tutti_place place, tutti_study_options *study) {
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  tutti_axes_clear(study);
  for (int i = 0; i < mapping.n; i++) {
    tutti_node name, value;
    tutti_yaml_pair(yaml, mapping, i, &name, &value);
    const tutti_place there = tutti_axis_place(place, name);
    tutti_place_print(origins, there, "study.vary", at);
    TUTTI_CHECK(name.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: a key is a name", at);
    TUTTI_CHECK(index_of(study, name.text) == study->n_axes, TUTTI_ERR_CONFIG,
                "%s: %s stands twice; keep one", at, tutti_quote(name.text, quoted));
    TUTTI_TRY(tutti_axis_set(origins, yaml, name.text, value, there, study));
  }
  return TUTTI_OK;
}
