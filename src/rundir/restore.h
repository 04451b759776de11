#pragma once
/** A trained network from a checkpoint, for a data set: for evaluation, prediction and curvature. */
#include "run/network.h"
#include "tutti/checkpoint.h"

typedef struct {
  tutti_config config;    // of the training
  tutti_dataset *dataset; // owned
  tutti_network network;
  float *params;       // [n_params], equal on all ranks
  tutti_texts classes; // names of the classes; on rank 0 alone
  char *products;      // who computed them in the training, as text; on rank 0 alone; NULL: not known
  tutti_checkpoint_state state;
  tutti_features features; // of the rows trained on; on rank 0 alone
  bool is_average;         // the network of the file is the average of the weights; on rank 0 alone
} tutti_rundir_restored;

/** Collective.  Read the config that the checkpoint carries (rank 0 reads, all parse), and set this rank's threads by
 * it.  If a rank has no products of bfloat16, the config says float32 in their place, and one line is logged.
 * @return (agreed) what tutti_checkpoint_read_info and tutti_config_parse return */
TUTTI_NODISCARD
tutti_status tutti_rundir_restore_config(const tutti_comm *comm, const char *checkpoint,
                                         tutti_rundir_restored *restored);

/** Collective.  Open the data set, after tutti_rundir_restore_config.
 * @param[in] file   NULL: the training's data set with its limits, so that the splits are the training's; else all
 * rows of this file, where only the arrays of the split must exist
 * @param[in] trust  what the file may make the program do.  The training's file may lead to files outside of its
 * folder also if its config allowed it, but no file allows plugins
 * @param[in] split  rows that are wanted of another file
 * @return (agreed) what tutti_dataset_open returns */
TUTTI_NODISCARD
tutti_status tutti_rundir_restore_data(const tutti_comm *comm, const char *file, tutti_trust trust,
                                       tutti_split split, tutti_rundir_restored *restored);

/** Local.  Check that the arrays of a checkpoint are as wide as the layers of its config, before a network takes memory
 * for them.
 * @return ERR_DATA a layer has more units than any array has numbers in one dimension; as
 * tutti_checkpoint_list_weights */
TUTTI_NODISCARD
tutti_status tutti_rundir_check_widths(const char *checkpoint, const tutti_config *config);

/** Collective, after restored->dataset was opened.  Create the network, load the weights, and give the data set the
 * training's scaling.
 * @return (agreed) ERR_CONFIG the file has no average; ERR_DATA the file does not fit; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_rundir_restore_network(const tutti_comm *comm, const char *checkpoint,
                                          tutti_weights weights, tutti_rundir_restored *restored);

/** Local.  The kind of rows that a checkpoint was trained on.
 * @param[in] text  what the checkpoint says; NULL: it is of an earlier version
 * @return UNKNOWN if the text is NULL or not known here */
tutti_features tutti_rundir_restore_features(const char *text);

/** Collective.  Give a data set the scaling that a checkpoint carries.
 * @param[in] checkpoint  path; on rank 0 alone
 * @param[in] features    of the checkpoint; on rank 0 alone
 * @return (agreed) ERR_DATA another number of features, or rows of a type that this scaling cannot be converted for */
TUTTI_NODISCARD
tutti_status tutti_rundir_restore_scaling(const tutti_comm *comm, const char *checkpoint,
                                          tutti_features features, tutti_dataset *dataset);

/** Collective. */
void tutti_rundir_restored_clear(tutti_rundir_restored *restored);
