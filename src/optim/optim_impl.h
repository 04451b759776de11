#pragma once
/** What the files of this room share.  An update rule is one table in one file of its own: the options that it takes with
 * their defaults, its state arrays, the scalars of one update, and its loop. */
#include "base/clones.h"
#include "tutti/optim.h"

enum { TUTTI_MAX_SLOTS = 3, TUTTI_MAX_TAKEN = 8 };

/** The options that not every rule takes, and those whose default is the rule's own; the others are the room's. */
typedef enum {
  TUTTI_TAKES_NO_MORE, // ends a rule's list
  TUTTI_TAKES_LEARNING_RATE,
  TUTTI_TAKES_MOMENTUM,
  TUTTI_TAKES_RHO,
  TUTTI_TAKES_BETA_1,
  TUTTI_TAKES_BETA_2,
  TUTTI_TAKES_EPSILON,
  TUTTI_TAKES_WEIGHT_DECAY,
  TUTTI_TAKES_TRUST_COEFFICIENT,
  TUTTI_TAKES_NESTEROV, // from here on switches and words, without a default
  TUTTI_TAKES_CENTERED,
  TUTTI_TAKES_AMSGRAD,
  TUTTI_TAKES_LARS_FORM,
  TUTTI_N_TAKEN
} tutti_optim_option;

/** An option that a rule takes, and its default in each dialect. */
typedef struct {
  tutti_optim_option option;
  double keras, torch;
} tutti_optim_taken;

/** A state array of a rule. */
typedef struct {
  const char *name;                                   // Keras' variable; NULL: the rule has no more
  bool (*needed)(const tutti_optim_options *options); // NULL: always
  float initial[TUTTI_N_DIALECTS];
  const char *quantity; // what is kept, learning rate and sign aside
  bool is_velocity;     // has the learning rate inside or not, as tutti_optim_place_rate says
  /** What depends on the options in the unit of one number.  NULL: nothing more. */
  void (*refine)(const tutti_optim_options *options, tutti_unit_of_state *unit);
} tutti_slot_spec;

/** The numbers of one update: computed in double, narrowed once.  A rule sets those that it reads. */
typedef struct {
  float rate;             // of what is subtracted from the weights
  float gain;             // of what enters the velocity
  float keep;             // of the velocity: momentum
  float blend_1, blend_2; // 1 - beta (1 - rho), for tutti_optim_blend of g and of g^2
  float eps_in, eps_out;  // sqrt(v + eps_in) + eps_out: Keras has the first, PyTorch the second
  float rate_m, rate_g;   // nadam: of the momentum and of the gradient
  float decay, ratio;     // lars, lamb: of the array at hand
} tutti_scalars;

/** Quantities that several rules keep; where these have the same name, one goes on with the state of another. */
#define TUTTI_SUM_OF_GRADIENTS "sum of gradients"
#define TUTTI_MEAN_GRADIENT    "mean of gradients"
#define TUTTI_MEAN_SQUARE      "mean of squared gradients"

typedef struct {
  tutti_optim_taken takes[TUTTI_MAX_TAKEN];
  tutti_slot_spec slots[TUTTI_MAX_SLOTS];

  /** Weight decay is decoupled with dialect torch, too. */
  bool decoupled_decay;
  /** Whether the velocity, where there is one, has the learning rate inside.  NULL: with dialect keras. */
  bool (*has_rate_inside)(const tutti_optim_options *options);
  /** Whether weight decay is a part of the rule's direction.  NULL: never. */
  bool (*decays_inside)(const tutti_optim_options *options);

  void (*scalars)(tutti_optim *optim, int64_t t, double lr, tutti_scalars *scalars);
  /** Elements [n] of the weights; slots[i] is NULL where the options need none. */
  void (*update)(const tutti_optim_options *options, const tutti_scalars *scalars, float *const *slots,
                 int64_t n, float *weights, const float *grads);
  /** Rules that scale arrays by their norms, else NULL: what comes before any weight moves.  grads[n] becomes what
   * the norm of the direction is taken of, and what `update` then gets in the gradient's place. */
  void (*prepare)(const tutti_optim_options *options, const tutti_scalars *scalars, float *const *slots,
                  int64_t n, const float *weights, float *grads);
  /** And the factor of an array, neither of whose norms is 0. */
  double (*ratio)(const tutti_optim_options *options, double weights, double direction);
} tutti_optim_table;

#define X(code, word) extern const tutti_optim_table tutti_optim_##word;
#include "tutti/rules.def"

const tutti_optim_table *tutti_optim_table_of(tutti_optim_rule rule);

/** What a rule says of an option; NULL: the rule does not take it. */
const tutti_optim_taken *tutti_optim_find_taken(tutti_optim_rule rule, tutti_optim_option wanted);

struct tutti_optim {
  tutti_optim_options options;
  const tutti_optim_table *rule;
  int64_t *offsets; // [n_arrays + 1], owned
  bool *plain; // [n_arrays] whether it is a vector, which lars and lamb treat as sgd and adam would; owned
  int n_arrays;
  int64_t begin, end;
  float *slots[TUTTI_MAX_SLOTS]; // each [end - begin] or NULL, owned
  float *average;                // [end - begin] of the weights, or NULL, owned
  int64_t product_t;             // nadam: product of the u_1 ... u_t it has formed so far
  double product;

  // Of the update that was begun.
  tutti_scalars scalars;
  float shrink;   // decoupled decay: w -= shrink w
  float decay;    // coupled decay: g += decay w
  float newest;   // part of the new weights in their average
  bool clips;     // whether any factor is below 1
  float *factors; // [n_arrays] of the gradients of each array, owned; NULL without norms
  float *ratios;  // [n_arrays] of the direction of each array, owned; NULL where the rule has none
};

/** The next value of a mean that decays, old + part (now - old).  With a decay near 0 it is counted from `now`, of
 * which else the rounding of a much larger `old` would leave nothing; with a decay of 0 it is `now` itself. */
TUTTI_INLINE float tutti_optim_blend(float part, float old, float now) {
  return part > 0.5f ? now - (1 - part) * (now - old) : old + part * (now - old);
}

/** eps_in and eps_out of the dialect. */
void tutti_optim_epsilon(const tutti_optim_options *options, tutti_scalars *scalars);

/** Whether the options need a slot of the rule's table. */
bool tutti_optim_needs(const tutti_optim_options *options, const tutti_slot_spec *spec);

/** Whether the options give a velocity that has the learning rate inside (momentum_correction aside). */
bool tutti_optim_has_rate_inside(const tutti_optim_options *options);

/** And whether what is kept of it has: with momentum_correction it has not. */
bool tutti_optim_keeps_rate(const tutti_optim_options *options);

/** The rate inside of the velocity or outside of it: gain and rate. */
void tutti_optim_place_rate(const tutti_optim_options *options, double lr, tutti_scalars *scalars);

/** w -= rate d. */
void tutti_optim_move(float rate, int64_t n, float *weights, const float *direction);

/** The slots' elements from `first` of the slice on. */
void tutti_optim_slots_at(const tutti_optim *optim, int64_t first, float *slots[TUTTI_MAX_SLOTS]);

// --- pieces (pieces.c) -----------------------------------------------------------------------------

/** How many the whole flat buffer has. */
int64_t tutti_pieces_count(const tutti_optim *optim);

/** The array in which element `at` of the flat buffers lies. */
int tutti_pieces_array_at(const tutti_optim *optim, int64_t at);

/** Where the part of [at, to) that lies in one piece ends.  *array is one that does not lie behind `at`, and becomes
 * the one in which `at` lies. */
int64_t tutti_pieces_next(const tutti_optim *optim, int *array, int64_t at, int64_t to);

/** Sums of squares of x[count], elements from `first` of the slice on, into those pieces. */
void tutti_pieces_squares(const tutti_optim *optim, int64_t first, int64_t count, const float *x,
                          double *pieces);

/** The sum over the pieces of an array, of which *pieces is the first; *pieces goes on to the next array's. */
double tutti_pieces_sum(const tutti_optim *optim, int array, const double **pieces);

// --- clipping (clip.c) -----------------------------------------------------------------------------

/** Whether the options want norms of the gradient. */
bool tutti_optim_has_norms(const tutti_optim_options *options);

/** Set clips and factors from pieces[n_pieces] of the whole gradient. */
void tutti_optim_set_factors(tutti_optim *optim, const double *pieces);

/** The clipped gradient of elements [first, first + count) of the slice: `grads` itself where nothing is
 * clipped, else clipped[count]. */
const float *tutti_optim_clip(const tutti_optim *optim, int64_t first, int64_t count, const float *grads,
                              float *clipped);

// --- rules that scale arrays by their norms (ratios.c) ---------------------------------------------

/** Whether weight decay is a part of the rule's direction. */
bool tutti_optim_decays_inside(const tutti_optim_options *options);

/** The second pass: the update of elements [first, first + count) of the slice. */
void tutti_optim_step_scaled(const tutti_optim *optim, int64_t first, int64_t count, float *params,
                             const float *directions);

/** Decoupled decay, where the options have it, of elements [first, first + count) of the slice. */
void tutti_optim_shrink(const tutti_optim *optim, int64_t first, int64_t count, float *weights);
