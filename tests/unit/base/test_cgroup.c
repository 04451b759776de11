/* Limits of control groups, with files as Linux has them. */
#include "base/cgroup.h"

#include "support/check.h"
#include "support/folder.h"

static void a_machine_without_groups_has_its_own_memory(void **state) {
  assert_true(tutti_memory_available(*state) == SIZE_MAX); // it does not say
  folder_put_text(state, "proc/meminfo",
                  "MemTotal:       16 kB\nMemFree:   4 kB\nMemAvailable:       10 kB\n");
  assert_true(tutti_memory_available(*state) == 10 * 1024);
  folder_put_text(state, "proc/self/cgroup", "0::/job\n");
  assert_true(tutti_memory_available(*state) == 10 * 1024);
}

static void the_tightest_group_limits_memory(void **state) {
  folder_put_text(state, "proc/meminfo", "MemAvailable:       1000 kB\n");
  folder_put_text(state, "proc/self/cgroup", "0::/slice/job\n");
  folder_put_text(state, "sys/fs/cgroup/slice/job/memory.max", "max\n");
  folder_put_text(state, "sys/fs/cgroup/slice/job/memory.current", "5000\n");
  assert_true(tutti_memory_available(*state) == 1000 * 1024);
  folder_put_text(state, "sys/fs/cgroup/slice/memory.max", "500000\n");
  folder_put_text(state, "sys/fs/cgroup/slice/memory.current", "100000\n");
  assert_true(tutti_memory_available(*state) == 400000);
  // Pages of files can be given up.
  folder_put_text(state, "sys/fs/cgroup/slice/memory.stat", "anon 1\nactive_file 2\ninactive_file 30000\n");
  assert_true(tutti_memory_available(*state) == 430000);
  folder_put_text(state, "sys/fs/cgroup/slice/job/memory.max", "7000\n");
  assert_true(tutti_memory_available(*state) == 2000);
  folder_put_text(state, "sys/fs/cgroup/slice/job/memory.current", "9000\n"); // above the limit for a moment
  assert_true(tutti_memory_available(*state) == 0);
}

static void version_1_has_other_names(void **state) {
  folder_put_text(state, "proc/meminfo", "MemAvailable:       1000 kB\n");
  folder_put_text(state, "proc/self/cgroup", "5:cpu,cpuacct:/other\n4:memory:/job\n");
  folder_put_text(state, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n"); // none
  folder_put_text(state, "sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1000\n");
  assert_true(tutti_memory_available(*state) == 1000 * 1024);
  folder_put_text(state, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "10000\n");
  assert_true(tutti_memory_available(*state) == 9000);
  folder_put_text(state, "sys/fs/cgroup/memory/job/memory.stat",
                  "inactive_file 1\ntotal_inactive_file 500\n");
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
