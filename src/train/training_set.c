/* Several trainings on one data set.  The groups of a study train side by side, and each node has one copy of the data
 * for all of them.  A trial whose config names other data opens them for its group alone. */
#include "train/train_impl.h"

#include <string.h>

#include "machine/preflight.h"
#include "run/samples.h"
#include "tutti/linalg.h"

enum { X_VAL, Y_VAL, UNUSED, N_NAMES = 9 };

struct tutti_training_set {
  tutti_dataset *dataset; // owned
  int n_threads;          // of this rank, for configs without parallel.threads
  // The names and limits that the data set was opened with.  A config with the same ones shares it.
  tutti_texts names; // [N_NAMES]; "": not given
  int64_t limits[2]; // rows of training and test
};

/** List the names by which a config selects its data.  They are borrowed from it. */
static void list_names(const tutti_config *config, const char *names[N_NAMES]) {
  const tutti_data_options o = tutti_samples_options(config);
  const char *const all[N_NAMES] = {o.x_val,   o.y_val,  o.unused, o.file,   o.x_train,
                                    o.y_train, o.x_test, o.y_test, o.weights};
  for (int i = 0; i < N_NAMES; i++) names[i] = all[i] ? all[i] : "";
}

static tutti_status create(const tutti_config *config, tutti_training_set **set) {
  const char *names[N_NAMES];
  list_names(config, names);
  TUTTI_TRY(TUTTI_NEW(*set, 1));
  (*set)->limits[0] = config->data.limit_train;
  (*set)->limits[1] = config->data.limit_test;
  return tutti_texts_add_all(&(*set)->names, names, N_NAMES);
}

/** Whether both have the same validation rows.  A config that takes none from the file can share a data set whose file
 * has none, and a config that takes them can share one that left nothing out. */
static bool same_validation(const tutti_training_set *set, const char *const names[N_NAMES]) {
  char *const *had = set->names.list;
  if (had[X_VAL][0] && names[X_VAL][0])
    return strcmp(had[X_VAL], names[X_VAL]) == 0 && strcmp(had[Y_VAL], names[Y_VAL]) == 0;
  if (had[X_VAL][0]) return tutti_dataset_n_rows(set->dataset, TUTTI_ROWS_VALIDATION) == 0;
  if (!names[X_VAL][0]) return true;
  return strcmp(had[UNUSED], names[X_VAL]) == 0 && !tutti_dataset_has_unused(set->dataset);
}

static bool names_same_data(const tutti_training_set *set, const tutti_config *config) {
  const char *names[N_NAMES];
  list_names(config, names);
  if (!same_validation(set, names)) return false;
  for (int i = UNUSED + 1; i < N_NAMES; i++)
    if (strcmp(names[i], set->names.list[i]) != 0) return false;
  return set->limits[0] == config->data.limit_train && set->limits[1] == config->data.limit_test;
}

/** Whether the trials of a study differ in keys that tutti_train_warn_network looks at. */
static bool varies_network(const tutti_study_options *study) {
  static const char *const keys[] = {"model.layers", "model.loss", "model.label_smoothing"};
  for (int64_t i = 0; i < study->n_axes; i++)
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
      if (strcmp(study->axes[i].key, keys[k]) == 0) return true;
  return false;
}

/** Warn about the network once for all trials.  The config is that of one trial, so a warning that may be true for this
 * trial alone is left out.  Errors of a network are reported when all trials are checked. */
static void warn_network(const tutti_comm *comm, const tutti_config *config, const tutti_dataset *dataset) {
  tutti_network network = {0};
  if (varies_network(&config->study)) return;
  if (tutti_comm_rank(comm) == 0 && tutti_network_create_bare(config, dataset, &network) == TUTTI_OK)
    tutti_train_warn_network(config, &network);
  tutti_network_destroy(&network);
}

tutti_status tutti_training_set_open(const tutti_comm *comm, const tutti_config *config,
                                     tutti_training_set **set) {
  tutti_machine_threads threads;
  *set = NULL;
  TUTTI_TRY(tutti_machine_preflight(comm, config->parallel.threads, &threads));
  tutti_status status = tutti_comm_agree(comm, create(config, set));
  if (status == TUTTI_OK) status = tutti_samples_open(comm, config, &(*set)->dataset);
  if (status == TUTTI_OK) status = tutti_samples_advise(comm, config, (*set)->dataset);
  if (status == TUTTI_OK) warn_network(comm, config, (*set)->dataset);
  if (status == TUTTI_OK) (*set)->n_threads = threads.n;
  if (status != TUTTI_OK) tutti_training_set_close(set);
  return status;
}

tutti_status tutti_training_set_open_labels(const tutti_config *config, tutti_training_set **set) {
  *set = NULL;
  tutti_status status = create(config, set);
  if (status == TUTTI_OK) status = tutti_samples_open_labels(config, &(*set)->dataset);
  if (status != TUTTI_OK) tutti_training_set_close(set);
  return status;
}

void tutti_training_set_close(tutti_training_set **handle) {
  tutti_training_set *set = *handle;
  if (!set) return;
  tutti_dataset_close(&set->dataset);
  tutti_texts_clear(&set->names);
  tutti_free(set);
  *handle = NULL;
}

int64_t tutti_training_set_fingerprint(const tutti_training_set *set, int64_t hash) {
  return tutti_dataset_fingerprint(set->dataset, hash);
}

tutti_status tutti_training_set_check(const tutti_training_set *set, const tutti_config *config, int n_ranks,
                                      bool with_network) {
  // Other data are checked when their trial opens them.
  if (!names_same_data(set, config)) return TUTTI_OK;
  const long long n = tutti_samples_divide(config, set->dataset, config->train.seed).train.n,
                  batch = config->train.batch_size;
  TUTTI_CHECK(batch <= n || config->train.last_batch != TUTTI_LAST_SHORT, TUTTI_ERR_CONFIG,
              "train.batch_size: %lld is more than the %lld training samples, so the batch of this trial "
              "would be %lld; leave this size out, give more samples, or set train.last_batch=carry, which "
              "uses samples several times",
              batch, n, n);
  return tutti_train_check(config, set->dataset, n_ranks, with_network);
}

int64_t tutti_training_set_last_batch(const tutti_training_set *set, const tutti_config *config) {
  const int64_t n = tutti_samples_divide(config, set->dataset, config->train.seed).train.n,
                batch = config->train.batch_size;
  return config->train.last_batch == TUTTI_LAST_SHORT && n % batch > 0 ? n % batch : batch;
}

tutti_status tutti_train_open_trial(tutti_training_set *set, const tutti_comm *group,
                                    const tutti_config *config, tutti_run *run) {
  tutti_linalg_set_threads(config->parallel.threads > 0 ? (int)config->parallel.threads : set->n_threads);
  if (!names_same_data(set, config)) return tutti_run_open(group, config, run);
  *run = (tutti_run){.comm = group, .config = config, .dataset = set->dataset};
  return tutti_run_split_samples(run);
}

void tutti_train_close_trial(const tutti_training_set *set, tutti_run *run) {
  if (run->dataset == set->dataset) run->dataset = NULL;
  tutti_train_destroy(run);
}
