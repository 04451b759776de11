/** The varied keys as columns of a study's tables.
 *
 * Branches may vary different keys, or the same key over different values.  The tables have one column per key, so this
 * file unites the texts of all branches.  space.c calls it once the settings of all branches exist. */
#include "space/space_impl.h"

#include <string.h>

int tutti_space_columns_find(const tutti_space_columns *columns, const char *key) {
  int c = 0;
  while (c < columns->n && strcmp(columns->list[c].key, key) != 0) c++;
  return c;
}

/** Return the index of a text, or the number of texts if the column does not have it. */
static int find_text(const tutti_space_column *column, const char *text) {
  int i = 0;
  while (i < column->texts.n && strcmp(column->texts.list[i], text) != 0) i++;
  return i;
}

/** Add those of texts[n] that the column does not have yet. */
static tutti_status add_texts(tutti_space_column *column, char *const *texts, int n) {
  for (int i = 0; i < n; i++)
    if (find_text(column, texts[i]) == column->texts.n) TUTTI_TRY(tutti_texts_add(&column->texts, texts[i]));
  return TUTTI_OK;
}

/** Add the column of a key, unless it is there.  The key of the branches brings its texts along. */
static tutti_status add_key(tutti_space_columns *columns, const tutti_axis *axis) {
  if (tutti_space_columns_find(columns, axis->key) < columns->n) return TUTTI_OK;
  tutti_space_column *column = &columns->list[columns->n];
  *column = (tutti_space_column){.is_choice = axis->kind == TUTTI_AXIS_CHOICE};
  column->key = tutti_strdup(axis->key);
  if (!column->key) return TUTTI_ERR_MEMORY;
  if (axis->branches) columns->branch = columns->n;
  columns->n++;
  return axis->branches ? add_texts(column, axis->values, axis->n_values) : TUTTI_OK;
}

tutti_status tutti_space_columns_create(const tutti_study_options *study,
                                        const tutti_space_settings *settings, int n_branches,
                                        tutti_space_columns *columns) {
  tutti_status status = TUTTI_OK;
  *columns = (tutti_space_columns){.branch = -1};
  TUTTI_TRY_GOTO(done, TUTTI_NEW(columns->list, study->n_axes));
  for (int64_t i = 0; i < study->n_axes; i++)
    if (!tutti_space_is_batch_size(&study->axes[i])) TUTTI_TRY_GOTO(done, add_key(columns, &study->axes[i]));
  for (int b = 0; b < n_branches; b++)
    for (int c = 0; c < settings[b].n_columns; c++) {
      const tutti_space_values *own = &settings[b].columns[c];
      tutti_space_column *column = &columns->list[tutti_space_columns_find(columns, own->key)];
      if (column->is_choice) TUTTI_TRY_GOTO(done, add_texts(column, own->texts.list, own->texts.n));
    }
done:
  if (status != TUTTI_OK) tutti_space_columns_clear(columns);
  return status;
}

void tutti_space_columns_clear(tutti_space_columns *columns) {
  for (int c = 0; c < columns->n; c++) {
    tutti_texts_clear(&columns->list[c].texts);
    tutti_free(columns->list[c].key);
  }
  tutti_free(columns->list);
  *columns = (tutti_space_columns){0};
}

double tutti_space_column_value(const tutti_space_column *column, const tutti_space_values *own, int64_t i) {
  return column->is_choice ? find_text(column, own->texts.list[i]) : own->values[i];
}
