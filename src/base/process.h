#pragma once
#include <stdbool.h>

typedef struct {
  char name[64]; // of the program, cut by the system
  char state;    // as ps shows it: 'R', 'S', ..., 'Z' for one that has ended but still has an entry
  long parent;
} tutti_process;

/** Local.  Read what the system says about a process of this host.  @return false if it says nothing, or there is no
 * such process */
bool tutti_process_read(long pid, tutti_process *process);

/** Local.  Return the launcher that the user started (mpirun, mpiexec, ...): the highest process of the nearest
 * unbroken chain of launchers among the ancestors of this one; 0: none. */
long tutti_process_launcher(void);
