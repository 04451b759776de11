/** Weight decay outside of a rule: decoupled, w -= lr decay w before the rule runs (Loshchilov and Hutter, arXiv
 * 1711.05101), or coupled, g += decay w.  Arrays that decay_exclude names have none.  The optimizer and the rules
 * that scale arrays call it; rules whose direction contains the decay have it in their own loops. */
#include "optim/optim_impl.h"

/** w -= factor w, as Keras writes it: 1 - factor would round away a small factor in float. */
TUTTI_CLONES static void shrink(float factor, int64_t n, float *restrict w) {
  for (int64_t i = 0; i < n; i++) w[i] -= w[i] * factor;
}

/** Go to the next piece of an array that decays.  @return false: there is no further one */
static bool next_decaying(const tutti_optim *optim, tutti_optim_piece *p) {
  while (tutti_optim_piece_next(optim, p))
    if (optim->options.decay_exclude == TUTTI_EXCLUDE_NONE || !optim->plain[p->array]) return true;
  return false;
}

void tutti_optim_shrink(const tutti_optim *optim, int64_t begin, int64_t count, float *w) {
  if (!(optim->shrink > 0)) return;
  for (tutti_optim_piece p = tutti_optim_piece_before(optim, begin, count); next_decaying(optim, &p);)
    shrink(optim->shrink, p.n, w + p.at);
}

void tutti_optim_decay(const tutti_optim *optim, int64_t begin, int64_t count, const float *w, float *g) {
  for (tutti_optim_piece p = tutti_optim_piece_before(optim, begin, count); next_decaying(optim, &p);)
    tutti_optim_add_decay(optim->decay, p.n, w + p.at, g + p.at);
}
