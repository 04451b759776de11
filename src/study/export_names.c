#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/export_impl.h"

static bool is_varied(const tutti_export *e, const char *key) {
  return tutti_trial_set_find(&e->set, key) >= 0;
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

static const char *optimizer_name(const tutti_export *e) {
  const tutti_optim_options *optimizer = &e->config.optimizer;
  if (is_varied(e, "optimizer.name")) return "various";
  const bool momentum = optimizer->momentum > 0 || is_varied(e, "optimizer.momentum");
  if (optimizer->rule != TUTTI_SGD || !momentum) return tutti_optim_names[optimizer->rule];
  return optimizer->nesterov ? "nesterov_momentum" : "momentum";
}

/** One part of a path, and never empty. */
static void make_safe(char *name) {
  for (char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') *c = '_';
  if (!name[0]) snprintf(name, TUTTI_EXPORT_NAME, "unnamed");
}

void tutti_export_names(tutti_export *e) {
  if (e->config.study.problem == TUTTI_PROBLEM_NOISY_QUADRATIC) {
    snprintf(e->dataset, sizeof e->dataset, "noisy_quadratic");
    snprintf(e->model, sizeof e->model, "dimensions_%lld", (long long)e->config.study.dimensions);
  } else {
    name_dataset(&e->config, e->dataset);
    name_model(&e->config, e->model);
    if (is_varied(e, "model.layers")) snprintf(e->model, sizeof e->model, "various");
  }
  snprintf(e->optimizer, sizeof e->optimizer, "%s", optimizer_name(e));
  make_safe(e->dataset);
  make_safe(e->model);
  make_safe(e->optimizer);
}
