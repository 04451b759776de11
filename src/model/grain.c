#include "tutti/model.h"

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
  return b ? greatest_common_divisor(b, a % b) : a;
}

int64_t tutti_layers_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count) {
  int64_t group = 1;
  for (int i = 0; i < n_layers; i++) {
    if (layers[i].kind != TUTTI_LAYER_BATCH_NORM) continue;
    const int64_t ghost = layers[i].ghost;
    if (ghost == 0 || ghost >= batch_count) return batch_count;
    const int64_t times = ghost / greatest_common_divisor(group, ghost);
    if (times >= (batch_count + group - 1) / group) return batch_count;
    group *= times;
  }
  return group;
}
