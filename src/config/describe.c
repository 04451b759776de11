/** What values a key allows, in words: for --help and for messages.  Called by value.c, parse.c and the list of keys. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "config/keys_impl.h"

static void describe_whole(const tutti_key *key, char *text, size_t bytes) {
  tutti_text_append(text, bytes, "%s%sa whole number from %lld", key->word ? key->word : "",
                    key->word ? " or " : "", (long long)key->whole_min);
  if (key->whole_max < TUTTI_WHOLE_MAX) tutti_text_append(text, bytes, " to %lld", (long long)key->whole_max);
}

static void describe_real(const tutti_key *key, char *text, size_t bytes) {
  tutti_text_append(text, bytes, "%s%sa number %s %g", key->word ? key->word : "", key->word ? " or " : "",
                    key->above_min ? "above" : "from", key->min);
  if (isfinite(key->max))
    tutti_text_append(text, bytes, " %s %g", key->below_max ? "and below" : "to", key->max);
}

static const char *units_of(const tutti_key *key, char *list, size_t bytes) {
  static const char *const units[] = {"steps", "epochs", "samples", "seconds, minutes, hours"}; // by bit
  const char *names[4];
  int n = 0;
  for (int bit = 0; bit < 4; bit++)
    if (key->units & (1u << bit)) names[n++] = units[bit];
  return tutti_text_list(list, bytes, names, n);
}

static void describe_count(const tutti_key *key, char *text, size_t bytes) {
  char list[96];
  tutti_text_append(text, bytes, "%sa number and a unit: %s", key->above_min ? "" : "0, or ",
                    units_of(key, list, sizeof list));
}

static void describe_milestones(const tutti_key *key, char *text, size_t bytes) {
  char list[96];
  tutti_text_append(text, bytes,
                    "%s, or up to %d increasing numbers and a unit, for example '10, 20, 30 epochs': %s",
                    key->word, (int)TUTTI_MAX_MILESTONES, units_of(key, list, sizeof list));
}

void tutti_config_value_describe(const tutti_key *key, char *text, size_t bytes) {
  text[0] = '\0';
  switch (key->type) {
  case TUTTI_KEY_WHOLE:
  case TUTTI_KEY_BUDGET:
    describe_whole(key, text, bytes);
    break;
  case TUTTI_KEY_REAL:
    describe_real(key, text, bytes);
    break;
  case TUTTI_KEY_SWITCH:
    tutti_text_append(text, bytes, "yes or no");
    break;
  case TUTTI_KEY_CHOICE:
    tutti_text_list(text, bytes, key->names, key->n_names);
    break;
  case TUTTI_KEY_TEXT:
    tutti_text_append(text, bytes, "%s", key->word);
    break;
  case TUTTI_KEY_OPTIONAL:
  case TUTTI_KEY_NAMES:
    tutti_text_append(text, bytes, "none, or %s", key->word);
    break;
  case TUTTI_KEY_METRIC:
    tutti_text_list(text, bytes, key->names, key->n_names);
    tutti_text_append(text, bytes, ", none");
    break;
  case TUTTI_KEY_WEIGHTS:
    tutti_text_append(
        text, bytes,
        "none, balanced, or a mapping of classes to weights of at least 0, for example {0: 1, 1: 2.5}");
    break;
  case TUTTI_KEY_RESUME:
    tutti_text_append(text, bytes, "auto, no, or the path of a checkpoint");
    break;
  case TUTTI_KEY_COUNT:
    describe_count(key, text, bytes);
    break;
  case TUTTI_KEY_MILESTONES:
    describe_milestones(key, text, bytes);
    break;
  case TUTTI_KEY_GOAL:
    tutti_text_append(text, bytes, "none, or a goal such as 'val_accuracy >= 0.97'");
    break;
  case TUTTI_KEY_LAYERS:
    tutti_text_append(text, bytes,
                      "a list of layers such as 'dense 512 relu', or the same separated by commas");
    break;
  case TUTTI_KEY_AXES:
    tutti_text_append(
        text, bytes,
        "a mapping of keys, for example 'train.batch_size: [32, 128]', 'optimizer.learning_rate: "
        "{from: 0.01, to: 1, points: 5}' (also with scale: log, linear or reverse_log), or "
        "'optimizer.name: {sgd: {KEY: VALUES}, adam: {...}}'");
    break;
  case TUTTI_N_KEY_TYPES:
    break;
  }
}
