#pragma once
/** The weights of classes in the loss: data.class_weight. */
#include "run/network.h"

/** Local.  Multiply weights[n] of samples with those of their targets' classes.  network->class_weights is set. */
void tutti_network_apply_class_weights(const tutti_network *network, tutti_targets targets, int64_t n,
                                       float *weights);
