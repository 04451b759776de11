#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_LETTERS = 63 };

/** Edits (insert, delete, replace, swap of neighbours) between two words of at most MAX_LETTERS letters: the
 * optimal string alignment distance (Damerau 1964), row by row. */
static int distance(const char *a, const char *b) {
  const int n_a = (int)strlen(a), n_b = (int)strlen(b);
  int row[3][MAX_LETTERS + 1];
  for (int j = 0; j <= n_b; j++) row[0][j] = j;
  for (int i = 1; i <= n_a; i++) {
    int *now = row[i % 3], *above = row[(i + 2) % 3], *two_above = row[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= n_b; j++) {
      int best = above[j - 1] + (a[i - 1] != b[j - 1]);
      if (above[j] + 1 < best) best = above[j] + 1;
      if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && two_above[j - 2] + 1 < best) best = two_above[j - 2] + 1;
      now[j] = best;
    }
  }
  return row[n_a % 3][n_b];
}

/** Whether `given` is the first letters of the words of `name`: "lr" of "learning_rate". */
static bool is_initials(const char *given, const char *name) {
  bool begins = true;
  int n_words = 0;
  for (; *name; name++) {
    if (begins && *given++ != *name) return false;
    n_words += begins;
    begins = *name == '_';
  }
  return n_words > 1 && *given == '\0';
}

const char *tutti_text_nearest(const char *given, const char *const *names, int n) {
  if (strlen(given) > MAX_LETTERS) return NULL;
  for (int i = 0; i < n; i++)
    if (is_initials(given, names[i])) return names[i];
  for (int i = 0; i < n; i++)
    if (strcasecmp(given, names[i]) == 0) return names[i];
  const char *nearest = NULL;
  int best = (int)strlen(given) / 3 + 2;
  for (int i = 0; i < n; i++) {
    if (strlen(names[i]) > MAX_LETTERS) continue;
    const int d = distance(given, names[i]);
    if (d < best) {
      best = d;
      nearest = names[i];
    }
  }
  return nearest;
}

/** What the C library reads besides decimal numbers (blanks before them, hexadecimals, words) is left out. */
static bool has_only(const char *text, const char *letters) {
  return text[strspn(text, letters)] == '\0';
}

bool tutti_text_real(const char *text, double *value) {
  char *end = NULL;
  *value = strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*value) && has_only(text, "0123456789+-.eE");
}

bool tutti_text_integer(const char *text, int64_t *value) {
  char *end = NULL;
  errno = 0;
  *value = strtoll(text, &end, 10);
  return end != text && *end == '\0' && errno == 0 && has_only(text, "0123456789+-");
}

char *tutti_text_print_real(char *buffer, size_t bytes, double value) {
  // 15 digits are enough for what people write, 17 for every double.
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(buffer, bytes, "%.*g", digits, value);
    if (strtod(buffer, NULL) == value) break;
  }
  return buffer;
}

void tutti_text_append(char *buffer, size_t bytes, const char *format, ...) {
  const size_t used = strlen(buffer);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(buffer + used, bytes - used, format, arguments);
  va_end(arguments);
}

void tutti_text_append_name(char *buffer, size_t bytes, const char *name) {
  tutti_text_append(buffer, bytes, "%s%s", buffer[0] ? ", " : "", name);
}

char *tutti_text_list(char *buffer, size_t bytes, const char *const *names, int n) {
  buffer[0] = '\0';
  for (int i = 0; i < n; i++) tutti_text_append(buffer, bytes, "%s%s", i ? ", " : "", names[i]);
  return buffer;
}

char *tutti_text_choice(char *buffer, size_t bytes, const char *const *names, int n) {
  buffer[0] = '\0';
  for (int i = 0; i < n; i++)
    tutti_text_append(buffer, bytes, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", names[i]);
  return buffer;
}

char *tutti_text_tame(char *text) {
  for (unsigned char *at = (unsigned char *)text; *at; at++) {
    const bool later = at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f; // C1 in UTF-8
    if (later || at[0] == 0x7f || (at[0] < ' ' && at[0] != '\n' && at[0] != '\t')) *at = '?';
    if (later) *++at = '?';
  }
  return text;
}
