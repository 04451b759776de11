#pragma once
/** Numbers of ranks, threads or samples to try: ascending, each once.  Local. */
#include "tutti/base.h"

enum { TUTTI_MAX_COUNTS = 48 };

typedef struct {
  int64_t values[TUTTI_MAX_COUNTS];
  int n;
} tutti_counts;

/** Put in its place; nothing where it is there, or there are TUTTI_MAX_COUNTS. */
void tutti_counts_add(tutti_counts *counts, int64_t value);

/** 1, 2, 4, ... up to `most`. */
tutti_counts tutti_counts_powers(int64_t most);
