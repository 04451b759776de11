#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static tutti_log_level max_level = TUTTI_LOG_INFO;
static int log_rank, log_size = 1;

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

/** One fputs, so that lines of several ranks do not mix. */
static void print(tutti_log_level level, const char *format, va_list arguments) {
  static const char *const word[] = {"error: ", "warning: ", "", ""};
  if (level > max_level) return;
  char text[2048], line[2200], where[32] = "";
  vsnprintf(text, sizeof text, format, arguments);
  if (log_size > 1 && log_rank > 0) snprintf(where, sizeof where, "rank %d: ", log_rank);
  snprintf(line, sizeof line, "tutti: %s%s%s\n", word[level], where, text);
  fputs(tutti_text_tame(line), stderr);
}

void tutti_log(tutti_log_level level, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(level, format, arguments);
  va_end(arguments);
}

void tutti_log_root(tutti_log_level level, const char *format, ...) {
  if (log_rank != 0) return;
  va_list arguments;
  va_start(arguments, format);
  print(level, format, arguments);
  va_end(arguments);
}
