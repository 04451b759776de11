/** A process of this host as /proc describes it.  terminal.c and the watchdog of par look for the launcher, and io for
 * the owners of temporary files. */
#include "base/process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

enum { MAX_ANCESTORS = 16 };

static bool is_launcher(const char *name) {
  // Open MPI 4 and 5, Slurm's and others' mpiexec; MPICH and Intel MPI put a proxy between
  static const char *const names[] = {"mpirun", "mpiexec", "orterun", "prterun", "hydra_", "pmi_proxy"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
  return false;
}

long tutti_process_launcher(void) {
  long launcher = 0, pid = getppid();
  for (int i = 0; i < MAX_ANCESTORS && pid > 1; i++) {
    tutti_process process;
    if (!tutti_process_read(pid, &process)) break;
    if (is_launcher(process.name))
      launcher = pid;
    else if (launcher != 0)
      break;
    pid = process.parent;
  }
  return launcher;
}
