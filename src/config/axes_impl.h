#pragma once
/** Reading the keys that a study varies from YAML.  Local. */
#include "config/origins_impl.h"
#include "config/yaml_impl.h"

// --- axes_read.c ---------------------------------------------------------------------------------

/** Replace the axes of the study by those of a mapping.
 * @param[in] place  of the mapping; each part of a mapping in a file keeps a place of its own
 * @return ERR_CONFIG with the place: a key is unknown, cannot vary or appears twice; a value is not valid for its key;
 * a range is not valid.  ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_axes_read(tutti_origins *origins, const tutti_yaml *yaml, tutti_node mapping,
                                    tutti_place place, tutti_study_options *study);

/** Set one axis, together with those of its branches.  It replaces the axis of the same key, or follows the others.
 * @param[in] path  of its key, for example "train.batch_size"
 * @return as tutti_config_axes_read */
TUTTI_NODISCARD
tutti_status tutti_config_axis_set(tutti_origins *origins, const tutti_yaml *yaml, const char *path,
                                   tutti_node value, tutti_place place, tutti_study_options *study);

// --- axis_key.c ----------------------------------------------------------------------------------

enum { TUTTI_SUBJECT_BYTES = 256 };

/** An axis while it is read. */
typedef struct {
  tutti_origins *origins;
  const tutti_yaml *yaml;
  tutti_study_options *study;
  const tutti_key *key;
  tutti_place place;
  int branch;                        // the one that varies it, or TUTTI_EVERY_BRANCH
  char subject[TUTTI_SUBJECT_BYTES]; // for messages, for example "study.vary.train.batch_size"
} tutti_axis_reader;

/** Print the name of an axis for messages: "study.vary.train.batch_size", or
 * "study.vary.optimizer.name.sgd.optimizer.momentum" if a branch varies it.
 * @param[in] parent  the axis whose values are the branches; NULL if all branches vary the key
 * @param[in] branch  number of a value of `parent`
 * @return buffer */
const char *tutti_config_axis_subject(const tutti_axis *parent, int branch, const char *key,
                                      char buffer[TUTTI_SUBJECT_BYTES]);

/** Print the place of a part of the axis.  @return buffer */
const char *tutti_config_axis_where(const tutti_axis_reader *r, tutti_node node,
                                    char buffer[TUTTI_PLACE_BYTES]);

/** Set r->key to the key of that path.
 * @return ERR_CONFIG with the place: it is unknown, or a study cannot vary it */
TUTTI_NODISCARD
tutti_status tutti_config_axis_find_key(tutti_axis_reader *r, const char *path);

// --- axis_list.c ---------------------------------------------------------------------------------

/** Add one value to those of the axis.
 * @param[in,out] axis  its array of values has room for one more
 * @return ERR_CONFIG with the place: the value is not valid, or the list has it already */
TUTTI_NODISCARD
tutti_status tutti_config_axis_add_value(const tutti_axis_reader *r, tutti_node item, tutti_axis *axis);

/** Read the values of a list, [A, B].  @return ERR_CONFIG with the place; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_axis_read_list(const tutti_axis_reader *r, tutti_node list, tutti_axis *axis);

// --- axis_range.c --------------------------------------------------------------------------------

/** Read a range, {from: A, to: B, points: N, scale: S}.  @return ERR_CONFIG with the place */
TUTTI_NODISCARD
tutti_status tutti_config_axis_read_range(const tutti_axis_reader *r, tutti_node mapping, tutti_axis *axis);

/** Return whether the mapping is a range, and not one of branches. */
bool tutti_config_axis_is_range(const tutti_yaml *yaml, tutti_node mapping);

// --- axis_read.c ---------------------------------------------------------------------------------

/** Read the axis of r->key and those of its branches, and put them after the other axes of the study.
 * @return ERR_CONFIG with the place; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_axis_read(const tutti_axis_reader *r, tutti_node value);
