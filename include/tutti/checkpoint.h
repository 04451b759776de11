#pragma once
/** Named array views <-> a checkpoint file.  Local: rank 0 alone reads and writes.
 *
 * checkpoint.h5, format 1:
 *   /model/weights/<layer>/<array>      float32, kernels [n_in, n_out], vectors [n]
 *   /optimizer/<slot>/<layer>/<array>   float32, as the weights; the attribute "unit" tells what is kept,
 *                                       "sum of gradients * -learning_rate".  In a file of the average (see the
 *                                       attribute "weights") the weights that go on are the slot "weights"
 *   /input/shift, /input/factor         float64 [n_features]: x = (raw - shift) * factor; float32 in
 *                                       files of earlier versions
 *   /history                            the epoch table so far
 *   another table, where the run has one: a record for each of its attribute "names"
 *   attributes of the root:
 *     format                        1
 *     version, time, config         texts: of the program, of the save (UTC), the resolved YAML
 *     step, epoch, samples, ...     the members of tutti_checkpoint_state under their names,
 *                                   in_epoch_loss, ...
 *     seed, split_seed              integers; above 2^63 - 1, where the integers of HDF5 readers end, its
 *                                   digits as text
 *     classes                       names of the classes, where the data has them
 *     features                      what the rows trained on hold ("bytes"); absent in files of earlier versions
 *     weights                       "average" where /model/weights is the average of the weights, not the last
 *                                   ones; else absent
 * Nothing in it depends on the number of ranks.
 *
 * In a run directory, newest first: checkpoint.h5, checkpoint.prev.h5, checkpoint.prev2.h5, ...  While a new
 * one takes its place the last one is also called checkpoint.held.h5. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/io.h"

/** One array: where it stands in the file and in memory. */
typedef struct {
  char name[160]; // "/model/weights/dense/kernel"
  int n_dims;     // 0: a single number
  int64_t dims[2];
  void *data;     // borrowed; read from by save, written to by load
  bool is_double; // of double, float64 in the file; else of float, float32
  char unit[80];  // what a number of it is, for readers: an attribute of the array; "": none
} tutti_view;

/** Sums over the samples since some point. */
typedef struct {
  double samples, loss, metric;
  double seconds; // of training
} tutti_checkpoint_sums;

/** Where a training stands; written as root attributes. */
typedef struct {
  int64_t step;          // updates done
  int64_t epoch;         // epochs done
  int64_t step_in_epoch; // updates since the one that ended the last of them
  int64_t samples;
  int64_t place; // where the next step begins: epoch * samples of an epoch + position; -1: not known
  uint64_t seed;
  uint64_t
      split_seed; // that drew the validation rows; another one than seed where the run began from a named file
  double learning_rate;           // of the last update; 0: none, or in a file of an earlier version
  double seconds;                 // of training so far
  tutti_checkpoint_sums in_epoch; // since the epoch began
  tutti_checkpoint_sums in_row;   // since the last row of /steps
  double best;                    // best monitored value, NAN: none yet
  int64_t evaluations_since_best;
  int64_t rule_from; // step that the update rule counts its updates from
  double
      warmup_from; // what schedule.warmup counts from, in its unit: below 0 where it began in a training that counted
                   // faster; absent in files of earlier versions: 0
  // Where the steps with these batches and data begin, if the run goes on from a file of another training; else 0, as
  // in files of earlier versions, which lack it.
  int64_t from_step, from_place, from_samples;
  int64_t returned_to; // step of the directory's best.h5 that the run last went back to; 0: it never did
  // Of schedule.decay plateau: see tutti_plateau; absent in files of earlier versions.
  double plateau_best, plateau_waited, plateau_cooling, plateau_drops;
  // Of schedule.scaling adascale: steps of the base batch that the run counts as, 0 where it counts none; and its two
  // averages, see tutti_smoothed.
  double gained, gain_variance_sum, gain_variance_weight, gain_square_sum, gain_square_weight;
  int64_t data,
      data_hash; // fingerprint of the training rows, and what made it: see tutti_dataset_fingerprint
  int64_t
      weights_hash; // of the arrays that the run began with from model.weights; 0: none, or an earlier version
} tutti_checkpoint_state;

/** A table that travels along; one of its columns is "step". */
typedef struct {
  const tutti_column *columns;
  int n_columns;
  size_t record_bytes;
} tutti_table_layout;

/** A small table of named records that travels along too. */
typedef struct {
  const char *name;         // "/measured"
  const char *const *names; // [n] of its records
  tutti_table_layout layout;
  void *records; // [n] borrowed; read from by save, written to by tutti_checkpoint_read_table
  int n;         // 0: there is none
} tutti_checkpoint_table;

typedef struct {
  const char *path;
  const char *config; // resolved YAML
  tutti_checkpoint_state state;
  const tutti_view *views; // [n_views]
  int64_t n_views;
  tutti_table_layout layout; // of history
  const void *history;       // [n_history] records
  int64_t n_history;
  tutti_checkpoint_table table;
  const char *const *classes; // [n_classes] names of the classes; n_classes 0: none
  int n_classes;
  const char *features; // what the rows trained on hold, in words; NULL: that is not known
  bool is_average;      // the views below /model/weights are the average of the weights
} tutti_checkpoint;

/** Write whole or not at all, then let the files before it move on by one: checkpoint.h5 ->
 * checkpoint.prev.h5 -> checkpoint.prev2.h5 ..., so that `keep` remain; older ones are removed.  At each
 * instant tutti_checkpoint_find finds a complete one; with hard links checkpoint.h5 itself is never absent.
 * What a killed save has left behind is cleared up.
 * @param[in] keep  1: this one alone
 * @return ERR_CREATE, ERR_IO; the files before are then as they were */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_save(const tutti_checkpoint *checkpoint, int64_t keep);

/** What a file holds, without its arrays' contents. */
typedef struct {
  char *config;
  tutti_checkpoint_state state;
  int64_t n_history;
  char **classes; // [n_classes]
  int n_classes;
  char *time, *version;
  char *features; // NULL: the file does not say
  bool is_average;
} tutti_checkpoint_info;

/** @return ERR_MISSING; ERR_DATA no checkpoint, or of a newer format; ERR_IO.  Free with
 * tutti_checkpoint_info_clear. */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_info(const char *path, tutti_checkpoint_info *info);
void tutti_checkpoint_info_clear(tutti_checkpoint_info *info);

/** Read each view's array into its memory, and the rows of /history, n_history as tutti_checkpoint_read_info
 * tells, into `history` (NULL: not wanted).  All shapes are compared before anything is read.
 * @param[in] layout  columns of `history` that the file has are read, others stay untouched
 * @return ERR_MISSING; ERR_DATA an array is missing, has another shape ("FILE: /model/weights/dense/kernel is
 * 784 x 512, this model wants 784 x 256"), the file has a weight that no view asks for (a checkpoint of
 * another model), or its optimizer slots are not those that the views ask for, where they ask for any
 * (another optimizer); the memory is then as it was; or numbers of an array were never written.  ERR_IO a read failed: the memory is unspecified */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_load(const char *path, const tutti_view *views, int64_t n_views,
                                   const tutti_table_layout *layout, void *history);

/** Local.  The arrays below /model/weights, by name and shape alone; *views [n] is the caller's (tutti_free).
 * @return as tutti_checkpoint_read_info; ERR_DATA also where a name or shape is none of a network's */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_list_weights(const char *path, tutti_view **views, int64_t *n);

/** Local.  Read the views' arrays; others that the file has are no matter.  @return as tutti_checkpoint_load */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_arrays(const char *path, const tutti_view *views, int64_t n);

/** Local.  Names of the optimizer's slots in the file, in order; the caller frees them (tutti_file_list_free).  @return
 * as tutti_checkpoint_read_info */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_list_slots(const char *path, char ***names, int *n);

/** Local.  Names of the columns of /history; the caller frees them (tutti_file_list_free).  @return as
 * tutti_checkpoint_read_info */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_history_columns(const char *path, char ***names, int *n);

/** Local.  Read those of the table's records that the file has, by their names; others, and columns that it has not,
 * stay untouched.  @return ERR_MISSING no file; ERR_DATA damaged; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_table(const char *path, const tutti_checkpoint_table *table);

/** The newest complete checkpoint of a run directory: checkpoint.h5, or where that is absent or damaged the
 * one before.  Complete: all of it was written and can be read, and the checksums are right; each damaged file is logged as a
 * warning.  *path is the caller's (tutti_free); NULL: there is none at all, or no directory.
 * @return ERR_DATA there are files, but none is whole; ERR_IO the system cannot read one that may be the
 * newest whole one: no older one is taken for it */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_find(const char *directory, char **path);

/** Read an array of floating-point numbers, of unknown length, from a checkpoint ("/input/shift"); *values [n] is the caller's
 * (tutti_free).  @return ERR_MISSING no file; ERR_DATA no such vector; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_vector(const char *path, const char *name, double **values, int64_t *n);
