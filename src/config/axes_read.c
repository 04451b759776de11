/** All axes of a study: the mapping study.vary of a file, and options that replace one axis.
 *
 * The axes of branches follow the axis whose values the branches are, so that an axis moves and goes together with
 * them. parse.c calls this. */
#include <string.h>

#include "config/axes_impl.h"

/** Remove axis i together with the axes of its branches. */
static void remove_axis(tutti_origins *origins, tutti_study_options *study, int64_t i) {
  int64_t end = i;
  do tutti_config_axis_clear(&study->axes[end++]);
  while (end < study->n_axes && study->axes[end].branch != TUTTI_EVERY_BRANCH);
  const size_t rest = (size_t)(study->n_axes - end);
  memmove(&study->axes[i], &study->axes[end], rest * sizeof *study->axes);
  memmove(&origins->axes[i], &origins->axes[end], rest * sizeof *origins->axes);
  study->n_axes -= end - i;
}

/** Move the axes from `first` on in front of axis i, so that a replaced axis keeps its position. */
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

/** The new axis is read behind the others and then moved, since its branches follow it in any case. */
tutti_status tutti_config_axis_set(tutti_origins *origins, const tutti_yaml *yaml, const char *path,
                                   tutti_node value, tutti_place place, tutti_study_options *study) {
  tutti_axis_reader r = {
      .origins = origins, .yaml = yaml, .study = study, .place = place, .branch = TUTTI_EVERY_BRANCH};
  tutti_config_axis_subject(NULL, 0, path, r.subject);
  TUTTI_TRY(tutti_config_axis_find_key(&r, path));
  const int64_t i = tutti_config_axis_find(study, path, TUTTI_EVERY_BRANCH);
  if (i < study->n_axes) remove_axis(origins, study, i);
  const int64_t first = study->n_axes;
  TUTTI_TRY(tutti_config_axis_read(&r, value));
  move_up(origins, study, first, i);
  return TUTTI_OK;
}

/** An option --study.vary replaces the axes of the file as a whole, so the old ones are cleared. */
tutti_status tutti_config_axes_read(tutti_origins *origins, const tutti_yaml *yaml, tutti_node mapping,
                                    tutti_place place, tutti_study_options *study) {
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  tutti_config_axes_clear(study);
  for (int i = 0; i < mapping.n; i++) {
    tutti_node name, value;
    tutti_config_yaml_pair(yaml, mapping, i, &name, &value);
    const tutti_place there = tutti_config_place_of_part(place, name);
    tutti_config_place_print(origins, there, "study.vary", at);
    TUTTI_CHECK(name.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: expected the name of a key", at);
    TUTTI_CHECK(tutti_config_axis_find(study, name.text, TUTTI_EVERY_BRANCH) == study->n_axes,
                TUTTI_ERR_CONFIG, "%s: %s appears twice; keep one", at, tutti_quote(name.text, quoted));
    TUTTI_TRY(tutti_config_axis_set(origins, yaml, name.text, value, there, study));
  }
  return TUTTI_OK;
}
