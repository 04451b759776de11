#define _GNU_SOURCE // sched_getaffinity
#include "base/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static void read_model(char *model, size_t bytes) {
  snprintf(model, bytes, "unknown");
  FILE *file = fopen("/proc/cpuinfo", "r");
  if (!file) return;
  char line[256];
  while (fgets(line, sizeof line, file)) {
    const char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || !colon) continue;
    snprintf(model, bytes, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    break;
  }
  fclose(file);
}

static int count_online(void) {
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (int)n : 1;
}

/** The logical processors this process may run on, ascending: all, where the system does not tell. */
static int get_allowed(int cpus[TUTTI_MAX_CPUS]) {
  int n = 0;
#ifdef __linux__
  cpu_set_t set;
  const bool told = sched_getaffinity(0, sizeof set, &set) == 0;
  for (int i = 0; told && i < CPU_SETSIZE && i < TUTTI_MAX_CPUS; i++)
    if (CPU_ISSET(i, &set)) cpus[n++] = i;
#endif
  if (n > 0) return n;
  const int n_online = count_online();
  for (; n < n_online && n < TUTTI_MAX_CPUS; n++) cpus[n] = n;
  return n;
}

int tutti_cpu_core(const char *root, int cpu) {
  char path[1024];
  snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", root, cpu);
  FILE *file = fopen(path, "r");
  if (!file) return cpu;
  int first = cpu; // of a list like "3,67" or "6-7"
  if (fscanf(file, "%d", &first) != 1 || first < 0 || first > cpu) first = cpu;
  fclose(file);
  return first;
}

int tutti_cpu_cores(int cores[TUTTI_MAX_CPUS]) {
  int cpus[TUTTI_MAX_CPUS];
  bool is_core[TUTTI_MAX_CPUS] = {false};
  const int n_cpus = get_allowed(cpus);
  for (int i = 0; i < n_cpus; i++) is_core[tutti_cpu_core("", cpus[i])] = true;
  int n = 0;
  for (int i = 0; i < TUTTI_MAX_CPUS; i++)
    if (is_core[i]) cores[n++] = i;
  return n;
}

char *tutti_cpu_ranges(const int *numbers, int n, char *text, size_t bytes) {
  text[0] = '\0';
  for (int i = 0, last; i < n; i = last + 1) {
    for (last = i; last + 1 < n && numbers[last + 1] == numbers[last] + 1;) last++;
    tutti_text_append(text, bytes, "%s%d", i ? "," : "", numbers[i]);
    if (last > i) tutti_text_append(text, bytes, "-%d", numbers[last]);
  }
  return text;
}

bool tutti_cpu_has_avx2_fma(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

bool tutti_cpu_has_avx512(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd");
#else
  return false;
#endif
}

void tutti_cpu_get(tutti_cpu *cpu) {
  int cpus[TUTTI_MAX_CPUS];
  memset(cpu, 0, sizeof *cpu);
  read_model(cpu->model, sizeof cpu->model);
  cpu->n_cpus = count_online();
  cpu->n_allowed = get_allowed(cpus);
  tutti_cpu_ranges(cpus, cpu->n_allowed, cpu->allowed, sizeof cpu->allowed);
  cpu->avx2_fma = tutti_cpu_has_avx2_fma();
  cpu->avx512 = tutti_cpu_has_avx512();
}

void tutti_cpu_flush_subnormals(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  const unsigned flush_results = 1u << 15, take_as_zero = 1u << 6;
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | flush_results | take_as_zero);
#endif
}
