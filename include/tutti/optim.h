#pragma once
/** Update rules on a slice of the flat buffers.  All functions are local and free of MPI.  Schedules of the learning
 * rate are in schedule.h.
 *
 * Each rule has two dialects: `keras` computes the same as Keras 3, and `torch` the same as PyTorch.  They differ in
 * algebra: epsilon is inside or outside the root, the learning rate is inside or outside the velocity, and weight
 * decay is decoupled or added to the gradient.  lars is the same in both dialects.  PyTorch has no lamb, so lamb
 * with `torch` computes what the paper of lamb says. */
#include <stdbool.h>

#include "tutti/slice.h"

// --- options

typedef enum {
#define X(code, word, sentence) TUTTI_##code,
#include "tutti/rules.def"
  TUTTI_N_OPTIMS
} tutti_optim_rule;

extern const char *const tutti_optim_names[TUTTI_N_OPTIMS];
extern const char *const tutti_optim_sentences[TUTTI_N_OPTIMS]; // one for each rule, with its paper

/** Local.  Write the options that only some rules take, and those whose default depends on the rule: "learning_rate
 * 0.01 (torch 0.001), momentum 0, nesterov no".  The defaults are those of dialect keras.  The default of torch
 * follows if it differs.
 * @param[out] text  [bytes] The text is cut if it does not fit.
 * @return text */
const char *tutti_optim_defaults(tutti_optim_rule rule, char *text, size_t bytes);

/** Local.  Write the names of the rules that take an option: "sgd, rmsprop".
 * @param[in]  option  its key in a config, such as "momentum"
 * @param[out] text    [bytes] The text is cut if it does not fit.  It is empty if all rules take the option.
 * @return text */
const char *tutti_optim_takers(const char *option, char *text, size_t bytes);

typedef enum { TUTTI_DIALECT_KERAS, TUTTI_DIALECT_TORCH, TUTTI_N_DIALECTS } tutti_dialect;
extern const char *const tutti_optim_dialect_names[TUTTI_N_DIALECTS];

/** The norm that divides the step of lars.  Let q = g + weight_decay w, with the gradient g and the weights w of an
 * array.
 * - PAPER divides by |g| + weight_decay |w| (You, Gitman, Ginsburg, arXiv 1708.03888, algorithm 1).
 * - CLASSIC divides by |q|.
 * - POPULAR divides by the norm of the velocity.
 * PAPER and CLASSIC have the learning rate inside the velocity; POPULAR has it outside.  The names CLASSIC and
 * POPULAR come from TensorFlow's models. */
typedef enum { TUTTI_LARS_CLASSIC, TUTTI_LARS_POPULAR, TUTTI_LARS_PAPER, TUTTI_N_LARS_FORMS } tutti_lars_form;
extern const char *const tutti_optim_lars_form_names[TUTTI_N_LARS_FORMS];

/** The arrays that weight decay leaves unchanged.  VECTORS means biases, gamma, beta and alpha. */
typedef enum { TUTTI_EXCLUDE_NONE, TUTTI_EXCLUDE_VECTORS, TUTTI_N_EXCLUDES } tutti_decay_exclude;
extern const char *const tutti_optim_decay_exclude_names[TUTTI_N_EXCLUDES];

/** Options of the optimizer.  optim_options.def describes each of them, and the tables of the rules say which rules
 * take it.  NAN means the default of the rule in its dialect; tutti_optim_resolve replaces it. */
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
  /** With keras it is decoupled, for any rule.  With torch it is decoupled in adamw and lion, and added to the
   * gradient in other rules.  There is one exception: in lars (both dialects), and in lamb with torch, it is a part
   * of the direction, and so of the norm of the direction. */
  double weight_decay;
  tutti_decay_exclude decay_exclude;
  double trust_coefficient;
  tutti_lars_form lars_form;
  /** A velocity v that contains the learning rate is rescaled when the rate changes: v = momentum (lr_new / lr_old)
   * v + lr_new g (Goyal et al., arXiv 1706.02677, equation 10 and remark 2).  The state is v / lr, so the optimizer
   * does not need to keep lr_old. */
  bool momentum_correction;
  /** If it is not 0, an average of the weights w is kept beside them, as with Keras' use_ema.  The first update sets
   * average = w.  Each later update sets average = ema_momentum average + (1 - ema_momentum) w. */
  double ema_momentum;
  double clipnorm, global_clipnorm, clipvalue; // 0: off; at most one is set
} tutti_optim_options;

/** Local.  Return the options of rule RMSprop with dialect keras.  All numbers of the rule are NAN, and there is no
 * clipping. */
tutti_optim_options tutti_optim_options_default(void);

/** Local.  Replace each NAN that the rule takes by its default.  Options that the rule does not take stay NAN, so a
 * second call changes nothing.
 * @return ERR_CONFIG: an option is set that the rule does not take (for example momentum with adam), a number is out
 * of its range, nesterov is set without momentum, momentum_correction is set but no velocity contains the learning
 * rate, or two ways of clipping are set.  The options are then unchanged. */
TUTTI_NODISCARD
tutti_status tutti_optim_resolve(tutti_optim_options *options);

// --- the update

typedef struct tutti_optim tutti_optim;

/** Local.  Create the state for a slice of the flat buffers.
 * @param[in]  options  resolved; copied
 * @param[in]  offsets  [n_arrays + 1] the begin of each array of the network in the flat buffers, and the end of the
 *                      last one; copied.  clipnorm, lars and lamb need them, because they work array by array.
 * @param[in]  plain    [n_arrays] true for biases and other vectors; copied.  NULL: no array is plain.  lars neither
 *                      scales nor decays plain arrays, and lamb with dialect torch does not, either.  Keras' Lamb
 *                      scales and decays all arrays.  With TUTTI_EXCLUDE_VECTORS no rule decays plain arrays.
 * @param[in]  slice    copied
 * @param[out] optim    owned by the caller
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_optim_create(const tutti_optim_options *options, const int64_t *offsets, const bool *plain,
                                int n_arrays, const tutti_slice *slice, tutti_optim **optim);
void tutti_optim_destroy(tutti_optim **optim); // Local.  Accepts NULL inside; nulls the handle.

/** Clipping by norms needs sums of squares over arrays that lie in several slices.  They are added up from norm
 * pieces.  The ends of the arrays, and the ends of the blocks of TUTTI_BLOCK elements, cut the whole flat buffer
 * into pieces, which are numbered from its begin.  The ranges of a slice begin at whole blocks, so each piece lies in
 * one slice.  Each slice has a vector with one number for each piece of the whole buffer, which is 0 for pieces of other
 * slices.  These vectors add up without rounding, so the norms have the same bits however the buffer is cut into
 * slices.
 *
 * Local.  Return the number of pieces of the whole flat buffer; 0 if the options need no norm. */
int64_t tutti_optim_n_pieces(const tutti_optim *optim);

/** Local.  Return the number of pieces of the whole flat buffer, even if the options need no norm. */
int64_t tutti_optim_all_pieces(const tutti_optim *optim);

/** Local.  Do the same as tutti_optim_squares, even if the options need no norm.
 * @param[in]  grads   [count]
 * @param[out] pieces  [all_pieces] */
void tutti_optim_all_squares(const tutti_optim *optim, int64_t begin, int64_t count, const float *grads,
                             double *pieces);

/** Local.  Return the square of the norm of the whole gradient.
 * @param[in] pieces  [all_pieces] summed over slices */
double tutti_optim_square(const tutti_optim *optim, const double *pieces);

/** Local.  Compute the sums of squares for elements [begin, begin + count) of the flat buffer.  These lie in one range of
 * the slice, and are whole blocks, except for the last block of the buffer.
 * @param[in]  grads   [count]
 * @param[out] pieces  [n_pieces] Only the pieces of these elements are written.  Before the first call the caller
 *                     fills the vector with 0, and after the last call the caller sums it over slices. */
void tutti_optim_squares(const tutti_optim *optim, int64_t begin, int64_t count, const float *grads,
                         double *pieces);

/** Local.  Begin an update: compute the numbers that are the same for all elements.
 * @param[in] t       number of this update, from 1
 * @param[in] lr      learning rate of this update
 * @param[in] pieces  [n_pieces] sums of squares of the whole gradient; NULL if n_pieces is 0 */
void tutti_optim_begin(tutti_optim *optim, int64_t t, double lr, const double *pieces);

/** lars and lamb scale the step of each array by the norm of its weights and the norm of its direction.  So their
 * update takes two passes over the slice, in these steps:
 * 1. tutti_optim_begin
 * 2. tutti_optim_prepare for all elements of the slice, which computes their directions
 * 3. sum the norms over slices, as the norms for clipping
 * 4. tutti_optim_set_ratios with these sums
 * 5. tutti_optim_step for all elements, with the directions in the place of the gradients
 *
 * Local.  Return the number of sums that the norms are made of; 0 for other rules, which take one pass. */
int64_t tutti_optim_n_norms(const tutti_optim *optim);

/** Local.  Do the first pass for elements [begin, begin + count) of the flat buffer.  These lie in one range of the slice,
 * and are whole blocks, except for the last block of the buffer.  Several threads may call it at once for different elements.
 * @param[in,out] params  [count] on return decayed, if the decay is decoupled
 * @param[in,out] grads   [count] gradients, summed over all ranks; on return the directions
 * @param[out]    norms   [n_norms] Only the sums of these elements are written, as in tutti_optim_squares. */
void tutti_optim_prepare(tutti_optim *optim, int64_t begin, int64_t count, float *params, float *grads,
                         double *norms);

/** Local.  Compute the factor of each array from the norms, between the first and the second pass.
 * @param[in] norms  [n_norms] summed over slices */
void tutti_optim_set_ratios(tutti_optim *optim, const double *norms);

/** Local.  Update elements [begin, begin + count) of the flat buffer, in one range of the slice, after tutti_optim_begin.
 * The order is: clip, decay, apply the rule.  The caller updates each element of the slice once.  The parts may have any size and any order,
 * and several threads may call it at once for different parts.  It is fast to update a part just after it was summed
 * over ranks, because it is then still in the cache.
 * @param[in,out] params  [count]
 * @param[in]     grads   [count] gradients, summed over all ranks; directions after tutti_optim_prepare */
void tutti_optim_step(tutti_optim *optim, int64_t begin, int64_t count, float *params, const float *grads);

/** Local.  Return the number of slots, which are arrays of optimizer state.  Their names are those of Keras'
 * variables, such as "velocity".  If an average of the weights is kept, it is the last slot, "average". */
int tutti_optim_n_slots(const tutti_optim *optim);

/** Local.  Return the name of slot i, its memory [elements of the slice], and the initial value of its elements.  optim owns
 * the name and the memory. */
const char *tutti_optim_slot_name(const tutti_optim *optim, int i);
float *tutti_optim_slot(const tutti_optim *optim, int i);
float tutti_optim_slot_initial(const tutti_optim *optim, int i);

/** Local.  Return the average of the weights, [elements of the slice], which optim owns; NULL if none is kept. */
const float *tutti_optim_average(const tutti_optim *optim);

// --- units of the state

/** The unit of the numbers in a slot.  A training that continues with other options converts its slots by their
 * units. */
typedef struct {
  const char *quantity; // such as "sum of gradients"; NULL: these options have no such slot
  bool has_rate;        // the numbers are multiplied by the learning rate
  bool is_negative;     // the numbers are multiplied by -1, because Keras' velocity points downhill
  bool is_velocity;     // the slot moves the weights
} tutti_unit_of_state;

/** Local.  Return the unit of a slot.
 * @param[in] options  resolved
 * @param[in] slot     name of the slot */
tutti_unit_of_state tutti_optim_unit(const tutti_optim_options *options, const char *slot);

/** Local.  Write the unit as text: "sum of gradients * -learning_rate".
 * @param[out] text  [bytes] The text is cut if it does not fit. */
void tutti_optim_unit_text(const tutti_unit_of_state *unit, char *text, size_t bytes);

/** Local.  Compute the factor that converts numbers from one unit to the other.
 * @param[in]  lr      learning rate of the update that wrote the state
 * @param[out] factor  set if the function returns true
 * @return false: no factor exists, because the quantities differ, or because lr is 0 or not finite */
bool tutti_optim_unit_factor(const tutti_unit_of_state *from, const tutti_unit_of_state *to, double lr,
                             double *factor);
