/** The choice of a name from a list.  The parsers of configs, command lines, layers and data files call it, so that a
 * misspelt word gets the same help everywhere: the name that was probably meant, and all names.  "Probably" is by the
 * number of edits between two words (Damerau, "A technique for computer detection and correction of spelling errors",
 * 1964). */
#include "base/names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { MAX_LETTERS = 63, ALL_BYTES = 512 };

/** The number of edits (insert, delete, replace, swap of neighbours) that turn one word of at most MAX_LETTERS letters
 * into the other: the optimal string alignment distance, row by row. */
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

const char *tutti_name_nearest(const char *given, const char *const *names, int n) {
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

int tutti_name_find(const char *given, const char *const *names, int n) {
  for (int i = 0; i < n; i++)
    if (strcmp(given, names[i]) == 0) return i;
  return -1;
}

const char *tutti_name_hint(const char *name, char text[TUTTI_HINT_BYTES]) {
  text[0] = '\0';
  if (name) snprintf(text, TUTTI_HINT_BYTES, " (did you mean %.100s?)", name);
  return text;
}

tutti_status tutti_name_choose(const tutti_choice *from, const char *given, tutti_status code,
                               const char *place, int *index) {
  char quoted[TUTTI_QUOTE_BYTES], hint[TUTTI_HINT_BYTES], all[ALL_BYTES];
  *index = tutti_name_find(given, from->names, from->n);
  TUTTI_CHECK(*index >= 0, code, "%s%s%s is not %s%s; expected one of: %s", place, place[0] ? ": " : "",
              tutti_quote(given, quoted), from->what,
              tutti_name_hint(tutti_name_nearest(given, from->names, from->n), hint),
              tutti_text_list(all, sizeof all, from->names, from->n));
  return TUTTI_OK;
}
