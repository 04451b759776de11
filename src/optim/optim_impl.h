#pragma once
/** What the update rules share.  A rule is a table of its state arrays, of the scalars of one update, and of
 * its loop. */
#include "base/clones.h"
#include "tutti/optim.h"

enum { TUTTI_MAX_SLOTS = 3 };

/** A state array of a rule. */
typedef struct {
  const char *name;                                   // Keras' variable; NULL: the rule has no more
  bool (*needed)(const tutti_optim_options *options); // NULL: always
  float initial[TUTTI_N_DIALECTS];
} tutti_slot_spec;

/** The numbers of one update: computed in double, narrowed once.  A rule sets those that it reads. */
typedef struct {
  float rate;             // of what is subtracted from the weights
  float gain;             // of what enters the velocity
  float keep;             // of the velocity: momentum
  float blend_1, blend_2; // 1 - beta (1 - rho): m += blend_1 (g - m), v += blend_2 (g^2 - v)
  float eps_in, eps_out;  // sqrt(v + eps_in) + eps_out: Keras has the first, PyTorch the second
  float rate_m, rate_g;   // nadam: of the momentum and of the gradient
} tutti_scalars;

typedef struct {
  tutti_slot_spec slots[TUTTI_MAX_SLOTS];
  void (*scalars)(tutti_optim *optim, int64_t t, double lr, tutti_scalars *scalars);
  /** Elements [n] of the weights; slots[i] is NULL where the options need none. */
  void (*update)(const tutti_optim_options *options, const tutti_scalars *scalars, float *const *slots,
                 int64_t n, float *weights, const float *grads);
} tutti_optim_ops;

extern const tutti_optim_ops tutti_optim_sgd, tutti_optim_adagrad, tutti_optim_adadelta, tutti_optim_rmsprop,
    tutti_optim_adam, tutti_optim_adamax, tutti_optim_nadam;

struct tutti_optim {
  tutti_optim_options options;
  const tutti_optim_ops *ops;
  int64_t *offsets; // [n_arrays + 1], owned
  int n_arrays;
  int64_t begin, end;
  float *slots[TUTTI_MAX_SLOTS]; // each [end - begin] or NULL, owned
  int64_t product_t;             // nadam: product of the u_1 ... u_t it has formed so far
  double product;

  // Of the update that was begun.
  tutti_scalars scalars;
  float shrink;   // decoupled decay: w -= shrink w
  float decay;    // coupled decay: g += decay w
  bool clips;     // whether any factor is below 1
  float *factors; // [n_arrays] of the gradients of each array, owned; NULL without norms
};

/** eps_in and eps_out of the dialect. */
void tutti_optim_epsilon(const tutti_optim_options *options, tutti_scalars *scalars);

/** Whether the options want norms of the gradient. */
bool tutti_optim_has_norms(const tutti_optim_options *options);

/** Set clips and factors from pieces[n_pieces] of the whole gradient. */
void tutti_optim_set_factors(tutti_optim *optim, const double *pieces);

/** The clipped gradient of elements [first, first + count) of the slice: `grads` itself where nothing is
 * clipped, else clipped[count]. */
const float *tutti_optim_clip(const tutti_optim *optim, int64_t first, int64_t count, const float *grads,
                              float *clipped);
