#pragma once
/** A network with the buffers that one rank feeds it from.  Training, evaluation and prediction share it. */
#include "machine/products.h"
#include "run/samples.h"
#include "tutti/model.h"
#include "tutti/run.h"

typedef struct {
  const tutti_comm *comm;       // borrowed
  const tutti_dataset *dataset; // borrowed
  tutti_model *model;           // owned
  tutti_products *products;     // owned; who computes those of the model; NULL: not chosen
  bool by_class;                // targets are class ids, not rows of values
  bool by_features;             // targets are the features themselves, in x
  bool one_hot;                 // of several outputs exactly one is a yes
  int64_t max_rows;             // largest number of samples in a micro-batch
  int64_t evaluation_rows;      // samples that an evaluation takes at once, the same on every number of ranks
  int n_leaves;                 // parts of a set whose sums an evaluation keeps apart, with reduce=tree
  double *leaves;               // [n_leaves, 2] sums of loss and metric; NULL: each rank has one sum
  int64_t *rows;                // [max_rows]
  float *x;                     // [max_rows, n_in]
  int32_t *classes;             // [max_rows], or NULL
  float *values;                // [max_rows, n_out], or NULL
  float *weights;               // [max_rows] weights of samples; NULL: there are none
  float *class_weights;         // [classes] for training; NULL: all are 1 (class_weights.c)
} tutti_network;

/** Collective.  Create the model and buffers for micro-batches of at least max_rows samples.  Small micro-batches would
 * make evaluations slow, so network->max_rows may be larger.
 * @return (agreed) ERR_CONFIG as tutti_model_create; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_network_create(const tutti_comm *comm, const tutti_config *config,
                                  const tutti_dataset *dataset, int64_t max_rows, tutti_network *network);

/** Collective.  Create a network for the data of another one, with the same layers, loss and class weights.  What the
 * other one has found out about data and machine is taken from it, and nothing is checked or measured again.
 * @param[in] like  its products are chosen; it is borrowed as long as the network
 * @return as tutti_network_create */
TUTTI_NODISCARD
tutti_status tutti_network_create_like(const tutti_comm *comm, const tutti_config *config, int64_t max_rows,
                                       const tutti_network *like, tutti_network *network);

/** Collective, after tutti_linalg_set_threads.  Choose who computes the products of the model from now on.
 * @param[in] trains  else there is the forward pass alone
 * @param[in] stored  on rank 0: the choice that a checkpoint has, see tutti_products_wanted; NULL: none
 * @return (agreed) ERR_MEMORY; ERR_INTERNAL a layer or a micro-batch has more rows or columns than an int can count */
TUTTI_NODISCARD
tutti_status tutti_network_choose_products(const tutti_comm *comm, bool trains, const char *stored,
                                           tutti_network *network);

/** Local.  Create the model without buffers, for checks and warnings.
 * @return ERR_CONFIG as tutti_model_create; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_network_create_bare(const tutti_config *config, const tutti_dataset *dataset,
                                       tutti_network *network);
void tutti_network_destroy(tutti_network *network); // Local.

/** Local.  Whether a label of a network with one output is a class: 1, or 0 or -1 for the other one. */
static inline bool tutti_network_is_side(float value) {
  return value == -1 || value == 0 || value == 1;
}

/** Local.  Check that the labels of the data set fit the outputs and the loss of the network.  Their values are checked
 * only if the data set has them.  @return ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_network_check_labels(const tutti_network *network);

/** Local, after tutti_network_check_labels.  Set network->class_weights if the config has data.class_weight, in place
 * of earlier ones.
 * @param[in] train  samples that "balanced" weights are counted from
 * @return ERR_CONFIG the labels are not classes, or there is no such class; ERR_DATA a label is a probability */
TUTTI_NODISCARD
tutti_status tutti_network_set_class_weights(const tutti_config *config, const tutti_samples *train,
                                             tutti_network *network);

/** Local.  Give a network the class weights of another one, if that has any.  The other one has the same data, layers
 * and loss, and this one has none yet.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_network_copy_class_weights(const tutti_network *from, tutti_network *to);

/** Local.  Multiply weights[n] of samples with those of their targets' classes.  network->class_weights is set. */
void tutti_network_apply_class_weights(const tutti_network *network, tutti_targets targets, int64_t n,
                                       float *weights);

/** The purpose of gathered samples.  In an evaluation samples have the weights of their rows, in training also those of
 * their classes, as in Keras. */
typedef enum { TUTTI_TO_PREDICT, TUTTI_TO_EVALUATE, TUTTI_TO_TRAIN } tutti_purpose;

/** Local.  Gather the samples network->rows[n] of one array: their features into x and, unless TO_PREDICT, their
 * targets.
 * @return the targets, in buffers of the network */
tutti_targets tutti_network_gather(const tutti_network *network, tutti_rows which, int64_t n,
                                   tutti_purpose purpose);

/** Collective.  Mean loss (with the penalty) and metric of a set.  The ranks share the work.
 * @param[in] params  [n_params] weights */
TUTTI_NODISCARD
tutti_status tutti_network_evaluate(const tutti_network *network, const float *params,
                                    const tutti_samples *set, tutti_evaluation *result);

/** Collective.  Sum values[n] over the ranks: a tutti_model_sum.
 * @param[in] comm  a tutti_comm */
tutti_status tutti_network_sum(void *comm, double *values, int64_t n);
