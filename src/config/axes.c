#include <string.h>

#include "base/text.h"
#include "config/keys_impl.h"

const char *const tutti_axis_scale_names[TUTTI_N_AXIS_SCALES] = {"log", "linear", "reverse_log"};

bool tutti_key_varies(const tutti_key *key) {
  // What makes another training, but for its data: all trials share one data set.
  return key->effect == TUTTI_EFFECT_TRAINING && strcmp(key->section, "data") != 0;
}

void tutti_axis_clear(tutti_axis *axis) {
  for (int i = 0; i < axis->n_values; i++) tutti_free(axis->values[i]);
  tutti_free(axis->values);
  tutti_free(axis->key);
  *axis = (tutti_axis){0};
}

void tutti_axes_clear(tutti_study_options *study) {
  for (int64_t i = 0; i < study->n_axes; i++) tutti_axis_clear(&study->axes[i]);
  tutti_free(study->axes);
  study->axes = NULL;
  study->n_axes = 0;
}

static void write_range(const tutti_axis *axis, FILE *out) {
  char from[32], to[32];
  fprintf(out, " {from: %s, to: %s", tutti_text_print_real(from, sizeof from, axis->from),
          tutti_text_print_real(to, sizeof to, axis->to));
  if (axis->points > 0) fprintf(out, ", points: %lld", (long long)axis->points);
  if (axis->scale != TUTTI_AXIS_LOG) fprintf(out, ", scale: %s", tutti_axis_scale_names[axis->scale]);
  fputs("}\n", out);
}

void tutti_axis_write(const tutti_axis *axis, int indent, FILE *out) {
  bool commas = false;
  if (axis->n_values == 0) {
    write_range(axis, out);
    return;
  }
  for (int i = 0; i < axis->n_values; i++) commas |= strchr(axis->values[i], ',') != NULL;
  if (!commas) fputs(" [", out);
  for (int i = 0; i < axis->n_values; i++) {
    if (commas)
      fprintf(out, "\n%*s- %s", indent, "", axis->values[i]);
    else
      fprintf(out, "%s%s", i > 0 ? ", " : "", axis->values[i]);
  }
  fputs(commas ? "\n" : "]\n", out);
}
