#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "study/export_impl.h"

enum { PATH_BYTES = 4096 };

// --- folders and files

/** A new folder, or one that holds nothing. */
static tutti_status take_folder(const char *folder) {
  int n = 0;
  TUTTI_TRY(tutti_make_folder(folder));
  DIR *entries = opendir(folder);
  TUTTI_CHECK(entries, TUTTI_ERR_CREATE, "%s: cannot look into this folder: %s", folder, strerror(errno));
  for (struct dirent *entry; (entry = readdir(entries));)
    n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  closedir(entries);
  TUTTI_CHECK(n == 0, TUTTI_ERR_CREATE, "%s: this folder is not empty: name a new one for the export",
              folder);
  return TUTTI_OK;
}

static tutti_status begin_file(const char *folder, const char *name, char path[PATH_BYTES], FILE **out) {
  const int n = snprintf(path, PATH_BYTES, "%s/%s", folder, name);
  TUTTI_CHECK(n < PATH_BYTES, TUTTI_ERR_CREATE, "%s: this path is too long", folder);
  *out = fopen(path, "w");
  TUTTI_CHECK(*out, TUTTI_ERR_CREATE, "%s: cannot make this file: %s", path, strerror(errno));
  return TUTTI_OK;
}

static tutti_status end_file(const char *path, FILE *out) {
  const bool failed = ferror(out) != 0;
  TUTTI_CHECK(fclose(out) == 0 && !failed, TUTTI_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
  return TUTTI_OK;
}

static tutti_status make_below(const char *folder, const char *name, char path[PATH_BYTES]) {
  const int n = snprintf(path, PATH_BYTES, "%s/%s", folder, name);
  TUTTI_CHECK(n < PATH_BYTES, TUTTI_ERR_CREATE, "%s: this path is too long", folder);
  TUTTI_TRY(tutti_make_folder(path));
  return TUTTI_OK;
}

// --- the layout

static tutti_status write_trial(const tutti_export *e, const char *folder, int64_t trial) {
  char below[PATH_BYTES], path[PATH_BYTES], name[32];
  FILE *out = NULL;
  snprintf(name, sizeof name, "%lld", (long long)e->set.results[trial].trial);
  TUTTI_TRY(make_below(folder, name, below));
  TUTTI_TRY(begin_file(below, "metadata.json", path, &out));
  tutti_export_metadata(e, trial, out);
  TUTTI_TRY(end_file(path, out));
  TUTTI_TRY(begin_file(below, "measurements.csv", path, &out));
  const tutti_status status = tutti_export_measurements(e, trial, out);
  const tutti_status ended = end_file(path, out);
  TUTTI_TRY(status);
  TUTTI_TRY(ended);
  return TUTTI_OK;
}

/** The settings [first, end) of the order: all of one batch size. */
static tutti_status write_size(const tutti_export *e, const char *folder, int64_t first, int64_t end) {
  const tutti_setting_trials *settings = e->order.settings, *last = &settings[end - 1];
  char below[PATH_BYTES], path[PATH_BYTES], name[32];
  FILE *out = NULL;
  snprintf(name, sizeof name, "%lld", (long long)settings[first].batch_size);
  TUTTI_TRY(make_below(folder, name, below));
  TUTTI_TRY(begin_file(below, "study.json", path, &out));
  tutti_export_study(e, first, end, out);
  TUTTI_TRY(end_file(path, out));
  for (int64_t i = settings[first].first; i < last->first + last->n; i++)
    TUTTI_TRY(write_trial(e, below, e->order.order[i]));
  return TUTTI_OK;
}

/** A branch is a workload. */
static tutti_status write_branch(tutti_export *e, const char *folder, int branch) {
  char workload[3 * TUTTI_EXPORT_NAME], below[PATH_BYTES];
  e->branch = branch;
  TUTTI_TRY(tutti_export_names(e));
  snprintf(workload, sizeof workload, "%s/%s/%s", e->dataset, e->model, e->optimizer);
  TUTTI_TRY(make_below(folder, workload, below));
  for (int i = e->order.branches[branch]; i < e->order.branches[branch + 1]; i++)
    TUTTI_TRY(write_size(e, below, e->order.sizes[i], e->order.sizes[i + 1]));
  return TUTTI_OK;
}

// --- what is exported

static tutti_status export_read(tutti_export *e) {
  TUTTI_TRY(tutti_trial_set_read(e->file, &e->set));
  TUTTI_TRY(tutti_trial_order_make(&e->set, &e->order));
  TUTTI_TRY(tutti_file_get_text(e->file, "/", "metric", &e->metric));
  TUTTI_TRY(tutti_file_get_text(e->file, "/", "config", &e->text));
  return tutti_config_parse(e->text, tutti_file_path(e->file), NULL, 0, &e->config);
}

static void export_clear(tutti_export *e) {
  tutti_trial_set_clear(&e->set);
  tutti_trial_order_clear(&e->order);
  tutti_config_clear(&e->config);
  tutti_free(e->text);
  tutti_free(e->metric);
}

tutti_status tutti_study_export(const tutti_file *file, const char *folder) {
  tutti_status status = TUTTI_OK;
  tutti_export e = {.file = file};
  TUTTI_TRY_GOTO(done, export_read(&e));
  TUTTI_TRY_GOTO(done, take_folder(folder));
  for (int b = 0; b < e.order.n_branches; b++) TUTTI_TRY_GOTO(done, write_branch(&e, folder, b));
done:
  export_clear(&e);
  return status;
}
