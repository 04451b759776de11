/** Views of the arrays of a network, under the names that a checkpoint has for them: "/model/weights/dense/kernel", and
 * with another prefix the same array of an optimizer slot.  Weights and slots have the layout of the parameters, so one
 * list of arrays serves all of them.  content.c, restore.c and weights.c use it. */
#include "rundir/rundir_impl.h"

#include <stdio.h>

void tutti_rundir_add_views(tutti_model *model, const char *prefix, bool with_state, float *weights,
                            tutti_view *views, int64_t *n) {
  for (int i = 0; i < tutti_model_n_arrays(model); i++) {
    const tutti_model_array *array = tutti_model_array_at(model, i);
    if (!array->trainable && !with_state) continue;
    tutti_view *view = &views[(*n)++];
    // What is not trained has no place among the parameters: the model keeps it.
    float *base = array->trainable ? weights : tutti_model_state(model);
    *view = (tutti_view){.n_dims = array->rows ? 2 : 1,
                         .dims = {array->rows ? array->rows : array->n, array->cols},
                         .data = base ? base + array->offset : NULL};
    snprintf(view->name, sizeof view->name, "%s/%s/%s", prefix, array->layer, array->name);
  }
}
