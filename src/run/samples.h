#pragma once
/** Sets of samples: which rows of the data set are for training, validation and test. */
#include "tutti/config.h"
#include "tutti/data.h"
#include "tutti/sampler.h"

/** A set of n samples of one array of the file.  Sample i is row split(first + drawn(i)). */
typedef struct {
  tutti_rows which;
  tutti_permutation split;
  tutti_permutation drawn; // its n = 0: the samples stay in their order
  int64_t first, n;        // n = 0: there is no such set
} tutti_samples;

typedef struct {
  tutti_samples train, validation, test;
  tutti_samples looked_at; // train.train_rows of the training rows, drawn by the seed
} tutti_samples_all;

/** Local.  The part of a file that a config uses, borrowed from it.  The file's own validation rows are used unless the
 * config holds out training rows, or wants none. */
tutti_data_options tutti_samples_options(const tutti_config *config);

/** Collective.  Open the data set that a config names.
 * @return as tutti_dataset_open */
TUTTI_NODISCARD
tutti_status tutti_samples_open(const tutti_comm *comm, const tutti_config *config, tutti_dataset **dataset);

/** Local, and without MPI.  Open it for the checks before a job.  @return as tutti_dataset_open_labels */
TUTTI_NODISCARD
tutti_status tutti_samples_open_labels(const tutti_config *config, tutti_dataset **dataset);

/** Local.  Rank 0 warns of a batch that is larger than the training set, so that no step has the size that the user
 * asked for. */
void tutti_samples_warn_batch(const tutti_config *config, const tutti_samples *train);

/** Collective.  Warn about features whose scaling nobody chose.  With model.weights the scaling comes from that file,
 * and there is no warning. */
TUTTI_NODISCARD
tutti_status tutti_samples_advise(const tutti_comm *comm, const tutti_config *config,
                                  const tutti_dataset *dataset);

/** Local.  Divide the rows into sets.  Held-out rows are the same in every epoch, for every batch size and number of
 * ranks.
 * @param[in] seed  train.seed, or the split_seed of a checkpoint */
tutti_samples_all tutti_samples_divide(const tutti_config *config, const tutti_dataset *dataset,
                                       uint64_t seed);

/** Local.  Replace each of ids[n], samples of the set, by its row: a tutti_rows_at.
 * @param[in] samples  a tutti_samples */
void tutti_samples_rows(const void *samples, int64_t n, int64_t *ids);
