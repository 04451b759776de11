#pragma once
/** An array that grows while a file of unknown length is read.  Local. */
#include "tutti/base.h"

typedef struct {
  void *data; // [n] items of `unit` bytes
  int64_t n, capacity;
  size_t unit;
} tutti_array;

#define TUTTI_ARRAY_OF(type) ((tutti_array){.unit = sizeof(type)})

/** Room for n items in all, so that adding up to there cannot fail. */
TUTTI_NODISCARD
tutti_status tutti_array_reserve(tutti_array *array, int64_t n);

/** Append n items, copied. */
TUTTI_NODISCARD
tutti_status tutti_array_add(tutti_array *array, const void *items, int64_t n);

/** Frees the items; the array is empty and usable after it. */
void tutti_array_free(tutti_array *array);
