/** What values a key allows, in words: for --help and for messages.  Called by value.c, parse.c and the list of
 * keys. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "config/keys_impl.h"

/** Texts of the types whose keys all allow the same values. */
static const char *const same[TUTTI_N_KEY_TYPES] = {
    [TUTTI_KEY_SWITCH] = "yes or no",
    [TUTTI_KEY_WEIGHTS] =
        "none, balanced, or a mapping of classes to weights of at least 0, for example {0: 1, 1: 2.5}",
    [TUTTI_KEY_RESUME] = "auto, no, or the path of a checkpoint",
    [TUTTI_KEY_GOAL] = "none, or a goal such as 'val_accuracy >= 0.97'",
    [TUTTI_KEY_LAYERS] = "a list of layers such as 'dense 512 relu', or the same separated by commas",
    [TUTTI_KEY_AXES] = "a mapping of keys, for example 'train.batch_size: [32, 128]', "
                       "'optimizer.learning_rate: {from: 0.01, to: 1, points: 5}' (also with scale: log, "
                       "linear or reverse_log), or 'optimizer.name: {sgd: {KEY: VALUES}, adam: {...}}'",
};

/** The word stands before the range: "none or a whole number from 1". */
static void describe_number(const tutti_key *key, char *text, size_t bytes) {
  if (key->word) tutti_text_append(text, bytes, "%s or ", key->word);
  if (key->type != TUTTI_KEY_REAL) {
    tutti_text_append(text, bytes, "a whole number from %lld", (long long)key->whole_min);
    if (key->whole_max < TUTTI_WHOLE_MAX)
      tutti_text_append(text, bytes, " to %lld", (long long)key->whole_max);
    return;
  }
  tutti_text_append(text, bytes, "a number %s %g", key->above_min ? "above" : "from", key->min);
  if (isfinite(key->max))
    tutti_text_append(text, bytes, " %s %g", key->below_max ? "and below" : "to", key->max);
}

/** Print a count or milestones, with the units that the key takes. */
static void describe_times(const tutti_key *key, char *text, size_t bytes) {
  static const char *const units[] = {"steps", "epochs", "samples", "seconds, minutes, hours"}; // by bit
  const char *names[4];
  char list[96];
  int n = 0;
  for (int bit = 0; bit < 4; bit++)
    if (key->units & (1u << bit)) names[n++] = units[bit];
  if (key->type == TUTTI_KEY_COUNT && key->min > 0)
    tutti_text_append(text, bytes, "0, or a number from %g and a unit", key->min);
  else if (key->type == TUTTI_KEY_COUNT)
    tutti_text_append(text, bytes, "%sa number and a unit", key->above_min ? "" : "0, or ");
  else
    tutti_text_append(text, bytes,
                      "%s, or up to %d increasing numbers and a unit, for example '10, 20, 30 epochs'",
                      key->word, (int)TUTTI_MAX_MILESTONES);
  tutti_text_append(text, bytes, ": %s", tutti_text_list(list, sizeof list, names, n));
}

/** The text of a type is printed, unless it depends on the key. */
void tutti_config_value_describe(const tutti_key *key, char *text, size_t bytes) {
  snprintf(text, bytes, "%s", same[key->type] ? same[key->type] : "");
  switch (key->type) {
  case TUTTI_KEY_WHOLE:
  case TUTTI_KEY_BUDGET:
  case TUTTI_KEY_REAL:
    describe_number(key, text, bytes);
    break;
  case TUTTI_KEY_CHOICE:
    tutti_text_list(text, bytes, key->names, key->n_names);
    break;
  case TUTTI_KEY_METRIC:
    tutti_text_list(text, bytes, key->names, key->n_names);
    tutti_text_append(text, bytes, ", none");
    break;
  case TUTTI_KEY_TEXT:
    snprintf(text, bytes, "%s", key->word);
    break;
  case TUTTI_KEY_OPTIONAL:
  case TUTTI_KEY_NAMES:
    snprintf(text, bytes, "none, or %s", key->word);
    break;
  case TUTTI_KEY_COUNT:
  case TUTTI_KEY_MILESTONES:
    describe_times(key, text, bytes);
    break;
  default:
    break;
  }
}
