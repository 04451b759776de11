#pragma once
/** A network with the buffers that one rank feeds it from: what training, evaluation and prediction share. */
#include "run/samples.h"
#include "tutti/model.h"
#include "tutti/run.h"

typedef struct {
  const tutti_comm *comm;       // borrowed
  const tutti_dataset *dataset; // borrowed
  tutti_model *model;           // owned
  bool by_class;                // targets are class ids, else rows of values
  bool by_features;             // targets are the features, which lie in x
  int64_t max_rows;             // samples of a micro-batch at most
  int64_t evaluation_rows;      // of an evaluation's, the same on any number of ranks
  int n_leaves;                 // whose sums an evaluation keeps apart, with reduce=tree
  double *leaves;               // [n_leaves, 2] of loss and metric; NULL: one sum a rank
  int64_t *rows;                // [max_rows]
  float *x;                     // [max_rows, n_in]
  int32_t *classes;             // [max_rows], or NULL
  float *values;                // [max_rows, n_out], or NULL
  float *weights;               // [max_rows] of samples, where there may be some
  float *class_weights;         // [classes] of the training; NULL: none (class_weights.c)
} tutti_network;

/** Collective.  Model and buffers for micro-batches of at least max_rows samples: small ones would make an
 * evaluation slow, network->max_rows is what it takes at once.
 * @return (agreed) ERR_CONFIG as tutti_model_create; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_network_create(const tutti_comm *comm, const tutti_config *config,
                                  const tutti_dataset *dataset, int64_t max_rows, tutti_network *network);

/** Local.  The model alone, without the buffers to feed it: for what there is to tell of it.
 * @return ERR_CONFIG as tutti_model_create; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_network_create_bare(const tutti_config *config, const tutti_dataset *dataset,
                                       tutti_network *network);
void tutti_network_destroy(tutti_network *network); // Local.

/** Local.  A label of one output that is a class: 1, or 0 or -1 for the other side. */
static inline bool tutti_network_is_side(float value) {
  return value == -1 || value == 0 || value == 1;
}

/** Local.  The data set's labels fit what the network gives.  @return ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_network_check_labels(const tutti_network *network);

/** What samples are gathered for.  An evaluation's losses have the weights of their rows, those of the training also
 * the weights of their classes (Keras). */
typedef enum { TUTTI_TO_PREDICT, TUTTI_TO_EVALUATE, TUTTI_TO_TRAIN } tutti_purpose;

/** Local.  Gather the samples network->rows[n] of one array: x, and but TO_PREDICT their targets. */
tutti_targets tutti_network_gather(const tutti_network *network, tutti_rows which, int64_t n,
                                   tutti_purpose purpose);

/** Collective.  Mean loss (with the penalty) and metric of a set at the weights `params`; the ranks share the
 * work. */
TUTTI_NODISCARD
tutti_status tutti_network_evaluate(const tutti_network *network, const float *params,
                                    const tutti_samples *set, tutti_evaluation *result);

/** A tutti_model_sum: context is a tutti_comm. */
tutti_status tutti_network_sum(void *comm, double *values, int64_t n);
