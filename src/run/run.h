#pragma once
/** A training under way: what its pieces (set-up, step, saving, reporting) share.  The rooms above pass it on. */
#include "run/network.h"
#include "run/plan.h"
#include "tutti/checkpoint.h"
#include "tutti/optim.h"
#include "tutti/run.h"

/** Rows that are to be kept or written: records of the run's layout. */
typedef struct {
  char *records; // owned
  int64_t n, capacity;
} tutti_rows_list;

typedef struct tutti_meter tutti_meter; // meter.h

/** An evaluation that has columns of its own in the tables; evaluated.h. */
typedef struct {
  const char *prefix;   // of their names; NULL: there is no such evaluation
  int columns[2];       // loss, metric
  int64_t samples;      // of its set
  tutti_evaluation now; // at this step; samples 0: not evaluated
} tutti_evaluated;

typedef struct {
  const tutti_comm *comm;     // borrowed
  const tutti_config *config; // borrowed
  int rank, size;

  tutti_dataset *dataset;
  tutti_samples_all samples;
  tutti_plan plan;
  tutti_network network;
  tutti_reducer *reducer;
  tutti_optim *optim;
  tutti_schedule schedule;
  tutti_meter *meter;           // NULL: nothing is measured
  double *squares;              // [n_pieces] for clipping
  double *norms;                // [n_norms] for rules that scale arrays
  double *gain_squares;         // [all_pieces] for AdaScale's gain; NULL: it has no part in this run
  double gain;                  // of this step; 0 without
  double (*tail)[TUTTI_N_TAIL]; // [max(1, own leaves)] what the reduction carries beside the gradients
  int64_t *leaf_ends;           // [max(1, own leaves)] in the micro-batch that is under way

  tutti_checkpoint_state state;
  double saved_at;             // clock of the last checkpoint
  tutti_metrics_layout layout; // of the rows
  char **more_names;           // [layout.n_more] owned
  double *more;                // [layout.n_more] what the next row has in its further columns
  tutti_metrics_row last;      // row of /epochs; step 0: none
  float *averaged;             // [n_params] where the average of the weights is gathered; NULL: none is kept
  tutti_evaluated average;     // of it
  tutti_evaluated training;    // of train.train_rows
  tutti_rows_list history;     // all rows of /epochs; on rank 0 alone
  int64_t n_flushed;           // of them, those in metrics.h5
  tutti_rows_list steps;       // rows of /steps that are not in metrics.h5 yet; on rank 0 alone
  bool updated;      // in this step, part by part during backward, so that nothing is left to update
  float *part;       // [up to TUTTI_UPDATE_BUFFER] gradient of the part that is under way then
  tutti_range *late; // [n_arrays] parts that backward still reads then
  int n_late;
  tutti_status local;    // what this rank knows of the step before the others do
  double penalty;        // of the parameters before the step, on rank 0; else 0
  int bad_layer;         // first layer whose numbers went astray on this rank in this step; -1: none
  tutti_status deferred; // a failure between two steps that only this rank knows of: the next step tells all
  tutti_phases phases;
  tutti_progress *progress; // NULL: none
  bool keeps_no_rows;       // nobody writes them
  tutti_observer observer;  // NULL: none
  void *observer_context;   // borrowed
} tutti_run;

/** Collective.  The data set that the config names, its samples and its scaling. */
TUTTI_NODISCARD
tutti_status tutti_run_open(const tutti_comm *comm, const tutti_config *config, tutti_run *run);

/** Collective over run->comm, which may be a part of the data's ranks.  Which samples of run->dataset are for what, and
 * the scaling that follows. */
TUTTI_NODISCARD
tutti_status tutti_run_split_samples(tutti_run *run);

/** The same with validation rows that another seed than train.seed draws. */
TUTTI_NODISCARD
tutti_status tutti_run_split_samples_by(tutti_run *run, uint64_t seed);

/** Collective, after tutti_run_build.  The validation rows are those of state.split_seed, whatever train.seed is: others
 * have been trained on.  Balanced class weights are counted again. */
TUTTI_NODISCARD
tutti_status tutti_run_keep_rows(tutti_run *run);

/** Collective over `comm`, which may be a part of the data's ranks.  Network, reducer and
 * optimizer; where that fails, tutti_run_release undoes what has been made. */
TUTTI_NODISCARD
tutti_status tutti_run_build(const tutti_comm *comm, const tutti_config *config, tutti_run *run);
void tutti_run_release(tutti_run *run); // Collective over that communicator.  All but the data.
void tutti_run_destroy(tutti_run *run); // Collective.

/** Local.  Where a training begins, with nothing done. */
tutti_checkpoint_state tutti_run_first_state(const tutti_run *run);

/** Local, equal on all ranks.  Plan and schedule of a training that stands at run->state.
 * @return ERR_CONFIG see tutti_plan_go_on and tutti_plan_schedule */
TUTTI_NODISCARD
tutti_status tutti_run_schedule(tutti_run *run);

/** Local.  Where the run stands. */
tutti_position tutti_run_position(const tutti_run *run);

/** Collective.  Parameters and moving statistics have the same bits on all ranks: each has its own, or shares them with
 * its node, and one that memory or network has changed would spoil all further steps without a word.
 * @return (agreed) ERR_SYSTEM */
TUTTI_NODISCARD
tutti_status tutti_run_check_same(const tutti_run *run);

/** Local, while a run is built.  A further column of /steps and /epochs: run->more[*column] is what the next row to be
 * appended has there, at first NaN.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_rows_add_column(tutti_run *run, const char *name, int *column);
void tutti_rows_clear_columns(tutti_run *run); // Local.

/** Local.  Row i of a list. */
const tutti_metrics_row *tutti_rows_get(const tutti_run *run, const tutti_rows_list *list, int64_t i);

/** Local.  Room for n rows more than there are, with NaN in their further columns. */
TUTTI_NODISCARD
tutti_status tutti_rows_reserve(const tutti_run *run, tutti_rows_list *list, int64_t n);

/** Local.  On rank 0 append a row, where rows are kept.  Where there is no memory for it, the next step fails on all ranks. */
void tutti_rows_append(tutti_run *run, tutti_rows_list *list, const tutti_metrics_row *row);
