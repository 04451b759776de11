/** The layers of a config: read from one text, and handed to the room model.  Called by value.c and parse.c. */
#include <string.h>

#include "config/keys_impl.h"

/** The old layers are freed last, so that the config keeps them if there is no memory. */
tutti_status tutti_config_layers_resize(tutti_config *config, int64_t n) {
  tutti_layer_spec *layers = NULL;
  TUTTI_TRY(TUTTI_NEW(layers, n));
  tutti_free(config->model.layers);
  config->model.layers = layers;
  config->model.n_layers = n;
  return TUTTI_OK;
}

/** A comma cannot stand within a layer, so the number of commas gives the number of layers. */
tutti_status tutti_config_layers_read(const char *text, tutti_config *config) {
  tutti_status status = TUTTI_OK;
  int64_t n = 1;
  for (const char *c = text; *c; c++) n += *c == ',';

  char *words = tutti_strdup(text); // each comma becomes the end of a layer
  if (!words) return TUTTI_ERR_MEMORY;
  TUTTI_TRY_GOTO(done, tutti_config_layers_resize(config, n));
  char *layer = words;
  for (int64_t i = 0; i < n; i++) {
    layer += strspn(layer, " ");
    const size_t length = strcspn(layer, ",");
    layer[length] = '\0';
    TUTTI_TRY_GOTO(done, tutti_layer_parse(layer, &config->model.layers[i]));
    layer += length + 1;
  }
done:
  tutti_free(words);
  return status;
}

tutti_model_options tutti_config_model(const tutti_config *config) {
  // The length of a config is limited, so the number of layers fits an int.
  return (tutti_model_options){.layers = config->model.layers,
                               .n_layers = (int)config->model.n_layers,
                               .loss = config->model.loss,
                               .label_smoothing = config->model.label_smoothing,
                               .compute = config->model.compute,
                               .initializer = config->model.initializer};
}
