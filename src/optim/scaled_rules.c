/** Rules that scale whole arrays, lars and lamb: the step of an array is in proportion to the norm of its weights.
 * An update takes two passes, because the norms of weights and directions are known only when all of them are:
 * `prepare` makes the directions, set_ratios the factors of the arrays, and step_scaled moves the weights.  Norms
 * come from pieces (norm_pieces.c), so that they have the same bits for all slices.  The optimizer and the training
 * call it. */
#include <math.h>
#include <string.h>

#include "optim/optim_impl.h"

/** Whether the rule neither scales nor decays the array, because it is a vector.  Keras' Lamb makes no exceptions. */
static bool leaves_alone(const tutti_optim *optim, int array) {
  return tutti_optim_decays_inside(optim->rule, &optim->options) && optim->plain[array];
}

static float decay_of(const tutti_optim *optim, int array) {
  const tutti_optim_options *options = &optim->options;
  const bool decays = tutti_optim_decays_inside(optim->rule, options) && !leaves_alone(optim, array);
  return (float)(decays ? options->weight_decay : 0);
}

int64_t tutti_optim_n_norms(const tutti_optim *optim) {
  return optim->rule->ratio ? 2 * tutti_optim_all_pieces(optim) : 0;
}

/** Clip, decay and prepare a block, array by array. */
static void prepare_block(tutti_optim *optim, int64_t begin, int64_t count, float *w, float *grads) {
  float room[TUTTI_BLOCK], *slots[TUTTI_MAX_SLOTS];
  tutti_scalars s = optim->scalars;
  const float *g = tutti_optim_clip(optim, begin, count, grads, room);
  if (g == room) memcpy(grads, room, (size_t)count * sizeof *grads);
  tutti_optim_shrink(optim, begin, count, w);
  for (tutti_optim_piece p = tutti_optim_piece_before(optim, begin, count);
       tutti_optim_piece_next(optim, &p);) {
    s.decay = decay_of(optim, p.array);
    tutti_optim_slots_at(optim, begin + p.at, slots);
    optim->rule->prepare(&optim->options, &s, p.n, w + p.at, grads + p.at, slots[0], slots[1], slots[2]);
  }
}

void tutti_optim_prepare(tutti_optim *optim, int64_t begin, int64_t count, float *params, float *grads,
                         double *norms) {
  TUTTI_ASSERT(count >= 0 && count <= optim->slice.n);
  double *of_weights = norms, *of_directions = norms + tutti_optim_all_pieces(optim);
  for (int64_t done = 0; done < count; done += TUTTI_BLOCK) {
    const int64_t left = count - done, n = left < TUTTI_BLOCK ? left : TUTTI_BLOCK;
    prepare_block(optim, begin + done, n, params + done, grads + done);
    tutti_optim_all_squares(optim, begin + done, n, params + done, of_weights);
    tutti_optim_all_squares(optim, begin + done, n, grads + done, of_directions);
  }
}

/** An array with a norm of 0 keeps the factor 1. */
void tutti_optim_set_ratios(tutti_optim *optim, const double *norms) {
  const double *of_weights = norms, *of_directions = norms + tutti_optim_all_pieces(optim);
  for (int a = 0; a < optim->n_arrays; a++) {
    const double w = sqrt(tutti_optim_piece_sum(optim, a, &of_weights));
    const double d = sqrt(tutti_optim_piece_sum(optim, a, &of_directions));
    const bool scales = w > 0 && d > 0 && !leaves_alone(optim, a);
    optim->ratios[a] = (float)(scales ? optim->rule->ratio(&optim->options, w, d) : 1);
  }
}

void tutti_optim_step_scaled(const tutti_optim *optim, int64_t begin, int64_t count, float *params,
                             const float *directions) {
  float *slots[TUTTI_MAX_SLOTS];
  tutti_scalars s = optim->scalars;
  for (tutti_optim_piece p = tutti_optim_piece_before(optim, begin, count);
       tutti_optim_piece_next(optim, &p);) {
    s.decay = decay_of(optim, p.array);
    s.ratio = optim->ratios[p.array];
    tutti_optim_slots_at(optim, begin + p.at, slots);
    optim->rule->update(&optim->options, &s, p.n, params + p.at, directions + p.at, slots[0], slots[1],
                        slots[2]);
  }
}
