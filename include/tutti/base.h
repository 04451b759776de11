#pragma once
/** Status, its text, and counted memory.  Everything here is local and needs nothing but libc.
 *
 * A *failure* (bad file, bad option, no memory) is a tutti_status that is returned up to main, with one
 * sentence for the user that the thread keeps.  A *bug* is a TUTTI_ASSERT.  A *numerical outcome*
 * (divergence, goal reached) is neither: it is a stop reason in the result of a training. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUTTI_VERSION "0.1.0"

#if defined(__GNUC__)
#define TUTTI_NODISCARD           __attribute__((warn_unused_result))
#define TUTTI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TUTTI_NODISCARD
#define TUTTI_PRINTF(text, first)
#endif

/** X(code, exit status as in sysexits.h, what the code says). */
#define TUTTI_STATUS_LIST(X)                                                                                 \
  X(OK, 0, "done")                                                                                           \
  X(ERR_USAGE, 64, "wrong usage")                                                                            \
  X(ERR_CONFIG, 78, "bad configuration")                                                                     \
  X(ERR_DATA, 65, "bad input data")                                                                          \
  X(ERR_NEWER, 65, "a file of a newer version")                                                              \
  X(ERR_MISSING, 66, "input missing")                                                                        \
  X(ERR_CREATE, 73, "cannot create output")                                                                  \
  X(ERR_IO, 74, "input/output error")                                                                        \
  X(ERR_MEMORY, 71, "out of memory")                                                                         \
  X(ERR_SYSTEM, 71, "system error")                                                                          \
  X(ERR_MPI, 71, "MPI error")                                                                                \
  X(ERR_INTERNAL, 70, "internal error")

typedef enum {
#define X(code, exit_status, sentence) TUTTI_##code,
  TUTTI_STATUS_LIST(X)
#undef X
      TUTTI_N_STATUS
} tutti_status;

/** Local.  The exit status of the program for a code; 70 for a value that is not a code. */
int tutti_status_exit(tutti_status status);

/** Local.  A short phrase for the kind of failure. */
const char *tutti_status_sentence(tutti_status status);

/** Local.  Record the text of a failure for this thread.  Use TUTTI_FAIL or TUTTI_CHECK.  The text says what happened,
 * where (file, key, line), what was expected and what to do, without a full stop or newline.
 * @return status */
tutti_status tutti_fail(tutti_status status, const char *function, const char *file, int line,
                        const char *format, ...) TUTTI_PRINTF(5, 6);

/** Local.  Add a frame to the trace of the failure.  Use TUTTI_TRY. */
void tutti_fail_pass(const char *function, const char *file, int line);

/** Local.  The text of the last failure of this thread, "" before the first; valid until the next failure. */
const char *tutti_fail_text(void);

/** Local.  The frames that the last failure passed, innermost first, one per line. */
const char *tutti_fail_trace(void);

/** Local.  Replace the text by that of another rank.  The text is copied. */
void tutti_fail_set_text(const char *text);

/** Whether a test makes checks fail (base/fault.h); false in all other runs. */
extern bool tutti_fault_armed;

/** Local.  Whether this check is the one that a test makes fail.  If it is, the failure is recorded.  Use TUTTI_CHECK. */
bool tutti_fault_at_check(tutti_status status, const char *function, const char *file, int line);

#define TUTTI_FAIL(status, ...) return tutti_fail((status), __func__, __FILE__, __LINE__, __VA_ARGS__)

/** Each check is also a place where a test can make one rank fail (base/fault.h).  The condition is then not evaluated, so
 * what it would have opened need not be closed. */
#define TUTTI_CHECK(condition, status, ...)                                                                  \
  do {                                                                                                       \
    if (tutti_fault_armed && tutti_fault_at_check(status, __func__, __FILE__, __LINE__)) return status;      \
    if (!(condition)) TUTTI_FAIL(status, __VA_ARGS__);                                                       \
  } while (0)

#define TUTTI_TRY(call)                                                                                      \
  do {                                                                                                       \
    const tutti_status tutti_try_status_ = (call);                                                           \
    if (tutti_try_status_ != TUTTI_OK) {                                                                     \
      tutti_fail_pass(__func__, __FILE__, __LINE__);                                                         \
      return tutti_try_status_;                                                                              \
    }                                                                                                        \
  } while (0)

/** TUTTI_TRY for functions that own something: they set the variable `status` and leave by the label. */
#define TUTTI_TRY_GOTO(label, call)                                                                          \
  do {                                                                                                       \
    status = (call);                                                                                         \
    if (status != TUTTI_OK) {                                                                                \
      tutti_fail_pass(__func__, __FILE__, __LINE__);                                                         \
      goto label;                                                                                            \
    }                                                                                                        \
  } while (0)

#define TUTTI_CHECK_GOTO(label, condition, code, ...)                                                        \
  do {                                                                                                       \
    if (tutti_fault_armed && tutti_fault_at_check(code, __func__, __FILE__, __LINE__)) {                     \
      status = (code);                                                                                       \
      goto label;                                                                                            \
    }                                                                                                        \
    if (!(condition)) {                                                                                      \
      status = tutti_fail((code), __func__, __FILE__, __LINE__, __VA_ARGS__);                                \
      goto label;                                                                                            \
    }                                                                                                        \
  } while (0)

/** A check for bugs of ours, never for input: debug builds print the place and abort. */
#ifdef NDEBUG
#define TUTTI_ASSERT(condition) ((void)0)
#else
void tutti_assert_failed(const char *condition, const char *file, int line);
#define TUTTI_ASSERT(condition) ((condition) ? (void)0 : tutti_assert_failed(#condition, __FILE__, __LINE__))
#endif

/** Local.  Allocate n elements of `unit` bytes, zeroed, 64-byte aligned; n = 0 gives a valid pointer.
 * @return owned by the caller (tutti_free); NULL, with the text of the failure set, without memory or on overflow */
void *tutti_calloc(int64_t n, size_t unit);

/** Local.  A copy of `text`, owned by the caller (tutti_free); NULL without memory. */
char *tutti_strdup(const char *text);

/** Local.  Accepts NULL. */
void tutti_free(void *memory);

/** Arrays that end together; {0} is the empty pool. */
typedef struct {
  void *last; // owned
} tutti_pool;

/** Local.  As tutti_calloc with unit > 0, but the memory belongs to the pool. */
void *tutti_pool_calloc(tutti_pool *pool, int64_t n, size_t unit);

/** Local.  Free all memory of the pool, which is empty then. */
void tutti_pool_clear(tutti_pool *pool);

/** Local.  The number of allocations that are not freed yet, over all threads. */
int64_t tutti_alloc_live(void);

/** TUTTI_TRY(TUTTI_NEW(pointer, n)): pointer to n zeroed elements of its type, or TUTTI_ERR_MEMORY. */
#define TUTTI_NEW(pointer, n)                                                                                \
  (((pointer) = tutti_calloc((n), sizeof *(pointer))) ? TUTTI_OK : TUTTI_ERR_MEMORY)

/** TUTTI_TRY(TUTTI_POOL_NEW(pool, pointer, n)): the same, owned by the pool. */
#define TUTTI_POOL_NEW(pool, pointer, n)                                                                     \
  (((pointer) = tutti_pool_calloc((pool), (n), sizeof *(pointer))) ? TUTTI_OK : TUTTI_ERR_MEMORY)

/** TUTTI_TRY(TUTTI_COPY(pointer, text)): pointer to a copy of `text`, or TUTTI_ERR_MEMORY. */
#define TUTTI_COPY(pointer, text) (((pointer) = tutti_strdup(text)) ? TUTTI_OK : TUTTI_ERR_MEMORY)

/** Elements of a block of the flat buffers of parameters and gradients.  Slices of a buffer begin at whole blocks, and
 * sums over a buffer add the sums of its blocks, so that no number depends on the slices. */
enum { TUTTI_BLOCK = 1024 };

/** Local.  Convert a 64-bit count to the int that MPI 3 and BLAS take.
 * @param[in] what  the name of the count, for the message
 * @return ERR_INTERNAL if n does not fit */
TUTTI_NODISCARD
tutti_status tutti_to_int(int64_t n, const char *what, int *out);
