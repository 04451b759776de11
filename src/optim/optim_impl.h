#pragma once
/** Declarations that the files of this room share.  An update rule is one table in one file: the options that it
 * takes with their defaults, its state arrays, the scalars of one update, and its loop. */
#include "base/clones.h"
#include "base/float_bits.h"
#include "tutti/optim.h"

enum { TUTTI_MAX_SLOTS = 3, TUTTI_MAX_TAKEN = 8 };

/** The options that only some rules take, and those whose default is the rule's own. */
typedef enum {
  TUTTI_TAKES_NO_MORE, // ends the list of a rule
#define RULE_NUMBER(CODE, NAME, RANGE, SENTENCE)         TUTTI_TAKES_##CODE,
#define RULE_SWITCH(CODE, NAME, SENTENCE)                TUTTI_TAKES_##CODE,
#define RULE_WORD(CODE, NAME, NAMES, FALLBACK, SENTENCE) TUTTI_TAKES_##CODE,
#include "tutti/optim_options.def"
  TUTTI_N_TAKEN
} tutti_optim_option;

/** An option that a rule takes, and its default in each dialect (0 for switches and words, whose default is the
 * room's). */
typedef struct {
  tutti_optim_option option;
  double keras, torch;
} tutti_optim_taken;

/** A state array of a rule. */
typedef struct {
  const char *name;                                   // Keras' variable; NULL: the rule has no more
  bool (*needed)(const tutti_optim_options *options); // NULL: always
  float initial[TUTTI_N_DIALECTS];
  const char *quantity; // meaning of a number, apart from learning rate and sign
  bool is_velocity;     // contains the learning rate or not, as tutti_optim_place_rate decides
  /** Sets the part of the unit that depends on the options.  NULL: no part does. */
  void (*refine)(const tutti_optim_options *options, tutti_unit_of_state *unit);
} tutti_slot_spec;

/** The numbers of one update: computed in double, narrowed once.  A rule sets those that it reads. */
typedef struct {
  float rate;             // factor of the direction that is subtracted from the weights
  float gain;             // factor of the gradient that enters the velocity
  float keep;             // of the velocity: momentum
  float blend_1, blend_2; // 1 - beta (1 - rho), for tutti_optim_blend of g and of g^2
  float eps_in, eps_out;  // sqrt(v + eps_in) + eps_out: Keras has the first, PyTorch the second
  float rate_m, rate_g;   // nadam: of the momentum and of the gradient
  float decay, ratio;     // lars, lamb: of the array at hand
} tutti_scalars;

/** Quantities that several rules keep.  If two rules keep the same quantity, one continues with the state of the
 * other. */
#define TUTTI_SUM_OF_GRADIENTS "sum of gradients"
#define TUTTI_MEAN_GRADIENT    "mean of gradients"
#define TUTTI_MEAN_SQUARE      "mean of squared gradients"

/** An update rule. */
typedef struct {
  tutti_optim_taken takes[TUTTI_MAX_TAKEN];
  tutti_slot_spec slots[TUTTI_MAX_SLOTS];

  /** Weight decay is decoupled with dialect torch as well. */
  bool decoupled_decay;
  /** Whether the velocity, if there is one, contains the learning rate.  NULL: with dialect keras. */
  bool (*has_rate_inside)(const tutti_optim_options *options);
  /** Whether weight decay is a part of the rule's direction.  NULL: never. */
  bool (*decays_inside)(const tutti_optim_options *options);

  /** Set the scalars of update number t, from 1. */
  void (*scalars)(tutti_optim *optim, int64_t t, double lr, tutti_scalars *scalars);
  /** Update weights[n] by grads[n].  a, b and c are the slots in their order, each [n]; NULL if the options need no
   * such slot.  They are parameters so that the loop of a rule can declare that no array overlaps another. */
  void (*update)(const tutti_optim_options *options, const tutti_scalars *scalars, int64_t n, float *weights,
                 const float *grads, float *a, float *b, float *c);
  /** For rules that scale arrays by their norms, else NULL: the part before any weight moves.  grads[n] becomes the
   * array whose norm is taken; `update` gets it in the place of the gradient. */
  void (*prepare)(const tutti_optim_options *options, const tutti_scalars *scalars, int64_t n,
                  const float *weights, float *grads, float *a, float *b, float *c);
  /** For the same rules: the factor of an array from the norms of its weights and of its direction, both above 0. */
  double (*ratio)(const tutti_optim_options *options, double weights, double direction);
} tutti_optim_table;

#define X(code, word, sentence) extern const tutti_optim_table tutti_optim_##word;
#include "tutti/rules.def"

struct tutti_optim {
  tutti_optim_options options;
  const tutti_optim_table *rule;
  int64_t *offsets; // [n_arrays + 1], owned
  bool *plain; // [n_arrays] whether it is a vector, which lars and lamb treat as sgd and adam would; owned
  int n_arrays;
  tutti_slice slice;             // with ranges of its own
  float *slots[TUTTI_MAX_SLOTS]; // each [slice.n] or NULL, owned
  float *average;                // [slice.n] of the weights, or NULL, owned
  int64_t product_t;             // nadam: product of the u_1 ... u_t it has formed so far
  double product;

  // The update that was begun.
  tutti_scalars scalars;
  float shrink;   // decoupled decay: w -= shrink w
  float decay;    // coupled decay: g += decay w
  float newest;   // part of the new weights in their average
  bool clips;     // whether any factor is below 1
  float *factors; // [n_arrays] of the gradients of each array, owned; NULL without norms
  float *ratios;  // [n_arrays] of the direction of each array, owned; NULL if the rule has none
};

/** The next value of a mean that decays, old + part (now - old).  With a decay near 0 it is computed from `now`:
 * else the rounding of a much larger `old` would leave nothing of `now`.  With a decay of 0 it is `now` itself. */
TUTTI_INLINE float tutti_optim_blend(float part, float old, float now) {
  return part > 0.5f ? now - (1 - part) * (now - old) : old + part * (now - old);
}

/** Elements that a rule looks at together to find those that it need not compute.  The inputs of samples are often 0
 * (the border of an image, the other columns of a category), and so are then the gradients of their weights. */
enum { TUTTI_GROUP = 64 };

/** Whether gradients g[TUTTI_GROUP] of 0 leave their weights as they are in a rule that divides g by the root of
 * sum[TUTTI_GROUP], a sum or a mean of squares, and of epsilon.
 *
 * All g must be +0: w - (-0) would turn a weight of -0 into +0.  All of `sum` must be finite and epsilon above 0, else
 * the direction is NaN. */
TUTTI_INLINE bool tutti_optim_stays(const tutti_scalars *s, const float *g, const float *sum) {
  static const uint32_t one_exponent = 0x00800000, sign = 0x80000000; // the largest exponent becomes a sign
  uint32_t any = 0, wild = 0;
  for (int i = 0; i < TUTTI_GROUP; i++) any |= tutti_float_bits(g[i]);
  if (any != 0 || !(s->eps_in > 0 || s->eps_out > 0)) return false;
  for (int i = 0; i < TUTTI_GROUP; i++) wild |= tutti_float_bits(sum[i]) + one_exponent;
  return (wild & sign) == 0;
}

/** The elements of the slots from element `begin` of the flat buffer on. */
TUTTI_INLINE void tutti_optim_slots_at(const tutti_optim *optim, int64_t begin,
                                       float *slots[TUTTI_MAX_SLOTS]) {
  const int64_t at = tutti_slice_index(&optim->slice, begin);
  for (int i = 0; i < TUTTI_MAX_SLOTS; i++) slots[i] = optim->slots[i] ? optim->slots[i] + at : NULL;
}

// --- helpers of the rules (rule.c) -----------------------------------------------------------------

/** Set eps_in and eps_out as the dialect has them. */
void tutti_optim_set_epsilon(const tutti_optim_options *options, tutti_scalars *scalars);

/** Set gain and rate: the learning rate is inside the velocity or outside of it. */
void tutti_optim_place_rate(const tutti_optim *optim, double lr, tutti_scalars *scalars);

/** Whether the options give a velocity that contains the learning rate, apart from momentum_correction. */
bool tutti_optim_has_rate_inside(const tutti_optim_table *rule, const tutti_optim_options *options);

/** Whether the kept velocity contains the learning rate: with momentum_correction it does not. */
bool tutti_optim_keeps_rate(const tutti_optim_table *rule, const tutti_optim_options *options);

/** Whether weight decay is a part of the rule's direction. */
bool tutti_optim_decays_inside(const tutti_optim_table *rule, const tutti_optim_options *options);

/** Whether the options need a slot of the rule. */
bool tutti_optim_needs(const tutti_optim_options *options, const tutti_slot_spec *spec);

/** weights[n] -= rate direction. */
void tutti_optim_move(float rate, int64_t n, float *weights, const float *direction);

/** grads[n] += decay weights. */
void tutti_optim_add_decay(float decay, int64_t n, const float *weights, float *grads);

// --- lists (table.c) -------------------------------------------------------------------------------

const tutti_optim_table *tutti_optim_table_of(tutti_optim_rule rule);

/** The entry of an option in the list of a rule; NULL: the rule does not take it. */
const tutti_optim_taken *tutti_optim_find_taken(tutti_optim_rule rule, tutti_optim_option wanted);

typedef enum { TUTTI_OPTION_NUMBER, TUTTI_OPTION_SWITCH, TUTTI_OPTION_WORD } tutti_option_type;
typedef enum { TUTTI_RANGE_FROM_0, TUTTI_RANGE_ABOVE_0, TUTTI_RANGE_FROM_0_BELOW_1 } tutti_option_range;

/** An option of optim_options.def. */
typedef struct {
  const char *name;
  tutti_option_type type;
  size_t offset;            // in tutti_optim_options
  tutti_option_range range; // of a number
  const char *const *words; // of a word
} tutti_option_info;

extern const tutti_option_info tutti_optim_taken_options[TUTTI_N_TAKEN];

// --- words for people (describe.c) -----------------------------------------------------------------

/** "sgd, rmsprop": the rules that take an option; empty: all do. */
const char *tutti_optim_rules_with(tutti_optim_option option, char *text, size_t bytes);

// --- norms from pieces (norm_pieces.c) -------------------------------------------------------------

/** The walk over the pieces of `count` elements from `begin` of the flat buffer on. */
typedef struct {
  int64_t begin, count;
  int array;     // that contains the piece
  int64_t at, n; // elements [at, at + n) of the `count`
} tutti_optim_piece;

/** The place before the first piece. */
tutti_optim_piece tutti_optim_piece_before(const tutti_optim *optim, int64_t begin, int64_t count);

/** Go to the next piece, or to the part of it that belongs to the elements.  @return false: there is no further one */
bool tutti_optim_piece_next(const tutti_optim *optim, tutti_optim_piece *piece);

/** The sum over the pieces of an array.
 * @param[in,out] pieces  the first piece of the array; becomes the first one of the next array */
double tutti_optim_piece_sum(const tutti_optim *optim, int array, const double **pieces);

// --- clipping (clip.c) -----------------------------------------------------------------------------

/** Whether the options need norms of the gradient. */
bool tutti_optim_has_norms(const tutti_optim_options *options);

/** Set clips and factors from pieces[n_pieces] of the whole gradient. */
void tutti_optim_set_factors(tutti_optim *optim, const double *pieces);

/** The clipped gradient of elements [begin, begin + count) of the flat buffer: `grads` itself if nothing is clipped, else
 * clipped[count]. */
const float *tutti_optim_clip(const tutti_optim *optim, int64_t begin, int64_t count, const float *grads,
                              float *clipped);

// --- weight decay (decay.c) ------------------------------------------------------------------------

/** Apply decoupled decay, if the options have it, to elements [begin, begin + count) of the flat buffer. */
void tutti_optim_shrink(const tutti_optim *optim, int64_t begin, int64_t count, float *weights);

/** Add coupled decay to the gradient of elements [begin, begin + count) of the flat buffer. */
void tutti_optim_decay(const tutti_optim *optim, int64_t begin, int64_t count, const float *weights,
                       float *grads);

// --- rules that scale arrays by their norms (scaled_rules.c) ---------------------------------------

/** The second pass: update elements [begin, begin + count) of the flat buffer. */
void tutti_optim_step_scaled(const tutti_optim *optim, int64_t begin, int64_t count, float *params,
                             const float *directions);
