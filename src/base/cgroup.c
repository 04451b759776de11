/** Limits of control groups.  The threads of a rank follow from the CPU quota (machine/quota.c), and shared memory is
 * compared with the limit on memory before it is used (par/segment.c). */
#include "base/cgroup.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 1024 };

static FILE *open_in(const char *folder, const char *name) {
  char path[PATH_BYTES + 32];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return fopen(path, "r");
}

bool tutti_cgroup_line(const char *folder, const char *name, char *line, int bytes) {
  FILE *file = open_in(folder, name);
  if (!file) return false;
  const bool read = fgets(line, bytes, file) != NULL;
  fclose(file);
  return read;
}

/** Visit the group at `path` and those above it, up to the mount. */
static void walk_up(const char *mount, const char *path, tutti_cgroup_visit visit, void *context) {
  char folder[PATH_BYTES];
  if (snprintf(folder, sizeof folder, "%s%s", mount, path) >= (int)sizeof folder) return;
  const size_t root = strlen(mount);
  for (;;) {
    visit(folder, context);
    char *slash = strrchr(folder, '/');
    if (!slash || (size_t)(slash - folder) < root || folder[root] == '\0') return;
    *slash = '\0';
  }
}

/** Whether the list "cpu,cpuacct" names the controller. */
static bool has_controller(const char *controllers, const char *wanted) {
  char list[128], name[32];
  snprintf(list, sizeof list, ",%s,", controllers);
  snprintf(name, sizeof name, ",%s,", wanted);
  return strstr(list, name) != NULL;
}

void tutti_cgroup_walk(const char *root, const char *controller, tutti_cgroup_visit visit, void *context) {
  char name[PATH_BYTES], line[PATH_BYTES], mount[PATH_BYTES];
  snprintf(name, sizeof name, "%s/proc/self", root);
  FILE *file = open_in(name, "cgroup");
  // "0::/user.slice" in version 2, "4:cpu,cpuacct:/slurm" in version 1
  while (file && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *path++ = '\0';
    const bool unified = controllers[1] == '\0';
    if (!unified && !has_controller(controllers + 1, controller)) continue;
    snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s%s", root, unified ? "" : "/",
             unified ? "" : controller);
    walk_up(mount, path, visit, context);
  }
  if (file) fclose(file);
}

// --- memory ----------------------------------------------------------------------------------------

/** The number after `key` at the beginning of a line; 0: there is none. */
static unsigned long long number_of(FILE *file, const char *key) {
  char line[256];
  unsigned long long number = 0;
  const size_t n = strlen(key);
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, key, n) == 0 && sscanf(line + n, "%llu", &number) == 1) break;
  if (file) fclose(file);
  return number;
}

/** Pages of files that nobody used lately count as used memory of a group, but the system gives them up. */
static void limit_by_group(const char *folder, void *context) {
  size_t *available = context;
  char line[64];
  unsigned long long limit = 0, used = 0;
  const bool v2 = tutti_cgroup_line(folder, "memory.max", line, sizeof line);
  if (!v2 && !tutti_cgroup_line(folder, "memory.limit_in_bytes", line, sizeof line)) return;
  if (sscanf(line, "%llu", &limit) != 1) return; // "max"
  if (!tutti_cgroup_line(folder, v2 ? "memory.current" : "memory.usage_in_bytes", line, sizeof line)) return;
  if (sscanf(line, "%llu", &used) != 1) return;
  const unsigned long long files =
      number_of(open_in(folder, "memory.stat"), v2 ? "inactive_file " : "total_inactive_file ");
  used = used > files ? used - files : 0;
  const unsigned long long left = limit > used ? limit - used : 0;
  if (left < *available) *available = (size_t)left;
}

size_t tutti_memory_available(const char *root) {
  char folder[PATH_BYTES];
  snprintf(folder, sizeof folder, "%s/proc", root);
  const unsigned long long kib = number_of(open_in(folder, "meminfo"), "MemAvailable:");
  size_t available = kib > 0 ? (size_t)kib * 1024 : SIZE_MAX;
  tutti_cgroup_walk(root, "memory", limit_by_group, &available);
  return available;
}
