/* Steps of a training whose time is measured: the same data and the same code, but no run directory, no evaluation and
 * no rows.  `tutti bench` calls this for several batch sizes and groups of ranks one after another, and fewer_ranks.c
 * for one rank. */
#include "train/probe.h"

#include <string.h>

#include "machine/threads.h"
#include "run/micro_batches.h"
#include "run/sharing.h"
#include "train/train_impl.h"
#include "tutti/linalg.h"

struct tutti_probe {
  const tutti_comm *comm; // borrowed
  tutti_config
      config; // its texts and lists are borrowed; batch size and reduction are those of the last prepare
  const tutti_run *like; // borrowed; NULL, or the run whose data and weights are used
  tutti_run run;
};

/** Local. */
static tutti_status create(const tutti_comm *comm, const tutti_config *config, tutti_probe **probe) {
  TUTTI_TRY(TUTTI_NEW(*probe, 1));
  tutti_probe *made = *probe;
  made->comm = comm;
  // A copy, because each prepare changes the batch size in it.
  made->config = *config;
  // A schedule costs no time, and its lengths need not fit every batch size that is measured.
  made->config.schedule = (tutti_schedule_options){0};
  return TUTTI_OK;
}

tutti_status tutti_train_probe_create(const tutti_comm *comm, const tutti_config *config,
                                      tutti_probe **probe) {
  tutti_probe *made = NULL;
  tutti_status status = TUTTI_OK;
  *probe = NULL;
  TUTTI_TRY(tutti_machine_set_threads(comm, config->parallel.threads, NULL));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, create(comm, config, &made)));
  TUTTI_TRY_GOTO(done, tutti_run_open(comm, &made->config, &made->run));
  *probe = made;
  made = NULL;
done:
  tutti_free(made);
  return status;
}

tutti_status tutti_train_probe_create_like(const tutti_comm *comm, const tutti_run *run,
                                           tutti_probe **probe) {
  *probe = NULL;
  const tutti_status status = tutti_comm_agree(comm, create(comm, run->config, probe));
  if (status == TUTTI_OK) {
    (*probe)->like = run;
    (*probe)->run = (tutti_run){
        .dataset = run->dataset, .samples = run->samples, .like = &run->network, .sharing = run->sharing};
  } else {
    tutti_free(*probe);
    *probe = NULL;
  }
  return status;
}

void tutti_train_probe_destroy(tutti_probe **probe) {
  if (!*probe) return;
  if ((*probe)->like) (*probe)->run.dataset = NULL; // it stays open
  tutti_train_destroy(&(*probe)->run);
  tutti_free(*probe);
  *probe = NULL;
}

const tutti_run *tutti_train_probe_run(const tutti_probe *probe) {
  return &probe->run;
}

static tutti_status prepare(tutti_probe *probe, const tutti_comm *comm) {
  tutti_run *run = &probe->run;
  TUTTI_TRY(tutti_train_build(comm, &probe->config, run));
  return probe->like ? tutti_train_begin_with(run, tutti_reducer_params(probe->like->reducer))
                     : tutti_train_begin(run);
}

tutti_status tutti_train_probe_prepare(tutti_probe *probe, const tutti_comm *comm, int64_t batch_size,
                                       tutti_reduce_kind reduce) {
  tutti_train_release(&probe->run); // the data stay open for all batch sizes
  probe->config.train.batch_size = batch_size;
  probe->config.parallel.reduce = reduce;
  // Groups differ, so one of them can fail alone.  All ranks have to know before the next collective of the whole
  // probe.
  const tutti_status status = tutti_comm_agree(probe->comm, prepare(probe, comm));
  if (status != TUTTI_OK) tutti_train_release(&probe->run);
  return status;
}

/** Move on to the next whole batch.  A short last batch of an epoch would take less time, so it is left out. */
static void advance(tutti_run *run) {
  const tutti_plan *plan = &run->plan;
  const int64_t n = plan->epoch.n;
  tutti_checkpoint_state *state = &run->state.at;
  tutti_position next = tutti_plan_move(plan, tutti_run_position(run), 1);
  if (!tutti_plan_is_whole(plan, next)) next.place = (next.place / n + 1) * n;
  state->step++;
  state->step_in_epoch = next.place / n > state->epoch ? 0 : state->step_in_epoch + 1;
  state->place = next.place;
  state->epoch = next.place / n;
}

tutti_status tutti_train_probe_steps(tutti_probe *probe, int64_t n, double (*seconds)[TUTTI_N_PHASES]) {
  tutti_run *run = &probe->run;
  for (int64_t i = 0; i < n; i++) {
    tutti_train_step_result result;
    // Phases add up over steps, so each step starts them from 0.
    tutti_metrics_phases_start(&run->state.phases);
    TUTTI_TRY(tutti_train_step(run, NULL, &result));
    TUTTI_CHECK(result.finite, TUTTI_ERR_CONFIG,
                "the loss is not finite at step %lld of batch size %lld, so its time means nothing: give a "
                "smaller optimizer.learning_rate",
                (long long)run->state.at.step + 1, (long long)run->plan.epoch.batch);
    memcpy(seconds[i], run->state.phases.seconds, sizeof seconds[i]);
    advance(run);
  }
  return TUTTI_OK;
}

/** A rank of one thread has no choice, but takes part in the steps of those that have. */
tutti_status tutti_train_probe_settle(tutti_probe *probe) {
  enum { AT_ONCE = 2 };
  double phases[AT_ONCE][TUTTI_N_PHASES];
  for (;;) {
    double open = tutti_linalg_threads() > 1 && tutti_run_sharing_is_open(&probe->run.sharing);
    TUTTI_TRY(tutti_comm_max(probe->run.comm, &open, 1));
    if (open == 0) return TUTTI_OK;
    TUTTI_TRY(tutti_train_probe_steps(probe, AT_ONCE, phases));
  }
}

void tutti_train_probe_visit_micro_batches(const tutti_probe *probe,
                                           void (*visit)(void *context, const tutti_probe_micro_batch *pass),
                                           void *context) {
  const tutti_run *run = &probe->run;
  const tutti_range batch = tutti_plan_batch(&run->plan, (tutti_position){0});
  const int64_t grain = tutti_plan_grain(run->config, batch.count);
  const tutti_par_leaves own = tutti_reducer_own_leaves(run->reducer);
  tutti_micro_batch micro_batch = tutti_run_micro_batch_before(own.first);
  while (tutti_run_micro_batch_next(&run->plan, batch, grain, own.first + own.count, &micro_batch,
                                    run->step.leaf_ends))
    visit(context, &(tutti_probe_micro_batch){.rows = (int)micro_batch.rows.count,
                                              .n_leaves = micro_batch.n_leaves,
                                              .leaf_ends = run->step.leaf_ends,
                                              .accumulate = !micro_batch.begins});
}
