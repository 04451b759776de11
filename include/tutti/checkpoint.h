#pragma once
/** Checkpoint files: named arrays of a training, with its state.  Local: rank 0 alone reads and writes.
 *
 * checkpoint.h5, format 1:
 *   /model/weights/<layer>/<array>      float32, kernels [n_in, n_out], vectors [n]
 *   /optimizer/<slot>/<layer>/<array>   float32, with the shapes of the weights; the attribute "unit" says what a
 *                                       number is, "sum of gradients * -learning_rate".  In a file of the average (see
 *                                       the attribute "weights") the slot "weights" has the weights that training
 *                                       continues with
 *   /input/shift, /input/factor         float64 [n_features]: x = (raw - shift) * factor; float32 in
 *                                       files of earlier versions
 *   /history                            the epoch table so far
 *   another table, if the run has one: a record for each entry of its attribute "names"
 *   attributes of the root:
 *     format                        1
 *     version, time, config         texts: version of the program, time of the save (UTC), resolved YAML
 *     step, epoch, samples, ...     the members of tutti_checkpoint_state under their names,
 *                                   in_epoch_loss, ...
 *     seed, split_seed              integers; above 2^63 - 1, where the integers of HDF5 readers end, a text with
 *                                   the digits
 *     classes                       names of the classes, if the data has them
 *     features                      the kind of numbers that the network is trained on ("bytes"); absent in files of
 *                                   earlier versions
 *     products                      who computes the matrix products, as text; absent if their order is fixed, and in
 *                                   files of earlier versions
 *     weights                       "average" if /model/weights is the average of the weights; absent if it is the
 *                                   last weights
 * Nothing in it but "products" depends on the number of ranks.
 *
 * A run directory has, newest first: checkpoint.h5, checkpoint.prev.h5, checkpoint.prev2.h5, ...  While a new
 * checkpoint replaces the last one, the last one is also called checkpoint.held.h5. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/io.h"

/** One array, with its place in the file and in memory. */
typedef struct {
  char name[160]; // "/model/weights/dense/kernel"
  int n_dims;     // 0: a single number
  int64_t dims[2];
  void *data;     // borrowed; save reads it, load writes it
  bool is_double; // double, float64 in the file; else float, float32
  char unit[80];  // for readers, an attribute of the array: what a number is; "": none
} tutti_view;

/** Sums over the samples since some point. */
typedef struct {
  double samples, loss, metric;
  double seconds; // of training
} tutti_checkpoint_sums;

/** An average that forgets, without bias from its beginning (all 0): sum of decayed values / sum of their weights. */
typedef struct {
  double sum, weight;
} tutti_checkpoint_smoothed;

/** How far a training has come.  Its members are attributes of the root.  "Absent" describes files of earlier
 * versions. */
typedef struct {
  int64_t step;          // updates done
  int64_t epoch;         // epochs done
  int64_t step_in_epoch; // updates since the last epoch ended
  int64_t samples;       // samples seen
  int64_t place;         // place of the next step: epoch * samples of an epoch + position; -1: not known
  uint64_t seed;
  uint64_t split_seed;  // seed that drew the validation rows; not `seed` if the run began from a named file
  double learning_rate; // of the last update; 0: none, or absent
  double seconds;       // of training so far
  tutti_checkpoint_sums in_epoch; // since the epoch began
  tutti_checkpoint_sums in_row;   // since the last row of /steps
  double best;                    // best value of the monitored quantity; NAN: none yet
  int64_t evaluations_since_best;
  int64_t rule_from; // the step from which the update rule counts its updates
  // Where schedule.warmup counts from, in its unit; below 0 if it began in a training that counted faster.  Absent: 0.
  double warmup_from;
  // The beginning of the steps with these batches and data, if the run continues a file of another training; else 0.
  // Absent: 0.
  int64_t from_step, from_place, from_samples;
  int64_t returned_to; // step of best.h5 in the directory when the run last returned to it; 0: it never did
  // State of schedule.decay plateau: see tutti_plateau.  May be absent.
  double plateau_best, plateau_waited, plateau_cooling, plateau_drops;
  // State of schedule.scaling adascale: the number of steps of the base batch that the run is worth, 0 if it is not
  // counted, and two averages, see tutti_measure_smoothed_add.
  double gained;
  tutti_checkpoint_smoothed gain_variance, gain_square;
  int64_t data, data_hash; // fingerprint of the training rows, and its hash: see tutti_dataset_fingerprint
  int64_t rollbacks;       // after a divergence; may be absent
  double rate_factor;      // of all rollbacks on the learning rate; 0: there was none, or absent
  int64_t weights_hash;    // of the arrays that the run took from model.weights; 0: none, or absent
} tutti_checkpoint_state;

/** A table that is stored too; one of its columns is "step". */
typedef struct {
  const tutti_column *columns;
  int n_columns;
  size_t record_bytes;
} tutti_table_layout;

/** A small table of named records that is stored too. */
typedef struct {
  const char *name;         // "/measured"
  const char *const *names; // [n] of its records
  tutti_table_layout layout;
  void *records; // [n] borrowed; save reads it, tutti_checkpoint_read_table writes it
  int n;         // 0: there is no such table
} tutti_checkpoint_table;

/** The content of a checkpoint to save.  All borrowed. */
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
  const char *features; // the kind of numbers that the network is trained on, in words; NULL: not known
  const char *products; // who computes the matrix products; NULL: not recorded
  bool is_average;      // whether the views below /model/weights are the average of the weights
} tutti_checkpoint;

/** Write a checkpoint, complete or not at all.  The files before it get the next older names (checkpoint.h5 ->
 * checkpoint.prev.h5 -> checkpoint.prev2.h5 ...), `keep` files remain, and older ones are removed.  At each moment
 * tutti_checkpoint_find finds a complete one; on file systems with hard links checkpoint.h5 is never absent.  The
 * leftovers of a killed save are removed.
 * @param[in] keep  number of files, at least 1, with this one
 * @return ERR_CREATE, ERR_IO; the files before are then unchanged */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_save(const tutti_checkpoint *checkpoint, int64_t keep);

/** The content of a file without its arrays.  All owned. */
typedef struct {
  char *config;
  tutti_checkpoint_state state;
  int64_t n_history;
  tutti_texts classes; // names
  char *time, *version;
  char *features; // NULL: the file does not say
  char *products; // NULL: the file does not say
  bool is_average;
  bool has_sums; // the config has a checksum, so it is as it was written
} tutti_checkpoint_info;

/** @param[out] info  to be freed with tutti_checkpoint_info_clear
 * @return ERR_MISSING; ERR_DATA not a checkpoint, or damaged; ERR_NEWER of a newer format; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_info(const char *path, tutti_checkpoint_info *info);
void tutti_checkpoint_info_clear(tutti_checkpoint_info *info);

/** Read the array of each view, and the rows of /history.  All names and shapes are compared before anything is read.
 * @param[in]  layout   of `history`; columns that the file lacks stay as they are
 * @param[out] history  [n_history of tutti_checkpoint_read_info] records; NULL: not needed
 * @return ERR_MISSING; ERR_DATA an array is missing or has another shape, the file has a weight that no view names (a
 * checkpoint of another model), or views name optimizer slots and the file has others (another optimizer); the memory
 * is then unchanged.  ERR_DATA also if numbers of an array were never written, and ERR_IO if a read failed: the memory
 * is then unspecified */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_load(const char *path, const tutti_view *views, int64_t n_views,
                                   const tutti_table_layout *layout, void *history);

/** List the arrays below /model/weights.
 * @param[out] views  [n] with name and shape; owned by the caller (tutti_free)
 * @return as tutti_checkpoint_read_info; ERR_DATA also if no network could have such a name or shape */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_list_weights(const char *path, tutti_view **views, int64_t *n);

/** Read the arrays of the views; the file may have others.
 * @return as tutti_checkpoint_load */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_arrays(const char *path, const tutti_view *views, int64_t n);

/** List the optimizer slots of a file, in order of name.
 * @param[out] names  to be freed with tutti_texts_clear
 * @return as tutti_checkpoint_read_info */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_list_slots(const char *path, tutti_texts *names);

/** List the columns of /history.
 * @param[out] names  to be freed with tutti_texts_clear
 * @return as tutti_checkpoint_read_info */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_history_columns(const char *path, tutti_texts *names);

/** Read records of a table by their names.  Records and columns that the file lacks stay as they are.
 * @param[in,out] table  its records are written
 * @return ERR_MISSING no such file; ERR_DATA damaged; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_table(const char *path, const tutti_checkpoint_table *table);

/** Find the newest complete checkpoint of a run directory.  It reads the whole file and compares the checksums, and
 * logs a warning for each damaged file.
 * @param[out] path  owned by the caller (tutti_free); NULL: there is no checkpoint, or no directory
 * @return ERR_DATA there are files, but none is complete; ERR_IO the system cannot read a file that may be the newest
 * complete one, or ERR_NEWER a newer program has written it (no older one is taken instead) */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_find(const char *directory, char **path);

/** Whether a complete checkpoint can be used.
 * @return ERR_DATA it is passed over, for this reason; any other failure ends the search */
typedef tutti_status (*tutti_checkpoint_judge)(void *context, const char *path);

/** The same, but a checkpoint that `judge` refuses is treated as a damaged one. */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_find_usable(const char *directory, tutti_checkpoint_judge judge, void *context,
                                          char **path);

/** Compare the names and shapes of the arrays of a file with the views, as tutti_checkpoint_load does.  Reads no array.
 * @return as tutti_checkpoint_load */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_compare(const char *path, const tutti_view *views, int64_t n_views);

/** Read a vector of floating-point numbers of unknown length.
 * @param[in]  name    "/input/shift"
 * @param[out] values  [n] owned by the caller (tutti_free)
 * @return ERR_MISSING no such file; ERR_DATA no such vector; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_vector(const char *path, const char *name, double **values, int64_t *n);
