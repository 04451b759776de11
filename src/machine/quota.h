#pragma once

/** Local.  CPU time that the cgroups of this process leave it, in cores: 1.5 with a quota of 150 ms in 100 ms, as
 * `docker --cpus=1.5` sets it; 0: no limit.  All processes of the cgroup share it.
 * @param[in] root  "" for the system's own /proc and /sys, else a folder that stands for their parent */
double tutti_machine_quota(const char *root);
