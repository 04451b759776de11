#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void check_status(tutti_status status, tutti_status expected, const char *what, const char *file, int line) {
  if (status == expected) return;
  print_error("%s\n  gave %d (%s), expected %d (%s)\n  text: %s\n%s", what, status,
              tutti_status_sentence(status), expected, tutti_status_sentence(expected),
              status ? tutti_fail_text() : "", status ? tutti_fail_trace() : "");
  _fail(file, line);
}

void check_text_holds(const char *part, const char *file, int line) {
  if (!part || strstr(tutti_fail_text(), part)) return;
  print_error("text: %s\n  expected to hold: %s\n", tutti_fail_text(), part);
  _fail(file, line);
}

void check_near(double a, double b, double tolerance, const char *what, const char *file, int line) {
  if (fabs(a - b) <= tolerance) return;
  print_error("%s: %.17g against %.17g, tolerance %g\n", what, a, b, tolerance);
  _fail(file, line);
}

void check_close(double a, double b, double relative, double floor, const char *what, const char *file,
                 int line) {
  check_near(a, b, relative * fmax(fmax(fabs(a), fabs(b)), floor), what, file, line);
}

int check_no_leak(void **state) {
  (void)state;
  if (tutti_alloc_live() == 0) return 0;
  print_error("%lld allocations are still live\n", (long long)tutti_alloc_live());
  return 1;
}
