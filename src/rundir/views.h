#pragma once
/** The arrays of a network as a checkpoint names them.  Local. */
#include "tutti/checkpoint.h"
#include "tutti/model.h"

/** Append a view of each array: trainable ones at `weights` + offset, the others at the model's state.
 * @param[in]     prefix  "/model/weights", or "/optimizer/velocity" (then trainable arrays alone:
 *                        `with_state` false)
 * @param[in]     weights  NULL: names and shapes alone are wanted
 * @param[in,out] n       views so far; `views` has room for the rest */
void tutti_views_add(tutti_model *model, const char *prefix, bool with_state, float *weights,
                     tutti_view *views, int64_t *n);

/** Append a vector of doubles. */
void tutti_views_add_vector(const char *name, double *data, int64_t length, tutti_view *views, int64_t *n);
