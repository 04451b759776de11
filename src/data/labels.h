#pragma once
/** What the labels of an import are: class ids with names, or real numbers.  Local. */
#include <stdbool.h>

#include "data/array.h"
#include "tutti/data.h"

enum { TUTTI_MAX_CLASSES = 65536 }; // of an import

/** The labels as they stand in the file, in order of rows. */
typedef struct {
  tutti_array text;  // of char, each with its NUL
  tutti_array items; // of {where in `text`, line of the file}
} tutti_label_texts;

void tutti_label_texts_init(tutti_label_texts *texts);
void tutti_label_texts_free(tutti_label_texts *texts);
TUTTI_NODISCARD
tutti_status tutti_label_texts_add(tutti_label_texts *texts, const char *text, int64_t line);

typedef struct {
  int64_t n;
  int n_classes;      // 0: a regression
  float *values;      // [n] class ids in [0, n_classes), or the numbers themselves
  const char **names; // [n_classes], owned together with name_text
  char *name_text;
} tutti_labels;

/** Decide by the rule of tutti_import_kind and number the classes.
 * @param[in] place  "iris.csv, column 'species'" for messages
 * @return ERR_DATA with the line of the label that does not fit; a single class; too many.  Free with
 * tutti_labels_free. */
TUTTI_NODISCARD
tutti_status tutti_labels_make(const tutti_label_texts *texts, tutti_import_kind kind, const char *place,
                               tutti_labels *labels);
void tutti_labels_free(tutti_labels *labels);
