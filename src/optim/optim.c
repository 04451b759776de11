#include "tutti/optim.h"

#include <string.h>

#include "optim/optim_impl.h"

/** Elements that go through decay and rule together: they stay in the first-level cache. */
enum { BLOCK = 1024 };

static const tutti_optim_ops *const ops_of[TUTTI_N_OPTIMS] = {
    [TUTTI_SGD] = &tutti_optim_sgd,           [TUTTI_ADAGRAD] = &tutti_optim_adagrad,
    [TUTTI_ADADELTA] = &tutti_optim_adadelta, [TUTTI_RMSPROP] = &tutti_optim_rmsprop,
    [TUTTI_ADAM] = &tutti_optim_adam,         [TUTTI_ADAMW] = &tutti_optim_adam,
    [TUTTI_ADAMAX] = &tutti_optim_adamax,     [TUTTI_NADAM] = &tutti_optim_nadam,
};

void tutti_optim_epsilon(const tutti_optim_options *options, tutti_scalars *scalars) {
  const bool keras = options->dialect == TUTTI_DIALECT_KERAS;
  scalars->eps_in = (float)(keras ? options->epsilon : 0);
  scalars->eps_out = (float)(keras ? 0 : options->epsilon);
}

// --- create and destroy

static tutti_status make_slots(tutti_optim *optim) {
  const int64_t n = optim->end - optim->begin;
  for (int i = 0; i < TUTTI_MAX_SLOTS; i++) {
    const tutti_slot_spec *spec = &optim->ops->slots[i];
    if (!spec->name || (spec->needed && !spec->needed(&optim->options))) continue;
    TUTTI_TRY(TUTTI_NEW(optim->slots[i], n));
    const float initial = spec->initial[optim->options.dialect];
    if (initial != 0)
      for (int64_t k = 0; k < n; k++) optim->slots[i][k] = initial;
  }
  return TUTTI_OK;
}

tutti_status tutti_optim_create(const tutti_optim_options *options, const int64_t *offsets, int n_arrays,
                                int64_t begin, int64_t end, tutti_optim **optim) {
  TUTTI_ASSERT(n_arrays >= 0 && offsets[0] <= begin && begin <= end && end <= offsets[n_arrays]);
  tutti_status status = TUTTI_OK;
  tutti_optim *o = NULL;
  *optim = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(o, 1));
  o->options = *options;
  o->ops = ops_of[options->rule];
  o->n_arrays = n_arrays;
  o->begin = begin;
  o->end = end;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(o->offsets, n_arrays + 1));
  memcpy(o->offsets, offsets, (size_t)(n_arrays + 1) * sizeof *offsets);
  TUTTI_TRY_GOTO(done, make_slots(o));
  *optim = o;
  o = NULL;
done:
  tutti_optim_destroy(&o);
  return status;
}

void tutti_optim_destroy(tutti_optim **optim) {
  if (!*optim) return;
  for (int i = 0; i < TUTTI_MAX_SLOTS; i++) tutti_free((*optim)->slots[i]);
  tutti_free((*optim)->offsets);
  tutti_free(*optim);
  *optim = NULL;
}

// --- one update

/** w -= factor w, as Keras writes it: 1 - factor would round away a small factor in float. */
TUTTI_CLONES static void shrink(float factor, int64_t n, float *restrict w) {
  for (int64_t i = 0; i < n; i++) w[i] -= w[i] * factor;
}

TUTTI_CLONES static void add_decay(float decay, int64_t n, const float *restrict w, const float *restrict g,
                                   float *restrict sum) {
  for (int64_t i = 0; i < n; i++) sum[i] = g[i] + decay * w[i];
}

void tutti_optim_step(tutti_optim *optim, int64_t t, double lr, const double *squares, float *params,
                      float *grads) {
  const tutti_optim_options *options = &optim->options;
  const bool decoupled = options->dialect == TUTTI_DIALECT_KERAS || options->rule == TUTTI_ADAMW;
  const int64_t n = optim->end - optim->begin;
  tutti_scalars scalars = {0};
  float sum[BLOCK];

  tutti_optim_clip(optim, squares, grads);
  optim->ops->scalars(optim, t, lr, &scalars);
  for (int64_t first = 0; first < n; first += BLOCK) {
    const int64_t count = n - first < BLOCK ? n - first : BLOCK;
    float *w = params + first, *slots[TUTTI_MAX_SLOTS];
    const float *g = grads + first;
    if (options->weight_decay > 0 && decoupled) {
      shrink((float)(lr * options->weight_decay), count, w);
    } else if (options->weight_decay > 0) {
      add_decay((float)options->weight_decay, count, w, g, sum);
      g = sum;
    }
    for (int i = 0; i < TUTTI_MAX_SLOTS; i++) slots[i] = optim->slots[i] ? optim->slots[i] + first : NULL;
    optim->ops->update(options, &scalars, slots, count, w, g);
  }
}

// --- state

int tutti_optim_n_slots(const tutti_optim *optim) {
  int n = 0;
  for (int i = 0; i < TUTTI_MAX_SLOTS; i++) n += optim->slots[i] != NULL;
  return n;
}

/** Where the i-th slot that the options need stands in the table of the rule. */
static int slot_index(const tutti_optim *optim, int i) {
  int index = 0;
  while (!optim->slots[index] || i-- > 0) index++;
  return index;
}

const char *tutti_optim_slot_name(const tutti_optim *optim, int i) {
  TUTTI_ASSERT(i >= 0 && i < tutti_optim_n_slots(optim));
  return optim->ops->slots[slot_index(optim, i)].name;
}

float *tutti_optim_slot(const tutti_optim *optim, int i) {
  TUTTI_ASSERT(i >= 0 && i < tutti_optim_n_slots(optim));
  return optim->slots[slot_index(optim, i)];
}
