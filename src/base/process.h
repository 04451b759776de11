#pragma once
#include <stdbool.h>

typedef struct {
  char name[64]; // of the program, cut by the system
  char state;    // as ps shows it: 'R', 'S', ..., 'Z' for one that has ended and that nobody has waited for
  long parent;
} tutti_process;

/** Local.  What the system tells of a process of this host; false where it does not, or where there is none. */
bool tutti_process_read(long pid, tutti_process *process);
