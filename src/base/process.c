/** A process of this host as /proc describes it.  terminal.c looks for the launcher with it, and the room rundir for
 * the owners of locks. */
#include "base/process.h"

#include <stdio.h>
#include <string.h>

bool tutti_process_read(long pid, tutti_process *process) {
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file) return false;
  const bool whole = fgets(line, sizeof line, file) != NULL;
  fclose(file);
  // "12 (mpirun) S 11 ...", and the name may itself hold parentheses
  char *const open = whole ? strchr(line, '(') : NULL;
  char *const end = whole ? strrchr(line, ')') : NULL;
  if (!open || !end || sscanf(end, ") %c %ld", &process->state, &process->parent) != 2) return false;
  *end = '\0';
  snprintf(process->name, sizeof process->name, "%s", open + 1);
  return true;
}
