/* Decides what the labels of an import are, by the rule of tutti_import_kind, and numbers the classes.  The imports
 * of CSV and svmlight collect the labels as texts and call it when all rows are read. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/log.h"
#include "base/text.h"
#include "data/import_impl.h"

enum { MAX_AUTO_CLASSES = 100, NUMBER_BYTES = 32 };

const char *const tutti_import_kind_names[TUTTI_N_IMPORT_KINDS] = {"auto", "classes", "regression"};

typedef struct {
  int64_t at, line;
} item;

/** The labels as numbers. */
typedef struct {
  int64_t n, n_numbers, n_whole;
  int64_t first_text; // line of the first label that is not a number; 0: all are numbers
  const char *example;
  double *values; // [n], if all labels are numbers
} survey;

// --- collecting the labels

void tutti_data_label_texts_init(tutti_label_texts *texts) {
  texts->text = TUTTI_DATA_ARRAY_OF(char);
  texts->items = TUTTI_DATA_ARRAY_OF(item);
}

void tutti_data_label_texts_free(tutti_label_texts *texts) {
  tutti_data_array_free(&texts->text);
  tutti_data_array_free(&texts->items);
}

tutti_status tutti_data_label_texts_add(tutti_label_texts *texts, const char *text, int64_t line) {
  const item new = {texts->text.n, line};
  TUTTI_TRY(tutti_data_array_add(&texts->text, text, (int64_t)strlen(text) + 1));
  return tutti_data_array_add(&texts->items, &new, 1);
}

/** Borrowed until the next label is added, since the texts may move. */
static const char *text_of(const tutti_label_texts *texts, int64_t i) {
  return (const char *)texts->text.data + ((const item *)texts->items.data)[i].at;
}

/** Read all labels as numbers, and remember the first one that is not a number. */
static void look(const tutti_label_texts *texts, survey *s) {
  for (int64_t i = 0; i < s->n; i++) {
    if (tutti_text_real(text_of(texts, i), &s->values[i])) {
      s->n_numbers++;
      s->n_whole += s->values[i] == floor(s->values[i]) && fabs(s->values[i]) < 0x1p53;
    } else if (s->first_text == 0) {
      s->first_text = ((const item *)texts->items.data)[i].line;
      s->example = text_of(texts, i);
    }
  }
}

int tutti_import_by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** Sort keys[n] of `unit` bytes and keep one of each.  @return how many remain */
static int64_t sort_unique(void *keys, int64_t n, size_t unit, int (*compare)(const void *, const void *)) {
  char *key = keys;
  qsort(keys, (size_t)n, unit, compare);
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i++) {
    if (kept > 0 && compare(key + (size_t)(kept - 1) * unit, key + (size_t)i * unit) == 0) continue;
    memmove(key + (size_t)kept++ * unit, key + (size_t)i * unit, unit);
  }
  return kept;
}

/** A single class cannot be learned.  Many different texts are probably not labels but names or comments. */
static tutti_status check_count(int64_t n_classes, tutti_import_kind kind, const char *place) {
  TUTTI_CHECK(n_classes > 1, TUTTI_ERR_DATA, "%s: every row has the same label, so there is nothing to learn",
              place);
  TUTTI_CHECK(kind == TUTTI_IMPORT_CLASSES || n_classes <= MAX_AUTO_CLASSES, TUTTI_ERR_DATA,
              "%s: %lld different texts as labels, more than %d; is this the label column? "
              "Kind 'classes' accepts them as classes",
              place, (long long)n_classes, MAX_AUTO_CLASSES);
  TUTTI_CHECK(n_classes <= TUTTI_IMPORT_MAX_CLASSES, TUTTI_ERR_DATA,
              "%s: %lld different labels, at most %d classes are possible", place, (long long)n_classes,
              TUTTI_IMPORT_MAX_CLASSES);
  return TUTTI_OK;
}

/** Make classes of numbers, in ascending order, so that 0..K-1 keep their ids. */
static tutti_status number_classes(const survey *s, const double *keys, int64_t n_classes,
                                   tutti_labels *labels) {
  for (int64_t k = 0; k < n_classes; k++) {
    char name[NUMBER_BYTES];
    snprintf(name, sizeof name, "%.17g", keys[k]);
    TUTTI_TRY(tutti_texts_add(&labels->names, name));
  }
  for (int64_t i = 0; i < s->n; i++) {
    const double *key = bsearch(&s->values[i], keys, (size_t)n_classes, sizeof *keys, tutti_compare_doubles);
    labels->values[i] = (float)(key - keys);
  }
  return TUTTI_OK;
}

/** Make classes of texts, in order of name. */
static tutti_status text_classes(const tutti_label_texts *texts, tutti_import_kind kind, const char *place,
                                 tutti_labels *labels) {
  const char **keys = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(keys, labels->n));
  for (int64_t i = 0; i < labels->n; i++) keys[i] = text_of(texts, i);
  const int64_t n_classes = sort_unique(keys, labels->n, sizeof *keys, tutti_import_by_text);
  TUTTI_TRY_GOTO(done, check_count(n_classes, kind, place));
  TUTTI_TRY_GOTO(done, tutti_texts_add_all(&labels->names, keys, (int)n_classes));
  for (int64_t i = 0; i < labels->n; i++) {
    const char *text = text_of(texts, i);
    const char **key = bsearch(&text, keys, (size_t)n_classes, sizeof *keys, tutti_import_by_text);
    labels->values[i] = (float)(key - keys);
  }
done:
  tutti_free(keys);
  return status;
}

/** Keep the numbers as labels, in float32, in which they are trained on. */
static tutti_status regression(const survey *s, const char *place, tutti_labels *labels) {
  for (int64_t i = 0; i < s->n; i++) {
    TUTTI_CHECK(fabs(s->values[i]) <= FLT_MAX, TUTTI_ERR_DATA, "%s: the label %g does not fit into float32",
                place, s->values[i]);
    labels->values[i] = (float)s->values[i];
  }
  // This sorts the values, whose order is no longer needed.
  if (tutti_import_needs_double(s->values, s->n))
    tutti_log(
        TUTTI_LOG_WARNING,
        "%s: the labels are trained on as float32, which changes them: they have too many digits; subtract "
        "an offset, for example their mean",
        place);
  return TUTTI_OK;
}

/** All labels are numbers.  Whole numbers with few different values become classes, unless the caller decides
 * otherwise. */
static tutti_status from_numbers(const survey *s, tutti_import_kind kind, const char *place,
                                 tutti_labels *labels) {
  double *keys = NULL;
  tutti_status status = TUTTI_OK;
  if (kind == TUTTI_IMPORT_REGRESSION || (kind == TUTTI_IMPORT_AUTO && s->n_whole < s->n))
    return regression(s, place, labels);
  TUTTI_TRY(TUTTI_NEW(keys, s->n));
  memcpy(keys, s->values, (size_t)s->n * sizeof *keys);
  const int64_t n_classes = sort_unique(keys, s->n, sizeof *keys, tutti_compare_doubles);
  if (kind == TUTTI_IMPORT_AUTO && n_classes > MAX_AUTO_CLASSES) {
    status = regression(s, place, labels);
  } else {
    TUTTI_TRY_GOTO(done, check_count(n_classes, kind, place));
    TUTTI_TRY_GOTO(done, number_classes(s, keys, n_classes, labels));
  }
done:
  tutti_free(keys);
  return status;
}

/** A text among real numbers is much more probably a mistake than a class. */
static tutti_status check_mixture(const survey *s, tutti_import_kind kind, const char *place) {
  const bool reals = s->n_numbers > s->n_whole;
  TUTTI_CHECK(s->first_text == 0 || kind == TUTTI_IMPORT_CLASSES || (kind == TUTTI_IMPORT_AUTO && !reals),
              TUTTI_ERR_DATA, "%s, line %lld: the label '%.40s' is not a number%s", place,
              (long long)s->first_text, s->example,
              kind == TUTTI_IMPORT_AUTO ? ", but other labels are reals; kind 'classes' takes all as names"
                                        : "");
  return TUTTI_OK;
}

// --- deciding what they are

tutti_status tutti_data_labels_create(const tutti_label_texts *texts, tutti_import_kind kind,
                                      const char *place, tutti_labels *labels) {
  survey s = {.n = texts->items.n};
  tutti_status status = TUTTI_OK;
  *labels = (tutti_labels){.n = s.n};
  TUTTI_TRY_GOTO(done, TUTTI_NEW(labels->values, s.n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(s.values, s.n));
  look(texts, &s);
  TUTTI_TRY_GOTO(done, check_mixture(&s, kind, place));
  if (s.first_text)
    TUTTI_TRY_GOTO(done, text_classes(texts, kind, place, labels));
  else
    TUTTI_TRY_GOTO(done, from_numbers(&s, kind, place, labels));
done:
  tutti_free(s.values);
  if (status != TUTTI_OK) tutti_data_labels_free(labels);
  return status;
}

void tutti_data_labels_free(tutti_labels *labels) {
  tutti_free(labels->values);
  tutti_texts_clear(&labels->names);
  *labels = (tutti_labels){0};
}
