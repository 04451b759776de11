#pragma once
/** The CPU quota of a cgroup. */

/** Local.  CPU time that the cgroups of this process allow, in cores: for example 1.5 with a quota of 150 ms per 100
 * ms, which `docker --cpus=1.5` sets.  All processes of the cgroup share it.
 * @param[in] root  "" for /proc and /sys of the system; else the folder that contains proc/ and sys/, for tests
 * @return 0 if there is no limit */
double tutti_machine_quota(const char *root);
