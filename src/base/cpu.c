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

int tutti_cpu_allowed(int *cores, int max) {
  int n = 0;
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
  for (int i = 0; i < CPU_SETSIZE; i++) {
    if (!CPU_ISSET(i, &set)) continue;
    if (n < max) cores[n] = i;
    n++;
  }
#else
  (void)cores, (void)max;
#endif
  return n;
}

/** "0-3,8" */
static void print_ranges(const int *cores, int n, char *text, size_t bytes) {
  text[0] = '\0';
  for (int i = 0, last; i < n; i = last + 1) {
    for (last = i; last + 1 < n && cores[last + 1] == cores[last] + 1;) last++;
    tutti_text_append(text, bytes, "%s%d", i ? "," : "", cores[i]);
    if (last > i) tutti_text_append(text, bytes, "-%d", cores[last]);
  }
}

static void read_affinity(tutti_cpu *cpu) {
  enum { MAX_CORES = 1024 };
  int cores[MAX_CORES];
  const int n = tutti_cpu_allowed(cores, MAX_CORES);
  cpu->n_allowed = n > 0 ? n : cpu->n_cores;
  print_ranges(cores, n < MAX_CORES ? n : MAX_CORES, cpu->allowed, sizeof cpu->allowed);
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
