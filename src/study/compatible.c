/** Checks that the file and the folder that a job finds belong to this study.
 *
 * They do if the configs differ in the extent of the study only: batch sizes, values, settings, seeds, branches.  The
 * rows of the data must have the same fingerprint.  open.c and output.c call this before they take anything over. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "study/study_impl.h"

static const char config_name[] = "config.yaml";

/** Return whether the old config has short batches and the new one does not mention them: either the user wanted them
 * then, or they were the default of an earlier version. */
static bool lacks_short(const tutti_study *study, const tutti_config *old) {
  const tutti_train_options *now = &study->config->train;
  return !now->chooses_last_batch && old->train.last_batch == TUTTI_LAST_SHORT &&
         now->last_batch != TUTTI_LAST_SHORT;
}

/** Compare the config of a file with that of this study. */
static tutti_status compare_config(const tutti_study *study, const char *path, const char *text,
                                   tutti_study_difference *found) {
  tutti_config old = {0};
  tutti_differences all;
  TUTTI_TRY(tutti_config_parse(text, path, NULL, 0, &old));
  found->extent = tutti_config_study_differences(&old, study->config, &all);
  found->any = all.n > 0;
  tutti_config_differences_text(&all, found->text, sizeof found->text);
  if (lacks_short(study, &old))
    tutti_text_append(found->text, sizeof found->text,
                      " (train.last_batch=short continues it; short was the default of an earlier version)");
  tutti_config_clear(&old);
  return TUTTI_OK;
}

static tutti_status refuse(const tutti_study *study, const char *path, const tutti_study_difference *found) {
  TUTTI_FAIL(TUTTI_ERR_CONFIG,
             "%s belongs to another study: %s; choose another study.output, or move %s "
             "and %s away to start from scratch",
             path, found->text, study->config->study.output, study->store.folder);
}

tutti_status tutti_study_check_folder(const tutti_study *study, bool *marked, tutti_study_difference *found) {
  char *path = NULL, *text = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_study_store_path(&study->store, config_name, &path));
  *marked = access(path, F_OK) == 0;
  if (!*marked) goto done;
  TUTTI_TRY_GOTO(done, tutti_io_read_text(path, &text));
  TUTTI_TRY_GOTO(done, compare_config(study, path, text, found));
  if (found->any && !found->extent) TUTTI_TRY_GOTO(done, refuse(study, path, found));
done:
  tutti_free(text);
  tutti_free(path);
  return status;
}

tutti_status tutti_study_mark_folder(const tutti_study *study) {
  char *path = NULL;
  TUTTI_TRY(tutti_study_store_path(&study->store, config_name, &path));
  const tutti_status status = tutti_io_write_text(path, study->resolved);
  tutti_free(path);
  return status;
}

static bool is_kind(const tutti_file *file) {
  char *kind = NULL;
  if (!tutti_file_has_attribute(file, "/", "kind")) return false;
  if (tutti_file_get_text(file, "/", "kind", &kind) != TUTTI_OK) return false;
  const bool same = strcmp(kind, "study") == 0;
  tutti_free(kind);
  return same;
}

/** Compare the fingerprint of the training rows, by the algorithm that the file was written with. */
static tutti_status check_data(const tutti_study *study, const tutti_file *file) {
  int64_t then = 0, hash = 0;
  if (!study->data || !tutti_file_has_attribute(file, "/", "data")) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_integer(file, "/", "data", &then));
  if (tutti_file_has_attribute(file, "/", "data_hash"))
    TUTTI_TRY(tutti_file_get_integer(file, "/", "data_hash", &hash));
  const int64_t now = tutti_training_set_fingerprint(study->data, hash);
  TUTTI_CHECK(
      then == now, TUTTI_ERR_CONFIG,
      "%s belongs to another study: the contents of data.file were %016llx there and are %016llx now; choose "
      "another study.output",
      tutti_file_path(file), (unsigned long long)then, (unsigned long long)now);
  return TUTTI_OK;
}

tutti_status tutti_study_check_file(const tutti_study *study, const tutti_file *file,
                                    tutti_study_difference *found) {
  char *text = NULL;
  TUTTI_CHECK(
      is_kind(file), TUTTI_ERR_CREATE,
      "%s was not written by a study, and would be replaced by this one's: choose another study.output",
      tutti_file_path(file));
  TUTTI_TRY(tutti_file_get_text(file, "/", "config", &text));
  const tutti_status status = compare_config(study, tutti_file_path(file), text, found);
  tutti_free(text);
  TUTTI_TRY(status);
  if (found->any && !found->extent) return refuse(study, tutti_file_path(file), found);
  return check_data(study, file);
}
