/** Memory that the ranks of a node share.  It is a memory file (segment.c) instead of MPI_Win_allocate_shared, because
 * some MPI libraries leave the other ranks of a node waiting if the first cannot get the memory, or promise memory
 * whose first use kills the process.  Here all pages are reserved before a rank relies on them, and a failure of one
 * rank is agreed on. */
#define _DEFAULT_SOURCE // MAP_ANONYMOUS
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "par/segment_impl.h"

struct tutti_window {
  const tutti_comm *comm; // borrowed
  char *data;             // mapped at a page, so aligned to more than 64 bytes
  size_t length;          // mapped bytes
  int64_t *begins;        // [node_size + 1] where the parts of the ranks begin
};

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
  window->length = begins[n] > 0 ? (size_t)begins[n] : 1;
  return TUTTI_OK;
}

/** Local.  Each rank reserves its own part: on a machine with several memories, pages lie in the memory next to the
 * rank that asks for them first.  The pages are zeroed. */
static tutti_status reserve_part(const tutti_window *window, int file) {
  const int64_t *part = window->begins + window->comm->node_rank;
  if (part[0] == part[1]) return TUTTI_OK;
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(file, (off_t)part[0], (off_t)(part[1] - part[0]));
  return error ? tutti_par_segment_no_memory(window->length, error) : TUTTI_OK;
}

static tutti_status map_file(tutti_window *window, int file) {
  if (file >= 0) TUTTI_TRY(reserve_part(window, file));
  if (file < 0 && !tutti_par_segment_has_memory(window->length))
    return tutti_par_segment_no_memory(window->length, ENOMEM);
  // A rank that is alone has plain memory.
  const int kind = file >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
  void *data = mmap(NULL, window->length, PROT_READ | PROT_WRITE, kind, file, 0);
  if (data == MAP_FAILED) return tutti_par_segment_no_memory(window->length, errno);
  window->data = data;
  return TUTTI_OK;
}

/** Collective.  The first rank of each node makes a memory file, and the others open it.
 * @param[in]  named  see tutti_par_segment_make
 * @param[out] file   -1 on a rank that is alone on its node, and after a failure on this rank
 * @param[out] seen   all ranks have opened their file; else nothing has failed but that */
static tutti_status open_file(const tutti_window *window, bool named, tutti_segment_key *key, int *file,
                              bool *seen) {
  const tutti_comm *comm = window->comm;
  const bool makes = comm->node_rank == 0 && comm->node_size > 1;
  tutti_status local = makes ? tutti_par_segment_make(window->length, named, key, file) : TUTTI_OK;
  // A system without nameless files is not an error: the second attempt decides.
  double ok = local == TUTTI_OK || (!named && local == TUTTI_ERR_SYSTEM);
  TUTTI_TRY(tutti_comm_agree(comm, ok > 0 ? TUTTI_OK : local));
  TUTTI_MPI(MPI_Bcast(key, sizeof *key, MPI_BYTE, 0, comm->node));
  if (comm->node_rank > 0) local = tutti_par_segment_open(key, file);
  ok = local == TUTTI_OK;
  TUTTI_TRY(tutti_comm_min(comm, &ok, 1));
  *seen = ok > 0;
  return *seen || !named ? TUTTI_OK : tutti_comm_agree(comm, local);
}

static void close_file(int *file) {
  if (*file >= 0) close(*file);
  *file = -1;
}

/** Collective. */
static tutti_status share(tutti_window *window) {
  tutti_segment_key key = {0};
  int file = -1;
  bool seen = false;
  tutti_status status = TUTTI_OK;
  for (int named = 0; named < 2 && !seen && status == TUTTI_OK; named++) {
    close_file(&file);
    status = open_file(window, named, &key, &file, &seen);
  }
  if (status == TUTTI_OK) status = tutti_comm_agree(window->comm, map_file(window, file));
  // All ranks have mapped it, or failed: without a name the system frees the memory with its last user.
  if (window->comm->node_rank == 0) tutti_par_segment_forget(&key);
  close_file(&file);
  return status;
}

/** Collective. */
static tutti_status create(const tutti_comm *comm, int64_t own_bytes, tutti_window **window) {
  tutti_window *made = NULL;
  *window = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, create_local(comm, &made)));
  TUTTI_TRY_GOTO(done, lay_out(made, own_bytes));
  TUTTI_TRY_GOTO(done, share(made));
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
