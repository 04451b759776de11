#pragma once
/** Sets of samples: which rows of the data set are for training, validation and test. */
#include "tutti/config.h"
#include "tutti/data.h"
#include "tutti/sampler.h"

/** Sample i in [0, n) of the set is row split(first + i) of one of the file's arrays. */
typedef struct {
  tutti_rows which;
  tutti_permutation split;
  tutti_permutation drawn; // of the set, before that; n = 0: the samples are in their order
  int64_t first, n;        // n = 0: there is no such set
} tutti_samples;

typedef struct {
  tutti_samples train, validation, test;
  tutti_samples looked_at; // train.train_rows of the training rows, drawn by the seed
} tutti_samples_all;

/** Local.  What a config takes of the file, borrowed: the file's own validation rows unless some are held out. */
tutti_data_options tutti_samples_options(const tutti_config *config);

/** Collective.  Open the data set that a config names. */
TUTTI_NODISCARD
tutti_status tutti_samples_open(const tutti_comm *comm, const tutti_config *config, tutti_dataset **dataset);

/** Collective.  What there is to say of a scaling that nobody chose: nothing where model.weights brings its own. */
TUTTI_NODISCARD
tutti_status tutti_samples_advise(const tutti_comm *comm, const tutti_config *config,
                                  const tutti_dataset *dataset);

/** Local.  Held-out rows are the same in every epoch and for every batch size: they depend on the seed
 * alone, which is train.seed, or the split_seed of a checkpoint. */
tutti_samples_all tutti_samples_divide(const tutti_config *config, const tutti_dataset *dataset,
                                       uint64_t seed);

/** Local.  Replace each of ids[n], samples of the set, by its row.  A tutti_rows_get: context is a tutti_samples. */
void tutti_samples_rows(const void *samples, int64_t n, int64_t *ids);
