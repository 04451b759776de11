#pragma once
/** What `tutti bench` prints to standard output.  Local. */
#include "cli/command_impl.h"
#include "cli/options_impl.h"
#include "tutti/bench.h"

/** Print all tables of a report (bench_tables.c). */
void tutti_cli_print_bench(const tutti_bench_report *report, const tutti_cli_arguments *arguments);

/** What the columns mean, for the help (bench_columns.c); ended by a table without a title. */
extern const tutti_help_table tutti_cli_bench_columns[];

/** Print a table of one row, best_command and why: how to start a training in the fastest layout (bench_best.c).  The
 * command repeats what `arguments` say beyond the config. */
void tutti_cli_print_best_command(const tutti_bench_report *report, const tutti_cli_arguments *arguments);
