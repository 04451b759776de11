/** The CPU quota of a cgroup (Linux: "Control Group v2", and the cpu controller of version 1).  In a container or a
 * batch job a process may see 64 processors and get the time of two.  More threads than that are stopped in each period
 * of the quota, and the other ranks wait for them.  Thread counts, the preflight and `doctor` ask for it. */
#include "machine/quota.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 1024 };

static bool read_line(const char *folder, const char *name, char *line, int bytes) {
  char path[PATH_BYTES + 32];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (!file) return false;
  const bool read = fgets(line, bytes, file) != NULL;
  fclose(file);
  return read;
}

/** The quota of one folder, in cores; 0: no limit.  Version 2 has both numbers in one file, and "max 100000" means no
 * limit; version 1 has two files, and -1 means no limit. */
static double quota_of(const char *folder) {
  char line[64];
  double quota = 0, period = 0;
  // A number that cannot be read stays 0.
  if (read_line(folder, "cpu.max", line, sizeof line))
    sscanf(line, "%lf %lf", &quota, &period);
  else if (read_line(folder, "cpu.cfs_quota_us", line, sizeof line) && sscanf(line, "%lf", &quota) == 1 &&
           read_line(folder, "cpu.cfs_period_us", line, sizeof line))
    sscanf(line, "%lf", &period);
  return quota > 0 && period > 0 ? quota / period : 0;
}

/** The smallest quota from the group at `path` up to the mount: the quota of a group also limits those inside it.  In a
 * container only the mount is visible. */
static double tightest(const char *mount, const char *path, double found) {
  char folder[PATH_BYTES];
  if (snprintf(folder, sizeof folder, "%s%s", mount, path) >= (int)sizeof folder) return found;
  const size_t root = strlen(mount);
  for (;;) {
    const double quota = quota_of(folder);
    if (quota > 0 && (found == 0 || quota < found)) found = quota;
    char *slash = strrchr(folder, '/');
    if (!slash || (size_t)(slash - folder) < root || folder[root] == '\0') return found;
    *slash = '\0';
  }
}

/** Whether the list "cpu,cpuacct" names the CPU controller. */
static bool has_cpu(const char *controllers) {
  char list[128];
  snprintf(list, sizeof list, ",%s,", controllers);
  return strstr(list, ",cpu,") != NULL;
}

double tutti_machine_quota(const char *root) {
  char name[PATH_BYTES], line[PATH_BYTES], mount[PATH_BYTES];
  snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
  FILE *file = fopen(name, "r");
  if (!file) return 0;
  double quota = 0;
  while (
      fgets(line, sizeof line, file)) { // "0::/user.slice" in version 2, "4:cpu,cpuacct:/slurm" in version 1
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *path++ = '\0';
    const bool unified = controllers[1] == '\0';
    if (!unified && !has_cpu(controllers + 1)) continue;
    snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, unified ? "" : "/cpu");
    quota = tightest(mount, path, quota);
  }
  fclose(file);
  return quota;
}
