#pragma once
#include <stdio.h>

/** Local.  The terminal on which the user reads this process' messages: stderr's own, or that of the mpirun
 * or mpiexec which started the process here.  A launcher hands its ranks a pipe as stderr, and may hand them
 * a terminal of its own making as stdout, so that neither tells a rank what the user sees.
 * @return a line-buffered stream that the caller closes with fclose; NULL where the messages go elsewhere (a
 * file, a pipe, a batch job, another host), where the system does not tell, or without memory */
FILE *tutti_terminal_open(void);
