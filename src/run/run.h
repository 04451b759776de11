#pragma once
/** One training: its parts, where it stands, and one step.  The rooms above pass it on. */
#include "run/network.h"
#include "run/plan.h"
#include "run/sharing.h"
#include "tutti/checkpoint.h"
#include "tutti/optim.h"
#include "tutti/run.h"

typedef struct tutti_meter tutti_meter; // room measure

/** An evaluation with two columns of its own in the tables; evaluated.h. */
typedef struct {
  const char *prefix;   // of the names of its columns; NULL: there is no such evaluation
  int columns[2];       // loss, metric
  int64_t samples;      // of the set that is evaluated
  tutti_evaluation now; // at this step; samples 0: not evaluated
} tutti_run_evaluated;

/** The rows of the tables so far. */
typedef struct {
  tutti_metrics_layout layout;   // of a row
  double *more;                  // [layout.n_more] values of the next row in its further columns
  tutti_metrics_row last;        // row of /epochs; step 0: none
  tutti_run_evaluated average;   // of the validation rows, at the average of the weights
  tutti_run_evaluated training;  // of train.train_rows
  tutti_metrics_records history; // all rows of /epochs, on rank 0; all ranks have the further columns
  int64_t n_flushed;             // rows of the history that are in metrics.h5
  tutti_metrics_records steps;   // rows of /steps that are not in metrics.h5 yet, on rank 0
} tutti_run_rows;

/** Where a training stands between two steps. */
typedef struct {
  tutti_checkpoint_state at; // the part that a checkpoint keeps
  tutti_run_rows rows;
  tutti_phases phases;
  double saved_at;                   // clock of the last checkpoint, in seconds
  double longest_save, longest_step; // seconds so far; a step with all that follows it
  int measuring_save;                // requests so far that shall tell how long a save takes, on rank 0
  int64_t same_at;                   // step at which all ranks were last known to have the same weights
  double step_s;                     // seconds of the last step, without what follows it
  double looked_at;                  // clock at which the time of the job was looked at; 0: not yet
  tutti_status
      deferred; // a failure between two steps that only this rank knows of: the next step reports it to all ranks
} tutti_run_state;

enum { TUTTI_RUN_BAD_ROWS = 8 };

/** One step: its buffers, and what this rank knows before the reduction. */
typedef struct {
  double (*tail)[TUTTI_N_TAIL]; // [max(1, own leaves)] sums that the reduction carries beside the gradients
  int64_t *leaf_ends;           // [max(1, own leaves)] ends of the leaves in the current micro-batch, in rows
  double *squares;              // [n_pieces] for clipping
  double *norms;                // [n_norms] for rules that scale arrays
  double *gain_squares;         // [all_pieces] for AdaScale's gain; NULL: this run has no gain
  double gain;                  // of this step; 0 without AdaScale

  tutti_status local;                   // failure of this rank, before the others know
  double penalty;                       // of the parameters before the step, on rank 0; else 0
  int64_t bad_rows[TUTTI_RUN_BAD_ROWS]; // rows of the training array whose loss is not finite, the first ones
  int n_bad_rows;                       // all of them, in the first micro-batch that has any
  int bad_layer;                        // first layer with numbers that are not finite on this rank; -1: none
} tutti_run_step;

/** A training: its parts, which stay the same while steps are taken; then what changes. */
typedef struct {
  const tutti_comm *comm;     // borrowed
  const tutti_config *config; // borrowed
  int rank, size;

  tutti_dataset *dataset;
  tutti_samples_all samples;
  tutti_plan plan;
  const tutti_network *like; // borrowed; NULL, or what is known already, see tutti_network_create_like
  tutti_network network;
  tutti_reducer *reducer;
  tutti_optim *optim;
  tutti_schedule schedule;
  tutti_meter *meter; // NULL: nothing is measured
  float
      *averaged; // [n_params] buffer that the average of the weights is gathered in; NULL: no average is kept

  tutti_progress *progress; // NULL: no progress line is drawn
  bool keeps_no_rows;       // a trial of a study: nobody writes rows
  double save_every;       // seconds between checkpoints of a trial, whose history is the observer's; 0: none
  tutti_observer observer; // NULL: none
  void *observer_context;  // borrowed
  bool (*ends)(
      void *observer_context); // NULL; local: whether the caller wants the training to end after this step
  double deadline;             // clock at which the job ends; 0: no limit

  tutti_run_state state;
  tutti_run_step step;
  tutti_run_sharing sharing; // the loops of a step that threads share
} tutti_run;

/** Collective.  The data set that the config names, its samples and its scaling. */
TUTTI_NODISCARD
tutti_status tutti_run_open(const tutti_comm *comm, const tutti_config *config, tutti_run *run);

/** Collective over the communicator of the run, which may be a part of the ranks of the data set.  Choose the samples
 * for training, validation and test, and fit the scaling to the training samples. */
TUTTI_NODISCARD
tutti_status tutti_run_split_samples(tutti_run *run);

/** Collective, after tutti_run_build.  Draw the validation rows by state.at.split_seed in place of train.seed, because
 * the weights were trained on all other rows.  Balanced class weights are counted again. */
TUTTI_NODISCARD
tutti_status tutti_run_keep_rows(tutti_run *run);

/** Collective over `comm`, which may be a part of the ranks of the data set.  Create network, reducer and optimizer.
 * If it fails, tutti_run_release frees what has been made.
 * @return (agreed) ERR_CONFIG, ERR_DATA config and data do not fit; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_run_build(const tutti_comm *comm, const tutti_config *config, tutti_run *run);

/** Collective over that communicator.  Free what tutti_run_build has made, and keep the data set; the second frees that
 * as well.  A run of tutti_train_build also has a meter: use tutti_train_release and tutti_train_destroy. */
void tutti_run_release(tutti_run *run);
void tutti_run_destroy(tutti_run *run);

/** Local.  The state before the first step. */
tutti_checkpoint_state tutti_run_first_state(const tutti_run *run);

/** Local, equal on all ranks.  Make plan and schedule of a training that stands at run->state.at.
 * @return ERR_CONFIG see tutti_plan_go_on and tutti_plan_schedule */
TUTTI_NODISCARD
tutti_status tutti_run_schedule(tutti_run *run);

/** Local.  The position of the run in its plan. */
tutti_position tutti_run_position(const tutti_run *run);

/** Collective.  Give all ranks the weights[n_params] and the moving statistics that rank 0 has.
 * @param[in] weights  on rank 0 alone; NULL elsewhere
 * @return what the reducer and the communicator return */
TUTTI_NODISCARD
tutti_status tutti_run_set_weights(tutti_run *run, const float *weights);

/** Collective.  Check that parameters and moving statistics have the same bits on all ranks.  If memory or network had
 * changed the copy of one rank, all further steps would be wrong without a message.
 * @return (agreed) ERR_SYSTEM they differ; the message also says at which step they were last known to be equal */
TUTTI_NODISCARD
tutti_status tutti_run_check_same(tutti_run *run);

/** Local, while a run is built.  Add a further column to /steps and /epochs.
 * @param[out] column  its number: rows.more[column] is the value of the next row, at first NaN
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_run_add_column(tutti_run *run, const char *name, int *column);

/** Local.  Free all rows and further columns. */
void tutti_run_clear_rows(tutti_run *run);

/** Local.  Append a row that the observer gets to the history on rank 0, if this run is a trial with checkpoints.  A
 * failure is treated as in tutti_run_keep_row. */
void tutti_run_keep_observed(tutti_run *run, const tutti_metrics_row *row);

/** Local.  Append a row to a list on rank 0, if this run keeps rows.  If there is no memory, the next step fails on all
 * ranks. */
void tutti_run_keep_row(tutti_run *run, tutti_metrics_records *list, const tutti_metrics_row *row);
