#pragma once
/** Tables whose last columns are the varied keys of a study.  Local. */
#include "tutti/fit.h"

/** The column of a member of a struct of int64_t and double. */
#define TUTTI_RECORD_COLUMN(record, member)                                                                  \
  {                                                                                                          \
#member,                                                                                                 \
        _Generic(((record *)NULL)->member, int64_t                                                           \
                 : TUTTI_I64, double                                                                         \
                 : TUTTI_F64),                                                                               \
        offsetof(record, member)                                                                             \
  }

/** A kind of table: its fixed columns, which are the members of a struct, before those of the varied keys. */
typedef struct {
  const char *name;            // "/best"
  const tutti_column *columns; // all members of the struct in their order, and then one without a name
  bool is_required;            // a file without this table is damaged; else it has no rows
  const void *missing;         // a struct with the values of columns that a file lacks; NULL: zeros
} tutti_record_table;

/** The rows of a table.  In the file, values of keys that choose from texts are int64, and an attribute has the
 * texts. */
typedef struct {
  int64_t n;
  void *heads;    // [n] structs with the fixed columns
  double *varied; // [n, set->n_varied]
  tutti_estimate *
      estimates; // [n, set->n_varied] model_KEY, model_KEY_low and model_KEY_high of each key of numbers, NAN if
                 // the file lacks them; NULL: the table has no such columns
} tutti_records;

/** Write or replace a table.  A table with other columns, which an earlier version wrote, is replaced too.
 * @param[in] set   names and texts of the varied keys
 * @param[in] rows  unchanged
 * @return ERR_MEMORY, ERR_IO, ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_fit_records_write(tutti_file *file, const tutti_record_table *table,
                                     const tutti_trial_set *set, const tutti_records *rows);

/** Read all rows of a table; Unknown columns of the file are ignored.
 * @param[in]  with_estimates  else rows->estimates is NULL
 * @param[out] rows  owned by the caller: tutti_fit_records_clear; empty after a failure
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_records_read(const tutti_file *file, const tutti_record_table *table,
                                    const tutti_trial_set *set, bool with_estimates, tutti_records *rows);
void tutti_fit_records_clear(tutti_records *rows); // Frees what the rows own; zeroes them.

/** Write /best (best_file.c).
 * @param[in] best  unchanged
 * @return as tutti_fit_records_write */
TUTTI_NODISCARD
tutti_status tutti_fit_best_table_write(tutti_file *file, const tutti_trial_set *set, tutti_best_table *best);

/** Write /best_at_budget from the curves of the file, if set->asks has a metric (at_budget.c).
 * @return as tutti_fit_budget_table_create and tutti_fit_records_write */
TUTTI_NODISCARD
tutti_status tutti_fit_budget_table_write(tutti_file *file, const tutti_trial_set *set);
