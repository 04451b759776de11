/* Reads rows of an array in chunks by all threads of a rank.  HDF5 is called by one thread, which takes the bytes of
 * chunks from the file; all threads decompress them, and check their numbers while they are in the cache.  read.c calls
 * it for the arrays whose chunks are known. */
#include <pthread.h>

#include "base/arithmetic.h"
#include "data/chunks_impl.h"
#include "linalg/parallel.h"
#include "tutti/linalg.h"

typedef enum { FREE, FULL, IN_USE } slot_state;

/** A chunk between the file and the rows. */
typedef struct {
  slot_state state;
  int64_t chunk; // its number
  unsigned char *bytes;
  int64_t n;
  unsigned filters;
} slot;

typedef struct {
  const tutti_array_chunks *chunks;
  const tutti_chunk_form *form;
  const tutti_row_block *rows;
  int64_t first_band, per_band; // a band has all chunks of the same rows
  int64_t next, end;            // chunks that are not read yet; only the leader looks at them
  int n_threads, n_slots;
  slot *slots;                     // [n_slots]
  tutti_data_unpacker **unpackers; // [n_threads]
  bool has_lock, has_filled;
  pthread_mutex_t lock; // of all that follows, and of the states of the slots
  pthread_cond_t filled;
  bool ended;      // the leader fills no more slots
  int64_t damaged; // the first chunk that is damaged, or -1
  bool finite;
} reading;

// --- chunks by number

/** The indices of the first number of a chunk. */
static void first_number(const reading *r, int64_t chunk, int64_t at[TUTTI_MAX_DIMS]) {
  const tutti_chunk_form *f = r->form;
  for (int i = f->n_dims - 1; i > 0; i--) {
    const int64_t n = tutti_ceil_div(f->dims[i], f->chunk[i]);
    at[i] = chunk % n * f->chunk[i];
    chunk /= n;
  }
  at[0] = (r->first_band + chunk) * f->chunk[0];
}

/** The first of the rows that a chunk has a part of. */
static int64_t first_row(const reading *r, int64_t chunk) {
  const int64_t at = (r->first_band + chunk / r->per_band) * r->form->chunk[0];
  return at > r->rows->first ? at : r->rows->first;
}

static void count_chunks(reading *r) {
  const tutti_chunk_form *f = r->form;
  r->first_band = r->rows->first / f->chunk[0];
  r->per_band = 1;
  for (int i = 1; i < f->n_dims; i++) r->per_band *= tutti_ceil_div(f->dims[i], f->chunk[i]);
  r->end = (tutti_ceil_div(r->rows->first + r->rows->n, f->chunk[0]) - r->first_band) * r->per_band;
}

// --- the work of the threads

/** With the lock.  @return a slot in this state, which is now in use; NULL: there is none */
static slot *take(reading *r, slot_state state) {
  for (int i = 0; i < r->n_slots; i++)
    if (r->slots[i].state == state) {
      r->slots[i].state = IN_USE;
      return &r->slots[i];
    }
  return NULL;
}

/** Read the next chunk.  If HDF5 cannot, it is also the last one. */
static void fill(reading *r, slot *s) {
  int64_t at[TUTTI_MAX_DIMS];
  first_number(r, r->next, at);
  s->chunk = r->next;
  const bool there = tutti_array_chunks_read(r->chunks, at, s->bytes, &s->n, &s->filters);
  if (there)
    r->next++;
  else
    r->end = r->next;
  pthread_mutex_lock(&r->lock);
  s->state = there ? FULL : FREE;
  pthread_cond_signal(&r->filled);
  pthread_mutex_unlock(&r->lock);
}

static void empty(reading *r, slot *s, int thread) {
  int64_t at[TUTTI_MAX_DIMS];
  bool finite = true;
  first_number(r, s->chunk, at);
  const bool good = tutti_data_unpack(r->unpackers[thread], at, s->bytes, s->n, s->filters, r->rows, &finite);
  pthread_mutex_lock(&r->lock);
  s->state = FREE;
  r->finite = r->finite && finite;
  // Chunks are read in order, so all chunks before this one are looked at, too, and the first one is found.
  if (!good && (r->damaged < 0 || s->chunk < r->damaged)) r->damaged = s->chunk;
  pthread_mutex_unlock(&r->lock);
}

/** Fill slots, and if all are filled help to empty them.  There are more slots than threads, so the leader never
 * waits. */
static void lead(reading *r) {
  for (;;) {
    pthread_mutex_lock(&r->lock);
    slot *free = r->next < r->end && r->damaged < 0 ? take(r, FREE) : NULL;
    slot *full = free ? NULL : take(r, FULL);
    r->ended = !free && !full;
    if (r->ended) pthread_cond_broadcast(&r->filled);
    pthread_mutex_unlock(&r->lock);
    if (free) fill(r, free);
    if (full) empty(r, full, 0);
    if (!free && !full) return;
  }
}

static void help(reading *r, int thread) {
  for (;;) {
    slot *full = NULL;
    pthread_mutex_lock(&r->lock);
    while (!(full = take(r, FULL)) && !r->ended) pthread_cond_wait(&r->filled, &r->lock);
    pthread_mutex_unlock(&r->lock);
    if (!full) return;
    empty(r, full, thread);
  }
}

/** The first thread leads, because it is the one that called, and HDF5 is used to it. */
static void work(void *context, int64_t begin, int64_t end) {
  for (int64_t thread = begin; thread < end; thread++)
    if (thread == 0)
      lead(context);
    else
      help(context, (int)thread);
}

// --- memory

/** As many threads as have a chunk to do and memory to do it. */
static int choose_threads(const reading *r, int64_t memory) {
  const int64_t bytes = tutti_data_unpacker_bytes(r->form) + 2 * r->form->most_bytes;
  int64_t n = tutti_linalg_threads();
  if (n > r->end) n = r->end;
  if (n > memory / bytes) n = memory / bytes;
  return n > 1 ? (int)n : 1;
}

static tutti_status allocate(reading *r, int64_t memory) {
  r->has_lock = pthread_mutex_init(&r->lock, NULL) == 0;
  r->has_filled = pthread_cond_init(&r->filled, NULL) == 0;
  TUTTI_CHECK(r->has_lock && r->has_filled, TUTTI_ERR_MEMORY,
              "no memory for a lock of the threads that read");
  r->n_threads = choose_threads(r, memory);
  r->n_slots = r->n_threads > 1 ? 2 * r->n_threads : 1;
  TUTTI_TRY(TUTTI_NEW(r->slots, r->n_slots));
  for (int i = 0; i < r->n_slots; i++) TUTTI_TRY(TUTTI_NEW(r->slots[i].bytes, r->form->most_bytes));
  TUTTI_TRY(TUTTI_NEW(r->unpackers, r->n_threads));
  for (int i = 0; i < r->n_threads; i++) TUTTI_TRY(tutti_data_unpacker_create(r->form, &r->unpackers[i]));
  return TUTTI_OK;
}

static void release(reading *r) {
  for (int i = 0; r->slots && i < r->n_slots; i++) tutti_free(r->slots[i].bytes);
  for (int i = 0; r->unpackers && i < r->n_threads; i++) tutti_data_unpacker_destroy(&r->unpackers[i]);
  tutti_free(r->slots);
  tutti_free(r->unpackers);
  if (r->has_filled) pthread_cond_destroy(&r->filled);
  if (r->has_lock) pthread_mutex_destroy(&r->lock);
}

// --- public

static tutti_status fail_damaged(const reading *r, const tutti_file *file, const char *name) {
  const int64_t first = first_row(r, r->damaged), end = r->rows->first + r->rows->n;
  const int64_t chunk_end = (first / r->form->chunk[0] + 1) * r->form->chunk[0];
  TUTTI_FAIL(
      TUTTI_ERR_DATA,
      "%s: array '%s': cannot read rows %lld to %lld (from 0): their numbers cannot be decompressed, or do "
      "not match their checksum: the file is damaged; copy it or make it again",
      tutti_file_path(file), name, (long long)first, (long long)((chunk_end < end ? chunk_end : end) - 1));
}

tutti_status tutti_data_read_chunks(const tutti_file *file, const char *name,
                                    const tutti_array_chunks *chunks, const tutti_row_block *rows,
                                    int64_t memory, int64_t *n_read, bool *finite) {
  reading r = {
      .chunks = chunks, .form = tutti_array_chunks_form(chunks), .rows = rows, .damaged = -1, .finite = true};
  tutti_status status = TUTTI_OK;
  *n_read = 0;
  *finite = true;
  if (rows->n == 0) return TUTTI_OK;
  count_chunks(&r);
  const int64_t n_chunks = r.end;
  TUTTI_TRY_GOTO(done, allocate(&r, memory));
  tutti_linalg_parallel_by(r.n_threads, r.n_threads, 1, work, &r);
  if (r.damaged >= 0) TUTTI_TRY_GOTO(done, fail_damaged(&r, file, name));
  *n_read = r.end < n_chunks ? first_row(&r, r.end) - rows->first : rows->n;
  *finite = r.finite;
done:
  release(&r);
  return status;
}
