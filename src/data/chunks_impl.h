#pragma once
/** Reading arrays in chunks: who reads which of them, and how without HDF5's filters.  Private to this room and its
 * tests.  Local. */
#include "io/chunks.h"

/** Rows of an array in memory. */
typedef struct {
  tutti_type type; // of a number in memory
  int64_t first, n;
  void *data; // [n, width], aligned for the type
} tutti_row_block;

// --- shares.c: the ranks of a node share the rows of each array

/** One of the ranks of a node that read: `reader` is in [0, n_readers). */
typedef struct {
  int reader, n_readers;
} tutti_data_reader;

/** What one reader reads of an array: rows first, first + 1, ...; n may be 0. */
typedef struct {
  int64_t first, n;
  int64_t memory; // that it may take for chunks, in bytes
} tutti_data_share;

/** How many ranks of a node with n_ranks read.
 * @param[in] bytes  of the data set in memory */
int tutti_data_count_readers(int64_t bytes, int n_ranks);

/** The share of a reader in n rows.  It begins at a whole chunk and ends at one, so that each chunk is decompressed
 * once.  The memory of all readers together has a bound, unless a single one needs more: if chunks are large, some
 * readers get no rows.
 * @param[in] chunk_rows, chunk_bytes  as from tutti_array_chunk_size */
tutti_data_share tutti_data_share_of(tutti_data_reader own, int64_t n, int64_t chunk_rows,
                                     int64_t chunk_bytes);

// --- convert.c: types of numbers

/** Lines of n numbers each; a line begins `stride` numbers after the one before it. */
typedef void (*tutti_data_convert)(const void *from, int64_t from_stride, void *to, int64_t to_stride,
                                   int64_t n_lines, int64_t n);

/** @return NULL: only HDF5 converts these */
tutti_data_convert tutti_data_convert_of(tutti_stored stored, tutti_type type);

/** Whether numbers have the same bytes in the file and in memory. */
bool tutti_data_convert_copies(tutti_data_convert convert);

// --- unpack.c: from the bytes of a chunk to numbers in rows; each thread has its own unpacker

/** The memory of one thread.  It depends on the form of the chunks, which is borrowed. */
typedef struct tutti_data_unpacker tutti_data_unpacker;

/** @param[out] unpacker  owned by the caller (tutti_data_unpacker_destroy); NULL after a failure
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_data_unpacker_create(const tutti_chunk_form *form, tutti_data_unpacker **unpacker);

/** Accepts NULL inside; nulls the handle. */
void tutti_data_unpacker_destroy(tutti_data_unpacker **unpacker);

/** The memory that an unpacker takes, in bytes. */
int64_t tutti_data_unpacker_bytes(const tutti_chunk_form *form);

/** Check and decompress a chunk, convert its numbers, and put them into the rows.  Numbers of other rows, and those
 * beyond the end of the array, are left out.
 * @param[in]  at       [n_dims] indices of the first number of the chunk
 * @param[in]  bytes    [n] of the file
 * @param[in]  filters  that were applied to it
 * @param[out] finite   false: a number that was put into the rows is not finite in float32
 * @return false: the chunk is damaged, and its numbers are unspecified */
bool tutti_data_unpack(tutti_data_unpacker *unpacker, const int64_t *at, const void *bytes, int64_t n,
                       unsigned filters, const tutti_row_block *rows, bool *finite);

// --- read_chunks.c: all chunks of rows, by the threads of this rank

/** Read rows, and check that their numbers are finite in float32.
 * @param[in]  chunks  of the array; tutti_data_convert_of converts its numbers to rows->type
 * @param[in]  memory  that the threads may take together, in bytes; fewer threads read if it is not enough for all
 * @param[out] n_read  number of rows that were read, from the first one on; tutti_file_read_rows has to read the others
 * @param[out] finite  false: one of their numbers is not finite
 * @return ERR_DATA the file is damaged; ERR_MEMORY; the rows are then unspecified */
TUTTI_NODISCARD
tutti_status tutti_data_read_chunks(const tutti_file *file, const char *name,
                                    const tutti_array_chunks *chunks, const tutti_row_block *rows,
                                    int64_t memory, int64_t *n_read, bool *finite);
