/* Outputs of the network in a checkpoint for the rows of an array.  The ranks share the rows in rounds, and rank 0
 * writes each round to the file, so that no rank needs memory for all of them.  The command `tutti predict` calls
 * this. */
#include "rundir/restore.h"
#include "tutti/io.h"
#include "tutti/train.h"

/** A prediction.  A round is network->max_rows rows of each rank. */
typedef struct {
  const tutti_comm *comm;
  const tutti_rundir_restored *restored;
  int64_t n_out, n_decisions;
  tutti_file *file;     // on rank 0 alone
  float *own_out;       // [max_rows, n_out] of this rank
  float *out;           // [size * max_rows, n_out] of the round; on rank 0 alone
  int32_t *own_classes; // [max_rows, n_decisions] of this rank
  int32_t *classes;     // [size * max_rows, n_decisions] of the round; on rank 0 alone
} prediction;

static tutti_status allocate(prediction *p) {
  const tutti_network *network = &p->restored->network;
  p->n_out = tutti_model_n_out(network->model);
  p->n_decisions = tutti_model_n_decisions(network->model);
  TUTTI_TRY(TUTTI_NEW(p->own_out, network->max_rows * p->n_out));
  TUTTI_TRY(TUTTI_NEW(p->own_classes, network->max_rows * p->n_decisions));
  if (tutti_comm_rank(p->comm) > 0) return TUTTI_OK;
  const int64_t rows = network->max_rows * tutti_comm_size(p->comm);
  TUTTI_TRY(TUTTI_NEW(p->out, rows * p->n_out));
  return TUTTI_NEW(p->classes, rows * p->n_decisions);
}

/** Create the file with arrays for all rows.  With one decision per row `classes` is a vector. */
static tutti_status create_arrays(prediction *p, const char *output, int64_t n) {
  const tutti_rundir_restored *restored = p->restored;
  TUTTI_TRY(tutti_file_create(output, &p->file));
  tutti_file_leave_texts_open(p->file);
  TUTTI_TRY(tutti_file_create_array(p->file, "predictions", TUTTI_F32, 2, (int64_t[]){n, p->n_out}, 0));
  if (p->n_decisions == 0) return TUTTI_OK;
  const int64_t dims[2] = {n, p->n_decisions};
  TUTTI_TRY(tutti_file_create_array(p->file, "classes", TUTTI_I32, p->n_decisions > 1 ? 2 : 1, dims, 0));
  if (restored->classes.n == 0) return TUTTI_OK;
  return tutti_file_set_texts(p->file, "classes", "classes", (const char *const *)restored->classes.list,
                              restored->classes.n);
}

/** Send this rank's rows of one round through the network. */
static tutti_status forward(prediction *p, int64_t first, int64_t n) {
  const tutti_network *network = &p->restored->network;
  const tutti_model_pass pass = {.batch_count = n};
  for (int64_t i = 0; i < n; i++) network->rows[i] = first + i;
  tutti_network_gather(network, TUTTI_ROWS_TEST, n, TUTTI_TO_PREDICT);
  TUTTI_TRY(tutti_model_forward(network->model, p->restored->params, &pass, network->x, n));
  tutti_model_predict(network->model, n, p->own_out);
  if (p->n_decisions > 0) tutti_model_decide(network->model, n, p->own_classes);
  return TUTTI_OK;
}

static tutti_status gather(const prediction *p) {
  const int64_t rows = p->restored->network.max_rows;
  TUTTI_TRY(
      tutti_comm_gather_bytes(p->comm, 0, p->own_out, rows * p->n_out * (int64_t)sizeof *p->out, p->out));
  return tutti_comm_gather_bytes(p->comm, 0, p->own_classes,
                                 rows * p->n_decisions * (int64_t)sizeof *p->classes, p->classes);
}

/** Write the round with rows [first, first + n). */
static tutti_status write(const prediction *p, int64_t first, int64_t n) {
  TUTTI_TRY(tutti_file_write_rows(p->file, "predictions", TUTTI_F32, first, n, p->out));
  if (p->n_decisions == 0) return TUTTI_OK;
  return tutti_file_write_rows(p->file, "classes", TUTTI_I32, first, n, p->classes);
}

/** In a round the rows of the ranks follow one another, so the gathered arrays are in the order of the file.  Ranks for
 * which no rows are left take part with none. */
static tutti_status predict_rows(prediction *p, int64_t n) {
  const int rank = tutti_comm_rank(p->comm), size = tutti_comm_size(p->comm);
  const int64_t rows = p->restored->network.max_rows;
  for (int64_t first = 0; first < n; first += rows * size) {
    const int64_t own_first = first + rank * rows, left = n - own_first;
    const int64_t own = left < 0 ? 0 : left < rows ? left : rows;
    TUTTI_TRY(forward(p, own_first, own));
    TUTTI_TRY(gather(p));
    const int64_t round = n - first < rows * size ? n - first : rows * size;
    TUTTI_TRY(tutti_comm_agree_from(p->comm, 0, rank == 0 ? write(p, first, round) : TUTTI_OK));
  }
  return TUTTI_OK;
}

/** Writing must not destroy what the prediction reads. */
static tutti_status check_output(const char *checkpoint, const char *input, const char *output) {
  TUTTI_CHECK(!tutti_io_same_file(input, output), TUTTI_ERR_USAGE,
              "%s is both input and output; give the output another name", output);
  TUTTI_CHECK(!tutti_io_same_file(checkpoint, output), TUTTI_ERR_USAGE,
              "%s is both checkpoint and output; give the output another name", output);
  return TUTTI_OK;
}

tutti_status tutti_train_predict_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *input,
                                            const char *dataset, tutti_trust trust, const char *output,
                                            tutti_weights weights, int64_t *n_samples) {
  const bool root = tutti_comm_rank(comm) == 0;
  tutti_rundir_restored restored = {0};
  prediction p = {.comm = comm, .restored = &restored};
  tutti_status status = root ? check_output(checkpoint, input, output) : TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
  TUTTI_TRY_GOTO(done, tutti_rundir_restore_config(comm, checkpoint, &restored));
  TUTTI_TRY_GOTO(done, tutti_dataset_open_array(comm, input, dataset, trust, &restored.dataset));
  TUTTI_TRY_GOTO(done, tutti_rundir_restore_network(comm, checkpoint, weights, &restored));
  *n_samples = tutti_dataset_n_rows(restored.dataset, TUTTI_ROWS_TEST);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, allocate(&p)));
  if (root) status = create_arrays(&p, output, *n_samples);
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
  TUTTI_TRY_GOTO(done, predict_rows(&p, *n_samples));
  if (root) status = tutti_file_commit(&p.file);
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
done:
  tutti_file_close(&p.file);
  void *const owned[] = {p.own_out, p.out, p.own_classes, p.classes};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
  tutti_rundir_restored_clear(&restored);
  return status;
}
