/** Branches of a study: a key whose values have axes of their own. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/axes_impl.h"

// --- reading -------------------------------------------------------------------------------------

tutti_status tutti_branches_read_names(const tutti_axis_reader *r, tutti_node mapping, tutti_axis *axis) {
  enum { MOST_LETTERS = 1000 }; // of a key that YAML reads without a mark before it
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(r->branch == TUTTI_EVERY_BRANCH, TUTTI_ERR_CONFIG,
              "%s: there are no branches within a branch; expected a list of values, [A, B]",
              tutti_axis_where(r, mapping, at));
  TUTTI_CHECK(mapping.n > 0, TUTTI_ERR_CONFIG,
              "%s: the mapping is empty; expected values of %s, each with the keys that it alone varies",
              tutti_axis_where(r, mapping, at), r->key->path);
  TUTTI_TRY(TUTTI_NEW(axis->values, mapping.n));
  for (int i = 0; i < mapping.n; i++) {
    tutti_node name, own;
    tutti_yaml_pair(r->yaml, mapping, i, &name, &own);
    TUTTI_TRY(tutti_axis_add_value(r, name, axis));
    TUTTI_CHECK(strlen(axis->values[i]) <= MOST_LETTERS, TUTTI_ERR_CONFIG,
                "%s: the value is too long for a branch: it has more than %d letters",
                tutti_axis_where(r, name, at), MOST_LETTERS);
  }
  axis->branches = true;
  return TUTTI_OK;
}

static tutti_status read_own(const tutti_axis_reader *parent, int branch, tutti_node name, tutti_node value,
                             const tutti_axis *axis) {
  tutti_axis_reader r = {.origins = parent->origins,
                         .yaml = parent->yaml,
                         .study = parent->study,
                         .place = tutti_axis_place(parent->place, name),
                         .branch = branch};
  const tutti_study_options *study = parent->study;
  char at[TUTTI_PLACE_BYTES];
  tutti_axis_subject(axis, branch, name.text, r.subject);
  tutti_place_print(r.origins, r.place, r.subject, at);
  TUTTI_CHECK(name.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: a key is a name", at);
  for (int64_t i = 0; i < study->n_axes; i++)
    TUTTI_CHECK(study->axes[i].branch != branch || strcmp(study->axes[i].key, name.text) != 0,
                TUTTI_ERR_CONFIG, "%s: the key stands twice in the branch; keep one", at);
  TUTTI_TRY(tutti_axis_find_key(&r, name.text));
  return tutti_axis_read(&r, value);
}

tutti_status tutti_branches_read_axes(const tutti_axis_reader *r, tutti_node mapping) {
  const tutti_axis *axis = &r->study->axes[r->study->n_axes - 1];
  char at[TUTTI_PLACE_BYTES];
  for (int b = 0; b < mapping.n; b++) {
    tutti_node choice, own, name, value;
    tutti_yaml_pair(r->yaml, mapping, b, &choice, &own);
    if (own.kind == TUTTI_NODE_NOTHING) continue;
    TUTTI_CHECK(own.kind == TUTTI_NODE_MAPPING, TUTTI_ERR_CONFIG,
                "%s: expected the keys that %s alone varies, {KEY: VALUES, ...}, or {} for none",
                tutti_axis_where(r, own, at), axis->values[b]);
    for (int i = 0; i < own.n; i++) {
      tutti_yaml_pair(r->yaml, own, i, &name, &value);
      TUTTI_TRY(read_own(r, b, name, value, axis));
    }
  }
  return TUTTI_OK;
}

// --- what goes together --------------------------------------------------------------------------

/** Why the axis cannot be beside another one of the same array; NULL: it can.  Of two alike, the later is told. */
static const char *clash(const tutti_axis *axis, const tutti_axis *other) {
  if (axis->branches && other->branches && axis > other)
    return "has branches, and so has another key; a study has them of one";
  if (axis->branch == TUTTI_EVERY_BRANCH || strcmp(axis->key, other->key) != 0) return NULL;
  if (other->branches) return "is the key of the branches itself";
  if (other->branch == TUTTI_EVERY_BRANCH) return "is varied by all branches, too; keep one of them";
  const bool is_alike = (axis->kind == TUTTI_AXIS_CHOICE) == (other->kind == TUTTI_AXIS_CHOICE);
  return is_alike || axis < other ? NULL : "has words here and numbers in another branch, or the reverse";
}

tutti_status tutti_branches_check(const tutti_origins *origins, const tutti_study_options *study) {
  const tutti_axis *parent = tutti_study_branches(study);
  char at[TUTTI_PLACE_BYTES], subject[TUTTI_SUBJECT_BYTES];
  for (int64_t i = 0; i < study->n_axes; i++) {
    const tutti_axis *axis = &study->axes[i];
    tutti_axis_subject(parent, axis->branch, axis->key, subject);
    tutti_place_print(origins, origins->axes[i], subject, at);
    TUTTI_CHECK(
        axis->branch == TUTTI_EVERY_BRANCH || strcmp(axis->key, "train.batch_size") != 0, TUTTI_ERR_CONFIG,
        "%s: every branch is tried at all batch sizes; put train.batch_size beside %s", at, parent->key);
    for (int64_t k = 0; k < study->n_axes; k++) {
      const char *why = k == i ? NULL : clash(axis, &study->axes[k]);
      TUTTI_CHECK(!why, TUTTI_ERR_CONFIG, "%s: %s %s", at, axis->key, why);
    }
  }
  return TUTTI_OK;
}
