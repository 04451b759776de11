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

static tutti_status read_whole(const tutti_key *key, const char *text, int64_t *value) {
  int64_t read = 0;
  if (!key->word || strcmp(text, key->word) != 0) {
    if (!read_whole_token(text, &read)) return refuse(key, text, "is not a whole number");
    if (read < key->whole_min || read > key->whole_max) return refuse(key, text, "is out of range");
  }
  *value = read;
  return TUTTI_OK;
}

static void print_whole(const tutti_key *key, int64_t value, char *text, size_t bytes) {
  if (key->word && value == 0)
    snprintf(text, bytes, "%s", key->word);
  else
    snprintf(text, bytes, "%lld", (long long)value);
}

static bool in_range(const tutti_key *key, double value) {
  const bool above = key->above_min ? value > key->min : value >= key->min;
  const bool below = key->below_max ? value < key->max : value <= key->max;
  return above && below;
}

static tutti_status read_real(const tutti_key *key, const char *text, double *value) {
  double read = NAN;
  if (!key->word || strcmp(text, key->word) != 0) {
    if (!tutti_text_real(text, &read)) return refuse(key, text, "is not a number");
    if (!in_range(key, read)) return refuse(key, text, "is out of range");
  }
  *value = read;
  return TUTTI_OK;
}

static void print_real(const tutti_key *key, double value, char *text, size_t bytes) {
  if (key->word && isnan(value))
    snprintf(text, bytes, "%s", key->word);
  else
    tutti_text_print_real(text, bytes, value);
}

/** Why a number of this unit is not allowed; NULL: it is. */
static const char *why_not(tutti_unit unit, double value) {
  const bool is_whole = unit == TUTTI_UNIT_STEPS || unit == TUTTI_UNIT_SAMPLES;
  if (is_whole && value != floor(value)) return "is not whole";
  return value > (double)TUTTI_WHOLE_MAX ? "is too large" : NULL;
}

/** A count needs its unit: "5" alone could be steps or epochs. */
static tutti_status read_count(const tutti_key *key, const char *text, tutti_count *count) {
  tutti_count read;
  double number;
  const size_t digits = strspn(text, "0123456789+-.eE");
  if (text[digits] != '\0' && text[digits] != ' ') return refuse(key, text, "is not a count");
  if (tutti_text_real(text, &number) && number != 0) return refuse(key, text, "lacks a unit");
  if (tutti_count_parse(text, key->units, TUTTI_UNIT_STEPS, &read) != TUTTI_OK)
    return refuse(key, text, "is not a count");
  const char *why = why_not(read.unit, read.value);
  if (!why && key->above_min && read.value == 0) why = "is out of range";
  if (why) return refuse(key, text, why);
  *count = read;
  return TUTTI_OK;
}

static void print_count(tutti_count count, char *text, size_t bytes) {
  if (count.value == 0)
    snprintf(text, bytes, "0");
  else
    tutti_count_print(count, text, bytes);
}

static tutti_status read_milestones(const tutti_key *key, const char *text, tutti_milestones *counts) {
  tutti_milestones read = {0};
  if (strcmp(text, key->word) != 0 && tutti_milestones_parse(text, key->units, &read) != TUTTI_OK)
    return refuse_again(key, text);
  for (int i = 0; i < read.n; i++) {
    const char *why = why_not(read.unit, read.values[i]);
    if (why) return refuse(key, text, why);
  }
  *counts = read;
  return TUTTI_OK;
}

static void print_milestones(const tutti_key *key, const tutti_milestones *counts, char *text, size_t bytes) {
  if (counts->n == 0)
    snprintf(text, bytes, "%s", key->word);
  else
    tutti_milestones_print(counts, text, bytes);
}

static tutti_status read_budget(const tutti_key *key, const char *text, tutti_count *count) {
  int64_t whole;
  TUTTI_TRY(read_whole(key, text, &whole));
  *count = (tutti_count){(double)whole, (tutti_unit)key->units};
  return TUTTI_OK;
}

// --- words ---------------------------------------------------------------------------------------

/** 1: on, 0: off, -1: neither. */
static int on_or_off(const char *text) {
  static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
  for (int i = 0; i < 6; i++)
    if (strcasecmp(text, words[i]) == 0) return i % 2;
  return -1;
}

static tutti_status read_switch(const tutti_key *key, const char *text, bool *value) {
  const int on = on_or_off(text);
  if (on < 0) return refuse(key, text, "is neither yes nor no");
  *value = on == 1;
  return TUTTI_OK;
}

static tutti_status read_choice(const tutti_key *key, const char *text, void *value) {
  const int i = tutti_name_find(text, key->names, key->n_names);
  if (i < 0) return refuse(key, text, "is not known");
  memcpy(value, &i, sizeof i);
  return TUTTI_OK;
}

static const char *choice_name(const tutti_key *key, const void *value) {
  int i;
  memcpy(&i, value, sizeof i);
  TUTTI_ASSERT(i >= 0 && i < key->n_names);
  return key->names[i];
}

static tutti_status read_text(const char *text, char **value) {
  char *copy = tutti_strdup(text);
  if (!copy) return TUTTI_ERR_MEMORY;
  tutti_free(*value);
  *value = copy;
  return TUTTI_OK;
}

static tutti_status read_optional(const char *text, char **value) {
  if (strcmp(text, "none") != 0) return read_text(text, value);
  tutti_free(*value);
  *value = NULL;
  return TUTTI_OK;
}

static tutti_status read_metric(const tutti_key *key, const char *text, char **value) {
  const bool known = strcmp(text, "none") == 0 || tutti_name_find(text, key->names, key->n_names) >= 0;
  return known ? read_optional(text, value) : refuse(key, text, "is not a metric");
}

/** Read the weights of classes in their normal form, so that equal weights are equal texts. */
static tutti_status read_weights(const tutti_key *key, const char *text, char **value) {
  char *normal = NULL;
  if (strcmp(text, "none") == 0 || strcmp(text, "balanced") == 0) return read_optional(text, value);
  const tutti_status status = tutti_config_class_weights_normalise(text, &normal);
  if (status == TUTTI_ERR_CONFIG) return refuse_again(key, text);
  TUTTI_TRY(status);
  tutti_free(*value);
  *value = normal;
  return TUTTI_OK;
}

/** `no` may have all its spellings, since nobody means a path of that name. */
static tutti_status read_resume(const tutti_key *key, const char *text, char **value) {
  const int on = on_or_off(text);
  if (on == 1) return refuse(key, text, "is not a path");
  return read_text(on == 0 ? "no" : text, value);
}

// --- any key -------------------------------------------------------------------------------------

/** Whether the value is a text, of any length. */
static bool is_text(tutti_key_type type) {
  return type == TUTTI_KEY_TEXT || type == TUTTI_KEY_OPTIONAL || type == TUTTI_KEY_NAMES ||
         type == TUTTI_KEY_RESUME || type == TUTTI_KEY_WEIGHTS;
}

tutti_status tutti_config_value_read(const tutti_key *key, const char *text, tutti_config *config) {
  void *field = (char *)config + key->offset;
  const bool any_length = is_text(key->type) || key->type == TUTTI_KEY_LAYERS;
  if (!text[0]) return refuse(key, text, "is empty");
  if (!any_length && strlen(text) > MAX_BYTES) return refuse(key, text, "is too long");
  switch (key->type) {
  case TUTTI_KEY_WHOLE:
    return read_whole(key, text, field);
  case TUTTI_KEY_REAL:
    return read_real(key, text, field);
  case TUTTI_KEY_SWITCH:
    return read_switch(key, text, field);
  case TUTTI_KEY_CHOICE:
    return read_choice(key, text, field);
  case TUTTI_KEY_TEXT:
    return read_text(text, field);
  case TUTTI_KEY_OPTIONAL:
  case TUTTI_KEY_NAMES:
    return read_optional(text, field);
  case TUTTI_KEY_METRIC:
    return read_metric(key, text, field);
  case TUTTI_KEY_WEIGHTS:
    return read_weights(key, text, field);
  case TUTTI_KEY_RESUME:
    return read_resume(key, text, field);
  case TUTTI_KEY_COUNT:
    return read_count(key, text, field);
  case TUTTI_KEY_MILESTONES:
    return read_milestones(key, text, field);
  case TUTTI_KEY_BUDGET:
    return read_budget(key, text, field);
  case TUTTI_KEY_GOAL:
    return tutti_config_goal_parse(text, field);
  case TUTTI_KEY_LAYERS:
    return tutti_config_layers_read(text, config);
  case TUTTI_KEY_AXES:
    return refuse(key, text, "is not a mapping");
  case TUTTI_N_KEY_TYPES:
    break;
  }
  TUTTI_FAIL(TUTTI_ERR_INTERNAL, "%s.%s is of no known type", key->section, key->name);
}

int64_t tutti_config_value_n_parts(const tutti_key *key, const tutti_config *config) {
  if (key->type == TUTTI_KEY_LAYERS) return config->model.n_layers;
  return key->type == TUTTI_KEY_AXES ? config->study.n_axes : 1;
}

const char *tutti_config_value_part(const tutti_key *key, const tutti_config *config, int64_t i,
                                    char buffer[TUTTI_VALUE_BYTES]) {
  const void *field = (const char *)config + key->offset;
  const char *text = buffer;
  buffer[0] = '\0';
  switch (key->type) {
  case TUTTI_KEY_WHOLE:
    print_whole(key, *(const int64_t *)field, buffer, TUTTI_VALUE_BYTES);
    break;
  case TUTTI_KEY_REAL:
    print_real(key, *(const double *)field, buffer, TUTTI_VALUE_BYTES);
    break;
  case TUTTI_KEY_SWITCH:
    text = *(const bool *)field ? "yes" : "no";
    break;
  case TUTTI_KEY_CHOICE:
    text = choice_name(key, field);
    break;
  case TUTTI_KEY_TEXT:
  case TUTTI_KEY_RESUME:
    text = *(char *const *)field ? *(char *const *)field : "";
    break;
  case TUTTI_KEY_OPTIONAL:
  case TUTTI_KEY_NAMES:
  case TUTTI_KEY_METRIC:
  case TUTTI_KEY_WEIGHTS:
    text = *(char *const *)field ? *(char *const *)field : "none";
    break;
  case TUTTI_KEY_COUNT:
    print_count(*(const tutti_count *)field, buffer, TUTTI_VALUE_BYTES);
    break;
  case TUTTI_KEY_MILESTONES:
    print_milestones(key, field, buffer, TUTTI_VALUE_BYTES);
    break;
  case TUTTI_KEY_BUDGET:
    print_whole(key, (int64_t)((const tutti_count *)field)->value, buffer, TUTTI_VALUE_BYTES);
    break;
  case TUTTI_KEY_GOAL:
    tutti_config_goal_print(field, buffer, TUTTI_VALUE_BYTES);
    break;
  case TUTTI_KEY_LAYERS:
    tutti_layer_print(&config->model.layers[i], buffer, TUTTI_VALUE_BYTES);
    break;
  case TUTTI_KEY_AXES:
    text = config->study.axes[i].key;
    break;
  case TUTTI_N_KEY_TYPES:
    break;
  }
  return text;
}

void tutti_config_value_free(const tutti_key *key, tutti_config *config) {
  void *field = (char *)config + key->offset;
  if (key->type == TUTTI_KEY_AXES) tutti_config_axes_clear(&config->study);
  if (is_text(key->type) || key->type == TUTTI_KEY_METRIC || key->type == TUTTI_KEY_LAYERS) {
    void *memory;
    memcpy(&memory, field, sizeof memory);
    tutti_free(memory);
    memset(field, 0, sizeof memory);
  }
}
