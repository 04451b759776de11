/** Weight decay outside of a rule: decoupled, w -= lr decay w before the rule runs (Loshchilov and Hutter, arXiv 1711.05101), or
 * coupled, g += decay w.  Arrays that decay_exclude names have none.  The optimizer and the rules that scale arrays call it;
 * rules whose direction contains the decay have it in their own loops. */
#include "optim/optim_impl.h"

/** w -= factor w, as Keras writes it: 1 - factor would round away a small factor in float. */
TUTTI_CLONES static void shrink(float factor, int64_t n, float *restrict w) {
  for (int64_t i = 0; i < n; i++) w[i] -= w[i] * factor;
}

/** Find the next part [at, end) of arrays that decay, from element `at` of the flat buffers up to `to`.
 * @return false: there is no further one */
static bool next_decaying(const tutti_optim *optim, int *array, int64_t *at, int64_t *end, int64_t to) {
  if (*at < to && optim->options.decay_exclude == TUTTI_EXCLUDE_NONE) {
    *end = to;
    return true;
  }
  for (; *at < to; *at = *end) {
    *end = tutti_optim_norm_pieces_next(optim, array, *at, to);
    if (!optim->plain[*array]) return true;
  }
  return false;
}

void tutti_optim_shrink(const tutti_optim *optim, int64_t first, int64_t count, float *w) {
  if (!(optim->shrink > 0)) return;
  const int64_t from = optim->begin + first, to = from + count;
  int array = tutti_optim_norm_pieces_array_at(optim, from);
  for (int64_t at = from, end; next_decaying(optim, &array, &at, &end, to); at = end)
    shrink(optim->shrink, end - at, w + (at - from));
}

void tutti_optim_decay(const tutti_optim *optim, int64_t first, int64_t count, const float *w, float *g) {
  const int64_t from = optim->begin + first, to = from + count;
  int array = tutti_optim_norm_pieces_array_at(optim, from);
  for (int64_t at = from, end; next_decaying(optim, &array, &at, &end, to); at = end)
    tutti_optim_add_decay(optim->decay, end - at, w + (at - from), g + (at - from));
}
