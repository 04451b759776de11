#include "machine/quota.h"

#include "machine/cpu.h"
#include "support/check.h"
#include "support/folder.h"

static void without_cgroups_there_is_no_limit(void **state) {
  assert_true(tutti_machine_quota(*state) == 0);
  folder_put_text(state, "proc/self/cgroup", "0::/job\n");
  assert_true(tutti_machine_quota(*state) == 0);
}

static void the_tightest_group_limits(void **state) {
  folder_put_text(state, "proc/self/cgroup", "0::/slice/job\n");
  folder_put_text(state, "sys/fs/cgroup/cpu.max", "max 100000\n");
  folder_put_text(state, "sys/fs/cgroup/slice/job/cpu.max", "max 100000\n");
  assert_true(tutti_machine_quota(*state) == 0);
  folder_put_text(state, "sys/fs/cgroup/slice/cpu.max", "150000 100000\n");
  assert_true(tutti_machine_quota(*state) == 1.5);
  folder_put_text(state, "sys/fs/cgroup/slice/job/cpu.max", "400000 100000\n");
  assert_true(tutti_machine_quota(*state) == 1.5);
  folder_put_text(state, "sys/fs/cgroup/slice/job/cpu.max", "50000 100000\n");
  assert_true(tutti_machine_quota(*state) == 0.5);
  // In a container the name of the group may be a path that does not exist there; the mount is its own group.
  folder_put_text(state, "proc/self/cgroup", "0::/elsewhere\n");
  folder_put_text(state, "sys/fs/cgroup/cpu.max", "200000 100000\n");
  assert_true(tutti_machine_quota(*state) == 2);
  folder_put_text(state, "proc/self/cgroup", "0::/\n");
  assert_true(tutti_machine_quota(*state) == 2);
}

static void version_1_has_two_files(void **state) {
  folder_put_text(state, "proc/self/cgroup", "11:cpuset:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/job\n");
  folder_put_text(state, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
  folder_put_text(state, "sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  assert_true(tutti_machine_quota(*state) == 0);
  folder_put_text(state, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "250000\n");
  assert_true(tutti_machine_quota(*state) == 2.5);
  folder_put_text(state, "proc/self/cgroup", "11:cpuset:/job\n");
  assert_true(tutti_machine_quota(*state) == 0);
}

static void the_model_is_a_name_or_two_numbers(void **state) {
  char model[64];
  tutti_machine_model(*state, model, sizeof model);
  assert_string_equal(model, "unknown");
  folder_put_text(state, "proc/cpuinfo", "processor\t: 0\nmodel name\t: A Processor @ 2 GHz\n");
  tutti_machine_model(*state, model, sizeof model);
  assert_string_equal(model, "A Processor @ 2 GHz");
  folder_put_text(state, "proc/cpuinfo",
                  "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n\n"
                  "processor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd05\n");
  tutti_machine_model(*state, model, sizeof model);
  assert_string_equal(model, "implementer 0x41 part 0xd0c");
}

static void hardware_threads_of_a_core_are_one(void **state) {
  folder_put_text(state, "sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3,67\n");
  folder_put_text(state, "sys/devices/system/cpu/cpu67/topology/thread_siblings_list", "3,67\n");
  folder_put_text(state, "sys/devices/system/cpu/cpu7/topology/thread_siblings_list", "6-7\n");
  assert_int_equal(tutti_machine_core_of(*state, 3), 3);
  assert_int_equal(tutti_machine_core_of(*state, 67), 3);
  assert_int_equal(tutti_machine_core_of(*state, 7), 6);
  assert_int_equal(tutti_machine_core_of(*state, 5), 5);
}

static void numbers_are_printed_as_ranges(void **state) {
  (void)state;
  char text[64], small[4];
  const int numbers[] = {0, 1, 2, 3, 8, 10, 11};
  assert_string_equal(tutti_machine_ranges(numbers, 7, text, sizeof text), "0-3,8,10-11");
  assert_string_equal(tutti_machine_ranges(numbers, 1, text, sizeof text), "0");
  assert_string_equal(tutti_machine_ranges(numbers, 0, text, sizeof text), "");
  assert_string_equal(tutti_machine_ranges(numbers, 7, small, sizeof small), "0-3");
}

static void this_process_has_cores(void **state) {
  (void)state;
  int cores[TUTTI_MACHINE_MAX_CPUS];
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  const int n = tutti_machine_cores(cores);
  assert_in_range(n, 1, cpu.n_allowed);
  assert_in_range(cpu.n_allowed, 1, cpu.n_cpus);
  for (int i = 1; i < n; i++) assert_true(cores[i] > cores[i - 1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(without_cgroups_there_is_no_limit, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(the_tightest_group_limits, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(version_1_has_two_files, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(the_model_is_a_name_or_two_numbers, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(hardware_threads_of_a_core_are_one, folder_make, folder_remove),
      cmocka_unit_test(numbers_are_printed_as_ranges),
      cmocka_unit_test(this_process_has_cores),
  };
  return cmocka_run_group_tests_name("base.cpu", tests, NULL, check_no_leak);
}
