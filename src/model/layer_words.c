/** The words of a layer: the fields in the table of its kind make the parser, the printer, their messages and the
 * help.  The config reads and writes layers with it, and `tutti help layers` prints the fields. */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "model/model_impl.h"

typedef tutti_layer_field field;

enum { MAX_WORDS = 16, MAX_TEXT = 256, NUMBER_BYTES = 32 };

const char *const tutti_layer_sentences[TUTTI_N_LAYER_KINDS] = {
#define X(code, word, sentence) sentence,
#include "tutti/layers.def"
};

static const field *fields_of(tutti_layer_kind kind) {
  return tutti_layer_ops_of(kind)->fields;
}

static int n_fields(tutti_layer_kind kind) {
  int n = 0;
  while (n < TUTTI_MAX_FIELDS && fields_of(kind)[n].label) n++;
  return n;
}

/** The defaults of a kind. */
static tutti_layer_spec spec_default(tutti_layer_kind kind) {
  tutti_layer_spec spec = tutti_layer_ops_of(kind)->usual;
  spec.kind = kind;
  return spec;
}

// --- reading ---------------------------------------------------------------------------------------------

/** The index of `given` in `names`, or a failure that shows the nearest name and all of them. */
static tutti_status choose(const char *text, const char *what, const char *given, const char *const *names,
                           int n, int *index) {
  char place[MAX_TEXT + 16];
  snprintf(place, sizeof place, "layer '%s'", text);
  const tutti_choice choice = {what, names, n};
  return tutti_name_choose(&choice, given, TUTTI_ERR_CONFIG, place, index);
}

static tutti_status fail_range(const char *text, const field *f, const char *word) {
  TUTTI_FAIL(TUTTI_ERR_CONFIG, "layer '%s': %s is '%s', expected %s", text, f->label, word, f->range);
}

static bool read_real(const field *f, const char *word, double *value) {
  return tutti_text_real(word, value) && *value >= f->low && *value <= f->high;
}

static bool read_count(const field *f, const char *word, int64_t *value) {
  if (!tutti_text_integer(word, value) || (f->except && *value == f->except)) return false;
  return *value >= (int64_t)f->low && *value <= (int64_t)f->high;
}

/** @param[in] yes  the value that "yes" stands for */
static bool read_flag(const char *word, bool yes, bool *value) {
  static const char *const words[] = {"no", "yes", "false", "true"};
  const int i = tutti_name_find(word, words, 4);
  *value = (i % 2 != 0) == yes;
  return i >= 0;
}

static tutti_status read_field(const char *text, const field *f, const char *word, tutti_layer_spec *spec) {
  void *value = (char *)spec + f->at;
  int i = 0;
  bool read = false;
  switch (f->type) {
  case TUTTI_WORD_REAL:
    read = read_real(f, word, value);
    break;
  case TUTTI_WORD_COUNT:
    read = read_count(f, word, value);
    break;
  case TUTTI_WORD_FLAG:
  case TUTTI_WORD_NO_FLAG:
    read = read_flag(word, f->type == TUTTI_WORD_FLAG, value);
    break;
  case TUTTI_WORD_ACTIVATION:
    TUTTI_TRY(choose(text, "an activation", word, tutti_activation_names, TUTTI_N_ACTIVATIONS, &i));
    spec->activation = (tutti_activation)i;
    return TUTTI_OK;
  case TUTTI_WORD_INITIALIZER:
    TUTTI_TRY(choose(text, "an initializer", word, tutti_model_initializer_names, TUTTI_N_INITIALIZERS, &i));
    spec->initializer = (tutti_initializer)i;
    spec->has_initializer = true;
    return TUTTI_OK;
  }
  return read ? TUTTI_OK : fail_range(text, f, word);
}

/** The field of `kind` that is known by its place and not `seen` yet; -1: there is none. */
static int next_place(tutti_layer_kind kind, const bool *seen) {
  for (int i = 0; i < n_fields(kind); i++)
    if (!fields_of(kind)[i].key && !seen[i]) return i;
  return -1;
}

/** The field with the key of "key=value". */
static tutti_status find_key(const char *text, tutti_layer_kind kind, const char *key, int *index) {
  const char *keys[TUTTI_MAX_FIELDS];
  int n = 0, at[TUTTI_MAX_FIELDS], i = 0;
  for (int f = 0; f < n_fields(kind); f++) {
    if (!fields_of(kind)[f].key) continue;
    at[n] = f;
    keys[n++] = fields_of(kind)[f].key;
  }
  TUTTI_CHECK(n > 0, TUTTI_ERR_CONFIG, "layer '%s': %s has no option '%s'", text,
              tutti_layer_kind_names[kind], key);
  char what[64];
  snprintf(what, sizeof what, "an option of %s", tutti_layer_kind_names[kind]);
  TUTTI_TRY(choose(text, what, key, keys, n, &i));
  *index = at[i];
  return TUTTI_OK;
}

/** The field that a word belongs to, and the begin of its value. */
static tutti_status find_field(const char *text, tutti_layer_kind kind, char *word, const bool *seen,
                               int *index, const char **value) {
  char *equals = strchr(word, '=');
  if (!equals) {
    *value = word;
    *index = next_place(kind, seen);
    TUTTI_CHECK(*index >= 0, TUTTI_ERR_CONFIG,
                "layer '%s': the word '%s' has no meaning here; options are written key=value", text, word);
    return TUTTI_OK;
  }
  *equals = '\0';
  *value = equals + 1;
  TUTTI_TRY(find_key(text, kind, word, index));
  TUTTI_CHECK(!seen[*index], TUTTI_ERR_CONFIG, "layer '%s': %s is given twice", text, word);
  return TUTTI_OK;
}

/** Cut `copy` at blanks into at most MAX_WORDS words. */
static int split(char *copy, char **words) {
  int n = 0;
  char *rest = NULL;
  for (char *word = strtok_r(copy, " \t", &rest); word && n < MAX_WORDS; word = strtok_r(NULL, " \t", &rest))
    words[n++] = word;
  return n;
}

/** The first word is the kind; the others are values by their place, or key=value in any order. */
tutti_status tutti_layer_parse(const char *text, tutti_layer_spec *spec) {
  char copy[MAX_TEXT], *words[MAX_WORDS];
  TUTTI_CHECK(strlen(text) < sizeof copy, TUTTI_ERR_CONFIG, "layer '%.40s...' has more than %d letters", text,
              MAX_TEXT - 1);
  memcpy(copy, text, strlen(text) + 1);
  const int n = split(copy, words);
  TUTTI_CHECK(n > 0, TUTTI_ERR_CONFIG, "a layer is empty; write one, for example 'dense 512 relu'");

  int kind = 0;
  TUTTI_TRY(choose(text, "a layer", words[0], tutti_layer_kind_names, TUTTI_N_LAYER_KINDS, &kind));
  *spec = spec_default((tutti_layer_kind)kind);
  bool seen[TUTTI_MAX_FIELDS] = {false};
  const field *fields = fields_of(spec->kind);
  for (int i = 1; i < n; i++) {
    int index = 0;
    const char *value = NULL;
    TUTTI_TRY(find_field(text, spec->kind, words[i], seen, &index, &value));
    TUTTI_TRY(read_field(text, &fields[index], value, spec));
    seen[index] = true;
  }
  for (int i = 0; i < n_fields(spec->kind); i++)
    TUTTI_CHECK(!fields[i].required || seen[i], TUTTI_ERR_CONFIG, "layer '%s': %s is missing; write '%s %s'",
                text, fields[i].label, words[0], fields[i].label);
  return TUTTI_OK;
}

// --- writing ---------------------------------------------------------------------------------------------

/** The value of a field as its word.
 * @param[out] buffer  [NUMBER_BYTES] for numbers */
static const char *word_of(const field *f, const tutti_layer_spec *spec, char *buffer) {
  const char *value = (const char *)spec + f->at;
  switch (f->type) {
  case TUTTI_WORD_REAL:
    return tutti_text_print_real(buffer, NUMBER_BYTES, *(const double *)value + 0.0); // 0 for -0
  case TUTTI_WORD_COUNT:
    snprintf(buffer, NUMBER_BYTES, "%lld", (long long)*(const int64_t *)value);
    return buffer;
  case TUTTI_WORD_FLAG:
  case TUTTI_WORD_NO_FLAG:
    return *(const bool *)value == (f->type == TUTTI_WORD_FLAG) ? "yes" : "no";
  case TUTTI_WORD_ACTIVATION:
    return tutti_activation_names[spec->activation];
  case TUTTI_WORD_INITIALIZER:
    return spec->has_initializer ? tutti_model_initializer_names[spec->initializer] : "NAME"; // the model's
  }
  return "";
}

void tutti_layer_print(const tutti_layer_spec *spec, char *text, size_t bytes) {
  const tutti_layer_spec usual = spec_default(spec->kind);
  snprintf(text, bytes, "%s", tutti_layer_kind_names[spec->kind]);
  for (int i = 0; i < n_fields(spec->kind); i++) {
    const field *f = &fields_of(spec->kind)[i];
    char ours[NUMBER_BYTES], theirs[NUMBER_BYTES];
    const char *word = word_of(f, spec, ours);
    // A default is left out, unless the kind cannot be read without the word.
    if (f->required || strcmp(word, word_of(f, &usual, theirs)) != 0)
      tutti_text_append(text, bytes, " %s%s%s", f->key ? f->key : "", f->key ? "=" : "", word);
  }
}

// --- help ------------------------------------------------------------------------------------------------

const char *tutti_layer_usage(tutti_layer_kind kind, char *text, size_t bytes) {
  const tutti_layer_spec usual = spec_default(kind);
  char number[NUMBER_BYTES];
  snprintf(text, bytes, "%s", tutti_layer_kind_names[kind]);
  for (int i = 0; i < n_fields(kind); i++) {
    const field *f = &fields_of(kind)[i];
    if (f->key)
      tutti_text_append(text, bytes, " [%s=%s]", f->key, word_of(f, &usual, number));
    else
      tutti_text_append(text, bytes, f->required ? " %s" : " [%s]", f->label);
  }
  return text;
}

const char *tutti_layer_ranges(tutti_layer_kind kind, char *text, size_t bytes) {
  text[0] = '\0';
  for (int i = 0; i < n_fields(kind); i++) {
    const field *f = &fields_of(kind)[i];
    if (f->range[0]) tutti_text_append(text, bytes, "%s%s: %s", text[0] ? "; " : "", f->label, f->range);
  }
  return text;
}
