/** The list of the kinds of layers, and questions that a specification alone answers: whether the layer mixes
 * samples, and how large a group of samples has to stay together.  This file lies above the layers, none of which
 * calls it; create.c, the words of layers and other rooms look kinds up here. */
#include "model/groups_impl.h"
#include "model/model_impl.h"

const char *const tutti_layer_kind_names[TUTTI_N_LAYER_KINDS] = {
#define X(code, word, sentence) #word,
#include "tutti/layers.def"
};

const tutti_layer_ops *tutti_layer_ops_of(tutti_layer_kind kind) {
  static const tutti_layer_ops *const tables[TUTTI_N_LAYER_KINDS] = {
#define X(code, word, sentence) [TUTTI_LAYER_##code] = &tutti_layer_##word##_ops,
#include "tutti/layers.def"
  };
  return tables[kind];
}

bool tutti_layer_has_activation(const tutti_layer_spec *spec) {
  return tutti_layer_ops_of(spec->kind)->has_activation;
}

bool tutti_layer_keeps_range(const tutti_layer_spec *spec) {
  const tutti_layer_ops *ops = tutti_layer_ops_of(spec->kind);
  return ops->keeps_range && ops->keeps_range(spec);
}

// --- groups of samples that belong together --------------------------------------------------------------

/** A frozen batch_norm uses its moving statistics, and its samples are independent. */
static bool mixes_samples(const tutti_layer_spec *spec) {
  return tutti_layer_ops_of(spec->kind)->mixes_samples && !spec->frozen;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
  return b ? greatest_common_divisor(b, a % b) : a;
}

int64_t tutti_model_layers_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count) {
  int64_t group = 1;
  for (int i = 0; i < n_layers; i++) {
    if (!mixes_samples(&layers[i])) continue;
    const int64_t ghost = layers[i].ghost;
    if (ghost == 0 || ghost >= batch_count) return batch_count;
    const int64_t times = ghost / greatest_common_divisor(group, ghost);
    if (times > (batch_count - 1) / group) return batch_count; // group * times may overflow
    group *= times;
  }
  return group;
}

bool tutti_model_layers_single_group(const tutti_layer_spec *layers, int n_layers, int64_t batch_count) {
  for (int i = 0; i < n_layers; i++)
    if (mixes_samples(&layers[i]) && tutti_model_groups_with_variance(layers[i].ghost, batch_count) <
                                         tutti_model_groups_of_batch(layers[i].ghost, batch_count))
      return true;
  return false;
}
