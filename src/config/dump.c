/** The dump: a resolved config as YAML that parses to the same config.  Called by the run directory, by checkpoints,
 * and by `tutti info`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/keys_impl.h"
#include "config/origins_impl.h"

/** Whether the value goes over several lines. */
static bool is_list(const tutti_key *key) {
  return key->type == TUTTI_KEY_LAYERS || key->type == TUTTI_KEY_AXES;
}

/** Whether a key is written.  A key without a value is not, nor is one that the parser would refuse beside the
 * others. */
static bool is_written(const tutti_key *key, const tutti_config *config) {
  const void *field = (const char *)config + key->offset;
  char buffer[TUTTI_VALUE_BYTES];
  if (tutti_config_key_unused(key, config)) return false;
  if (is_list(key)) return tutti_config_value_n_parts(key, config) > 0;
  // the update rule does not take this number or switch
  if (key->type == TUTTI_KEY_REAL) return !isnan(*(const double *)field);
  if (key->type == TUTTI_KEY_SWITCH && strcmp(key->section, "optimizer") == 0) return *(const bool *)field;
  return tutti_config_value_part(key, config, 0, buffer)[0] != '\0';
}

/** Write one key.  A resumed run must not start from the other checkpoint again, so run.resume gets its default. */
static void write_key(const tutti_key *key, const tutti_config *config, FILE *out) {
  char buffer[TUTTI_VALUE_BYTES];
  const int64_t n = tutti_config_value_n_parts(key, config);
  const bool list = is_list(key);
  fprintf(out, "  %s:%s", key->name, list ? "\n" : " ");
  if (key->type == TUTTI_KEY_AXES) {
    tutti_config_axes_write(&config->study, 4, out);
    return;
  }
  if (key->type == TUTTI_KEY_RESUME) {
    fprintf(out, "%s\n", key->fallback);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    if (list) fputs("    - ", out);
    tutti_config_quote_yaml(tutti_config_value_part(key, config, i, buffer), out);
    fputc('\n', out);
  }
}

/** If a study varies the update rule, each trial has the defaults of its own rule: show the options before they are
 * resolved. */
static tutti_config with_defaults_left(const tutti_config *config) {
  tutti_config shown = *config;
  for (int64_t i = 0; i < config->study.n_axes; i++)
    if (strcmp(config->study.axes[i].key, "optimizer.name") == 0) shown.optimizer = config->written;
  return shown;
}

/** The order is that of the list of keys, so that two dumps can be compared line by line. */
tutti_status tutti_config_dump(const tutti_config *config, char **text) {
  const tutti_config shown = with_defaults_left(config); // borrows
  const char *section = "";
  tutti_config_stream stream;
  *text = NULL;
  TUTTI_TRY(tutti_config_stream_open(&stream));
  fputs(TUTTI_CONFIG_MARK "\n", stream.out);
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    if (!is_written(key, &shown)) continue;
    if (strcmp(section, key->section) != 0) fprintf(stream.out, "%s:\n", key->section);
    section = key->section;
    write_key(key, &shown, stream.out);
  }
  return tutti_config_stream_close(&stream, TUTTI_OK, text);
}
