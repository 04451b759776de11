#pragma once
/** Which command starts a training in the fastest layout that `tutti bench` has found.  Local; to standard output. */
#include "cli/options.h"
#include "tutti/bench.h"

/** A table of one row: best_command, why.  The command repeats what `arguments` say beyond the config. */
void tutti_bench_print_best(const tutti_bench_report *report, const tutti_arguments *arguments);
