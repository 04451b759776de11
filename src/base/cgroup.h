#pragma once
/** Control groups of Linux: limits that a container or a batch system sets for all processes of a job.  Local. */
#include <stdbool.h>
#include <stddef.h>

/** @param[in] folder  of one group */
typedef void (*tutti_cgroup_visit)(const char *folder, void *context);

/** Visit the groups of this process, from its own up to the mount: the limit of a group also holds for those inside it.
 * In a container only the mount is visible.
 * @param[in] root        "" for /proc and /sys of the system; else the folder that contains proc/ and sys/, for tests
 * @param[in] controller  "cpu", "memory": the folder of version 1 */
void tutti_cgroup_walk(const char *root, const char *controller, tutti_cgroup_visit visit, void *context);

/** Read the first line of a file of a group.  @return false: there is none */
bool tutti_cgroup_line(const char *folder, const char *name, char *line, int bytes);

/** The bytes that this process can still get without swapping, by the memory of the machine and by the limits of its
 * groups (proc_meminfo(5), "Control Group v2" and the memory controller of version 1).  Beyond that the system ends
 * processes instead of refusing memory.
 * @return SIZE_MAX if the system does not say */
size_t tutti_memory_available(const char *root);
