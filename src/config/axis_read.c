/** One axis: a list, a range, or branches, whose values are mappings of axes of their own.
 *
 * The values of a key can be branches only outside of a branch, so the recursion from an axis to the axes of its
 * branches ends after one step.  axes_read.c calls this for each axis of study.vary. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/axes_impl.h"

// --- its values ----------------------------------------------------------------------------------

/** Only whole numbers and reals can be interpolated, so only these are numbers; a count has a unit. */
static tutti_axis_kind kind_of(const tutti_key *key) {
  if (key->type == TUTTI_KEY_WHOLE) return TUTTI_AXIS_WHOLE;
  return key->type == TUTTI_KEY_REAL ? TUTTI_AXIS_REAL : TUTTI_AXIS_CHOICE;
}

/** Return the kind of a list: a word such as `auto` among numbers makes all of them choices. */
static tutti_axis_kind kind_of_list(const tutti_axis *axis) {
  double number;
  for (int i = 0; i < axis->n_values; i++)
    if (!tutti_text_real(axis->values[i], &number)) return TUTTI_AXIS_CHOICE;
  return axis->kind;
}

/** Read the values of {A: {KEY: VALUES, ...}, B: ...}, each of which names a branch. */
static tutti_status read_branch_names(const tutti_axis_reader *r, tutti_node mapping, tutti_axis *axis) {
  enum { MOST_LETTERS = 1000 }; // YAML reads longer keys only after a question mark
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(r->branch == TUTTI_EVERY_BRANCH, TUTTI_ERR_CONFIG,
              "%s: there are no branches within a branch; expected a list of values, [A, B]",
              tutti_config_axis_where(r, mapping, at));
  TUTTI_CHECK(mapping.n > 0, TUTTI_ERR_CONFIG,
              "%s: the mapping is empty; expected values of %s, each with the keys that it alone varies",
              tutti_config_axis_where(r, mapping, at), r->key->path);
  TUTTI_TRY(TUTTI_NEW(axis->values, mapping.n));
  for (int i = 0; i < mapping.n; i++) {
    tutti_node name, own;
    tutti_config_yaml_pair(r->yaml, mapping, i, &name, &own);
    TUTTI_TRY(tutti_config_axis_add_value(r, name, axis));
    TUTTI_CHECK(strlen(axis->values[i]) <= MOST_LETTERS, TUTTI_ERR_CONFIG,
                "%s: the value is too long for a branch: it has more than %d letters",
                tutti_config_axis_where(r, name, at), MOST_LETTERS);
  }
  axis->branches = true;
  return TUTTI_OK;
}

/** A mapping is a range if its words say so or if the key is a number; otherwise its names are branches. */
static tutti_status read_values(const tutti_axis_reader *r, tutti_node value, tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  const bool mapping = value.kind == TUTTI_NODE_MAPPING;
  if (mapping && (axis->kind != TUTTI_AXIS_CHOICE || tutti_config_axis_is_range(r->yaml, value)))
    return tutti_config_axis_read_range(r, value, axis);
  if (mapping) return read_branch_names(r, value, axis);
  TUTTI_CHECK(value.kind == TUTTI_NODE_LIST, TUTTI_ERR_CONFIG,
              "%s: expected a list of values, [A, B], or a range, {from: A, to: B, points: N}",
              tutti_config_axis_where(r, value, at));
  TUTTI_TRY(tutti_config_axis_read_list(r, value, axis));
  axis->kind = kind_of_list(axis);
  return TUTTI_OK;
}

/** Put the axis after the others of the study, which owns it from then on. */
static tutti_status append(const tutti_axis_reader *r, tutti_axis *axis) {
  tutti_study_options *study = r->study;
  char at[TUTTI_PLACE_BYTES];
  if (!study->axes) TUTTI_TRY(TUTTI_NEW(study->axes, TUTTI_MAX_AXES));
  TUTTI_CHECK(study->n_axes < TUTTI_MAX_AXES, TUTTI_ERR_CONFIG, "%s: more than %d varied keys",
              tutti_config_place_print(r->origins, r->place, r->subject, at), TUTTI_MAX_AXES);
  r->origins->axes[study->n_axes] = r->place;
  study->axes[study->n_axes++] = *axis;
  *axis = (tutti_axis){0};
  return TUTTI_OK;
}

// --- the axes of its branches --------------------------------------------------------------------

/** Read one axis that a branch alone varies. */
static tutti_status read_own(const tutti_axis_reader *parent, int branch, tutti_node name, tutti_node value,
                             const tutti_axis *axis) {
  tutti_axis_reader r = {.origins = parent->origins,
                         .yaml = parent->yaml,
                         .study = parent->study,
                         .place = tutti_config_place_of_part(parent->place, name),
                         .branch = branch};
  const tutti_study_options *study = parent->study;
  char at[TUTTI_PLACE_BYTES];
  tutti_config_axis_subject(axis, branch, name.text, r.subject);
  tutti_config_place_print(r.origins, r.place, r.subject, at);
  TUTTI_CHECK(name.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: expected the name of a key", at);
  TUTTI_CHECK(tutti_config_axis_find(study, name.text, branch) == study->n_axes, TUTTI_ERR_CONFIG,
              "%s: the key appears twice in the branch; keep one", at);
  TUTTI_TRY(tutti_config_axis_find_key(&r, name.text));
  return tutti_config_axis_read(&r, value);
}

/** Read the axes of each branch of the last axis. */
static tutti_status read_branches(const tutti_axis_reader *r, tutti_node mapping) {
  const tutti_axis *axis = &r->study->axes[r->study->n_axes - 1];
  char at[TUTTI_PLACE_BYTES];
  for (int b = 0; b < mapping.n; b++) {
    tutti_node choice, own, name, value;
    tutti_config_yaml_pair(r->yaml, mapping, b, &choice, &own);
    if (own.kind == TUTTI_NODE_NOTHING) continue;
    TUTTI_CHECK(own.kind == TUTTI_NODE_MAPPING, TUTTI_ERR_CONFIG,
                "%s: expected the keys that %s alone varies, {KEY: VALUES, ...}, or {} for none",
                tutti_config_axis_where(r, own, at), axis->values[b]);
    for (int i = 0; i < own.n; i++) {
      tutti_config_yaml_pair(r->yaml, own, i, &name, &value);
      TUTTI_TRY(read_own(r, b, name, value, axis));
    }
  }
  return TUTTI_OK;
}

/** The axis is a part of the study before its branches are read, so that it stands before their axes. */
tutti_status tutti_config_axis_read(const tutti_axis_reader *r, tutti_node value) {
  tutti_status status = TUTTI_OK;
  tutti_axis axis = {.key = tutti_strdup(r->key->path), .kind = kind_of(r->key), .branch = r->branch};
  TUTTI_CHECK_GOTO(done, axis.key, TUTTI_ERR_MEMORY, "no memory to read the config");
  TUTTI_TRY_GOTO(done, read_values(r, value, &axis));
  const bool branches = axis.branches;
  TUTTI_TRY_GOTO(done, append(r, &axis));
  if (branches) TUTTI_TRY_GOTO(done, read_branches(r, value));
done:
  tutti_config_axis_clear(&axis);
  return status;
}
