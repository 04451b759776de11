/** Outputs of a checkpoint's network: the ranks share the rows, rank 0 writes them piece by piece. */
#include <string.h>

#include "io/file.h"
#include "train/restore.h"

/** What a prediction works with. */
typedef struct {
  const tutti_comm *comm;
  const tutti_restored *restored;
  tutti_file *file; // on rank 0 alone
  double *all;      // [size * MICRO_ROWS * n_out]: the ranks' outputs of one round; on rank 0 alone
  double *own;      // [MICRO_ROWS * n_out]
  float *out;       // the same as float32, for the file; rank 0: [size * MICRO_ROWS * n_out]
  int32_t *classes; // [size * MICRO_ROWS]; on rank 0 alone
} prediction;

static tutti_status allocate(prediction *p) {
  const int64_t n_out = tutti_model_n_out(p->restored->network.model), rows = p->restored->network.max_rows;
  const bool root = tutti_comm_rank(p->comm) == 0;
  const int64_t round_rows = root ? rows * tutti_comm_size(p->comm) : rows;
  TUTTI_TRY(TUTTI_NEW(p->own, rows * n_out));
  TUTTI_TRY(TUTTI_NEW(p->out, round_rows * n_out));
  if (!root) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(p->all, round_rows * n_out));
  return TUTTI_NEW(p->classes, round_rows);
}

static tutti_status create_arrays(prediction *p, const char *output, int64_t n) {
  const tutti_model *model = p->restored->network.model;
  const int64_t dims[2] = {n, tutti_model_n_out(model)};
  TUTTI_TRY(tutti_file_create(output, &p->file));
  TUTTI_TRY(tutti_file_create_array(p->file, "predictions", TUTTI_F32, 2, dims, 0));
  if (!tutti_model_is_classifier(model)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_create_array(p->file, "classes", TUTTI_I32, 1, dims, 0));
  if (p->restored->n_classes == 0) return TUTTI_OK;
  return tutti_file_set_texts(p->file, "classes", "classes", (const char *const *)p->restored->classes,
                              p->restored->n_classes);
}

/** This rank's rows of one round through the network. */
static tutti_status forward(prediction *p, int64_t first, int64_t n) {
  const tutti_network *network = &p->restored->network;
  const tutti_model_pass pass = {.batch_count = n};
  for (int64_t i = 0; i < n; i++) network->rows[i] = first + i;
  tutti_network_gather(network, TUTTI_ROWS_TEST, n, false);
  TUTTI_TRY(tutti_model_forward(network->model, p->restored->params, &pass, network->x, n));
  tutti_model_predict(network->model, n, p->out);
  const int64_t values = n * tutti_model_n_out(network->model);
  for (int64_t i = 0; i < values; i++) p->own[i] = p->out[i];
  return TUTTI_OK;
}

static int32_t class_of(const float *row, int64_t n_out) {
  if (n_out == 1) return row[0] > 0.5f;
  int64_t best = 0;
  for (int64_t j = 1; j < n_out; j++)
    if (row[j] > row[best]) best = j;
  return (int32_t)best;
}

/** Rows [first, first + n) of a round, gathered in p->all, into the file. */
static tutti_status write(prediction *p, int64_t first, int64_t n) {
  const tutti_model *model = p->restored->network.model;
  const int64_t n_out = tutti_model_n_out(model);
  for (int64_t i = 0; i < n * n_out; i++) p->out[i] = (float)p->all[i];
  TUTTI_TRY(tutti_file_write_rows(p->file, "predictions", TUTTI_F32, first, n, p->out));
  if (!tutti_model_is_classifier(model)) return TUTTI_OK;
  for (int64_t i = 0; i < n; i++) p->classes[i] = class_of(p->out + i * n_out, n_out);
  return tutti_file_write_rows(p->file, "classes", TUTTI_I32, first, n, p->classes);
}

/** In rounds of max_rows a rank: the ranks' rows of a round stand one after another. */
static tutti_status predict_rows(prediction *p, int64_t n) {
  const int rank = tutti_comm_rank(p->comm), size = tutti_comm_size(p->comm);
  const int64_t rows = p->restored->network.max_rows, n_out = tutti_model_n_out(p->restored->network.model);
  for (int64_t first = 0; first < n; first += rows * size) {
    const int64_t own_first = first + rank * rows, left = n - own_first;
    const int64_t own = left < 0 ? 0 : left < rows ? left : rows;
    TUTTI_TRY(forward(p, own_first, own));
    TUTTI_TRY(tutti_gather(p->comm, 0, p->own, rows * n_out, p->all));
    const int64_t round = n - first < rows * size ? n - first : rows * size;
    const tutti_status local = rank == 0 ? write(p, first, round) : TUTTI_OK;
    TUTTI_TRY(tutti_agree_from(p->comm, 0, local));
  }
  return TUTTI_OK;
}

static tutti_status predict(prediction *p, const char *checkpoint, const char *input, const char *dataset,
                            const char *output, tutti_restored *restored, int64_t *n_samples) {
  TUTTI_TRY(tutti_restore_config(p->comm, checkpoint, restored));
  TUTTI_TRY(tutti_dataset_open_array(p->comm, input, dataset, &restored->dataset));
  TUTTI_TRY(tutti_restore_network(p->comm, checkpoint, restored));
  *n_samples = tutti_dataset_n_rows(restored->dataset, TUTTI_ROWS_TEST);
  const bool root = tutti_comm_rank(p->comm) == 0;
  TUTTI_TRY(tutti_agree(p->comm, allocate(p)));
  TUTTI_TRY(tutti_agree_from(p->comm, 0, root ? create_arrays(p, output, *n_samples) : TUTTI_OK));
  TUTTI_TRY(predict_rows(p, *n_samples));
  TUTTI_TRY(tutti_agree_from(p->comm, 0, root ? tutti_file_commit(&p->file) : TUTTI_OK));
  return TUTTI_OK;
}

tutti_status tutti_predict_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *input,
                                      const char *dataset, const char *output, int64_t *n_samples) {
  tutti_restored restored = {0};
  prediction p = {.comm = comm, .restored = &restored};
  const tutti_status status = predict(&p, checkpoint, input, dataset, output, &restored, n_samples);
  tutti_file_close(&p.file);
  void *const owned[] = {p.all, p.own, p.out, p.classes};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
  tutti_restored_clear(&restored);
  return status;
}
