/* Reads the rows of a data set into the memory of a node, and makes sure that all nodes have the same rows, by a fingerprint.
 * Opening a data set calls it. */
#include <string.h>

#include "base/fault.h"
#include "base/hash.h"
#include "data/dataset_impl.h"

enum { PIECE_BYTES = 1 << 24 };

/** Read in pieces, so that the numbers are still in the cache when they are checked. */
static tutti_status read_array(const tutti_file *file, const char *name, tutti_type type, int64_t n,
                               int64_t width, char *to) {
  const int64_t row_bytes = width * (int64_t)tutti_io_type_bytes(type);
  const int64_t piece = row_bytes < PIECE_BYTES ? PIECE_BYTES / row_bytes : 1;
  for (int64_t first = 0; first < n; first += piece) {
    const int64_t now = n - first < piece ? n - first : piece;
    char *rows = to + first * row_bytes;
    TUTTI_TRY(tutti_file_read_rows(file, name, type, first, now, rows));
    TUTTI_TRY(tutti_data_check_finite(tutti_file_path(file), name, type, rows, first, now, width));
  }
  return TUTTI_OK;
}

/** The path may lead to another file on another node. */
static tutti_status fail_other_file(const char *path) {
  TUTTI_FAIL(TUTTI_ERR_DATA,
             "%s: this node has another file than rank 0 at this path; all nodes need the same one", path);
}

/** Each node opens the path by itself.  Compare shapes and types first: the window has the size of rank 0's file. */
static tutti_status check_layout(const tutti_file *file, const tutti_dataset *d) {
  tutti_layout here;
  TUTTI_TRY(tutti_dataset_read_layout(file, d, &here));
  bool same = here.n_features == d->layout.n_features && here.n_targets == d->layout.n_targets;
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    const tutti_part *a = &here.parts[which], *b = &d->layout.parts[which];
    same = same && a->n_file == b->n_file && a->n == b->n && a->type == b->type;
  }
  return same ? TUTTI_OK : fail_other_file(tutti_file_path(file));
}

tutti_status tutti_dataset_read_rows(const tutti_dataset *d) {
  tutti_file *file = NULL;
  char *data = tutti_par_window_data(d->window);
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_fault("dataset.open"));
  TUTTI_TRY_GOTO(done, tutti_file_open(d->file, &file));
  if (d->external) tutti_file_allow_external(file);
  TUTTI_TRY_GOTO(done, check_layout(file, d));
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    const tutti_part *part = &d->layout.parts[which];
    if (part->n == 0) continue;
    TUTTI_TRY_GOTO(done, read_array(file, d->x_name[which], part->type, part->n, d->layout.n_features,
                                    data + part->x_at));
    if (part->has_weights) {
      TUTTI_TRY_GOTO(done, read_array(file, d->w_name, TUTTI_F32, part->n, 1, data + part->w_at));
      TUTTI_TRY_GOTO(done, tutti_dataset_check_weights(d));
    }
    if (d->layout.n_targets == 0 || part->y_is_x) continue;
    TUTTI_TRY_GOTO(
        done, read_array(file, d->y_name[which], TUTTI_F32, part->n, d->layout.n_targets, data + part->y_at));
  }
done:
  tutti_file_close(&file);
  return status;
}

/** The hash of earlier versions: FNV-1a (Fowler, Noll, Vo) over words instead of bytes.  Arrays begin at whole words, and the
 * rest of the last word is zero.  It is weak: two changes of the highest bits of words cancel. */
static uint64_t hash_words(uint64_t hash, const void *from, int64_t bytes) {
  const uint64_t *words = from;
  for (int64_t i = 0; i < (bytes + 7) / 8; i++) hash = (hash ^ words[i]) * UINT64_C(0x100000001b3);
  return hash;
}

static uint64_t fingerprint_of_words(const tutti_dataset *d, tutti_rows which) {
  const tutti_part *part = &d->layout.parts[which];
  const int64_t x_bytes = part->n * d->layout.n_features * (int64_t)tutti_io_type_bytes(part->type);
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  if (part->n == 0) return hash;
  hash = hash_words(hash, tutti_dataset_x(d, which), x_bytes);
  if (part->has_weights) hash = hash_words(hash, tutti_dataset_weights(d), part->n * (int64_t)sizeof(float));
  if (d->layout.n_targets == 0 || part->y_is_x) return hash;
  return hash_words(hash, tutti_dataset_y(d, which), part->n * d->layout.n_targets * (int64_t)sizeof(float));
}

/** The shape is part of the hash, so that the same numbers in another shape are other data. */
static uint64_t fingerprint(const tutti_dataset *d, tutti_rows which) {
  const tutti_part *part = &d->layout.parts[which];
  const int64_t shape[] = {part->n, d->layout.n_features, part->y_is_x ? 0 : d->layout.n_targets},
                floats = part->n * (int64_t)sizeof(float);
  uint64_t hash = tutti_hash(0, shape, sizeof shape);
  if (part->n == 0) return hash;
  hash = tutti_hash(hash, tutti_dataset_x(d, which),
                    shape[0] * shape[1] * (int64_t)tutti_io_type_bytes(part->type));
  if (part->has_weights) hash = tutti_hash(hash, tutti_dataset_weights(d), floats);
  return shape[2] > 0 ? tutti_hash(hash, tutti_dataset_y(d, which), floats * shape[2]) : hash;
}

int64_t tutti_dataset_fingerprint(const tutti_dataset *dataset, int64_t hash) {
  if (hash == TUTTI_HASH_XXH64) return dataset->fingerprint;
  return (int64_t)fingerprint_of_words(dataset, TUTTI_ROWS_TRAIN);
}

tutti_status tutti_dataset_compare_nodes(tutti_dataset *d) {
  const bool reader = tutti_comm_node_rank(d->comm) == 0;
  uint64_t mine[TUTTI_N_ROWS] = {0}, first[TUTTI_N_ROWS];
  for (tutti_rows which = 0; reader && which < TUTTI_N_ROWS; which++) mine[which] = fingerprint(d, which);
  memcpy(first, mine, sizeof first);
  TUTTI_TRY(tutti_comm_bcast(d->comm, 0, first, sizeof first));
  d->fingerprint = (int64_t)first[TUTTI_ROWS_TRAIN];
  tutti_status local = TUTTI_OK;
  if (reader && memcmp(mine, first, sizeof first) != 0) local = fail_other_file(d->file);
  return tutti_comm_agree(d->comm, local);
}
