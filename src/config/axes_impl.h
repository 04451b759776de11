#pragma once
/** The keys that a study varies, from YAML.  Local. */
#include "config/settings_impl.h"
#include "config/yaml_impl.h"

/** Replace the axes by those of a mapping, key by key.
 * @param[in] place  of the mapping; in a file, each part keeps the place where it stands
 * @return ERR_CONFIG with the place: a key that is not known or cannot vary, or stands twice; a value that is
 * not valid for it; a range that is none */
TUTTI_NODISCARD
tutti_status tutti_axes_read(tutti_settings *settings, const tutti_yaml *yaml, tutti_node mapping,
                             tutti_place place, tutti_study_options *study);

/** Set one axis, which replaces that of the same key or comes after the others.
 * @param[in] path  "train.batch_size" */
TUTTI_NODISCARD
tutti_status tutti_axis_set(tutti_settings *settings, const tutti_yaml *yaml, const char *path,
                            tutti_node value, tutti_place place, tutti_study_options *study);

// --- within one axis -----------------------------------------------------------------------------

/** One axis on its way: where it stands, for messages. */
typedef struct {
  const tutti_settings *settings;
  const tutti_yaml *yaml;
  const tutti_key *key;
  tutti_place place;
  char subject[128]; // "study.vary.train.batch_size"
} tutti_axis_reader;

/** The place of a part: parts of a file's value have their own, those of an option share its. */
tutti_place tutti_axis_place(tutti_place whole, tutti_node node);
const char *tutti_axis_where(const tutti_axis_reader *r, tutti_node node, char buffer[TUTTI_PLACE_BYTES]);

/** {from: A, to: B, points: N, scale: S} (axes_range.c).  @return ERR_CONFIG with the place */
TUTTI_NODISCARD
tutti_status tutti_axis_read_range(const tutti_axis_reader *r, tutti_node mapping, tutti_axis *axis);
