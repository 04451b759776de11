#pragma once
/** Tables whose last columns are the varied keys of a study.  Local. */
#include "tutti/fit.h"

/** One table: records of `head_bytes` with the fixed columns, then 8 bytes for each varied key. */
typedef struct {
  const char *name;            // "/best"
  const tutti_column *columns; // [n_columns]
  int n_columns;
  size_t head_bytes;
} tutti_record_table;

/** Write, or replace, the rows: heads[n] and varied[n, set->n_varied].  Keys with texts are int64 in the file, with
 * the texts as an attribute of the table.
 * A table there with other columns, of an earlier version, goes.
 * @return ERR_MEMORY, ERR_IO, ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_records_write(tutti_file *file, const tutti_record_table *table,
                                 const tutti_trial_set *set, const void *heads, const double *varied,
                                 int64_t n);

/** Read all rows; heads[n * head_bytes] and varied[n, set->n_varied], indices as doubles.  The columns of the file
 * that are not known are passed over; what the file lacks stays as it is.
 * @param[in] n  tutti_table_rows of it
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_records_read(const tutti_file *file, const tutti_record_table *table,
                                const tutti_trial_set *set, int64_t n, void *heads, double *varied);

/** /best.  The table stays as it is.  @return as tutti_records_write */
TUTTI_NODISCARD
tutti_status tutti_best_table_write(tutti_file *file, const tutti_trial_set *set, tutti_best_table *best);

/** Where set->asks has a metric, /best_at_budget from the curves of the file.  @return as tutti_budget_table_create, and as
 * tutti_records_write */
TUTTI_NODISCARD
tutti_status tutti_budget_table_write(tutti_file *file, const tutti_trial_set *set);
