#pragma once
/** What the files of this room share, in one section per file. */
#include <pthread.h>
#include <stdatomic.h>

#include "rundir/saver.h"

// --- saver.c -----------------------------------------------------------------------------------------------------

/** What a checkpoint takes from the run beside weights and slots, at the step at which those were gathered. */
typedef struct {
  tutti_checkpoint_state at;
  int64_t n_history, room_for_history; // rows that there are, and that fit
  char *history;    // records of the rows; NULL: no memory for them, so they are read from the run
  float *moving;    // [n_state] moving statistics
  char *measured;   // records of tutti_meter_state
  bool is_averaged; // the monitored value is that of the average of the weights
} tutti_rundir_rest;

/** The parts of a save that can fail by themselves. */
typedef enum { TUTTI_RUNDIR_ROWS, TUTTI_RUNDIR_CHECKPOINT, TUTTI_RUNDIR_PARTS } tutti_rundir_part;

/** The last failure of a part.  Equal on all ranks. */
typedef struct {
  tutti_status status; // OK: its last attempt went well
  char text[1024];
} tutti_rundir_failure;

/** The thread of rank 0 that writes a checkpoint, and what came of it. */
typedef struct {
  pthread_t thread;
  bool runs;         // the thread was started and nobody has waited for it yet
  bool best;         // see tutti_rundir_write_files
  atomic_bool ended; // the thread has written the files, or could not
  tutti_status status;
  char text[1024]; // of the failure
  double seconds;  // that writing took
} tutti_rundir_writer;

/** The thread of rank 0 that writes the copy after a signal, if steps are long. */
typedef struct {
  pthread_t thread;
  bool runs;             // thread and mutex are there
  pthread_mutex_t files; // held by the main thread, except while it computes
  bool lent;             // the main thread computes
  double copy_s;         // seconds of the last copy; 0: there was none
  double copied_at;      // clock of the last copy, or of the begin
  int64_t wrote;         // step of the last copy that this thread has written
  atomic_bool ends;
} tutti_rundir_rescue;

struct tutti_rundir_saver {
  tutti_run *run; // borrowed
  char *checkpoint_path, *best_path, *metrics_path, *config_path;

  bool late;        // neither directory nor buffers are there yet
  tutti_lock *lock; // of the run directory; on rank 0 alone
  bool waits;       // run.resume=no: until this run has a checkpoint, all files stay those of the earlier run
  bool replaces;    // the first checkpoint replaces all that are there; on rank 0 alone
  bool drops_best;  // the first checkpoint also removes best.h5
  bool creates_metrics; // the next flush creates metrics.h5
  bool has_config;      // config.yaml is that of this run; on rank 0 alone
  bool rewinds;         // the next flush removes rows of metrics.h5, as `rollback` says; on rank 0 alone
  tutti_rollback_row rollback;

  // A save that fails does not end a run that has saved before.  Equal on all ranks, unless it says otherwise.
  bool has_saved; // in this process, or the run continues from a checkpoint of its own
  tutti_rundir_failure failures[TUTTI_RUNDIR_PARTS];
  double pause;                      // seconds until the next attempt; 0: nothing has failed
  _Atomic double retry_at;           // clock of the next attempt; 0: nothing has failed.  On rank 0 alone
  bool is_writing;                   // the checkpoint of the copy may still be written beside the training
  bool rows_wait;                    // rows were left out, because a checkpoint was being written
  bool best_waits;                   // the gathered weights are the best ones, and not in best.h5 yet
  int64_t saved_step, gathered_step; // of the last checkpoint, and of the copy below
  double kept_s;                     // seconds for which the last save has kept the ranks

  // The buffers that a checkpoint is gathered in; on rank 0 alone.
  char *config;   // resolved YAML
  char *products; // who computes the matrix products; NULL: their order is fixed
  tutti_rundir_rest rest;
  tutti_rundir_writer writer;
  tutti_rundir_rescue rescue;
  float *weights;              // [n_params]
  float **slots;               // [n_slots][n_params]
  double *input;               // [2 n_features] shift and then factor of the scaling
  tutti_column *columns;       // of the run's rows
  double *seconds;             // [size][TUTTI_N_PHASES] the timers of all ranks
  tutti_view *views;           // [n_views] weights, state, slots; then the two views of `input`
  int64_t n_views, n_loadable; // the first n_loadable are read when a run resumes

  // Where each rank runs, for metrics.h5; on rank 0 alone.
  tutti_texts hosts;    // [size]
  tutti_texts bindings; // [size] processors, such as "0-3"
};

/** Collective.  Make what tutti_rundir_saver_create_late has left out, unless it is there.  If it fails, the next save
 * tries it again.
 * @return (agreed) as tutti_rundir_saver_create; ERR_CREATE also if config.yaml was not written by a run */
TUTTI_NODISCARD
tutti_status tutti_rundir_saver_complete(tutti_rundir_saver *saver);

/** Local, on rank 0.  @return ERR_CREATE config.yaml was not written by a run */
TUTTI_NODISCARD
tutti_status tutti_rundir_check_config(const tutti_rundir_saver *saver);

// --- rescue.c ----------------------------------------------------------------------------------------------------

/** Collective.  Gather the content of a checkpoint, and start the thread that writes it after a signal.
 * @return (agreed) ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_rundir_rescue_copy(tutti_rundir_saver *saver);

/** Local.  End the thread that looks for signals, if there is one. */
void tutti_rundir_rescue_end(tutti_rundir_saver *saver);

// --- content.c ---------------------------------------------------------------------------------------------------

/** Local.  Copy the present scaling of the data set into saver->input, if this rank has that buffer. */
void tutti_rundir_note_scaling(tutti_rundir_saver *saver);

/** Local, on rank 0, before a file is read or written.  Set saver->views.
 * @param[in] is_average  the network of the file is the average of the weights, and its weights are a slot */
void tutti_rundir_set_views(tutti_rundir_saver *saver, bool is_average);

/** Local, on rank 0.  The columns of the run's rows, borrowed from saver->columns. */
tutti_table_layout tutti_rundir_layout(const tutti_rundir_saver *saver);

// --- folder.c ----------------------------------------------------------------------------------------------------

/** Local.  Whether there is no such file or folder. */
bool tutti_rundir_is_gone(const char *path);

/** Local, on rank 0.  If the folder, its .lock or its config.yaml was removed during the run, make them again and say
 * so.
 * @return ERR_CREATE it cannot be made, or another process has it now */
TUTTI_NODISCARD
tutti_status tutti_rundir_keep_folder(tutti_rundir_saver *saver);

/** Local, on rank 0, after tutti_rundir_set_views.  Check that a checkpoint fits on the disk, as far as the system
 * says.
 * @param[in] path  of the checkpoint
 * @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_rundir_check_room(const tutti_rundir_saver *saver, const char *path);

/** Local, on rank 0, when a run begins.  Warn if the checkpoints to come do not fit on the disk. */
void tutti_rundir_warn_room(tutti_rundir_saver *saver);

// --- snapshot.c --------------------------------------------------------------------------------------------------

/** Collective.  Gather weights and slots on rank 0, and copy there what else a checkpoint has. */
TUTTI_NODISCARD
tutti_status tutti_rundir_gather(tutti_rundir_saver *saver);

/** Collective.  Send the buffers of rank 0 to all ranks: to each its slice of weights and slots.
 * @param[in] slots  false: weights alone */
TUTTI_NODISCARD
tutti_status tutti_rundir_distribute(tutti_rundir_saver *saver, bool slots);

/** Local, on rank 0.  Write what was gathered as one file.
 * @param[in] keep        see tutti_checkpoint_save
 * @param[in] is_average  see tutti_rundir_set_views */
TUTTI_NODISCARD
tutti_status tutti_rundir_write(tutti_rundir_saver *saver, const char *path, int64_t keep, bool is_average);

/** Local, on rank 0.  Write what was gathered as best.h5: the average of the weights, if that is monitored. */
TUTTI_NODISCARD
tutti_status tutti_rundir_write_best(tutti_rundir_saver *saver);

/** Local, on rank 0 or in its writer.  Write what was gathered as checkpoint.h5, and config.yaml if it is missing.
 * @param[in] best  write best.h5 before */
TUTTI_NODISCARD
tutti_status tutti_rundir_write_files(tutti_rundir_saver *saver, bool best);

// --- writer.c ----------------------------------------------------------------------------------------------------

/** Local.  Whether the thread still writes, or has ended without success and nobody has waited for it yet. */
bool tutti_rundir_writer_is_busy(const tutti_rundir_writer *writer);
bool tutti_rundir_writer_has_failed(const tutti_rundir_writer *writer);

/** Local, on rank 0.  Let a thread do tutti_rundir_write_files.
 * @return false: there is no thread, and nothing is written */
bool tutti_rundir_writer_start(tutti_rundir_saver *saver, bool best);

/** Local.  Wait until the thread has ended; OK if there is none.
 * @return the status of tutti_rundir_write_files */
TUTTI_NODISCARD
tutti_status tutti_rundir_writer_wait(tutti_rundir_saver *saver);

/** Local.  The same when the training has ended with a failure, and nobody asks any more how the last checkpoint went. */
void tutti_rundir_writer_end(tutti_rundir_saver *saver);

// --- save.c ------------------------------------------------------------------------------------------------------

/** Collective.  If the last checkpoint could not be written, try it again with what was gathered then.
 * @return (agreed) ERR_MPI; other failures stay noted */
TUTTI_NODISCARD
tutti_status tutti_rundir_write_gathered(tutti_rundir_saver *saver);

// --- flush.c -----------------------------------------------------------------------------------------------------

/** Collective.  Write the rows so far into metrics.h5.
 * @return (agreed) the rows are kept, and written by the next call */
TUTTI_NODISCARD
tutti_status tutti_rundir_write_rows(tutti_rundir_saver *saver);

/** Local, on rank 0.  The same, with the timers of the ranks as they were at the last call of tutti_rundir_write_rows.
 * It does not look at saver->waits. */
TUTTI_NODISCARD
tutti_status tutti_rundir_write_rows_root(tutti_rundir_saver *saver);

// --- checkpoint_views.c ------------------------------------------------------------------------------------------

/** Local.  Append a view of each array of a network, under the name that a checkpoint has for it.
 * @param[in]     prefix      group in the file: "/model/weights", or "/optimizer/velocity"
 * @param[in]     with_state  also views of the arrays that are not trained, which are in the model's state
 * @param[in]     weights     [n_params] the trainable arrays; NULL: only names and shapes are wanted
 * @param[in,out] views       [*n] and room for the new ones
 * @param[in,out] n           views so far */
void tutti_rundir_add_views(tutti_model *model, const char *prefix, bool with_state, float *weights,
                            tutti_view *views, int64_t *n);

// --- leak.c ------------------------------------------------------------------------------------------------------

/** Local.  Whether the data set has the contents that a checkpoint was trained on, by the hash in `state`. */
bool tutti_rundir_same_data(const tutti_run *run, const tutti_checkpoint_state *state);

/** Local.  Whether the validation rows of this run are drawn from the training rows of the file. */
bool tutti_rundir_validates_on_train(const tutti_run *run);

/** Local.  Whether the weights of a checkpoint have seen any data: at step 0 they have not, unless the run began with
 * trained weights.
 * @param[in] old  config of the checkpoint */
bool tutti_rundir_was_trained(const tutti_config *old, const tutti_checkpoint_state *state);

/** Local.  Whether a training row of the checkpoint may be a validation row of this run.  Another train.seed alone is
 * harmless, because the run keeps the seed that drew the rows (tutti_run_keep_rows).
 * @param[in] old        config of the checkpoint
 * @param[in] same_data  see tutti_rundir_same_data
 * @param[in] found      keys of `old` that differ from this run's */
bool tutti_rundir_leaks(const tutti_run *run, const tutti_config *old, bool same_data,
                        const tutti_differences *found);

/** Local.  The keys that decide about the validation rows, as "KEY was A there and is B now, ...". */
void tutti_rundir_leak_text(const tutti_differences *found, char *text, size_t bytes);

// --- move_aside.c ------------------------------------------------------------------------------------------------

enum { TUTTI_RUNDIR_PATH_BYTES = 4096 };

/** Local.  Find the folder FOLDER/before-N with the smallest N >= 1 that has none of the run's files.  A move that was
 * interrupted is so completed in one place.
 * @return ERR_CREATE the path is too long, or `folder` cannot be read */
TUTTI_NODISCARD
tutti_status tutti_rundir_find_aside(const char *folder, char place[TUTTI_RUNDIR_PATH_BYTES]);

/** Local.  Move all files of the run in `folder` to `place`, which is made if it is missing.
 * @return ERR_CREATE a file could not be moved; it and those after it stay where they are */
TUTTI_NODISCARD
tutti_status tutti_rundir_move_aside(const char *folder, const char *place);

// --- optim_slots.c -----------------------------------------------------------------------------------------------

/** Local, on rank 0.  Convert saver->slots, which are loaded, to the units of this run's options.  run->state.at is the
 * state of the checkpoint.
 * @param[in] path  the checkpoint, for messages
 * @param[in] then  options of the checkpoint
 * @return ERR_CONFIG no factor converts a velocity */
TUTTI_NODISCARD
tutti_status tutti_rundir_convert_slots(tutti_rundir_saver *saver, const char *path,
                                        const tutti_optim_options *then);

/** Local, on rank 0.  Fill saver->slots if the checkpoint is of another optimizer: a slot of the same meaning is read
 * and converted, all others get their initial values.  saver->weights are already those of the checkpoint.
 * @param[in] then  options of the checkpoint
 * @return as tutti_rundir_convert_slots; what reading a checkpoint returns */
TUTTI_NODISCARD
tutti_status tutti_rundir_take_over_slots(tutti_rundir_saver *saver, const char *path,
                                          const tutti_optim_options *then);

// --- weights_match.c ---------------------------------------------------------------------------------------------

enum { TUTTI_RUNDIR_LIST_BYTES = 2048 };

/** The arrays of a network beside those of a file. */
typedef struct {
  const char *path, *skip; // model.weights, model.weights_skip; borrowed
  tutti_view *views;       // [n_views] of the network; after the comparison the first n_taken are read
  tutti_view *stored;      // [n_stored] of the file
  int64_t n_views, n_taken, n_stored;
  const char *first; // first layer of the network that has weights
  bool takes_first;  // some of its arrays are read
  char misfits[TUTTI_RUNDIR_LIST_BYTES];
  char layers[TUTTI_RUNDIR_LIST_BYTES];  // of the misfits
  char initial[TUTTI_RUNDIR_LIST_BYTES]; // arrays of the network that `skip` names
  char unused[TUTTI_RUNDIR_LIST_BYTES];  // arrays of the file alone that `skip` names
} tutti_rundir_match;

/** Local.  Compare the arrays of model.weights with the network.  If it fails, tutti_rundir_match_clear frees what was
 * made.
 * @param[in] weights  [n_params] that the arrays shall be read into; NULL: they are only compared
 * @return ERR_CONFIG they do not fit; what tutti_checkpoint_list_weights returns */
TUTTI_NODISCARD
tutti_status tutti_rundir_match_create(const tutti_config *config, tutti_model *model, float *weights,
                                       tutti_rundir_match *match);
void tutti_rundir_match_clear(tutti_rundir_match *match);
