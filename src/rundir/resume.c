/** Where a training begins: fresh weights, or everything of a checkpoint. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "measure/meter.h"
#include "run/evaluated.h"
#include "run/stop.h"
#include "rundir/displace.h"
#include "rundir/held_out.h"
#include "rundir/restore.h"
#include "rundir/slots.h"
#include "rundir/start.h"

/** What rank 0 found, for all ranks. */
typedef struct {
  bool resumed;
  bool returns;       // see choice
  bool keeps_scaling; // rows are scaled as the checkpoint's were
  bool lost_start;    // model.weights has no longer what the run began with
  tutti_features features;
  tutti_checkpoint_state state;
  tutti_metrics_row last;
  tutti_evaluation average, training;
} start_info;

/** How the training of a checkpoint is another one than this run. */
typedef struct {
  bool differs;
  bool warms;      // its schedule.warmup is another one
  bool same_scale; // data.scale is the same
  bool same_order; // and so are the samples of an epoch, one after another
  double base;     // samples of the batch whose steps it counted, see tutti_plan; 0: it counted none
} comparison;

/** The checkpoint that rank 0 goes on from. */
typedef struct {
  char *path;           // owned; NULL: none
  bool named;           // by the user, and of another run
  bool returns;         // best.h5 of this directory, in the place of the last one
  char displaced[1024]; // how the run of this directory differs, whose files make room; "": they do not
} choice;

/** The directory's own best.h5 takes the place of its last checkpoint: once, or a job that is started again would lose
 * what it has done since. */
static tutti_status choose_best(const tutti_saver *saver, choice *chosen) {
  tutti_checkpoint_info last = {0}, best = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(chosen->path, &last));
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(saver->best_path, &best));
  const int64_t returned_to = last.state.returned_to;
  if (returned_to > 0 && returned_to <= best.state.step) {
    tutti_log(TUTTI_LOG_INFO,
              "run.resume=%s is not used: %s has gone on from its step %lld already; in another "
              "run.directory it begins from there again",
              saver->best_path, chosen->path, (long long)returned_to);
    goto done;
  }
  tutti_free(chosen->path);
  chosen->path = tutti_strdup(saver->best_path);
  chosen->returns = true;
  if (!chosen->path) status = TUTTI_ERR_MEMORY;
done:
  tutti_checkpoint_info_clear(&last);
  tutti_checkpoint_info_clear(&best);
  return status;
}

/** All that makes this run another training than the checkpoint's. */
static void find_differences(const tutti_run *run, const tutti_config *old, const tutti_checkpoint_info *info,
                             tutti_differences *found) {
  const int64_t data = tutti_dataset_fingerprint(run->dataset, info->state.data_hash);
  tutti_config_differences(old, run->config, found);
  if (info->state.data == data) return;
  tutti_difference *one = &found->list[found->n++];
  *one = (tutti_difference){.key = "the contents of data.file"};
  snprintf(one->then, sizeof one->then, "%016llx", (unsigned long long)info->state.data);
  snprintf(one->now, sizeof one->now, "%016llx", (unsigned long long)data);
}

/** Whether a checkpoint is of another training than this run. */
static tutti_status describe_differences(const tutti_run *run, const char *path, char *text, size_t bytes) {
  tutti_checkpoint_info info = {0};
  tutti_config old = {0};
  tutti_differences found;
  tutti_status status = TUTTI_OK;
  text[0] = '\0';
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(path, &info));
  TUTTI_TRY_GOTO(done, tutti_config_parse(info.config, path, NULL, 0, &old));
  find_differences(run, &old, &info, &found);
  tutti_differences_text(&found, text, bytes);
done:
  tutti_config_clear(&old);
  tutti_checkpoint_info_clear(&info);
  return status;
}

/** A checkpoint of this directory comes before one of another run that the user names, or a job that is started again
 * would lose what it has done; unless it is of another training, which then makes room. */
static tutti_status choose(const tutti_saver *saver, choice *chosen) {
  const tutti_config *config = saver->run->config;
  const char *resume = config->run.resume, *directory = config->run.directory;
  const bool names = strcmp(resume, "auto") != 0;
  if (strcmp(resume, "no") == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_checkpoint_find(directory, &chosen->path));
  if (chosen->path && names && tutti_same_file(resume, saver->best_path)) return choose_best(saver, chosen);
  if (chosen->path && names && !tutti_file_is_in(resume, directory))
    TUTTI_TRY(describe_differences(saver->run, chosen->path, chosen->displaced, sizeof chosen->displaced));
  if (chosen->path && names && !chosen->displaced[0])
    tutti_log(TUTTI_LOG_INFO, "run.resume=%s is not used: %s has a checkpoint of its own", resume, directory);
  if (!names || (chosen->path && !chosen->displaced[0])) return TUTTI_OK;
  tutti_free(chosen->path);
  chosen->named = true;
  chosen->path = tutti_strdup(resume);
  return chosen->path ? TUTTI_OK : TUTTI_ERR_MEMORY;
}

/** A run goes on with its checkpoint's weights, so others would not be used. */
static tutti_status check_weights(const tutti_run *run, const char *path, const tutti_differences *found) {
  TUTTI_CHECK(
      !run->config->model.weights || !tutti_differences_have(found, "model.weights"), TUTTI_ERR_CONFIG,
      "model.weights: %s would not be used, since run.resume goes on from the weights of %s; leave one of "
      "them out: model.weights begins anew from weights alone, run.resume goes on with optimizer and epochs",
      run->config->model.weights, path);
  return TUTTI_OK;
}

static tutti_status check_rows(const tutti_run *run, const char *path, const tutti_config *old,
                               const tutti_checkpoint_info *info, const tutti_differences *found) {
  const bool same_data = tutti_held_out_has_same_data(run, &info->state);
  char text[512];
  if (!tutti_held_out_trained(old, &info->state)) return TUTTI_OK;
  if (!tutti_held_out_loses(run, old, same_data, found)) {
    if (!same_data && tutti_held_out_of_train(run))
      tutti_log(
          TUTTI_LOG_WARNING,
          "run.resume: %s was trained on other data than those of %s; rows that are in both may be "
          "validation rows now, and val_loss is too good then: give such rows apart, as data.x_val with "
          "data.validation_split=0, or go by the test rows",
          path, run->config->data.file);
    return TUTTI_OK;
  }
  tutti_held_out_text(found, text, sizeof text);
  TUTTI_FAIL(
      TUTTI_ERR_CONFIG,
      "%s was trained on rows that would be validation rows now: %s; leave these keys as they were, or "
      "give data.validation_split=0",
      path, text);
}

/** The run that a checkpoint belongs to has to be this one, unless the user named the file: then its weights
 * may go on with other hyper-parameters and other data, from an epoch's end. */
static tutti_status compare_config(const tutti_run *run, const char *path, bool named,
                                   const tutti_config *old, const tutti_checkpoint_info *info,
                                   comparison *with) {
  // All that an epoch's samples and their order come from.
  static const char *const ordering[] = {"train.seed", "train.shuffle", "data.validation_split",
                                         "data.validation_take"};
  char text[1024];
  tutti_differences found;
  find_differences(run, old, info, &found);
  tutti_differences_text(&found, text, sizeof text);
  with->differs = found.n > 0;
  with->warms = tutti_differences_have(&found, "schedule.warmup");
  with->same_order = tutti_held_out_has_same_data(run, &info->state);
  for (size_t i = 0; i < sizeof ordering / sizeof *ordering; i++)
    if (tutti_differences_have(&found, ordering[i])) with->same_order = false;
  if (!with->differs) return TUTTI_OK;
  TUTTI_CHECK(
      named, TUTTI_ERR_CONFIG,
      "%s belongs to another training: %s; choose another run.directory, to go on from this file there "
      "with run.resume=%s, or give run.resume=no to begin anew here",
      path, text, path);
  TUTTI_TRY(check_weights(run, path, &found));
  TUTTI_CHECK(
      info->state.step_in_epoch == 0, TUTTI_ERR_CONFIG,
      "%s was written in mid-epoch, so it can only go on as it began, but %s; leave these keys as they "
      "were, or begin anew with its weights alone, with model.weights=%s",
      path, text, path);
  TUTTI_TRY(check_rows(run, path, old, info, &found));
  tutti_log(TUTTI_LOG_INFO, "goes on from %s as another training: %s", path, text);
  return TUTTI_OK;
}

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

/** Also: a best value of another quantity, or of another training, means nothing for what is monitored now. */
static tutti_status check_same_training(tutti_run *run, const char *path, bool named,
                                        tutti_checkpoint_info *info, tutti_optim_options *optimizer,
                                        comparison *with) {
  tutti_config old = {0};
  TUTTI_TRY(tutti_config_parse(info->config, path, NULL, 0, &old));
  *optimizer = old.optimizer;
  with->same_scale = old.data.scale == run->config->data.scale;
  const tutti_status status = compare_config(run, path, named, &old, info, with);
  with->base = old.schedule.scaling == TUTTI_SCALING_ADASCALE ? (double)old.schedule.base_batch_size : 0;
  if (with->differs || !same_text(old.train.monitor, run->config->train.monitor)) {
    info->state.best = info->state.plateau_best = NAN;
    info->state.plateau_waited = info->state.plateau_cooling = 0;
    info->state.evaluations_since_best = 0;
  }
  const tutti_count then = old.run.metrics_every, now = run->config->run.metrics_every;
  const bool other_rows = then.value != now.value || then.unit != now.unit;
  tutti_config_clear(&old);
  TUTTI_TRY(status);
  if (!with->differs) {
    const tutti_checkpoint_table measured = tutti_meter_state(run);
    TUTTI_TRY(tutti_checkpoint_read_table(path, &measured));
  }
  if (!other_rows) return TUTTI_OK;
  info->state.in_row = (tutti_checkpoint_sums){0};
  tutti_meter_clear(run, TUTTI_METER_STEPS);
  return TUTTI_OK;
}

/** The last row that is kept, and what goes with it. */
static void recall_last(tutti_run *run) {
  const tutti_rows_list *history = &run->history;
  if (history->n > 0) {
    run->last = *tutti_rows_get(run, history, history->n - 1);
    tutti_evaluated_recall(tutti_rows_get(run, history, history->n - 1), &run->average);
    tutti_evaluated_recall(tutti_rows_get(run, history, history->n - 1), &run->training);
  } else {
    run->last = (tutti_metrics_row){0};
    run->average.now = run->training.now = (tutti_evaluation){0};
  }
}

/** A run that ended in mid-epoch left a row for the part; where it goes on, it makes the row of the whole. */
static void drop_partial_epoch(tutti_run *run) {
  tutti_rows_list *history = &run->history;
  tutti_stop stop;
  char reason[TUTTI_STOP_BYTES];
  if (run->last.epoch <= run->state.epoch || tutti_run_is_over(run, &stop, reason)) return;
  history->n--;
  recall_last(run);
}

/** A run of an earlier version goes on with the names that its tables have: it called binary_accuracy accuracy. */
static tutti_status keep_names(tutti_run *run, const char *path) {
  static const char now[] = "binary_accuracy", then[] = "accuracy";
  char **names = NULL;
  int n = 0;
  bool old = false;
  if (strcmp(run->layout.metric, now) != 0) return TUTTI_OK;
  TUTTI_TRY(tutti_checkpoint_history_columns(path, &names, &n));
  for (int i = 0; i < n; i++) old = old || strcmp(names[i], then) == 0;
  tutti_file_list_free(&names, n);
  if (!old) return TUTTI_OK;
  run->layout.metric = then;
  for (int i = 0; i < run->layout.n_more; i++) {
    char *at = strstr(run->more_names[i], now);
    if (at) memmove(at, then, sizeof then);
  }
  return TUTTI_OK;
}

/** Samples that a batch took from the epoch behind the one it ended are not taken again, also by other batches; in another
 * order they would be others. */
static int64_t find_place(const tutti_run *run, const tutti_checkpoint_state *state, const comparison *with) {
  const tutti_epoch *epoch = &run->plan.epoch;
  const bool goes_on = !with->differs || (epoch->last == TUTTI_LAST_CARRY && with->same_order);
  if (goes_on && state->place >= 0 && state->place / epoch->n == state->epoch) return state->place;
  return with->differs ? state->epoch * epoch->n : tutti_plan_place(&run->plan, state);
}

/** A budget counts from the training's begin: one that the file of another run has spent is hardly what is meant. */
static tutti_status check_budget(const tutti_run *run, const char *path, bool named) {
  const tutti_count budget = run->config->train.budget;
  const tutti_checkpoint_state *state = &run->state;
  char text[64];
  tutti_count_print(budget, text, sizeof text);
  TUTTI_CHECK(!named || !tutti_plan_done(&run->plan, budget, tutti_run_position(run)), TUTTI_ERR_CONFIG,
              "run.resume: nothing would be trained: %s has done %lld steps, %lld epochs, and the whole "
              "budget is %s; "
              "give a larger one, or model.weights=%s, which begins anew with its weights",
              path, (long long)state->step, (long long)state->epoch, text, path);
  return TUTTI_OK;
}

/** Steps with other batches, or of other data, begin here: what was done before is counted in, but not again as if they
 * had done it. */
static tutti_status begin_steps(tutti_run *run) {
  tutti_checkpoint_state *state = &run->state;
  state->from_step = state->step;
  state->from_place = state->place;
  state->from_samples = state->samples;
  return tutti_plan_go_on(&run->plan, run->config, state, run->size);
}

/** Progress of a training with another base batch, or none, as this one counts it, and averages begun anew.  As much of
 * the warmup is done as was. */
static void convert_progress(tutti_run *run, double base) {
  tutti_checkpoint_state *state = &run->state;
  const tutti_unit unit = run->config->schedule.warmup.unit;
  if (base == run->plan.base) return;
  tutti_plan then = run->plan;
  then.base = base;
  const tutti_extent before = tutti_plan_progress(&then, tutti_run_position(run));
  state->gained = run->plan.base > 0 ? before.samples / run->plan.base : 0;
  state->gain_variance_sum = state->gain_variance_weight = 0;
  state->gain_square_sum = state->gain_square_weight = 0;
  const tutti_extent after = tutti_plan_progress(&run->plan, tutti_run_position(run));
  state->warmup_from += tutti_extent_in(&after, unit) - tutti_extent_in(&before, unit);
}

/** A warmup that was not the checkpoint's begins where the run goes on, not where the training began. */
static void begin_warmup(tutti_run *run) {
  const tutti_count warmup = run->config->schedule.warmup;
  const tutti_extent done = tutti_plan_progress(&run->plan, tutti_run_position(run));
  char text[64];
  run->state.warmup_from = warmup.value > 0 ? tutti_extent_in(&done, warmup.unit) : 0;
  if (warmup.value == 0) return;
  tutti_count_print(warmup, text, sizeof text);
  tutti_log(TUTTI_LOG_INFO, "schedule.warmup: the learning rate rises over %s from step %lld on", text,
            (long long)run->state.step);
}

static tutti_status check_warmup(const tutti_run *run) {
  const tutti_config *config = run->config;
  return tutti_plan_check_warmup(&run->plan, config->schedule.warmup, config->train.budget,
                                 tutti_run_position(run));
}

/** A file of the average goes on with all its slots, among which the weights are, or not at all. */
static tutti_status check_slots_of_average(const tutti_run *run, const char *path) {
  const int n_slots = tutti_optim_n_slots(run->optim);
  char **there = NULL;
  int n = 0, n_found = 0;
  TUTTI_TRY(tutti_checkpoint_list_slots(path, &there, &n));
  for (int i = 0; i < n_slots; i++) {
    const bool averaged = tutti_optim_average(run->optim) && i == n_slots - 1;
    const char *name = averaged ? "weights" : tutti_optim_slot_name(run->optim, i);
    for (int k = 0; k < n; k++) n_found += strcmp(there[k], name) == 0;
  }
  tutti_file_list_free(&there, n);
  TUTTI_CHECK(
      n_found == n_slots && n == n_slots, TUTTI_ERR_CONFIG,
      "%s has the average of the weights in their place, so it goes on with the optimizer and "
      "optimizer.ema_momentum that it was made with; go on from the checkpoint.h5 of its run, or begin "
      "anew with the average, with model.weights=%s",
      path, path);
  return TUTTI_OK;
}

/** @param[in] takes_over  from a training with other options, maybe of another optimizer: its slots are looked at later */
static tutti_status load_arrays(tutti_saver *saver, const char *path, bool is_average, bool takes_over) {
  tutti_run *run = saver->run;
  const tutti_table_layout layout = tutti_saver_layout(saver);
  if (is_average) TUTTI_TRY(check_slots_of_average(run, path));
  tutti_saver_view(saver, is_average);
  const int64_t n = takes_over ? tutti_model_n_arrays(run->network.model) : saver->n_loadable;
  const tutti_status status = tutti_checkpoint_load(path, saver->views, n, &layout, run->history.records);
  tutti_saver_view(saver, false);
  return status;
}

/** Distances are from the weights that the run began with, which are read again.
 * @param[in] began  with these
 * @return whether the file has others now */
static bool lost_start(const tutti_run *run, int64_t began) {
  if (!tutti_meter_keeps_start(run) || began == 0 || began == run->state.weights_hash) return false;
  tutti_log(TUTTI_LOG_WARNING,
            "%s (model.weights) has other weights than those that this run began with, so run.measure cannot "
            "tell the distance from these: it is NaN from now on; put the file back as it was to have it",
            run->config->model.weights);
  return true;
}

static tutti_status load(tutti_saver *saver, const char *path, bool named, start_info *start) {
  tutti_run *run = saver->run;
  tutti_checkpoint_info info = {0};
  tutti_optim_options then;
  comparison with = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(path, &info));
  TUTTI_TRY_GOTO(done, check_same_training(run, path, named, &info, &then, &with));
  const bool takes_over = named && with.differs && !info.is_average;
  TUTTI_TRY_GOTO(done, tutti_rows_reserve(run, &run->history, info.n_history));
  run->history.n = info.n_history;
  TUTTI_TRY_GOTO(done, keep_names(run, path));
  TUTTI_TRY_GOTO(done, load_arrays(saver, path, info.is_average, takes_over));
  start->lost_start = !with.differs && lost_start(run, info.state.weights_hash);
  if (with.differs) info.state.weights_hash = run->state.weights_hash;
  run->state = info.state;
  run->state.place = find_place(run, &info.state, &with);
  run->state.data = tutti_dataset_fingerprint(run->dataset, TUTTI_HASH_XXH64);
  run->state.data_hash = TUTTI_HASH_XXH64;
  run->state.seed = run->config->train.seed;
  if (with.differs) TUTTI_TRY_GOTO(done, begin_steps(run));
  if (with.differs) convert_progress(run, with.base);
  if (with.warms) begin_warmup(run);
  TUTTI_TRY_GOTO(done, check_budget(run, path, named));
  if (with.warms) TUTTI_TRY_GOTO(done, check_warmup(run));
  TUTTI_TRY_GOTO(done, tutti_run_schedule(run));
  // A velocity is converted by the rate of the schedule.
  TUTTI_TRY_GOTO(done, takes_over ? tutti_slots_take_over(saver, path, &then)
                                  : tutti_slots_convert(saver, path, &then));
  // Rows of another training do not tell whether this one is over.
  if (!with.differs) recall_last(run);
  drop_partial_epoch(run);
  *start = (start_info){.resumed = true,
                        .lost_start = start->lost_start,
                        .keeps_scaling =
                            with.same_scale && info.features, // an earlier version's numbers are rounded
                        .features = tutti_restore_features(info.features),
                        .state = run->state,
                        .last = run->last,
                        .average = run->average.now,
                        .training = run->training.now};
done:
  tutti_checkpoint_info_clear(&info);
  return status;
}

/** The run that is in the directory is another training, and begins to be another run's. */
static tutti_status make_room(const tutti_run *run, const choice *chosen) {
  const char *directory = run->config->run.directory;
  char place[TUTTI_DISPLACED_BYTES];
  TUTTI_TRY(tutti_displace_find(directory, place));
  tutti_log(TUTTI_LOG_WARNING,
            "%s holds another training: %s; its files are moved to %s, and a new run begins in %s from %s",
            directory, chosen->displaced, place, directory, chosen->path);
  return tutti_displace(directory, place);
}

/** On rank 0: fill the gather buffers from a checkpoint (NULL: they have what a training begins with). */
static tutti_status begin_root(tutti_saver *saver, const choice *chosen, start_info *start) {
  const char *path = chosen->path;
  const bool named = chosen->named;
  TUTTI_TRY(tutti_saver_check_config(saver));
  saver->anew = saver->metrics_anew = !path || named;
  saver->drops_best = !path || (named && !tutti_same_file(path, saver->best_path));
  if (path) TUTTI_TRY(load(saver, path, named, start));
  start->returns = chosen->returns;
  if (chosen->returns) start->state.returned_to = saver->run->state.step;
  return TUTTI_OK;
}

/** On rank 0, when nothing is left that would refuse the run: put the directory in order.  Nothing of an earlier run goes
 * before there is something in its place. */
static tutti_status prepare_directory(const tutti_saver *saver, const choice *chosen) {
  const tutti_run *run = saver->run;
  const char *path = chosen->path;
  if (chosen->displaced[0]) TUTTI_TRY(make_room(run, chosen));
  // All rows of /epochs are written again from the checkpoint's history, which knows of those that a kill cut
  // off.
  if (!saver->metrics_anew)
    TUTTI_TRY(tutti_metrics_rewind(saver->metrics_path, &run->layout, 0, run->state.step));
  if (!saver->waits) TUTTI_TRY(tutti_write_text(saver->config_path, saver->config));
  if (path) tutti_log(TUTTI_LOG_INFO, "goes on from %s: step %lld", path, (long long)run->state.step);
  return TUTTI_OK;
}

/** The gather buffers of rank 0 to all ranks. */
static tutti_status distribute(tutti_saver *saver, bool slots) {
  tutti_run *run = saver->run;
  tutti_model *model = run->network.model;
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(run->reducer, &begin, &end);
  TUTTI_TRY(tutti_reducer_scatter(run->reducer, saver->weights, tutti_reducer_params(run->reducer) + begin));
  TUTTI_TRY(tutti_reducer_publish(run->reducer));
  TUTTI_TRY(tutti_bcast(run->comm, 0, tutti_model_state(model),
                        tutti_model_n_state(model) * (int64_t)sizeof(float)));
  for (int i = 0; slots && i < tutti_optim_n_slots(run->optim); i++)
    TUTTI_TRY(tutti_reducer_scatter(run->reducer, saver->slots ? saver->slots[i] : NULL,
                                    tutti_optim_slot(run->optim, i)));
  return TUTTI_OK;
}

/** The weights that a training begins with, which are also what run.measure's distances are from: then they are wanted
 * where it goes on, too. */
static tutti_status begin_weights(tutti_saver *saver, bool goes_on) {
  tutti_run *run = saver->run;
  if (run->rank == 0) tutti_model_init(run->network.model, run->config->train.seed, saver->weights);
  if (!goes_on || tutti_meter_keeps_start(run))
    TUTTI_TRY(tutti_start_from_weights(run, saver->weights, !goes_on));
  return tutti_meter_start(run, saver->weights);
}

/** @param[in] chosen  known on rank 0 */
static tutti_status begin(tutti_saver *saver, const choice *chosen) {
  tutti_run *run = saver->run;
  start_info start = {.resumed = chosen->path != NULL};
  TUTTI_TRY(tutti_bcast(run->comm, 0, &start.resumed, sizeof start.resumed));
  TUTTI_TRY(begin_weights(saver, start.resumed));
  start.state = run->state;
  // What a checkpoint has then takes the place of these weights.
  const tutti_status local = run->rank == 0 ? begin_root(saver, chosen, &start) : TUTTI_OK;
  TUTTI_TRY(tutti_agree_from(run->comm, 0, local));
  TUTTI_TRY(tutti_bcast(run->comm, 0, &start, sizeof start));
  run->state = start.state;
  TUTTI_TRY(tutti_run_schedule(run));
  run->last = start.last;
  run->average.now = start.average;
  run->training.now = start.training;
  if (start.lost_start) tutti_meter_forget_start(run);
  if (start.resumed) TUTTI_TRY(tutti_run_keep_rows(run));
  if (start.keeps_scaling)
    TUTTI_TRY(tutti_restore_scaling(run->comm, chosen->path, start.features, run->dataset));
  tutti_saver_note_scaling(saver);
  TUTTI_TRY(distribute(saver, start.resumed));
  TUTTI_TRY(tutti_run_check_same(run));
  const tutti_status prepared = run->rank == 0 ? prepare_directory(saver, chosen) : TUTTI_OK;
  TUTTI_TRY(tutti_agree_from(run->comm, 0, prepared));
  if (start.returns) TUTTI_TRY(tutti_saver_save(saver, false)); // who goes on next goes on from here
  if (start.resumed && !start.returns) TUTTI_TRY(tutti_saver_flush(saver));
  run->saved_at = tutti_clock_s();
  return TUTTI_OK;
}

tutti_status tutti_saver_begin(tutti_saver *saver) {
  tutti_run *run = saver->run;
  choice chosen = {0};
  run->state = tutti_run_first_state(run);
  saver->waits = strcmp(run->config->run.resume, "no") == 0;
  tutti_status status = run->rank == 0 ? choose(saver, &chosen) : TUTTI_OK;
  status = tutti_agree_from(run->comm, 0, status);
  if (status == TUTTI_OK) status = begin(saver, &chosen);
  tutti_free(chosen.path);
  return status;
}
