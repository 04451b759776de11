#pragma once
/** A trained network from a checkpoint, for a data set.  Private to this room. */
#include "run/network.h"
#include "tutti/checkpoint.h"

typedef struct {
  tutti_config config;    // of the training
  tutti_dataset *dataset; // owned
  tutti_network network;
  float *params;       // [n_params], equal on all ranks
  tutti_texts classes; // names of the classes; on rank 0 alone
  tutti_checkpoint_state state;
  tutti_features features; // of the rows trained on; on rank 0 alone
  bool is_average;         // the file's network is the average of the weights; on rank 0 alone
} tutti_restored;

/** Collective.  Reads the config that the checkpoint carries (rank 0 reads, all parse). */
TUTTI_NODISCARD
tutti_status tutti_restore_config(const tutti_comm *comm, const char *checkpoint, tutti_restored *restored);

/** Collective.  The training's data set with its limits, so that the splits are the training's (file NULL); or all rows
 * of another file, of which only the arrays of the split have to be there.
 * @param[in] external  it may lead to files outside of its folder; the training's also where the training's could */
TUTTI_NODISCARD
tutti_status tutti_restore_data(const tutti_comm *comm, const char *file, bool external, tutti_split split,
                                tutti_restored *restored);

/** Collective.  After restored->dataset was opened: network, weights, and the training's scaling for the data
 * set.  @return (agreed) ERR_CONFIG there is no average */
TUTTI_NODISCARD
tutti_status tutti_restore_network(const tutti_comm *comm, const char *checkpoint, tutti_weights weights,
                                   tutti_restored *restored);

/** Local.  What a checkpoint says that its rows held; UNKNOWN where it is of an earlier version, or says what this one
 * does not know. */
tutti_features tutti_restore_features(const char *text);

/** Collective.  The scaling that a checkpoint carries, for a data set.
 * @param[in] checkpoint, features  on rank 0 alone
 * @return (agreed) ERR_DATA another number of features, or rows of a type for which it cannot be told */
TUTTI_NODISCARD
tutti_status tutti_restore_scaling(const tutti_comm *comm, const char *checkpoint, tutti_features features,
                                   tutti_dataset *dataset);

/** Collective. */
void tutti_restored_clear(tutti_restored *restored);
