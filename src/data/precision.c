/* Decides whether features of an import need float64: if float32 would change whole numbers, such as ids and times,
 * or make values equal.  The imports of CSV and svmlight call it for each column. */
#include <math.h>
#include <stdlib.h>

#include "base/compare.h"
#include "base/log.h"
#include "data/import_impl.h"

/** Whether float32 holds the number as it is. */
static bool is_exact(double value) {
  return (double)(float)value == value;
}

static bool is_whole(double value) {
  return value == floor(value) &&
         fabs(value) <= 9007199254740992.0; // 2^53: above it float64 cannot hold all whole numbers
}

/** Whether float32 makes many values of a column equal.  Rounding keeps the order, so such values are neighbours after
 * sorting. */
static bool merges(double *column, int64_t n) {
  int64_t distinct = 1, lost = 0;
  qsort(column, (size_t)n, sizeof *column, tutti_compare_doubles);
  for (int64_t i = 1; i < n; i++) {
    if (column[i] == column[i - 1]) continue;
    distinct++;
    lost += (float)column[i] == (float)column[i - 1];
  }
  // Twice the number that chance makes equal among the 2^23 numbers of float32 from 1 to 2.
  return (double)lost > (double)distinct * (double)distinct / (1 << 23);
}

/** Sorting is slow, so it is left out if each number is exact or one whole number already decides. */
bool tutti_import_needs_double(double *column, int64_t n) {
  bool inexact = false;
  for (int64_t i = 0; i < n; i++) {
    if (is_exact(column[i])) continue;
    if (is_whole(column[i])) return true;
    inexact = true;
  }
  return inexact && merges(column, n);
}

void tutti_import_note_double(const char *path, const char *column) {
  tutti_log(TUTTI_LOG_INFO,
            "%s: features are stored as float64, because float32 would change the numbers of column '%.60s'",
            path, column);
}
