#pragma once
#include <stdio.h>

/** Local.  Open the terminal on which the user reads the messages of this process: that of stderr, or that of the
 * mpirun or mpiexec that started the process on this host.  A launcher gives its ranks a pipe as stderr, and some
 * give them a terminal of their own as stdout, so a rank cannot know from these what the user sees.
 * @return a line-buffered stream that the caller closes with fclose; NULL if the messages go elsewhere (a file, a
 * pipe, a batch job, another host), if the system does not say, or without memory */
FILE *tutti_terminal_open(void);
