#pragma once
#include <stdint.h>

/** Local.  Seconds on a clock that never runs backwards; only differences have a meaning. */
double tutti_clock_s(void);

/** Local.  Seconds for which the calling thread had a processor; only differences have a meaning. */
double tutti_clock_cpu_s(void);

/** Local.  Seconds since 1970, which are the same for all processes of a host, and for hosts with synchronised
 * clocks. */
double tutti_clock_unix_s(void);

/** Local.  The date and time, for example "2026-01-31T23:59:59Z". */
void tutti_clock_date(char text[21]);
