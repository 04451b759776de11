/** Who computes the products of a network: what its layers and the config say, and what the machine has measured. */
#include "machine/products.h"
#include "run/network.h"

/** The entry for layers of this shape. */
static tutti_products_layer *find(tutti_products_layer *layers, int *n, int n_in, int n_out) {
  int k = 0;
  while (k < *n && (layers[k].n_in != n_in || layers[k].n_out != n_out)) k++;
  if (k == *n) layers[(*n)++] = (tutti_products_layer){.n_in = n_in, .n_out = n_out};
  return &layers[k];
}

/** The shapes of the dense layers, each once, with the products that are needed.
 * @param[in]  trains  else there is the forward pass alone
 * @param[out] layers  [n_arrays of the model]
 * @param[out] n       their number */
static tutti_status list_layers(const tutti_model *model, bool trains, tutti_products_layer *layers, int *n) {
  const tutti_model_array *array;
  for (int i = 0; (array = tutti_model_next_kernel(model, &i));) {
    int n_in = 0, n_out = 0;
    TUTTI_TRY(tutti_to_int(array->rows, "inputs of a dense layer", &n_in));
    TUTTI_TRY(tutti_to_int(array->cols, "units of a dense layer", &n_out));
    tutti_products_layer *layer = find(layers, n, n_in, n_out);
    layer->n[TUTTI_MATMUL_FORWARD]++;
    layer->n[TUTTI_MATMUL_WEIGHT_GRADIENT] += trains && array->trainable;
    layer->n[TUTTI_MATMUL_INPUT_GRADIENT] += trains && tutti_model_passes_on(model, array);
  }
  return TUTTI_OK;
}

tutti_status tutti_network_choose_products(const tutti_comm *comm, bool trains, const char *stored,
                                           tutti_network *network) {
  tutti_model *model = network->model;
  tutti_products_layer *layers = NULL;
  int n_layers = 0, most_rows = 0;
  tutti_status status = TUTTI_NEW(layers, tutti_model_n_arrays(model));
  if (status == TUTTI_OK) status = list_layers(model, trains, layers, &n_layers);
  if (status == TUTTI_OK) status = tutti_to_int(network->max_rows, "samples of a micro-batch", &most_rows);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  // Products of bfloat16 have loops of their own.  Those of float32 stand for them when their threads are chosen, on which
  // no result depends.
  const tutti_matmul_by by = tutti_model_products(model);
  const tutti_products_wanted wanted = {.layers = layers,
                                        .n_layers = n_layers,
                                        .most_rows = most_rows,
                                        .by = by.compute == TUTTI_COMPUTE_BFLOAT16 ? TUTTI_SUM_IN_ORDER
                                                                                   : by.order,
                                        .stored = stored};
  tutti_model_choose_products(model, NULL);
  tutti_products_destroy(&network->products);
  TUTTI_TRY_GOTO(done, tutti_products_choose(comm, &wanted, &network->products));
  tutti_model_choose_products(model, &network->products->table);
done:
  tutti_free(layers);
  return status;
}
