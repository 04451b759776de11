/* From the bytes of a chunk to numbers in rows: what HDF5 does when it reads a chunk, but in any thread.  HDF5 itself is
 * the reference, to which a test compares each kind of array.  read_chunks.c calls it. */
#include <string.h>
#include <zlib.h>

#include "base/clones.h"
#include "data/chunks_impl.h"
#include "data/dataset_impl.h"

struct tutti_data_unpacker {
  const tutti_chunk_form *form; // borrowed
  z_stream stream;
  unsigned char *inflated, *numbers; // [chunk_bytes] each
};

// --- filters

enum { FLETCHER32_BYTES = 4 };

/** Fletcher-32 as HDF5 has it: over words of two bytes, the first one high, and with 65535 instead of 0 if the sum of
 * words that are not all 0 is a multiple of 65535. */
static uint32_t fletcher32(const unsigned char *bytes, int64_t n) {
  enum { AT_ONCE = 1 << 17 }; // bytes whose sums stay below 2^63
  uint64_t sum = 0, sum_of_sums = 0;
  for (int64_t at = 0; at < n; at += AT_ONCE) {
    const int64_t end = n - at < AT_ONCE ? n : at + AT_ONCE;
    for (int64_t i = at; i < end; i += 2) {
      sum += (uint64_t)bytes[i] << 8 | (i + 1 < n ? bytes[i + 1] : 0);
      sum_of_sums += sum;
    }
    if (sum > 0) sum = (sum - 1) % 65535 + 1;
    if (sum_of_sums > 0) sum_of_sums = (sum_of_sums - 1) % 65535 + 1;
  }
  return (uint32_t)(sum_of_sums << 16 | sum);
}

/** The checksum is behind the bytes, the low byte first.  Early versions of HDF5 swapped the bytes of each half. */
static bool has_checksum(const unsigned char *bytes, int64_t n) {
  const uint32_t sum = fletcher32(bytes, n), swapped = (sum & 0x00ff00ff) << 8 | (sum >> 8 & 0x00ff00ff);
  const uint32_t stored = (uint32_t)bytes[n] | (uint32_t)bytes[n + 1] << 8 | (uint32_t)bytes[n + 2] << 16 |
                          (uint32_t)bytes[n + 3] << 24;
  return stored == sum || stored == swapped;
}

/** Decompress exactly `room` bytes.  Bytes behind the compressed ones do not matter to HDF5 either. */
static bool inflate_all(z_stream *stream, const unsigned char *bytes, int64_t n, unsigned char *to,
                        int64_t room) {
  if (inflateReset(stream) != Z_OK) return false;
  stream->next_in = (z_const Bytef *)(uintptr_t)bytes;
  stream->avail_in = (uInt)n;
  stream->next_out = to;
  stream->avail_out = (uInt)room;
  return inflate(stream, Z_FINISH) == Z_STREAM_END && stream->avail_out == 0;
}

/** The first bytes of all numbers come first, then their second bytes, and so on. */
#define DEFINE_UNSHUFFLE(BYTES)                                                                              \
  TUTTI_CLONES static void unshuffle_##BYTES(const unsigned char *restrict from, unsigned char *restrict to, \
                                             int64_t n) {                                                    \
    for (int64_t i = 0; i < n; i++)                                                                          \
      for (int k = 0; k < BYTES; k++) to[BYTES * i + k] = from[k * n + i];                                   \
  }
DEFINE_UNSHUFFLE(2)
DEFINE_UNSHUFFLE(4)
DEFINE_UNSHUFFLE(8)

static void unshuffle(const unsigned char *from, unsigned char *to, int64_t number_bytes, int64_t n) {
  switch (number_bytes) {
  case 2:
    unshuffle_2(from, to, n);
    break;
  case 4:
    unshuffle_4(from, to, n);
    break;
  case 8:
    unshuffle_8(from, to, n);
    break;
  default:
    memcpy(to, from, (size_t)n);
  }
}

// --- places

/** The part of a chunk that lies in the rows.  Its lines are one run of numbers in both places. */
typedef struct {
  int64_t from[TUTTI_MAX_DIMS], count[TUTTI_MAX_DIMS]; // in indices of the chunk
  int n_outer;                                         // dimensions before that of the lines
  int64_t n_lines, line;                               // numbers in a line
  int64_t chunk_stride, row_stride;                    // from line to line, in numbers
} box;

/** Merge dimensions from the last one on: a dimension that the chunk has as a whole continues the run of the one before
 * it. */
static void find_lines(const tutti_chunk_form *f, box *b) {
  int i = f->n_dims - 1;
  b->line = b->count[i];
  b->chunk_stride = f->chunk[i];
  b->row_stride = f->dims[i];
  for (; i > 0 && f->chunk[i] == f->dims[i]; i--) {
    b->line *= b->count[i - 1];
    b->chunk_stride *= f->chunk[i - 1];
    b->row_stride *= f->dims[i - 1];
  }
  b->n_lines = i > 0 ? b->count[i - 1] : 1;
  b->n_outer = i > 0 ? i - 1 : 0;
}

static void clip(const tutti_chunk_form *f, const int64_t *at, const tutti_row_block *rows, box *b) {
  for (int i = 0; i < f->n_dims; i++) {
    const int64_t begin = i == 0 ? rows->first : 0, end = i == 0 ? rows->first + rows->n : f->dims[i];
    b->from[i] = at[i] < begin ? begin - at[i] : 0;
    b->count[i] = (end - at[i] < f->chunk[i] ? end - at[i] : f->chunk[i]) - b->from[i];
  }
  find_lines(f, b);
}

/** The places of some number of the box: in the chunk, and in the rows.
 * @param[in] index  [n_outer] in the box */
static void find_places(const tutti_chunk_form *f, const int64_t *at, const tutti_row_block *rows,
                        const box *b, const int64_t *index, int64_t *in_chunk, int64_t *in_rows) {
  *in_chunk = *in_rows = 0;
  for (int i = 0; i < f->n_dims; i++) {
    const int64_t here = b->from[i] + (i < b->n_outer ? index[i] : 0);
    *in_chunk = *in_chunk * f->chunk[i] + here;
    *in_rows = *in_rows * f->dims[i] + at[i] + here - (i == 0 ? rows->first : 0);
  }
}

/** @return false: that was the last one */
static bool next_index(const box *b, int64_t *index) {
  for (int i = b->n_outer - 1; i >= 0; i--) {
    if (++index[i] < b->count[i]) return true;
    index[i] = 0;
  }
  return false;
}

/** The place in the rows of a chunk that lies there as a whole, number by number as in the file; NULL: there is none. */
static unsigned char *place_of_all(const tutti_chunk_form *f, const int64_t *at, const tutti_row_block *rows,
                                   const box *b) {
  const int64_t none[TUTTI_MAX_DIMS] = {0};
  int64_t in_chunk = 0, in_rows = 0;
  if (b->n_lines > 1 || b->line * f->number_bytes != f->chunk_bytes ||
      !tutti_data_convert_copies(tutti_data_convert_of(f->stored, rows->type)))
    return NULL;
  find_places(f, at, rows, b, none, &in_chunk, &in_rows);
  return (unsigned char *)rows->data + in_rows * f->number_bytes;
}

static bool are_finite(tutti_type type, const unsigned char *lines, const box *b) {
  const int64_t bytes = (int64_t)tutti_io_type_bytes(type);
  bool finite = true;
  for (int64_t i = 0; finite && i < b->n_lines; i++)
    finite = tutti_data_first_infinite(type, lines + i * b->row_stride * bytes, b->line) == b->line;
  return finite;
}

/** Convert a chunk that is decompressed, and look at the numbers while they are in the cache.
 * @param[in] numbers  of the chunk; they may already be at their place
 * @return false: one of them is not finite */
static bool put(const tutti_chunk_form *f, const int64_t *at, const tutti_row_block *rows, const box *b,
                const unsigned char *numbers) {
  const bool real = f->stored == TUTTI_STORED_F32 || f->stored == TUTTI_STORED_F64;
  const int64_t bytes = (int64_t)tutti_io_type_bytes(rows->type);
  const tutti_data_convert convert = tutti_data_convert_of(f->stored, rows->type);
  int64_t index[TUTTI_MAX_DIMS] = {0};
  bool finite = true;
  do {
    int64_t in_chunk = 0, in_rows = 0;
    find_places(f, at, rows, b, index, &in_chunk, &in_rows);
    unsigned char *to = (unsigned char *)rows->data + in_rows * bytes;
    if (numbers != to)
      convert(numbers + in_chunk * f->number_bytes, b->chunk_stride, to, b->row_stride, b->n_lines, b->line);
    if (real) finite = are_finite(rows->type, to, b) && finite;
  } while (next_index(b, index));
  return finite;
}

// --- public

int64_t tutti_data_unpacker_bytes(const tutti_chunk_form *form) {
  return 2 * form->chunk_bytes;
}

tutti_status tutti_data_unpacker_create(const tutti_chunk_form *form, tutti_data_unpacker **unpacker) {
  tutti_data_unpacker *u = NULL;
  tutti_status status = TUTTI_OK;
  *unpacker = NULL;
  TUTTI_TRY(TUTTI_NEW(u, 1));
  u->form = form;
  TUTTI_CHECK_GOTO(done, inflateInit(&u->stream) == Z_OK, TUTTI_ERR_MEMORY, "no memory for decompressing");
  TUTTI_TRY_GOTO(done, TUTTI_NEW(u->inflated, form->chunk_bytes));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(u->numbers, form->chunk_bytes));
  *unpacker = u;
  u = NULL;
done:
  tutti_data_unpacker_destroy(&u);
  return status;
}

void tutti_data_unpacker_destroy(tutti_data_unpacker **unpacker) {
  tutti_data_unpacker *u = *unpacker;
  if (!u) return;
  inflateEnd(&u->stream); // accepts a stream without memory
  tutti_free(u->inflated);
  tutti_free(u->numbers);
  tutti_free(u);
  *unpacker = NULL;
}

bool tutti_data_unpack(tutti_data_unpacker *u, const int64_t *at, const void *bytes, int64_t n,
                       unsigned filters, const tutti_row_block *rows, bool *finite) {
  const tutti_chunk_form *f = u->form;
  box b = {0};
  clip(f, at, rows, &b);
  const bool shuffled = filters & TUTTI_FILTER_SHUFFLE;
  unsigned char *place = place_of_all(f, at, rows, &b); // the last filter writes there
  const unsigned char *now = bytes;
  if (filters & TUTTI_FILTER_FLETCHER32) {
    n -= FLETCHER32_BYTES;
    if (n < 0 || !has_checksum(now, n)) return false;
  }
  if (filters & TUTTI_FILTER_DEFLATE) {
    unsigned char *to = place && !shuffled ? place : u->inflated;
    if (!inflate_all(&u->stream, now, n, to, f->chunk_bytes)) return false;
    now = to;
    n = f->chunk_bytes;
  }
  if (n != f->chunk_bytes) return false;
  if (shuffled) {
    unsigned char *to = place ? place : u->numbers;
    unshuffle(now, to, f->number_bytes, n / f->number_bytes);
    now = to;
  }
  *finite = put(f, at, rows, &b, now);
  return true;
}
