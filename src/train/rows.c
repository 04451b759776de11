#include "train/run.h"

#include <string.h>

static tutti_status grow(tutti_rows_list *list) {
  if (list->n < list->capacity) return TUTTI_OK;
  const int64_t capacity = list->capacity ? 2 * list->capacity : 64;
  tutti_metrics_row *rows = NULL;
  TUTTI_TRY(TUTTI_NEW(rows, capacity));
  if (list->n) memcpy(rows, list->rows, (size_t)list->n * sizeof *rows);
  tutti_free(list->rows);
  list->rows = rows;
  list->capacity = capacity;
  return TUTTI_OK;
}

void tutti_rows_append(tutti_run *run, tutti_rows_list *list, const tutti_metrics_row *row) {
  if (run->rank != 0 || run->keeps_no_rows || run->deferred != TUTTI_OK) return;
  run->deferred = grow(list);
  if (run->deferred == TUTTI_OK) list->rows[list->n++] = *row;
}
