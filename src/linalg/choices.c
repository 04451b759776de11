/** The table of who computes which product. */
#include "linalg/choices.h"

const char *const tutti_matmul_names[TUTTI_N_MATMULS] = {"forward", "weight_gradient", "input_gradient"};

int tutti_matmul_row_class(int rows) {
  int c = 0;
  while (c + 1 < TUTTI_ROW_CLASSES && rows > 1 << c) c++;
  return c;
}

const tutti_matmul_choice *tutti_matmul_find_choice(const tutti_matmul_choices *choices, tutti_matmul product,
                                                    int rows, int n_in, int n_out) {
  for (int i = 0; choices && i < choices->n; i++) {
    const tutti_layer_choices *layer = &choices->layers[i];
    if (layer->n_in == n_in && layer->n_out == n_out)
      return &layer->of[product][tutti_matmul_row_class(rows)];
  }
  return NULL;
}
