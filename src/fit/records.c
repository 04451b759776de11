/** Tables whose last columns are the varied keys of a study: /trials, /confirm, /best and /best_at_budget.
 *
 * A record is a struct with the fixed columns, followed by cells of 8 bytes: for each varied key a double, or an int64
 * index of its texts, and then three estimates of each key of numbers if the table has estimates. */
#include "fit/records_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/** The columns of the file, and how long a record is. */
typedef struct {
  tutti_column *columns; // [n_columns]
  int n_columns;
  size_t head_bytes, bytes; // of the struct, and of a record
  tutti_texts names;        // of the columns of estimates
} layout;

static bool has_texts(const tutti_trial_set *set, int k) {
  return set->texts && set->texts[k].n > 0;
}

static void layout_clear(layout *l) {
  tutti_texts_clear(&l->names);
  tutti_free(l->columns);
}

static void add_column(layout *l, const char *name, tutti_type type) {
  l->columns[l->n_columns++] = (tutti_column){name, type, l->bytes};
  l->bytes += sizeof(double);
}

/** Add the columns of the members of a tutti_estimate, in their order. */
static tutti_status add_estimates(layout *l, const char *key) {
  static const char *const ends[] = {"", "_low", "_high"};
  const size_t bytes = strlen(key) + sizeof "model__high";
  for (int e = 0; e < 3; e++) {
    char *name = tutti_texts_add_room(&l->names, (int64_t)bytes);
    if (!name) return TUTTI_ERR_MEMORY;
    snprintf(name, bytes, "model_%s%s", key, ends[e]);
    add_column(l, name, TUTTI_F64);
  }
  return TUTTI_OK;
}

static tutti_status layout_create(const tutti_record_table *table, const tutti_trial_set *set,
                                  bool with_estimates, layout *l) {
  const int n = set->n_varied;
  int n_fixed = 0;
  while (table->columns[n_fixed].name) n_fixed++;
  TUTTI_TRY(TUTTI_NEW(l->columns, n_fixed + 4 * n));
  for (int i = 0; i < n_fixed; i++) add_column(l, table->columns[i].name, table->columns[i].type);
  l->head_bytes = l->bytes;
  for (int k = 0; k < n; k++) add_column(l, set->names[k], has_texts(set, k) ? TUTTI_I64 : TUTTI_F64);
  for (int k = 0; k < n && with_estimates; k++)
    if (!has_texts(set, k)) TUTTI_TRY(add_estimates(l, set->names[k]));
  return TUTTI_OK;
}

// --- a row and its record

/** Copy `bytes` of a row to its record, or back.  @return the end in the record */
static char *move(void *row, char *record, size_t bytes, bool back) {
  memcpy(back ? row : record, back ? record : row, bytes);
  return record + bytes;
}

/** Copy the index of a text to a record, or back.  It is -1 in the file if there is no setting, or if the branch does
 * not vary the key. */
static char *move_index(double *value, char *record, bool back) {
  int64_t index = isfinite(*value) ? (int64_t)*value : -1;
  char *const end = move(&index, record, sizeof index, back);
  if (back) *value = index < 0 ? NAN : (double)index;
  return end;
}

/** Copy row i to its record, or back. */
static void move_row(const layout *l, const tutti_trial_set *set, const tutti_records *rows, int64_t i,
                     char *record, bool back) {
  const int64_t first = i * set->n_varied;
  record = move((char *)rows->heads + (size_t)i * l->head_bytes, record, l->head_bytes, back);
  for (int k = 0; k < set->n_varied; k++) {
    double *value = &rows->varied[first + k];
    record = has_texts(set, k) ? move_index(value, record, back) : move(value, record, sizeof *value, back);
  }
  for (int k = 0; k < set->n_varied && rows->estimates; k++)
    if (!has_texts(set, k)) record = move(&rows->estimates[first + k], record, sizeof *rows->estimates, back);
}

// --- all rows

static tutti_status write_texts(tutti_file *file, const char *name, const tutti_trial_set *set) {
  for (int k = 0; k < set->n_varied; k++)
    if (has_texts(set, k))
      TUTTI_TRY(tutti_file_set_texts(file, name, set->names[k], (const char *const *)set->texts[k].list,
                                     set->texts[k].n));
  return TUTTI_OK;
}

tutti_status tutti_fit_records_write(tutti_file *file, const tutti_record_table *table,
                                     const tutti_trial_set *set, const tutti_records *rows) {
  tutti_status status = TUTTI_OK;
  char *records = NULL;
  layout l = {0};
  TUTTI_TRY_GOTO(done, layout_create(table, set, rows->estimates != NULL, &l));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(records, rows->n * (int64_t)l.bytes));
  for (int64_t i = 0; i < rows->n; i++) move_row(&l, set, rows, i, records + (size_t)i * l.bytes, false);
  TUTTI_TRY_GOTO(done,
                 tutti_table_replace(file, table->name, l.columns, l.n_columns, l.bytes, records, rows->n));
  TUTTI_TRY_GOTO(done, write_texts(file, table->name, set));
done:
  layout_clear(&l);
  tutti_free(records);
  return status;
}

/** Allocate the rows with the values that columns have if a file lacks them. */
static tutti_status make_rows(const void *missing, size_t head_bytes, int n_varied, bool with_estimates,
                              tutti_records *rows) {
  const int64_t n_values = rows->n * n_varied;
  rows->heads = tutti_calloc(rows->n, head_bytes);
  if (!rows->heads) return TUTTI_ERR_MEMORY;
  for (int64_t i = 0; i < rows->n && missing; i++)
    memcpy((char *)rows->heads + (size_t)i * head_bytes, missing, head_bytes);
  TUTTI_TRY(TUTTI_NEW(rows->varied, n_values));
  if (with_estimates) TUTTI_TRY(TUTTI_NEW(rows->estimates, n_values));
  for (int64_t i = 0; i < n_values; i++) {
    rows->varied[i] = NAN;
    if (with_estimates) rows->estimates[i] = (tutti_estimate){NAN, NAN, NAN};
  }
  return TUTTI_OK;
}

tutti_status tutti_fit_records_read(const tutti_file *file, const tutti_record_table *table,
                                    const tutti_trial_set *set, bool with_estimates, tutti_records *rows) {
  tutti_status status = TUTTI_OK;
  char *records = NULL;
  layout l = {0};
  *rows = (tutti_records){0};
  int unused = 0;
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, table->name, &rows->n));
  TUTTI_TRY_GOTO(done,
                 tutti_to_int(rows->n, "the number of rows", &unused)); // a damaged file may have any number
  TUTTI_TRY_GOTO(done, layout_create(table, set, with_estimates, &l));
  TUTTI_TRY_GOTO(done, make_rows(table->missing, l.head_bytes, set->n_varied, with_estimates, rows));
  if (rows->n == 0 && !table->is_required) goto done;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(records, rows->n * (int64_t)l.bytes));
  for (int64_t i = 0; i < rows->n; i++) move_row(&l, set, rows, i, records + (size_t)i * l.bytes, false);
  TUTTI_TRY_GOTO(done,
                 tutti_table_read(file, table->name, l.columns, l.n_columns, l.bytes, 0, rows->n, records));
  for (int64_t i = 0; i < rows->n; i++) move_row(&l, set, rows, i, records + (size_t)i * l.bytes, true);
done:
  layout_clear(&l);
  tutti_free(records);
  if (status != TUTTI_OK) tutti_fit_records_clear(rows);
  return status;
}

void tutti_fit_records_clear(tutti_records *rows) {
  tutti_free(rows->heads);
  tutti_free(rows->varied);
  tutti_free(rows->estimates);
  *rows = (tutti_records){0};
}
