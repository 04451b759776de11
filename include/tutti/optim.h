#pragma once
/** Update rules on a slice of the flat buffers.  All functions are local and free of MPI; schedules of the learning rate are in
 * schedule.h.
 *
 * Each rule has two dialects: `keras` is Keras 3 to the letter, `torch` is PyTorch.  They differ in algebra: epsilon inside or
 * outside the root, learning rate inside or outside the velocity, weight decay decoupled or added to the gradient.  lars is the
 * same in both; lamb with `torch` is that of its paper. */
#include <stdbool.h>

#include "tutti/base.h"

// --- options

typedef enum {
#define X(code, word, sentence) TUTTI_##code,
#include "tutti/rules.def"
  TUTTI_N_OPTIMS
} tutti_optim_rule;

extern const char *const tutti_optim_names[TUTTI_N_OPTIMS];
extern const char *const tutti_optim_sentences[TUTTI_N_OPTIMS]; // for people: what it is, and its paper

/** Local.  "learning_rate 0.01 (torch 0.001), momentum 0, nesterov no": the options that only some rules take, or whose default
 * is the rule's, with the defaults of dialect keras, and those of torch if they are others.
 * @return text */
const char *tutti_optim_defaults(tutti_optim_rule rule, char *text, size_t bytes);

/** Local.  "sgd, rmsprop": the rules that take an option, by the name of its key.
 * @return text; empty: all rules take it */
const char *tutti_optim_takers(const char *option, char *text, size_t bytes);

typedef enum { TUTTI_DIALECT_KERAS, TUTTI_DIALECT_TORCH, TUTTI_N_DIALECTS } tutti_dialect;
extern const char *const tutti_optim_dialect_names[TUTTI_N_DIALECTS];

/** The divisor of lars' step, with q = g + weight_decay w.  PAPER: |g| + weight_decay |w| (You, Gitman, Ginsburg, arXiv
 * 1708.03888, algorithm 1).  CLASSIC: |q|.  Both have the learning rate inside the velocity.  POPULAR: the norm of the velocity,
 * with the rate outside of it.  CLASSIC and POPULAR have their names from TensorFlow's models. */
typedef enum { TUTTI_LARS_CLASSIC, TUTTI_LARS_POPULAR, TUTTI_LARS_PAPER, TUTTI_N_LARS_FORMS } tutti_lars_form;
extern const char *const tutti_optim_lars_form_names[TUTTI_N_LARS_FORMS];

/** Arrays without weight decay.  VECTORS: biases, gamma, beta and alpha. */
typedef enum { TUTTI_EXCLUDE_NONE, TUTTI_EXCLUDE_VECTORS, TUTTI_N_EXCLUDES } tutti_decay_exclude;
extern const char *const tutti_optim_decay_exclude_names[TUTTI_N_EXCLUDES];

/** Options of the optimizer; optim_options.def describes each, and the tables of the rules say which rules take it.  NAN stands
 * for the default of the rule in its dialect until tutti_optim_resolve. */
typedef struct {
  tutti_optim_rule rule;
  tutti_dialect dialect;
  double learning_rate;
  double momentum;
  bool nesterov;
  double rho; // PyTorch's alpha
  double beta_1, beta_2;
  double epsilon;
  bool centered;
  bool amsgrad;
  /** keras: decoupled, any rule.  torch: added to the gradient, but decoupled in adamw and lion.  lars in both dialects, and lamb
   * with torch: a part of the direction whose norm is taken. */
  double weight_decay;
  tutti_decay_exclude decay_exclude;
  double trust_coefficient;
  tutti_lars_form lars_form;
  /** Goyal et al. (arXiv 1706.02677), remark 2: a velocity v with the rate inside (equation 10) follows changes of the rate,
   * v = mu (lr_new / lr_old) v + lr_new g.  The state is v / lr, so that no earlier rate has to be kept. */
  bool momentum_correction;
  /** Beside the weights an average of them is kept, as with Keras' use_ema: average = m average + (1 - m) w after each
   * update, and w itself after the first.  0: none. */
  double ema_momentum;
  double clipnorm, global_clipnorm, clipvalue; // 0: off; at most one is set
} tutti_optim_options;

/** Local.  Rule RMSprop with dialect keras, all numbers of the rule NAN, no clipping. */
tutti_optim_options tutti_optim_options_default(void);

/** Local.  Replace each NAN that the rule takes by its default.  Options that it does not take stay NAN, so a second call
 * changes nothing.
 * @return ERR_CONFIG an option is set that the rule does not take (momentum with adam), a number is out of its range, nesterov
 * without momentum, momentum_correction without a velocity that contains the learning rate, two ways of clipping; the
 * options are then unchanged */
TUTTI_NODISCARD
tutti_status tutti_optim_resolve(tutti_optim_options *options);

// --- the update

typedef struct tutti_optim tutti_optim;

/** Local.  Create the state for the slice [begin, end) of the flat buffers.
 * @param[in]  options  resolved; copied
 * @param[in]  offsets  [n_arrays + 1] begin of each array of the network in the flat buffers, and the end; copied.  clipnorm,
 *                      lars and lamb work array by array.
 * @param[in]  plain    [n_arrays] true for biases and other vectors, which lars, and lamb with dialect torch, neither scale
 *                      nor decay (Keras' Lamb scales and decays every array), and which no rule decays with
 *                      TUTTI_EXCLUDE_VECTORS; copied.  NULL: none
 * @param[out] optim    owned by the caller
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_optim_create(const tutti_optim_options *options, const int64_t *offsets, const bool *plain,
                                int n_arrays, int64_t begin, int64_t end, tutti_optim **optim);
void tutti_optim_destroy(tutti_optim **optim); // Local.  Accepts NULL inside; nulls the handle.

/** Clipping by norms needs sums of squares over arrays that lie in several slices.  They are added up from *pieces*: the
 * ends of the arrays and of the blocks of TUTTI_BLOCK elements cut the whole flat buffer into pieces, which are numbered from
 * its begin.  A slice begins at a whole block, so each piece lies in one slice.  The vectors of pieces of all slices, each 0
 * outside of its own slice, add up without rounding, and so the norms have the same bits however the buffer is cut.
 *
 * Local.  Number of pieces of the whole flat buffer; 0 if the options need no norm. */
int64_t tutti_optim_n_pieces(const tutti_optim *optim);

/** Local.  The number of pieces, whether the options need a norm or not. */
int64_t tutti_optim_all_pieces(const tutti_optim *optim);

/** Local.  As tutti_optim_squares, for all_pieces, whether the options need a norm or not. */
void tutti_optim_all_squares(const tutti_optim *optim, int64_t first, int64_t count, const float *grads,
                             double *pieces);

/** Local.  The square of the norm of the whole gradient.
 * @param[in] pieces  [all_pieces] summed over slices */
double tutti_optim_square(const tutti_optim *optim, const double *pieces);

/** Local.  Sums of squares of elements [first, first + count) of the slice: whole blocks, except for the last block of the
 * buffer.
 * @param[in]  grads   [count]
 * @param[out] pieces  [n_pieces] the pieces of these elements are written.  The caller fills the vector with 0 before,
 *                     and sums it over slices after. */
void tutti_optim_squares(const tutti_optim *optim, int64_t first, int64_t count, const float *grads,
                         double *pieces);

/** Local.  Begin an update: compute the numbers that all elements share.
 * @param[in] t       number of this update, from 1
 * @param[in] lr      learning rate of this update
 * @param[in] pieces  [n_pieces] of the whole gradient (NULL if n_pieces is 0) */
void tutti_optim_begin(tutti_optim *optim, int64_t t, double lr, const double *pieces);

/** lars and lamb scale the step of each array by the norms of its weights and of its direction.  So their update takes two
 * passes over the slice.  After tutti_optim_begin, all of it is prepared; the norms are summed over slices as those of
 * clipping are, and tutti_optim_set_ratios gets them; then tutti_optim_step gets the prepared numbers in the place of the
 * gradient.
 *
 * Local.  Number of sums that the norms are made of; 0 for other rules, which take one pass. */
int64_t tutti_optim_n_norms(const tutti_optim *optim);

/** Local.  The first pass, for elements [first, first + count) of the slice: whole blocks, except for the last block of the
 * buffer.  Several threads may call it for different elements.
 * @param[in,out] params  [count], decayed if decay is decoupled
 * @param[in,out] grads   [count] sums over all ranks; on return the direction
 * @param[out]    norms   [n_norms] the sums of these elements are written, as pieces are */
void tutti_optim_prepare(tutti_optim *optim, int64_t first, int64_t count, float *params, float *grads,
                         double *norms);

/** Local.  Between the passes.
 * @param[in] norms  [n_norms] summed over slices */
void tutti_optim_set_ratios(tutti_optim *optim, const double *norms);

/** Local.  Apply the update that was begun to elements [first, first + count) of the slice, in the order clip, decay, rule.
 * The caller covers the slice once, in parts of any size and in any order, with several threads if it likes: a part that was
 * just summed over ranks is still in the cache.
 * @param[in,out] params  [count]
 * @param[in]     grads   [count] sums over all ranks */
void tutti_optim_step(tutti_optim *optim, int64_t first, int64_t count, float *params, const float *grads);

/** Local.  State arrays of the rule, named as Keras' variables ("velocity"), and at the end the average of the weights
 * ("average"), if one is kept; each [end - begin], owned by optim. */
int tutti_optim_n_slots(const tutti_optim *optim);
const char *tutti_optim_slot_name(const tutti_optim *optim, int i);
float *tutti_optim_slot(const tutti_optim *optim, int i);
float tutti_optim_slot_initial(const tutti_optim *optim, int i); // of each element

/** Local.  The average of the weights, which is the last slot; NULL: none is kept. */
const float *tutti_optim_average(const tutti_optim *optim);

// --- units of the state

/** The unit of the numbers in a state array, so that a training can continue with the state under other options. */
typedef struct {
  const char *quantity; // "sum of gradients"; NULL: the options keep no such array
  bool has_rate;        // multiplied by the learning rate
  bool is_negative;     // multiplied by -1: Keras' velocity points downhill
  bool is_velocity;     // the array moves the weights
} tutti_unit_of_state;

/** Local.  The unit of the array of this name, under resolved options. */
tutti_unit_of_state tutti_optim_unit(const tutti_optim_options *options, const char *slot);

/** Local.  The unit as text: "sum of gradients * -learning_rate".
 * @param[out] text  [bytes] */
void tutti_optim_unit_text(const tutti_unit_of_state *unit, char *text, size_t bytes);

/** Local.  The factor that converts numbers from one unit to the other.
 * @param[in] lr  of the update that wrote the state
 * @return false: there is none, because the quantities differ or the rate cannot be multiplied or divided by */
bool tutti_optim_unit_factor(const tutti_unit_of_state *from, const tutti_unit_of_state *to, double lr,
                             double *factor);
