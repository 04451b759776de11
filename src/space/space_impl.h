#pragma once
/** Shared by the files of this room: from the axes of a config to the settings of each branch.  Local. */
#include "tutti/space.h"

// --- requirements.c ------------------------------------------------------------------------------

/** Check what a study needs and a training does not.
 * @return ERR_CONFIG with the key that is missing, or that was given although each trial has its own value of it */
TUTTI_NODISCARD
tutti_status tutti_space_check_requirements(const tutti_config *config);

// --- sobol.c -------------------------------------------------------------------------------------

enum { TUTTI_SOBOL_DIMENSIONS = 16 };

/** Return one coordinate of a point of Sobol's sequence, as 32 digits behind the binary point.  The first point is 0.
 * @param[in] dimension  from 0 to TUTTI_SOBOL_DIMENSIONS - 1
 * @param[in] index      number of the point, in the order of the Gray code */
uint32_t tutti_space_sobol(int dimension, uint32_t index);

// --- axis_values.c -------------------------------------------------------------------------------

/** The values that the trials of a study take of one varied key. */
typedef struct {
  char *key;
  bool is_choice;
  int64_t n;
  double *values;    // [n] numbers; of choices 0, 1, ...
  tutti_texts texts; // [n] as YAML
} tutti_space_values;

/** Return whether the axis has a finite number of values. */
bool tutti_space_is_discrete(const tutti_axis *axis);

/** List the values of a discrete axis.  Neighbours that are equal after rounding to whole numbers become one.
 * @param[out] list  owned by the caller: tutti_space_values_clear
 * @return ERR_CONFIG the axis has neither a list nor points; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_space_values_create(const tutti_axis *axis, tutti_space_values *list);

/** Take values of a range at given places.
 * @param[in]  u     [n] places on the scale of the range, from 0 to 1
 * @param[out] list  owned by the caller: tutti_space_values_clear
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_space_values_draw(const tutti_axis *axis, const double *u, int64_t n,
                                     tutti_space_values *list);

/** Free what the list owns; zero it. */
void tutti_space_values_clear(tutti_space_values *list);

// --- settings.c ----------------------------------------------------------------------------------

/** The settings of one branch: values of the keys that it varies, without train.batch_size.  A study tries all of them
 * at every batch size. */
typedef struct {
  tutti_space_values *columns; // [n_columns]
  int n_columns;
  int64_t n;
  int64_t *indices; // [n, n_columns] into the values of the columns
} tutti_space_settings;

/** Return whether this is the axis of the batch sizes, which are not part of a setting. */
bool tutti_space_is_batch_size(const tutti_axis *axis);

/** Make the settings of a branch.  They do not depend on other branches.  A branch that varies no key has one setting,
 * whatever the search is.
 * @param[in]  branch    0 if the study has no branches
 * @param[out] settings  owned by the caller: tutti_space_settings_clear
 * @return ERR_CONFIG the grid has too many settings, or more settings are wanted than there are; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_space_settings_create(const tutti_study_options *study, int branch, uint64_t seed,
                                         tutti_space_settings *settings);

/** Free what the settings own; zero them. */
void tutti_space_settings_clear(tutti_space_settings *settings);

// --- columns.c -----------------------------------------------------------------------------------

/** A varied key as a column of a study's tables. */
typedef struct {
  char *key;
  bool is_choice;    // its values are indices of its texts
  tutti_texts texts; // of all branches
} tutti_space_column;

/** The columns of all varied keys.  A key that several branches vary is one column. */
typedef struct {
  tutti_space_column *list; // [n] in the order of study.vary
  int n;
  int branch; // the column whose values are the branches; -1 if there are none
} tutti_space_columns;

/** Make the columns.
 * @param[in]  settings  [n_branches]
 * @param[out] columns   owned by the caller: tutti_space_columns_clear
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_space_columns_create(const tutti_study_options *study,
                                        const tutti_space_settings *settings, int n_branches,
                                        tutti_space_columns *columns);

/** Free what the columns own; zero them. */
void tutti_space_columns_clear(tutti_space_columns *columns);

/** Return the column of a varied key. */
int tutti_space_columns_find(const tutti_space_columns *columns, const char *key);

/** Return value i of a branch's own list as the column has it: a number, or the index of a text. */
double tutti_space_column_value(const tutti_space_column *column, const tutti_space_values *own, int64_t i);
