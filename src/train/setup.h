#pragma once
/** The beginning and the end of a training in memory, without its loop. */
#include "run/run.h"

/** Collective.  Data, network, reducer and optimizer: what can fail before it is known where the training begins. */
TUTTI_NODISCARD
tutti_status tutti_train_create(const tutti_comm *comm, const tutti_config *config, tutti_run *run);
void tutti_train_destroy(tutti_run *run); // Collective.

/** Collective over `comm`, after tutti_run_open: tutti_run_build, what is measured, and the buffers of a step.  If it fails,
 * tutti_train_release undoes what has been made. */
TUTTI_NODISCARD
tutti_status tutti_train_build(const tutti_comm *comm, const tutti_config *config, tutti_run *run);
void tutti_train_release(tutti_run *run); // Collective over that communicator.  All but the data.

/** Local.  What tutti_train_build would refuse of a trial, told by config and data alone.
 * @param[in] with_network  also what layers, loss and labels have to do with one another, and the metric of
 *                          study.at_budget with them */
TUTTI_NODISCARD
tutti_status tutti_train_check(const tutti_config *config, const tutti_dataset *dataset, int n_ranks,
                               bool with_network);

/** Collective.  A training that begins: initial weights on all ranks, nothing done yet. */
TUTTI_NODISCARD
tutti_status tutti_train_begin(tutti_run *run);
