#pragma once
#include <stdint.h>

/** Local.  Seconds on a clock that never runs backwards; only differences mean something. */
double tutti_clock_s(void);

/** Local.  Seconds since 1970, which all processes of a host, and hosts that keep time, agree on. */
double tutti_clock_unix_s(void);

/** Local.  Now, as "2026-01-31T23:59:59Z". */
void tutti_clock_date(char text[21]);
