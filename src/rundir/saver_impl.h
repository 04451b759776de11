#pragma once
/** Private to saver.c, resume.c and flush.c. */
#include "rundir/saver.h"

struct tutti_saver {
  tutti_run *run; // borrowed
  char *checkpoint_path, *best_path, *metrics_path, *config_path;

  tutti_lock *lock; // of the run directory; on rank 0 alone
  bool waits;      // run.resume=no: until there is a checkpoint of this run, all files stay the earlier run's
  bool anew;       // the first checkpoint takes the place of all those that are there; on rank 0 alone
  bool drops_best; // and best.h5 goes with them
  bool metrics_anew; // the next flush begins a new metrics.h5

  // What a checkpoint is gathered in; on rank 0 alone.
  char *config;          // resolved YAML
  float *weights;        // [n_params]
  float **slots;         // [n_slots][n_params]
  double *input;         // shift and factor of the scaling
  tutti_column *columns; // of the run's rows
  double *seconds;       // [size][TUTTI_N_PHASES] the ranks' timers
  tutti_view *views;     // [n_room] weights, state, slots; then the input's
  int64_t n_room;
  int64_t n_views, n_loadable; // the first n_loadable are read when a run resumes

  // Where the run runs, for metrics.h5; on rank 0 alone, one text a rank.
  tutti_texts hosts;
  tutti_texts bindings;
};

/** Collective.  Find out hosts and cores of all ranks. */
TUTTI_NODISCARD
tutti_status tutti_saver_survey(tutti_saver *saver);

/** On rank 0.  @return ERR_CREATE where config.yaml is a user's own */
TUTTI_NODISCARD
tutti_status tutti_saver_check_config(const tutti_saver *saver);

/** On rank 0, where there are such buffers.  The numbers that the data set's scaling has now, for the checkpoints. */
void tutti_saver_note_scaling(tutti_saver *saver);

/** On rank 0.  The views of a file whose network is the average of the weights, or the weights. */
void tutti_saver_view(tutti_saver *saver, bool is_average);

/** On rank 0.  Of the run's rows. */
tutti_table_layout tutti_saver_layout(const tutti_saver *saver);
