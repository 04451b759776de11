#pragma once
/** Tables whose last columns are the varied keys of a study.  Local. */
#include "tutti/fit.h"

/** A table, whose records have `head_bytes` for the fixed columns and then 8 bytes per varied key. */
typedef struct {
  const char *name;            // "/best"
  const tutti_column *columns; // [n_columns]
  int n_columns;
  size_t head_bytes;
} tutti_record_table;

/** Write or replace a table.  The values of keys that choose from texts are int64 in the file, and an attribute of the table
 * has the texts.  A table with other columns, which an earlier version wrote, is replaced too.
 * @param[in] set     names and texts of the varied keys
 * @param[in] heads   [n] structs with the fixed columns
 * @param[in] varied  [n, set->n_varied]
 * @return ERR_MEMORY, ERR_IO, ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_fit_records_write(tutti_file *file, const tutti_record_table *table,
                                     const tutti_trial_set *set, const void *heads, const double *varied,
                                     int64_t n);

/** Read all rows of a table.  Unknown columns of the file are ignored; fields without a column stay as they are.
 * @param[in]     n       tutti_table_rows of the table
 * @param[in,out] heads   [n] structs with the fixed columns
 * @param[in,out] varied  [n, set->n_varied] indices of texts as doubles
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_records_read(const tutti_file *file, const tutti_record_table *table,
                                    const tutti_trial_set *set, int64_t n, void *heads, double *varied);

/** Write /best (best_file.c).
 * @param[in] best  unchanged
 * @return as tutti_fit_records_write */
TUTTI_NODISCARD
tutti_status tutti_fit_best_table_write(tutti_file *file, const tutti_trial_set *set, tutti_best_table *best);

/** Write /best_at_budget from the curves of the file, if set->asks has a metric (at_budget.c).
 * @return as tutti_fit_budget_table_create and tutti_fit_records_write */
TUTTI_NODISCARD
tutti_status tutti_fit_budget_table_write(tutti_file *file, const tutti_trial_set *set);
