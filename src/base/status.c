/** The codes of failures and the text and trace of the last failure of each thread.  TUTTI_FAIL, TUTTI_CHECK and
 * TUTTI_TRY of base.h end here. */
#include "tutti/base.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 2048, TRACE_BYTES = 4096 };

// Per thread, so that failures on several threads do not mix.
static _Thread_local char last_text[TEXT_BYTES];
static _Thread_local char last_trace[TRACE_BYTES];

int tutti_status_exit(tutti_status status) {
  static const int exit_of[] = {
#define X(code, exit_status, sentence) exit_status,
      TUTTI_STATUS_LIST(X)
#undef X
  };
  return status >= 0 && status < TUTTI_N_STATUS ? exit_of[status] : 70;
}

const char *tutti_status_sentence(tutti_status status) {
  static const char *const sentence_of[] = {
#define X(code, exit_status, sentence) sentence,
      TUTTI_STATUS_LIST(X)
#undef X
  };
  return status >= 0 && status < TUTTI_N_STATUS ? sentence_of[status] : "internal error";
}

tutti_status tutti_fail(tutti_status status, const char *function, const char *file, int line,
                        const char *format, ...) {
  // The arguments may point into last_text (an error that quotes the one below it).
  char text[TEXT_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  memcpy(last_text, text, sizeof text);
  last_trace[0] = '\0';
  tutti_fail_pass(function, file, line);
  return status;
}

/** A full trace keeps its first frames, which are the closest to the failure. */
void tutti_fail_pass(const char *function, const char *file, int line) {
  const size_t used = strlen(last_trace);
  snprintf(last_trace + used, sizeof last_trace - used, "at %s (%s:%d)\n", function, file, line);
}

const char *tutti_fail_text(void) {
  return last_text;
}

const char *tutti_fail_trace(void) {
  return last_trace;
}

/** The text may be the last one itself, if the rank agrees on its own failure. */
void tutti_fail_set_text(const char *text) {
  if (text != last_text) snprintf(last_text, sizeof last_text, "%s", text);
}

tutti_status tutti_to_int(int64_t n, const char *what, int *out) {
  if (n < INT_MIN || n > INT_MAX)
    TUTTI_FAIL(TUTTI_ERR_INTERNAL, "%s is %lld, more than the %d that one call takes", what, (long long)n,
               INT_MAX);
  *out = (int)n;
  return TUTTI_OK;
}
