#pragma once
/** The keys that a study varies, from YAML.  Local. */
#include "config/origins_impl.h"
#include "config/yaml_impl.h"

/** Replace the axes by those of a mapping, key by key.
 * @param[in] place  of the mapping; in a file, each part keeps the place where it stands
 * @return ERR_CONFIG with the place: a key that is not known or cannot vary, or stands twice; a value that is
 * not valid for it; a range that is none */
TUTTI_NODISCARD
tutti_status tutti_axes_read(tutti_origins *origins, const tutti_yaml *yaml, tutti_node mapping,
                             tutti_place place, tutti_study_options *study);

/** Set one axis, with those of its branches where it has such.  It replaces that of the same key or comes after the
 * others.
 * @param[in] path  "train.batch_size" */
TUTTI_NODISCARD
tutti_status tutti_axis_set(tutti_origins *origins, const tutti_yaml *yaml, const char *path,
                            tutti_node value, tutti_place place, tutti_study_options *study);

// --- within one axis -----------------------------------------------------------------------------

enum { TUTTI_SUBJECT_BYTES = 256 };

/** One axis on its way: where it stands, for messages. */
typedef struct {
  tutti_origins *origins;
  const tutti_yaml *yaml;
  tutti_study_options *study;
  const tutti_key *key;
  tutti_place place;
  int branch;                        // whose own it is; TUTTI_EVERY_BRANCH
  char subject[TUTTI_SUBJECT_BYTES]; // "study.vary.train.batch_size"
} tutti_axis_reader;

/** "study.vary.train.batch_size", "study.vary.optimizer.name.sgd.optimizer.momentum".
 * @param[in] parent  the axis whose value `branch` is the branch, NULL for what all branches vary */
const char *tutti_axis_subject(const tutti_axis *parent, int branch, const char *key,
                               char buffer[TUTTI_SUBJECT_BYTES]);

/** The place of a part: parts of a file's value have their own, those of an option share its. */
tutti_place tutti_axis_place(tutti_place whole, tutti_node node);
const char *tutti_axis_where(const tutti_axis_reader *r, tutti_node node, char buffer[TUTTI_PLACE_BYTES]);

/** Read the axis of r->key, and its branches' own, and put them after the others of the study (axes_read.c). */
TUTTI_NODISCARD
tutti_status tutti_axis_read(const tutti_axis_reader *r, tutti_node value);

/** What path names, which a study may vary.  @return ERR_CONFIG with the place and r->subject */
TUTTI_NODISCARD
tutti_status tutti_axis_find_key(tutti_axis_reader *r, const char *path);

/** Add one value to those of the list; it stands there once (axes_list.c). */
TUTTI_NODISCARD
tutti_status tutti_axis_add_value(const tutti_axis_reader *r, tutti_node item, tutti_axis *axis);

/** [A, B] */
TUTTI_NODISCARD
tutti_status tutti_axis_read_list(const tutti_axis_reader *r, tutti_node list, tutti_axis *axis);

/** {from: A, to: B, points: N, scale: S} (axes_range.c).  @return ERR_CONFIG with the place */
TUTTI_NODISCARD
tutti_status tutti_axis_read_range(const tutti_axis_reader *r, tutti_node mapping, tutti_axis *axis);

/** Does the mapping look like a range? */
bool tutti_axis_is_range(const tutti_yaml *yaml, tutti_node mapping);

/** The values of {A: {KEY: VALUES, ...}, B: ...}, and their own axes (branches.c). */
TUTTI_NODISCARD
tutti_status tutti_branches_read_names(const tutti_axis_reader *r, tutti_node mapping, tutti_axis *axis);
TUTTI_NODISCARD
tutti_status tutti_branches_read_axes(const tutti_axis_reader *r, tutti_node mapping);

/** What only all axes together tell of branches: there is one key of them, and no key is varied twice.
 * @return ERR_CONFIG with the place */
TUTTI_NODISCARD
tutti_status tutti_branches_check(const tutti_origins *origins, const tutti_study_options *study);
