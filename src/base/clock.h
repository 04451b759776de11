#pragma once
#include <stdint.h>

/** Local.  Seconds on a clock that never runs backwards; only differences mean something. */
double tutti_clock_s(void);

/** Local.  Now, as "2026-01-31T23:59:59Z". */
void tutti_clock_date(char text[21]);
