/** Who computes the products of a network: what the config says, and what the machine has measured. */
#include <string.h>

#include "machine/products.h"
#include "run/network.h"

/** The shapes of the dense layers, each once.
 * @param[out] layers  [n_arrays of the model]
 * @return their number */
static int list_layers(const tutti_model *model, tutti_layer_choices *layers) {
  int n = 0;
  for (int i = 0; i < tutti_model_n_arrays(model); i++) {
    const tutti_model_array *array = tutti_model_array_at(model, i);
    if (strcmp(array->name, "kernel") != 0) continue;
    int k = 0;
    while (k < n && (layers[k].n_in != array->rows || layers[k].n_out != array->cols)) k++;
    if (k == n) layers[n++] = (tutti_layer_choices){.n_in = (int)array->rows, .n_out = (int)array->cols};
  }
  return n;
}

tutti_status tutti_network_choose_products(const tutti_comm *comm, tutti_network *network) {
  tutti_model *model = network->model;
  tutti_layer_choices *layers = NULL;
  tutti_status status = TUTTI_NEW(layers, tutti_model_n_arrays(model));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  // Products of bfloat16 have loops of their own.
  const tutti_matmul_by by = tutti_model_products(model);
  const tutti_sum_order order = by.bfloat16 ? TUTTI_SUM_IN_ORDER : by.order;
  const tutti_products_wanted wanted = {.layers = layers,
                                        .n_layers = list_layers(model, layers),
                                        .most_rows = (int)network->max_rows,
                                        .by = order};
  TUTTI_TRY_GOTO(done, tutti_products_choose(comm, &wanted, &network->products));
  tutti_model_choose_products(model, &network->products->table);
done:
  tutti_free(layers);
  return status;
}
