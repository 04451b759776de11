/** The processors that this process may run on: the affinity mask of the calling thread, and the places of OpenMP.
 * OpenMP may have bound the calling thread to a part of what the process was given, so the mask alone can be too small.
 * The preflight, `doctor`, `bench` and the metrics file show the result. */
#define _GNU_SOURCE // sched_getaffinity, RTLD_DEFAULT
#include "machine/cpu.h"

#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/vector_unit.h"

/** The value of a line "name   : value".  @return whether the line has this name */
static bool read_field(const char *line, const char *name, char *value, size_t bytes) {
  const char *colon = strchr(line, ':');
  if (strncmp(line, name, strlen(name)) != 0 || !colon || colon[1] != ' ') return false;
  snprintf(value, bytes, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
  return true;
}

void tutti_machine_model(const char *root, char *model, size_t bytes) {
  char path[4096], line[256], maker[16] = "", part[16] = "";
  snprintf(model, bytes, "unknown");
  snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
  FILE *file = fopen(path, "r");
  if (!file) return;
  bool named = false;
  while (!named && fgets(line, sizeof line, file)) {
    named = read_field(line, "model name", model, bytes);
    if (!maker[0]) (void)read_field(line, "CPU implementer", maker, sizeof maker);
    if (!part[0]) (void)read_field(line, "CPU part", part, sizeof part);
  }
  if (!named && maker[0] && part[0]) snprintf(model, bytes, "implementer %s part %s", maker, part);
  fclose(file);
}

static int count_online(void) {
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (int)n : 1;
}

#ifdef __linux__
/** ISO C has no cast from the data pointer of dlsym to a function pointer, so its bytes are copied. */
static void find_function(const char *name, void *function, size_t bytes) {
  void *const found = dlsym(RTLD_DEFAULT, name);
  memcpy(function, &found, bytes);
}

/** Add the processors of the places of OpenMP; it has none if it does not bind threads.  It binds the main thread
 * before main begins (OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY).  Perhaps only the BLAS brings the OpenMP library
 * with it, so the functions are looked up by name. */
static void add_places(cpu_set_t *set) {
  int (*n_places)(void), (*n_procs)(int), ids[CPU_SETSIZE];
  void (*get_ids)(int, int *);
  find_function("omp_get_num_places", &n_places, sizeof n_places);
  find_function("omp_get_place_num_procs", &n_procs, sizeof n_procs);
  find_function("omp_get_place_proc_ids", &get_ids, sizeof get_ids);
  if (!n_places || !n_procs || !get_ids) return;
  for (int place = 0; place < n_places(); place++) {
    const int n = n_procs(place);
    if (n <= CPU_SETSIZE) get_ids(place, ids);
    for (int i = 0; i < n && n <= CPU_SETSIZE; i++)
      if (ids[i] >= 0 && ids[i] < CPU_SETSIZE) CPU_SET(ids[i], set);
  }
}

/** Remove from a set the processors that do not exist or are not granted to the process.  The system does this when the
 * set becomes the affinity mask; then the mask is put back to `own`. */
static bool keep_granted(const cpu_set_t *own, cpu_set_t *set) {
  const bool known =
      sched_setaffinity(0, sizeof *set, set) == 0 && sched_getaffinity(0, sizeof *set, set) == 0;
  return sched_setaffinity(0, sizeof *own, own) == 0 && known;
}

/** The processors that the process was given.  The system reports only those of the calling thread, which OpenMP may
 * have bound to a part of them. */
static bool get_given(cpu_set_t *set) {
  cpu_set_t places, both;
  if (sched_getaffinity(0, sizeof *set, set) != 0) return false;
  CPU_ZERO(&places);
  add_places(&places);
  CPU_AND(&both, set, &places);
  // A thread with processors outside of all places was bound by somebody else, after OpenMP: that counts.
  const bool by_openmp = CPU_EQUAL(&both, set);
  if (by_openmp && !CPU_EQUAL(set, &places) && keep_granted(set, &places)) *set = places;
  return true;
}
#endif

/** The logical processors that this process may run on, ascending; all processors if the system does not report
 * them. */
static int get_allowed(int cpus[TUTTI_MACHINE_MAX_CPUS]) {
  int n = 0;
#ifdef __linux__
  cpu_set_t set;
  const bool known = get_given(&set);
  for (int i = 0; known && i < CPU_SETSIZE && i < TUTTI_MACHINE_MAX_CPUS; i++)
    if (CPU_ISSET(i, &set)) cpus[n++] = i;
#endif
  if (n > 0) return n;
  const int n_online = count_online();
  for (; n < n_online && n < TUTTI_MACHINE_MAX_CPUS; n++) cpus[n] = n;
  return n;
}

bool tutti_machine_openmp_binds(void) {
#ifdef __linux__
  cpu_set_t places;
  CPU_ZERO(&places);
  add_places(&places);
  return CPU_COUNT(&places) > 0;
#else
  return false;
#endif
}

void tutti_machine_unbind(void) {
#ifdef __linux__
  cpu_set_t set;
  if (get_given(&set)) (void)sched_setaffinity(0, sizeof set, &set);
#endif
}

/** The first number of a file of a processor; `otherwise` without such a file or number. */
static int read_first(const char *root, int cpu, const char *name, int otherwise) {
  char path[1024];
  int first = otherwise;
  snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%d/%s", root, cpu, name);
  FILE *file = fopen(path, "r");
  if (!file) return otherwise;
  if (fscanf(file, "%d", &first) != 1) first = otherwise;
  fclose(file);
  return first;
}

int tutti_machine_core_of(const char *root, int cpu) {
  const int first =
      read_first(root, cpu, "topology/thread_siblings_list", cpu); // of a list like "3,67" or "6-7"
  return first < 0 || first > cpu ? cpu : first;
}

/** The number of a processor's last-level cache among its caches; -1: the system does not say. */
static int last_cache(const char *root, int cpu) {
  enum { CACHES = 10 };
  char name[64];
  int highest = 0, last = -1;
  for (int i = 0; i < CACHES; i++) {
    snprintf(name, sizeof name, "cache/index%d/level", i);
    const int level = read_first(root, cpu, name, 0);
    if (level <= highest) continue;
    highest = level;
    last = i;
  }
  return last;
}

int tutti_machine_cache_of(const char *root, int cpu) {
  char name[64];
  snprintf(name, sizeof name, "cache/index%d/shared_cpu_list", last_cache(root, cpu));
  return read_first(root, cpu, name, -1);
}

int64_t tutti_machine_cache_bytes(const char *root, int cpu) {
  char name[64];
  snprintf(name, sizeof name, "cache/index%d/size", last_cache(root, cpu)); // "32768K"
  const int kilobytes = read_first(root, cpu, name, 0);
  return kilobytes > 0 ? (int64_t)kilobytes * 1024 : 0;
}

int tutti_machine_cores(int cores[TUTTI_MACHINE_MAX_CPUS]) {
  int cpus[TUTTI_MACHINE_MAX_CPUS];
  bool is_core[TUTTI_MACHINE_MAX_CPUS] = {false};
  const int n_cpus = get_allowed(cpus);
  // Hardware threads of one core share its arithmetic units, so that they count once.
  for (int i = 0; i < n_cpus; i++) is_core[tutti_machine_core_of("", cpus[i])] = true;
  int n = 0;
  for (int i = 0; i < TUTTI_MACHINE_MAX_CPUS; i++)
    if (is_core[i]) cores[n++] = i;
  return n;
}

char *tutti_machine_ranges(const int *numbers, int n, char *text, size_t bytes) {
  text[0] = '\0';
  for (int i = 0, last; i < n; i = last + 1) {
    for (last = i; last + 1 < n && numbers[last + 1] == numbers[last] + 1;) last++;
    tutti_text_append(text, bytes, "%s%d", i ? "," : "", numbers[i]);
    if (last > i) tutti_text_append(text, bytes, "-%d", numbers[last]);
  }
  return text;
}

void tutti_machine_cpu_get(tutti_machine_cpu *cpu) {
  int cpus[TUTTI_MACHINE_MAX_CPUS];
  memset(cpu, 0, sizeof *cpu);
  tutti_machine_model("", cpu->model, sizeof cpu->model);
  cpu->n_cpus = count_online();
  cpu->n_allowed = get_allowed(cpus);
  tutti_machine_ranges(cpus, cpu->n_allowed, cpu->allowed, sizeof cpu->allowed);
  cpu->avx2_fma = tutti_cpu_has_avx2_fma();
  cpu->avx512 = tutti_cpu_has_avx512();
}
