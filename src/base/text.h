#pragma once
/** Small text helpers shared by the parsers.  Local, no allocation. */
#include <stdbool.h>

#include "tutti/base.h"

/** The name of `names` [n] whose words begin with the letters of `given` ("lr" is learning_rate), else one
 * that is equal but for the case of letters, else the nearest to it by edits of letters, or NULL where none is near enough to be what was meant (more than a
 * third of the letters differ). */
const char *tutti_text_nearest(const char *given, const char *const *names, int n);

/** The whole of `text` as a finite number / an integer, in decimal digits and without blanks; false where it
 * is not one or does not fit. */
bool tutti_text_real(const char *text, double *value);
bool tutti_text_integer(const char *text, int64_t *value);

/** The shortest decimal form of `value` that reads back as the same number, into `buffer`, which is returned;
 * 32 bytes hold any. */
char *tutti_text_print_real(char *buffer, size_t bytes, double value);

/** Append to a buffer of `bytes` that already holds text; what does not fit is cut. */
void tutti_text_append(char *buffer, size_t bytes, const char *format, ...) TUTTI_PRINTF(3, 4);

/** Put ? in the place of control characters but newline and tab, of ASCII and of UTF-8: what a file holds must not
 * steer the terminal.  @return text */
char *tutti_text_tame(char *text);

/** Append to a list of names: "a" becomes "a, name".  What does not fit is cut. */
void tutti_text_append_name(char *buffer, size_t bytes, const char *name);

/** "a, b, c" from `names` [n] into `buffer`, which is returned. */
char *tutti_text_list(char *buffer, size_t bytes, const char *const *names, int n);

/** "a, b or c".  @return buffer, cut where it is full */
char *tutti_text_choice(char *buffer, size_t bytes, const char *const *names, int n);
