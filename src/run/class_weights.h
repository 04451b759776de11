#pragma once
/** What the losses of a class are multiplied with in training: data.class_weight.  Private to this room. */
#include "run/network.h"

/** Local, after tutti_network_check_labels.  Sets network->class_weights where the config wants them; balanced ones are
 * of the samples of `train`, and take the place of those of other ones.
 * @return ERR_CONFIG labels are no classes, or there is no such class; ERR_DATA a label is a probability */
TUTTI_NODISCARD
tutti_status tutti_class_weights_make(const tutti_config *config, const tutti_samples *train,
                                      tutti_network *network);

/** Local.  weights[n] times those of the targets' classes. */
void tutti_class_weights_apply(const tutti_network *network, tutti_targets targets, int64_t n,
                               float *weights);
