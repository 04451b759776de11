#pragma once
/** Measurements of a training: rows of its tables, timers of the phases, the progress line, metrics.h5.  Local. */
#include <stdbool.h>
#include <stdio.h>

#include "tutti/base.h"
#include "tutti/io.h"

/** One row of /epochs or /steps; NAN: there is no value.  Losses and metrics of the training samples are means over the
 * samples since the previous row of the table, while the weights move.  The val_ ones are evaluated at fixed
 * weights. */
typedef struct {
  int64_t epoch; // from 1
  int64_t step;  // updates done
  int64_t samples;
  double loss, metric, val_loss, val_metric;
  double learning_rate; // of the last update
  int64_t batch_size;   // /epochs: of whole batches; /steps: samples of the last step
  double seconds; // of training since the start of the run, with all resumes, without evaluation and saving
  double samples_per_second; // since the previous row of the table
} tutti_metrics_row;

enum { TUTTI_METRICS_COLUMNS = 11, TUTTI_METRIC_NAME = 64 };

/** The columns of such a table.  The columns of the metric have its name ("accuracy", "val_accuracy").
 * @param[in]  metric   the name of the first one is borrowed from it
 * @param[out] columns  the name of the second one is valid until this thread asks for the columns of another metric,
 *                      and shortened to TUTTI_METRIC_NAME bytes */
void tutti_metrics_columns(const char *metric, tutti_column columns[TUTTI_METRICS_COLUMNS]);

/** The columns of the tables of a run.  A record is a tutti_metrics_row and, right after it, a double for each further
 * column; so without further columns an array of rows is an array of records.  All borrowed. */
typedef struct {
  const char *metric;              // "accuracy"
  const char *const *more_columns; // [n_more] names
  int n_more;
} tutti_metrics_layout;

int tutti_metrics_n_columns(const tutti_metrics_layout *layout);
size_t tutti_metrics_record_bytes(const tutti_metrics_layout *layout);

/** All columns of a record.
 * @param[out] columns  [tutti_metrics_n_columns], with names as in tutti_metrics_columns */
void tutti_metrics_layout_columns(const tutti_metrics_layout *layout, tutti_column *columns);

/** A list of records that grows, with the names of its further columns.  Zeros are an empty list. */
typedef struct {
  tutti_texts more_columns;
  char *records; // [capacity] of tutti_metrics_layout_of; owned
  int64_t n, capacity;
} tutti_metrics_records;

/** Free what the list owns; it is empty after it. */
void tutti_metrics_records_clear(tutti_metrics_records *records);

/** @return a layout that borrows from both */
tutti_metrics_layout tutti_metrics_layout_of(const tutti_metrics_records *records, const char *metric);

/** Record i in [0, n); borrowed until the list grows. */
const tutti_metrics_row *tutti_metrics_record(const tutti_metrics_records *records, int64_t i);

/** The value of further column k in record i. */
double tutti_metrics_more(const tutti_metrics_records *records, int64_t i, int k);

/** Add a further column to an empty list.
 * @param[out] column  its number among them
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_records_add_column(tutti_metrics_records *records, const char *name, int *column);

/** Make space for n records more, whose values are NAN (counts 0).
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_records_reserve(tutti_metrics_records *records, int64_t n);

/** Append a record.  The first one brings the further columns if the list has none, and all others have to have the
 * same.
 * @param[in] more  [layout->n_more]
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_records_append(tutti_metrics_records *records, const tutti_metrics_layout *layout,
                                          const tutti_metrics_row *row, const double *more);

/** Append records to a table of a file, which is made if it does not exist.
 * @param[in] records  [n] of the layout
 * @return ERR_DATA the table has other columns; ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_write(tutti_file *file, const char *table, const tutti_metrics_layout *layout,
                                 const void *records, int64_t n);

/** Write a list of records as a table that does not grow, in place of the table of that name.
 * @param[in] metric  the name of its columns
 * @return ERR_IO, ERR_DATA, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_write_all(tutti_file *file, const char *table,
                                     const tutti_metrics_records *records, const char *metric);

/** Read all rows of a table, with all its further columns.  A column of a row that the table lacks has the value NAN.
 * @param[out] records  to be cleared by the caller
 * @return ERR_DATA no such table, or damaged; ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_read(const tutti_file *file, const char *table, const char *metric,
                                tutti_metrics_records *records);

/** The value of a column of a row; counts are doubles.
 * @param[in]  name   "metric" and "val_metric" are the columns of the metric, whatever its name is
 * @param[out] value  unchanged if there is no such column
 * @return false: there is no such column */
bool tutti_metrics_value(const tutti_metrics_row *row, const char *metric, const char *name, double *value);

// --- phases ------------------------------------------------------------------------------------------------

/** `reduce` is the time in the reducer.  On a single node the rest of it is waiting, because each block of the gradient
 * is summed in `update`, when the rule needs it.  Sums over ranks that batch_norm needs are in `compute`. */
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

enum { TUTTI_N_TIMINGS = TUTTI_N_PHASES + 1 };
extern const char *const tutti_metrics_phase_names[TUTTI_N_TIMINGS]; // after the phases comes "wait"

/** Seconds per phase on one rank.  One phase runs at a time. */
typedef struct {
  double seconds[TUTTI_N_PHASES];
  double since; // the clock at the last enter or leave
  int running;  // -1: none
} tutti_phases;

/** Set all seconds to zero; no phase runs. */
void tutti_metrics_phases_start(tutti_phases *phases);

/** End the phase that runs, and enter another one. */
void tutti_metrics_phases_enter(tutti_phases *phases, tutti_phase to);

/** End the phase that runs. */
void tutti_metrics_phases_leave(tutti_phases *phases);

/** One row of /timing: seconds of a phase over the ranks. */
typedef struct {
  int64_t phase; // index into tutti_metrics_phase_names
  double min, mean, max;
  int64_t rank_of_max;
} tutti_timing_row;

/** Statistics over the ranks.  Inside the reduction a rank either works or waits for a slower one.  So the least time
 * that any rank spent there is the reduction (min = mean = max, and rank_of_max is the rank with that time, for which
 * the others waited), and the rest of each rank's time is the row "wait".
 * @param[in]  all   [size, TUTTI_N_PHASES] seconds of each rank
 * @param[out] rows  one per phase in the order of tutti_phase, then "wait" */
void tutti_metrics_timing_make(const double *all, int size, tutti_timing_row rows[TUTTI_N_TIMINGS]);

// --- progress ----------------------------------------------------------------------------------------------

/** The view of the run that rank 0 prints: a bar that is redrawn on a terminal, and one line per epoch elsewhere. */
typedef struct tutti_progress tutti_progress;

/** Nothing is drawn yet.
 * @param[in]  stream        borrowed; whether it is a terminal is asked here, its width at each drawing
 * @param[in]  metric        borrowed
 * @param[in]  total_epochs  number of epochs of the run; 0 or not finite: unknown, not shown
 * @param[out] progress      owned by the caller
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_metrics_progress_create(FILE *stream, const char *metric, double total_epochs,
                                           int64_t samples_per_epoch, tutti_progress **progress);

/** During an epoch, show one line with the time that this epoch still takes.  It is redrawn at most ten times a second,
 * and never wider than the terminal.  Nothing if the stream is not a terminal.
 * @param[in] epoch         from 1
 * @param[in] done          number of its samples that are done
 * @param[in] loss, metric  means over the epoch so far; NAN: not shown */
void tutti_metrics_progress_step(tutti_progress *progress, int64_t epoch, int64_t done, double loss,
                                 double metric);

/** Print "epoch 3/5  loss 0.0687  accuracy 0.9794  val_loss ...  samples/s 161000  lr 0.001", in place of the bar if
 * there is one.  NAN values are not shown. */
void tutti_metrics_progress_epoch(tutti_progress *progress, const tutti_metrics_row *row);

/** Accepts NULL inside; nulls the handle. */
void tutti_metrics_progress_destroy(tutti_progress **progress);

// --- metrics.h5 --------------------------------------------------------------------------------------------

/** A text attribute of the root. */
typedef struct {
  const char *name, *text;
} tutti_metrics_text;

/** Attributes of the root about the machine and the settings of the run.  All borrowed. */
typedef struct {
  const tutti_metrics_text *texts; // [n_texts] such as the config, the version, the names of libraries
  int n_texts;
  int ranks, threads;
  const char *const *hosts;    // [ranks]
  const char *const *bindings; // [ranks] the cores on which each rank may run, "0-3"
} tutti_metrics_origin;

/** Append rows to /epochs and /steps of the file, and replace /timing and the attributes.  The file is made if it does
 * not exist.  All changes appear at once: a reader sees the old or the new file.
 *
 * The attribute "metric" of the root is the name of the metric's column.  /timing has the columns phase, min, mean,
 * max, rank_of_max; phase is an index into its attribute "phases".
 * @param[in] replace the new file begins empty and replaces the old one, whatever that contains, when it is complete
 * @param[in] epochs  [n_epochs] records of the layout
 * @param[in] steps   [n_steps] records of the layout
 * @param[in] timing  NULL: /timing stays as it is
 * @return ERR_DATA the file is damaged or has other columns (the text says what to do), ERR_CREATE, ERR_IO; the file is
 * then unchanged, and the caller still has the rows */
TUTTI_NODISCARD
tutti_status tutti_metrics_flush(const char *path, bool replace, const tutti_metrics_layout *layout,
                                 const tutti_metrics_origin *origin, const void *epochs, int64_t n_epochs,
                                 const void *steps, int64_t n_steps,
                                 const tutti_timing_row timing[TUTTI_N_TIMINGS]);

/** A return to an earlier checkpoint, because a step gave numbers that are not finite. */
typedef struct {
  int64_t step, to_step;
  double rate_factor; // on the learning rate from then on
} tutti_rollback_row;

/** Append a row to the table /rollbacks, which tutti_metrics_rewind leaves alone.
 * @return as tutti_metrics_flush */
TUTTI_NODISCARD
tutti_status tutti_metrics_add_rollback(const char *path, const tutti_rollback_row *row);

/** Remove the rows that a killed run wrote after its last checkpoint.  Nothing if there is no file.  A run calls it
 * when it starts, so a file to which later flushes could not append is refused here.
 * @param[in] n_epochs  number of rows of /epochs to keep at most
 * @param[in] step      rows of /steps up to this step are kept
 * @return as tutti_metrics_flush */
TUTTI_NODISCARD
tutti_status tutti_metrics_rewind(const char *path, const tutti_metrics_layout *layout, int64_t n_epochs,
                                  int64_t step);
