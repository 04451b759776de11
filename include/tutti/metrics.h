#pragma once
/** What a training measured: rows of the epoch table, timers of the phases, the progress line, metrics.h5.
 * Local. */
#include <stdbool.h>
#include <stdio.h>

#include "tutti/base.h"
#include "tutti/io.h"

/** One row of /epochs or /steps; NAN where there is no value.  Losses and metrics of the training samples are
 * means over the samples since the table's previous row (weights moving), val_ ones an evaluation at fixed
 * weights. */
typedef struct {
  int64_t epoch; // from 1
  int64_t step;  // updates done
  int64_t samples;
  double loss, metric, val_loss, val_metric;
  double learning_rate; // of the last update
  int64_t batch_size;   // /epochs: of whole batches; /steps: samples that the last step really had
  double seconds; // of training since the start of the run, without evaluation and saving; a resumed run
                  // counts on
  double samples_per_second; // since the table's previous row
} tutti_metrics_row;

enum { TUTTI_METRICS_COLUMNS = 11, TUTTI_METRIC_NAME = 64 };

/** Local.  The columns of such a table; the metric's columns are named for it ("accuracy", "val_accuracy").
 * The name of the first is borrowed from `metric`; that of the second is valid until this thread asks for
 * the columns of another metric, and cut after TUTTI_METRIC_NAME bytes. */
void tutti_metrics_columns(const char *metric, tutti_column columns[TUTTI_METRICS_COLUMNS]);

/** What the tables of a run hold.  A record is a tutti_metrics_row and, right behind it, the further columns,
 * a double each; without them an array of rows is one of records.  All borrowed. */
typedef struct {
  const char *metric;              // "accuracy"
  const char *const *more_columns; // [n_more] their names
  int n_more;
} tutti_metrics_layout;

int tutti_metrics_n_columns(const tutti_metrics_layout *layout);       // Local.
size_t tutti_metrics_record_bytes(const tutti_metrics_layout *layout); // Local.

/** Local.  All columns of a record, columns[tutti_metrics_n_columns]; names as tutti_metrics_columns has
 * them. */
void tutti_metrics_layout_columns(const tutti_metrics_layout *layout, tutti_column *columns);

/** Records on their own: they have the names of their further columns with them, but for the metric's. */
typedef struct {
  char **more_columns; // [n_more] owned
  int n_more;
  char *records; // [capacity] of tutti_metrics_layout_of; owned
  int64_t n, capacity;
} tutti_metrics_records;

void tutti_metrics_records_clear(tutti_metrics_records *records); // Local.  Frees what it owns; zeroes it.

/** Local.  The layout borrows from both. */
tutti_metrics_layout tutti_metrics_layout_of(const tutti_metrics_records *records, const char *metric);

/** Local.  Record i in [0, n), and the value of its further column k. */
const tutti_metrics_row *tutti_metrics_record(const tutti_metrics_records *records, int64_t i);
double tutti_metrics_more(const tutti_metrics_records *records, int64_t i, int k);

/** Local.  One more record.  The first one brings the further columns, which all others have to have.
 * @param[in] more  [layout->n_more]
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_records_append(tutti_metrics_records *records, const tutti_metrics_layout *layout,
                                          const tutti_metrics_row *row, const double *more);

/** Local.  Append records[n] to a table of a file, which is made where it is missing.
 * @return ERR_DATA the table there has other columns; ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_write(tutti_file *file, const char *table, const tutti_metrics_layout *layout,
                                 const void *records, int64_t n);

/** Local.  All rows of a table, with all columns that it has beside those of a row; NaN of those of a row that it lacks.
 * The caller clears them.
 * @return ERR_DATA no such table, or damaged; ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_read(const tutti_file *file, const char *table, const char *metric,
                                tutti_metrics_records *records);

/** Local.  The value of the column `name`, counts as doubles; "metric" and "val_metric" are the metric's
 * columns whatever it is called.  Asks for the columns of `metric`.  False: no such column, *value is then
 * untouched. */
bool tutti_metrics_value(const tutti_metrics_row *row, const char *metric, const char *name, double *value);

// --- phases ------------------------------------------------------------------------------------------------

/** `reduce` is the way to the reducer and back: what is left of it on a single node is waiting, for there a block of the
 * gradient is summed in `update`, when the rule needs it.  Sums that batch_norm wants over ranks are in `compute`. */
#define TUTTI_PHASE_LIST(X)                                                                                  \
  X(DATA, "data")                                                                                            \
  X(COMPUTE, "compute")                                                                                      \
  X(REDUCE, "reduce")                                                                                        \
  X(UPDATE, "update")                                                                                        \
  X(EVALUATE, "evaluate")                                                                                    \
  X(SAVE, "save")

typedef enum {
#define X(code, name) TUTTI_PHASE_##code,
  TUTTI_PHASE_LIST(X)
#undef X
      TUTTI_N_PHASES
} tutti_phase;

extern const char *const tutti_phase_names[TUTTI_N_PHASES];

/** Seconds per phase of one rank.  One phase runs at a time. */
typedef struct {
  double seconds[TUTTI_N_PHASES];
  double since; // the clock at the last enter or leave
  int running;  // -1: none
} tutti_phases;

void tutti_phases_start(tutti_phases *phases);                 // Local.  All zero, none running.
void tutti_phases_enter(tutti_phases *phases, tutti_phase to); // Local.  Ends the running phase; enters `to`.
void tutti_phases_leave(tutti_phases *phases);                 // Local.  Ends the running phase.

/** One row of /timing: seconds of a phase over ranks. */
typedef struct {
  char phase[16];
  double min, mean, max;
  int64_t rank_of_max;
} tutti_timing_row;

enum { TUTTI_N_TIMINGS = TUTTI_N_PHASES + 1 };

/** Local.  Statistics over the ranks' seconds all[size, TUTTI_N_PHASES], one row a phase in the order of
 * tutti_phase, then the row "wait".  A rank inside the reduction either works or waits for a slower one: the
 * least that any rank spent there is the reduction (min = mean = max, and rank_of_max is the rank that waited
 * least: the one the others waited for), the rest of each rank is the row "wait". */
void tutti_timing_make(const double *all, int size, tutti_timing_row rows[TUTTI_N_TIMINGS]);

// --- progress ----------------------------------------------------------------------------------------------

/** Rank 0's view of the run on `stream`: a bar that is redrawn on a terminal, one line per epoch
 * elsewhere. */
typedef struct tutti_progress tutti_progress;

/** Local.  Nothing is drawn yet.
 * @param[in] stream        borrowed; whether it is a terminal is asked here, its width at each drawing
 * @param[in] metric        borrowed
 * @param[in] total_epochs  shown as the epochs that are begun; 0 or not finite: unknown, left out
 * @return ERR_MEMORY.  The caller owns it. */
TUTTI_NODISCARD
tutti_status tutti_progress_create(FILE *stream, const char *metric, double total_epochs,
                                   int64_t samples_per_epoch, tutti_progress **progress);

/** Local.  During an epoch: one line, redrawn in place at most ten times a second and never wider than the
 * terminal; nothing where the stream is none.  The time left is that of the epoch.
 * @param[in] epoch          from 1
 * @param[in] done           samples of it that are done
 * @param[in] loss, metric   means over the epoch so far; NAN: left out */
void tutti_progress_step(tutti_progress *progress, int64_t epoch, int64_t done, double loss, double metric);

/** Local.  "epoch 3/5  loss 0.0687  accuracy 0.9794  val_loss ...  samples/s 161000  lr 0.001", in the place
 * of the bar where there is one; NAN values are left out. */
void tutti_progress_epoch(tutti_progress *progress, const tutti_metrics_row *row);

/** Local.  Accepts NULL inside; nulls the handle. */
void tutti_progress_destroy(tutti_progress **progress);

// --- metrics.h5 --------------------------------------------------------------------------------------------

/** What the attributes of the file's root say about where and how the run ran; all borrowed, and what is NULL
 * is left out. */
typedef struct {
  const char *config, *version, *mpi, *hdf5, *blas, *cpu, *reducer;
  int ranks, threads;
  const char *const *hosts;    // [ranks]
  const char *const *bindings; // [ranks] the cores each rank may run on, "0-3"
} tutti_metrics_origin;

/** Local.  Append rows to /epochs and /steps of the file, replace /timing and the attributes; the file is
 * made where it is missing.  The whole appears at once: a reader sees the old or the new file.
 *
 * The attribute "metric" of the root is the name of the metric's column.
 *
 * /timing has the columns phase, min, mean, max, rank_of_max; phase is an index into its attribute "phases".
 * @param[in] epochs, steps  [n_epochs], [n_steps] records of the layout
 * @param[in] anew    the new file begins empty, and takes the place of the old one, whatever that holds, only
 *                    when it is whole
 * @param[in] timing  NULL: /timing stays as it is
 * @return ERR_DATA the file there is damaged or has other columns (the text says what to do), ERR_CREATE,
 * ERR_IO; the file is then as it was and the caller still has the rows */
TUTTI_NODISCARD
tutti_status tutti_metrics_flush(const char *path, bool anew, const tutti_metrics_layout *layout,
                                 const tutti_metrics_origin *origin, const void *epochs, int64_t n_epochs,
                                 const void *steps, int64_t n_steps,
                                 const tutti_timing_row timing[TUTTI_N_TIMINGS]);

/** Local.  Take back what a killed run wrote after its last checkpoint: of /epochs the first n_epochs rows
 * stay (or all, where there are fewer), of /steps those up to `step`.  Nothing where there is no file.  It is
 * for the start of a run: a file that a later flush could not append to is refused here.
 * @return as tutti_metrics_flush */
TUTTI_NODISCARD
tutti_status tutti_metrics_rewind(const char *path, const tutti_metrics_layout *layout, int64_t n_epochs,
                                  int64_t step);
