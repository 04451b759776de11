#pragma once
/** What the varied keys are as columns of a study's tables: each key once, whichever branches vary it.  Local. */
#include "study/points.h"

typedef struct {
  char *key;
  bool is_choice;   // it has no bounds, and its values are numbers of its texts
  double low, high; // over all branches
  char **texts;     // [n_texts] of all branches
  int n_texts;
} tutti_varied_column;

typedef struct {
  tutti_varied_column *list; // [n] in the order of study.vary
  int n;
  int branch; // the column whose values are the branches; -1: there are none
} tutti_columns;

/** @param[in] points  [n_branches]
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_columns_create(const tutti_study_options *study, const tutti_points *points,
                                  int n_branches, tutti_columns *columns);

/** Frees what they own; zeroes them. */
void tutti_columns_clear(tutti_columns *columns);

/** The column of a key that is varied. */
int tutti_columns_find(const tutti_columns *columns, const char *key);

/** Value i of a branch's own list, as the column has it. */
double tutti_column_value(const tutti_varied_column *column, const tutti_axis_values *own, int64_t i);
