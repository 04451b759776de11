/** What a run takes from the checkpoint that it continues from: weights, optimizer slots, rows, and its place in the
 * sequence of steps.  Another training keeps what was done before, but counts its own budget, growth and warmup from
 * here.  resume.c calls it on rank 0; what it reads goes into the buffers of the saver and into the run's state. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "measure/meter.h"
#include "run/evaluated.h"
#include "run/stop.h"
#include "rundir/restore.h"
#include "rundir/resume_impl.h"
#include "rundir/rundir_impl.h"

/** Set the last row, and the evaluations that it contains, by the history.  A trial that has a checkpoint is not over,
 * and its history has other rows. */
static void restore_last(tutti_run *run) {
  tutti_run_rows *rows = &run->state.rows;
  if (run->keeps_no_rows) return;
  const int64_t n = rows->history.n;
  const tutti_metrics_row *last = n > 0 ? tutti_metrics_record(&rows->history, n - 1) : NULL;
  rows->last = last ? *last : (tutti_metrics_row){0};
  tutti_run_evaluated_get_columns(last, &rows->average);
  tutti_run_evaluated_get_columns(last, &rows->training);
}

/** A run that ended within an epoch left a row for that part.  If it continues, it will write the row of the whole
 * epoch. */
static void drop_partial_epoch(tutti_run *run) {
  tutti_metrics_records *history = &run->state.rows.history;
  tutti_stop stop;
  char reason[TUTTI_STOP_BYTES];
  if (run->state.rows.last.epoch <= run->state.at.epoch || tutti_run_is_over(run, &stop, reason)) return;
  history->n--;
  restore_last(run);
}

/** A run of an earlier version keeps the names that its tables have: it called binary_accuracy accuracy. */
static tutti_status keep_names(tutti_run *run, const char *path) {
  static const char now[] = "binary_accuracy", then[] = "accuracy";
  tutti_texts names;
  if (strcmp(run->state.rows.layout.metric, now) != 0) return TUTTI_OK;
  TUTTI_TRY(tutti_checkpoint_history_columns(path, &names));
  const bool old = tutti_name_find(then, (const char *const *)names.list, names.n) >= 0;
  tutti_texts_clear(&names);
  if (!old) return TUTTI_OK;
  run->state.rows.layout.metric = then;
  for (int i = 0; i < run->state.rows.layout.n_more; i++) {
    char *at = strstr(run->state.rows.history.more_columns.list[i], now);
    if (at) memmove(at, then, sizeof then);
  }
  return TUTTI_OK;
}

/** The place in the sequence of samples.  With train.last_batch=carry, a batch that ends an epoch takes samples from
 * the next epoch.  They are not taken again, even by batches of another size; but in another order they would be other
 * samples. */
static int64_t find_place(const tutti_run *run, const tutti_checkpoint_state *state,
                          const tutti_rundir_comparison *with) {
  const tutti_epoch *epoch = &run->plan.epoch;
  const bool goes_on = !with->differs || (epoch->last == TUTTI_LAST_CARRY && with->same_order);
  if (goes_on && state->place >= 0 && state->place / epoch->n == state->epoch) return state->place;
  return with->differs ? state->epoch * epoch->n : tutti_plan_place(&run->plan, state);
}

/** A budget counts from the beginning of the training.  If the file of another run has used all of it, the user has
 * probably overlooked that. */
static tutti_status check_budget(const tutti_run *run, const tutti_rundir_choice *chosen) {
  const tutti_count budget = run->config->train.budget;
  const tutti_checkpoint_state *state = &run->state.at;
  char text[64];
  tutti_count_print(budget, text, sizeof text);
  TUTTI_CHECK(
      !chosen->named || !tutti_plan_done(&run->plan, budget, tutti_run_position(run)), TUTTI_ERR_CONFIG,
      "run.resume: nothing would be trained: %s has done %lld steps, %lld epochs, and the whole budget is "
      "%s; give a larger one, or model.weights=%s, which starts from scratch with its weights",
      chosen->path, (long long)state->step, (long long)state->epoch, text, chosen->path);
  return TUTTI_OK;
}

/** The steps of another training begin here.  Steps, samples and epochs that were done before are included in the
 * totals, but they are not converted into steps of the new batch size. */
static tutti_status begin_steps(tutti_run *run) {
  tutti_checkpoint_state *state = &run->state.at;
  state->from_step = state->step;
  state->from_place = state->place;
  state->from_samples = state->samples;
  return tutti_plan_go_on(&run->plan, run->config, state, run->size);
}

/** Convert the progress of a training with another base batch (AdaScale), or none, to the units of this run, and reset
 * the averages of the gain.  The part of the warmup that is done stays the same. */
static void convert_progress(tutti_run *run, double base) {
  tutti_checkpoint_state *state = &run->state.at;
  const tutti_unit unit = run->config->schedule.warmup.unit;
  if (base == run->plan.base) return;
  tutti_plan then = run->plan;
  then.base = base;
  const tutti_extent before = tutti_plan_progress(&then, tutti_run_position(run));
  state->gained = run->plan.base > 0 ? before.samples / run->plan.base : 0;
  state->gain_variance = state->gain_square = (tutti_checkpoint_smoothed){0};
  const tutti_extent after = tutti_plan_progress(&run->plan, tutti_run_position(run));
  state->warmup_from += tutti_optim_extent_in(&after, unit) - tutti_optim_extent_in(&before, unit);
}

/** A warmup that the checkpoint did not have begins where the run continues, not where the training began. */
static void begin_warmup(tutti_run *run) {
  const tutti_count warmup = run->config->schedule.warmup;
  const tutti_extent done = tutti_plan_progress(&run->plan, tutti_run_position(run));
  char text[64];
  run->state.at.warmup_from = warmup.value > 0 ? tutti_optim_extent_in(&done, warmup.unit) : 0;
  if (warmup.value == 0) return;
  tutti_count_print(warmup, text, sizeof text);
  tutti_log(TUTTI_LOG_INFO, "schedule.warmup: the learning rate rises over %s from step %lld on", text,
            (long long)run->state.at.step);
}

/** In a file of the average, the weights are one of the slots.  So a run continues from it with all its slots, or not
 * at all. */
static tutti_status check_slots_of_average(const tutti_run *run, const char *path) {
  const int n_slots = tutti_optim_n_slots(run->optim);
  tutti_texts there;
  int n_found = 0;
  TUTTI_TRY(tutti_checkpoint_list_slots(path, &there));
  for (int i = 0; i < n_slots; i++) {
    const bool averaged = tutti_optim_average(run->optim) && i == n_slots - 1;
    const char *name = averaged ? "weights" : tutti_optim_slot_name(run->optim, i);
    n_found += tutti_name_find(name, (const char *const *)there.list, there.n) >= 0;
  }
  const int n = there.n;
  tutti_texts_clear(&there);
  TUTTI_CHECK(n_found == n_slots && n == n_slots, TUTTI_ERR_CONFIG,
              "%s has the average of the weights in their place, so a run can continue from it only with the "
              "optimizer and optimizer.ema_momentum that it was made with; continue from the checkpoint.h5 "
              "of its run, or start from scratch with the average, by model.weights=%s",
              path, path);
  return TUTTI_OK;
}

/** @param[in] takes_over  the options, perhaps even the optimizer, are others, so that the slots are read later */
static tutti_status load_arrays(tutti_rundir_saver *saver, const char *path, bool is_average,
                                bool takes_over) {
  tutti_run *run = saver->run;
  const tutti_table_layout layout = tutti_rundir_layout(saver);
  if (is_average) TUTTI_TRY(check_slots_of_average(run, path));
  tutti_rundir_set_views(saver, is_average);
  const int64_t n = takes_over ? tutti_model_n_arrays(run->network.model) : saver->n_loadable;
  return tutti_checkpoint_load(path, saver->views, n, &layout, run->state.rows.history.records);
}

/** run.measure's distances are from the weights that the run began with, which are read again from model.weights.
 * @param[in] began  hash of the weights that the run began with; 0: it has none
 * @return whether the file has other weights now */
static bool lost_start(const tutti_run *run, int64_t began) {
  if (!tutti_meter_keeps_start(run) || began == 0 || began == run->state.at.weights_hash) return false;
  tutti_log(TUTTI_LOG_WARNING,
            "%s (model.weights) no longer has the weights that this run began with, so run.measure cannot "
            "measure the distance from them, which is NaN from now on; restore the file if you need it",
            run->config->model.weights);
  return true;
}

tutti_status tutti_rundir_load(tutti_rundir_saver *saver, const tutti_rundir_choice *chosen,
                               tutti_rundir_found *start) {
  tutti_run *run = saver->run;
  const char *path = chosen->path;
  tutti_checkpoint_info info = {0};
  tutti_rundir_comparison with = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(path, &info));
  TUTTI_TRY_GOTO(done, tutti_rundir_compare(run, chosen, &info, &with));
  const bool takes_over = chosen->named && with.differs && !info.is_average;
  TUTTI_TRY_GOTO(done, tutti_metrics_records_reserve(&run->state.rows.history, info.n_history));
  run->state.rows.history.n = info.n_history;
  TUTTI_TRY_GOTO(done, keep_names(run, path));
  TUTTI_TRY_GOTO(done, load_arrays(saver, path, info.is_average, takes_over));
  start->lost_start = !with.differs && lost_start(run, info.state.weights_hash);
  if (with.differs) info.state.weights_hash = run->state.at.weights_hash;
  if (!chosen->named && info.products) tutti_products_take_text(info.products, run->network.products);
  run->state.at = info.state;
  run->state.at.place = find_place(run, &info.state, &with);
  run->state.at.data = tutti_dataset_fingerprint(run->dataset, TUTTI_HASH_XXH64);
  run->state.at.data_hash = TUTTI_HASH_XXH64;
  run->state.at.seed = run->config->train.seed;
  if (with.differs) TUTTI_TRY_GOTO(done, begin_steps(run));
  if (with.differs) convert_progress(run, with.base);
  if (with.warms) begin_warmup(run);
  TUTTI_TRY_GOTO(done, check_budget(run, chosen));
  if (with.warms)
    TUTTI_TRY_GOTO(done, tutti_plan_check_warmup(&run->plan, run->config->schedule.warmup,
                                                 run->config->train.budget, tutti_run_position(run)));
  TUTTI_TRY_GOTO(done, tutti_run_schedule(run));
  // After the schedule, because a velocity is converted by its learning rate.
  TUTTI_TRY_GOTO(done, takes_over ? tutti_rundir_take_over_slots(saver, path, &with.optimizer)
                                  : tutti_rundir_convert_slots(saver, path, &with.optimizer));
  // The last row decides whether a run is over, so a row of another training does not count.
  if (!with.differs) restore_last(run);
  drop_partial_epoch(run);
  start->keeps_scaling = with.same_scale && info.features; // an earlier version's numbers are rounded
  start->features = tutti_rundir_restore_features(info.features);
  start->state = run->state.at;
  start->last = run->state.rows.last;
  start->average = run->state.rows.average.now;
  start->training = run->state.rows.training.now;
done:
  tutti_checkpoint_info_clear(&info);
  return status;
}
