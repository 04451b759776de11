/* Reads the rows of a data set into the memory of a node, and makes sure that all nodes have the same rows, by a
 * fingerprint.  Opening a data set calls it.  For the checks before a job it reads the labels alone. */
#include <string.h>

#include "base/fault.h"
#include "base/hash.h"
#include "data/chunks_impl.h"
#include "data/dataset_impl.h"

enum { PIECE_BYTES = 1 << 24, MOST_LABEL_BYTES = 1 << 26 };

/** An array of a part in the window. */
typedef struct {
  const char *name; // in the file
  tutti_type type;
  int64_t width, at, bytes; // numbers in a row; where it begins in the window; its size
} window_array;

/** List the arrays of a part, in the order in which they are read and hashed.
 * @return their number */
static int arrays_of(const tutti_dataset *d, tutti_rows which, window_array arrays[3]) {
  const tutti_part *part = &d->layout.parts[which];
  int n = 0;
  if (part->n == 0) return 0;
  arrays[n++] = (window_array){d->x_name[which], part->type, d->layout.n_features, part->x_at, 0};
  if (part->has_weights) arrays[n++] = (window_array){d->w_name, TUTTI_F32, 1, part->w_at, 0};
  if (d->layout.n_targets > 0 && !part->y_is_x)
    arrays[n++] = (window_array){d->y_name[which], TUTTI_F32, d->layout.n_targets, part->y_at, 0};
  for (int i = 0; i < n; i++)
    arrays[i].bytes = part->n * arrays[i].width * (int64_t)tutti_io_type_bytes(arrays[i].type);
  return n;
}

static int64_t row_bytes_of(const window_array *a) {
  return a->width * (int64_t)tutti_io_type_bytes(a->type);
}

/** Read rows by HDF5, in pieces, so that the numbers are still in the cache when they are checked.  HDF5 decompresses a
 * chunk again for each piece that has a part of it, so the pieces are whole chunks. */
static tutti_status read_pieces(const tutti_file *file, const window_array *a, int64_t chunk_rows,
                                const tutti_row_block *rows) {
  const int64_t row_bytes = row_bytes_of(a), n_chunks = PIECE_BYTES / row_bytes / chunk_rows;
  const int64_t piece = (n_chunks > 0 ? n_chunks : 1) * chunk_rows;
  for (int64_t at = 0; at < rows->n; at += piece) {
    const int64_t now = rows->n - at < piece ? rows->n - at : piece, first = rows->first + at;
    char *to = (char *)rows->data + at * row_bytes;
    TUTTI_TRY(tutti_file_read_rows(file, a->name, a->type, first, now, to));
    TUTTI_TRY(tutti_data_check_finite(tutti_file_path(file), a->name, a->type, to, first, now, a->width));
  }
  return TUTTI_OK;
}

/** Read rows by our threads.
 * @param[out] n_read  number of rows; 0: we do not know the chunks of this array */
static tutti_status read_known(const tutti_file *file, const window_array *a, int64_t memory,
                               const tutti_row_block *rows, int64_t *n_read) {
  tutti_array_chunks *chunks = NULL;
  tutti_status status = TUTTI_OK;
  bool finite = true;
  *n_read = 0;
  TUTTI_TRY_GOTO(done, tutti_array_chunks_open(file, a->name, &chunks));
  if (!chunks || !tutti_data_convert_of(tutti_array_chunks_form(chunks)->stored, a->type)) goto done;
  TUTTI_TRY_GOTO(done, tutti_data_read_chunks(file, a->name, chunks, rows, memory, n_read, &finite));
  if (!finite) // find the first such number
    TUTTI_TRY_GOTO(done, tutti_data_check_finite(tutti_file_path(file), a->name, a->type, rows->data,
                                                 rows->first, *n_read, a->width));
done:
  tutti_array_chunks_close(&chunks);
  return status;
}

/** Read the share that this rank has of n rows, by our threads as far as they can.
 * @param[out] to  [n, width], of which the share is written */
static tutti_status read_array(const tutti_file *file, const window_array *a, int64_t n,
                               tutti_data_reader own, char *to) {
  int64_t chunk_rows = 1, chunk_bytes = 0, n_read = 0;
  TUTTI_TRY(tutti_array_chunk_size(file, a->name, &chunk_rows, &chunk_bytes));
  const tutti_data_share share = tutti_data_share_of(own, n, chunk_rows, chunk_bytes);
  if (share.n == 0) return TUTTI_OK;
  const tutti_row_block rows = {a->type, share.first, share.n, to + share.first * row_bytes_of(a)};
  TUTTI_TRY(read_known(file, a, share.memory, &rows, &n_read));
  const tutti_row_block rest = {rows.type, rows.first + n_read, rows.n - n_read,
                                (char *)rows.data + n_read * row_bytes_of(a)};
  return read_pieces(file, a, chunk_rows, &rest);
}

/** The path may lead to another file on another node. */
static tutti_status fail_other_file(const char *path) {
  TUTTI_FAIL(TUTTI_ERR_DATA,
             "%s: this node has another file than rank 0 at this path; all nodes need the same one", path);
}

/** Each reader opens the path by itself.  Compare shapes and types first: the window has the size of rank 0's file.  Rank
 * 0 has checked its numbers before it announced that size. */
static tutti_status check_layout(const tutti_file *file, const tutti_dataset *d) {
  const bool first_of_other_node = tutti_comm_node_rank(d->comm) == 0 && tutti_comm_rank(d->comm) > 0;
  tutti_layout here;
  TUTTI_TRY(tutti_dataset_read_layout(file, d, first_of_other_node, &here));
  bool same = here.n_features == d->layout.n_features && here.n_targets == d->layout.n_targets;
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    const tutti_part *a = &here.parts[which], *b = &d->layout.parts[which];
    same = same && a->n_file == b->n_file && a->n == b->n && a->type == b->type;
  }
  return same ? TUTTI_OK : fail_other_file(tutti_file_path(file));
}

static tutti_data_reader reader_of(const tutti_dataset *d) {
  return (tutti_data_reader){tutti_comm_node_rank(d->comm),
                             tutti_data_count_readers(d->layout.bytes, tutti_comm_node_size(d->comm))};
}

/** Which version of the file the ranks of this node have to read. */
static tutti_file_stamp *node_stamp(const tutti_dataset *d) {
  return (tutti_file_stamp *)((char *)tutti_par_window_data(d->window) + d->layout.stamp_at);
}

/** Note which version of the file this rank has read.  The others of its node have to read that of its first rank, and
 * those of rank 0 the one that has the header. */
static tutti_status note_version(const tutti_file *file, tutti_dataset *d) {
  const tutti_file_stamp of_header = d->stamp;
  TUTTI_TRY(tutti_file_stamp_of(file, &d->stamp));
  if (tutti_comm_node_rank(d->comm) == 0)
    *node_stamp(d) = tutti_comm_rank(d->comm) == 0 ? of_header : d->stamp;
  return TUTTI_OK;
}

/** A program may have replaced the file between the openings of two ranks. */
static tutti_status check_version(const tutti_dataset *d) {
  const tutti_data_reader own = reader_of(d);
  if (own.reader >= own.n_readers || tutti_file_stamp_same(&d->stamp, node_stamp(d))) return TUTTI_OK;
  TUTTI_FAIL(
      TUTTI_ERR_DATA,
      "%s: was replaced or written while it was read: rank %d has read another version than the one that "
      "was opened first on its node; start again when the file is complete",
      d->file, tutti_comm_rank(d->comm));
}

tutti_status tutti_dataset_read_rows(tutti_dataset *d) {
  const tutti_data_reader own = reader_of(d);
  tutti_file *file = NULL;
  char *data = tutti_par_window_data(d->window);
  tutti_status status = TUTTI_OK;
  if (own.reader >= own.n_readers) return TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_fault("dataset.open"));
  TUTTI_TRY_GOTO(done, tutti_file_open(d->file, &file));
  tutti_file_trust(file, d->trust);
  TUTTI_TRY_GOTO(done, check_layout(file, d));
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    window_array arrays[3];
    const int n = arrays_of(d, which, arrays);
    for (int i = 0; i < n; i++)
      TUTTI_TRY_GOTO(done, read_array(file, &arrays[i], d->layout.parts[which].n, own, data + arrays[i].at));
  }
  TUTTI_TRY_GOTO(done,
                 note_version(file, d)); // after the last read, so that what is written meanwhile counts
done:
  tutti_file_close(&file);
  return status;
}

/** Give the labels of each part a place in memory that has nothing else.  @return its bytes; 0: there are none */
static int64_t place_labels(tutti_dataset *d) {
  int64_t bytes = 0;
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    tutti_part *part = &d->layout.parts[which];
    part->y_at = bytes;
    if (!part->y_is_x) bytes += part->n * d->layout.n_targets * (int64_t)sizeof(float);
  }
  return bytes;
}

static tutti_status read_labels(const tutti_file *file, const tutti_dataset *d, tutti_rows which) {
  window_array arrays[3];
  const int n = arrays_of(d, which, arrays);
  if (n == 0 || d->layout.parts[which].y_is_x) return TUTTI_OK;
  return read_array(file, &arrays[n - 1], d->layout.parts[which].n, (tutti_data_reader){0, 1},
                    d->labels + arrays[n - 1].at);
}

tutti_status tutti_dataset_read_labels(tutti_dataset *d) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  const int64_t bytes = place_labels(d);
  if (bytes == 0 || bytes > MOST_LABEL_BYTES) return TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(d->labels, bytes));
  TUTTI_TRY_GOTO(done, tutti_file_open(d->file, &file));
  tutti_file_trust(file, d->trust);
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) TUTTI_TRY_GOTO(done, read_labels(file, d, which));
done:
  tutti_file_close(&file);
  return status;
}

/** The hash of earlier versions: FNV-1a (Fowler, Noll, Vo) over words instead of bytes.  Arrays begin at whole words,
 * and the rest of the last word is zero.  It is weak: two changes of the highest bits of words cancel. */
static uint64_t hash_words(uint64_t hash, const void *from, int64_t bytes) {
  const uint64_t *words = from;
  for (int64_t i = 0; i < (bytes + 7) / 8; i++) hash = (hash ^ words[i]) * UINT64_C(0x100000001b3);
  return hash;
}

/** Continue a hash with all numbers of a part. */
static uint64_t add_arrays(const tutti_dataset *d, tutti_rows which,
                           uint64_t (*add)(uint64_t before, const void *from, int64_t bytes), uint64_t hash) {
  const char *data = tutti_par_window_data(d->window);
  window_array arrays[3];
  const int n = arrays_of(d, which, arrays);
  for (int i = 0; i < n; i++) hash = add(hash, data + arrays[i].at, arrays[i].bytes);
  return hash;
}

/** The shape is part of the hash, so that the same numbers in another shape are other data. */
static uint64_t fingerprint(const tutti_dataset *d, tutti_rows which) {
  const tutti_part *part = &d->layout.parts[which];
  const int64_t shape[] = {part->n, d->layout.n_features, part->y_is_x ? 0 : d->layout.n_targets};
  return add_arrays(d, which, tutti_hash, tutti_hash(0, shape, sizeof shape));
}

int64_t tutti_dataset_fingerprint(const tutti_dataset *dataset, int64_t hash) {
  if (hash == TUTTI_HASH_XXH64) return dataset->fingerprint;
  return (int64_t)add_arrays(dataset, TUTTI_ROWS_TRAIN, hash_words, UINT64_C(0xcbf29ce484222325));
}

/** The ranks of a node have the same memory, so only the first ones compare its rows. */
tutti_status tutti_dataset_compare_nodes(tutti_dataset *d) {
  const bool reader = tutti_comm_node_rank(d->comm) == 0;
  uint64_t mine[TUTTI_N_ROWS] = {0}, first[TUTTI_N_ROWS];
  for (tutti_rows which = 0; reader && which < TUTTI_N_ROWS; which++) mine[which] = fingerprint(d, which);
  memcpy(first, mine, sizeof first);
  TUTTI_TRY(tutti_comm_bcast(d->comm, 0, first, sizeof first));
  d->fingerprint = (int64_t)first[TUTTI_ROWS_TRAIN];
  tutti_status local = check_version(d);
  if (local == TUTTI_OK && reader && memcmp(mine, first, sizeof first) != 0) local = fail_other_file(d->file);
  return tutti_comm_agree(d->comm, local);
}
