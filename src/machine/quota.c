/** The CPU quota of a cgroup (Linux: "Control Group v2", and the cpu controller of version 1).  In a container or a
 * batch job a process may see 64 processors and get the time of two.  More threads than that are stopped in each period
 * of the quota, and the other ranks wait for them.  Thread counts, the preflight and `doctor` ask for it. */
#include "machine/quota.h"

#include <stdio.h>

#include "base/cgroup.h"

/** The quota of one folder, in cores; 0: no limit.  Version 2 has both numbers in one file, and "max 100000" means no
 * limit; version 1 has two files, and -1 means no limit. */
static double quota_of(const char *folder) {
  char line[64];
  double quota = 0, period = 0;
  // A number that cannot be read stays 0.
  if (tutti_cgroup_line(folder, "cpu.max", line, sizeof line))
    sscanf(line, "%lf %lf", &quota, &period);
  else if (tutti_cgroup_line(folder, "cpu.cfs_quota_us", line, sizeof line) &&
           sscanf(line, "%lf", &quota) == 1 &&
           tutti_cgroup_line(folder, "cpu.cfs_period_us", line, sizeof line))
    sscanf(line, "%lf", &period);
  return quota > 0 && period > 0 ? quota / period : 0;
}

/** Keep the smallest quota. */
static void tighten(const char *folder, void *found) {
  const double quota = quota_of(folder);
  double *tightest = found;
  if (quota > 0 && (*tightest == 0 || quota < *tightest)) *tightest = quota;
}

double tutti_machine_quota(const char *root) {
  double found = 0;
  tutti_cgroup_walk(root, "cpu", tighten, &found);
  return found;
}
