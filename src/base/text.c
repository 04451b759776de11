/** Numbers as text and back, lists of words, and quotes.  All rooms that read a user's text or write a message call it.
 * Reading is stricter than the C library, so that a value has one meaning in configs, data files and arguments. */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** The C library also reads leading blanks, hexadecimals and words ("nan"); a user's number has none of these
 * letters. */
static bool has_only(const char *text, const char *letters) {
  return text[strspn(text, letters)] == '\0';
}

bool tutti_text_real(const char *text, double *value) {
  char *end = NULL;
  *value = strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*value) && has_only(text, "0123456789+-.eE");
}

/** errno is the only sign that a number is too large for 64 bits. */
bool tutti_text_integer(const char *text, int64_t *value) {
  char *end = NULL;
  errno = 0;
  *value = strtoll(text, &end, 10);
  return end != text && *end == '\0' && errno == 0 && has_only(text, "0123456789+-");
}

char *tutti_text_word(char **rest) {
  char *word = *rest + strspn(*rest, " ");
  if (!*word) return NULL;
  *rest = word + strcspn(word, " ");
  if (**rest) *(*rest)++ = '\0';
  return word;
}

bool tutti_text_int(const char *text, int least, int most, int *value) {
  int64_t read = 0;
  if (!text || !tutti_text_integer(text, &read) || read < least || read > most) return false;
  *value = (int)read;
  return true;
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
  for (int i = 0; i < n; i++) tutti_text_append_name(buffer, bytes, names[i]);
  return buffer;
}

char *tutti_text_choice(char *buffer, size_t bytes, const char *const *names, int n) {
  buffer[0] = '\0';
  for (int i = 0; i < n; i++)
    tutti_text_append(buffer, bytes, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", names[i]);
  return buffer;
}

/** An escape sequence in the content of a file could rewrite what the user sees. */
char *tutti_text_tame(char *text) {
  for (unsigned char *at = (unsigned char *)text; *at; at++) {
    const bool later = at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f; // the C1 controls in UTF-8, two bytes
    if (later || at[0] == 0x7f || (at[0] < ' ' && at[0] != '\n' && at[0] != '\t')) *at = '?';
    if (later) *++at = '?';
  }
  return text;
}

const char *tutti_quote(const char *text, char buffer[TUTTI_QUOTE_BYTES]) {
  enum { MAX_SHOWN = TUTTI_QUOTE_BYTES - 8 };
  size_t shown = strlen(text);
  const bool cut = shown > MAX_SHOWN;
  if (cut) shown = MAX_SHOWN;
  // The cut is not in the middle of a UTF-8 character.
  while (cut && shown > 0 && ((unsigned char)text[shown] & 0xC0) == 0x80) shown--;
  buffer[0] = '\'';
  for (size_t i = 0; i < shown; i++) {
    const unsigned char c = (unsigned char)text[i];
    buffer[i + 1] = c < 0x20 || c == 0x7F ? '?' : text[i];
  }
  strcpy(buffer + shown + 1, cut ? "...'" : "'");
  return buffer;
}
