/** The key of an axis: its name in messages, its place in the file, and whether a study may vary it.  All that reads a
 * part of an axis uses these. */
#include <stdio.h>
#include <string.h>

#include "config/axes_impl.h"

const char *tutti_config_axis_where(const tutti_axis_reader *r, tutti_node node,
                                    char buffer[TUTTI_PLACE_BYTES]) {
  return tutti_config_place_print(r->origins, tutti_config_place_of_part(r->place, node), r->subject, buffer);
}

/** The precisions keep the text within the buffer even if all its parts are too long. */
const char *tutti_config_axis_subject(const tutti_axis *parent, int branch, const char *key,
                                      char buffer[TUTTI_SUBJECT_BYTES]) {
  const char *choice = parent && branch >= 0 ? parent->values[branch] : "";
  snprintf(buffer, TUTTI_SUBJECT_BYTES, "study.vary.%.60s%s%.60s%s%.80s", choice[0] ? parent->key : "",
           choice[0] ? "." : "", choice, choice[0] ? "." : "", key);
  return buffer;
}

tutti_status tutti_config_axis_find_key(tutti_axis_reader *r, const char *path) {
  char at[TUTTI_PLACE_BYTES];
  int i;
  const tutti_status status = tutti_config_key_of_path(path, &i);
  if (status != TUTTI_OK) return tutti_config_fail_at(status, r->origins, r->place, r->subject);
  r->key = tutti_config_key_at(i);
  TUTTI_CHECK(tutti_config_key_varies(r->key), TUTTI_ERR_CONFIG,
              "%s: %s is the same for all trials; a study varies what makes another training: keys of model, "
              "optimizer, schedule and train, such as train.batch_size and optimizer.learning_rate",
              tutti_config_place_print(r->origins, r->place, r->subject, at), r->key->path);
  return TUTTI_OK;
}
