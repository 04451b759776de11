#pragma once
/** The tables of `tutti bench`: tab-separated, a line of names before each, an empty line between two.  Local. */
#include "cli/options.h"
#include "tutti/bench.h"

/** What their columns are, for --help; ended by NULL. */
extern const char *const tutti_bench_columns[];

/** To standard output. */
void tutti_bench_print(const tutti_bench_report *report, const tutti_arguments *arguments);
