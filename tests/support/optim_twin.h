#pragma once
/** The update rules in double, one weight at a time: the textbook forms of Keras and PyTorch, without the identities by which
 * the library shares its loops.  Local. */
#include <stdbool.h>

#include "tutti/optim.h"

/** State of one weight; zeros before the first update. */
typedef struct {
  double m, v, x;
  double lr; // of the update before
  double d;  // direction, if the rule takes its norm
} optim_twin_state;

/** The weight after update number t, from 1.
 * @param[in] o  resolved, without clipping */
double optim_twin(const tutti_optim_options *o, int t, double lr, double g, double w, optim_twin_state *s);

/** Update all weights of one array: at once if the rule takes norms of it, else weight by weight.
 * @param[in] given  resolved, without clipping
 * @param[in] plain  a bias or another vector */
void optim_twin_array(const tutti_optim_options *given, int t, double lr, bool plain, int64_t n,
                      const double *g, double *w, optim_twin_state *s);
