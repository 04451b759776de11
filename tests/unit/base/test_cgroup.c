/* Limits of control groups, with files as Linux has them. */
#include "base/cgroup.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/check.h"
#include "support/folder.h"

/** Write the text to ROOT/path, and make its folders. */
static void put(void **state, const char *path, const char *text) {
  char name[512];
  snprintf(name, sizeof name, "%s", folder_path(state, path));
  for (char *slash = name + strlen(*state) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
    *slash = '\0';
    mkdir(name, 0700);
  }
  folder_put(name, text, strlen(text));
}

static void a_machine_without_groups_has_its_own_memory(void **state) {
  assert_true(tutti_memory_available(*state) == SIZE_MAX); // it does not say
  put(state, "proc/meminfo", "MemTotal:       16 kB\nMemFree:   4 kB\nMemAvailable:       10 kB\n");
  assert_true(tutti_memory_available(*state) == 10 * 1024);
  put(state, "proc/self/cgroup", "0::/job\n");
  assert_true(tutti_memory_available(*state) == 10 * 1024);
}

static void the_tightest_group_limits_memory(void **state) {
  put(state, "proc/meminfo", "MemAvailable:       1000 kB\n");
  put(state, "proc/self/cgroup", "0::/slice/job\n");
  put(state, "sys/fs/cgroup/slice/job/memory.max", "max\n");
  put(state, "sys/fs/cgroup/slice/job/memory.current", "5000\n");
  assert_true(tutti_memory_available(*state) == 1000 * 1024);
  put(state, "sys/fs/cgroup/slice/memory.max", "500000\n");
  put(state, "sys/fs/cgroup/slice/memory.current", "100000\n");
  assert_true(tutti_memory_available(*state) == 400000);
  // Pages of files can be given up.
  put(state, "sys/fs/cgroup/slice/memory.stat", "anon 1\nactive_file 2\ninactive_file 30000\n");
  assert_true(tutti_memory_available(*state) == 430000);
  put(state, "sys/fs/cgroup/slice/job/memory.max", "7000\n");
  assert_true(tutti_memory_available(*state) == 2000);
  put(state, "sys/fs/cgroup/slice/job/memory.current", "9000\n"); // above the limit for a moment
  assert_true(tutti_memory_available(*state) == 0);
}

static void version_1_has_other_names(void **state) {
  put(state, "proc/meminfo", "MemAvailable:       1000 kB\n");
  put(state, "proc/self/cgroup", "5:cpu,cpuacct:/other\n4:memory:/job\n");
  put(state, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n"); // none
  put(state, "sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1000\n");
  assert_true(tutti_memory_available(*state) == 1000 * 1024);
  put(state, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "10000\n");
  assert_true(tutti_memory_available(*state) == 9000);
  put(state, "sys/fs/cgroup/memory/job/memory.stat", "inactive_file 1\ntotal_inactive_file 500\n");
  assert_true(tutti_memory_available(*state) == 9500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_machine_without_groups_has_its_own_memory),
      TEST(the_tightest_group_limits_memory),
      TEST(version_1_has_other_names),
  };
  return cmocka_run_group_tests_name("base.cgroup", tests, NULL, check_no_leak);
}
