#pragma once
/** Schedules of the learning rate and of the batch size.  All functions are local and do not use MPI. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/count.h"
#include "tutti/optim.h"

// --- the learning rate

typedef enum {
  TUTTI_DECAY_CONSTANT,
  TUTTI_DECAY_STEP,
  TUTTI_DECAY_EXPONENTIAL,
  TUTTI_DECAY_POLYNOMIAL,
  TUTTI_DECAY_COSINE,
  TUTTI_DECAY_PLATEAU,
  TUTTI_N_DECAYS
} tutti_decay;
extern const char *const tutti_optim_decay_names[TUTTI_N_DECAYS];

/** How the learning rate depends on the batch size.
 * - LINEAR: Goyal et al. (arXiv 1706.02677), section 2.1.
 * - SQRT: Hoffer, Hubara, Soudry (arXiv 1705.08741), "Matching weight increment statistics for different mini-batch
 *   sizes".
 * - ADASCALE: Johnson et al. (arXiv 2007.05105), algorithm 1.  The rate of a step is the rate of the base batch times a
 *   measured gain, and the step counts as that many steps of the base batch. */
typedef enum {
  TUTTI_SCALING_NONE,
  TUTTI_SCALING_LINEAR,
  TUTTI_SCALING_SQRT,
  TUTTI_SCALING_ADASCALE,
  TUTTI_N_SCALINGS
} tutti_scaling;
extern const char *const tutti_optim_scaling_names[TUTTI_N_SCALINGS];

/** Local.  Return the factor on the learning rate.  It is 1 without scaling.  It is also 1 with ADASCALE, which
 * measures its gain during the training.
 * @param[in] base_batch_size, batch_size  in samples */
double tutti_optim_scaling_factor(tutti_scaling scaling, double base_batch_size, double batch_size);

/** When the batch grows.  A batch that grows replaces a decay of the learning rate. */
typedef enum {
  TUTTI_GROWTH_NONE,
  TUTTI_GROWTH_STEP,      // at milestones
  TUTTI_GROWTH_GEOMETRIC, // at regular intervals
  TUTTI_N_BATCH_GROWTHS
} tutti_batch_growth;
extern const char *const tutti_optim_batch_growth_names[TUTTI_N_BATCH_GROWTHS];

/** Options of both schedules.  Each count has a unit of its own. */
typedef struct {
  tutti_count warmup; // 0: none
  tutti_decay decay;
  double decay_rate;       // step, exponential, plateau: factor on the rate
  tutti_count decay_every; // step: time between two drops; exponential: time per factor
  /** step: times of the drops, counted from the begin of the training.  They replace decay_every. */
  tutti_milestones decay_milestones;
  tutti_count decay_over; // polynomial, cosine: length after the warmup; 0: until the budget ends
  double decay_power;     // polynomial
  double decay_end;       // polynomial, cosine: last rate / first rate
  int64_t decay_patience; // plateau: number of evaluations without a better value before the rate drops
  int64_t decay_cooldown; // plateau: number of evaluations after a drop that do not count
  double decay_min;       // plateau: smallest rate
  double decay_delta;     // plateau: a value is better only if it is better by more than this
  tutti_scaling scaling;
  int64_t base_batch_size; // the batch size that learning_rate belongs to; required with scaling
  tutti_batch_growth batch_growth;
  double batch_factor;               // factor on the batch size at each growth, above 1
  tutti_count batch_every;           // geometric: time between two growths
  tutti_milestones batch_milestones; // step: times of the growths
  int64_t batch_max;                 // 0: the samples of an epoch, or train.batch_size if it is larger
} tutti_schedule_options;

/** Progress of a training in each unit.  Epochs are counted in fractions, by their samples. */
typedef struct {
  double steps, epochs, samples;
} tutti_extent;

/** Local.  Return the progress in one unit.
 * @param[in] unit  not a unit of time */
double tutti_optim_extent_in(const tutti_extent *extent, tutti_unit unit);

/** A schedule of the learning rate, which tutti_schedule_make creates. */
typedef struct {
  tutti_schedule_options options;   // decay_over is set, even if it was 0
  double start, peak;               // learning rate before and after the warmup
  double warmup_every, warmup_over; // length of the warmup in the units of decay_every and of decay_over
  double warmup_from;               // begin of the warmup, in its unit
  tutti_dialect dialect;            // plateau: whose formulas to use; set by the caller
  double drops;                     // plateau: how often the rate has dropped; set by the caller
} tutti_schedule;

/** The training that a schedule belongs to. */
typedef struct {
  tutti_extent total; // the whole training
  /** The part of it that used other batches or other data, so that its steps had another size; else 0. */
  tutti_extent earlier;
  /** Begin of the warmup, in its unit.  If it is below 0, the part of the warmup before the training does not count. */
  double warmup_from;
} tutti_course;

/** Local.  Make a schedule from its options.  With linear or sqrt scaling, the warmup begins at the unscaled rate
 * (Goyal et al., section 2.2); otherwise it begins at 0.
 * @param[in]  batch_size  in samples
 * @param[in]  course      its ratios convert the warmup from one unit to another
 * @param[in]  unit        unit of the budget; a decay without decay_over lasts until the budget ends
 * @param[out] schedule    set if the function returns OK
 * @return ERR_CONFIG: scaling has no base_batch_size, a decay lacks one of its parameters, a count is in seconds, or
 * the warmup is longer than the training */
TUTTI_NODISCARD
tutti_status tutti_schedule_make(const tutti_schedule_options *options, double learning_rate,
                                 int64_t batch_size, const tutti_course *course, tutti_unit unit,
                                 tutti_schedule *schedule);

/** Local.  Return the learning rate of an update.
 * @param[in] before  progress before the update; 0 for the first update, like the iterations of Keras
 * @param[in] after   progress after the update */
double tutti_schedule_at(const tutti_schedule *schedule, const tutti_extent *before,
                         const tutti_extent *after);

/** State of a decay by plateau.  A training begins with {.best = NAN}. */
typedef struct {
  double best;
  double waited;  // number of values since the best one
  double cooling; // number of values until they count again
  double drops;   // how often the rate has dropped
} tutti_plateau;

/** Local.  Process a value of the monitored metric, after the warmup.  The dialects follow ReduceLROnPlateau of
 * Keras and of PyTorch:
 * - keras: a value is better if it is better than the best one by more than delta.  The rate drops after `patience`
 *   values that are not better.
 * - torch: a value is better if it is better by more than delta times the best one.  The rate drops after more than
 *   `patience` values that are not better.
 * @return true: the rate drops, and plateau->drops has increased by 1 */
bool tutti_optim_plateau_see(const tutti_schedule *schedule, bool large_is_good, double value,
                             tutti_plateau *plateau);

/** Local.  Return the learning rate after a number of drops. */
double tutti_optim_plateau_rate(const tutti_schedule *schedule, double drops);

/** Local.  Return true if the warmup is not over yet. */
bool tutti_schedule_is_warming(const tutti_schedule *schedule, const tutti_extent *done);

// --- growth of the batch

/** A batch that grows, while the learning rate stays (Smith, Kindermans, Ying, Le, "Don't decay the learning rate,
 * increase the batch size", arXiv 1711.00489).  The noise scale lr N / B decreases if B becomes larger, just as it
 * does if lr becomes smaller.  So where a decay would divide the rate by q, the batch is multiplied by q and rounded
 * to whole samples.  When the batch has reached its largest size, the rest of q divides the rate.
 *
 * Growths are numbered from 1.  The k-th growth happens after a number of steps, or of samples. */
typedef struct {
  tutti_batch_growth kind;
  int64_t first, most; // smallest and largest batch size
  double factor, every;
  tutti_milestones milestones;
  tutti_unit unit; // of `every` and of the milestones; an epoch counts as n samples
} tutti_growth;

/** Local.  Make the growth from its options.
 * @param[in]  batch_size  samples of the first batches
 * @param[in]  n           samples of an epoch
 * @param[in]  most        largest number of samples that a batch can have.  Without batch_max the batch grows to n,
 *                         or stays at its first size if that is larger.
 * @param[out] growth      set if the function returns OK
 * @return ERR_CONFIG: the factor is not above 1, there is no milestone or no interval, a count is in seconds, or
 * batch_max is below the first size */
TUTTI_NODISCARD
tutti_status tutti_optim_growth_make(const tutti_schedule_options *options, int64_t batch_size, int64_t n,
                                     int64_t most, tutti_growth *growth);

/** Local.  Return the number of steps or samples (see growth->unit) before the k-th growth.
 * @param[in] k  at least 1
 * @return INT64_MAX: this growth never happens */
int64_t tutti_optim_growth_at(const tutti_growth *growth, int64_t k);

/** Local.  Return the number of growths during the first `done` steps or samples. */
int64_t tutti_optim_growth_count(const tutti_growth *growth, int64_t done);

/** Local.  Return the number of samples of a batch after k growths. */
int64_t tutti_optim_growth_batch(const tutti_growth *growth, int64_t k);

/** Local.  Return the factor on the learning rate after k growths.  It is 1 as long as the batch was able to grow by
 * all of them. */
double tutti_optim_growth_rate(const tutti_growth *growth, int64_t k);
