/** Which checkpoint a run continues from: the newest one of its own directory, the best.h5 of that directory if the
 * user names it, or the file of another run.  A batch system may start the same command again at any time, so a
 * checkpoint of the directory comes before one that the user names: the command then continues its own work, and loses
 * nothing.  resume.c calls it on rank 0. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "rundir/resume_impl.h"
#include "tutti/io.h"

/** @param[in] named  see tutti_rundir_choice */
static tutti_status set_path(tutti_rundir_choice *chosen, const char *path, bool named) {
  tutti_free(chosen->path);
  chosen->named = named;
  chosen->path = tutti_strdup(path);
  return chosen->path ? TUTTI_OK : TUTTI_ERR_MEMORY;
}

/** The best.h5 of the directory replaces its last checkpoint, but only once: otherwise a job that is started again
 * would lose what it has done since.  state.returned_to notes that it happened. */
static tutti_status choose_best(const tutti_rundir_saver *saver, tutti_rundir_choice *chosen) {
  tutti_checkpoint_info last = {0}, best = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(chosen->path, &last));
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(saver->best_path, &best));
  const int64_t returned_to = last.state.returned_to;
  if (returned_to > 0 && returned_to <= best.state.step) {
    tutti_log(TUTTI_LOG_INFO,
              "run.resume=%s is not used, because %s has already continued from its step %lld; give another "
              "run.directory to continue from that step again",
              saver->best_path, chosen->path, (long long)returned_to);
    goto done;
  }
  chosen->returns = true;
  status = set_path(chosen, saver->best_path, false);
done:
  tutti_checkpoint_info_clear(&last);
  tutti_checkpoint_info_clear(&best);
  return status;
}

/** Write how the training of a checkpoint differs from this run; "" if it is the same training. */
static tutti_status describe_differences(const tutti_run *run, const char *path, char *text, size_t bytes) {
  tutti_checkpoint_info info = {0};
  tutti_config old = {0};
  tutti_differences found;
  tutti_status status = TUTTI_OK;
  text[0] = '\0';
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(path, &info));
  TUTTI_TRY_GOTO(done, tutti_config_parse(info.config, path, NULL, 0, &old));
  tutti_rundir_find_differences(run, &old, &info, &found);
  tutti_config_differences_text(&found, text, bytes);
done:
  tutti_config_clear(&old);
  tutti_checkpoint_info_clear(&info);
  return status;
}

/** Parse the config of a checkpoint.  If that fails, it is the file, and not the config that the user has given: another
 * version has written it, or it is damaged, because files of earlier versions have no checksums of texts. */
static tutti_status parse_old(const tutti_checkpoint_info *info, const char *path, tutti_config *old) {
  const tutti_status status = tutti_config_parse(info->config, path, NULL, 0, old);
  if (status != TUTTI_ERR_CONFIG) return status;
  if (!info->has_sums || strcmp(info->version, TUTTI_VERSION) == 0) return TUTTI_ERR_DATA;
  char why[1024];
  snprintf(why, sizeof why, "%s", tutti_fail_text());
  TUTTI_FAIL(TUTTI_ERR_NEWER,
             "%s was written by tutti %s, and this is tutti %s, which does not understand its config (%s); "
             "continue with the program that has written it, or set run.directory to another directory",
             path, info->version, TUTTI_VERSION, why);
}

/** Whether the arrays of a checkpoint are those of this run, if its config is that of this run. */
static tutti_status judge(void *context, const char *path) {
  tutti_rundir_saver *saver = context;
  tutti_checkpoint_info info = {0};
  tutti_config old = {0};
  tutti_differences found;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(path, &info));
  TUTTI_TRY_GOTO(done, parse_old(&info, path, &old));
  tutti_rundir_find_differences(saver->run, &old, &info, &found);
  if (found.n > 0) goto done; // it is another training, which compare.c tells
  tutti_rundir_set_views(saver, info.is_average);
  TUTTI_TRY_GOTO(done, tutti_checkpoint_compare(path, saver->views, saver->n_loadable));
done:
  tutti_config_clear(&old);
  tutti_checkpoint_info_clear(&info);
  return status;
}

// A checkpoint of this directory is used before one of another run that the user names, unless it is of another
// training.  The files of that training are then moved aside.
tutti_status tutti_rundir_choose(tutti_rundir_saver *saver, tutti_rundir_choice *chosen) {
  const tutti_config *config = saver->run->config;
  const char *resume = config->run.resume, *directory = config->run.directory;
  const bool names = strcmp(resume, "auto") != 0;
  if (strcmp(resume, "no") == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_checkpoint_find_usable(directory, judge, saver, &chosen->path));
  if (chosen->path && names && tutti_io_same_file(resume, saver->best_path))
    return choose_best(saver, chosen);
  if (chosen->path && names && !tutti_file_is_in(resume, directory))
    TUTTI_TRY(describe_differences(saver->run, chosen->path, chosen->displaced, sizeof chosen->displaced));
  if (chosen->path && names && !chosen->displaced[0])
    tutti_log(TUTTI_LOG_INFO, "run.resume=%s is not used, because %s has a checkpoint of its own", resume,
              directory);
  if (!names || (chosen->path && !chosen->displaced[0])) return TUTTI_OK;
  return set_path(chosen, resume, true);
}
