/** The value of a key, read from a text and printed as a text, by the type of the key.
 *
 * What is printed reads back as the same value, so texts can be compared, dumped and used as overrides.  Called by the
 * parser, the dump, the comparison of configs, and the axes of a study. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "base/text.h"
#include "config/keys_impl.h"

enum { MAX_BYTES = 200 }; // of a value that is not a text of any length

static const double exact_max = 9007199254740992.0; // 2^53: above it, a double cannot hold every whole number

/** Fail with "'5' WHY (did you mean ...?); expected ...". */
static tutti_status refuse(const tutti_key *key, const char *text, const char *why) {
  char allowed[TUTTI_VALUE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  const char *nearest = key->n_names ? tutti_name_nearest(text, key->names, key->n_names) : NULL;
  char hint[TUTTI_HINT_BYTES];
  tutti_config_value_describe(key, allowed, sizeof allowed);
  TUTTI_FAIL(TUTTI_ERR_CONFIG, "%s %s%s; expected %s", tutti_quote(text, quoted), why,
             tutti_name_hint(nearest, hint), allowed);
}

/** Fail with the text of the last failure as the reason. */
static tutti_status refuse_again(const tutti_key *key, const char *text) {
  char why[256];
  snprintf(why, sizeof why, "is refused: %s", tutti_fail_text());
  return refuse(key, text, why);
}

// --- numbers -------------------------------------------------------------------------------------

/** Read "32", or "6e4", which is exact too. */
static bool read_whole_token(const char *text, int64_t *value) {
  double real;
  if (tutti_text_integer(text, value)) return true;
  if (!tutti_text_real(text, &real) || fabs(real) > exact_max || real != floor(real)) return false;
  *value = (int64_t)real;
  return true;
}

/** The word of the key stands for 0, which need not be in its range. */
static tutti_status read_whole(const tutti_key *key, const char *text, void *field) {
  int64_t read = 0;
  if (!key->word || strcmp(text, key->word) != 0) {
    if (!read_whole_token(text, &read)) return refuse(key, text, "is not a whole number");
    if (read < key->whole_min || read > key->whole_max) return refuse(key, text, "is out of range");
  }
  *(int64_t *)field = read;
  return TUTTI_OK;
}

/** Print the word instead of the 0 that it stands for. */
static const char *print_whole(const tutti_key *key, const void *field, char *buffer) {
  const int64_t value = *(const int64_t *)field;
  if (key->word && value == 0) return key->word;
  snprintf(buffer, TUTTI_VALUE_BYTES, "%lld", (long long)value);
  return buffer;
}

/** Whether the value is in the range of the key, whose bounds may be excluded. */
static bool in_range(const tutti_key *key, double value) {
  const bool above = key->above_min ? value > key->min : value >= key->min;
  const bool below = key->below_max ? value < key->max : value <= key->max;
  return above && below;
}

/** The word of the key stands for NAN, which means that the value is chosen later. */
static tutti_status read_real(const tutti_key *key, const char *text, void *field) {
  double read = NAN;
  if (!key->word || strcmp(text, key->word) != 0) {
    if (!tutti_text_real(text, &read)) return refuse(key, text, "is not a number");
    if (!in_range(key, read)) return refuse(key, text, "is out of range");
  }
  *(double *)field = read;
  return TUTTI_OK;
}

static const char *print_real(const tutti_key *key, const void *field, char *buffer) {
  const double value = *(const double *)field;
  return key->word && isnan(value) ? key->word : tutti_text_print_real(buffer, TUTTI_VALUE_BYTES, value);
}

/** Why a number of this unit is not allowed; NULL: it is. */
static const char *why_not(tutti_unit unit, double value) {
  const bool is_whole = unit == TUTTI_UNIT_STEPS || unit == TUTTI_UNIT_SAMPLES;
  if (is_whole && value != floor(value)) return "is not whole";
  return value > (double)TUTTI_WHOLE_MAX ? "is too large" : NULL;
}

/** A count needs its unit: "5" alone could be steps or epochs. */
static tutti_status read_count(const tutti_key *key, const char *text, void *field) {
  tutti_count read;
  double number;
  const size_t digits = strspn(text, "0123456789+-.eE");
  if (text[digits] != '\0' && text[digits] != ' ') return refuse(key, text, "is not a count");
  if (tutti_text_real(text, &number) && number != 0) return refuse(key, text, "lacks a unit");
  if (tutti_count_parse(text, key->units, TUTTI_UNIT_STEPS, &read) != TUTTI_OK)
    return refuse(key, text, "is not a count");
  const char *why = why_not(read.unit, read.value);
  const bool below = read.value == 0 ? key->above_min : read.value < key->min;
  if (!why && below) why = "is out of range";
  if (why) return refuse(key, text, why);
  *(tutti_count *)field = read;
  return TUTTI_OK;
}

/** 0 has no unit, since it is 0 in all of them. */
static const char *print_count(const tutti_key *key, const void *field, char *buffer) {
  const tutti_count count = *(const tutti_count *)field;
  (void)key;
  if (count.value == 0) return "0";
  tutti_count_print(count, buffer, TUTTI_VALUE_BYTES);
  return buffer;
}

/** The parser of milestones knows their order and unit; here only their size is left to check. */
static tutti_status read_milestones(const tutti_key *key, const char *text, void *field) {
  tutti_milestones read = {0};
  if (strcmp(text, key->word) != 0 && tutti_milestones_parse(text, key->units, &read) != TUTTI_OK)
    return refuse_again(key, text);
  for (int i = 0; i < read.n; i++) {
    const char *why = why_not(read.unit, read.values[i]);
    if (why) return refuse(key, text, why);
  }
  *(tutti_milestones *)field = read;
  return TUTTI_OK;
}

static const char *print_milestones(const tutti_key *key, const void *field, char *buffer) {
  const tutti_milestones *counts = field;
  if (counts->n == 0) return key->word;
  tutti_milestones_print(counts, buffer, TUTTI_VALUE_BYTES);
  return buffer;
}

/** The key names the unit, so its value is a number alone. */
static tutti_status read_budget(const tutti_key *key, const char *text, void *field) {
  int64_t whole = 0;
  TUTTI_TRY(read_whole(key, text, &whole));
  *(tutti_count *)field = (tutti_count){(double)whole, (tutti_unit)key->units};
  return TUTTI_OK;
}

static const char *print_budget(const tutti_key *key, const void *field, char *buffer) {
  const int64_t whole = (int64_t)((const tutti_count *)field)->value;
  return print_whole(key, &whole, buffer);
}

// --- words ---------------------------------------------------------------------------------------

/** 1: on, 0: off, -1: neither. */
static int on_or_off(const char *text) {
  static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
  for (int i = 0; i < 6; i++)
    if (strcasecmp(text, words[i]) == 0) return i % 2;
  return -1;
}

static tutti_status read_switch(const tutti_key *key, const char *text, void *field) {
  const int on = on_or_off(text);
  if (on < 0) return refuse(key, text, "is neither yes nor no");
  *(bool *)field = on == 1;
  return TUTTI_OK;
}

static const char *print_switch(const tutti_key *key, const void *field, char *buffer) {
  (void)key, (void)buffer;
  return *(const bool *)field ? "yes" : "no";
}

/** The field is an enum, which is as wide as an int (keys.c). */
static tutti_status read_choice(const tutti_key *key, const char *text, void *field) {
  const int i = tutti_name_find(text, key->names, key->n_names);
  if (i < 0) return refuse(key, text, "is not known");
  memcpy(field, &i, sizeof i);
  return TUTTI_OK;
}

static const char *print_choice(const tutti_key *key, const void *field, char *buffer) {
  int i;
  (void)buffer;
  memcpy(&i, field, sizeof i);
  TUTTI_ASSERT(i >= 0 && i < key->n_names);
  return key->names[i];
}

/** Put a text into the field, which owns it. */
static tutti_status replace(void *field, char *text) {
  char **value = field;
  tutti_free(*value);
  *value = text;
  return TUTTI_OK;
}

/** The copy is made first, so that the field keeps its value without memory. */
static tutti_status read_text(const tutti_key *key, const char *text, void *field) {
  char *copy = tutti_strdup(text);
  (void)key;
  return copy ? replace(field, copy) : TUTTI_ERR_MEMORY;
}

static tutti_status read_optional(const tutti_key *key, const char *text, void *field) {
  return strcmp(text, "none") == 0 ? replace(field, NULL) : read_text(key, text, field);
}

/** Names are checked here, since the metric of a config must not wait for the end of a training. */
static tutti_status read_metric(const tutti_key *key, const char *text, void *field) {
  const bool known = strcmp(text, "none") == 0 || tutti_name_find(text, key->names, key->n_names) >= 0;
  return known ? read_optional(key, text, field) : refuse(key, text, "is not a metric");
}

/** Read the weights of classes in their normal form, so that equal weights are equal texts. */
static tutti_status read_weights(const tutti_key *key, const char *text, void *field) {
  char *normal = NULL;
  if (strcmp(text, "none") == 0 || strcmp(text, "balanced") == 0) return read_optional(key, text, field);
  const tutti_status status = tutti_config_class_weights_normalise(text, &normal);
  if (status == TUTTI_ERR_CONFIG) return refuse_again(key, text);
  TUTTI_TRY(status);
  return replace(field, normal);
}

/** `no` may have all its spellings, since nobody means a path of that name. */
static tutti_status read_resume(const tutti_key *key, const char *text, void *field) {
  const int on = on_or_off(text);
  if (on == 1) return refuse(key, text, "is not a path");
  return read_text(key, on == 0 ? "no" : text, field);
}

static tutti_status read_goal(const tutti_key *key, const char *text, void *field) {
  (void)key;
  return tutti_config_goal_parse(text, field);
}

static const char *print_goal(const tutti_key *key, const void *field, char *buffer) {
  (void)key;
  tutti_config_goal_print(field, buffer, TUTTI_VALUE_BYTES);
  return buffer;
}

/** Axes are read from a mapping (axes_read.c). */
static tutti_status refuse_axes(const tutti_key *key, const char *text, void *field) {
  (void)field;
  return refuse(key, text, "is not a mapping");
}

// --- any key -------------------------------------------------------------------------------------

/** How values of a type are read and printed.  Layers and axes have several parts, see below. */
static const struct {
  tutti_status (*read)(const tutti_key *key, const char *text, void *field);
  const char *(*print)(const tutti_key *key, const void *field, char *buffer); // [TUTTI_VALUE_BYTES]
  // What NULL is printed as, if the field points to memory of the config; its text may have any length.
  const char *nothing;
} types[TUTTI_N_KEY_TYPES] = {
    [TUTTI_KEY_WHOLE] = {read_whole, print_whole, NULL},
    [TUTTI_KEY_REAL] = {read_real, print_real, NULL},
    [TUTTI_KEY_SWITCH] = {read_switch, print_switch, NULL},
    [TUTTI_KEY_CHOICE] = {read_choice, print_choice, NULL},
    [TUTTI_KEY_TEXT] = {read_text, NULL, ""},
    [TUTTI_KEY_OPTIONAL] = {read_optional, NULL, "none"},
    [TUTTI_KEY_NAMES] = {read_optional, NULL, "none"},
    [TUTTI_KEY_METRIC] = {read_metric, NULL, "none"},
    [TUTTI_KEY_WEIGHTS] = {read_weights, NULL, "none"},
    [TUTTI_KEY_RESUME] = {read_resume, NULL, ""},
    [TUTTI_KEY_COUNT] = {read_count, print_count, NULL},
    [TUTTI_KEY_MILESTONES] = {read_milestones, print_milestones, NULL},
    [TUTTI_KEY_BUDGET] = {read_budget, print_budget, NULL},
    [TUTTI_KEY_GOAL] = {read_goal, print_goal, NULL},
    [TUTTI_KEY_LAYERS] = {NULL, NULL, ""},
    [TUTTI_KEY_AXES] = {refuse_axes, NULL, NULL},
};

/** The length is checked first, since a message should not repeat a text of any length. */
tutti_status tutti_config_value_read(const tutti_key *key, const char *text, tutti_config *config) {
  if (!text[0]) return refuse(key, text, "is empty");
  if (!types[key->type].nothing && strlen(text) > MAX_BYTES) return refuse(key, text, "is too long");
  if (key->type == TUTTI_KEY_LAYERS) return tutti_config_layers_read(text, config);
  return types[key->type].read(key, text, (char *)config + key->offset);
}

int64_t tutti_config_value_n_parts(const tutti_key *key, const tutti_config *config) {
  if (key->type == TUTTI_KEY_LAYERS) return config->model.n_layers;
  return key->type == TUTTI_KEY_AXES ? config->study.n_axes : 1;
}

const char *tutti_config_value_part(const tutti_key *key, const tutti_config *config, int64_t i,
                                    char buffer[TUTTI_VALUE_BYTES]) {
  const void *field = (const char *)config + key->offset;
  buffer[0] = '\0';
  if (key->type == TUTTI_KEY_AXES) return config->study.axes[i].key;
  if (types[key->type].print) return types[key->type].print(key, field, buffer);
  if (key->type != TUTTI_KEY_LAYERS)
    return *(char *const *)field ? *(char *const *)field : types[key->type].nothing;
  tutti_layer_print(&config->model.layers[i], buffer, TUTTI_VALUE_BYTES);
  return buffer;
}

void tutti_config_value_free(const tutti_key *key, tutti_config *config) {
  void *field = (char *)config + key->offset, *memory;
  if (key->type == TUTTI_KEY_AXES) tutti_config_axes_clear(&config->study);
  if (!types[key->type].nothing) return;
  memcpy(&memory, field, sizeof memory);
  tutti_free(memory);
  memset(field, 0, sizeof memory);
}
