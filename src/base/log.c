/** Lines on standard error with the name of the program and the rank.  All rooms report through it, because library
 * code does not print. */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

static tutti_log_level max_level = TUTTI_LOG_INFO;
static int log_rank, log_size = 1;

enum { TEXT_BYTES = 2048 };

void tutti_log_set_level(tutti_log_level level) {
  max_level = level;
}

void tutti_log_set_rank(int rank, int size) {
  log_rank = rank;
  log_size = size;
}

int tutti_log_rank(void) {
  return log_rank;
}

/** Print with one fputs, so that lines of several ranks do not mix. */
static void print_text(tutti_log_level level, const char *text) {
  static const char *const word[] = {"error: ", "warning: ", "", ""};
  char line[2200], where[32] = "";
  if (log_size > 1 && log_rank > 0) snprintf(where, sizeof where, "rank %d: ", log_rank);
  snprintf(line, sizeof line, "tutti: %s%s%s\n", word[level], where, text);
  fputs(tutti_text_tame(line), stderr);
}

/** Whether the text is among the last ones that were printed once.  It is from now on. */
static bool was_printed(const char *text) {
  enum { N_KEPT = 64 };
  static uint64_t printed[N_KEPT];
  static int next;
  const uint64_t hash = tutti_hash(0, text, (int64_t)strlen(text));
  for (int i = 0; i < N_KEPT; i++)
    if (printed[i] == hash) return true;
  printed[next] = hash;
  next = (next + 1) % N_KEPT;
  return false;
}

/** @param[in] once  drop a text that was printed before */
static void report(tutti_log_level level, bool once, const char *format, va_list arguments) {
  char text[TEXT_BYTES];
  if (level > max_level) return;
  vsnprintf(text, sizeof text, format, arguments);
  if (!once || !was_printed(text)) print_text(level, text);
}

void tutti_log(tutti_log_level level, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  report(level, false, format, arguments);
  va_end(arguments);
}

/** A rank that is not 0 does not even write the text. */
void tutti_log_root(tutti_log_level level, const char *format, ...) {
  if (log_rank != 0) return;
  va_list arguments;
  va_start(arguments, format);
  report(level, false, format, arguments);
  va_end(arguments);
}

void tutti_log_once(tutti_log_level level, const char *format, ...) {
  if (log_rank != 0) return;
  va_list arguments;
  va_start(arguments, format);
  report(level, true, format, arguments);
  va_end(arguments);
}
