/* data.class_weight: factors of the loss in training by class, as in Keras.  "balanced" gives each class the weight
 * n / (classes that occur * samples of the class), as in scikit-learn, so that the mean weight of the samples is 1. */
#include <stdlib.h>
#include <string.h>

#include "run/network.h"

/** The number of classes if the labels are classes: the sides of one output, or several outputs. */
static int64_t possible_classes(const tutti_network *network) {
  const int64_t n_out = tutti_model_n_out(network->model);
  return n_out == 1 ? 2 : n_out;
}

/** The number of classes among which the labels choose; 0: the labels are not classes. */
static int64_t count_classes(const tutti_network *network) {
  const tutti_loss loss = tutti_model_loss_kind(network->model);
  const int64_t n_out = tutti_model_n_out(network->model);
  if (network->by_features) return 0;
  // One output has two sides, but only with these losses: otherwise its label is a number.
  const bool by_side = n_out == 1 && (loss == TUTTI_BINARY_CROSSENTROPY || loss == TUTTI_HINGE);
  const bool by_row = n_out > 1 && (network->by_class || loss == TUTTI_CATEGORICAL_CROSSENTROPY ||
                                    tutti_dataset_is_one_hot(network->dataset));
  return by_side || by_row ? possible_classes(network) : 0;
}

/** The class of a target: an id, the largest entry of a one-hot or soft row, or the side of a single label. */
static int64_t class_of(const tutti_network *network, tutti_targets targets, int64_t i) {
  const int64_t n = tutti_dataset_n_targets(network->dataset);
  int64_t best = 0;
  if (targets.classes) return targets.classes[i];
  if (n == 1) return targets.values[i] > 0.5F;
  for (int64_t k = 1; k < n; k++)
    if (targets.values[i * n + k] > targets.values[i * n + best]) best = k;
  return best;
}

// --- the weights of the config ---------------------------------------------------------------------------

/** Find a class by its name, or by its number.  @return -1: there is no such class */
static int64_t find_class(const tutti_dataset *dataset, const char *name, int64_t n_classes) {
  int n_names = 0;
  const char *const *names = tutti_dataset_classes(dataset, &n_names);
  for (int k = 0; k < n_names && k < n_classes; k++)
    if (strcmp(names[k], name) == 0) return k;
  char *end = NULL;
  const long long number = strtoll(name, &end, 10);
  return *end == '\0' && number >= 0 && number < n_classes ? number : -1;
}

/** Read "class: weight" pairs.  The other classes keep weight 1. */
static tutti_status read_mapping(const tutti_config *config, const tutti_dataset *dataset, int64_t n_classes,
                                 float *weights) {
  bool *given = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(given, n_classes));
  for (int64_t k = 0; k < n_classes; k++) weights[k] = 1;
  for (const char *left = config->data.class_weight; left;) {
    tutti_class_weight item;
    TUTTI_TRY_GOTO(done, tutti_config_class_weight_next(&left, &item));
    const int64_t k = find_class(dataset, item.name, n_classes);
    TUTTI_CHECK_GOTO(done, k >= 0, TUTTI_ERR_CONFIG,
                     "data.class_weight: there is no class '%s' in %s; expected a number from 0 to %lld, or "
                     "a name of a class",
                     item.name, tutti_dataset_file(dataset), (long long)n_classes - 1);
    TUTTI_CHECK_GOTO(done, !given[k], TUTTI_ERR_CONFIG,
                     "data.class_weight: class '%s' (%lld) has two weights; keep one", item.name,
                     (long long)k);
    given[k] = true;
    weights[k] = (float)item.weight;
  }
done:
  tutti_free(given);
  return status;
}

// --- balanced --------------------------------------------------------------------------------------------

enum { AT_ONCE = 256 };

/** Buffers for the targets of AT_ONCE rows; one of the two is set. */
typedef struct {
  int32_t *classes;
  float *values;
} label_buffers;

static void count_labels(const tutti_network *network, const tutti_samples *train, label_buffers labels,
                         double *counts) {
  const tutti_targets targets = {.classes = labels.classes, .values = labels.values};
  int64_t rows[AT_ONCE];
  // Every rank counts all labels by itself: its node has them in memory, and all ranks get the same counts.
  for (int64_t first = 0; first < train->n; first += AT_ONCE) {
    const int64_t now = train->n - first < AT_ONCE ? train->n - first : AT_ONCE;
    for (int64_t i = 0; i < now; i++) rows[i] = first + i;
    tutti_samples_rows(train, now, rows);
    if (labels.classes)
      tutti_dataset_gather_classes(network->dataset, train->which, rows, now, labels.classes);
    else
      tutti_dataset_gather_values(network->dataset, train->which, rows, now, labels.values);
    for (int64_t i = 0; i < now; i++) counts[class_of(network, targets, i)]++;
  }
}

static tutti_status balance(const tutti_network *network, const tutti_samples *train, int64_t n_classes,
                            float *weights) {
  label_buffers labels = {0};
  double *counts = NULL, n_there = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(counts, n_classes));
  if (network->by_class)
    TUTTI_TRY_GOTO(done, TUTTI_NEW(labels.classes, AT_ONCE));
  else
    TUTTI_TRY_GOTO(done, TUTTI_NEW(labels.values, AT_ONCE * tutti_dataset_n_targets(network->dataset)));
  count_labels(network, train, labels, counts);
  // A class without samples has no loss; counting it would make the other weights too small.
  for (int64_t k = 0; k < n_classes; k++) n_there += counts[k] > 0;
  for (int64_t k = 0; k < n_classes; k++)
    weights[k] = counts[k] > 0 ? (float)((double)train->n / (n_there * counts[k])) : 1;
done:
  tutti_free(counts);
  tutti_free(labels.classes);
  tutti_free(labels.values);
  return status;
}

// --- public ----------------------------------------------------------------------------------------------

tutti_status tutti_network_set_class_weights(const tutti_config *config, const tutti_samples *train,
                                             tutti_network *network) {
  if (!config->data.class_weight) return TUTTI_OK;
  const int64_t n_classes = count_classes(network);
  TUTTI_CHECK(n_classes > 0, TUTTI_ERR_CONFIG,
              "data.class_weight: with model.loss %s and %lld outputs a label is not a class; expected "
              "categorical_crossentropy, one-hot rows, or one output with binary_crossentropy or hinge: "
              "leave it out, or weigh samples by data.weights",
              tutti_loss_names[tutti_model_loss_kind(network->model)],
              (long long)tutti_model_n_out(network->model));
  if (tutti_dataset_n_targets(network->dataset) == 1 && !network->by_class)
    TUTTI_TRY(tutti_dataset_check_targets(network->dataset, tutti_network_is_side,
                                          "a class, 0 or 1, for data.class_weight"));
  tutti_free(network->class_weights); // balanced ones of other training rows
  network->class_weights = NULL;
  TUTTI_TRY(TUTTI_NEW(network->class_weights, n_classes));
  if (strcmp(config->data.class_weight, "balanced") == 0)
    return balance(network, train, n_classes, network->class_weights);
  return read_mapping(config, network->dataset, n_classes, network->class_weights);
}

tutti_status tutti_network_copy_class_weights(const tutti_network *from, tutti_network *to) {
  if (!from->class_weights) return TUTTI_OK;
  const int64_t n_classes = possible_classes(from);
  TUTTI_TRY(TUTTI_NEW(to->class_weights, n_classes));
  memcpy(to->class_weights, from->class_weights, (size_t)n_classes * sizeof *to->class_weights);
  return TUTTI_OK;
}

void tutti_network_apply_class_weights(const tutti_network *network, tutti_targets targets, int64_t n,
                                       float *weights) {
  for (int64_t i = 0; i < n; i++) weights[i] *= network->class_weights[class_of(network, targets, i)];
}
