/** The list of the kinds of layers, and what is asked of a kind by its specification alone. */
#include "model/model_impl.h"

const char *const tutti_layer_kind_names[TUTTI_N_LAYER_KINDS] = {
#define X(code, word) #word,
#include "tutti/layers.def"
};

const tutti_layer_ops *tutti_layer_ops_of(tutti_layer_kind kind) {
  static const tutti_layer_ops *const tables[TUTTI_N_LAYER_KINDS] = {
#define X(code, word) [TUTTI_LAYER_##code] = &tutti_##word##_ops,
#include "tutti/layers.def"
  };
  return tables[kind];
}

bool tutti_layer_mixes_samples(const tutti_layer_spec *spec) {
  return tutti_layer_ops_of(spec->kind)->mixes_samples && !spec->frozen;
}

bool tutti_layer_has_activation(const tutti_layer_spec *spec) {
  return tutti_layer_ops_of(spec->kind)->has_activation;
}

bool tutti_layer_keeps_range(const tutti_layer_spec *spec) {
  const tutti_layer_ops *ops = tutti_layer_ops_of(spec->kind);
  return ops->is_noise || (spec->kind == TUTTI_LAYER_ACTIVATION && spec->activation == TUTTI_LINEAR);
}
