#pragma once
/** Text helpers that the parsers and the messages share.  Local, no allocation.  Each function that takes a buffer of
 * `bytes` cuts what does not fit, and ends the text with a NUL. */
#include <stdbool.h>

#include "tutti/base.h"

/** Read the whole of `text` as a number in decimal digits, without blanks.
 * @param[out] value  the number; unspecified after false
 * @return false if the text is not a number, or the number is not finite / does not fit */
bool tutti_text_real(const char *text, double *value);
bool tutti_text_integer(const char *text, int64_t *value);

/** The next word of a line of words with blanks between them.
 * @param[in,out] rest  where it is looked for; on return behind it, and a NUL ends the word
 * @return NULL: there is no more */
char *tutti_text_word(char **rest);

/** Read the whole of `text` (NULL: none) as an integer of [least, most].
 * @return false if it is not one, and *value is unchanged */
bool tutti_text_int(const char *text, int least, int most, int *value);

/** Write the shortest decimal form of `value` that reads back as the same number; 32 bytes hold any.
 * @return buffer */
char *tutti_text_print_real(char *buffer, size_t bytes, double value);

/** Append to the text in `buffer`. */
void tutti_text_append(char *buffer, size_t bytes, const char *format, ...) TUTTI_PRINTF(3, 4);

/** Append to the list of names in `buffer`: "a" becomes "a, name". */
void tutti_text_append_name(char *buffer, size_t bytes, const char *name);

/** Write "a, b, c" from names [n].  @return buffer */
char *tutti_text_list(char *buffer, size_t bytes, const char *const *names, int n);

/** Write "a, b or c".  @return buffer */
char *tutti_text_choice(char *buffer, size_t bytes, const char *const *names, int n);

/** Replace control characters other than newline and tab by '?', those of ASCII and those of UTF-8, because the content
 * of a file must not steer the terminal.  @return text */
char *tutti_text_tame(char *text);

enum { TUTTI_QUOTE_BYTES = 96 };

/** Write `text` in quotes for a message: a long text is cut, control characters become '?'.  @return buffer */
const char *tutti_quote(const char *text, char buffer[TUTTI_QUOTE_BYTES]);
