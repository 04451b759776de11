/** The BLAS library by its own functions: its name, its version, its kernels and its threads, for reports and for
 * the choice of kernels in the room machine. */
#define _GNU_SOURCE // dladdr
#include "linalg/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tutti/linalg.h"

/** As MKL's header has it. */
typedef struct {
  int major, minor, update, patch;
  char *status, *build, *processor, *platform;
} mkl_version;

// No standard interface has these functions, so each library has its own names.  Weak references are null if another
// library is linked, so that any CBLAS links and runs.
extern char *openblas_get_config(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern void openblas_set_num_threads(int n) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));
// OpenBLAS exports the next ones, but its header does not declare them.
extern void gotoblas_dynamic_quit(void) __attribute__((weak));
extern void gotoblas_dynamic_init(void) __attribute__((weak)); // reads OPENBLAS_CORETYPE, as at the start
extern int blas_thread_shutdown_(void) __attribute__((weak));
extern void MKL_Get_Version(mkl_version *version) __attribute__((weak));
extern void MKL_Set_Num_Threads(int n) __attribute__((weak));
extern int MKL_Get_Max_Threads(void) __attribute__((weak));
extern const char *bli_info_get_version_str(void) __attribute__((weak));
extern int bli_arch_query_id(void) __attribute__((weak));
extern const char *bli_arch_string(int id) __attribute__((weak));
extern void bli_thread_set_num_threads(int64_t n) __attribute__((weak));
extern int64_t bli_thread_get_num_threads(void) __attribute__((weak));

static void get_openblas(tutti_blas_facts *facts) {
  // The configuration begins "OpenBLAS 0.3.21 " and goes on with build options.
  const char *config = openblas_get_config();
  snprintf(facts->name, sizeof facts->name, "OpenBLAS");
  sscanf(config, "OpenBLAS %31s", facts->version);
  facts->kernels = openblas_get_corename();
  facts->dispatches = strstr(config, "DYNAMIC_ARCH") != NULL;
}

static void get_mkl(tutti_blas_facts *facts) {
  mkl_version version;
  MKL_Get_Version(&version);
  snprintf(facts->name, sizeof facts->name, "MKL");
  snprintf(facts->version, sizeof facts->version, "%d.%d.%d", version.major, version.minor, version.update);
  facts->kernels = version.processor;
}

static void get_blis(tutti_blas_facts *facts) {
  snprintf(facts->name, sizeof facts->name, "BLIS");
  snprintf(facts->version, sizeof facts->version, "%s", bli_info_get_version_str());
  if (bli_arch_query_id && bli_arch_string) facts->kernels = bli_arch_string(bli_arch_query_id());
}

/** The path of the file is all that is known of another library. */
static void get_unknown(tutti_blas_facts *facts) {
  Dl_info info;
  union {
    __typeof__(&cblas_sgemm) function;
    void *address;
  } of = {.function = cblas_sgemm};
  const bool found = dladdr(of.address, &info) != 0 && info.dli_fname;
  snprintf(facts->name, sizeof facts->name, "unknown BLAS%s%s", found ? " in " : "",
           found ? info.dli_fname : "");
}

// What OpenBLAS computed with when the program began; NULL: it still does.
static const char *first_kernels;

void tutti_blas_get(tutti_blas_facts *facts) {
  *facts = (tutti_blas_facts){.kernels = ""};
  if (openblas_get_config && openblas_get_corename)
    get_openblas(facts);
  else if (MKL_Get_Version)
    get_mkl(facts);
  else if (bli_info_get_version_str)
    get_blis(facts);
  else
    get_unknown(facts);
  facts->first = first_kernels ? first_kernels : facts->kernels;
}

/** The variable is set during the call alone, so that programs that this one starts do not inherit it.
 * @param[in] kernels  NULL: those that the library takes by itself in this environment */
static void take(const char *kernels) {
  const char *given = getenv("OPENBLAS_CORETYPE");
  char *before = given ? strdup(given) : NULL;
  if (kernels) setenv("OPENBLAS_CORETYPE", kernels, 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  if (before)
    setenv("OPENBLAS_CORETYPE", before, 1);
  else
    unsetenv("OPENBLAS_CORETYPE");
  free(before);
}

bool tutti_blas_take_kernels(const char *kernels) {
  tutti_blas_facts facts;
  tutti_blas_get(&facts);
  if (strcasecmp(facts.kernels, kernels) == 0) return true;
  if (!facts.dispatches || !gotoblas_dynamic_quit || !gotoblas_dynamic_init) return false;
  first_kernels = facts.first;
  // Not all names that the library has for its own choice are names that it takes.
  take(strcasecmp(kernels, first_kernels) == 0 ? NULL : kernels);
  if (strcasecmp(openblas_get_corename(), kernels) == 0) return true;
  take(NULL);
  return false;
}

const char *tutti_blas_description(void) {
  static _Thread_local char text[320];
  tutti_blas_facts facts;
  tutti_blas_get(&facts);
  const char *before = getenv(TUTTI_KERNELS_BEFORE), *told = getenv("OPENBLAS_CORETYPE");
  if (!before) before = facts.first;
  const bool restarted = told && strcasecmp(told, facts.kernels) == 0;
  const bool ours = (restarted || first_kernels) && strcasecmp(before, facts.kernels) != 0;
  snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s", facts.name, facts.version[0] ? " " : "", facts.version,
           facts.kernels[0] ? " " : "", facts.kernels,
           ours ? " (chosen by tutti; the library had taken " : "", ours ? before : "", ours ? ")" : "");
  return text;
}

/** OpenBLAS starts threads when it is loaded, and those that wait for work spin for some 30 ms: for so long after the start
 * of the program they would keep cores from our threads.  The library ends them here if one is enough, and starts them
 * again if more are set. */
static void set_openblas(int n) {
  if (openblas_get_num_threads && openblas_get_num_threads() == n) return;
  openblas_set_num_threads(n);
  if (n == 1 && blas_thread_shutdown_) (void)blas_thread_shutdown_();
}

void tutti_blas_set_threads(int n) {
  if (openblas_set_num_threads)
    set_openblas(n);
  else if (MKL_Set_Num_Threads)
    MKL_Set_Num_Threads(n);
  else if (bli_thread_set_num_threads)
    bli_thread_set_num_threads(n);
}

int tutti_blas_threads(void) {
  if (openblas_get_num_threads) return openblas_get_num_threads();
  if (MKL_Get_Max_Threads) return MKL_Get_Max_Threads();
  // BLIS says -1 until a number is set.
  const int64_t n = bli_thread_get_num_threads ? bli_thread_get_num_threads() : 1;
  return n > 1 ? (int)n : 1;
}
