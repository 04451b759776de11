#pragma once
/** The update rules in double, one weight at a time: the textbook forms of Keras and PyTorch one by one, none
 * of the identities by which the library shares its loops.  Local. */
#include "tutti/optim.h"

/** State of one weight; zeros before the first update. */
typedef struct {
  double m, v, x;
} optim_twin_state;

/** The weight after update number t, from 1.
 * @param[in] o  resolved, without clipping */
double optim_twin(const tutti_optim_options *o, int t, double lr, double g, double w, optim_twin_state *s);
