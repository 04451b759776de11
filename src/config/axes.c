/** The axes of a study once they are read: which keys may be axes, branches, and axes as YAML.  The dump of a config,
 * its differences and the search space use them. */
#include <string.h>

#include "base/text.h"
#include "config/keys_impl.h"

const char *const tutti_config_axis_scale_names[TUTTI_N_AXIS_SCALES] = {"log", "linear", "reverse_log"};

bool tutti_config_key_varies(const tutti_key *key) {
  // All trials share one data set, so a study cannot vary its keys.
  return key->effect != TUTTI_EFFECT_NONE && strcmp(key->section, "data") != 0;
}

int64_t tutti_config_axis_find(const tutti_study_options *study, const char *path, int branch) {
  int64_t i = 0;
  while (i < study->n_axes && (study->axes[i].branch != branch || strcmp(study->axes[i].key, path) != 0)) i++;
  return i;
}

void tutti_config_axis_clear(tutti_axis *axis) {
  for (int i = 0; i < axis->n_values; i++) tutti_free(axis->values[i]);
  tutti_free(axis->values);
  tutti_free(axis->key);
  *axis = (tutti_axis){0};
}

void tutti_config_axes_clear(tutti_study_options *study) {
  for (int64_t i = 0; i < study->n_axes; i++) tutti_config_axis_clear(&study->axes[i]);
  tutti_free(study->axes);
  study->axes = NULL;
  study->n_axes = 0;
}

// --- branches ------------------------------------------------------------------------------------

/** The checks refuse a second axis with branches, so the first one is the only one. */
const tutti_axis *tutti_config_study_branches(const tutti_study_options *study) {
  for (int64_t i = 0; i < study->n_axes; i++)
    if (study->axes[i].branches) return &study->axes[i];
  return NULL;
}

bool tutti_config_axis_is_of(const tutti_axis *axis, int branch) {
  return axis->branch == TUTTI_EVERY_BRANCH || axis->branch == branch;
}

// --- as text -------------------------------------------------------------------------------------

/** The default scale is left out, as a user would write it. */
static void write_range(const tutti_axis *axis, FILE *out) {
  char from[32], to[32];
  fprintf(out, " {from: %s, to: %s", tutti_text_print_real(from, sizeof from, axis->from),
          tutti_text_print_real(to, sizeof to, axis->to));
  if (axis->points > 0) fprintf(out, ", points: %lld", (long long)axis->points);
  if (axis->scale != TUTTI_AXIS_LOG) fprintf(out, ", scale: %s", tutti_config_axis_scale_names[axis->scale]);
  fputs("}\n", out);
}

/** A value with commas would be two values in a list of one line, so such lists have a line for each value.  Of
 * branches, only the names are written: a message has no room for their axes. */
void tutti_config_axis_write(const tutti_axis *axis, int indent, FILE *out) {
  bool is_long = false;
  if (axis->n_values == 0) {
    write_range(axis, out);
    return;
  }
  for (int i = 0; i < axis->n_values; i++) is_long |= !axis->branches && strchr(axis->values[i], ',');
  if (!is_long) fputs(axis->branches ? " {" : " [", out);
  for (int i = 0; i < axis->n_values; i++)
    if (is_long)
      fprintf(out, "\n%*s- %s", indent, "", axis->values[i]);
    else
      fprintf(out, "%s%s", i > 0 ? ", " : "", axis->values[i]);
  fputs(is_long ? "\n" : axis->branches ? "}\n" : "]\n", out);
}

static void write_entry(const tutti_axis *axis, int indent, FILE *out) {
  fprintf(out, "%*s%s:", indent, "", axis->key);
  tutti_config_axis_write(axis, indent + 2, out);
}

/** Write the axes that one branch alone varies. */
static void write_branch(const tutti_study_options *study, const char *name, int branch, int indent,
                         FILE *out) {
  bool any = false;
  fprintf(out, "%*s%s:", indent, "", name);
  for (int64_t i = 0; i < study->n_axes; i++) {
    if (study->axes[i].branch != branch) continue;
    if (!any) fputc('\n', out);
    any = true;
    write_entry(&study->axes[i], indent + 2, out);
  }
  if (!any) fputs(" {}\n", out);
}

/** The axes of branches stand under the name of their branch, which is how they are read. */
void tutti_config_axes_write(const tutti_study_options *study, int indent, FILE *out) {
  for (int64_t i = 0; i < study->n_axes; i++) {
    const tutti_axis *axis = &study->axes[i];
    if (axis->branch != TUTTI_EVERY_BRANCH) continue;
    if (!axis->branches) {
      write_entry(axis, indent, out);
      continue;
    }
    fprintf(out, "%*s%s:\n", indent, "", axis->key);
    for (int b = 0; b < axis->n_values; b++) write_branch(study, axis->values[b], b, indent + 2, out);
  }
}
