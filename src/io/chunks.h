#pragma once
/** Chunks of an array as they lie in the file.  HDF5 decompresses one chunk after another; with their bytes, several
 * threads can do it at once.  Only arrays whose numbers and filters are known are opened here; every other one is read
 * by tutti_file_read_rows.  Local, and one thread at a time, as all functions that call HDF5. */
#include "tutti/io.h"

/** The types of numbers in a file, in the byte order of this machine. */
typedef enum {
  TUTTI_STORED_I8,
  TUTTI_STORED_U8,
  TUTTI_STORED_I16,
  TUTTI_STORED_U16,
  TUTTI_STORED_I32,
  TUTTI_STORED_U32,
  TUTTI_STORED_I64,
  TUTTI_STORED_U64,
  TUTTI_STORED_F32,
  TUTTI_STORED_F64,
  TUTTI_N_STORED
} tutti_stored;

/** Filters of a chunk, in the order in which they are applied when it is written.  A set of them is a sum. */
enum { TUTTI_FILTER_SHUFFLE = 1, TUTTI_FILTER_DEFLATE = 2, TUTTI_FILTER_FLETCHER32 = 4 };

/** The shape of the chunks.  They all have the same one; the last ones may reach beyond the array. */
typedef struct {
  int n_dims;                                          // at least 1
  int64_t dims[TUTTI_MAX_DIMS], chunk[TUTTI_MAX_DIMS]; // [n_dims] of the array, of a chunk; each at least 1
  tutti_stored stored;
  int64_t number_bytes, chunk_bytes; // of a number, of a chunk without filters
  int64_t most_bytes;                // of a chunk in the file
} tutti_chunk_form;

typedef struct tutti_array_chunks tutti_array_chunks;

/** The chunks of any array of numbers: HDF5 reads only whole ones.
 * @param[out] rows   of the array that a chunk has, at least 1; 1 if the array has no chunks
 * @param[out] bytes  of a chunk without filters; 0 if the array has no chunks
 * @return ERR_DATA as tutti_file_shape */
TUTTI_NODISCARD
tutti_status tutti_array_chunk_size(const tutti_file *file, const char *name, int64_t *rows, int64_t *bytes);

/** Open an array for reading its chunks.
 * @param[out] chunks  owned by the caller (tutti_array_chunks_close); NULL after a failure, and if the array has no chunks,
 *                     other numbers, other filters, or chunks that are large for it
 * @return ERR_DATA as tutti_file_shape; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_array_chunks_open(const tutti_file *file, const char *name, tutti_array_chunks **chunks);

/** Borrowed. */
const tutti_chunk_form *tutti_array_chunks_form(const tutti_array_chunks *chunks);

/** Read the bytes of a chunk.
 * @param[in]  first    [n_dims] indices of its first number
 * @param[out] bytes    [most_bytes]
 * @param[out] n        number of bytes
 * @param[out] filters  that were applied to it
 * @return false: tutti_file_read_rows will say why, or read it: the chunk was never written, it is longer than
 *         decompressing can explain, or the file is damaged */
bool tutti_array_chunks_read(const tutti_array_chunks *chunks, const int64_t *first, void *bytes, int64_t *n,
                             unsigned *filters);

/** Accepts NULL inside; nulls the handle. */
void tutti_array_chunks_close(tutti_array_chunks **chunks);
