/** Tables whose last columns are the varied keys of a study: /trials, /confirm, /best and /best_at_budget.
 *
 * A record is a struct with the fixed columns, followed by 8 bytes per varied key: a double, or an int64 index of its texts. */
#include "fit/records_impl.h"

#include <math.h>
#include <string.h>

static bool has_texts(const tutti_trial_set *set, int k) {
  return set->texts && set->texts[k].n > 0;
}

/** Make the list of columns: the fixed ones, then those of the varied keys.
 * @param[out] columns  [n_columns + n_varied] the caller frees it (tutti_free) */
static tutti_status make_columns(const tutti_record_table *table, const tutti_trial_set *set,
                                 tutti_column **columns) {
  TUTTI_TRY(TUTTI_NEW(*columns, table->n_columns + set->n_varied));
  memcpy(*columns, table->columns, (size_t)table->n_columns * sizeof **columns);
  for (int k = 0; k < set->n_varied; k++)
    (*columns)[table->n_columns + k] =
        (tutti_column){set->names[k], has_texts(set, k) ? TUTTI_I64 : TUTTI_F64,
                       table->head_bytes + (size_t)k * sizeof(double)};
  return TUTTI_OK;
}

static size_t record_bytes(const tutti_record_table *table, const tutti_trial_set *set) {
  return table->head_bytes + (size_t)set->n_varied * sizeof(double);
}

/** Put the varied values behind the fixed columns of a record. */
static void put_varied(const tutti_trial_set *set, const double *varied, char *to) {
  for (int k = 0; k < set->n_varied; k++) {
    // -1 if there is no setting, or if the branch does not vary the key.
    const int64_t index = isfinite(varied[k]) ? (int64_t)varied[k] : -1;
    const void *from = has_texts(set, k) ? (const void *)&index : (const void *)&varied[k];
    memcpy(to + (size_t)k * sizeof(double), from, sizeof(double));
  }
}

/** Take the varied values from behind the fixed columns of a record. */
static void take_varied(const tutti_trial_set *set, const char *from, double *varied) {
  for (int k = 0; k < set->n_varied; k++) {
    int64_t index;
    memcpy(&varied[k], from + (size_t)k * sizeof(double), sizeof(double));
    if (!has_texts(set, k)) continue;
    memcpy(&index, from + (size_t)k * sizeof(double), sizeof index);
    varied[k] = index < 0 ? NAN : (double)index;
  }
}

/** Make n records; the caller frees them (tutti_free). */
static tutti_status make_records(const tutti_record_table *table, const tutti_trial_set *set,
                                 const void *heads, const double *varied, int64_t n, char **records) {
  const size_t bytes = record_bytes(table, set);
  TUTTI_TRY(TUTTI_NEW(*records, n * (int64_t)bytes));
  for (int64_t i = 0; i < n; i++) {
    char *to = *records + (size_t)i * bytes;
    memcpy(to, (const char *)heads + (size_t)i * table->head_bytes, table->head_bytes);
    put_varied(set, varied + i * set->n_varied, to + table->head_bytes);
  }
  return TUTTI_OK;
}

static tutti_status write_texts(tutti_file *file, const char *name, const tutti_trial_set *set) {
  for (int k = 0; k < set->n_varied; k++)
    if (has_texts(set, k))
      TUTTI_TRY(tutti_file_set_texts(file, name, set->names[k], (const char *const *)set->texts[k].list,
                                     set->texts[k].n));
  return TUTTI_OK;
}

tutti_status tutti_fit_records_write(tutti_file *file, const tutti_record_table *table,
                                     const tutti_trial_set *set, const void *heads, const double *varied,
                                     int64_t n) {
  tutti_status status = TUTTI_OK;
  tutti_column *columns = NULL;
  char *records = NULL;
  const size_t bytes = record_bytes(table, set);
  TUTTI_TRY_GOTO(done, make_columns(table, set, &columns));
  TUTTI_TRY_GOTO(done, make_records(table, set, heads, varied, n, &records));
  TUTTI_TRY_GOTO(done, tutti_table_replace(file, table->name, columns, table->n_columns + set->n_varied,
                                           bytes, records, n));
  TUTTI_TRY_GOTO(done, write_texts(file, table->name, set));
done:
  tutti_free(columns);
  tutti_free(records);
  return status;
}

tutti_status tutti_fit_records_read(const tutti_file *file, const tutti_record_table *table,
                                    const tutti_trial_set *set, int64_t n, void *heads, double *varied) {
  tutti_status status = TUTTI_OK;
  tutti_column *columns = NULL;
  char *records = NULL;
  const size_t bytes = record_bytes(table, set);
  TUTTI_TRY_GOTO(done, make_columns(table, set, &columns));
  TUTTI_TRY_GOTO(done, make_records(table, set, heads, varied, n, &records));
  TUTTI_TRY_GOTO(done, tutti_table_read(file, table->name, columns, table->n_columns + set->n_varied, bytes,
                                        0, n, records));
  for (int64_t i = 0; i < n; i++) {
    const char *record = records + (size_t)i * bytes;
    memcpy((char *)heads + (size_t)i * table->head_bytes, record, table->head_bytes);
    take_varied(set, record + table->head_bytes, varied + i * set->n_varied);
  }
done:
  tutti_free(columns);
  tutti_free(records);
  return status;
}
