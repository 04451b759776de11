/** Curvature of the training loss around the weights of a checkpoint: the command `tutti sharpness`.  It restores
 * network and data, then measures the ends of the spectrum of the Hessian (lanczos.c) and the largest rise of the
 * loss in small boxes (sharpness_max.c).  The learning rate of the last update is reported beside them, because
 * training by gradient descent is stable only while lambda_max < 2 / learning rate. */
#include "base/log.h"
#include "curvature/curvature_impl.h"
#include "run/network.h"
#include "run/plan.h"
#include "rundir/restore.h"
#include "tutti/curvature.h"
#include "tutti/optim.h"

typedef struct {
  const tutti_comm *comm;
  const tutti_curvature_options *options;
  tutti_rundir_restored restored;
  tutti_samples set;
  tutti_curvature_objective objective;
  tutti_curvature_subspace subspace;
  double *params, *gradient; // [n] each; params owns the memory of both
} measurement;

/** Samples per epoch of the training.  The data file may be another one, but as soon as an epoch is complete, the
 * state of the training shows it: the samples of its complete epochs.  For epochs before the run continued with
 * other data, their place counts, which is in epochs of the new data. */
static int64_t samples_of_epoch(const tutti_checkpoint_state *state, int64_t n_here) {
  const int64_t since = state->samples - state->from_samples - (int64_t)state->in_epoch.samples;
  const int64_t whole = state->from_place + since;
  return state->epoch > 0 && whole > 0 ? whole / state->epoch : n_here;
}

/** The learning rate of the last update, by the schedule of the training. */
static tutti_status find_learning_rate(measurement *m, double *learning_rate) {
  tutti_config config = m->restored.config; // borrows all that it points to
  tutti_checkpoint_state state = m->restored.state;
  tutti_plan plan;
  tutti_schedule schedule;
  config.train.micro_batch_size = 0; // the size for the ranks of the training may be invalid for one rank
  const int64_t n_train = m->options->file ? samples_of_epoch(&state, m->set.n) : m->set.n;
  TUTTI_TRY(tutti_plan_make(&config, n_train, 1, &plan));
  TUTTI_TRY(tutti_plan_go_on(&plan, &config, &state, 1));
  TUTTI_TRY(tutti_plan_schedule(&plan, &config, state.warmup_from, &schedule));
  state.place = tutti_plan_place(&plan, &state);
  const tutti_position now = tutti_plan_position(&plan, &state);
  const tutti_position last = now.at > plan.from.at ? tutti_plan_move(&plan, now, -1) : now;
  // The plan knows neither when a plateau lowered the rate nor the gain of AdaScale, but the checkpoint does.
  const bool stored = (schedule.options.decay == TUTTI_DECAY_PLATEAU || plan.base > 0) && state.step > 0;
  *learning_rate = stored ? state.learning_rate : tutti_plan_learning_rate(&plan, &schedule, last);
  return TUTTI_OK;
}

/** The training samples, with the split of the training: the seed that drew it is in the checkpoint. */
static tutti_status choose_samples(measurement *m, tutti_curvature_result *sharpness) {
  const tutti_samples_all all =
      tutti_samples_divide(&m->restored.config, m->restored.dataset, m->restored.state.split_seed);
  m->set = all.train;
  TUTTI_CHECK(m->set.n > 0, TUTTI_ERR_CONFIG, "%s: there are no training samples to compute the loss of",
              tutti_dataset_file(m->restored.dataset));
  TUTTI_TRY(find_learning_rate(m, &sharpness->learning_rate));
  TUTTI_TRY(tutti_comm_agree(
      m->comm, tutti_network_set_class_weights(&m->restored.config, &all.train, &m->restored.network)));
  const int64_t limit = m->options->limit_train;
  if (limit > 0 && limit < m->set.n) m->set.n = limit;
  sharpness->samples = m->set.n;
  return TUTTI_OK;
}

static tutti_status check_subspace(const measurement *m, const char *checkpoint) {
  const int64_t n = m->objective.n;
  TUTTI_CHECK(m->options->subspace <= n, TUTTI_ERR_USAGE,
              "--subspace=%d: the network of %s has %lld weights; give at most that many dimensions, or 0 "
              "for no subspace",
              m->options->subspace, checkpoint, (long long)n);
  return TUTTI_OK;
}

static tutti_status prepare(measurement *m, const char *checkpoint, tutti_curvature_result *sharpness) {
  tutti_rundir_restored *const restored = &m->restored;
  TUTTI_TRY(tutti_rundir_restore_config(m->comm, checkpoint, restored));
  TUTTI_TRY(tutti_rundir_restore_data(m->comm, m->options->file,
                                      tutti_trust_of(m->options->external, m->options->plugins),
                                      TUTTI_SPLIT_TRAIN, restored));
  TUTTI_TRY(tutti_rundir_restore_network(m->comm, checkpoint, TUTTI_WEIGHTS_OF_FILE, restored));
  TUTTI_TRY(tutti_comm_agree(m->comm, tutti_network_check_labels(&restored->network)));
  TUTTI_TRY(choose_samples(m, sharpness));
  TUTTI_TRY(tutti_curvature_objective_create(&restored->network, &m->set, &m->objective));
  TUTTI_TRY(check_subspace(m, checkpoint));
  const int64_t n = m->objective.n;
  TUTTI_TRY(tutti_comm_agree(m->comm, TUTTI_NEW(m->params, 2 * n)));
  m->gradient = m->params + n;
  for (int64_t i = 0; i < n; i++) m->params[i] = restored->params[i];
  if (m->options->subspace == 0 || m->options->n_epsilons == 0) return TUTTI_OK;
  // It can fail, so it is made before the measurements, which take long.
  return tutti_curvature_subspace_create(m->comm, n, m->options->subspace, m->options->seed, &m->subspace);
}

/** The product that Lanczos' method asks for. */
static tutti_status hessian_product(void *context, const double *v, double *out) {
  measurement *m = context;
  return tutti_curvature_objective_product(&m->objective, m->params, v, out);
}

static tutti_status measure_spectrum(measurement *m, tutti_curvature_result *sharpness) {
  const tutti_curvature_lanczos_problem problem = {.n = m->objective.n,
                                                   .seed = m->options->seed,
                                                   .tolerance = m->options->tolerance,
                                                   .max_products = m->options->max_products,
                                                   .product = hessian_product,
                                                   .context = m};
  tutti_curvature_spectrum spectrum;
  TUTTI_TRY(tutti_curvature_find_spectrum(&problem, &spectrum));
  sharpness->lambda_max = spectrum.largest.value;
  sharpness->lambda_residual = spectrum.largest.residual;
  sharpness->lambda_min = spectrum.smallest.value;
  sharpness->lambda_min_residual = spectrum.smallest.residual;
  sharpness->n_products = spectrum.n_products;
  return TUTTI_OK;
}

static tutti_status measure_boxes(measurement *m, const tutti_curvature_subspace *subspace, double loss,
                                  double *values) {
  const tutti_curvature_sharpness_problem problem = {
      .objective = &m->objective, .center = m->params, .loss = loss, .subspace = subspace};
  for (int i = 0; i < m->options->n_epsilons; i++)
    TUTTI_TRY(tutti_curvature_sharpness_max(&problem, m->options->epsilons[i], &values[i]));
  return TUTTI_OK;
}

/** Loss, spectrum, then the boxes over all weights, and those over the subspace if there is one. */
static tutti_status measure(measurement *m, tutti_curvature_result *sharpness) {
  const tutti_curvature_options *options = m->options;
  TUTTI_TRY(
      tutti_curvature_objective_gradient(&m->objective, m->params, &sharpness->train_loss, m->gradient));
  TUTTI_TRY(measure_spectrum(m, sharpness));
  TUTTI_TRY(measure_boxes(m, NULL, sharpness->train_loss, sharpness->full));
  if (options->subspace == 0 || options->n_epsilons == 0) return TUTTI_OK;
  return measure_boxes(m, &m->subspace, sharpness->train_loss, sharpness->inside);
}

tutti_status tutti_curvature_of_checkpoint(const tutti_comm *comm, const char *checkpoint,
                                           const tutti_curvature_options *options,
                                           tutti_curvature_result *sharpness) {
  measurement m = {.comm = comm, .options = options};
  tutti_status status = TUTTI_OK;
  *sharpness = (tutti_curvature_result){0};
  TUTTI_ASSERT(options->n_epsilons <= TUTTI_CURVATURE_MAX_EPSILONS && options->max_products > 0);
  TUTTI_TRY_GOTO(done, prepare(&m, checkpoint, sharpness));
  TUTTI_TRY_GOTO(done, measure(&m, sharpness));
done:
  tutti_free(m.params);
  tutti_curvature_subspace_destroy(&m.subspace);
  tutti_curvature_objective_destroy(&m.objective);
  tutti_rundir_restored_clear(&m.restored);
  return status;
}
