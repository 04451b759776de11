/* Which rows of an array each rank of a node reads.  More readers decompress faster, but each opens the file, and each
 * holds chunks in memory: so they are few, and even fewer if the chunks are large.  Pure functions, which read.c
 * calls. */
#include "base/arithmetic.h"
#include "data/chunks_impl.h"

enum {
  BYTES_OF_A_READER = 1 << 24, // opening a file pays for some megabytes
  MOST_READERS = 16,           // file systems hardly deliver more than so many ranks decompress
  MOST_BYTES = 1 << 29,        // of memory for chunks, for all readers together
  // A thread of ours has a chunk compressed, the next one, and two steps of decompressing; HDF5 takes less.
  CHUNKS_OF_A_READER = 4
};

int tutti_data_count_readers(int64_t bytes, int n_ranks) {
  int64_t n = bytes / BYTES_OF_A_READER;
  if (n > MOST_READERS) n = MOST_READERS;
  if (n > n_ranks) n = n_ranks;
  return n > 1 ? (int)n : 1;
}

static int count_with_memory(int n_readers, int64_t chunk_bytes) {
  const int64_t n = chunk_bytes > 0 ? MOST_BYTES / CHUNKS_OF_A_READER / chunk_bytes : n_readers;
  return n < 1 ? 1 : n < n_readers ? (int)n : n_readers;
}

tutti_data_share tutti_data_share_of(tutti_data_reader own, int64_t n, int64_t chunk_rows,
                                     int64_t chunk_bytes) {
  const int n_readers = count_with_memory(own.n_readers, chunk_bytes);
  if (own.reader >= n_readers) return (tutti_data_share){0};
  const int64_t n_chunks = tutti_ceil_div(n, chunk_rows);
  const int64_t first = n_chunks * own.reader / n_readers * chunk_rows,
                end = n_chunks * (own.reader + 1) / n_readers * chunk_rows;
  return (tutti_data_share){first, (end < n ? end : n) - first, MOST_BYTES / n_readers};
}
