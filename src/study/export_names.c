#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/export_impl.h"

/** The key of the branches, "" where there are none. */
static const char *branches_key(const tutti_export *e) {
  return e->set.branches > 0 ? e->set.names[e->set.branches - 1] : "";
}

/** Within the branch, where the key of the branches has one value. */
static bool is_varied(const tutti_export *e, const char *key, int branch) {
  for (int64_t i = 0; i < e->config.study.n_axes; i++) {
    const tutti_axis *axis = &e->config.study.axes[i];
    if (!axis->branches && tutti_axis_is_of(axis, branch) && strcmp(axis->key, key) == 0) return true;
  }
  return false;
}

/** The file's name without its folder and ending. */
static void name_dataset(const tutti_config *config, char *name) {
  const char *path = config->data.file ? config->data.file : "";
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
  const int n = (int)(dot && dot > base ? (size_t)(dot - base) : strlen(base));
  snprintf(name, TUTTI_EXPORT_NAME, "%.*s", n, base);
}

static void name_model(const tutti_config *config, char *name) {
  snprintf(name, TUTTI_EXPORT_NAME, "fc");
  for (int64_t i = 0; i < config->model.n_layers; i++)
    if (config->model.layers[i].units > 0)
      tutti_text_append(name, TUTTI_EXPORT_NAME, "_%lld", (long long)config->model.layers[i].units);
}

static const char *optimizer_name(const tutti_export *e, int branch) {
  const tutti_optim_options *optimizer = &e->config.written;
  const bool is_branch = strcmp(branches_key(e), "optimizer.name") == 0;
  const char *rule =
      is_branch ? tutti_trial_set_branch_name(&e->set, branch) : tutti_optim_names[optimizer->rule];
  const bool momentum = optimizer->momentum > 0 || is_varied(e, "optimizer.momentum", branch);
  if (is_varied(e, "optimizer.name", branch)) return "various";
  if (strcmp(rule, tutti_optim_names[TUTTI_SGD]) != 0 || !momentum) return rule;
  return optimizer->nesterov ? "nesterov_momentum" : "momentum";
}

/** One part of a path, and never empty. */
static void make_safe(char *name) {
  for (char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') *c = '_';
  if (!name[0]) snprintf(name, TUTTI_EXPORT_NAME, "unnamed");
}

typedef struct {
  char model[TUTTI_EXPORT_NAME], optimizer[TUTTI_EXPORT_NAME];
} names;

static tutti_status name_model_of(const tutti_export *e, int branch, char *name) {
  const tutti_override layers = {"model.layers", tutti_trial_set_branch_name(&e->set, branch)};
  const bool is_branch = strcmp(branches_key(e), layers.key) == 0;
  tutti_config config;
  if (is_varied(e, layers.key, branch)) {
    snprintf(name, TUTTI_EXPORT_NAME, "various");
    return TUTTI_OK;
  }
  TUTTI_TRY(tutti_config_parse(e->text, tutti_file_path(e->file), &layers, is_branch, &config));
  name_model(&config, name);
  tutti_config_clear(&config);
  return TUTTI_OK;
}

static tutti_status name_branch(const tutti_export *e, int branch, names *n) {
  const char *key = branches_key(e);
  const tutti_study_options *study = &e->config.study;
  snprintf(n->optimizer, sizeof n->optimizer, "%s", optimizer_name(e, branch));
  if (key[0] && strcmp(key, "optimizer.name") != 0 && strcmp(key, "model.layers") != 0)
    tutti_text_append(n->optimizer, sizeof n->optimizer, "_%s", tutti_trial_set_branch_name(&e->set, branch));
  if (study->problem == TUTTI_PROBLEM_NOISY_QUADRATIC)
    snprintf(n->model, sizeof n->model, "dimensions_%lld", (long long)study->dimensions);
  else
    TUTTI_TRY(name_model_of(e, branch, n->model));
  make_safe(n->model);
  make_safe(n->optimizer);
  return TUTTI_OK;
}

/** Layers that differ in their activations alone have the same name. */
static tutti_status is_taken(const tutti_export *e, const names *n, bool *taken) {
  *taken = false;
  for (int b = 0; b < e->branch && !*taken; b++) {
    names other;
    TUTTI_TRY(name_branch(e, b, &other));
    *taken = strcmp(other.model, n->model) == 0 && strcmp(other.optimizer, n->optimizer) == 0;
  }
  return TUTTI_OK;
}

tutti_status tutti_export_names(tutti_export *e) {
  names n;
  bool taken;
  if (e->config.study.problem == TUTTI_PROBLEM_NOISY_QUADRATIC)
    snprintf(e->dataset, sizeof e->dataset, "noisy_quadratic");
  else
    name_dataset(&e->config, e->dataset);
  make_safe(e->dataset);
  TUTTI_TRY(name_branch(e, e->branch, &n));
  TUTTI_TRY(is_taken(e, &n, &taken));
  snprintf(e->model, sizeof e->model, "%s", n.model);
  snprintf(e->optimizer, sizeof e->optimizer, "%.100s", n.optimizer);
  if (taken) tutti_text_append(e->optimizer, sizeof e->optimizer, "_%d", e->branch + 1);
  return TUTTI_OK;
}
