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

static void read_affinity(tutti_cpu *cpu) {
  cpu->n_allowed = cpu->n_cores;
  cpu->allowed[0] = '\0';
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return;
  cpu->n_allowed = CPU_COUNT(&set);
  for (int i = 0; i < CPU_SETSIZE; i++) {
    if (!CPU_ISSET(i, &set)) continue;
    int last = i;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set)) last++;
    const char *comma = cpu->allowed[0] ? "," : "";
    if (last > i)
      tutti_text_append(cpu->allowed, sizeof cpu->allowed, "%s%d-%d", comma, i, last);
    else
      tutti_text_append(cpu->allowed, sizeof cpu->allowed, "%s%d", comma, i);
    i = last;
  }
#endif
}

void tutti_cpu_get(tutti_cpu *cpu) {
  memset(cpu, 0, sizeof *cpu);
  read_model(cpu->model, sizeof cpu->model);
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  cpu->n_cores = n > 0 ? (int)n : 1;
  read_affinity(cpu);
#if defined(__x86_64__)
  cpu->avx2_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  cpu->avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
}
