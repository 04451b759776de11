#pragma once
/** Schedules of the learning rate and of the batch size.  All functions are local and free of MPI. */
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

/** Scaling of the learning rate with the batch size.  LINEAR: Goyal et al. (arXiv 1706.02677), section 2.1.  SQRT: Hoffer,
 * Hubara, Soudry (arXiv 1705.08741), "Matching weight increment statistics for different mini-batch sizes".  ADASCALE:
 * Johnson et al. (arXiv 2007.05105), algorithm 1: the rate of a step is that of the base batch times a measured gain, and
 * the step counts as that number of steps of the base batch. */
typedef enum {
  TUTTI_SCALING_NONE,
  TUTTI_SCALING_LINEAR,
  TUTTI_SCALING_SQRT,
  TUTTI_SCALING_ADASCALE,
  TUTTI_N_SCALINGS
} tutti_scaling;
extern const char *const tutti_optim_scaling_names[TUTTI_N_SCALINGS];

/** Local.  The factor on the learning rate; 1 without scaling, and with ADASCALE, which measures it.
 * @param[in] base_batch_size, batch_size  samples */
double tutti_optim_scaling_factor(tutti_scaling scaling, double base_batch_size, double batch_size);

/** Growth of the batch in the place of a decay of the learning rate. */
typedef enum {
  TUTTI_GROWTH_NONE,
  TUTTI_GROWTH_STEP,      // at milestones
  TUTTI_GROWTH_GEOMETRIC, // at regular intervals
  TUTTI_N_BATCH_GROWTHS
} tutti_batch_growth;
extern const char *const tutti_optim_batch_growth_names[TUTTI_N_BATCH_GROWTHS];

typedef struct {
  tutti_count warmup; // 0: none
  tutti_decay decay;
  double decay_rate;       // step, exponential, plateau: the factor
  tutti_count decay_every; // step: between two drops; exponential: over which one factor is applied
  tutti_milestones
      decay_milestones;    // step: times of the drops, from the begin of the training, instead of decay_every
  tutti_count decay_over;  // polynomial, cosine: length after warmup; 0: to the end of the budget
  double decay_power;      // polynomial
  double decay_end;        // polynomial, cosine: last rate / first rate
  int64_t decay_patience;  // plateau: evaluations without a better value until the next drop
  int64_t decay_cooldown;  // plateau: evaluations after a drop that do not count
  double decay_min;        // plateau: lower bound of the rate
  double decay_delta;      // plateau: a better value is better by more than this
  tutti_scaling scaling;   // of the learning rate with the batch size
  int64_t base_batch_size; // batch size that learning_rate belongs to; required with scaling
  tutti_batch_growth batch_growth;
  double batch_factor;               // of the batch size at each growth, above 1
  tutti_count batch_every;           // geometric: between two growths
  tutti_milestones batch_milestones; // step: times of the growths
  int64_t batch_max;                 // 0: the samples of an epoch, or train.batch_size if it is larger
} tutti_schedule_options;

/** Progress of a training in each unit; epochs are counted in fractions, by their samples. */
typedef struct {
  double steps, epochs, samples;
} tutti_extent;

/** Local.  The extent in one unit, which is not a time. */
double tutti_optim_extent_in(const tutti_extent *extent, tutti_unit unit);

/** A schedule of the learning rate.  Each count has its own unit, in which progress is compared with it. */
typedef struct {
  tutti_decay decay;
  double start, peak; // learning rate before and after warmup
  tutti_count warmup, every, over;
  double warmup_every, warmup_over; // the warmup in the unit of `every` and of `over`
  double rate, power, end;
  tutti_milestones milestones; // step; n 0: drops come after each `every`
  // Plateau.
  int64_t patience, cooldown;
  double least, delta;
  tutti_dialect dialect; // whose formulas; set by the caller
  double drops;          // how often the rate has fallen; set by the caller
  double warmup_from;    // begin of the warmup, in its unit
} tutti_schedule;

/** The training that a schedule belongs to. */
typedef struct {
  tutti_extent total; // the whole training
  /** The part of it that was done with other batches or data, so that its steps had another size; else 0. */
  tutti_extent earlier;
  /** Begin of the warmup, in its unit; below 0: the part of the warmup before the training does not count. */
  double warmup_from;
} tutti_course;

/** Local.  Make a schedule from its options.  With linear or sqrt scaling, warmup begins at the unscaled rate (Goyal et al.,
 * section 2.2), else at 0.
 * @param[in] batch_size  samples
 * @param[in] course      its ratios convert the warmup from one unit to another
 * @param[in] unit        of the budget; a decay without decay_over lasts to its end
 * @return ERR_CONFIG scaling without base_batch_size, a decay without its parameters, a count in seconds, a
 * warmup longer than the training */
TUTTI_NODISCARD
tutti_status tutti_schedule_make(const tutti_schedule_options *options, double learning_rate,
                                 int64_t batch_size, const tutti_course *course, tutti_unit unit,
                                 tutti_schedule *schedule);

/** Local.  The learning rate of an update.
 * @param[in] before  progress before the update: 0 for the first one, as Keras' iterations
 * @param[in] after   progress after it */
double tutti_schedule_at(const tutti_schedule *schedule, const tutti_extent *before,
                         const tutti_extent *after);

/** State of a decay by plateau.  A training begins with {.best = NAN}. */
typedef struct {
  double best;
  double waited;  // values since the best one
  double cooling; // values until they count again
  double drops;   // how often the rate has fallen
} tutti_plateau;

/** Local.  Take in a value of the monitored metric, after warmup.  Keras' ReduceLROnPlateau counts values that are not better
 * than the best by delta, and lowers the rate after `patience` of them; PyTorch's compares by delta times the best, and lowers
 * the rate after more than `patience`.
 * @return whether the rate falls: drops is then one more */
bool tutti_optim_plateau_see(const tutti_schedule *schedule, bool large_is_good, double value,
                             tutti_plateau *plateau);

/** Local.  The learning rate after a number of drops. */
double tutti_optim_plateau_rate(const tutti_schedule *schedule, double drops);

/** Local.  Whether the warmup lasts longer than the progress so far. */
bool tutti_schedule_is_warming(const tutti_schedule *schedule, const tutti_extent *done);

// --- growth of the batch

/** A batch that grows instead of a decay of the learning rate: Smith, Kindermans, Ying, Le ("Don't decay the learning rate,
 * increase the batch size", arXiv 1711.00489).  The noise scale lr N / B falls by a larger B as well as by a smaller lr.  When
 * a decay would divide the rate by q, the batch is multiplied by q, rounded to whole samples.  Once it has reached its largest
 * size, the rest of q divides the rate.
 *
 * Growths are counted from 1; the k-th comes after a number of steps, or of samples. */
typedef struct {
  tutti_batch_growth kind;
  int64_t first, most; // batch sizes
  double factor, every;
  tutti_milestones milestones;
  tutti_unit unit; // of `every` and the milestones; an epoch counts as n samples
} tutti_growth;

/** Local.  Make the growth from its options.
 * @param[in] batch_size  samples of the first batches
 * @param[in] n           samples of an epoch
 * @param[in] most        samples that a batch can have; without batch_max it grows to the larger of n and its first size
 * @return ERR_CONFIG a factor that is not above 1, no milestone, no interval, a count in seconds, a batch_max below
 * the first size */
TUTTI_NODISCARD
tutti_status tutti_optim_growth_make(const tutti_schedule_options *options, int64_t batch_size, int64_t n,
                                     int64_t most, tutti_growth *growth);

/** Local.  The number of steps or samples, by the unit, before the k-th growth, k >= 1; INT64_MAX: it never comes. */
int64_t tutti_optim_growth_at(const tutti_growth *growth, int64_t k);

/** Local.  The number of growths during the first `done` steps or samples. */
int64_t tutti_optim_growth_count(const tutti_growth *growth, int64_t done);

/** Local.  The samples of a batch after k growths. */
int64_t tutti_optim_growth_batch(const tutti_growth *growth, int64_t k);

/** Local.  The factor on the learning rate after k growths: 1 as long as the batch could grow by all of them. */
double tutti_optim_growth_rate(const tutti_growth *growth, int64_t k);
