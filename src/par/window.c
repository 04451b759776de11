/** Memory that the ranks of a node share.  It is POSIX shared memory instead of MPI_Win_allocate_shared, because some
 * MPI libraries leave the other ranks of a node waiting if the first cannot get the memory, or promise memory whose
 * first use kills the process.  Here all pages are reserved before a rank relies on them, and a failure of one rank is
 * agreed on. */
#define _DEFAULT_SOURCE // MAP_ANONYMOUS
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "par/par_impl.h"

struct tutti_window {
  const tutti_comm *comm; // borrowed
  char *data;             // mapped at a page, so aligned to more than 64 bytes
  size_t length;          // mapped bytes
  int64_t *begins;        // [node_size + 1] where the parts of the ranks begin
};

/** The name by which the ranks of a node find the memory, until all have mapped it. */
typedef struct {
  char name[48]; // "": none
  int file;      // -1: not open
} segment;

static tutti_status create_local(const tutti_comm *comm, tutti_window **window) {
  TUTTI_TRY(tutti_fault("window"));
  TUTTI_TRY(TUTTI_NEW(*window, 1));
  (*window)->comm = comm;
  return TUTTI_NEW((*window)->begins, comm->node_size + 1);
}

/** Collective over the node. */
static tutti_status lay_out(tutti_window *window, int64_t own_bytes) {
  int64_t *begins = window->begins;
  const int n = window->comm->node_size;
  TUTTI_MPI(MPI_Allgather(&own_bytes, 1, MPI_INT64_T, begins + 1, 1, MPI_INT64_T, window->comm->node));
  for (int i = 0; i < n; i++) begins[i + 1] += begins[i];
  // An empty mapping is an error of mmap.
  window->length = begins[n] > 0 ? (size_t)begins[n] : 1;
  return TUTTI_OK;
}

static tutti_status no_memory(size_t length, int error) {
  TUTTI_FAIL(TUTTI_ERR_MEMORY,
             "no %zu bytes of memory for the ranks of a node to share: %s; look at the free memory and at "
             "the size of /dev/shm",
             length, strerror(error));
}

/** Local, on the node's first rank.  Another process may own a name, so several are tried. */
static tutti_status make_segment(size_t length, segment *shared) {
  for (int attempt = 0; attempt < 100; attempt++) {
    snprintf(shared->name, sizeof shared->name, "/tutti.%ld.%d", (long)getpid(), attempt);
    shared->file = shm_open(shared->name, O_CREAT | O_EXCL | O_RDWR, S_IRUSR | S_IWUSR);
    if (shared->file >= 0 || errno != EEXIST) break;
  }
  if (shared->file < 0) {
    shared->name[0] = '\0'; // not ours to remove
    TUTTI_FAIL(TUTTI_ERR_SYSTEM, "shared memory cannot be created: %s; look at /dev/shm", strerror(errno));
  }
  if (ftruncate(shared->file, (off_t)length) != 0) return no_memory(length, errno);
  return TUTTI_OK;
}

static tutti_status open_segment(segment *shared) {
  shared->file = shm_open(shared->name, O_RDWR, 0);
  TUTTI_CHECK(shared->file >= 0, TUTTI_ERR_SYSTEM,
              "%s: the shared memory of the first rank of this node cannot be opened: %s; do all ranks on "
              "this host see the same /dev/shm?",
              shared->name, strerror(errno));
  return TUTTI_OK;
}

/** Local.  Each rank reserves its own part: on a machine with several memories, pages lie in the memory next to the
 * rank that asks for them first.  The pages are zeroed. */
static tutti_status reserve_part(const tutti_window *window, int file) {
  const int64_t *part = window->begins + window->comm->node_rank;
  if (part[0] == part[1]) return TUTTI_OK;
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(file, (off_t)part[0], (off_t)(part[1] - part[0]));
  return error ? no_memory(window->length, error) : TUTTI_OK;
}

static tutti_status map_segment(tutti_window *window, segment *shared) {
  const bool alone =
      window->comm->node_size == 1; // plain memory: /dev/shm may be small, in containers above all
  if (window->comm->node_rank > 0) TUTTI_TRY(open_segment(shared));
  if (!alone) TUTTI_TRY(reserve_part(window, shared->file));
  const int kind = alone ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void *data = mmap(NULL, window->length, PROT_READ | PROT_WRITE, kind, shared->file, 0);
  if (data == MAP_FAILED) return no_memory(window->length, errno);
  window->data = data;
  return TUTTI_OK;
}

/** Collective. */
static tutti_status share(tutti_window *window, segment *shared) {
  const tutti_comm *comm = window->comm;
  const bool makes = comm->node_rank == 0 && comm->node_size > 1;
  TUTTI_TRY(tutti_comm_agree(comm, makes ? make_segment(window->length, shared) : TUTTI_OK));
  TUTTI_MPI(MPI_Bcast(shared->name, sizeof shared->name, MPI_CHAR, 0, comm->node));
  return tutti_comm_agree(comm, map_segment(window, shared));
}

/** Remove the name after all ranks have tried to map the memory.  Without a name the system frees the memory with its
 * last user, even if that one is killed. */
static void forget_segment(const tutti_window *window, const segment *shared) {
  if (shared->file >= 0) close(shared->file);
  if (shared->name[0] && window->comm->node_rank == 0) shm_unlink(shared->name);
}

/** Collective. */
static tutti_status create(const tutti_comm *comm, int64_t own_bytes, tutti_window **window) {
  segment shared = {.file = -1};
  tutti_window *made = NULL;
  *window = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, create_local(comm, &made)));
  TUTTI_TRY_GOTO(done, lay_out(made, own_bytes));
  status = share(made, &shared);
  forget_segment(made, &shared);
  if (status != TUTTI_OK) goto done;
  *window = made;
  made = NULL;
done:
  tutti_par_window_destroy(&made);
  return status;
}

tutti_status tutti_par_window_create(const tutti_comm *comm, int64_t bytes, tutti_window **window) {
  TUTTI_ASSERT(bytes >= 0);
  const int64_t part = bytes / comm->node_size;
  const bool last = comm->node_rank + 1 == comm->node_size;
  return create(comm, last ? bytes - comm->node_rank * part : part, window);
}

tutti_status tutti_par_window_create_parts(const tutti_comm *comm, int64_t own_bytes, tutti_window **window) {
  TUTTI_ASSERT(own_bytes >= 0);
  // A page lies in the memory of one processor, so two ranks should not share one.
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t rest = own_bytes % page;
  return create(comm, rest ? own_bytes - rest + page : own_bytes, window);
}

void *tutti_par_window_part(const tutti_window *window, int node_rank) {
  return window->data + window->begins[node_rank];
}

void *tutti_par_window_data(const tutti_window *window) {
  return window->data;
}

tutti_status tutti_par_window_sync(const tutti_window *window) {
  atomic_thread_fence(memory_order_seq_cst); // other ranks see my writes
  TUTTI_MPI(MPI_Barrier(window->comm->node));
  atomic_thread_fence(memory_order_seq_cst); // and I see theirs
  return TUTTI_OK;
}

void tutti_par_window_destroy(tutti_window **window) {
  if (!*window) return;
  if ((*window)->data) munmap((*window)->data, (*window)->length);
  tutti_free((*window)->begins);
  tutti_free(*window);
  *window = NULL;
}
