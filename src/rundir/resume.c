/** Where a training begins: fresh weights, or everything of a checkpoint.  Rank 0 chooses (choose.c) and loads
 * (load.c), then all ranks agree and get their parts.  The files of the directory are changed last, when nothing is
 * left that could refuse the run, so a refused run leaves an earlier one as it was.  The loop in train calls it
 * once. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "measure/meter.h"
#include "rundir/restore.h"
#include "rundir/resume_impl.h"
#include "rundir/rundir_impl.h"
#include "rundir/weights.h"

/** The directory holds another training: its files move aside, and the new run begins there. */
static tutti_status make_room(const tutti_run *run, const tutti_rundir_choice *chosen) {
  const char *directory = run->config->run.directory;
  char place[TUTTI_RUNDIR_PATH_BYTES];
  TUTTI_TRY(tutti_rundir_find_aside(directory, place));
  tutti_log(TUTTI_LOG_WARNING,
            "%s holds another training: %s; its files are moved to %s, and a new run starts in %s from %s",
            directory, chosen->displaced, place, directory, chosen->path);
  return tutti_rundir_move_aside(directory, place);
}

/** On rank 0: fill the gather buffers from the checkpoint.  Without one they already have the initial weights. */
static tutti_status begin_root(tutti_rundir_saver *saver, const tutti_rundir_choice *chosen,
                               tutti_rundir_found *start) {
  const char *path = chosen->path;
  TUTTI_TRY(tutti_rundir_check_config(saver));
  saver->replaces = saver->creates_metrics = !path || chosen->named;
  saver->drops_best = !path || (chosen->named && !tutti_io_same_file(path, saver->best_path));
  if (path) TUTTI_TRY(tutti_rundir_load(saver, chosen, start));
  start->returns = chosen->returns;
  start->named = chosen->named;
  if (chosen->returns) start->state.returned_to = saver->run->state.at.step;
  return TUTTI_OK;
}

/** On rank 0, when nothing is left that could refuse the run: bring the directory to the state of this run.  Files of
 * an earlier run are never removed before others replace them. */
static tutti_status prepare_directory(tutti_rundir_saver *saver, const tutti_rundir_choice *chosen) {
  const tutti_run *run = saver->run;
  const char *path = chosen->path;
  if (chosen->displaced[0]) TUTTI_TRY(make_room(run, chosen));
  // A fixed order leaves nothing to choose that the bits depend on, and bfloat16 on one thread nothing at all.
  if (tutti_model_products(run->network.model).order != TUTTI_SUM_IN_ORDER &&
      run->network.products->table.n > 0)
    TUTTI_TRY(tutti_products_text(run->network.products, &saver->products));
  // Rows behind the checkpoint would be computed again, so they are removed.  All rows of /epochs are written again
  // from the history in the checkpoint, because a kill may have cut off some of them.
  if (!saver->creates_metrics)
    TUTTI_TRY(tutti_metrics_rewind(saver->metrics_path, &run->state.rows.layout, 0, run->state.at.step));
  if (!saver->waits) TUTTI_TRY(tutti_io_write_text(saver->config_path, saver->config));
  saver->has_config = !saver->waits;
  if (path) tutti_log(TUTTI_LOG_INFO, "continues from %s: step %lld", path, (long long)run->state.at.step);
  return TUTTI_OK;
}

/** Set the weights that the training begins with.  run.measure's distances start from them, so a run that continues may
 * need them too. */
static tutti_status begin_weights(tutti_rundir_saver *saver, bool continues) {
  tutti_run *run = saver->run;
  if (run->rank == 0) tutti_model_init(run->network.model, run->config->train.seed, saver->weights);
  if (!continues || tutti_meter_keeps_start(run))
    TUTTI_TRY(tutti_rundir_load_weights(run, saver->weights, !continues));
  return tutti_meter_start(run, saver->weights);
}

/** @param[in] chosen  known on rank 0 */
static tutti_status begin(tutti_rundir_saver *saver, const tutti_rundir_choice *chosen) {
  tutti_run *run = saver->run;
  tutti_rundir_found start = {.resumed = chosen->path != NULL};
  TUTTI_TRY(tutti_comm_bcast(run->comm, 0, &start.resumed, sizeof start.resumed));
  TUTTI_TRY(begin_weights(saver, start.resumed));
  start.state = run->state.at;
  // The arrays of a checkpoint now replace these weights.
  const bool root = run->rank == 0;
  TUTTI_TRY(tutti_comm_agree_from(run->comm, 0, root ? begin_root(saver, chosen, &start) : TUTTI_OK));
  TUTTI_TRY(tutti_comm_bcast(run->comm, 0, &start, sizeof start));
  run->state.at = start.state;
  TUTTI_TRY(tutti_products_share(run->comm, run->network.products));
  TUTTI_TRY(tutti_run_schedule(run));
  run->state.rows.last = start.last;
  run->state.rows.average.now = start.average;
  run->state.rows.training.now = start.training;
  if (start.lost_start) tutti_meter_forget_start(run);
  if (start.resumed) TUTTI_TRY(tutti_run_keep_rows(run));
  if (start.keeps_scaling)
    TUTTI_TRY(tutti_rundir_restore_scaling(run->comm, chosen->path, start.features, run->dataset));
  tutti_rundir_note_scaling(saver);
  TUTTI_TRY(tutti_rundir_distribute(saver, start.resumed));
  TUTTI_TRY(tutti_run_check_same(run));
  TUTTI_TRY(tutti_comm_agree_from(run->comm, 0, root ? prepare_directory(saver, chosen) : TUTTI_OK));
  // After a return to best.h5, the newest checkpoint must be the one that a restarted job continues from.
  if (start.returns) TUTTI_TRY(tutti_rundir_save(saver, false));
  if (start.resumed && !start.returns) TUTTI_TRY(tutti_rundir_write_rows(saver));
  // From here on a failure to save does not end the run, if its directory has a checkpoint.
  saver->has_saved = start.resumed && !start.named;
  saver->saved_step = run->state.at.step;
  if (root) tutti_rundir_warn_room(saver);
  run->state.saved_at = tutti_clock_s();
  return TUTTI_OK;
}

tutti_status tutti_rundir_start(tutti_rundir_saver *saver) {
  tutti_run *run = saver->run;
  tutti_rundir_choice chosen = {0};
  run->state.at = tutti_run_first_state(run);
  saver->waits = strcmp(run->config->run.resume, "no") == 0;
  tutti_status status = run->rank == 0 ? tutti_rundir_choose(saver, &chosen) : TUTTI_OK;
  status = tutti_comm_agree_from(run->comm, 0, status);
  if (status == TUTTI_OK) status = begin(saver, &chosen);
  tutti_free(chosen.path);
  return status;
}
