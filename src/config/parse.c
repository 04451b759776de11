/** The parser: defaults, then the file, then the command line, then the checks of the whole.
 *
 * YAML gives a tree of nodes with places; each value is read by its key (value.c), and its place is kept for messages
 * (origins.c).  Called by the commands, by checkpoints, and for each trial of a study. */
#include <stdio.h>
#include <string.h>

#include "config/axes_impl.h"
#include "config/keys_impl.h"
#include "config/origins_impl.h"
#include "config/yaml_impl.h"

// --- one value -----------------------------------------------------------------------------------

/** The place of a node in the file. */
static tutti_place place_of(const tutti_node *node) {
  return (tutti_place){TUTTI_FROM_FILE, node->line, node->column};
}

/** Read a list of layers.  In a file, each item has its own place. */
static tutti_status read_layer_list(const tutti_origins *origins, const tutti_key *key,
                                    const tutti_yaml *yaml, tutti_node list, tutti_place place,
                                    tutti_config *config) {
  TUTTI_TRY(tutti_config_layers_resize(config, list.n));
  for (int i = 0; i < list.n; i++) {
    const tutti_node item = tutti_config_yaml_item(yaml, list, i);
    const tutti_place at = tutti_config_place_of_part(place, item);
    char where[TUTTI_PLACE_BYTES];
    TUTTI_CHECK(item.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG,
                "%s: layer %d is not a line of words; expected one such as 'dense 512 relu'",
                tutti_config_place_print(origins, at, key->path, where), i + 1);
    const tutti_status status = tutti_layer_parse(item.text, &config->model.layers[i]);
    if (status != TUTTI_OK) return tutti_config_fail_at(status, origins, at, key->path);
  }
  return TUTTI_OK;
}

/** Read a list or a mapping as the text that the command line would have. */
static tutti_status read_joined(const tutti_origins *origins, const tutti_key *key, const tutti_yaml *yaml,
                                tutti_node value, tutti_place place, tutti_config *config) {
  const char *what = key->type == TUTTI_KEY_NAMES ? "name; expected one such as 'dense_1'"
                                                  : "count; expected one such as '10 epochs'";
  char *text = NULL, where[TUTTI_PLACE_BYTES];
  int bad;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(tutti_config_yaml_join(yaml, value, &bad, &text));
  tutti_config_place_print(origins, place, key->path, where);
  TUTTI_CHECK_GOTO(done, bad < 0 || key->type != TUTTI_KEY_WEIGHTS, TUTTI_ERR_CONFIG,
                   "%s: expected a number for each class, for example {0: 1, 1: 2.5}", where);
  TUTTI_CHECK_GOTO(done, bad < 0, TUTTI_ERR_CONFIG, "%s: item %d is not a %s", where, bad + 1, what);
  status = tutti_config_fail_at(tutti_config_value_read(key, text, config), origins, place, key->path);
done:
  tutti_free(text);
  return status;
}

/** Read the value of key i.  A list or a mapping suits some types only. */
static tutti_status read_value(tutti_origins *origins, int i, const tutti_yaml *yaml, tutti_node value,
                               tutti_place place, tutti_config *config) {
  static const char *const kinds[] = {"nothing", "a scalar", "a list", "a mapping"};
  const tutti_key *key = tutti_config_key_at(i);
  char where[TUTTI_PLACE_BYTES], allowed[TUTTI_VALUE_BYTES];
  origins->keys[i] = place;
  if (value.kind == TUTTI_NODE_LIST && key->type == TUTTI_KEY_LAYERS)
    return read_layer_list(origins, key, yaml, value, place, config);
  if ((value.kind == TUTTI_NODE_LIST &&
       (key->type == TUTTI_KEY_MILESTONES || key->type == TUTTI_KEY_NAMES)) ||
      (value.kind == TUTTI_NODE_MAPPING && key->type == TUTTI_KEY_WEIGHTS))
    return read_joined(origins, key, yaml, value, place, config);
  if (value.kind == TUTTI_NODE_MAPPING && key->type == TUTTI_KEY_AXES)
    return tutti_config_axes_read(origins, yaml, value, place, &config->study);
  tutti_config_value_describe(key, allowed, sizeof allowed);
  TUTTI_CHECK(value.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: the value is %s; expected %s",
              tutti_config_place_print(origins, place, key->path, where), kinds[value.kind], allowed);
  const tutti_status status = tutti_config_value_read(key, value.text, config);
  return tutti_config_fail_at(status, origins, place, key->path);
}

// --- the file ------------------------------------------------------------------------------------

/** Read "name: value" of a section.  YAML allows a name twice, where the second would win silently. */
static tutti_status read_pair(tutti_origins *origins, const char *section, const tutti_yaml *yaml,
                              tutti_node name, tutti_node value, tutti_config *config) {
  char where[TUTTI_PLACE_BYTES];
  const tutti_place place = place_of(&name);
  if (name.kind != TUTTI_NODE_SCALAR)
    TUTTI_FAIL(TUTTI_ERR_CONFIG, "%s: a key is a name",
               tutti_config_place_print(origins, place, section, where));
  const int i = tutti_config_key_find(section, name.text);
  if (i < 0)
    return tutti_config_fail_at(tutti_config_unknown_key(section, name.text), origins, place, section);
  const tutti_place before = origins->keys[i];
  TUTTI_CHECK(before.origin == TUTTI_FROM_DEFAULT, TUTTI_ERR_CONFIG,
              "%s: the key is set twice, at line %d before; keep one",
              tutti_config_place_print(origins, place, tutti_config_key_at(i)->path, where), before.line);
  return read_value(origins, i, yaml, value, place_of(&value), config);
}

/** Read a section; its place is kept, so that a second one of this name can be refused. */
static tutti_status read_section(tutti_origins *origins, const tutti_yaml *yaml, tutti_node name,
                                 tutti_node pairs, tutti_config *config) {
  char where[TUTTI_PLACE_BYTES];
  const tutti_place place = place_of(&name);
  tutti_config_place_print(origins, place, "", where);
  TUTTI_CHECK(name.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%sa section has a name", where);
  const int i = tutti_config_section_find(name.text);
  if (i < 0) {
    const tutti_status status = tutti_config_unknown_section(name.text);
    TUTTI_FAIL(status, "%s%s", where, tutti_fail_text());
  }
  TUTTI_CHECK(origins->sections[i].origin == TUTTI_FROM_DEFAULT, TUTTI_ERR_CONFIG,
              "%sthe section %s appears twice, before at line %d; put its keys together", where, name.text,
              origins->sections[i].line);
  origins->sections[i] = place;
  if (pairs.kind == TUTTI_NODE_NOTHING) return TUTTI_OK; // all its keys are commented out
  TUTTI_CHECK(pairs.kind == TUTTI_NODE_MAPPING, TUTTI_ERR_CONFIG,
              "%sthe section %s has no keys; expected lines 'key: value' under it", where, name.text);
  for (int k = 0; k < pairs.n; k++) {
    tutti_node key, value;
    tutti_config_yaml_pair(yaml, pairs, k, &key, &value);
    TUTTI_TRY(read_pair(origins, name.text, yaml, key, value, config));
  }
  return TUTTI_OK;
}

/** Read the sections of the file in their order.  An empty file is a config of defaults. */
static tutti_status read_file(tutti_origins *origins, const char *text, tutti_config *config) {
  tutti_status status = TUTTI_OK;
  tutti_yaml *yaml = NULL;
  TUTTI_TRY_GOTO(done, tutti_config_yaml_open(text, origins->file, &yaml));
  const tutti_node root = tutti_config_yaml_root(yaml);
  TUTTI_CHECK_GOTO(done, root.kind == TUTTI_NODE_MAPPING || root.kind == TUTTI_NODE_NOTHING, TUTTI_ERR_CONFIG,
                   "%s:%d:%d: this is not a config; expected sections, each with its keys, for example "
                   "'train: {epochs: 5}'",
                   origins->file, root.line, root.column);
  for (int i = 0; i < root.n; i++) {
    tutti_node name, pairs;
    tutti_config_yaml_pair(yaml, root, i, &name, &pairs);
    TUTTI_TRY_GOTO(done, read_section(origins, yaml, name, pairs, config));
  }
done:
  tutti_config_yaml_close(&yaml);
  return status;
}

// --- the command line ----------------------------------------------------------------------------

static const char vary[] = "study.vary."; // one axis as an option

/** Read one option.  Its value is YAML as well, so that lists and quotes work as in the file. */
static tutti_status read_override(tutti_origins *origins, tutti_override override, tutti_config *config) {
  tutti_status status = TUTTI_OK;
  tutti_yaml *yaml = NULL;
  char option[TUTTI_PLACE_BYTES];
  const tutti_place place = {.origin = TUTTI_FROM_OPTION};
  int i;
  const char *varied = strncmp(override.key, vary, strlen(vary)) == 0 ? override.key + strlen(vary) : NULL;
  const tutti_status found = tutti_config_key_of_path(varied ? "study.vary" : override.key, &i);
  TUTTI_CHECK(found == TUTTI_OK, found, "--%.80s: %s", override.key, tutti_fail_text());
  snprintf(option, sizeof option, "--%.120s", override.key);
  status = tutti_config_yaml_open(override.value, option, &yaml);
  TUTTI_CHECK_GOTO(done, status != TUTTI_ERR_CONFIG, status,
                   "%s; a value is YAML: special characters need quotes, inside of those of the shell",
                   tutti_fail_text());
  TUTTI_TRY_GOTO(done, status);
  const tutti_node value = tutti_config_yaml_root(yaml);
  if (varied) {
    origins->keys[i] = place;
    TUTTI_TRY_GOTO(done, tutti_config_axis_set(origins, yaml, varied, value, place, &config->study));
  } else
    TUTTI_TRY_GOTO(done, read_value(origins, i, yaml, value, place, config));
done:
  tutti_config_yaml_close(&yaml);
  return status;
}

// --- the whole -----------------------------------------------------------------------------------

/** "jobs/mnist.yaml" -> "runs/mnist". */
static void default_directory(const char *file, char *directory, size_t bytes) {
  const char *slash = file ? strrchr(file, '/') : NULL;
  const char *base = slash ? slash + 1 : file ? file : "";
  const char *dot = strrchr(base, '.');
  const bool yaml = dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
  const size_t letters = yaml ? (size_t)(dot - base) : strlen(base);
  if (letters == 0 || base[0] == '.')
    snprintf(directory, bytes, "runs/tutti");
  else
    snprintf(directory, bytes, "runs/%.*s", (int)letters, base);
}

/** Defaults are read from their texts like any other value, so that the help and the parser cannot disagree. */
static tutti_status set_defaults(const char *file, tutti_config *config) {
  char directory[4096];
  default_directory(file, directory, sizeof directory);
  config->optimizer = tutti_optim_options_default();
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    const char *fallback = key->computed ? directory : key->fallback;
    if (fallback[0]) TUTTI_TRY(tutti_config_value_read(key, fallback, config));
  }
  return TUTTI_OK;
}

/** The optimizer is resolved last, since the checks are about what the user wrote. */
tutti_status tutti_config_parse(const char *text, const char *name, const tutti_override *overrides,
                                int n_overrides, tutti_config *config) {
  tutti_status status = TUTTI_OK;
  tutti_origins origins = {.file = name ? name : text ? "config" : NULL};
  memset(config, 0, sizeof *config);
  TUTTI_TRY_GOTO(done, set_defaults(name, config));
  if (text) TUTTI_TRY_GOTO(done, read_file(&origins, text, config));
  for (int i = 0; i < n_overrides; i++) TUTTI_TRY_GOTO(done, read_override(&origins, overrides[i], config));
  TUTTI_TRY_GOTO(done, tutti_config_check(&origins, config));
  TUTTI_TRY_GOTO(done, tutti_config_study_check(&origins, config));
  TUTTI_TRY_GOTO(done, tutti_config_resolve(&origins, config));
done:
  if (status != TUTTI_OK) tutti_config_clear(config);
  return status;
}

void tutti_config_clear(tutti_config *config) {
  for (int i = 0; i < tutti_config_n_keys(); i++) tutti_config_value_free(tutti_config_key_at(i), config);
  memset(config, 0, sizeof *config);
}
