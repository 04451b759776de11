#pragma once
/** What every test program includes: cmocka, and checks that print both values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above before it
#include <cmocka.h>

#include "tutti/base.h"

/** The call succeeds; else its text is printed. */
#define CHECK_OK(call) check_status((call), TUTTI_OK, #call, __FILE__, __LINE__)

/** The call fails with `expected`, and the text holds `part` (NULL: any). */
#define CHECK_FAILS(call, expected, part)                                                                    \
  do {                                                                                                       \
    check_status((call), (expected), #call, __FILE__, __LINE__);                                             \
    check_text_holds(part, __FILE__, __LINE__);                                                              \
  } while (0)

/** |a - b| <= tolerance; NaN is never near. */
#define CHECK_NEAR(a, b, tolerance) check_near((a), (b), (tolerance), #a " ~ " #b, __FILE__, __LINE__)

/** |a - b| <= relative * max(|a|, |b|, floor). */
#define CHECK_CLOSE(a, b, relative, floor)                                                                   \
  check_close((a), (b), (relative), (floor), #a " ~ " #b, __FILE__, __LINE__)

void check_status(tutti_status status, tutti_status expected, const char *what, const char *file, int line);
void check_text_holds(const char *part, const char *file, int line);
void check_near(double a, double b, double tolerance, const char *what, const char *file, int line);
void check_close(double a, double b, double relative, double floor, const char *what, const char *file,
                 int line);

/** A group teardown: nothing of ours is left allocated. */
int check_no_leak(void **state);
