#pragma once
/** Update rules on a slice of the flat buffers, and learning-rate schedules.  Local, no MPI.
 *
 * Two dialects of each rule: `keras` is Keras 3 to the letter, `torch` PyTorch: they differ in algebra
 * (epsilon inside or outside the root, learning rate inside the velocity, weight decay decoupled or added to
 * the gradient).  Of lars there is one form for both; of lamb `torch` stands for its paper. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/count.h"

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
extern const char *const tutti_dialect_names[TUTTI_N_DIALECTS];

/** Where lars has the learning rate and what it divides by; q is the gradient with its decay, g + weight_decay w.
 * PAPER has |g| + weight_decay |w| (You, Gitman, Ginsburg, arXiv 1708.03888, algorithm 1), CLASSIC |q|, both with the
 * rate inside the velocity; POPULAR has the velocity's own norm, and the rate outside of it.  CLASSIC and POPULAR are so
 * named in TensorFlow's models. */
typedef enum { TUTTI_LARS_CLASSIC, TUTTI_LARS_POPULAR, TUTTI_LARS_PAPER, TUTTI_N_LARS_FORMS } tutti_lars_form;
extern const char *const tutti_lars_form_names[TUTTI_N_LARS_FORMS];

/** What weight_decay leaves out: VECTORS are biases, gamma, beta and alpha. */
typedef enum { TUTTI_EXCLUDE_NONE, TUTTI_EXCLUDE_VECTORS, TUTTI_N_EXCLUDES } tutti_decay_exclude;
extern const char *const tutti_decay_exclude_names[TUTTI_N_EXCLUDES];

/** NAN stands for the default of the rule in its dialect until tutti_optim_resolve. */
typedef struct {
  tutti_optim_rule rule;
  tutti_dialect dialect;
  double learning_rate;
  double momentum; // sgd, rmsprop, lars
  bool nesterov;   // sgd
  double rho;      // rmsprop (PyTorch's alpha), adadelta
  double beta_1, beta_2;
  double epsilon;
  bool centered; // rmsprop
  bool amsgrad;  // adam, adamw
  double
      weight_decay; // keras: decoupled, any rule; torch: added to the gradient, but decoupled in adamw; lars in
                    // both dialects and lamb with torch: in the direction, of which the norm is taken
  tutti_decay_exclude decay_exclude;
  double trust_coefficient;  // lars
  tutti_lars_form lars_form; // lars
  // Goyal et al. (arXiv 1706.02677), remark 2: a velocity v that has the rate inside (equation 10) follows its changes,
  // v = mu (lr_new / lr_old) v + lr_new g.  The state kept is v / lr, so that no rate has to be remembered.
  bool momentum_correction;
  // Beside the weights an average of them is kept, as Keras' use_ema: average = m average + (1 - m) w after each
  // update, w itself after the first.  0: none
  double ema_momentum;
  double clipnorm, global_clipnorm, clipvalue; // 0: off; at most one is set
} tutti_optim_options;

/** Rule RMSprop in the Keras dialect, all numbers NAN, nothing clipped. */
tutti_optim_options tutti_optim_options_default(void);

/** Local.  Replace each NAN that the rule takes by its default; what it does not take stays NAN, so resolving
 * twice is resolving once.
 * @return ERR_CONFIG a number or flag the rule does not take was set (momentum with adam), one out of its
 * range, nesterov without momentum, momentum_correction where no velocity has the learning rate inside, two ways of clipping; the options are then as they were */
TUTTI_NODISCARD
tutti_status tutti_optim_resolve(tutti_optim_options *options);

// --- the update

typedef struct tutti_optim tutti_optim;

/** Local.  State for the slice [begin, end) of the flat buffers.
 * @param[in] options  resolved; copied
 * @param[in] offsets  [n_arrays + 1] where each array of the network begins in the flat buffers, and the end;
 *                     copied.  For what is per array: clipnorm, lars, lamb.
 * @param[in] plain    [n_arrays] biases and other vectors, which lars, and lamb as its paper has it, neither scale nor
 *                     decay (Keras' Lamb scales and decays every array), and no rule decays with TUTTI_EXCLUDE_VECTORS;
 *                     copied.  NULL: none
 * @return ERR_MEMORY.  The caller owns it. */
TUTTI_NODISCARD
tutti_status tutti_optim_create(const tutti_optim_options *options, const int64_t *offsets, const bool *plain,
                                int n_arrays, int64_t begin, int64_t end, tutti_optim **optim);
void tutti_optim_destroy(tutti_optim **optim); // Local.  Accepts NULL inside; nulls the handle.

/** Clipping by norms needs sums of squares over arrays that lie in several slices.  They are added up from
 * *pieces*: the ends of the arrays and of the blocks of TUTTI_BLOCK elements cut the whole flat buffer into
 * pieces, numbered from its beginning.  A slice begins at a whole block, so a piece lies in one slice; the
 * vectors of pieces of all slices, each 0 outside of its own, add up without rounding, and the norms are the
 * same bits however the buffer is cut.
 *
 * Local.  How many pieces the whole flat buffer has; 0 where the options want no norm. */
int64_t tutti_optim_n_pieces(const tutti_optim *optim);

/** Local.  The number of pieces, whether the options want a norm or not. */
int64_t tutti_optim_all_pieces(const tutti_optim *optim);

/** Local.  As tutti_optim_squares, of all_pieces, whether the options want a norm or not. */
void tutti_optim_all_squares(const tutti_optim *optim, int64_t first, int64_t count, const float *grads,
                             double *pieces);

/** Local.  The square of the whole norm from pieces[all_pieces], summed over slices. */
double tutti_optim_square(const tutti_optim *optim, const double *pieces);

/** Local.  Sums of squares of elements [first, first + count) of the slice: whole blocks, but for the last of
 * the buffer.
 * @param[in]  grads   [count]
 * @param[out] pieces  [n_pieces] of which those of these elements are written.  The caller fills the vector
 *                     with 0 before, and sums it over slices after. */
void tutti_optim_squares(const tutti_optim *optim, int64_t first, int64_t count, const float *grads,
                         double *pieces);

/** Local.  Begin an update: all that its elements share.
 * @param[in] t       number of this update, from 1
 * @param[in] lr      learning rate of this update
 * @param[in] pieces  [n_pieces] of the whole gradient (NULL where n_pieces is 0) */
void tutti_optim_begin(tutti_optim *optim, int64_t t, double lr, const double *pieces);

/** lars and lamb scale the step of each array by norms of its weights and of its direction, which are known when
 * all of both is.  So their update is made in two passes over the slice: after tutti_optim_begin all of it is
 * prepared, the norms are summed over slices as those of clipping are and given back, and then tutti_optim_step gets
 * what was prepared in the gradient's place.
 *
 * Local.  How many sums the norms are made of; 0 for other rules, which have one pass. */
int64_t tutti_optim_n_norms(const tutti_optim *optim);

/** Local.  The first pass, of elements [first, first + count) of the slice: whole blocks, but for the last of the
 * buffer.  By several threads if the caller likes.
 * @param[in,out] params  [count], decayed where decay is decoupled
 * @param[in,out] grads   [count] sums over all ranks; on return the direction
 * @param[out]    norms   [n_norms] of which those of these elements are written, as pieces are */
void tutti_optim_prepare(tutti_optim *optim, int64_t first, int64_t count, float *params, float *grads,
                         double *norms);

/** Local.  Between the passes.
 * @param[in] norms  [n_norms] summed over slices */
void tutti_optim_set_ratios(tutti_optim *optim, const double *norms);

/** Local.  The update that was begun, of elements [first, first + count) of the slice, in the order clip,
 * decay, rule.  The caller covers the slice once, in parts of any size and in any order, by several threads if it
 * likes: a part that was just summed over ranks is still in the cache.
 * @param[in,out] params  [count]
 * @param[in]     grads   [count] sums over all ranks */
void tutti_optim_step(tutti_optim *optim, int64_t first, int64_t count, float *params, const float *grads);

/** Local.  State arrays of the rule, named as Keras' variables ("velocity"), and last the average of the weights
 * ("average"), where one is kept; each [end - begin], owned by optim. */
int tutti_optim_n_slots(const tutti_optim *optim);
const char *tutti_optim_slot_name(const tutti_optim *optim, int i);
float *tutti_optim_slot(const tutti_optim *optim, int i);
float tutti_optim_slot_initial(const tutti_optim *optim, int i); // of each element of a rule's slot

/** Local.  The average of the weights: the last slot; NULL where none is kept. */
const float *tutti_optim_average(const tutti_optim *optim);

// --- what the state is

/** What one number of a state array is; so that state can go on under other options. */
typedef struct {
  const char *quantity; // "sum of gradients"; NULL: the options keep no such array
  bool has_rate;        // times the learning rate
  bool is_negative;     // and -1: Keras' velocity points downhill
  bool is_velocity;     // what moves the weights on
} tutti_unit_of_state;

/** Local.  Of the array of this name under resolved options. */
tutti_unit_of_state tutti_optim_unit(const tutti_optim_options *options, const char *slot);

/** Local.  "sum of gradients * -learning_rate" */
void tutti_optim_unit_text(const tutti_unit_of_state *unit, char *text, size_t bytes);

/** Local.  The factor that makes numbers in the one unit numbers in the other.
 * @param[in] lr  of the update that the state is from
 * @return false: there is none, since the quantities differ or there is no rate to multiply or divide by */
bool tutti_optim_unit_factor(const tutti_unit_of_state *from, const tutti_unit_of_state *to, double lr,
                             double *factor);

// --- schedules

typedef enum {
  TUTTI_DECAY_CONSTANT,
  TUTTI_DECAY_STEP,
  TUTTI_DECAY_EXPONENTIAL,
  TUTTI_DECAY_POLYNOMIAL,
  TUTTI_DECAY_COSINE,
  TUTTI_DECAY_PLATEAU,
  TUTTI_N_DECAYS
} tutti_decay;
extern const char *const tutti_decay_names[TUTTI_N_DECAYS];

/** LINEAR: Goyal et al. (arXiv 1706.02677), section 2.1.  SQRT: Hoffer, Hubara, Soudry (arXiv 1705.08741), "Matching
 * weight increment statistics for different mini-batch sizes".  ADASCALE: Johnson et al. (arXiv 2007.05105), algorithm 1:
 * the rate of a step is that of the base batch times a gain that is measured, and the step counts as so many of it. */
typedef enum {
  TUTTI_SCALING_NONE,
  TUTTI_SCALING_LINEAR,
  TUTTI_SCALING_SQRT,
  TUTTI_SCALING_ADASCALE,
  TUTTI_N_SCALINGS
} tutti_scaling;
extern const char *const tutti_scaling_names[TUTTI_N_SCALINGS];

/** Local.  The factor on the learning rate; 1 without scaling, and where it is measured. */
double tutti_scaling_factor(tutti_scaling scaling, double base_batch_size, double batch_size);

/** How the batch grows in the place of a decay of the learning rate. */
typedef enum {
  TUTTI_GROWTH_NONE,
  TUTTI_GROWTH_STEP,      // at milestones
  TUTTI_GROWTH_GEOMETRIC, // at regular intervals
  TUTTI_N_BATCH_GROWTHS
} tutti_batch_growth;
extern const char *const tutti_batch_growth_names[TUTTI_N_BATCH_GROWTHS];

typedef struct {
  tutti_count warmup; // 0: none
  tutti_decay decay;
  double decay_rate;                 // step, exponential, plateau: the factor
  tutti_count decay_every;           // step: between two drops; exponential: over which one factor is applied
  tutti_milestones decay_milestones; // step: where to drop, from the training's begin, instead of decay_every
  tutti_count decay_over;            // polynomial, cosine: length after warmup; 0: to the end of the budget
  double decay_power;                // polynomial
  double decay_end;                  // polynomial, cosine: last rate / first rate
  int64_t decay_patience;            // plateau: evaluations without a better value until the next drop
  int64_t decay_cooldown;            // plateau: evaluations after a drop in which none counts
  double decay_min;                  // plateau: the rate falls no lower
  double decay_delta;                // plateau: what is better is so by more than this
  tutti_scaling scaling;             // of the learning rate with the batch size
  int64_t base_batch_size;           // at which learning_rate is meant; needed with scaling
  tutti_batch_growth batch_growth;
  double batch_factor;               // of the batch size at each growth, above 1
  tutti_count batch_every;           // geometric: between two
  tutti_milestones batch_milestones; // step: where
  int64_t batch_max;                 // 0: the samples of an epoch, or train.batch_size where it is more
} tutti_schedule_options;

/** How far a training is, in each unit; an epoch is done as far as its samples are. */
typedef struct {
  double steps, epochs, samples;
} tutti_extent;

/** Local.  Of a unit that is no time. */
double tutti_extent_in(const tutti_extent *extent, tutti_unit unit);

/** Each count in its own unit, in which the training's progress is looked at. */
typedef struct {
  tutti_decay decay;
  double start, peak; // learning rate before and after warmup
  tutti_count warmup, every, over;
  double warmup_every, warmup_over; // the warmup in the unit of `every` and of `over`
  double rate, power, end;
  tutti_milestones milestones; // of `step`; n 0: drops fall by `every`
  // Of `plateau`: its numbers, whose formulas, and how often the rate has fallen, which the caller sets.
  int64_t patience, cooldown;
  double least, delta;
  tutti_dialect dialect;
  double drops;
  double warmup_from; // where warmup begins, in its unit
} tutti_schedule;

/** What a schedule lies over. */
typedef struct {
  tutti_extent total; // the whole training
  tutti_extent
      earlier; // what of it was done with other batches or data, so that its steps had another size; else 0
  double
      warmup_from; // where the warmup begins, in its unit; below 0: what lies before the training does not count
} tutti_course;

/** Local.  Warmup begins at the unscaled rate where scaling is linear or sqrt (Goyal et al., section 2.2), else at 0.
 * @param[in] course  its ratios turn a warmup of one unit into another
 * @param[in] unit   of the budget, in which a decay without decay_over runs to the end
 * @return ERR_CONFIG scaling without base_batch_size, a decay without its parameters, a count in seconds, a
 * warmup longer than the training */
TUTTI_NODISCARD
tutti_status tutti_schedule_make(const tutti_schedule_options *options, double learning_rate,
                                 int64_t batch_size, const tutti_course *course, tutti_unit unit,
                                 tutti_schedule *schedule);

/** Local.  The rate of an update.
 * @param[in] before  the progress without it: 0 for the first, as Keras' iterations
 * @param[in] after   with it */
double tutti_schedule_at(const tutti_schedule *schedule, const tutti_extent *before,
                         const tutti_extent *after);

/** What a decay by plateau has seen.  A training begins with {.best = NAN}. */
typedef struct {
  double best;
  double waited;  // values since
  double cooling; // values until they count again
  double drops;   // how often the rate has fallen
} tutti_plateau;

/** Local.  A value of what is watched, after warmup: Keras' ReduceLROnPlateau counts one that is not better than the
 * best by delta, and at `patience` of them the rate falls; PyTorch's by delta times the best, and at more than
 * `patience`.
 * @return whether the rate falls: drops is then one more */
bool tutti_plateau_see(const tutti_schedule *schedule, bool large_is_good, double value,
                       tutti_plateau *plateau);

/** Local.  The rate after so many drops. */
double tutti_plateau_rate(const tutti_schedule *schedule, double drops);

/** Local.  Whether the warmup goes on after so much progress. */
bool tutti_schedule_is_warming(const tutti_schedule *schedule, const tutti_extent *done);

// --- growth of the batch

/** Smith, Kindermans, Ying, Le ("Don't decay the learning rate, increase the batch size", arXiv 1711.00489): the noise
 * scale lr N / B falls as well by a larger B as by a smaller lr.  Where a decay would divide the rate by q, the batch is
 * multiplied by q, rounded to whole samples; once it has reached its largest size, the rate is divided by what is left
 * of q.
 *
 * Growths are counted from 1; the k-th comes after a number of steps, or of samples. */
typedef struct {
  tutti_batch_growth kind;
  int64_t first, most; // batch sizes
  double factor, every;
  tutti_milestones milestones;
  tutti_unit unit; // what `every` and the milestones count; epochs as n samples each
} tutti_growth;

/** Local.  Of batches of batch_size samples at first, epochs of n.
 * @param[in] most  samples that a batch can have; without batch_max it grows to the larger of n and its first size
 * @return ERR_CONFIG a factor that is not above 1, no milestone, no interval, a count in seconds, a batch_max below
 * the first size */
TUTTI_NODISCARD
tutti_status tutti_growth_make(const tutti_schedule_options *options, int64_t batch_size, int64_t n,
                               int64_t most, tutti_growth *growth);

/** Local.  Steps or samples, by the unit, after which the k-th growth comes, k >= 1; INT64_MAX: there is none. */
int64_t tutti_growth_at(const tutti_growth *growth, int64_t k);

/** Local.  How many have come after so many steps or samples. */
int64_t tutti_growth_count(const tutti_growth *growth, int64_t done);

/** Local.  Samples of a batch after k growths. */
int64_t tutti_growth_batch(const tutti_growth *growth, int64_t k);

/** Local.  The factor on the learning rate after k growths: 1 as long as the batch has taken all of them. */
double tutti_growth_rate(const tutti_growth *growth, int64_t k);
