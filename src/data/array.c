/* An array that grows: import collects rows in it, because their number is known only at the end of a file. */
#include <string.h>

#include "data/import_impl.h"

enum { FIRST_CAPACITY = 64 };

tutti_status tutti_data_array_reserve(tutti_data_array *array, int64_t n) {
  if (n <= array->capacity) return TUTTI_OK;
  // Growing by half keeps the copies few and wastes less memory than doubling.
  int64_t capacity = array->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : array->capacity;
  while (capacity < n) capacity += capacity / 2;
  char *data = tutti_calloc(capacity, array->unit);
  if (!data) return TUTTI_ERR_MEMORY;
  if (array->n > 0) memcpy(data, array->data, (size_t)array->n * array->unit);
  tutti_free(array->data);
  array->data = data;
  array->capacity = capacity;
  return TUTTI_OK;
}

tutti_status tutti_data_array_add(tutti_data_array *array, const void *items, int64_t n) {
  if (n <= 0) return TUTTI_OK;
  TUTTI_TRY(tutti_data_array_reserve(array, array->n + n));
  memcpy((char *)array->data + (size_t)array->n * array->unit, items, (size_t)n * array->unit);
  array->n += n;
  return TUTTI_OK;
}

void tutti_data_array_free(tutti_data_array *array) {
  tutti_free(array->data);
  array->data = NULL;
  array->n = array->capacity = 0;
}
