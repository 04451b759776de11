#pragma once
/** Named array views <-> a checkpoint file.  Local: rank 0 alone reads and writes.
 *
 * checkpoint.h5, format 1:
 *   /model/weights/<layer>/<array>      float32, kernels [n_in, n_out], vectors [n]
 *   /optimizer/<slot>/<layer>/<array>   float32, as the weights
 *   /input/shift, /input/factor         float32 [1] or [n_features]: x = (raw - shift) * factor
 *   /history                            the epoch table so far
 *   attributes of the root: format, version, time, config, step, epoch, samples, seed, seconds, and what a
 * caller adds Nothing in it depends on the number of ranks. */
#include <stdbool.h>

#include "io/file.h"
#include "tutti/base.h"

/** One array: where it stands in the file and in memory. */
typedef struct {
  char name[160]; // "/model/weights/dense/kernel"
  int n_dims;
  int64_t dims[2];
  float *data; // borrowed; read from by save, written to by load
} tutti_view;

/** Where a training stands; written as root attributes. */
typedef struct {
  int64_t step;          // updates done
  int64_t epoch;         // epochs begun, from 0: the one that step_in_epoch counts in
  int64_t step_in_epoch; // updates done in it
  int64_t samples;
  uint64_t seed;
  double seconds;              // of training so far
  double loss_sum, metric_sum; // of the epoch so far
  double samples_in_epoch;
  double seconds_at_epoch; // `seconds` when the epoch began
  double best;             // best monitored value, NAN: none yet
  int64_t evaluations_since_best;
} tutti_checkpoint_state;

/** A table that travels along. */
typedef struct {
  const tutti_column *columns;
  int n_columns;
  size_t record_bytes;
} tutti_table_layout;

typedef struct {
  const char *path;
  const char *config; // resolved YAML
  tutti_checkpoint_state state;
  const tutti_view *views; // [n_views]
  int64_t n_views;
  tutti_table_layout layout; // of history
  const void *history;       // [n_history] records
  int64_t n_history;
  const char *const *classes; // [n_classes] names of the classes; n_classes 0: none
  int n_classes;
} tutti_checkpoint;

/** Write whole or not at all.  First the files before it move on by one: checkpoint.h5 -> checkpoint.prev.h5
 * -> checkpoint.prev2.h5 ..., so that `keep` remain; at each instant a complete one stands under one of the
 * names.
 * @param[in] keep  1: this one alone
 * @return ERR_CREATE, ERR_IO; the files before are then still complete */
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
} tutti_checkpoint_info;

/** @return ERR_MISSING; ERR_DATA no checkpoint, or of a newer format; ERR_IO.  Free with
 * tutti_checkpoint_info_clear. */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_info(const char *path, tutti_checkpoint_info *info);
void tutti_checkpoint_info_clear(tutti_checkpoint_info *info);

/** Read each view's array into its memory, and history rows [n_history of the file] into `history` (NULL: not
 * wanted).
 * @return ERR_DATA an array is missing, has another shape ("FILE: /model/weights/dense/kernel is 784 x 512,
 * this model wants 784 x 256"), or the file has a weight that no view asks for: a checkpoint of another model
 */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_load(const char *path, const tutti_view *views, int64_t n_views,
                                   const tutti_table_layout *layout, void *history);

/** The newest complete checkpoint of a run directory: checkpoint.h5, or where that is absent or damaged the
 * one before. *path is the caller's (tutti_free); NULL: there is none at all.
 * @return ERR_DATA there are files, but none is whole */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_find(const char *directory, char **path);

/** Read an array of unknown length from a checkpoint ("/input/shift"); *values [n] is the caller's
 * (tutti_free). */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_vector(const char *path, const char *name, float **values, int64_t *n);
